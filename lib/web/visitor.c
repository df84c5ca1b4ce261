/*
 * visitor.c - who is asking: the session of a browser or the API token of a program, and whether the route admits them.
 *
 * A browser shows its session's token in the cookie mp_session; the database knows the token's hash and its absolute
 * end. The idle end needs no write: mp_seen is the time of the last visit, signed together with the token, and set
 * again by the visited program when it is older than five minutes. A client sends an API token instead; then the answer
 * is JSON.
 */
#include "web_inside.h"

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_EVERY_S 300
#define TOKEN_MAX    64

struct known_user {
	int64_t user_id, roles, expires_at;
	const char *email, *name, *lang;
};
static const struct member known_user_members[] = {
	SHAPE_INT(known_user, user_id), SHAPE_INT(known_user, roles), SHAPE_INT(known_user, expires_at),
	SHAPE_TEXT(known_user, email), SHAPE_TEXT(known_user, name), SHAPE_TEXT(known_user, lang),
};
static const struct shape known_user_shape = SHAPE(known_user, known_user_members);

/* Has it the form of secret_token()? Anything else is not looked up. */
static bool
is_token(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n >= 16 && n <= TOKEN_MAX
		&& strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* --- the session -------------------------------------------------------------------------------------------------- */

/* "TIME.SIGNATURE" */
static const char *
seen_cookie(struct web *w, const char *token, int64_t at)
{
	const char *time = arena_printf(w->m, "%lld", (long long)at);
	const char *sign = secret_sign(w->m, "seen", arena_printf(w->m, "%s %s", token, time));

	return arena_printf(w->m, "%s.%s", time, sign);
}

/* When this session was last used; -1: no valid signature. */
static int64_t
last_seen(struct web *w, const char *token)
{
	const char *cookie = web_cookie(w, "mp_seen");
	int64_t at = cookie ? strtoll(cookie, NULL, 10) : -1;

	return at > 0 && secret_same(cookie, seen_cookie(w, token, at)) ? at : -1;
}

static void
set_seen(struct web *w, const char *token)
{
	web_set_cookie(w, "mp_seen", seen_cookie(w, token, w->now), settings.session_max_s);
}

static void
be(struct web *w, const struct known_user *u)
{
	int lang = u->lang ? lang_find(u->lang) : -1;

	w->user = (struct user){ .id = u->user_id, .email = u->email, .name = u->name, .roles = (int)u->roles };
	w->in->secret_page = true;
	if (lang >= 0)
		lang_set(lang);
}

static void
find_by_session(struct web *w)
{
	const char *token = web_cookie(w, "mp_session");
	struct known_user u = { .user_id = 0 };
	int64_t seen;

	if (!is_token(token))
		return;
	seen = last_seen(w,
		/* signed by us; it is in the future only when the clock was set back, which must not end sessions */
		token);
	if (seen < 0 || w->now - seen > settings.session_idle_s || seen > w->now + settings.session_idle_s)
		return;
	if (!db_one(w->db, &known_user_shape, &u,
		    "SELECT user_id, email, name, lang, roles, expires_at FROM v_session WHERE token_hash = $1",
		    secret_hash(w->m, token))
		|| u.expires_at <= w->now)
		return;
	w->in->session = token;
	be(w, &u);
	if (w->now - seen > SEEN_EVERY_S || seen > w->now + SEEN_EVERY_S)
		set_seen(w, token);
}

static void
find_by_api_token(struct web *w, const char *token)
{
	struct known_user u = { .user_id = 0 };

	w->json = w->in->bearer = true;
	w->in->secret_page = true;
	if (is_token(token)
		&& db_one(w->db, &known_user_shape, &u,
			"SELECT user_id, email, name, lang, roles FROM v_api_token WHERE token_hash = $1",
			secret_hash(w->m, token)))
		be(w, &u);
}

void
visitor_anon(struct web *w)
{
	const char *anon = web_cookie(w, "mp_anon");

	if (is_token(anon))
		w->in->anon = anon;
}

void
visitor_find(struct web *w)
{
	const char *authorization = w->in->x->param[P_AUTHORIZATION];

	if (serving.p->own_db || serving.internal) /* knows no users */
		return;
	if (authorization && strncasecmp(authorization, "Bearer ", 7) == 0)
		find_by_api_token(w, authorization + 7);
	else
		find_by_session(w);
}

/* --- admission ---------------------------------------------------------------------------------------------------- */

static enum status
send_to_sign_in(struct web *w)
{
	const char *here = url_own(w);

	if (!web_safe_path(here))
		return web_redirect(w, "/account/sign-in");
	return web_redirect(w, "/account/sign-in?next=%s", web_encode(w, here));
}

static enum status
unknown_visitor(struct web *w)
{
	if (!w->json && w->method == GET)
		return send_to_sign_in(w);
	if (w->json)
		web_set_header(w, "WWW-Authenticate", "Bearer");
	return web_refuse(w, HTTP_UNAUTHORIZED, "unauthorized",
		w->in->bearer ? _("This token is not valid.")
			      : _("You are not signed in. Please sign in and try again."));
}

bool
visitor_refused(struct web *w, enum status *status)
{
	int needs = w->in->route->needs, roles = needs & ROUTE_ROLES;

	/* An invalid token is refused on every route, so that its owner notices. */
	if (w->user.id == 0 && ((w->in->bearer && !(needs & ROUTE_OWN_KEY)) || needs & ROUTE_SIGNED_IN || roles))
		*status = unknown_visitor(w);
	else if (roles && !(w->user.roles & roles))
		*status = web_forbidden(w);
	else
		return false;
	return true;
}

/* --- for the account program -------------------------------------------------------------------------------------- */

void
web_sign_in(struct web *w, const char *token)
{
	w->in->session = token;
	w->in->secret_page = true;
	web_set_cookie(w, "mp_session", token, settings.session_max_s);
	set_seen(w, token);
}

void
web_sign_out(struct web *w)
{
	w->in->session = NULL;
	w->in->secret_page = true;
	w->user = (struct user){ .id = 0 };
	web_set_cookie(w, "mp_session", "", 0);
	web_set_cookie(w, "mp_seen", "", 0);
}

const char *
web_session(struct web *w)
{
	return w->in->session;
}
