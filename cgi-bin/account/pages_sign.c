/*
 * pages_sign - sign up, sign in, sign out, and the language.
 *
 * A browser gets a session; a program that asks for JSON gets an API token and no cookie. No refusal reveals which
 * e-mails have an account.
 */
#include "pages.h"

#include "lib/base/lang.h"

#include <string.h>

/* Not one of the pages of signing in: one would come back to them. */
static bool
leads_on(const char *path)
{
	static const char *const pages[] = { "/account/sign-", "/account/forgot", "/account/confirm",
		"/account/reset" };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strncmp(path, pages[i], strlen(pages[i])) == 0)
			return false;
	return web_safe_path(path);
}

const char *
next_path(struct web *w)
{
	const char *path = form_raw(w, "next");

	return path && leads_on(path) ? path : "/";
}

const char *
with_next(struct web *w, const char *path, const char *next)
{
	return strcmp(next, "/") == 0 ? path : arena_printf(w->m, "%s?next=%s", path, web_encode(w, next));
}

/* --- sign in ------------------------------------------------------------------------------------------------------ */

struct sign_in_page {
	struct form_problems problems;
	struct field email, password;
	const char *next, *sign_up_url, *forgot_url;
};
static const struct member sign_in_page_members[] = {
	SHAPE_STRUCT(sign_in_page, problems, form_problems_shape), SHAPE_STRUCT(sign_in_page, email, field_shape),
	SHAPE_STRUCT(sign_in_page, password, field_shape), SHAPE_TEXT(sign_in_page, next),
	SHAPE_TEXT(sign_in_page, sign_up_url), SHAPE_TEXT(sign_in_page, forgot_url),
};
static const struct shape sign_in_page_shape = SHAPE(sign_in_page, sign_in_page_members);
PAGE(sign_in_form, "account/sign_in", sign_in_page_shape)

static enum status
show_sign_in(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct sign_in_page p = {
		.problems = form_problems(w, message),
		.email = form_field(w, "email", ""),
		.password = form_field(w, "password", ""),
		.next = next_path(w),
	};

	p.sign_up_url = with_next(w, "/account/sign-up", p.next);
	p.forgot_url = with_next(w, "/account/forgot", p.next);
	return web_page(w, status, &sign_in_form, &p);
}

static const struct word signed_out_word[] = { { "everywhere", N_("You have been signed out everywhere.") } };
static const struct words signed_out_words = WORDS(signed_out_word);

enum status
page_sign_in(struct web *w)
{
	if (w->json)
		return web_not_found(w);
	if (w->user.id)
		return web_redirect(w, "%s", next_path(w));
	web_notice(w, &signed_out_words);
	return show_sign_in(w, NULL, HTTP_OK, NULL);
}

struct sign_in_answer {
	int64_t user_id;
	const char *name, *roles, *token;
};
static const struct member sign_in_answer_members[] = {
	SHAPE_INT(sign_in_answer, user_id), SHAPE_TEXT(sign_in_answer, name), SHAPE_RAW(sign_in_answer, roles),
	SHAPE_TEXT(sign_in_answer, token),
};
static const struct shape sign_in_answer_shape = SHAPE(sign_in_answer, sign_in_answer_members);

static enum status
answer_sign_in(struct web *w, const struct signed_in *in, const char *next)
{
	struct sign_in_answer answer = { in->user_id, in->name, role_codes(w->m, in->role_bits), in->token };

	if (w->json)
		return web_json(w, HTTP_OK, &sign_in_answer_shape, &answer);
	web_sign_in(w, in->token);
	set_lang(w, in->lang);
	return web_redirect(w, "%s", next);
}

/* POST /account/sign-in */
enum status
do_sign_in(struct web *w)
{
	struct sign_in s = { .address = w->address, .old_token = web_session(w) };
	const char *next = next_path(w);
	struct signed_in in = { 0 };

	require(w, "email", _("Please enter your email address."));
	require(w, "password", _("Please enter your password."));
	s.email = form_email(w, "email");
	s.password = form_secret(w, "password", 1, PASSWORD_MAX);
	web_form(w, show_sign_in, NULL);
	if (form_bad(w))
		return web_invalid(w);
	switch (w->json ? account_sign_in_token(w->db, &s, &in) : account_sign_in(w->db, &s, &in)) {
	case SIGN_IN_OK: return answer_sign_in(w, &in, next);
	case SIGN_IN_REFUSED:
		return web_refuse(w, HTTP_UNAUTHORIZED, "refused", _("The email address or password is incorrect."));
	case SIGN_IN_CLOSED: return web_refuse(w, HTTP_TOO_MANY, "too_many", closed_message(w, in.wait_s));
	}
	return web_broken(w);
}

/* POST /account/sign-out */
enum status
do_sign_out(struct web *w)
{
	if (form_bad(w))
		return refuse_unknown_field(w);
	session_end(w->db, own_token(w));
	web_sign_out(w);
	return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "/");
}

/* --- sign up ------------------------------------------------------------------------------------------------------ */

struct sign_up_page {
	struct form_problems problems;
	struct field name, email, phone, password, language;    /* not "lang": the chrome has that name */
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
show_sign_up(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct sign_up_page p = {
		.problems = form_problems(w, message),
		.name = form_field(w, "name", ""),
		.email = form_field(w, "email", ""),
		.phone = form_field(w, "phone", ""),
		.password = form_field(w, "password", ""),
		.language = lang_field(w, lang_now()),
		.next = next_path(w),
	};

	p.sign_in_url = with_next(w, "/account/sign-in", p.next);
	return web_page(w, status, &sign_up_form, &p);
}

enum status
page_sign_up(struct web *w)
{
	if (w->json)
		return web_not_found(w);
	return w->user.id ? web_redirect(w, "%s", next_path(w)) : show_sign_up(w, NULL, HTTP_OK, NULL);
}

static void
read_sign_up(struct web *w, struct new_account *a)
{
	const char *problem;

	a->name = read_name(w);
	require(w, "email", _("Please enter your email address."));
	a->email = form_email(w, "email");
	a->phone = read_phone(w);
	require(w, "password", _("Please choose a password."));
	a->password = form_secret(w, "password", 1, PASSWORD_MAX);
	a->lang = form_has(w, "lang") ? form_choice(w, "lang", &account_lang_words) : lang_now();
	problem = *a->password ? password_problem(a->password, a->email) : NULL;
	if (problem)
		form_error(w, "password", problem);
}

/* POST /account/sign-up - the account is made by the link in the mail (pages_link.c). */
enum status
do_sign_up(struct web *w)
{
	struct new_account a = { 0 };
	struct link_asked asked = { 0 };
	struct link_request r;

	read_sign_up(w, &a);
	r = link_request_of(w, a.email);
	web_form(w, show_sign_up, NULL);
	if (form_bad(w))
		return web_invalid(w);
	r.lang = a.lang;
	switch (account_sign_up(w->db, &a, &r, &asked)) {
	case SIGN_UP_OK: return answer_check_mail(w, &r, &asked, true);
	case SIGN_UP_WEAK: return web_invalid(w);
	case SIGN_UP_CLOSED: return web_refuse(w, HTTP_TOO_MANY, "too_many", closed_message(w, asked.wait_s));
	}
	return web_broken(w);
}

/* --- language ----------------------------------------------------------------------------------------------------- */

/* POST /account/language {lang, back} - for everyone, signed in or not. */
enum status
do_language(struct web *w)
{
	int lang = form_choice(w, "lang", &account_lang_words);
	const char *back = form_raw(w, "back");

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please choose one of the languages."));
	if (w->user.id)
		account_set_lang(w->db, w->user.id, lang);
	set_lang(w, lang);
	return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "%s", web_safe_path(back) ? back : "/");
}
