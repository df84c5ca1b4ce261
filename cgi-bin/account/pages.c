/*
 * pages - a person's own account: name, phone, language, driving licence.
 *
 * The overview links to a small form for each. As JSON, GET /account and PUT /account do the same in one piece.
 */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* --- shared ------------------------------------------------------------------------------------------------------- */

void
require(struct web *w, const char *name, const char *message)
{
	if (!form_has(w, name))
		form_error(w, name, message);
}

const char *
read_name(struct web *w)
{
	const char *name;

	require(w, "name", _("Please enter your name."));
	name = form_text(w, "name", 80);
	if (*name && !account_name_ok(name))
		form_error(w, "name", _("Please use visible characters for your name."));
	return name;
}

/* "+82 10-1234-5678", "(02) 123 4567": at least five digits. */
static bool
phone_ok(const char *phone)
{
	int digits = 0;

	for (const char *c = phone; *c; c++) {
		if (!strchr("0123456789+-(). ", *c))
			return false;
		digits += isdigit((unsigned char)*c) != 0;
	}
	return digits >= 5;
}

const char *
read_phone(struct web *w)
{
	const char *phone = form_has(w, "phone") ? form_text(w, "phone", 30) : "";

	if (*phone && !phone_ok(phone))
		form_error(w, "phone", _("Please enter a phone number such as 010-1234-5678."));
	return phone;
}

/* Each language has its own name, in pages of any language. */
struct field
lang_field(struct web *w, int initial)
{
	static const struct option options[] = { { "en", "English", false }, { "ko", "한국어", false } };

	return form_field_options(w, "lang", options, 2, lang_code(initial), NULL);
}

enum status
refuse_unknown_field(struct web *w)
{
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid",
		_("This form has no such field. Please reload the page and try again."));
}

void
set_lang(struct web *w, int lang)
{
	lang_set(lang);
	web_set_cookie(w, "mp_lang", lang_code(lang), 365 * 86400);
}

const char *
own_token(struct web *w)
{
	const char *authorization = web_header(w, "Authorization");

	if (web_session(w) || !authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return web_session(w);
	return authorization + 7;
}

const char *
closed_message(struct web *w, int64_t wait_s)
{
	int minutes = (int)((wait_s + 59) / 60);

	web_set_header(w, "Retry-After", arena_printf(w->m, "%lld", (long long)wait_s));
	if (minutes < 2)
		return _("Too many attempts. Please wait a minute and try again.");
	return arena_printf(w->m, _("Too many attempts. Please try again in %d minutes."), minutes);
}

/* --- /account ----------------------------------------------------------------------------------------------------- */

struct overview {
	struct account account;
	const char *role_names;
	int64_t n_sessions, n_tokens;
	bool licence_expired;
};
static const struct member overview_members[] = {
	SHAPE_STRUCT(overview, account, account_shape), SHAPE_TEXT(overview, role_names),
	SHAPE_INT(overview, n_sessions), SHAPE_INT(overview, n_tokens), SHAPE_BOOL(overview, licence_expired),
};
static const struct shape overview_shape = SHAPE(overview, overview_members);
PAGE(overview_page, "account/overview", overview_shape)

struct account_answer {
	int64_t user_id;
	const char *email, *name, *phone, *lang, *roles;
	struct licence *licence;
};
static const struct member account_answer_members[] = {
	SHAPE_INT(account_answer, user_id), SHAPE_TEXT(account_answer, email), SHAPE_TEXT(account_answer, name),
	SHAPE_TEXT(account_answer, phone), SHAPE_TEXT(account_answer, lang), SHAPE_RAW(account_answer, roles),
	SHAPE_MAYBE(account_answer, licence, licence_shape),
};
static const struct shape account_answer_shape = SHAPE(account_answer, account_answer_members);

static const struct word saved_word[] = {
	{ "saved",           N_("Your changes have been saved.") },
	{ "licence",         N_("Your driving licence has been saved.") },
	{ "licence-removed", N_("Your driving licence has been removed.") },
	{ "password",        N_("Your password has been changed. All other devices have been signed out.") },
};
static const struct words saved_words = WORDS(saved_word);

static enum status
answer_account(struct web *w, const struct account *a)
{
	struct account_answer answer = {
		a->user_id,
		a->email,
		a->name,
		a->phone,
		lang_code(a->lang),
		role_codes(w->m, a->role_bits),
		a->licence,
	};

	return web_json(w, HTTP_OK, &account_answer_shape, &answer);
}

enum status
page_account(struct web *w)
{
	struct overview o = { 0 };

	if (!account_find(w->db, w->user.id, &o.account))
		return web_not_found(w);
	if (w->json)
		return answer_account(w, &o.account);
	o.role_names = role_names(w->m, o.account.role_bits);
	o.n_sessions = session_count(w->db, w->user.id);
	o.n_tokens = token_count(w->db, w->user.id);
	o.licence_expired = o.account.licence && licence_check(o.account.licence, w->now) == LICENCE_EXPIRED;
	menu_of(w)->nav_account = true;
	web_notice(w, &saved_words);
	return web_page(w, HTTP_OK, &overview_page, &o);
}

static enum status
answer_saved(struct web *w, const char *done)
{
	return w->json ? page_account(w) : web_redirect(w, "/account?done=%s", done);
}

/* --- /account/profile --------------------------------------------------------------------------------------------- */

struct profile_page {
	struct form_problems problems;
	struct field name, phone, language;         /* not "lang": the chrome has that name */
	const char *email;
};
static const struct member profile_page_members[] = {
	SHAPE_STRUCT(profile_page, problems, form_problems_shape), SHAPE_STRUCT(profile_page, name, field_shape),
	SHAPE_STRUCT(profile_page, phone, field_shape), SHAPE_STRUCT(profile_page, language, field_shape),
	SHAPE_TEXT(profile_page, email),
};
static const struct shape profile_page_shape = SHAPE(profile_page, profile_page_members);
PAGE(profile_form, "account/profile", profile_page_shape)

static enum status
show_profile(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct account a = { 0 };
	struct profile_page p;

	if (!account_find(w->db, w->user.id, &a))
		return web_not_found(w);
	p = (struct profile_page){
		.problems = form_problems(w, message),
		.name = form_field(w, "name", a.name),
		.phone = form_field(w, "phone", a.phone),
		.language = lang_field(w, a.lang),
		.email = a.email,
	};
	menu_of(w)->nav_account = true;
	return web_page(w, status, &profile_form, &p);
}

enum status
page_profile(struct web *w)
{
	return w->json ? page_account(w) : show_profile(w, NULL, HTTP_OK, NULL);
}

static enum status
save_profile(struct web *w, const char *name, const char *phone, int lang)
{
	account_save(w->db, w->user.id, name, phone, lang);
	set_lang(w, lang);
	return answer_saved(w, "saved");
}

/* POST /account/profile */
enum status
do_profile(struct web *w)
{
	const char *name = read_name(w), *phone = read_phone(w);
	int lang = form_choice(w, "lang", &account_lang_words);

	web_form(w, show_profile, NULL);
	return form_bad(w) ? web_invalid(w) : save_profile(w, name, phone, lang);
}

/* --- /account/licence --------------------------------------------------------------------------------------------- */

struct licence_page {
	struct form_problems problems;
	struct field number, expires_on, born_on;
	bool is_on_file;
};
static const struct member licence_page_members[] = {
	SHAPE_STRUCT(licence_page, problems, form_problems_shape), SHAPE_STRUCT(licence_page, number, field_shape),
	SHAPE_STRUCT(licence_page, expires_on, field_shape), SHAPE_STRUCT(licence_page, born_on, field_shape),
	SHAPE_BOOL(licence_page, is_on_file),
};
static const struct shape licence_page_shape = SHAPE(licence_page, licence_page_members);
PAGE(licence_form, "account/licence", licence_page_shape)

/* A date input shows only dates. */
static struct field
date_field(struct web *w, const char *name, const char *initial)
{
	struct field f = form_field(w, name, initial);
	int year, month, day;

	if (!date_parse(f.value, &year, &month, &day))
		f.value = "";
	return f;
}

static enum status
show_licence(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	static const struct licence none = { "", "", "" };
	struct account a = { 0 };
	const struct licence *l;
	struct licence_page p;

	if (!account_find(w->db, w->user.id, &a))
		return web_not_found(w);
	l = a.licence ? a.licence : &none;
	p = (struct licence_page){
		.problems = form_problems(w, message),
		.number = form_field(w, "number", l->number),
		.expires_on = date_field(w, "expires_on", l->expires_on),
		.born_on = date_field(w, "born_on", l->born_on),
		.is_on_file = a.licence != NULL,
	};
	menu_of(w)->nav_account = true;
	return web_page(w, status, &licence_form, &p);
}

enum status
page_licence(struct web *w)
{
	return w->json ? page_account(w) : show_licence(w, NULL, HTTP_OK, NULL);
}

static void
mark_licence(struct web *w, enum licence_outcome wrong)
{
	switch (wrong) {
	case LICENCE_OK: return;
	case LICENCE_BAD_NUMBER:
		return form_error(w, "number",
			_("Please enter the number as shown on the licence: letters, digits and hyphens."));
	case LICENCE_EXPIRED:
		return form_error(w, "expires_on", _("This licence has expired. Please enter a valid one."));
	case LICENCE_BAD_EXPIRY:
		return form_error(
			w, "expires_on", _("The expiry date is too far in the future. Please check the year."));
	case LICENCE_BAD_BIRTH: return form_error(w, "born_on", _("Please check the year of birth."));
	case LICENCE_MINOR: return form_error(w, "born_on", _("Drivers must be at least 18 years old."));
	}
}

/* Marks all that is wrong at once. */
static struct licence
read_licence(struct web *w)
{
	struct licence l;

	require(w, "number", _("Please enter your licence number."));
	require(w, "expires_on", _("Please enter the date until which your licence is valid."));
	require(w, "born_on", _("Please enter your date of birth."));
	l = (struct licence){ form_line(w, "number", 30), form_date(w, "expires_on"), form_date(w, "born_on") };
	if (*l.number)
		mark_licence(w, licence_number_check(l.number));
	if (*l.expires_on)
		mark_licence(w, licence_expiry_check(l.expires_on, w->now));
	if (*l.born_on)
		mark_licence(w, licence_birth_check(l.born_on, w->now));
	return l;
}

/* POST /account/licence */
enum status
do_licence(struct web *w)
{
	struct licence l = read_licence(w);

	web_form(w, show_licence, NULL);
	if (form_bad(w) || licence_save(w->db, w->user.id, &l) != LICENCE_OK)
		return web_invalid(w);
	return answer_saved(w, "licence");
}

/* POST /account/licence/remove */
enum status
do_licence_remove(struct web *w)
{
	if (form_bad(w))
		return refuse_unknown_field(w);
	licence_remove(w->db, w->user.id);
	return answer_saved(w, "licence-removed");
}

/* --- PUT /account ------------------------------------------------------------------------------------------------- */

/* Everything at once, for programs: name, phone and lang are replaced; the licence when one of its fields is sent. */
enum status
do_account(struct web *w)
{
	bool has_licence = form_has(w, "number") | form_has(w, "expires_on") | form_has(w, "born_on");
	const char *name = read_name(w), *phone = read_phone(w);
	int lang = form_has(w, "lang") ? form_choice(w, "lang", &account_lang_words) : lang_now();
	struct licence l = { 0 };

	if (has_licence)
		l = read_licence(w);
	web_form(w, show_profile, NULL);
	if (form_bad(w))
		return web_invalid(w);
	if (has_licence)
		licence_save(w->db, w->user.id, &l);
	return save_profile(w, name, phone, lang);
}
