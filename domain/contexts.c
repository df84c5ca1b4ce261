/* contexts - the table of programs; their addresses are also in deploy/lighttpd/routes.conf. */
#include "rental.h"
#include "contexts.h"

#include <stddef.h>
#include <string.h>

const struct context contexts[N_CONTEXTS + 1] = {
	{ "account",   "/account",    .reacts = false },
	{ "booking",   "",            .reacts = true },
	{ "payment",   "/payments",   .reacts = true },
	{ "fleet",     "/fleet",      .reacts = true },
	{ "delivery",  "/deliveries", .reacts = true },
	{ "equipment", "/equipment",  .reacts = true },
	{ "review",    "/reviews",    .reacts = true },
	{ "message",   "/messages",   .reacts = true },
	{ "mypage",    "/my",         .reacts = true, .on_view = true },
	{ "ops",       "/ops",        .reacts = false },
	{ "sandbox",   "/sandbox",    .reacts = false },
	{ 0 },
};

const struct context *
context_find(const char *name)
{
	for (const struct context *c = contexts; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

bool
context_is_wanted(const struct context *c)
{
	return rental.sandbox || strcmp(c->name, "sandbox") != 0;
}
