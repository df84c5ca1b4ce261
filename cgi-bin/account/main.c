/*
 * account 계정 - its routes and what they need.
 * pages_sign.c signs people up, in and out, pages_link.c has the pages that links in mails lead to, pages.c shows
 * people's own account, pages_key.c their password, sessions and API tokens, pages_admin.c all users to an admin;
 * account.h lists the rules.
 */
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,    "/account/sign-up",            page_sign_up,      0 },
	{ POST,   "/account/sign-up",            do_sign_up,        0 },
	{ GET,    "/account/sign-in",            page_sign_in,      0 },
	{ POST,   "/account/sign-in",            do_sign_in,        0 },
	{ GET,    "/account/confirm",            page_confirm,      0 },
	{ POST,   "/account/confirm",            do_confirm,        0 },
	{ GET,    "/account/forgot",             page_forgot,       0 },
	{ POST,   "/account/forgot",             do_forgot,         0 },
	{ GET,    "/account/reset",              page_reset,        0 },
	{ POST,   "/account/reset",              do_reset,          0 },
	{ POST,   "/account/sign-out",           do_sign_out,       ROUTE_SIGNED_IN },
	{ POST,   "/account/language",           do_language,       0 },

	{ GET,    "/account",                    page_account,      ROUTE_SIGNED_IN },
	{ PUT,    "/account",                    do_account,        ROUTE_SIGNED_IN },
	{ GET,    "/account/profile",            page_profile,      ROUTE_SIGNED_IN },
	{ POST,   "/account/profile",            do_profile,        ROUTE_SIGNED_IN },
	{ GET,    "/account/licence",            page_licence,      ROUTE_SIGNED_IN },
	{ POST,   "/account/licence",            do_licence,        ROUTE_SIGNED_IN },
	{ POST,   "/account/licence/remove",     do_licence_remove, ROUTE_SIGNED_IN },

	{ GET,    "/account/password",           page_password,     ROUTE_SIGNED_IN },
	{ POST,   "/account/password",           do_password,       ROUTE_SIGNED_IN },
	{ GET,    "/account/sessions",           page_sessions,     ROUTE_SIGNED_IN },
	{ POST,   "/account/sessions/end",       do_sessions_end,   ROUTE_SIGNED_IN },
	{ GET,    "/account/tokens",             page_tokens,       ROUTE_SIGNED_IN },
	{ POST,   "/account/tokens",             do_token,          ROUTE_SIGNED_IN },
	{ POST,   "/account/tokens/:id/revoke",  do_token_revoke,   ROUTE_SIGNED_IN },
	{ DELETE, "/account/tokens/:id",         do_token_revoke,   ROUTE_SIGNED_IN },

	{ GET,    "/account/users",              page_users,        ROLE_ADMIN },
	{ GET,    "/account/users/:id",          page_user,         ROLE_ADMIN },
	{ POST,   "/account/users/:id/roles",    do_role,           ROLE_ADMIN },
	{ POST,   "/account/users/:id/disable",  do_disable,        ROLE_ADMIN },
	{ POST,   "/account/users/:id/enable",   do_enable,         ROLE_ADMIN },
	{ POST,   "/account/users/:id/reset",    do_send_reset,     ROLE_ADMIN },
	{ 0 },
};

static const struct program account = {
	.name = "account",
	.site = &rental_site, .prefix = "/account",
	.routes = routes,
	.role = &account_db_role,
	.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&account, argc, argv);
}
