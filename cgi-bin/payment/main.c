/*
 * payment - charges, refunds, the ledger, saved cards; the only program that talks to the card provider.
 *
 * Other programs ask over the internal socket (docs/calls.md), customers keep their cards here, managers look at the money.
 */
#include "pages.h"

#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	/* programs */
	{ POST,   "/internal/charge",             do_charge,        INTERNAL | RAW_BODY },
	{ POST,   "/internal/refund",             do_refund,        INTERNAL | RAW_BODY },
	{ GET,    "/internal/charge/:key",        show_charge,      INTERNAL },
	{ POST,   "/payments/webhook",            do_webhook,       NO_CSRF | RAW_BODY },
	/* customers */
	{ GET,    "/payments/cards",              page_cards,       SIGNED_IN },
	{ POST,   "/payments/cards",              do_save_card,     SIGNED_IN },
	{ POST,   "/payments/cards/new",          do_new_card,      SIGNED_IN },
	{ GET,    "/payments/cards/return",       do_card_return,   SIGNED_IN | WRITES },
	{ GET,    "/payments/cards/:card_id/remove", page_remove_card, SIGNED_IN },
	{ POST,   "/payments/cards/:card_id/remove", do_remove_card, SIGNED_IN },
	{ DELETE, "/payments/cards/:card_id",     do_remove_card,   SIGNED_IN },
	/* managers */
	{ GET,    "/payments",                    page_charges,     MANAGER },
	{ GET,    "/payments/ledger",             page_ledger,      MANAGER },
	{ GET,    "/payments/:charge_id",         page_charge,      MANAGER },
	{ POST,   "/payments/:charge_id/retry",   do_retry_charge,  MANAGER },
	{ GET,    "/payments/:charge_id/resolve", page_resolve_charge, MANAGER },
	{ POST,   "/payments/:charge_id/resolve", do_resolve_charge, MANAGER },
	{ 0 },
};

static const struct program payment = {
	.name = "payment", .prefix = "/payments", .routes = routes, .role = &payment_role, .internal = true,
	.jail = JAIL_NETWORK,           /* the card provider */
	.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&payment, argc, argv);
}
