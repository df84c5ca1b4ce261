/*
 * sandbox - the default card provider, for tests and trying out. It shares no table and no code with payment, and is
 * reached over HTTP alone. Not started when rental.sandbox is no.
 */
#include "pages.h"

#include "domain/menu.h"
#include "domain/rental.h"
#include "lib/process/program.h"
#include "lib/base/settings.h"

static const struct route routes[] = {
	{ GET,  "/sandbox",                                 page_sandbox,           0 },
	{ GET,  "/sandbox/card",                            page_sandbox_card,      0 },
	{ POST, "/sandbox/card",                            do_sandbox_card,        0 },
	{ GET,  "/sandbox/pay",                             page_sandbox_pay,       0 },
	{ POST, "/sandbox/pay",                             do_sandbox_pay,         0 },
	{ GET,  "/sandbox/payments",                        page_sandbox_payments,  0 },
	{ GET,  "/sandbox/payments/:payment_id",            page_sandbox_payment,   0 },
	{ POST, "/sandbox/payments/:payment_id/refund",     do_sandbox_refund,      0 },
	{ GET,  "/sandbox/faults",                          page_sandbox_faults,    0 },
	{ POST, "/sandbox/faults",                          do_sandbox_faults,      ROUTE_NO_CSRF },
	{ POST, "/sandbox/faults/form",                     do_sandbox_faults_form, 0 },
	{ GET,  "/internal/faults",                         page_sandbox_faults,    ROUTE_INTERNAL },
	{ POST, "/internal/faults",                         do_sandbox_faults,      ROUTE_INTERNAL },
	{ POST, "/sandbox/v1/billing/authorizations/issue", do_api,                 ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	{ POST, "/sandbox/v1/billing/:billing_key",         do_api,                 ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	{ POST, "/sandbox/v1/payments/confirm",             do_api,                 ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	{ POST, "/sandbox/v1/payments/:payment_key/cancel", do_api,                 ROUTE_NO_CSRF | ROUTE_RAW_BODY },
	{ GET,  "/sandbox/v1/transactions",                 do_api,                 0 },
	{ GET,  "/sandbox/v1/payments/orders/:order_id",    do_api,                 0 },
	{ GET,  "/sandbox/v1/payments/:payment_key",        do_api,                 0 },
	{ 0 },
};

static bool
open_sandbox(struct db *db)
{
	(void)db;
	return sandbox_key_open(settings.var_dir);
}

static const struct program sandbox = {
	.name = "sandbox", .site = &rental_site, .prefix = "/sandbox", .routes = routes, .role = &sandbox_role,
		.open = open_sandbox,
	.internal = true, .own_db = "sandbox", .own_schema = "db/sandbox.sql", .jail = JAIL_NETWORK /* webhooks */,
	.patience_s = 300,               /* hang_ms */
};

int
main(int argc, char **argv)
{
	return program_main(&sandbox, argc, argv);
}
