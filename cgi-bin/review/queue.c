/* queue - the words for cases, reading them, their queue and their history. */
#include "review.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- words and shapes --------------------------------------------------------------------------------------------- */

static const struct word state_word[] = {
	[CASE_ASSIGNED]  = { "ASSIGNED",  N_("Waiting for a decision") },
	[CASE_APPROVED]  = { "APPROVED",  N_("Approved") },
	[CASE_REJECTED]  = { "REJECTED",  N_("Rejected") },
	[CASE_CANCELLED] = { "CANCELLED", N_("No longer needed") },
};
const struct words case_state_words = WORDS(state_word);

static const struct word kind_word[] = {
	[CASE_EQUIPMENT]   = { "equipment",   N_("Equipment order") },
	[CASE_APPLICATION] = { "application", N_("Insurance application") },
	[CASE_CLAIM]       = { "claim",       N_("Insurance claim") },
};
const struct words case_kind_words = WORDS(kind_word);

static const struct word tab_word[] = {
	[CASE_TAB_WAITING] = { "waiting", N_("Pending") },
	[CASE_TAB_DECIDED] = { "decided", N_("Decided") },
	[CASE_TAB_ALL]     = { "all",     N_("All") },
};
const struct words case_tab_words = WORDS(tab_word);

static const struct member case_members[] = {
	SHAPE_INT(review_case, case_id), SHAPE_TEXT(review_case, key), SHAPE_STATE(review_case, kind, case_kind_words),
	SHAPE_STATE(review_case, state, case_state_words), SHAPE_TEXT(review_case, subject_id),
	SHAPE_INT(review_case, applicant_id), SHAPE_TEXT(review_case, applicant_name),
	SHAPE_TEXT_KO(review_case, title), SHAPE_TEXT(review_case, category), SHAPE_INT(review_case, quantity),
	SHAPE_AMOUNT(review_case, amount), SHAPE_TEXT(review_case, currency), SHAPE_INT(review_case, reviewer_id),
	SHAPE_TEXT(review_case, reviewer_name), SHAPE_TEXT(review_case, rule), SHAPE_TEXT(review_case, reason),
	SHAPE_TIME(review_case, opened_at), SHAPE_TIME(review_case, decided_at), SHAPE_INT(review_case, waiting_s),
};
const struct shape review_case_shape = SHAPE(review_case, case_members);

/* --- one case ----------------------------------------------------------------------------------------------------- */

#define COLUMNS \
	"SELECT c.case_id, c.key, c.kind, c.subject_id, c.applicant_id, c.title, c.title_ko, c.category, c.quantity," \
	" c.amount, c.currency," \
	" c.state, c.reviewer_id, c.rule, c.reason, c.opened_at, c.decided_at," \
	" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = c.applicant_id), '') AS applicant_name," \
	" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = c.reviewer_id), '') AS reviewer_name" \
	" FROM review_case c"

static void
fill_waiting(struct review_case *cases, int n)
{
	int64_t now = clock_now();

	for (int i = 0; i < n; i++)
		cases[i].waiting_s =
			cases[i].state == CASE_ASSIGNED && now > cases[i].opened_at ? now - cases[i].opened_at : 0;
}

bool
case_find(struct db *db, int64_t case_id, struct review_case *c)
{
	bool found;

	*c = (struct review_case){ .case_id = case_id };
	found = db_one(db, &review_case_shape, c, COLUMNS " WHERE c.case_id = $1 AND c.kind <> ''", case_id);
	fill_waiting(c, found);
	return found;
}

bool
case_by_key(struct db *db, const char *key, struct review_case *c)
{
	bool found;

	*c = (struct review_case){ .key = key, .kind = -1 };
	found = db_one(db, &review_case_shape, c, COLUMNS " WHERE c.key = $1", key);
	fill_waiting(c, found);
	return found;
}

/* --- the queue: without keys that were closed before they were opened --------------------------------------------- */

void
case_count(struct db *db, int64_t n[N_CASE_TABS])
{
	n[CASE_TAB_WAITING] = db_int(db, "SELECT COUNT(*) FROM review_case WHERE state = 'ASSIGNED' /*scan*/");
	n[CASE_TAB_DECIDED] =
		db_int(db, "SELECT COUNT(*) FROM review_case WHERE state <> 'ASSIGNED' AND kind <> '' /*scan*/");
	n[CASE_TAB_ALL] = n[CASE_TAB_WAITING] + n[CASE_TAB_DECIDED];
}

static int
list_waiting(struct db *db, int64_t offset, int64_t limit, struct review_case **cases)
{
	int n = 0;

	return db_list(db, &review_case_shape, cases, &n,
		COLUMNS " WHERE c.state = 'ASSIGNED' /*scan*/ ORDER BY c.opened_at, c.case_id LIMIT $1 OFFSET $2",
		limit, offset);
}

static int
list_decided(struct db *db, int64_t offset, int64_t limit, struct review_case **cases)
{
	int n = 0;

	return db_list(db, &review_case_shape, cases, &n,
		COLUMNS
		" WHERE c.state <> 'ASSIGNED' AND c.kind <> '' /*scan*/ ORDER BY c.decided_at DESC, c.case_id DESC"
		" LIMIT $1 OFFSET $2",
		limit, offset);
}

static int
list_all(struct db *db, int64_t offset, int64_t limit, struct review_case **cases)
{
	struct review_case *all = arena_array(db_memory(db), struct review_case, (size_t)limit + 1), *some = NULL;
	int64_t n_waiting = db_int(db, "SELECT COUNT(*) FROM review_case WHERE state = 'ASSIGNED' /*scan*/");
	int n = list_waiting(db, offset, limit, &some), m;

	if (n > 0)
		memcpy(all, some, (size_t)n * sizeof(*all));
	some = NULL;
	m = n < limit ? list_decided(db, offset > n_waiting ? offset - n_waiting : 0, limit - n, &some) : 0;
	if (m > 0)
		memcpy(all + n, some, (size_t)m * sizeof(*all));
	*cases = all;
	return n + m;
}

int
case_list(struct db *db, enum case_tab tab, int64_t offset, int64_t limit, struct review_case **cases)
{
	int n = tab == CASE_TAB_WAITING   ? list_waiting(db, offset, limit, cases)
		: tab == CASE_TAB_DECIDED ? list_decided(db, offset, limit, cases)
					  : list_all(db, offset, limit, cases);

	fill_waiting(*cases, n);
	return n;
}

int64_t
case_next(struct db *db, const struct review_case *c)
{
	return db_int(db,
		"SELECT case_id FROM review_case WHERE state = 'ASSIGNED' AND case_id <> $1 /*scan*/"
		" ORDER BY opened_at, case_id LIMIT 1",
		c->case_id);
}

/* --- history ------------------------------------------------------------------------------------------------------ */

struct case_payload { const char *key, *order_code, *reason, *note; };
static const struct member case_payload_members[] = {
	SHAPE_TEXT(case_payload, key), SHAPE_TEXT(case_payload, order_code), SHAPE_TEXT(case_payload, reason),
	SHAPE_TEXT(case_payload, note),
};
static const struct shape case_payload_shape = SHAPE(case_payload, case_payload_members);

static const struct member case_event_members[] = {
	SHAPE_TIME(case_event, at), SHAPE_INT(case_event, actor_id), SHAPE_TEXT(case_event, type),
	SHAPE_TEXT(case_event, reason), SHAPE_TEXT(case_event, actor_name),
};
static const struct shape case_event_shape = SHAPE(case_event, case_event_members);

/* Replaces the payload in e->reason by the event's note, else its reason (where older events have what was typed).
 * false: an event of another case under the same subject. */
static bool
is_event_of(struct db *db, const struct review_case *c, struct case_event *e)
{
	const struct event event = { .type = e->type, .payload = e->reason };
	struct case_payload p = { 0 };

	e->reason = "";
	if (!event_read(db_memory(db), &event, &case_payload_shape, &p))
		return false;
	e->reason = p.note && *p.note ? p.note : text_or_empty(p.reason);
	return strcmp(p.key ? p.key : text_or_empty(p.order_code), c->key) == 0;
}

int
case_history(struct db *db, const struct review_case *c, struct case_event **events)
{
	struct case_event *all = NULL;
	int n = 0, n_own = 0;

	db_list(db, &case_event_shape, &all, &n,
		"SELECT e.occurred_at AS at, e.actor_id, e.type, e.payload AS reason,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.actor_id), '') AS actor_name FROM v_event e"
		" WHERE e.subject_id = $1"
		" AND (e.type LIKE 'review.%' OR e.type LIKE 'equipment.%') ORDER BY e.event_id DESC /*sort*/",
		c->subject_id);
	for (int i = 0; i < n; i++)
		if (is_event_of(db, c, &all[i]))
			all[n_own++] = all[i];
	*events = all;
	return n_own;
}

int64_t
case_order_id(struct db *db, const struct review_case *c)
{
	return c->kind == CASE_EQUIPMENT ? db_int(db, "SELECT order_id FROM v_equipment_order WHERE code = $1", c->key)
					 : 0;
}
