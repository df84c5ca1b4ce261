/*
 * delivery_world - what the tests of delivery share: bookings, and booking replaced by a function that answers what the
 * test has set and counts the calls.
 */
#ifndef MP_DELIVERY_WORLD_H
#define MP_DELIVERY_WORLD_H

#include "domain/rental.h"
#include "world.h"

#include "cgi-bin/delivery/booking_client.h"
#include "cgi-bin/delivery/delivery.h"
#include "domain/event_types.h"

#define START (NOW + 2 * HOUR)
#define END   (NOW + 26 * HOUR)

static const struct delivery_actor manager = { .user_id = 7, .is_manager = true };
static const struct delivery_actor courier = { .user_id = 8 }, other_courier = { .user_id = 9 },
	customer = { .user_id = 5 };

SHARED void
person(int64_t id, const char *name, const char *role)
{
	db_do(others,
		"INSERT INTO person (user_id, email, name, phone, lang, password_hash, created_at, updated_at)"
		" VALUES ($1, lower($2) || '@example.com', $2, '010-1234-5678', 'en', 'x', 0, 0)",
		id, name);
	db_do(others, "INSERT INTO user_role (user_id, role) VALUES ($1, $2)", id, role);
}

/* --- booking, which is asked before a step with the car ----------------------------------------------------------- */

static enum booking_answer booking_reply;
static int n_asked;
static char asked_key[80], asked_step[20];
static int64_t asked_user;
static void (*during_booking)(void);

SHARED enum booking_answer
world_custody(struct db *d, const struct custody_call *c, struct custody *other)
{
	(void)d;
	n_asked++;
	asked_user = c->user_id;
	snprintf(asked_key, sizeof(asked_key), "%s", c->key);
	snprintf(asked_step, sizeof(asked_step), "%s", c->step);
	assert_true(db_exists(db, "SELECT 1 FROM delivery WHERE booking_code = $1 AND asked_step = $2 /*scan*/",
		c->booking_code, c->step)); /* the row first */
	if (during_booking)
		during_booking();
	*other = (struct custody){ .booking_code = "MP-OTHER001", .plate = "P", .user_name = "Lee", .due_at = 7 };
	return booking_reply;
}

static const struct booking_client world_bookings = { world_custody, NULL };

TEST_SETUP(begin)
{
	booking_client = &world_bookings;
	booking_reply = BOOKING_ANSWER_DONE;
	n_asked = 0;
	during_booking = NULL;
	if (world_begin(state, &delivery_role) != 0)
		return -1;
	rental.turnaround_s = HOUR;
	rental.delivery_window_s = 2 * HOUR;
	rental.delivery_zones = "center:15000:City centre:시내 중심";
	person(5, "Customer", "customer");
	person(7, "Manager", "manager");
	person(8, "Courier", "courier");
	person(9, "Another", "courier");
	return 0;
}

/* --- what booking does -------------------------------------------------------------------------------------------- */

SHARED void
book(const char *code, const char *state, int n_cars, bool is_brought, bool collects)
{
	int64_t id = db_int(others,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state,"
		" starts_at, ends_at, amount,"
		" vat_amount, currency, charge_id, held_at, hold_until, n_cars)"
		" VALUES ($1, 5, 1, 'Kia Ray', '12가 3456', 'mini', 1, 'x', $2, $3, $4,"
		" 1, 0, 'KRW', 1, 0, 0, $5) RETURNING booking_id",
		code, state, START, END, n_cars);

	for (int i = 2; i <= n_cars; i++)
		db_do(others,
			"INSERT INTO booking_car (booking_id, car_no, car_id, car_name, plate)"
			" VALUES ($1, $2, $2, 'Kia Ray', $3)",
			id, i, arena_printf(scratch_memory, "34나 000%d", i));
	if (is_brought)
		db_do(others,
			"INSERT INTO booking_delivery (booking_id, zone, address, place, window_from, window_to,"
			" collects)"
			" VALUES ($1, 'center', '1 Sejong-daero', 'Lobby', $2, $3, $4)",
			id, START, START + HOUR, collects ? 1 : 0);
}

SHARED void
booking_is(const char *code, const char *state)
{
	db_do(others, "UPDATE custody SET to_at = from_at, ended_by = 'returned' WHERE to_at IS NULL /*scan*/");
	if (strcmp(state, "OUT") == 0)
		db_do(others,
			"INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at)"
			" SELECT code, car_id, 'customer', booking_id, customer_id, 1 FROM booking WHERE code = $1",
			code);
	db_do(others, "UPDATE booking SET state = $2 WHERE code = $1", code, state);
}

SHARED void
booking_reports(enum event_type_id type, const char *code)
{
	report(event_types[type].type, code, "{}");
	handle_events(&delivery_consumer);
}

/* A confirmed booking and its job. */
SHARED int64_t
confirmed(const char *code, bool collects)
{
	book(code, "CONFIRMED", 1, true, collects);
	booking_reports(EVENT_BOOKING_CONFIRMED, code);
	return db_int(db, "SELECT delivery_id FROM delivery WHERE booking_code = $1", code);
}

SHARED const char *
state_of(int64_t id)
{
	return db_text(db, "SELECT state FROM delivery WHERE delivery_id = $1", id);
}

SHARED int64_t
n_jobs(void)
{
	return db_int(db, "SELECT COUNT(*) FROM delivery /*scan*/");
}

SHARED enum delivery_outcome
assign_to(int64_t id, int64_t courier_id)
{
	struct delivery d = { .delivery_id = id };

	return delivery_assign(db, &d, courier_id, 0, &manager);
}

SHARED enum delivery_outcome
ship(int64_t id, const struct delivery_actor *by)
{
	struct delivery d = { .delivery_id = id };

	return delivery_ship(db, &d, by);
}

SHARED enum delivery_outcome
deliver(int64_t id, const struct delivery_actor *by)
{
	const struct handover h = {
		.odometer_km = 12345, .fuel_percent = 80, .received_by = "Kim", .note = "a scratch", .photo = ""
	};
	struct delivery d = { .delivery_id = id };

	return delivery_deliver(db, &d, &h, by);
}

SHARED enum delivery_outcome
cancel_job(int64_t id, const struct delivery_actor *by)
{
	struct delivery d = { .delivery_id = id };

	return delivery_cancel(db, &d, "no driver", by);
}

/* A job on the road at the start of its booking. */
SHARED int64_t
shipped(const char *code, bool collects)
{
	int64_t id = confirmed(code, collects);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	clock_set(START);
	return id;
}

#endif
