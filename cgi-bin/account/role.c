/*
 * role.c - the words of the roles, and what an admin decides about others: their roles, and whether their account may
 * be used.
 *
 * One admin is always left: admins cannot take the role from themselves, and the transaction checks that the acting
 * admin still has it. Every decision is logged with the ids of both people.
 */
#include "domain/roles.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "account_inside.h"

/* Indexes in role_words: the numbers of the bits of enum role. */
enum {
	ROLE_NUMBER_CUSTOMER, ROLE_NUMBER_EMPLOYEE, ROLE_NUMBER_MANAGER, ROLE_NUMBER_COURIER, ROLE_NUMBER_EXAMINER,
	ROLE_NUMBER_ADMIN,
};

static const struct word role_word[] = {
	[ROLE_NUMBER_CUSTOMER] = { "customer", N_("Customer") },
	[ROLE_NUMBER_EMPLOYEE] = { "employee", N_("Employee") },
	[ROLE_NUMBER_MANAGER]  = { "manager",  N_("Manager") },
	[ROLE_NUMBER_COURIER]  = { "courier",  N_("Courier") },
	[ROLE_NUMBER_EXAMINER] = { "examiner", N_("Examiner") },
	[ROLE_NUMBER_ADMIN]    = { "admin",    N_("Admin") },
};
const struct words role_words = WORDS(role_word);

_Static_assert(ROLE_CUSTOMER == 1 << ROLE_NUMBER_CUSTOMER && ROLE_EMPLOYEE == 1 << ROLE_NUMBER_EMPLOYEE &&
               ROLE_MANAGER == 1 << ROLE_NUMBER_MANAGER && ROLE_COURIER == 1 << ROLE_NUMBER_COURIER &&
               ROLE_EXAMINER == 1 << ROLE_NUMBER_EXAMINER && ROLE_ADMIN == 1 << ROLE_NUMBER_ADMIN,
               "role_words must be in the order of enum role");

const char *
role_codes(struct arena *m, int64_t role_bits)
{
	struct buf b = { .m = m };

	for (int i = 0; i < role_words.n; i++) {
		if (!(role_bits & (1 << i)))
			continue;
		buf_puts(&b, b.n ? "," : "[");
		json_put_text(&b, words_code(&role_words, i));
	}
	buf_puts(&b, b.n ? "]" : "[]");
	return b.s;
}

const char *
role_names(struct arena *m, int64_t role_bits)
{
	struct buf b = { .m = m };

	buf_puts(&b, "");
	for (int i = 0; i < role_words.n; i++)
		if (role_bits & (1 << i))
			buf_printf(&b, "%s%s", b.n ? ", " : "", _(role_words.word[i].label));
	return b.s;
}

/* --- decisions ---------------------------------------------------------------------------------------------------- */

/* May this admin decide about that user? */
static enum role_change_outcome
may_decide(struct db *db, int64_t user_id, int64_t actor_id)
{
	if (actor_id
		&& !db_exists(db,
			"SELECT 1 FROM user_role r JOIN person u ON u.user_id = r.user_id"
			" WHERE r.user_id = $1 AND r.role = 'admin' AND u.disabled = 0",
			actor_id))
		return ROLE_CHANGE_NOT_ADMIN;
	return db_exists(db, "SELECT 1 FROM person WHERE user_id = $1", user_id) ? ROLE_CHANGE_OK : ROLE_CHANGE_NO_USER;
}

static void
set_role(struct db *db, int64_t user_id, const char *role, bool given)
{
	if (given)
		db_do(db,
			"INSERT INTO user_role (user_id, role) VALUES ($1, $2) ON CONFLICT (user_id, role) DO NOTHING",
			user_id, role);
	else
		db_do(db, "DELETE FROM user_role WHERE user_id = $1 AND role = $2", user_id, role);
}

enum role_change_outcome
account_role(struct db *db, int64_t user_id, int role, bool given, int64_t actor_id)
{
	enum role_change_outcome outcome;

	if (role == ROLE_NUMBER_ADMIN && !given && user_id == actor_id)
		return ROLE_CHANGE_OWN;
	db_begin(db);
	outcome = may_decide(db, user_id, actor_id);
	if (outcome == ROLE_CHANGE_OK)
		set_role(db, user_id, words_code(&role_words, role), given);
	db_commit(db);
	if (outcome == ROLE_CHANGE_OK)
		log_info(given ? "role_given" : "role_taken", "user %lld, %s, by %lld", (long long)user_id,
			words_code(&role_words, role), (long long)actor_id);
	return outcome;
}

enum role_change_outcome
account_disable(struct db *db, int64_t user_id, bool disabled, int64_t actor_id)
{
	enum role_change_outcome outcome;

	if (user_id == actor_id)
		return ROLE_CHANGE_OWN;
	db_begin(db);
	outcome = may_decide(db, user_id, actor_id);
	if (outcome == ROLE_CHANGE_OK) {
		db_do(db, "UPDATE person SET disabled = $2, updated_at = $3 WHERE user_id = $1 AND disabled <> $2",
			user_id, disabled, clock_now());
		if (disabled)
			sessions_drop(db, user_id, NULL);
	}
	db_commit(db);
	if (outcome == ROLE_CHANGE_OK)
		log_info(disabled ? "account_disabled" : "account_enabled", "user %lld, by %lld", (long long)user_id,
			(long long)actor_id);
	return outcome;
}
