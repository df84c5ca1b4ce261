/*
 * pages_key - the password, the signed-in browsers, and the API tokens of programs.
 */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

/* --- /account/password -------------------------------------------------------------------------------------------- */

struct password_page {
	struct form_problems problems;
	struct field current_password, new_password;
	const char *email;              /* for password managers */
};
static const struct member password_page_members[] = {
	SHAPE_STRUCT(password_page, problems, form_problems_shape),
	SHAPE_STRUCT(password_page, current_password, field_shape),
	SHAPE_STRUCT(password_page, new_password, field_shape), SHAPE_TEXT(password_page, email),
};
static const struct shape password_page_shape = SHAPE(password_page, password_page_members);
PAGE(password_form, "account/password", password_page_shape)

static enum status
show_password(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct password_page p = {
		.problems = form_problems(w, message),
		.current_password = form_field(w, "current_password", ""),
		.new_password = form_field(w, "new_password", ""),
		.email = w->user.email,
	};

	menu_of(w)->nav_account = true;
	return web_page(w, status, &password_form, &p);
}

enum status
page_password(struct web *w)
{
	return w->json ? web_not_found(w) : show_password(w, NULL, HTTP_OK, NULL);
}

/* POST /account/password */
enum status
do_password(struct web *w)
{
	const char *current, *wanted, *problem;
	int64_t wait_s;

	require(w, "current_password", _("Please enter your current password."));
	require(w, "new_password", _("Please choose a new password."));
	current = form_secret(w, "current_password", 1, PASSWORD_MAX);
	wanted = form_secret(w, "new_password", 1, PASSWORD_MAX);
	problem = *wanted ? password_problem(wanted, w->user.email) : NULL;
	if (problem)
		form_error(w, "new_password", problem);
	web_form(w, show_password, NULL);
	if (form_bad(w))
		return web_invalid(w);
	switch (password_change(w->db, w->user.id, own_token(w), w->address, current, wanted, &wait_s)) {
	case PASSWORD_CHANGED: return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "/account?done=password");
	case PASSWORD_WRONG:
		form_error(w, "current_password", _("This is not your current password."));
		return web_invalid(w);
	case PASSWORD_WEAK: return web_invalid(w);
	case PASSWORD_CLOSED: return web_refuse(w, HTTP_TOO_MANY, "too_many", closed_message(w, wait_s));
	}
	return web_broken(w);
}

/* --- /account/sessions -------------------------------------------------------------------------------------------- */

struct sessions_page {
	struct session *sessions;
	int n_sessions;
	int64_t n_total;
	struct paging paging;
};
static const struct member sessions_page_members[] = {
	SHAPE_LIST(sessions_page, sessions, session_shape), SHAPE_INT(sessions_page, n_total),
	SHAPE_STRUCT(sessions_page, paging, paging_shape),
};
static const struct shape sessions_page_shape = SHAPE(sessions_page, sessions_page_members);
PAGE(sessions_list, "account/sessions", sessions_page_shape)

enum status
page_sessions(struct web *w)
{
	struct sessions_page p = { .n_total = session_count(w->db, w->user.id) };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	session_list(w->db, w->user.id, web_session(w), p.paging.offset, &p.sessions, &p.n_sessions);
	menu_of(w)->nav_account = true;
	return web_answer(w, HTTP_OK, &sessions_page_shape, &sessions_list, &p);
}

/* POST /account/sessions/end - signs out everywhere, this browser too. */
enum status
do_sessions_end(struct web *w)
{
	if (form_bad(w))
		return refuse_unknown_field(w);
	session_end_all(w->db, w->user.id, NULL);
	web_sign_out(w);
	return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "/account/sign-in?done=everywhere");
}

/* --- /account/tokens ---------------------------------------------------------------------------------------------- */

struct tokens_page {
	struct form_problems problems;
	struct field name;
	struct api_token *tokens;
	int n_tokens;
	int64_t n_total;
	const char *token;              /* just made: shown only now */
	const char *token_name;
	struct paging paging;
};
static const struct member tokens_page_members[] = {
	SHAPE_STRUCT(tokens_page, problems, form_problems_shape), SHAPE_STRUCT(tokens_page, name, field_shape),
	SHAPE_LIST(tokens_page, tokens, api_token_shape), SHAPE_INT(tokens_page, n_total),
	SHAPE_TEXT(tokens_page, token), SHAPE_TEXT(tokens_page, token_name),
	SHAPE_STRUCT(tokens_page, paging, paging_shape),
};
static const struct shape tokens_page_shape = SHAPE(tokens_page, tokens_page_members);
PAGE(tokens_list, "account/tokens", tokens_page_shape)

static const struct member tokens_json_members[] = {
	SHAPE_INT(tokens_page, n_total), SHAPE_LIST(tokens_page, tokens, api_token_shape),
};
static const struct shape tokens_json_shape = SHAPE(tokens_page, tokens_json_members);

static const struct member new_token_members[] = {
	SHAPE_INT(api_token, token_id), SHAPE_TEXT(api_token, name), SHAPE_TEXT(api_token, token),
	SHAPE_TIME(api_token, created_at),
};
static const struct shape new_token_shape = SHAPE(api_token, new_token_members);

/* made: a token just made, whose secret is shown only now; NULL: none. */
static enum status
show_tokens(struct web *w, const void *made, enum status status, const char *message)
{
	const struct api_token *t = made;
	struct tokens_page p = { .problems = form_problems(w, message), .n_total = token_count(w->db, w->user.id) };

	p.name = t ? (struct field){ .name = "name", .value = "" } : form_field(w, "name", "");
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	token_list(w->db, w->user.id, p.paging.offset, &p.tokens, &p.n_tokens);
	if (t) {
		p.token = t->token;
		p.token_name = t->name;
	}
	menu_of(w)->nav_account = true;
	return web_answer(w, status, &tokens_json_shape, &tokens_list, &p);
}

static const struct word token_word[] = {
	{ "revoked", N_("The token has been revoked. Programs that use it are refused from now on.") },
};
static const struct words token_words = WORDS(token_word);

enum status
page_tokens(struct web *w)
{
	web_notice(w, &token_words);
	return show_tokens(w, NULL, HTTP_OK, NULL);
}

/* POST /account/tokens - the answer holds the token, only now. */
enum status
do_token(struct web *w)
{
	const char *name;
	struct api_token t;

	require(w, "name", _("Please enter a name for the token."));
	name = form_line(w, "name", 80);
	web_form(w, show_tokens, NULL);
	if (form_bad(w))
		return web_invalid(w);
	switch (token_make(w->db, w->user.id, name, web_idempotency_key(w), &t)) {
	case TOKEN_OK:
		return w->json ? web_json(w, HTTP_CREATED, &new_token_shape, &t) : show_tokens(w, &t, HTTP_OK, NULL);
	case TOKEN_TOO_MANY:
		return web_refuse(w, HTTP_CONFLICT, "quota",
			_("You have reached the maximum number of tokens. Please revoke one you no longer need."));
	case TOKEN_GONE:
		return web_refuse(w, HTTP_CONFLICT, "revoked",
			_("This token was created before and has been revoked. Please create a new one."));
	}
	return web_broken(w);
}

/* POST /account/tokens/:id/revoke, DELETE /account/tokens/:id */
enum status
do_token_revoke(struct web *w)
{
	if (form_bad(w))
		return refuse_unknown_field(w);
	if (!token_revoke(w->db, w->user.id, web_param_id(w, "id")))
		return web_not_found(w);
	return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "/account/tokens?done=revoked");
}
