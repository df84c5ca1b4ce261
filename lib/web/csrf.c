/*
 * csrf.c - a change needs the CSRF token of its visitor: signed from the session's token, or for a signed-out visitor
 * from a random one in the cookie mp_anon. Clients with an API token need none, since no browser sends that header by
 * itself.
 */
#include "web_inside.h"

#include "lib/base/secret.h"

#include <string.h>

const char *
visitor_csrf(struct web *w)
{
	const char *of = w->in->session ? w->in->session : w->in->anon;

	return of ? secret_sign(w->m, "csrf", of) : NULL;
}

bool
visitor_forged(struct web *w)
{
	const char *site = w->in->x->param[P_FETCH_SITE], *shown = w->in->x->param[P_CSRF];
	const struct sent *field = input_find(&w->in->body, "csrf");

	if (w->method == GET || w->in->route->needs & (ROUTE_NO_CSRF | ROUTE_INTERNAL) || w->in->bearer)
		return false;
	if (site && strcmp(site, "cross-site") == 0)
		return true;
	/*
	 * A JSON client that signs in or up has no credentials yet that another site's page could abuse, and is given
	 * no cookie. A program without sessions (own_db) still needs the token: there the browser's origin is the only
	 * credential.
	 */
	if (w->json && !w->in->session && !serving.p->own_db)
		return false;
	if (!shown && field)
		shown = field->value;
	return !secret_same(shown, visitor_csrf(w));
}
