/* pages - the sandbox's handlers, named in main.c's table. */
#ifndef MP_SANDBOX_PAGES_H
#define MP_SANDBOX_PAGES_H

#include "sandbox.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler api;                                                                    /* pages.c: /v1 */
handler page_card, do_card, page_pay, do_pay;                                   /* pages_card.c: what a customer sees */
handler page_home, page_faults, do_faults, do_faults_form;                      /* pages_faults.c: what a developer sees */

#endif
