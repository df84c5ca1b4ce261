/*
 * pages_admin - for admins: the list of users, one user, giving and taking roles, disabling and enabling accounts.
 */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

/* --- /account/users ----------------------------------------------------------------------------------------------- */

struct users_page {
	struct form_problems problems;
	struct field q, role;
	struct person *users;
	int n_users;
	int64_t n_total, page, n_pages;
	struct sort_link by_email, by_name, by_created;
	struct paging paging;
	bool is_filtered;
};
static const struct member users_page_members[] = {
	SHAPE_STRUCT(users_page, problems, form_problems_shape), SHAPE_STRUCT(users_page, q, field_shape),
	SHAPE_STRUCT(users_page, role, field_shape), SHAPE_LIST(users_page, users, person_shape),
	SHAPE_INT(users_page, n_total), SHAPE_STRUCT(users_page, by_email, sort_link_shape),
	SHAPE_STRUCT(users_page, by_name, sort_link_shape), SHAPE_STRUCT(users_page, by_created, sort_link_shape),
	SHAPE_STRUCT(users_page, paging, paging_shape), SHAPE_BOOL(users_page, is_filtered),
};
static const struct shape users_page_shape = SHAPE(users_page, users_page_members);
PAGE(users_list, "account/users", users_page_shape)

static const struct member person_answer_members[] = {
	SHAPE_INT(person, user_id), SHAPE_TEXT(person, email), SHAPE_TEXT(person, name), SHAPE_TEXT(person, phone),
	SHAPE_STATE(person, lang, account_lang_words), SHAPE_BOOL(person, disabled), SHAPE_RAW(person, roles),
	SHAPE_TIME(person, created_at),
};
static const struct shape person_answer_shape = SHAPE(person, person_answer_members);

static const struct member users_answer_members[] = {
	SHAPE_INT(users_page, n_total), SHAPE_INT(users_page, page), SHAPE_INT(users_page, n_pages),
	SHAPE_LIST(users_page, users, person_answer_shape),
};
static const struct shape users_answer_shape = SHAPE(users_page, users_answer_members);

static enum people_order
read_people_order(struct web *w)
{
	static const char *const columns[] = { "email", "name", "created_at", NULL };
	bool down;

	switch (web_sort(w, columns, &down)) {
	case 0: return down ? PEOPLE_EMAIL_DOWN : PEOPLE_EMAIL;
	case 1: return down ? PEOPLE_NAME_DOWN : PEOPLE_NAME;
	case 2: return down ? PEOPLE_NEWEST : PEOPLE_OLDEST;
	default: return PEOPLE_NEWEST;
	}
}

static enum status
show_users(struct web *w, const void *form, enum status status, const char *message)
{
	struct people_query q = *(const struct people_query *)form;
	struct users_page p = {
		.problems = form_problems(w, message),
		.q = form_field(w, "q", ""),
		.role = form_field_choice(w, "role", &role_words, -1, _("Any role")),
		.n_total = people_count(w->db, &q),
		.by_email = web_sort_link(w, "email"),
		.by_name = web_sort_link(w, "name"),
		.by_created = web_sort_link(w, "created_at"),
		.is_filtered = *q.words || q.role >= 0,
	};

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	q.offset = p.paging.offset;
	people_list(w->db, &q, &p.users, &p.n_users);
	menu_of(w)->nav_users = true;
	return web_answer(w, status, &users_answer_shape, &users_list, &p);
}

enum status
page_users(struct web *w)
{
	struct people_query q = {
		.words = form_has(w, "q") ? form_text(w, "q", 100) : "",
		.role = form_has(w, "role") ? form_choice(w, "role", &role_words) : -1,
		.order = read_people_order(w),
	};

	web_form(w, show_users, &q);
	return form_bad(w) ? web_invalid(w) : show_users(w, &q, HTTP_OK, NULL);
}

/* --- /account/users/:id ------------------------------------------------------------------------------------------- */

struct role_row {
	const char *role, *label, *hint;
	bool is_given, is_own_admin;
};
static const struct member role_row_members[] = {
	SHAPE_TEXT(role_row, role), SHAPE_TEXT(role_row, label), SHAPE_TEXT(role_row, hint),
	SHAPE_BOOL(role_row, is_given), SHAPE_BOOL(role_row, is_own_admin),
};
static const struct shape role_row_shape = SHAPE(role_row, role_row_members);

struct user_page {
	struct account user;
	struct role_row *roles;
	int n_roles;
	bool is_self;
	int64_t n_sessions, n_tokens;
	struct form_problems problems;
};
static const struct member user_page_members[] = {
	SHAPE_STRUCT(user_page, user, account_shape), SHAPE_LIST(user_page, roles, role_row_shape),
	SHAPE_BOOL(user_page, is_self), SHAPE_INT(user_page, n_sessions), SHAPE_INT(user_page, n_tokens),
	SHAPE_STRUCT(user_page, problems, form_problems_shape),
};
static const struct shape user_page_shape = SHAPE(user_page, user_page_members);
PAGE(user_detail, "account/user", user_page_shape)

static const char *const role_hint[] = {
	N_("Books and pays for cars."),
	N_("Orders equipment without a car."),
	N_("Manages the fleet, bookings, deliveries, equipment and payments, and approves equipment orders."),
	N_("Delivers and collects cars."),
	N_("Approves or rejects equipment orders."),
	N_("Manages users, roles and the operation of the system."),
};

static void
list_roles(struct web *w, struct user_page *p)
{
	p->n_roles = role_words.n;
	p->roles = arena_array(w->m, struct role_row, role_words.n);
	for (int i = 0; i < role_words.n; i++)
		p->roles[i] = (struct role_row){
			.role = words_code(&role_words, i),
			.label = _(role_words.word[i].label),
			.hint = _(role_hint[i]),
			.is_given = p->user.role_bits & (1 << i),
			.is_own_admin = p->is_self && 1 << i == ROLE_ADMIN,
		};
}

static enum status
answer_user(struct web *w, const struct account *a)
{
	struct person p = {
		.user_id = a->user_id,
		.email = a->email,
		.name = a->name,
		.phone = a->phone,
		.lang = a->lang,
		.disabled = a->disabled,
		.roles = role_codes(w->m, a->role_bits),
		.created_at = a->created_at,
	};

	return web_json(w, HTTP_OK, &person_answer_shape, &p);
}

static enum status
show_user(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct user_page p = { .problems = form_problems(w, message) };

	if (!account_find(w->db, web_param_id(w, "id"), &p.user))
		return web_not_found(w);
	if (w->json)
		return answer_user(w, &p.user);
	p.is_self = p.user.user_id == w->user.id;
	p.n_sessions = session_count(w->db, p.user.user_id);
	p.n_tokens = token_count(w->db, p.user.user_id);
	list_roles(w, &p);
	menu_of(w)->nav_users = true;
	return web_page(w, status, &user_detail, &p);
}

static const struct word decided_word[] = {
	{ "role",     N_("The roles have been changed. This takes effect from the next page.") },
	{ "disabled", N_("The account has been disabled and is signed out everywhere.") },
	{ "enabled",  N_("The account can be used again.") },
	{ "reset",    N_("We are sending this person a link to set a new password.") },
};
static const struct words decided_words = WORDS(decided_word);

enum status
page_user(struct web *w)
{
	web_notice(w, &decided_words);
	return show_user(w, NULL, HTTP_OK, NULL);
}

/* --- decisions ---------------------------------------------------------------------------------------------------- */

/* own: the message for admins who decide about themselves. */
static enum status
answer_decision(struct web *w, enum role_change_outcome outcome, const char *done, const char *own)
{
	switch (outcome) {
	case ROLE_CHANGE_OK:
		if (w->json)
			return show_user(w, NULL, HTTP_OK, NULL);
		return web_redirect(w, "/account/users/%lld?done=%s", (long long)web_param_id(w, "id"), done);
	case ROLE_CHANGE_OWN: return web_refuse(w, HTTP_CONFLICT, "own", own);
	case ROLE_CHANGE_NO_USER: return web_not_found(w);
	case ROLE_CHANGE_NOT_ADMIN: return web_forbidden(w);
	}
	return web_broken(w);
}

/* POST /account/users/:id/roles {role, given} */
enum status
do_role(struct web *w)
{
	int64_t user_id = web_param_id(w, "id");
	int role = form_choice(w, "role", &role_words);
	bool given = form_tick(w, "given");

	if (form_raw(w, "given")[0] == '\0')
		form_error(w, "given", _("Please choose yes or no."));
	web_form(w, show_user, NULL);
	if (form_bad(w))
		return w->json ? web_invalid(w)
			       : web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please choose one of the roles."));
	return answer_decision(w, account_role(w->db, user_id, role, given, w->user.id), "role",
		_("You cannot remove your own admin role. Another admin can."));
}

static enum status
set_disabled(struct web *w, bool disabled)
{
	if (form_bad(w))
		return refuse_unknown_field(w);
	web_form(w, show_user, NULL);
	return answer_decision(w, account_disable(w->db, web_param_id(w, "id"), disabled, w->user.id),
		disabled ? "disabled" : "enabled", _("You cannot disable your own account. Another admin can."));
}

/* POST /account/users/:id/disable */
enum status
do_disable(struct web *w)
{
	return set_disabled(w, true);
}

/* POST /account/users/:id/enable */
enum status
do_enable(struct web *w)
{
	return set_disabled(w, false);
}

/* --- a forgotten password ----------------------------------------------------------------------------------------- */

struct reset_answer { const char *status; };
static const struct member reset_answer_members[] = { SHAPE_TEXT(reset_answer, status) };
static const struct shape reset_answer_shape = SHAPE(reset_answer, reset_answer_members);

/* POST /account/users/:id/reset - sends the link to the person; the admin does not see it. */
enum status
do_send_reset(struct web *w)
{
	struct link_asked asked = { 0 };
	int64_t user_id = web_param_id(w, "id");

	if (form_bad(w))
		return refuse_unknown_field(w);
	web_form(w, show_user, NULL);
	switch (account_send_reset(w->db, user_id, w->user.id, web_idempotency_key(w), &asked)) {
	case SEND_RESET_OK:
		return web_done(w, HTTP_ACCEPTED, &reset_answer_shape, &(struct reset_answer){ "check_mail" },
			"/account/users/%lld?done=reset", (long long)user_id);
	case SEND_RESET_NO_USER: return web_not_found(w);
	case SEND_RESET_DISABLED:
		return web_refuse(w, HTTP_CONFLICT, "disabled",
			_("This account is disabled. Enable it first, then send the link."));
	case SEND_RESET_CLOSED: return web_refuse(w, HTTP_TOO_MANY, "too_many", closed_message(w, asked.wait_s));
	}
	return web_broken(w);
}
