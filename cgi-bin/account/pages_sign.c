/*
 * pages_sign - the door: sign up, sign in, sign out, and the language the door is labelled in.
 *
 * A browser gets a session; a program that asks as JSON gets an API token and no cookie. Every refusal at the door is worded
 * so that it tells nothing about whose e-mails we know.
 */
#include "pages.h"

#include "lib/base/lang.h"

#include <string.h>

/* Where to after the door: what next= says if it is a page of ours, else the first page. */
static const char *
way_on(struct web *w, const char *name)
{
	const char *path = form_raw(w, name);

	return web_safe_path(path) && strncmp(path, "/account/sign-", 14) != 0 ? path : "/";
}

static const char *
with_next(struct web *w, const char *path, const char *next)
{
	return strcmp(next, "/") == 0 ? path : arena_printf(w->m, "%s?next=%s", path, web_encode(w, next));
}

/* --- sign in --------------------------------------------------------------------------------------------------------- */

struct sign_in_page {
	struct form_problems problems;
	struct field email, password;
	const char *next, *sign_up_url;
};
static const struct member sign_in_page_members[] = {
	SHAPE_STRUCT(sign_in_page, problems, form_problems_shape), SHAPE_STRUCT(sign_in_page, email, field_shape),
	SHAPE_STRUCT(sign_in_page, password, field_shape), SHAPE_TEXT(sign_in_page, next), SHAPE_TEXT(sign_in_page, sign_up_url),
};
static const struct shape sign_in_page_shape = SHAPE(sign_in_page, sign_in_page_members);
PAGE(sign_in_form, "account/sign_in", sign_in_page_shape)

static enum status
show_sign_in(struct web *w, enum status status, const char *code, const char *message)
{
	struct sign_in_page p = {
		.problems = form_problems(w, message),
		.email = form_field(w, "email", ""),
		.password = form_field(w, "password", ""),
		.next = way_on(w, "next"),
	};

	if (w->json)
		return message ? web_refuse(w, status, code, message) : web_not_found(w);        /* a form is no resource */
	p.sign_up_url = with_next(w, "/account/sign-up", p.next);
	return web_page(w, status, &sign_in_form, &p);
}

enum status
page_sign_in(struct web *w)
{
	if (w->user.id && !w->json)
		return web_redirect(w, "%s", way_on(w, "next"));
	if (strcmp(form_raw(w, "done"), "everywhere") == 0)
		w->chrome.notice = _("You have been signed out everywhere.");
	return show_sign_in(w, HTTP_OK, NULL, NULL);
}

struct sign_in_answer {
	int64_t user_id;
	const char *name, *roles, *token;
};
static const struct member sign_in_answer_members[] = {
	SHAPE_INT(sign_in_answer, user_id), SHAPE_TEXT(sign_in_answer, name), SHAPE_RAW(sign_in_answer, roles), SHAPE_TEXT(sign_in_answer, token),
};
static const struct shape sign_in_answer_shape = SHAPE(sign_in_answer, sign_in_answer_members);

static enum status
welcome(struct web *w, const struct signed_in *in, const char *next)
{
	struct sign_in_answer answer = { in->user_id, in->name, role_codes(w->m, in->role_bits), in->token };

	if (w->json)
		return web_json(w, HTTP_OK, &sign_in_answer_shape, &answer);
	web_sign_in(w, in->token);
	speak(w, in->lang);
	return web_redirect(w, "%s", next);
}

/* POST /account/sign-in */
enum status
do_sign_in(struct web *w)
{
	struct sign_in s = { .address = w->address, .old_token = web_session(w) };
	const char *next = way_on(w, "next");
	struct signed_in in = { 0 };

	must_have(w, "email", _("Please enter your email address."));
	must_have(w, "password", _("Please enter your password."));
	s.email = form_email(w, "email");
	s.password = form_secret(w, "password", 1, PASSWORD_MAX);
	if (form_bad(w))
		return show_sign_in(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	switch (w->json ? account_sign_in_token(w->db, &s, &in) : account_sign_in(w->db, &s, &in)) {
	case SIGN_IN_OK:      return welcome(w, &in, next);
	case SIGN_IN_REFUSED: return show_sign_in(w, HTTP_UNAUTHORIZED, "refused", _("The email address or password is incorrect."));
	case SIGN_IN_CLOSED:  return show_sign_in(w, HTTP_TOO_MANY, "too_many", closed(w, in.wait_s));
	}
	return web_broken(w);
}

/* POST /account/sign-out */
enum status
do_sign_out(struct web *w)
{
	enum status refused;

	if (!no_fields(w, &refused))
		return refused;
	session_end(w->db, own_token(w));
	web_sign_out(w);
	return w->json ? web_text(w, HTTP_NO_CONTENT, NULL, "") : web_redirect(w, "/");
}

/* --- sign up --------------------------------------------------------------------------------------------------------- */

struct sign_up_page {
	struct form_problems problems;
	struct field name, email, phone, password, language;    /* not "lang": that is the page's own */
	const char *next, *sign_in_url;
};
static const struct member sign_up_page_members[] = {
	SHAPE_STRUCT(sign_up_page, problems, form_problems_shape), SHAPE_STRUCT(sign_up_page, name, field_shape),
	SHAPE_STRUCT(sign_up_page, email, field_shape), SHAPE_STRUCT(sign_up_page, phone, field_shape),
	SHAPE_STRUCT(sign_up_page, password, field_shape), SHAPE_STRUCT(sign_up_page, language, field_shape),
	SHAPE_TEXT(sign_up_page, next), SHAPE_TEXT(sign_up_page, sign_in_url),
};
static const struct shape sign_up_page_shape = SHAPE(sign_up_page, sign_up_page_members);
PAGE(sign_up_form, "account/sign_up", sign_up_page_shape)

static enum status
show_sign_up(struct web *w, enum status status, const char *code, const char *message)
{
	struct sign_up_page p = {
		.problems = form_problems(w, message),
		.name = form_field(w, "name", ""),
		.email = form_field(w, "email", ""),
		.phone = form_field(w, "phone", ""),
		.password = form_field(w, "password", ""),
		.language = lang_field(w, lang_now()),
		.next = way_on(w, "next"),
	};

	if (w->json)
		return message ? web_refuse(w, status, code, message) : web_not_found(w);        /* a form is no resource */
	p.sign_in_url = with_next(w, "/account/sign-in", p.next);
	return web_page(w, status, &sign_up_form, &p);
}

enum status
page_sign_up(struct web *w)
{
	return w->user.id && !w->json ? web_redirect(w, "%s", way_on(w, "next")) : show_sign_up(w, HTTP_OK, NULL, NULL);
}

struct sign_up_answer {
	int64_t user_id;
	const char *email, *name;
};
static const struct member sign_up_answer_members[] = {
	SHAPE_INT(sign_up_answer, user_id), SHAPE_TEXT(sign_up_answer, email), SHAPE_TEXT(sign_up_answer, name),
};
static const struct shape sign_up_answer_shape = SHAPE(sign_up_answer, sign_up_answer_members);

static enum status
not_possible(struct web *w)
{
	return show_sign_up(w, HTTP_CONFLICT, "not_possible",
	                    _("We could not create an account with these details. If you already have one, sign in; if not, try another email address."));
}

static enum status
signed_up(struct web *w, const struct signed_in *in, const char *next)
{
	struct sign_up_answer answer = { in->user_id, in->email, in->name };

	if (w->json)
		return web_json(w, HTTP_CREATED, &sign_up_answer_shape, &answer);
	if (!in->token)         /* made, and disabled or changed in the same breath */
		return web_redirect(w, "/account/sign-in");
	web_sign_in(w, in->token);
	speak(w, in->lang);
	return web_redirect(w, "%s", next);
}

static void
read_sign_up(struct web *w, struct new_account *a)
{
	const char *problem;

	a->name = read_name(w);
	must_have(w, "email", _("Please enter your email address."));
	a->email = form_email(w, "email");
	a->phone = read_phone(w);
	must_have(w, "password", _("Please choose a password."));
	a->password = form_secret(w, "password", 1, PASSWORD_MAX);
	a->lang = form_has(w, "lang") ? form_choice(w, "lang", &account_lang_words) : lang_now();
	problem = *a->password ? password_problem(a->password, a->email) : NULL;
	if (problem)
		form_error(w, "password", problem);
}

/* POST /account/sign-up - a customer makes an account and is in. */
enum status
do_sign_up(struct web *w)
{
	struct new_account a = { 0 };
	struct signed_in in = { 0 };
	const char *next = way_on(w, "next");
	struct sign_in s;

	read_sign_up(w, &a);
	if (form_bad(w))
		return show_sign_up(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	s = (struct sign_in){ .email = a.email, .password = a.password, .address = w->address, .old_token = web_session(w) };
	switch (account_sign_up(w->db, &a, &s, !w->json, &in)) {
	case SIGN_UP_OK:           return signed_up(w, &in, next);
	case SIGN_UP_AGAIN:        return w->json ? not_possible(w) : signed_up(w, &in, next);
	case SIGN_UP_NOT_POSSIBLE: return not_possible(w);
	case SIGN_UP_WEAK:         return show_sign_up(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	case SIGN_UP_CLOSED:       return show_sign_up(w, HTTP_TOO_MANY, "too_many", closed(w, in.wait_s));
	}
	return web_broken(w);
}

/* --- language -------------------------------------------------------------------------------------------------------- */

/* POST /account/language {lang, back} - for everyone, signed in or not. */
enum status
do_language(struct web *w)
{
	int lang = form_choice(w, "lang", &account_lang_words);
	const char *back = form_raw(w, "back");

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please choose one of the languages."));
	if (w->user.id)
		account_speak(w->db, w->user.id, lang);
	speak(w, lang);
	if (w->json)
		return web_text(w, HTTP_NO_CONTENT, NULL, "");
	return web_redirect(w, "%s", web_safe_path(back) ? back : "/");
}
