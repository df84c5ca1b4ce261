/* pages - ops's handlers, named in main.c's table. */
#ifndef MP_OPS_PAGES_H
#define MP_OPS_PAGES_H

#include "ops.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_ops;                                               /* pages.c: the house at a glance */
handler page_events, page_audit;                                /* pages_log.c */
handler page_pause, do_pause, do_resume;                        /* pages_switch.c */
handler do_redrive, page_discard, do_discard;
handler page_faults, do_faults;                                 /* pages_faults.c */
handler page_mail, page_letter;                                 /* pages_mail.c */
handler page_metrics;                                           /* pages_metrics.c */

#endif
