/* jobs - many jobs: the dispatcher's board, a courier's own list, a courier's day on paper. The overview is in
 * delivery.h. */
#include "delivery.h"

#include "lib/base/lang.h"

static const struct word view_word[] = {
	[JOBS_OPEN]     = { "open",     N_("To do") },
	[JOBS_TODAY]    = { "today",    N_("Today") },
	[JOBS_TOMORROW] = { "tomorrow", N_("Tomorrow") },
	[JOBS_FINISHED] = { "finished", N_("Finished") },
	[JOBS_ALL]      = { "all",      N_("All") },
};
const struct words jobs_view_words = WORDS(view_word);

static const struct member jobs_counts_members[] = {
	SHAPE_INT(jobs_counts, n_requested), SHAPE_INT(jobs_counts, n_scheduled), SHAPE_INT(jobs_counts, n_shipped),
	SHAPE_INT(jobs_counts, n_finished), SHAPE_INT(jobs_counts, n_total),
};
const struct shape jobs_counts_shape = SHAPE(jobs_counts, jobs_counts_members);

#define NEVER INT64_MAX

/* The window's start, half-open. Late jobs of earlier days belong to today. */
static int64_t
from_of(const struct jobs_query *q)
{
	return q->view == JOBS_TOMORROW ? q->tomorrow : 0;
}

static int64_t
until_of(const struct jobs_query *q)
{
	switch (q->view) {
	case JOBS_TODAY: return q->tomorrow;
	case JOBS_TOMORROW: return q->tomorrow + (q->tomorrow - q->today);
	case JOBS_OPEN:
	case JOBS_FINISHED:
	case JOBS_ALL: break;
	}
	return NEVER;
}

/* requested_at 0: cancelled before it was requested, so it was never a job. */
#define MATCHES \
	" d.requested_at > 0 AND d.window_from >= $1 AND d.window_from < $2 AND ($3 = 0 OR d.courier_id = $3)" \
	" AND (lower(d.booking_code) LIKE $4 ESCAPE '\\' OR lower(d.plates) LIKE $4 ESCAPE '\\' OR lower(d.address)" \
	" LIKE $4 ESCAPE '\\')"
#define OPEN " d.state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED') AND"
#define FINISHED " d.state IN ('DELIVERED', 'CANCELLED') AND"
#define WANTED from_of(q), until_of(q), q->courier_id, db_contains(db, q->text)

void
jobs_count(struct db *db, const struct jobs_query *q, struct jobs_counts *n)
{
	*n = (struct jobs_counts){ 0 };
	if (q->view != JOBS_FINISHED)
		db_one(db, &jobs_counts_shape, n,
			"SELECT COALESCE(SUM(CASE d.state WHEN 'REQUESTED' THEN 1 ELSE 0 END), 0) AS n_requested,"
			" COALESCE(SUM(CASE d.state WHEN 'SCHEDULED' THEN 1 ELSE 0 END), 0) AS n_scheduled,"
			" COALESCE(SUM(CASE d.state WHEN 'SHIPPED' THEN 1 ELSE 0 END), 0) AS n_shipped"
			" FROM delivery d WHERE" OPEN MATCHES " /*scan*/",
			WANTED);
	if (q->view == JOBS_FINISHED || q->view == JOBS_ALL)
		n->n_finished =
			db_int(db, "SELECT COUNT(*) FROM delivery d WHERE" FINISHED MATCHES " /*scan*/", WANTED);
	n->n_total = n->n_requested + n->n_scheduled + n->n_shipped + n->n_finished;
}

/* A dispatcher sees unassigned jobs first, a courier the one under way. */
static struct rows *
open_ids(struct db *db, const struct jobs_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" OPEN MATCHES
		" ORDER BY CASE d.state WHEN 'REQUESTED' THEN 1 WHEN 'SCHEDULED' THEN 2 ELSE $5 END, d.window_from,"
		" d.delivery_id"
		" LIMIT $6 OFFSET $7 /*scan*/ /*sort*/",
		WANTED, q->courier_first ? 0 : 3, limit, offset);
}

static struct rows *
finished_ids(struct db *db, const struct jobs_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" FINISHED MATCHES
		" ORDER BY d.window_from DESC, d.delivery_id DESC LIMIT $5 OFFSET $6 /*scan*/ /*sort*/",
		WANTED, limit, offset);
}

static struct rows *
all_ids(struct db *db, const struct jobs_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" MATCHES
		" ORDER BY d.window_from DESC, d.delivery_id DESC LIMIT $5 OFFSET $6 /*scan*/ /*sort*/",
		WANTED, limit, offset);
}

static int
read_jobs(struct db *db, struct rows *ids, int64_t limit, struct delivery **deliveries)
{
	int n = 0;

	*deliveries = arena_array(db_memory(db), struct delivery, limit + 1);
	while (db_next(ids))
		if (n < limit && delivery_read(db, row_int(ids, 0), &(*deliveries)[n]))
			n++;
	return n;
}

int
jobs_list(struct db *db, const struct jobs_query *q, int64_t offset, int64_t limit, struct delivery **deliveries)
{
	switch (q->view) {
	case JOBS_FINISHED: return read_jobs(db, finished_ids(db, q, offset, limit), limit, deliveries);
	case JOBS_ALL: return read_jobs(db, all_ids(db, q, offset, limit), limit, deliveries);
	case JOBS_OPEN:
	case JOBS_TODAY:
	case JOBS_TOMORROW: break;
	}
	return read_jobs(db, open_ids(db, q, offset, limit), limit, deliveries);
}

#define SHEET_MAX 200

int
jobs_of_day(struct db *db, int64_t courier_id, int64_t from, int64_t until, struct delivery **deliveries)
{
	return read_jobs(db,
		db_each(db,
			"SELECT delivery_id FROM delivery WHERE courier_id = $1 AND courier_id <> 0"
			" AND window_from >= $2 AND window_from < $3"
			" AND state IN ('SCHEDULED', 'SHIPPED', 'DELIVERED') ORDER BY window_from, delivery_id LIMIT"
			" $4",
			courier_id, from, until, SHEET_MAX),
		SHEET_MAX, deliveries);
}

/* --- couriers ----------------------------------------------------------------------------------------------------- */

static const struct member courier_members[] = { SHAPE_INT(courier, courier_id), SHAPE_TEXT(courier, name) };
static const struct shape courier_shape = SHAPE(courier, courier_members);

int
courier_list(struct db *db, struct courier **couriers)
{
	int n = 0;

	return db_list(db, &courier_shape, couriers, &n,
		"SELECT user_id AS courier_id, name FROM v_role_holder WHERE role = 'courier' ORDER BY name, user_id"
		" LIMIT 500 /*sort*/");
}

const char *
courier_name(struct db *db, int64_t courier_id)
{
	return db_text(db, "SELECT name FROM v_role_holder WHERE role = 'courier' AND user_id = $1", courier_id);
}
