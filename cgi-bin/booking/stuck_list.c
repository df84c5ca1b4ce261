/* stuck_list - what needs attention: what is pending for too long in booking and payment; and late cars that are booked
 * next. */
#include "orders.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

static const struct member stuck_row_members[] = {
	SHAPE_STATE(stuck_row, kind, stuck_kind_words), SHAPE_TEXT(stuck_row, subject_id),
	SHAPE_INT(stuck_row, charge_id), SHAPE_INT(stuck_row, customer_id), SHAPE_TEXT(stuck_row, customer_name),
	SHAPE_TIME(stuck_row, since), SHAPE_INT(stuck_row, tries), SHAPE_TIME(stuck_row, next_at),
	SHAPE_AMOUNT(stuck_row, amount), SHAPE_TEXT(stuck_row, currency), SHAPE_TEXT(stuck_row, last_error),
	SHAPE_TEXT(stuck_row, try_url), SHAPE_TEXT(stuck_row, resolve_url),
	SHAPE_TEXT(stuck_row, cancel_url),
};
const struct shape stuck_row_shape = SHAPE(stuck_row, stuck_row_members);

#define STUCK \
	"SELECT kind, subject_id, 0 AS charge_id, customer_id, since, tries, next_at, amount, currency, last_error" \
	" FROM v_stuck_booking /*scan*/" \
	" WHERE since <= $1 AND ($2 = '' OR kind = $2)" \
	" UNION ALL SELECT kind, subject_id, charge_id, customer_id, since, tries, next_at, amount, currency," \
	" last_error FROM v_stuck_charge" \
	" WHERE since <= $1 AND ($2 = '' OR kind = $2)"

int64_t
stuck_rows_count(struct db *db, const struct stuck_query *q)
{
	return db_int(db, "SELECT COUNT(*) FROM (" STUCK ") s", q->now - rental.stuck_after_s,
		words_code(&stuck_kind_words, q->kind));
}

int
stuck_rows(struct db *db, const struct stuck_query *q, struct stuck_row **rows)
{
	struct arena *m = db_memory(db);
	int n = 0;

	db_list(db, &stuck_row_shape, rows, &n,
		"SELECT s.kind, s.subject_id, s.charge_id, s.customer_id, COALESCE((SELECT u.name FROM v_user u"
		" WHERE u.user_id = s.customer_id), '')"
		" AS customer_name, s.since, s.tries, s.next_at, s.amount, s.currency, s.last_error FROM (" STUCK ") s"
		" ORDER BY s.since, s.subject_id, s.kind /*sort*/ LIMIT $3 OFFSET $4",
		q->now - rental.stuck_after_s, words_code(&stuck_kind_words, q->kind), q->limit, q->offset);
	for (int i = 0; i < n; i++) {
		struct stuck_row *r = &(*rows)[i];
		const char *own = r->charge_id ? arena_printf(m, "/payments/%lld", (long long)r->charge_id)
					       : arena_printf(m, "/bookings/%s", r->subject_id);
		bool is_car_away = r->kind == STUCK_NO_CAR || r->kind == STUCK_CAR_GONE;

		r->try_url = r->kind == STUCK_CUSTODY || is_car_away ? NULL : arena_printf(m, "%s/retry", own);
		r->cancel_url = is_car_away ? arena_printf(m, "%s/cancel", own) : NULL;
		r->resolve_url = stuck_resolutions[r->kind] ? arena_printf(m, "%s/resolve", own) : NULL;
	}
	return n;
}

bool
is_stuck(struct db *db, const char *subject_id, int64_t now)
{
	return db_exists(db,
		"SELECT 1 FROM v_stuck_booking WHERE subject_id = $1 AND since <= $2 UNION ALL"
		" SELECT 1 FROM v_stuck_charge WHERE subject_id = $1 AND since <= $2 /*scan*/",
		subject_id, now - rental.stuck_after_s);
}

static const struct member late_clash_members[] = {
	SHAPE_TEXT(late_clash, code), SHAPE_TEXT(late_clash, plate), SHAPE_TEXT_KO(late_clash, car_name),
	SHAPE_TIME(late_clash, ends_at), SHAPE_TEXT(late_clash, customer_name), SHAPE_TEXT(late_clash, customer_phone),
	SHAPE_TEXT(late_clash, next_code), SHAPE_TIME(late_clash, next_starts_at), SHAPE_TEXT(late_clash, next_name),
	SHAPE_TEXT(late_clash, next_phone),
};
const struct shape late_clash_shape = SHAPE(late_clash, late_clash_members);

/* Cars that could not be ready in time for their next booking even if they were returned now. */
int
late_clashes(struct db *db, int64_t now, struct late_clash **clashes)
{
	int n = 0;

	return db_list(db, &late_clash_shape, clashes, &n,
		"SELECT b.code, COALESCE(m.plate, b.plate) AS plate, COALESCE(m.car_name, b.car_name) AS car_name,"
		" COALESCE(m.car_name_ko, b.car_name_ko) AS car_name_ko, b.ends_at, COALESCE(u.name, '') AS"
		" customer_name, COALESCE(u.phone, '') AS customer_phone,"
		" n.code AS next_code, n.starts_at AS next_starts_at, COALESCE(v.name, '') AS next_name,"
		" COALESCE(v.phone, '') AS next_phone"
		" FROM booking b /*scan*/ JOIN slot o ON o.booking_id = b.booking_id AND o.booking_id <> 0"
		" LEFT JOIN booking_car m ON m.booking_id = b.booking_id AND m.car_id = o.car_id"
		" JOIN slot s ON s.car_id = o.car_id AND s.kind IN ('HOLD', 'BOOKED') AND s.kind <> 'RELEASED'"
		"  AND s.busy_until > b.ends_at AND s.starts_at >= b.ends_at AND s.starts_at < $2 AND s.booking_id <> 0"
		" AND s.booking_id <> b.booking_id"
		" JOIN booking n ON n.booking_id = s.booking_id LEFT JOIN v_user u ON u.user_id = b.customer_id LEFT"
		" JOIN v_user v ON v.user_id = n.customer_id"
		" WHERE b.state = 'OUT' AND b.ends_at <= $1 ORDER BY n.starts_at /*sort*/ LIMIT 100",
		now, now + rental.turnaround_s);
}
