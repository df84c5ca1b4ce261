/* pages - ops's handlers, in the order of main.c's table. */
#ifndef MP_OPS_PAGES_H
#define MP_OPS_PAGES_H

#include "ops.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_ops;                                               /* pages.c */
handler page_events, page_audit;                                /* pages_log.c */
handler page_pause, do_pause, do_resume;                        /* pages_switch.c */
handler do_redrive, page_discard, do_discard;
handler page_ops_faults, do_ops_faults;                         /* pages_faults.c */
handler page_ops_mails, page_ops_mail;                          /* pages_mail.c */
handler page_metrics;                                           /* pages_metrics.c */

#endif
