/*
 * pages_key - what opens an account: the password, the browsers that are signed in, and the tokens of programs.
 */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- /account/password ----------------------------------------------------------------------------------------------- */

struct password_page {
	struct form_problems problems;
	struct field current_password, new_password;
	const char *email;              /* for password managers */
};
static const struct member password_page_members[] = {
	SHAPE_STRUCT(password_page, problems, form_problems_shape), SHAPE_STRUCT(password_page, current_password, field_shape),
	SHAPE_STRUCT(password_page, new_password, field_shape), SHAPE_TEXT(password_page, email),
};
static const struct shape password_page_shape = SHAPE(password_page, password_page_members);
PAGE(password_form, "account/password", password_page_shape)

static enum status
show_password(struct web *w, enum status status, const char *code, const char *message)
{
	struct password_page p = {
		.problems = form_problems(w, message),
		.current_password = form_field(w, "current_password", ""),
		.new_password = form_field(w, "new_password", ""),
		.email = w->user.email,
	};

	if (w->json)
		return message ? web_refuse(w, status, code, message) : web_not_found(w);
	menu_of(w)->nav_account = true;
	return web_page(w, status, &password_form, &p);
}

enum status
page_password(struct web *w)
{
	return show_password(w, HTTP_OK, NULL, NULL);
}

static enum status
wrong_password(struct web *w)
{
	form_error(w, "current_password", _("This is not your current password."));
	return show_password(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
}

/* POST /account/password */
enum status
do_password(struct web *w)
{
	const char *current, *wanted, *problem;
	int64_t wait_s;

	must_have(w, "current_password", _("Please enter your current password."));
	must_have(w, "new_password", _("Please choose a new password."));
	current = form_secret(w, "current_password", 1, PASSWORD_MAX);
	wanted = form_secret(w, "new_password", 1, PASSWORD_MAX);
	problem = *wanted ? password_problem(wanted, w->user.email) : NULL;
	if (problem)
		form_error(w, "new_password", problem);
	if (form_bad(w))
		return show_password(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	switch (password_change(w->db, w->user.id, own_token(w), w->address, current, wanted, &wait_s)) {
	case PASSWORD_CHANGED: return w->json ? web_text(w, HTTP_NO_CONTENT, NULL, "") : web_redirect(w, "/account?done=password");
	case PASSWORD_WEAK:    return show_password(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	case PASSWORD_WRONG:   return wrong_password(w);
	case PASSWORD_CLOSED:  return show_password(w, HTTP_TOO_MANY, "too_many", closed(w, wait_s));
	}
	return web_broken(w);
}

/* --- /account/sessions ----------------------------------------------------------------------------------------------- */

struct sessions_page {
	struct session *sessions;
	int n_sessions;
	int64_t n_total;
	struct paging paging;
};
static const struct member sessions_page_members[] = {
	SHAPE_LIST(sessions_page, sessions, session_shape), SHAPE_INT(sessions_page, n_total), SHAPE_STRUCT(sessions_page, paging, paging_shape),
};
static const struct shape sessions_page_shape = SHAPE(sessions_page, sessions_page_members);
PAGE(sessions_list, "account/sessions", sessions_page_shape)

enum status
page_sessions(struct web *w)
{
	struct sessions_page p = { .n_total = session_count(w->db, w->user.id) };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	session_list(w->db, w->user.id, web_session(w), p.paging.offset, &p.sessions, &p.n_sessions);
	if (w->json)
		return web_json(w, HTTP_OK, &sessions_page_shape, &p);
	menu_of(w)->nav_account = true;
	return web_page(w, HTTP_OK, &sessions_list, &p);
}

/* POST /account/sessions/end - out everywhere, here too. */
enum status
do_sessions_end(struct web *w)
{
	enum status refused;

	if (!no_fields(w, &refused))
		return refused;
	session_end_all(w->db, w->user.id, NULL);
	web_sign_out(w);
	return w->json ? web_text(w, HTTP_NO_CONTENT, NULL, "") : web_redirect(w, "/account/sign-in?done=everywhere");
}

/* --- /account/tokens ------------------------------------------------------------------------------------------------- */

struct tokens_page {
	struct form_problems problems;
	struct field name;
	struct api_token *tokens;
	int n_tokens;
	int64_t n_total;
	const char *token;              /* just made: shown this once */
	const char *token_name;
	struct paging paging;
};
static const struct member tokens_page_members[] = {
	SHAPE_STRUCT(tokens_page, problems, form_problems_shape), SHAPE_STRUCT(tokens_page, name, field_shape),
	SHAPE_LIST(tokens_page, tokens, api_token_shape), SHAPE_INT(tokens_page, n_total), SHAPE_TEXT(tokens_page, token),
	SHAPE_TEXT(tokens_page, token_name), SHAPE_STRUCT(tokens_page, paging, paging_shape),
};
static const struct shape tokens_page_shape = SHAPE(tokens_page, tokens_page_members);
PAGE(tokens_list, "account/tokens", tokens_page_shape)

static const struct member tokens_json_members[] = {
	SHAPE_INT(tokens_page, n_total), SHAPE_LIST(tokens_page, tokens, api_token_shape),
};
static const struct shape tokens_json_shape = SHAPE(tokens_page, tokens_json_members);

static const struct member new_token_members[] = {
	SHAPE_INT(api_token, token_id), SHAPE_TEXT(api_token, name), SHAPE_TEXT(api_token, token), SHAPE_TIME(api_token, created_at),
};
static const struct shape new_token_shape = SHAPE(api_token, new_token_members);

static enum status
show_tokens(struct web *w, enum status status, const char *message, const struct api_token *made)
{
	struct tokens_page p = { .problems = form_problems(w, message), .n_total = token_count(w->db, w->user.id) };

	p.name = made ? (struct field){ .name = "name", .value = "" } : form_field(w, "name", "");
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	token_list(w->db, w->user.id, p.paging.offset, &p.tokens, &p.n_tokens);
	if (made) {
		p.token = made->token;
		p.token_name = made->name;
	}
	if (w->json)
		return web_json(w, status, &tokens_json_shape, &p);
	menu_of(w)->nav_account = true;
	return web_page(w, status, &tokens_list, &p);
}

enum status
page_tokens(struct web *w)
{
	if (strcmp(form_raw(w, "done"), "revoked") == 0)
		w->chrome.notice = _("The token has been revoked. Programs that use it are refused from now on.");
	return show_tokens(w, HTTP_OK, NULL, NULL);
}

static enum status
refuse_token(struct web *w, enum status status, const char *code, const char *message)
{
	return w->json ? web_refuse(w, status, code, message) : show_tokens(w, status, message, NULL);
}

/* POST /account/tokens - the answer holds the token, this once. */
enum status
do_token(struct web *w)
{
	const char *name;
	struct api_token t;

	must_have(w, "name", _("Please enter a name for the token."));
	name = form_line(w, "name", 80);
	if (form_bad(w))
		return refuse_token(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	switch (token_make(w->db, w->user.id, name, web_idempotency_key(w), &t)) {
	case TOKEN_OK:
		return w->json ? web_json(w, HTTP_CREATED, &new_token_shape, &t) : show_tokens(w, HTTP_OK, NULL, &t);
	case TOKEN_TOO_MANY:
		return refuse_token(w, HTTP_CONFLICT, "quota", _("You have reached the maximum number of tokens. Please revoke one you no longer need."));
	case TOKEN_GONE:
		return refuse_token(w, HTTP_CONFLICT, "revoked", _("This token was created before and has been revoked. Please create a new one."));
	}
	return web_broken(w);
}

/* POST /account/tokens/:id/revoke, DELETE /account/tokens/:id */
enum status
do_token_revoke(struct web *w)
{
	enum status refused;

	if (!no_fields(w, &refused))
		return refused;
	if (!token_revoke(w->db, w->user.id, web_param_id(w, "id")))
		return web_not_found(w);
	return w->json ? web_text(w, HTTP_NO_CONTENT, NULL, "") : web_redirect(w, "/account/tokens?done=revoked");
}
