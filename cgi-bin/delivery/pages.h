/* pages - the handlers of delivery's routes, and what its pages share. */
#ifndef MP_DELIVERY_PAGES_H
#define MP_DELIVERY_PAGES_H

#include "lib/web/form.h"
#include "delivery.h"

handler page_deliveries, page_sheet;                                            /* pages_jobs.c */
handler page_delivery, page_handover_photo;                                     /* pages.c */
handler do_assign, do_unassign, do_ship, do_deliver, do_come_back, do_bring_in; /* pages_step.c */
handler do_job_cancel, do_job_undo_cancel;
handler do_booking_cancel;                                                      /* pages_call.c */

struct delivery_actor who_acts(const struct web *w);
struct option *courier_options(struct web *w, int *n);  /* the couriers to choose from */
form_page show_delivery;        /* the job of the address with the steps that are possible now. JSON: the job alone */

#endif
