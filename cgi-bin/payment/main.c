/*
 * payment - charges, refunds, the ledger, saved cards; the only program that talks to the card provider.
 *
 * Other programs call it over the internal socket (docs/calls.md), customers keep their cards here, managers see the
 * money.
 */
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	/* programs */
	{ POST,   "/internal/charge",                do_charge,           ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ POST,   "/internal/refund",                do_refund,           ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ POST,   "/internal/payouts",               do_payout,           ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ POST,   "/internal/payers",                do_payer,            ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ GET,    "/internal/charge/:key",           show_charge,         ROUTE_INTERNAL },
	{ POST,   "/payments/webhook",               do_webhook,          ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	/* customers */
	{ GET,    "/payments/cards",                 page_cards,          ROUTE_SIGNED_IN },
	{ POST,   "/payments/cards",                 do_save_card,        ROUTE_SIGNED_IN },
	{ POST,   "/payments/cards/new",             do_new_card,         ROUTE_SIGNED_IN },
	{ GET,    "/payments/cards/return",          do_card_return,      ROUTE_SIGNED_IN | ROUTE_WRITES },
	{ GET,    "/payments/cards/:card_id/remove", page_remove_card,    ROUTE_SIGNED_IN },
	{ POST,   "/payments/cards/:card_id/remove", do_remove_card,      ROUTE_SIGNED_IN },
	{ DELETE, "/payments/cards/:card_id",        do_remove_card,      ROUTE_SIGNED_IN },
	/* managers */
	{ GET,    "/payments",                       page_charges,        ROLE_MANAGER },
	{ GET,    "/payments/ledger",                page_ledger,         ROLE_MANAGER },
	{ GET,    "/payments/payouts",               page_payouts,        ROLE_MANAGER },
	{ GET,    "/payments/payouts/:payout_id",    page_payout,         ROLE_MANAGER },
	{ POST,   "/payments/payouts/:payout_id/complete", do_complete_payout, ROLE_MANAGER },
	{ POST,   "/payments/payouts/:payout_id/fail", do_fail_payout,    ROLE_MANAGER },
	{ GET,    "/payments/:charge_id",            page_charge,         ROLE_MANAGER },
	{ POST,   "/payments/:charge_id/retry",      do_retry_charge,     ROLE_MANAGER },
	{ GET,    "/payments/:charge_id/resolve",    page_resolve_charge, ROLE_MANAGER },
	{ POST,   "/payments/:charge_id/resolve",    do_resolve_charge,   ROLE_MANAGER },
	{ 0 },
};

static const struct program payment = {
	.name = "payment", .site = &rental_site, .prefix = "/payments", .routes = routes, .role = &payment_role,
		.internal = true,
	.jail = JAIL_NETWORK,           /* the card provider */
	.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&payment, argc, argv);
}
