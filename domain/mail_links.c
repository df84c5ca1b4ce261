/* mail_links - the token of a link, and its address. */
#include "mail_links.h"

#include "lib/base/secret.h"

#include <string.h>

const char *
mail_link_token(struct arena *m, const char *seed)
{
	return secret_sign(m, "mail_link", seed);
}

const char *
mail_link_path(struct arena *m, const char *purpose, const char *seed)
{
	return arena_printf(m, "/account/%s?token=%s", strcmp(purpose, MAIL_LINK_SIGN_UP) == 0 ? "confirm" : "reset",
		mail_link_token(m, seed));
}
