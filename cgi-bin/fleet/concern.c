/*
 * concern - the bookings that lose their car when it leaves service, or their branch when it moves. A manager sees them
 * before confirming; if they are others by then, the question is asked again. The overview is in fleet.h.
 */
#include "fleet.h"

#include "domain/bookings.h"
#include "lib/base/clock.h"

#include <string.h>

static const struct member concerned_members[] = {
	SHAPE_TEXT(concerned_booking, code), SHAPE_STATE(concerned_booking, state, booking_state_words),
	SHAPE_TIME(concerned_booking, starts_at), SHAPE_TIME(concerned_booking, ends_at),
	SHAPE_INT(concerned_booking, customer_id), SHAPE_TEXT(concerned_booking, customer_name),
	SHAPE_TEXT(concerned_booking, customer_phone), SHAPE_TEXT_KO(concerned_booking, branch_name),
};
const struct shape concerned_booking_shape = SHAPE(concerned_booking, concerned_members);

static const struct member concern_members[] = {
	SHAPE_INT(concern, n_total), SHAPE_INT(concern, n_more), SHAPE_TEXT(concern, seen),
	SHAPE_LIST(concern, bookings, concerned_booking_shape),
};
const struct shape concern_shape = SHAPE(concern, concern_members);

/* Paid and not handed over, of car $1 after $2. $3: the branch to which it moves, so those of that branch are not
 * concerned; 0: it leaves service. An unpaid hold is none: when it is paid, fleet refuses the car (reservation.c). */
#define CONCERNED \
	" FROM v_booked_car c JOIN v_booking b ON b.booking_id = c.booking_id WHERE c.car_id = $1" \
	" AND b.state IN ('PAID', 'CONFIRMED') AND b.ends_at > $2 AND ($3 = 0 OR b.branch_id <> $3)"

/* Changes when a booking comes, ends or is exchanged for another one. */
static const char *
seen_now(struct db *db, int64_t car_id, int64_t branch_id, int64_t *n)
{
	struct rows *r = db_each(
		db, "SELECT COUNT(*), COALESCE(SUM(b.booking_id), 0)" CONCERNED, car_id, clock_now(), branch_id);
	int64_t sum = 0;

	*n = 0;
	if (db_next(r)) {
		*n = row_int(r, 0);
		sum = row_int(r, 1);
	}
	db_done(r);
	return arena_printf(db_memory(db), "%lld-%lld", (long long)*n, (long long)sum);
}

void
concern_read(struct db *db, int64_t car_id, int64_t branch_id, struct concern *c)
{
	*c = (struct concern){ .branch_id = branch_id };
	c->seen = seen_now(db, car_id, branch_id, &c->n_total);
	db_list(db, &concerned_booking_shape, &c->bookings, &c->n_bookings,
		"SELECT b.code, b.state, b.starts_at, b.ends_at, b.customer_id,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = b.customer_id), '') AS customer_name,"
		" COALESCE((SELECT u.phone FROM v_user u WHERE u.user_id = b.customer_id), '') AS customer_phone,"
		" COALESCE((SELECT r.name FROM v_branch r WHERE r.branch_id = b.branch_id), '') AS branch_name,"
		" COALESCE((SELECT r.name_ko FROM v_branch r WHERE r.branch_id = b.branch_id), '') AS"
		" branch_name_ko" CONCERNED " ORDER BY b.starts_at, b.booking_id LIMIT $4 /*sort*/",
		car_id, clock_now(), branch_id, CONCERNED_SHOWN);
	c->n_more = c->n_total - c->n_bookings;
}

bool
concern_is_agreed(struct db *db, int64_t car_id, int64_t branch_id, const struct car_consent *consent)
{
	int64_t n;
	const char *seen = seen_now(db, car_id, branch_id, &n);

	if (n == 0)
		return true;
	if (consent->seen && *consent->seen)
		return strcmp(consent->seen, seen) == 0;
	return consent->is_given;
}

bool
car_in_use(struct db *db, int64_t car_id, struct custody *holder)
{
	*holder = (struct custody){ 0 };
	return db_one(db, &custody_shape, holder,
		"SELECT k.kind, k.car_id, k.user_id, k.from_at, CASE k.kind WHEN 'customer' THEN k.due_at ELSE 0 END"
		" AS due_at, k.booking_code, COALESCE((SELECT c.plate FROM car c WHERE c.car_id = k.car_id), '')"
		" AS plate, COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = k.user_id), '') AS user_name"
		" FROM v_custody k WHERE k.car_id = $1 AND k.to_at IS NULL",
		car_id);
}
