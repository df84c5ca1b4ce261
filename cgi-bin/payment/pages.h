/* pages - payment's handlers, named in main.c's table. */
#ifndef MP_PAYMENT_PAGES_H
#define MP_PAYMENT_PAGES_H

#include "payment.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

/* pages_call.c: what programs ask */
handler do_charge, do_refund, do_payout, do_payer, show_charge, do_webhook;
/* pages_cards.c: a customer's cards */
handler page_cards, do_save_card, do_new_card, do_card_return, page_remove_card, do_remove_card;
/* pages_stuck.c: what a manager does about a stuck one */
handler do_retry_charge, page_resolve_charge, do_resolve_charge;
handler page_payouts, page_payout, do_complete_payout, do_fail_payout;          /* pages_payouts.c */
handler page_charges, page_charge, page_ledger; /* pages_charges.c: what a manager sees */

#endif
