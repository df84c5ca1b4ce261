/* pages - what delivery's routes lead to, and what its pages share. */
#ifndef MP_DELIVERY_PAGES_H
#define MP_DELIVERY_PAGES_H

#include "lib/web/form.h"
#include "delivery.h"

handler page_deliveries, page_sheet;                                            /* pages_board.c */
handler page_delivery, show_photo;                                              /* pages.c */
handler do_assign, do_unassign, do_ship, do_deliver, do_come_back, do_cancel;   /* pages_step.c */
handler do_job_cancel;                                                          /* pages_call.c */

/* Who asks, as the rules want to know it. */
struct delivery_actor who_acts(const struct web *w);
/* The couriers to choose from. */
struct option *courier_options(struct web *w, int *n);
const char *id_text(struct web *w, int64_t id);         /* as a form carries it; "" for 0 */
/* One job with all that can be done with it: its page, also with what is wrong with a step that was tried. JSON: the job. */
enum status show_delivery(struct web *w, int64_t delivery_id, enum status status, const char *message);

#endif
