/* board - many jobs: the dispatcher's board, a courier's own, his day on paper. The story is in delivery.h. */
#include "delivery.h"

#include "lib/base/lang.h"

static const struct word view_word[] = {
	[BOARD_OPEN]     = { "open",     N_("To do") },
	[BOARD_TODAY]    = { "today",    N_("Today") },
	[BOARD_TOMORROW] = { "tomorrow", N_("Tomorrow") },
	[BOARD_FINISHED] = { "finished", N_("Finished") },
	[BOARD_ALL]      = { "all",      N_("All") },
};
const struct words board_view_words = WORDS(view_word);

static const struct member counts_members[] = {
	SHAPE_INT(board_counts, n_requested), SHAPE_INT(board_counts, n_scheduled), SHAPE_INT(board_counts, n_shipped),
	SHAPE_INT(board_counts, n_finished), SHAPE_INT(board_counts, n_total),
};
const struct shape board_counts_shape = SHAPE(board_counts, counts_members);

#define NEVER INT64_MAX

/* Half-open. What is late from before belongs to today: it is still to be done. */
static int64_t
from_of(const struct board_query *q)
{
	return q->view == BOARD_TOMORROW ? q->tomorrow : 0;
}

static int64_t
until_of(const struct board_query *q)
{
	switch (q->view) {
	case BOARD_TODAY:    return q->tomorrow;
	case BOARD_TOMORROW: return q->tomorrow + (q->tomorrow - q->today);
	case BOARD_OPEN:
	case BOARD_FINISHED:
	case BOARD_ALL:      break;
	}
	return NEVER;
}

/* What was cancelled before it was requested was never a job to anybody. */
#define MATCHES \
	" d.requested_at > 0 AND d.window_from >= $1 AND d.window_from < $2 AND ($3 = 0 OR d.courier_id = $3)" \
	" AND (lower(d.booking_code) LIKE $4 ESCAPE '\\' OR lower(d.plates) LIKE $4 ESCAPE '\\' OR lower(d.address) LIKE $4 ESCAPE '\\')"
#define OPEN " d.state IN ('REQUESTED', 'SCHEDULED', 'SHIPPED') AND"
#define FINISHED " d.state IN ('DELIVERED', 'CANCELLED') AND"
#define WANTED from_of(q), until_of(q), q->courier_id, db_contains(db, q->text)

void
board_count(struct db *db, const struct board_query *q, struct board_counts *n)
{
	*n = (struct board_counts){ 0 };
	if (q->view != BOARD_FINISHED)
		db_one(db, &board_counts_shape, n,
			"SELECT COALESCE(SUM(CASE d.state WHEN 'REQUESTED' THEN 1 ELSE 0 END), 0) AS n_requested,"
			" COALESCE(SUM(CASE d.state WHEN 'SCHEDULED' THEN 1 ELSE 0 END), 0) AS n_scheduled,"
			" COALESCE(SUM(CASE d.state WHEN 'SHIPPED' THEN 1 ELSE 0 END), 0) AS n_shipped"
			" FROM delivery d WHERE" OPEN MATCHES " /*scan*/", WANTED);
	if (q->view == BOARD_FINISHED || q->view == BOARD_ALL)
		n->n_finished = db_int(db, "SELECT COUNT(*) FROM delivery d WHERE" FINISHED MATCHES " /*scan*/", WANTED);
	n->n_total = n->n_requested + n->n_scheduled + n->n_shipped + n->n_finished;
}

/* The dispatcher first sees what nobody has, a courier what he is on. */
static struct rows *
open_ids(struct db *db, const struct board_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" OPEN MATCHES
		" ORDER BY CASE d.state WHEN 'REQUESTED' THEN 1 WHEN 'SCHEDULED' THEN 2 ELSE $5 END, d.window_from, d.delivery_id"
		" LIMIT $6 OFFSET $7 /*scan*/ /*sort*/", WANTED, q->courier_first ? 0 : 3, limit, offset);
}

static struct rows *
finished_ids(struct db *db, const struct board_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" FINISHED MATCHES
		" ORDER BY d.window_from DESC, d.delivery_id DESC LIMIT $5 OFFSET $6 /*scan*/ /*sort*/", WANTED, limit, offset);
}

static struct rows *
all_ids(struct db *db, const struct board_query *q, int64_t offset, int64_t limit)
{
	return db_each(db,
		"SELECT d.delivery_id FROM delivery d WHERE" MATCHES
		" ORDER BY d.window_from DESC, d.delivery_id DESC LIMIT $5 OFFSET $6 /*scan*/ /*sort*/", WANTED, limit, offset);
}

static int
read_them(struct db *db, struct rows *ids, int64_t limit, struct delivery **deliveries)
{
	int n = 0;

	*deliveries = arena_array(db_memory(db), struct delivery, limit + 1);
	while (db_next(ids))
		if (n < limit && job_read(db, row_int(ids, 0), &(*deliveries)[n]))
			n++;
	return n;
}

int
board_list(struct db *db, const struct board_query *q, int64_t offset, int64_t limit, struct delivery **deliveries)
{
	switch (q->view) {
	case BOARD_FINISHED: return read_them(db, finished_ids(db, q, offset, limit), limit, deliveries);
	case BOARD_ALL:      return read_them(db, all_ids(db, q, offset, limit), limit, deliveries);
	case BOARD_OPEN:
	case BOARD_TODAY:
	case BOARD_TOMORROW: break;
	}
	return read_them(db, open_ids(db, q, offset, limit), limit, deliveries);
}

#define SHEET_MAX 200

int
board_sheet(struct db *db, int64_t courier_id, int64_t from, int64_t until, struct delivery **deliveries)
{
	return read_them(db, db_each(db,
		"SELECT delivery_id FROM delivery WHERE courier_id = $1 AND courier_id <> 0 AND window_from >= $2 AND window_from < $3"
		" AND state IN ('SCHEDULED', 'SHIPPED', 'DELIVERED') ORDER BY window_from, delivery_id LIMIT $4",
		courier_id, from, until, SHEET_MAX), SHEET_MAX, deliveries);
}

/* --- couriers ------------------------------------------------------------------------------------------------------- */

static const struct member courier_members[] = { SHAPE_INT(courier, courier_id), SHAPE_TEXT(courier, name) };
static const struct shape courier_shape = SHAPE(courier, courier_members);

int
courier_list(struct db *db, struct courier **couriers)
{
	int n = 0;

	return db_list(db, &courier_shape, couriers, &n,
		"SELECT user_id AS courier_id, name FROM v_role_holder WHERE role = 'courier' ORDER BY name, user_id LIMIT 500 /*sort*/");
}

const char *
courier_name(struct db *db, int64_t courier_id)
{
	return db_text(db, "SELECT name FROM v_role_holder WHERE role = 'courier' AND user_id = $1", courier_id);
}
