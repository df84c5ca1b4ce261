/* message 메시지 - its routes and what they need. */
#include "message.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,  "/messages",                    page_messages,    ROUTE_SIGNED_IN },
	{ POST, "/messages/read",               do_read_all,      ROUTE_SIGNED_IN },
	{ GET,  "/messages/preferences",        page_preferences, ROUTE_SIGNED_IN },
	{ POST, "/messages/preferences",        do_preferences,   ROUTE_SIGNED_IN },
	{ GET,  "/messages/log",                page_log,         ROLE_MANAGER | ROLE_ADMIN },
	{ GET,  "/messages/log/:message_id",    page_log_entry,   ROLE_MANAGER | ROLE_ADMIN },
	{ GET,  "/messages/:message_id",        page_message,     ROUTE_SIGNED_IN },
	{ POST, "/messages/:message_id/read",   do_read,          ROUTE_SIGNED_IN },
	{ POST, "/messages/:message_id/resend", do_resend,        ROLE_MANAGER | ROLE_ADMIN },
	{ 0 },
};

/* A wrong template stops this program at its start too, not only the relay, which writes the messages. */
static bool
open_texts(struct db *db)
{
	(void)db;
	return message_texts_open();
}

static const struct program program = {
	.name = "message", .site = &rental_site, .prefix = "/messages", .routes = routes, .role = &message_role,
		.open = open_texts, .before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
