/* cars - the managers' car screen: every car with its status now, its booking, and what goes with that. */
#include "mypage.h"

#include "domain/rental.h"

#include <ctype.h>
#include <string.h>

/* A row of the query: a car and its booking. */
struct car_found {
	int64_t car_id, branch_id, starts_at, ends_at;
	const char *plate, *name, *name_ko, *branch_name, *branch_name_ko, *code;
	int status, state, payment_state, body;
};
static const struct member car_found_members[] = {
	SHAPE_INT(car_found, car_id), SHAPE_INT(car_found, branch_id), SHAPE_TIME(car_found, starts_at),
	SHAPE_TIME(car_found, ends_at), SHAPE_TEXT(car_found, plate), SHAPE_TEXT_KO(car_found, name),
	SHAPE_STATE(car_found, body, body_words), SHAPE_TEXT_KO(car_found, branch_name), SHAPE_TEXT(car_found, code),
	SHAPE_STATE(car_found, status, car_status_words), SHAPE_STATE(car_found, state, booking_state_words),
	SHAPE_STATE(car_found, payment_state, my_payment_words),
};
static const struct shape car_found_shape = SHAPE(car_found, car_found_members);

static const struct member view_booking_members[] = {
	SHAPE_TEXT(view_booking, code), SHAPE_STATE(view_booking, state, booking_state_words),
	SHAPE_TIME(view_booking, starts_at), SHAPE_TIME(view_booking, ends_at),
};
static const struct shape view_booking_shape = SHAPE(view_booking, view_booking_members);

static const struct member view_payment_members[] = { SHAPE_STATE(view_payment, state, my_payment_words) };
static const struct shape view_payment_shape = SHAPE(view_payment, view_payment_members);

static const struct member view_delivery_members[] = {
	SHAPE_STATE(view_delivery, direction, my_direction_words), SHAPE_STATE(view_delivery, state, my_delivery_words),
	SHAPE_TIME(view_delivery, window_from),
};
static const struct shape view_delivery_shape = SHAPE(view_delivery, view_delivery_members);

static const struct member view_message_members[] = {
	SHAPE_TEXT(view_message, kind), SHAPE_STATE(view_message, state, my_message_words),
};
static const struct shape view_message_shape = SHAPE(view_message, view_message_members);

static const struct member view_car_members[] = {
	SHAPE_INT(view_car, car_id), SHAPE_TEXT(view_car, plate), SHAPE_TEXT_KO(view_car, name),
	SHAPE_STATE(view_car, body, body_words), SHAPE_INT(view_car, branch_id), SHAPE_TEXT_KO(view_car, branch_name),
	SHAPE_STATE(view_car, status, car_status_words), SHAPE_MAYBE(view_car, booking, view_booking_shape),
	SHAPE_MAYBE(view_car, payment, view_payment_shape), SHAPE_MAYBE(view_car, delivery, view_delivery_shape),
	SHAPE_INT(view_car, n_equipment), SHAPE_MAYBE(view_car, message, view_message_shape),
};
const struct shape view_car_shape = SHAPE(view_car, view_car_members);

/*
 * $1 now · $2 now and the turnaround before a rental · $3 pattern · $4 branch (0: all).
 * RENTED: the car is out, however late, or fleet has reserved it and the rental runs or is being prepared.
 * The booking shown is the running one, else the next: of the open ones that are not over, the one that starts first. A
 * booking of several cars is shown at each of them.
 */
#define IS_OPEN "r.state IN ('PAID', 'CONFIRMED', 'OUT')"
#define HAS_IT "(r.reservation = 'OUT' OR (r.reservation = 'RESERVED' AND r.starts_at <= $2 AND r.ends_at > $1))"
#define FURTHER \
	"my_booking_car x JOIN my_booking r ON r.code = x.code WHERE x.car_id = c.car_id AND x.is_open = 1 AND " IS_OPEN
#define NOT_OVER "(r.state = 'OUT' OR r.ends_at > $1)"

#define SEEN \
	"WITH seen AS (SELECT c.car_id, c.plate, c.name, c.name_ko, c.body, c.branch_id, c.branch_name," \
	" c.branch_name_ko," \
	" CASE WHEN c.service <> 'IN_SERVICE' THEN c.service" \
	"  WHEN EXISTS (SELECT 1 FROM my_booking r WHERE r.car_id = c.car_id AND " IS_OPEN " AND " HAS_IT ")" \
	"   OR EXISTS (SELECT 1 FROM " FURTHER " AND " HAS_IT ") THEN 'RENTED'" \
	"  ELSE 'AVAILABLE' END AS status," \
	" (SELECT n.code FROM (SELECT r.code, r.starts_at FROM my_booking r WHERE r.car_id = c.car_id" \
	"   AND " IS_OPEN " AND " NOT_OVER \
	"   UNION ALL SELECT r.code, r.starts_at FROM " FURTHER " AND " NOT_OVER \
	"  ) n ORDER BY n.starts_at LIMIT 1 /*sort*/) AS code" \
	" FROM view_car c /*scan*/ WHERE $4 = 0 OR c.branch_id = $4)," \
	" found AS (SELECT s.car_id, s.plate, s.name, s.name_ko, s.body, s.branch_id, s.branch_name," \
	"  s.branch_name_ko, s.status, s.code FROM seen s WHERE $3 = '%' OR lower(s.plate) LIKE $3 ESCAPE '\\'" \
	"  OR lower(s.name || ' ' || s.name_ko) LIKE $3 ESCAPE '\\'" \
	"  OR lower(COALESCE(s.code, '')) LIKE $3 ESCAPE '\\')"

#define ROWS SEEN \
	" SELECT f.car_id, f.plate, f.name, f.name_ko, f.body, f.branch_id, f.branch_name, f.branch_name_ko," \
	" f.status, f.code, COALESCE(b.state, '') AS state, COALESCE(b.payment_state, '') AS payment_state," \
	" COALESCE(b.starts_at, 0) AS starts_at, COALESCE(b.ends_at, 0) AS ends_at" \
	" FROM found f LEFT JOIN my_booking b ON b.code = f.code WHERE $5 = '' OR f.status = $5"

/* The sort keys, as a text and as a time; cars without a booking come after those that have one. */
#define KEY_TEXT "CASE $6 WHEN 1 THEN f.name WHEN 2 THEN f.branch_name WHEN 3 THEN f.status WHEN 0 THEN f.plate" \
	" WHEN 5 THEN CASE f.name_ko WHEN '' THEN f.name ELSE f.name_ko END ELSE '' END"
#define KEY_TIME "CASE $6 WHEN 4 THEN b.starts_at ELSE 0 END"

int64_t
view_count(struct db *db, const struct view_query *q, int64_t n[4])
{
	struct rows *r = db_each(db, SEEN " SELECT f.status, COUNT(*) FROM found f GROUP BY f.status /*sort*/", q->now,
		q->now + rental.turnaround_s, db_contains(db, q->text), q->branch_id);
	int64_t all = 0;

	memset(n, 0, 4 * sizeof(n[0]));
	while (db_next(r)) {
		int status = words_find(&car_status_words, row_peek(r, 0));

		if (status >= 0)
			n[status] = row_int(r, 1);
		all += row_int(r, 1);
	}
	return q->status < 0 ? all : n[q->status];
}

/* What goes with the booking; for the rows of one page. */
static void
add_car_extras(struct db *db, struct view_car *c, const char *code)
{
	struct view_delivery d;
	struct view_message m;

	if (db_one(db, &view_delivery_shape, &d,
		    "SELECT direction, state, window_from FROM my_delivery WHERE code = $1 ORDER BY delivery_id DESC"
		    " LIMIT 1",
		    code))
		*(c->delivery = arena_new_of(db_memory(db), struct view_delivery)) = d;
	if (db_one(db, &view_message_shape, &m,
		    "SELECT kind, state FROM my_message WHERE about = $1"
		    " AND recipient_id = (SELECT b.customer_id FROM my_booking b WHERE b.code = $1)"
		    " ORDER BY message_id DESC LIMIT 1",
		    code))
		*(c->message = arena_new_of(db_memory(db), struct view_message)) = m;
	c->n_equipment = db_int(db,
		"SELECT COALESCE(SUM(quantity), 0) FROM my_order WHERE booking_code = $1 AND booking_code <> ''"
		" AND state IN ('ORDERED', 'APPROVED', 'HANDED_OUT')",
		code);
}

static void
make_car(struct db *db, const struct car_found *s, struct view_car *c)
{
	*c = (struct view_car){
		.car_id = s->car_id,
		.branch_id = s->branch_id,
		.plate = s->plate,
		.name = s->name,
		.name_ko = s->name_ko,
		.body = s->body,
		.branch_name = s->branch_name,
		.branch_name_ko = s->branch_name_ko,
		.status = s->status,
	};
	if (!s->code)
		return;
	c->booking = arena_new_of(db_memory(db), struct view_booking);
	*c->booking = (struct view_booking){
		.code = s->code, .state = s->state, .starts_at = s->starts_at, .ends_at = s->ends_at
	};
	c->payment = arena_new_of(db_memory(db), struct view_payment);
	c->payment->state = s->payment_state;
	add_car_extras(db, c, s->code);
}

int
view_list(struct db *db, const struct view_query *q, struct view_car **cars)
{
	const char *status = q->status < 0 ? "" : words_code(&car_status_words, q->status);
	struct car_found *found = NULL;
	int n = 0;

	if (q->down)
		db_list(db, &car_found_shape, &found, &n,
			ROWS " ORDER BY " KEY_TEXT " DESC, $6 = 4 AND f.code IS NULL, " KEY_TIME
			     " DESC, f.plate DESC /*sort*/ LIMIT $7 OFFSET $8",
			q->now, q->now + rental.turnaround_s, db_contains(db, q->text), q->branch_id, status, q->order,
			q->limit, q->offset);
	else
		db_list(db, &car_found_shape, &found, &n,
			ROWS " ORDER BY " KEY_TEXT ", $6 = 4 AND f.code IS NULL, " KEY_TIME
			     ", f.plate /*sort*/ LIMIT $7 OFFSET $8",
			q->now, q->now + rental.turnaround_s, db_contains(db, q->text), q->branch_id, status, q->order,
			q->limit, q->offset);
	*cars = arena_array(db_memory(db), struct view_car, n > 0 ? n : 1);
	for (int i = 0; i < n; i++)
		make_car(db, &found[i], &(*cars)[i]);
	return n;
}

static const struct member branch_members[] = {
	SHAPE_INT(view_branch, branch_id), SHAPE_TEXT_KO(view_branch, branch_name),
};
static const struct shape branch_shape = SHAPE(view_branch, branch_members);

/* The branches that have cars, as the cars' events name them. */
int
view_branches(struct db *db, struct view_branch **branches)
{
	int n = 0;

	return db_list(db, &branch_shape, branches, &n,
		"SELECT branch_id, MAX(branch_name) AS branch_name, MAX(branch_name_ko) AS branch_name_ko"
		" FROM view_car /*scan*/"
		" GROUP BY branch_id ORDER BY MAX(branch_name) /*sort*/ LIMIT 200");
}
