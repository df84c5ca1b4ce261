/* pages - the sandbox's handlers, named in main.c's table. */
#ifndef MP_SANDBOX_PAGES_H
#define MP_SANDBOX_PAGES_H

#include "sandbox.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler do_api;                                                                 /* pages.c: /v1 */
handler page_sandbox_card, do_sandbox_card, page_sandbox_pay, do_sandbox_pay;   /* pages_card.c: what a customer sees */
/* pages_faults.c: what a developer sees */
handler page_sandbox, page_sandbox_faults, do_sandbox_faults, do_sandbox_faults_form;
handler page_sandbox_payments, page_sandbox_payment, do_sandbox_refund;         /* pages_payments.c: the dashboard */

bool sandbox_is_local(const struct web *w);     /* a browser on this machine: it may change what is simulated */

#endif
