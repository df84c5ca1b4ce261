/* review - the rules: what is approved automatically, who may decide the rest, and what closes a case. */
#include "review.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"

#include <string.h>

/* --- what is approved automatically, by kind ---------------------------------------------------------------------- */

/* Few pieces of little value, in the settings' currency. */
static bool
is_small(const struct case_request *o)
{
	return o->quantity <= rental.review_auto_quantity && o->amount <= rental.review_auto_amount
		&& (o->amount == 0 || strcmp(o->currency, settings.currency) == 0);
}

static const struct case_rule {
	const char *name;                               /* in the case and its event */
	bool (*holds)(const struct case_request *o);      /* NULL: a person decides all of them */
} rules[] = {
	[CASE_EQUIPMENT]   = { "auto", is_small },
	[CASE_APPLICATION] = { "", NULL },
	[CASE_CLAIM]       = { "", NULL },
};

static const char *
rule_for(const struct case_request *o)
{
	return rules[o->kind].holds && rules[o->kind].holds(o) ? rules[o->kind].name : "";
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* From least to most characters, counted as the column's CHECK counts them. */
static bool
fits(const char *s, int least, int most)
{
	int n = 0;

	for (const char *p = s; p && *p; p++)
		n += ((unsigned char)*p & 0xC0) != 0x80;
	return s && n >= least && n <= most;
}

static bool
is_valid_request(const struct case_request *o)
{
	return o->kind >= 0 && o->kind < case_kind_words.n && fits(o->key, 1, 80) && fits(o->subject_id, 1, 80)
		&& fits(o->title, 1, 200) && fits(o->title_ko, 0, 200) && fits(o->category, 0, 40)
		&& (fits(o->currency, 3, 3) || fits(o->currency, 0, 0)) && o->applicant_id > 0 && o->quantity >= 0
		&& o->amount >= 0;
}

static bool
is_same_request(const struct review_case *c, const struct case_request *o)
{
	return c->kind < 0
		|| (c->kind == o->kind && c->applicant_id == o->applicant_id && c->quantity == o->quantity
			&& c->amount == o->amount && strcmp(c->subject_id, o->subject_id) == 0);
}

/* false: the key is there already. */
static bool
write_case(struct db *db, const struct case_request *o)
{
	const char *rule = rule_for(o);
	int64_t now = clock_now();

	return db_do(db,
		       "INSERT INTO review_case (key, kind, subject_id, applicant_id, title, title_ko, category,"
		       " quantity, amount, currency, state, rule,"
		       " opened_at, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
		       " ON CONFLICT (key) DO NOTHING",
		       o->key, words_code(&case_kind_words, o->kind), o->subject_id, o->applicant_id, o->title,
		       o->title_ko, o->category, o->quantity, o->amount, o->currency, *rule ? "APPROVED" : "ASSIGNED",
		       rule, now, *rule ? now : 0)
		== 1;
}

enum case_open_outcome
case_open(struct db *db, const struct case_request *o, int64_t causation_id, struct review_case *c)
{
	bool is_new;

	if (!is_valid_request(o))
		return CASE_OPEN_BAD_REQUEST;
	db_begin(db);
	is_new = write_case(db, o);
	case_by_key(db, o->key, c);
	if (is_new)
		case_report(db, c, causation_id, 0);
	if (!db_commit(db))
		return CASE_OPEN_DONE; /* the sticky failure answers 500 */
	return is_same_request(c, o) ? CASE_OPEN_DONE : CASE_OPEN_KEY_REUSED;
}

/* --- closing ------------------------------------------------------------------------------------------------------ */

static void
close_case(struct db *db, const char *key, const char *reason, int64_t causation_id)
{
	struct review_case c;

	if (db_do(db,
		    "UPDATE review_case SET state = 'CANCELLED', reason = $2, decided_at = $3 WHERE key = $1"
		    " AND state IN ('ASSIGNED', 'APPROVED')",
		    key, reason, clock_now())
			== 1
		&& case_by_key(db, key, &c))
		case_report(db, &c, causation_id, 0);
}

void
case_cancel(struct db *db, const char *key, const char *reason, int64_t causation_id)
{
	int64_t now = clock_now();

	db_begin(db);
	db_do(db,
		"INSERT INTO review_case (key, kind, subject_id, applicant_id, state, reason, opened_at, decided_at)"
		" VALUES ($1, '', $1, 0, 'CANCELLED', $2, $3, $3) ON CONFLICT (key) DO NOTHING",
		key, reason, now);
	close_case(db, key, reason, causation_id);
	db_commit(db);
}

void
case_cancel_of(struct db *db, const char *subject_id, enum case_kind kind, const char *reason, int64_t causation_id)
{
	struct review_case *cases = NULL;
	int n = 0;

	db_begin(db);
	db_list(db, &review_case_shape, &cases, &n,
		"SELECT key FROM review_case WHERE subject_id = $1 AND kind = $2 AND state IN ('ASSIGNED', 'APPROVED')"
		" ORDER BY case_id /*sort*/",
		subject_id, words_code(&case_kind_words, (int)kind));
	for (int i = 0; i < n; i++)
		close_case(db, cases[i].key, reason, causation_id);
	db_commit(db);
}

/* --- deciding ----------------------------------------------------------------------------------------------------- */

/* Of two people who decide at the same moment, the first one counts. */
static bool
write_decision(struct db *db, int64_t case_id, enum case_state state, const char *reason, int64_t reviewer_id)
{
	return db_do(db,
		       "UPDATE review_case SET state = $2, reason = $3, reviewer_id = $4, decided_at = $5"
		       " WHERE case_id = $1 AND state = 'ASSIGNED' AND applicant_id <> $4",
		       case_id, words_code(&case_state_words, (int)state), reason, reviewer_id, clock_now())
		== 1;
}

enum case_decide_outcome
case_decide(struct db *db, int64_t case_id, enum case_state state, const char *reason, int64_t reviewer_id,
	struct review_case *c)
{
	bool is_new;

	if (!case_find(db, case_id, c))
		return DECIDE_NO_CASE;
	if (c->applicant_id == reviewer_id)
		return DECIDE_OWN;
	if (state == CASE_REJECTED && utf8_is_blank(reason))
		return DECIDE_NO_REASON;
	db_begin(db);
	is_new = write_decision(db, case_id, state, reason, reviewer_id);
	case_find(db, case_id, c);
	if (is_new)
		case_report(db, c, 0, reviewer_id);
	db_commit(db);
	return is_new || (c->state == (int)state && c->reviewer_id == reviewer_id) ? DECIDE_DONE : DECIDE_BEFORE;
}
