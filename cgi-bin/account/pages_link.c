/*
 * pages_link - what needs a mail: confirming a sign-up, and setting a new password after the old one was forgotten.
 *
 * A link in a mail leads to a page with a form, and only the form's POST has an effect: programs that check mails for
 * viruses open their links. These pages are never stored (no-store), since their address holds the token.
 */
#include "pages.h"

#include "domain/rental.h"
#include "domain/roles.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- "Check your mail" -------------------------------------------------------------------------------------------- */

struct check_mail_page {
	const char *status;             /* JSON has only this */
	const char *email, *again_url;
	const char *test_link;          /* in test mode: where the mail's link leads to; NULL: not shown */
	bool is_sign_up, is_test;
};
static const struct member check_mail_page_members[] = {
	SHAPE_TEXT(check_mail_page, email), SHAPE_TEXT(check_mail_page, again_url),
	SHAPE_TEXT(check_mail_page, test_link), SHAPE_BOOL(check_mail_page, is_sign_up),
	SHAPE_BOOL(check_mail_page, is_test),
};
static const struct shape check_mail_page_shape = SHAPE(check_mail_page, check_mail_page_members);
PAGE(check_mail, "account/check_mail", check_mail_page_shape)

static const struct member check_mail_answer_members[] = { SHAPE_TEXT(check_mail_page, status) };
static const struct shape check_mail_answer_shape = SHAPE(check_mail_page, check_mail_answer_members);

struct link_request
link_request_of(struct web *w, const char *email)
{
	return (struct link_request){
		.email = email,
		.address = w->address,
		.next = next_path(w),
		.key = web_idempotency_key(w),
		.lang = lang_now(),
	};
}

/* In test mode no mail leaves this machine, so the answer shows its link to the browser that asked, and to no other.
 * Never that of a person with a staff role: any visitor of the site could become its admin. */
static bool
shows_link(struct web *w, const struct link_asked *asked)
{
	struct account a;

	if (!rental.sandbox || *settings.mail_url)
		return false;
	if (asked->purpose == LINK_SIGN_UP)
		return true;
	return asked->user_id && account_find(w->db, asked->user_id, &a) && a.role_bits == ROLE_CUSTOMER;
}

enum status
answer_check_mail(struct web *w, const struct link_request *r, const struct link_asked *asked, bool is_sign_up)
{
	struct check_mail_page p = {
		.status = "check_mail",
		.email = r->email,
		.again_url = with_next(w, is_sign_up ? "/account/sign-up" : "/account/forgot", r->next),
		.is_sign_up = is_sign_up,
		.is_test = rental.sandbox && !*settings.mail_url,
	};

	web_set_header(w, "Cache-Control", "no-store");
	if (!w->json && shows_link(w, asked))
		p.test_link = asked->path;
	return web_answer(w, HTTP_ACCEPTED, &check_mail_answer_shape, &check_mail, &p);
}

/* --- GET /account/forgot ------------------------------------------------------------------------------------------ */

struct forgot_page {
	struct form_problems problems;
	struct field email;
	const char *next, *sign_in_url;
};
static const struct member forgot_page_members[] = {
	SHAPE_STRUCT(forgot_page, problems, form_problems_shape), SHAPE_STRUCT(forgot_page, email, field_shape),
	SHAPE_TEXT(forgot_page, next), SHAPE_TEXT(forgot_page, sign_in_url),
};
static const struct shape forgot_page_shape = SHAPE(forgot_page, forgot_page_members);
PAGE(forgot_form, "account/forgot", forgot_page_shape)

static enum status
show_forgot(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct forgot_page p = {
		.problems = form_problems(w, message),
		.email = form_field(w, "email", ""),
		.next = next_path(w),
	};

	p.sign_in_url = with_next(w, "/account/sign-in", p.next);
	return web_page(w, status, &forgot_form, &p);
}

enum status
page_forgot(struct web *w)
{
	return w->json ? web_not_found(w) : show_forgot(w, NULL, HTTP_OK, NULL);
}

/* POST /account/forgot {email} */
enum status
do_forgot(struct web *w)
{
	struct link_asked asked = { 0 };
	struct link_request r;

	require(w, "email", _("Please enter your email address."));
	r = link_request_of(w, form_email(w, "email"));
	web_form(w, show_forgot, NULL);
	if (form_bad(w))
		return web_invalid(w);
	if (!account_forgot(w->db, &r, &asked))
		return web_refuse(w, HTTP_TOO_MANY, "too_many", closed_message(w, asked.wait_s));
	return answer_check_mail(w, &r, &asked, false);
}

/* --- a link that is opened ---------------------------------------------------------------------------------------- */

struct link_page {
	struct form_problems problems;
	struct field new_password;
	const char *token, *email;
	bool is_known;                  /* its address has an account: sign in */
};
static const struct member link_page_members[] = {
	SHAPE_STRUCT(link_page, problems, form_problems_shape), SHAPE_STRUCT(link_page, new_password, field_shape),
	SHAPE_TEXT(link_page, token), SHAPE_TEXT(link_page, email), SHAPE_BOOL(link_page, is_known),
};
static const struct shape link_page_shape = SHAPE(link_page, link_page_members);
PAGE(confirm_form, "account/confirm", link_page_shape)
PAGE(reset_form, "account/reset", link_page_shape)
PAGE(link_over, "account/link_over", link_page_shape)

static enum status
show_over(struct web *w, const void *form __attribute__((unused)), enum status status,
	const char *message __attribute__((unused)))
{
	return web_page(w, status, &link_over, &(struct link_page){ .token = "" });
}

static enum status
show_known(struct web *w, const void *form __attribute__((unused)), enum status status,
	const char *message __attribute__((unused)))
{
	return web_page(w, status, &link_over, &(struct link_page){ .token = "", .is_known = true });
}

static enum status
refuse_over(struct web *w)
{
	web_form(w, show_over, NULL);
	return web_refuse(
		w, HTTP_GONE, "link_over", _("This link has been used or has expired. Please ask for a new one."));
}

static enum status
show_link(struct web *w, const void *form, enum status status, const char *message)
{
	const struct mail_link *l = form;
	struct link_page p = {
		.problems = form_problems(w, message),
		.new_password = form_field(w, "new_password", ""),
		.token = form_raw(w, "token"),
		.email = l->email,
	};

	return web_page(w, status, l->purpose == LINK_SIGN_UP ? &confirm_form : &reset_form, &p);
}

/* The link named by the request, if it is one for this page. */
static bool
find_link(struct web *w, bool is_sign_up, struct mail_link *l)
{
	const char *token = form_raw(w, "token");

	web_set_header(w, "Cache-Control", "no-store");
	return token && link_find(w->db, token, l) && (l->purpose == LINK_SIGN_UP) == is_sign_up;
}

static enum status
page_link(struct web *w, bool is_sign_up)
{
	struct mail_link l;

	if (w->json)
		return web_not_found(w);
	if (!find_link(w, is_sign_up, &l))
		return refuse_over(w);
	if (l.used_at && l.user_id && l.user_id == w->user.id) /* back in the browser that has used it */
		return web_redirect(w, "%s", l.next);
	return l.used_at || l.expires_at <= w->now || (!is_sign_up && !l.user_id) ? refuse_over(w)
										  : show_link(w, &l, HTTP_OK, NULL);
}

static struct link_use
link_use_of(struct web *w)
{
	return (struct link_use){
		.token = form_raw(w, "token"),
		.key = web_idempotency_key(w),
		.old_token = web_session(w),
		.session = !w->json,
	};
}

/* The browser is signed in from now on, and goes to the page where it began. */
static enum status
go_on(struct web *w, const struct signed_in *in, const char *next)
{
	if (!in->token) /* disabled or changed meanwhile */
		return web_redirect(w, "%s", with_next(w, "/account/sign-in", next));
	web_sign_in(w, in->token);
	set_lang(w, in->lang);
	return web_redirect(w, "%s", next);
}

/* --- /account/confirm --------------------------------------------------------------------------------------------- */

enum status
page_confirm(struct web *w)
{
	return page_link(w, true);
}

struct confirm_answer {
	int64_t user_id;
	const char *email, *name;
};
static const struct member confirm_answer_members[] = {
	SHAPE_INT(confirm_answer, user_id), SHAPE_TEXT(confirm_answer, email), SHAPE_TEXT(confirm_answer, name),
};
static const struct shape confirm_answer_shape = SHAPE(confirm_answer, confirm_answer_members);

static enum status
answer_confirm(struct web *w, const struct signed_in *in, const char *next)
{
	struct confirm_answer answer = { in->user_id, in->email, in->name };

	return w->json ? web_json(w, HTTP_CREATED, &confirm_answer_shape, &answer) : go_on(w, in, next);
}

/* POST /account/confirm {token} - makes the account of a sign-up. */
enum status
do_confirm(struct web *w)
{
	struct link_use u = link_use_of(w);
	struct signed_in in = { 0 };
	struct mail_link l;

	require(w, "token", _("Please open the link in the email again."));
	if (form_bad(w))
		return w->json ? web_invalid(w) : refuse_over(w);
	if (!find_link(w, true, &l))
		return refuse_over(w);
	switch (account_confirm(w->db, &u, &in)) {
	case LINK_DONE: return answer_confirm(w, &in, l.next);
	case LINK_TAKEN:
		web_form(w, show_known, NULL);
		return web_refuse(w, HTTP_CONFLICT, "known",
			_("You already have an account with this email address. Please sign in."));
	case LINK_WEAK:
	case LINK_OVER: return refuse_over(w);
	}
	return web_broken(w);
}

/* --- /account/reset ----------------------------------------------------------------------------------------------- */

enum status
page_reset(struct web *w)
{
	return page_link(w, false);
}

static const char *
read_new_password(struct web *w, const struct mail_link *l)
{
	const char *wanted, *problem;

	require(w, "new_password", _("Please choose a new password."));
	wanted = form_secret(w, "new_password", 1, PASSWORD_MAX);
	problem = *wanted ? password_problem(wanted, l->email) : NULL;
	if (problem)
		form_error(w, "new_password", problem);
	return wanted;
}

/* POST /account/reset {token, new_password} */
enum status
do_reset(struct web *w)
{
	struct link_use u = link_use_of(w);
	struct signed_in in = { 0 };
	struct mail_link l;

	require(w, "token", _("Please open the link in the email again."));
	if (!find_link(w, false, &l) || !l.user_id)
		return form_bad(w) && w->json ? web_invalid(w) : refuse_over(w);
	u.password = read_new_password(w, &l);
	web_form(w, show_link, &l);
	if (form_bad(w))
		return web_invalid(w);
	switch (account_reset(w->db, &u, &in)) {
	case LINK_DONE: return w->json ? web_text(w, HTTP_NO_CONTENT, NULL, "") : go_on(w, &in, l.next);
	case LINK_WEAK: return web_invalid(w);
	case LINK_TAKEN:
	case LINK_OVER: return refuse_over(w);
	}
	return web_broken(w);
}
