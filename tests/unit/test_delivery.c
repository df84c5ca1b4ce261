/*
 * test_delivery - jobs: one for each booking and direction, moved on only by those who may, never cancelled once on the
 * road; a cancellation before the confirmation; events that come twice, late or never; and what is reported.
 */
#include "test.h"

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

static void
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

static enum booking_answer
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

static void
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

static void
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

static void
booking_reports(enum event_type_id type, const char *code)
{
	report(event_types[type].type, code, "{}");
	handle_events(&delivery_consumer);
}

/* A confirmed booking and its job. */
static int64_t
confirmed(const char *code, bool collects)
{
	book(code, "CONFIRMED", 1, true, collects);
	booking_reports(EVENT_BOOKING_CONFIRMED, code);
	return db_int(db, "SELECT delivery_id FROM delivery WHERE booking_code = $1", code);
}

static const char *
state_of(int64_t id)
{
	return db_text(db, "SELECT state FROM delivery WHERE delivery_id = $1", id);
}

static int64_t
n_jobs(void)
{
	return db_int(db, "SELECT COUNT(*) FROM delivery /*scan*/");
}

static enum delivery_outcome
assign_to(int64_t id, int64_t courier_id)
{
	struct delivery d = { .delivery_id = id };

	return delivery_assign(db, &d, courier_id, 0, &manager);
}

static enum delivery_outcome
ship(int64_t id, const struct delivery_actor *by)
{
	struct delivery d = { .delivery_id = id };

	return delivery_ship(db, &d, by);
}

static enum delivery_outcome
deliver(int64_t id, const struct delivery_actor *by)
{
	const struct handover h = {
		.odometer_km = 12345, .fuel_percent = 80, .received_by = "Kim", .note = "a scratch", .photo = ""
	};
	struct delivery d = { .delivery_id = id };

	return delivery_deliver(db, &d, &h, by);
}

static enum delivery_outcome
cancel_job(int64_t id, const struct delivery_actor *by)
{
	struct delivery d = { .delivery_id = id };

	return delivery_cancel(db, &d, "no driver", by);
}

/* A job on the road at the start of its booking. */
static int64_t
shipped(const char *code, bool collects)
{
	int64_t id = confirmed(code, collects);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	clock_set(START);
	return id;
}

/* --- where jobs come from ----------------------------------------------------------------------------------------- */

TEST(a_confirmed_booking_with_an_address_makes_one_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 3, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
	assert_string_equal(
		db_text(db, "SELECT plates FROM delivery WHERE delivery_id = 1"), "12가 3456, 34나 0002, 34나 0003");
	assert_string_equal(db_text(db, "SELECT address FROM delivery WHERE delivery_id = 1"), "1 Sejong-daero");
	assert_int_equal(n_events("delivery.requested"), 1);
	assert_non_null(strstr(last_payload("delivery.requested"), "\"direction\":\"delivery\""));
}

TEST(a_booking_picked_up_at_the_branch_makes_no_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, false, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 0);
}

TEST(a_confirmation_that_arrives_when_the_booking_is_over_makes_no_job)
{
	book("MP-AAAAAAAA", "CANCELLED", 1, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	book("MP-BBBBBBBB", "OUT", 1, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-BBBBBBBB");
	assert_int_equal(n_jobs(), 0);
}

TEST(no_event_holds_a_name_an_address_or_a_contact)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM v_event WHERE payload LIKE '%Sejong%' OR payload LIKE '%Lobby%'"
				 " OR payload LIKE '%010-%'"
				 " OR payload LIKE '%\"Courier\"%' OR payload LIKE '%Kim%' OR payload LIKE '%_name\"%'"
				 " /*scan*/"),
		0);
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"odometer_km\":12345"));
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"courier_id\":8"));
}

/* --- the dispatcher ----------------------------------------------------------------------------------------------- */

TEST(only_a_courier_can_be_assigned)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(assign_to(id, 7), DELIVERY_NO_COURIER);
	assert_int_equal(assign_to(id, 99), DELIVERY_NO_COURIER);
	db_do(others, "UPDATE person SET disabled = 1 WHERE user_id = 9");
	assert_int_equal(assign_to(id, 9), DELIVERY_NO_COURIER);
	assert_string_equal(state_of(id), "REQUESTED");
	assert_int_equal(n_events("delivery.scheduled"), 0);
}

TEST(assigning_the_same_courier_twice_is_reported_once_and_another_courier_again)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(n_events("delivery.scheduled"), 1);
	assert_int_equal(assign_to(id, 9), DELIVERY_OK);
	assert_int_equal(n_events("delivery.scheduled"), 2);
	assert_non_null(strstr(last_payload("delivery.scheduled"), "\"courier_id\":9"));
}

TEST(a_window_moves_only_within_the_bookings_hours)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assert_int_equal(delivery_assign(db, &d, 8, START + 2 * HOUR, &manager), DELIVERY_OK);
	assert_int_equal(d.window_from, START + 2 * HOUR);
	assert_int_equal(d.window_to, START + 3 * HOUR); /* as long as it was */
	assert_int_equal(delivery_assign(db, &d, 8, START - 2 * HOUR, &manager), DELIVERY_BAD_WINDOW);
	assert_int_equal(delivery_assign(db, &d, 8, END + 2 * HOUR, &manager), DELIVERY_BAD_WINDOW);
	assert_int_equal(db_int(db, "SELECT window_from FROM delivery WHERE delivery_id = 1"), START + 2 * HOUR);
}

TEST(a_job_can_be_unassigned_until_its_courier_leaves)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(d.courier_id, 0);
	assert_int_equal(n_events("delivery.requested"), 2);
	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(assign_to(d.delivery_id, 9), DELIVERY_WRONG_STATE);
}

TEST(the_dispatcher_cancels_only_jobs_that_have_not_left)
{
	int64_t id = confirmed("MP-AAAAAAAA", false), left = shipped("MP-BBBBBBBB", false);

	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"dispatcher\""));
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"note\":\"no driver\",\"reason\":\"\""));
	assert_int_equal(cancel_job(left, &manager), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(left), "SHIPPED");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 2); /* a late confirmation makes no second job */
}

/* --- the courier -------------------------------------------------------------------------------------------------- */

TEST(a_courier_moves_only_their_own_jobs)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	assign_to(id, 8);
	assert_int_equal(ship(id, &other_courier), DELIVERY_GONE);
	assert_int_equal(ship(id, &customer), DELIVERY_GONE);
	assert_int_equal(cancel_job(id, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_assign(db, &d, 8, 0, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_unassign(db, &d, &courier), DELIVERY_GONE);
	assert_false(delivery_find(db, id, &other_courier, &d));
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	clock_set(START);
	assert_int_equal(deliver(id, &other_courier), DELIVERY_GONE);
	assert_string_equal(state_of(id), "SHIPPED");
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
}

TEST(each_step_is_taken_in_its_order_and_once)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	clock_set(START);
	assert_int_equal(ship(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(deliver(id, &manager), DELIVERY_WRONG_STATE);
	assign_to(id, 8);
	assert_int_equal(deliver(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_come_back(db, &d, "x", &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(n_events("delivery.shipped"), 1);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(n_events("delivery.delivered"), 1);
	assert_int_equal(ship(id, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(assign_to(id, 9), DELIVERY_WRONG_STATE);
	assert_false(db_failed(db));
}

TEST(a_handover_record_is_not_overwritten)
{
	const struct handover another = {
		.odometer_km = 1, .fuel_percent = 1, .received_by = "Lee", .note = "", .photo = ""
	};
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(delivery_deliver(db, &d, &another, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(db_int(db, "SELECT odometer_km FROM delivery WHERE delivery_id = 1"), 12345);
}

TEST(keys_change_hands_only_within_the_bookings_hours)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	clock_set(START - HOUR - 1);
	assert_int_equal(deliver(id, &courier), DELIVERY_NOT_NOW);
	clock_set(END);
	assert_int_equal(deliver(id, &courier), DELIVERY_NOT_NOW);
	clock_set(START - HOUR);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
}

TEST(a_courier_who_comes_back_with_the_car_can_be_sent_again)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };
	struct job_event *events;

	assert_int_equal(delivery_come_back(db, &d, "the customer was absent", &other_courier), DELIVERY_GONE);
	d.delivery_id = id;
	assert_int_equal(delivery_come_back(db, &d, "the customer was absent", &courier), DELIVERY_OK);
	assert_int_equal(d.state, JOB_SCHEDULED);
	assert_int_equal(n_events("delivery.scheduled"), 2);
	assert_non_null(strstr(last_payload("delivery.scheduled"), "\"note\":\"the customer was absent\""));
	assert_int_equal(job_history(db, &d, &events), 4);
	assert_string_equal(events[0].title, "The courier could not complete the job");
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_IS_CANCELLED);
}

TEST(a_job_whose_booking_ended_on_the_way_is_cancelled_when_its_courier_comes_back)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	booking_is("MP-AAAAAAAA", "NO_SHOW");
	booking_reports(EVENT_BOOKING_NO_SHOW, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "SHIPPED"); /* the car is on the road */
	assert_int_equal(deliver(id, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_come_back(db, &d, "too late", &courier), DELIVERY_OK);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"booking\""));
}

TEST(no_courier_leaves_for_a_booking_that_is_over)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assign_to(id, 8);
	booking_is("MP-AAAAAAAA", "CANCEL_REQUESTED"); /* before its event reaches delivery */
	assert_int_equal(ship(id, &courier), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(id), "SCHEDULED");
}

/* --- cancelling a booking ----------------------------------------------------------------------------------------- */

TEST(cancelling_a_booking_cancels_its_job)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "plans changed"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "plans changed"), JOB_IS_CANCELLED);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"customer\""));
	booking_reports(EVENT_BOOKING_CANCEL_REQUESTED, "MP-AAAAAAAA");
	booking_reports(EVENT_BOOKING_CANCELLED, "MP-AAAAAAAA");
	assert_int_equal(n_events("delivery.cancelled"), 1);
}

TEST(a_job_on_the_road_is_not_cancelled)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_HAS_LEFT);
	assert_string_equal(state_of(id), "SHIPPED");
	deliver(id, &courier);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_HAS_LEFT);
	assert_int_equal(n_events("delivery.cancelled"), 0);
}

TEST(a_booking_cancelled_before_its_confirmation_arrives_gets_no_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, true, false);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-NEVERSEEN", "x"), JOB_IS_CANCELLED);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM delivery WHERE state <> 'CANCELLED' /*scan*/"), 0);
	assert_int_equal(n_jobs(), 2);
	assert_int_equal(n_events("delivery.requested"), 0);
	assert_int_equal(n_events("delivery.cancelled"), 0);
}

TEST(a_booking_that_ends_otherwise_cancels_its_job)
{
	static const enum event_type_id ends[] = {
		EVENT_BOOKING_CANCELLED,
		EVENT_BOOKING_CANCEL_REQUESTED,
		EVENT_BOOKING_REJECTED,
		EVENT_BOOKING_NO_SHOW_FINAL,
		EVENT_BOOKING_NO_SHOW, /* from before a no-show could be undone */
		EVENT_BOOKING_EXPIRED,
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *code = arena_printf(scratch_memory, "MP-AAAAAAA%zu", i);
		int64_t id = confirmed(code, false);

		if (i % 2)
			assign_to(id, 8);
		booking_reports(ends[i], code);
		booking_reports(ends[i], code);
		assert_string_equal(state_of(id), "CANCELLED");
		assert_string_equal(db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", id), "booking");
		assert_string_equal(db_text(db, "SELECT end_reason FROM delivery WHERE delivery_id = $1", id),
			event_types[ends[i]].type + strlen("booking."));
	}
	assert_int_equal(n_events("delivery.cancelled"), 6);
}

/* --- given up, which can be undone -------------------------------------------------------------------------------- */

#define WINDOW_S 600

TEST(a_job_that_is_given_up_is_cancelled_and_reported_when_its_window_ends_and_not_before)
{
	int64_t id = confirmed("MP-AAAAAAAA", true), given_up_at = clock_now();

	rental.undo_window_s = WINDOW_S;
	assign_to(id, 8);
	assert_int_equal(cancel_job(id, &courier), DELIVERY_GONE);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	clock_set(given_up_at + 30);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK); /* the second click: the window does not begin again */
	assert_int_equal(ship(id, &courier), DELIVERY_GIVEN_UP);
	assert_int_equal(assign_to(id, 9), DELIVERY_GIVEN_UP);
	clock_set(given_up_at + WINDOW_S - 1);
	delivery_sweep(db);
	assert_string_equal(state_of(id), "SCHEDULED");
	assert_int_equal(n_events("delivery.cancelled"), 0);
	clock_set(given_up_at + WINDOW_S);
	assert_int_equal(
		delivery_undo_cancel(db, &(struct delivery){ .delivery_id = id }, &manager), DELIVERY_TOO_LATE);
	delivery_sweep(db);
	delivery_sweep(db);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"dispatcher\""));
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"note\":\"no driver\""));
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'delivery.cancelled' /*scan*/"), 7);
	assert_int_equal(
		delivery_undo_cancel(db, &(struct delivery){ .delivery_id = id }, &manager), DELIVERY_TOO_LATE);
	rental.undo_window_s = 0;
}

TEST(an_undone_job_goes_on_as_before)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	rental.undo_window_s = WINDOW_S;
	assign_to(d.delivery_id, 8);
	cancel_job(d.delivery_id, &manager);
	assert_int_equal(delivery_undo_cancel(db, &d, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_OK);
	clock_set(clock_now() + 2 * WINDOW_S);
	delivery_sweep(db);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	assert_int_equal(n_events("delivery.cancelled"), 0);
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	rental.undo_window_s = 0;
}

/* Its customer cancels the booking within the window: the job ends at once, and there is nothing left to undo. */
TEST(a_job_whose_booking_ends_meanwhile_cannot_be_undone)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };
	int64_t id = confirmed("MP-BBBBBBBB", false);

	rental.undo_window_s = WINDOW_S;
	cancel_job(d.delivery_id, &manager);
	cancel_job(id, &manager);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_IS_CANCELLED);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_TOO_LATE);
	booking_is("MP-BBBBBBBB", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-BBBBBBBB");
	clock_set(clock_now() + 2 * WINDOW_S);
	delivery_sweep(db);
	assert_string_equal(
		db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", d.delivery_id), "customer");
	assert_string_equal(db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", id), "booking");
	assert_int_equal(n_events("delivery.cancelled"), 2);
	rental.undo_window_s = 0;
}

TEST(a_courier_does_not_leave_with_a_car_that_is_not_in_service)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assign_to(d.delivery_id, 8);
	booking_reply = BOOKING_ANSWER_OUT_OF_SERVICE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OUT_OF_SERVICE);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

/* Booking hands the car out before the cancellation reaches it: it will refund both trips. */
TEST(a_car_whose_delivery_the_dispatcher_cancelled_is_not_collected)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", true) };

	assert_int_equal(delivery_cancel(db, &d, "no courier", &manager), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
}

/* Before booking.handed_out reaches delivery. */
TEST(no_courier_leaves_with_a_car_that_was_handed_out_at_the_branch)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", true) };

	assert_int_equal(delivery_assign(db, &d, 8, 0, &manager), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
}

TEST(a_car_handed_out_at_the_branch_is_not_delivered_and_still_collected)
{
	int64_t id = confirmed("MP-AAAAAAAA", true);

	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM delivery WHERE direction = 'collection'"
				 " AND state = 'REQUESTED' /*scan*/"),
		1);
}

/* --- collections -------------------------------------------------------------------------------------------------- */

TEST(a_delivered_car_is_collected_at_the_end_when_that_was_booked)
{
	int64_t id = shipped("MP-AAAAAAAA", true), plain = shipped("MP-BBBBBBBB", false);
	struct delivery d;

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(plain, &courier), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA"); /* booking reacts to delivery.delivered */
	assert_int_equal(n_jobs(), 3);
	assert_true(delivery_read(db, 3, &d));
	assert_int_equal(d.direction, JOB_COLLECTION);
	assert_int_equal(d.window_from, END - 2 * HOUR);
	assert_int_equal(d.window_to, END);
	assert_string_equal(d.address, "1 Sejong-daero");
	assert_int_equal(
		db_int(db,
			"SELECT causation_id FROM v_event WHERE type = 'delivery.requested' ORDER BY event_id DESC"
			" LIMIT 1 /*scan*/"),
		db_int(db,
			"SELECT event_id FROM v_event WHERE type = 'delivery.delivered' ORDER BY event_id"
			" LIMIT 1 /*scan*/"));
	assert_string_equal(state_of(id), "DELIVERED");
}

TEST(a_collection_whose_price_was_refunded_is_not_requested)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	db_do(others,
		"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount)"
		" VALUES (1, 2, 'collection', 1, 'trip', 1, 1, 1)");
	db_do(others,
		"INSERT INTO booking_extra (booking_id, line_no, kind, quantity, amount, state)"
		" VALUES (1, 2, 'collection', 1, 1, 'ENDED')");
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(n_jobs(), 1);
}

TEST(a_car_returned_to_the_branch_is_not_collected)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	deliver(id, &courier);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_is("MP-AAAAAAAA", "RETURNED");
	booking_reports(EVENT_BOOKING_RETURNED, "MP-AAAAAAAA");
	assert_string_equal(state_of(2), "REQUESTED"); /* the return may be undone */
	booking_reports(EVENT_BOOKING_COMPLETED, "MP-AAAAAAAA");
	assert_string_equal(state_of(2), "CANCELLED");
	assert_string_equal(state_of(id), "DELIVERED");
}

TEST(a_car_can_be_collected_after_the_end_too)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	deliver(id, &courier);
	assert_int_equal(assign_to(2, 9), DELIVERY_OK);
	assert_int_equal(ship(2, &other_courier), DELIVERY_OK);
	clock_set(END + HOUR);
	assert_int_equal(deliver(2, &other_courier), DELIVERY_OK);
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"direction\":\"collection\""));
}

/* --- many jobs ---------------------------------------------------------------------------------------------------- */

static struct jobs_query
jobs_in(enum jobs_view view)
{
	return (struct jobs_query){
		.view = view, .text = "", .today = day_start(NOW), .tomorrow = day_add(day_start(NOW), 1)
	};
}

TEST(the_board_shows_unassigned_jobs_first)
{
	struct jobs_query q = jobs_in(JOBS_OPEN);
	struct jobs_counts n;
	struct delivery *jobs;

	shipped("MP-AAAAAAA1", false);
	clock_set(NOW);
	assign_to(confirmed("MP-AAAAAAA2", false), 8);
	confirmed("MP-AAAAAAA3", false);
	cancel_job(confirmed("MP-AAAAAAA4", false), &manager);
	job_cancel(db, "MP-NEVERSEEN", "x");
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 3);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA3");
	assert_string_equal(jobs[1].code, "MP-AAAAAAA2");
	assert_string_equal(jobs[2].code, "MP-AAAAAAA1");
	assert_true(jobs[1].overlaps && jobs[2].overlaps && !jobs[0].overlaps);
	jobs_count(db, &q, &n);
	assert_int_equal(n.n_total, 3);
	assert_int_equal(n.n_requested, 1);
	q.courier_id = 8;
	q.courier_first = true;
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 2);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA1"); /* a courier sees the job under way first */
	q = jobs_in(JOBS_FINISHED);
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 1);
	q.text = "aaaaaaa3";
	q.view = JOBS_ALL;
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 1);
	q.text = "%";
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 0);
	assert_false(db_failed(db));
}

TEST(today_has_the_late_jobs_of_earlier_days)
{
	struct jobs_query today = jobs_in(JOBS_TODAY), tomorrow = jobs_in(JOBS_TOMORROW);
	struct delivery *jobs;

	confirmed("MP-AAAAAAA1", false);
	confirmed("MP-AAAAAAA2", false);
	db_do(db, "UPDATE delivery SET window_from = $1, window_to = $1 WHERE delivery_id = 1", NOW - 3 * DAY);
	db_do(db, "UPDATE delivery SET window_from = $1, window_to = $1 WHERE delivery_id = 2", tomorrow.tomorrow);
	assert_int_equal(jobs_list(db, &today, 0, 20, &jobs), 1);
	assert_true(jobs[0].is_late);
	assert_int_equal(jobs_list(db, &tomorrow, 0, 20, &jobs), 1);
	assert_false(jobs[0].is_late);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA2");
}

TEST(a_day_sheet_has_one_couriers_jobs_in_order_of_time)
{
	struct delivery *jobs, d = { 0 };

	assign_to(confirmed("MP-AAAAAAA1", false), 8);
	d.delivery_id = confirmed("MP-AAAAAAA2", false);
	delivery_assign(db, &d, 8, START - HOUR, &manager);
	assign_to(confirmed("MP-AAAAAAA3", false), 9);
	confirmed("MP-AAAAAAA4", false);
	assert_int_equal(jobs_of_day(db, 8, day_start(START), day_add(day_start(START), 1), &jobs), 2);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA2");
	assert_string_equal(jobs[0].customer_phone, "010-1234-5678");
	assert_int_equal(jobs_of_day(db, 0, 0, END, &jobs), 0);
}

TEST(a_jobs_history_has_its_own_events_only)
{
	int64_t id = shipped("MP-AAAAAAAA", true);
	struct job_event *events;
	struct delivery d;

	deliver(id, &courier);
	assert_true(delivery_read(db, id, &d));
	assert_int_equal(job_history(db, &d, &events), 4);
	assert_string_equal(events[0].title, "The car was delivered");
	assert_string_equal(events[0].detail, "courier: Courier · keys handed to: Kim");
	assert_non_null(strstr(events[2].detail, "by Manager"));
	assert_true(delivery_read(db, 2, &d));
	assert_int_equal(job_history(db, &d, &events), 1);
}

TEST(events_of_older_versions_still_show_their_names_and_reasons)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct job_event *events;
	struct delivery d;

	report("delivery.delivered", "MP-AAAAAAAA",
		"{\"delivery_id\":1,\"courier_id\":8,\"courier_name\":\"Old Name\",\"received_by\":\"Lee\"}");
	report("delivery.cancelled", "MP-AAAAAAAA",
		"{\"delivery_id\":1,\"courier_id\":0,\"courier_name\":\"\",\"reason\":\"no"
		" driver\",\"by\":\"dispatcher\"}");
	assert_true(delivery_read(db, id, &d));
	assert_int_equal(job_history(db, &d, &events), 3);
	assert_string_equal(events[0].detail, "no driver");
	assert_string_equal(events[1].detail, "courier: Old Name · keys handed to: Lee");
}

/* --- the schema --------------------------------------------------------------------------------------------------- */

TEST(the_schema_refuses_impossible_jobs)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	assert_false(db_try(
		db, "UPDATE delivery SET state = 'CANCELLED', ended_by = 'customer' WHERE delivery_id = $1", id));
	assert_string_equal(db_refusal(db), "delivery_state");
	assert_false(db_try(
		db, "UPDATE delivery SET state = 'DELIVERED' WHERE delivery_id = $1", id)); /* received_by is empty */
	assert_false(db_try(db, "UPDATE delivery SET booking_code = 'MP-BBBBBBBB' WHERE delivery_id = $1", id));
	assert_false(db_try(db, "DELETE FROM delivery WHERE delivery_id = $1", id));
	assert_false(db_try(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to,"
		" requested_at)"
		" VALUES ('MP-AAAAAAAA', 'delivery', 'REQUESTED', 5, 1, 2, 1)"));
}

/* --- steps that booking must agree to ----------------------------------------------------------------------------- */

static int64_t
assigned(const char *code)
{
	int64_t id = confirmed(code, true);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	clock_set(START);
	return id;
}

TEST(booking_is_asked_before_each_step_with_the_car_for_the_courier_and_with_a_key_of_its_own)
{
	struct delivery_actor boss = { 7, true };
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK);
	assert_string_equal(asked_key, arena_printf(scratch_memory, "delivery-%lld-leave-1", (long long)d.delivery_id));
	assert_int_equal(asked_user, 8);
	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK); /* it was done: not asked again */
	assert_int_equal(n_asked, 1);
	assert_int_equal(delivery_come_back(db, &d, "nobody there", &boss), DELIVERY_OK);
	assert_string_equal(asked_step, "back");
	assert_string_equal(d.note, "nobody there");
	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK);
	assert_string_equal(asked_key, arena_printf(scratch_memory, "delivery-%lld-leave-2", (long long)d.delivery_id));
	assert_int_equal(deliver(d.delivery_id, &boss), DELIVERY_OK);
	assert_string_equal(asked_step, "hand_over");
	assert_int_equal(n_asked, 4);
}

TEST(what_booking_refuses_is_not_done_and_the_car_s_holder_is_named)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_IN_USE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_CAR_IN_USE);
	assert_string_equal(d.in_use->booking_code, "MP-OTHER001");
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	assert_int_equal(d.asked_step, STEP_NONE);
	booking_reply = BOOKING_ANSWER_REFUSED;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
	booking_reply = BOOKING_ANSWER_IN_USE;
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_CAR_IN_USE);
	assert_true(delivery_read(db, d.delivery_id, &d));
	assert_int_equal(d.state, JOB_SHIPPED);
	assert_string_equal(d.received_by, ""); /* the record is removed */
	assert_int_equal(d.odometer_km, 0);
}

TEST(while_booking_is_down_nothing_changes)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_NOT_ASKED;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_LATER);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	delivery_sweep(db);
	assert_int_equal(n_asked, 1); /* no note was left behind */
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(a_step_whose_answer_was_lost_is_asked_for_again_and_stops_all_others)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };
	char key[80];

	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	strcpy(key, asked_key);
	assert_int_equal(assign_to(d.delivery_id, 9), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_cancel(db, &d, "x", &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_HAS_LEFT);
	assert_int_equal(delivery_come_back(db, &d, "x", &courier), DELIVERY_WRONG_STATE);
	booking_reply = BOOKING_ANSWER_NOT_ASKED; /* the first request may have arrived: the note stays */
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	booking_reply = BOOKING_ANSWER_DONE;
	delivery_sweep(db);
	assert_int_equal(n_asked, 2); /* not yet */
	clock_set(START + 60);
	delivery_sweep(db);
	assert_int_equal(n_asked, 3);
	assert_string_equal(asked_key, key);
	assert_string_equal(state_of(d.delivery_id), "SHIPPED");
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'delivery.shipped' /*scan*/"), 8);
	delivery_sweep(db);
	assert_int_equal(n_asked, 3);
}

TEST(a_hand_over_whose_answer_was_lost_keeps_its_record)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_PENDING);
	assert_string_equal(state_of(d.delivery_id), "SHIPPED");
	booking_is("MP-AAAAAAAA", "OUT"); /* booking has done it */
	booking_reply = BOOKING_ANSWER_DONE;
	clock_set(START + 60);
	delivery_sweep(db);
	assert_true(delivery_read(db, d.delivery_id, &d));
	assert_int_equal(d.state, JOB_DELIVERED);
	assert_int_equal(d.odometer_km, 12345);
	assert_string_equal(d.received_by, "Kim");
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(n_jobs(), 2); /* with its collection */
}

/* A no-show that can be undone until then: no courier may leave, and nothing is cancelled. */
static void
no_show_until(const char *code, int64_t undo_until)
{
	db_do(others, "UPDATE booking SET state = 'NO_SHOW', undo_until = $2 WHERE code = $1", code, undo_until);
	report("booking.no_show", code, "{\"undo_until\":\"2027-12-25T10:00:00+09:00\"}");
	handle_events(&delivery_consumer);
}

TEST(while_a_no_show_can_be_undone_its_job_stays_and_waits)
{
	int64_t id = assigned("MP-AAAAAAAA");
	struct delivery d = { .delivery_id = id };

	no_show_until("MP-AAAAAAAA", START + DAY);
	assert_string_equal(state_of(id), "SCHEDULED");
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	db_do(others, "UPDATE booking SET state = 'CONFIRMED', undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_UNDONE, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(a_courier_who_comes_back_while_a_no_show_can_be_undone_keeps_the_job)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	no_show_until("MP-AAAAAAAA", START + DAY);
	assert_int_equal(delivery_come_back(db, &d, "the door stayed closed", &courier), DELIVERY_OK);
	assert_string_equal(state_of(id), "SCHEDULED");
	db_do(others, "UPDATE booking SET undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_FINAL, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "CANCELLED");
}

/* Delivery was down all the time. */
TEST(an_undone_no_show_gets_the_job_that_was_never_requested)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, true, false);
	db_do(others, "UPDATE booking SET state = 'NO_SHOW', undo_until = 5 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 0);
	db_do(others, "UPDATE booking SET state = 'CONFIRMED', undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_UNDONE, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
}

TEST(a_job_whose_booking_ended_while_its_courier_wanted_to_leave_ends_too)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	booking_is("MP-AAAAAAAA", "NO_SHOW");
	booking_reports(EVENT_BOOKING_NO_SHOW, "MP-AAAAAAAA");
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	booking_reply = BOOKING_ANSWER_REFUSED;
	clock_set(START + 60);
	delivery_sweep(db);
	assert_string_equal(state_of(d.delivery_id), "CANCELLED");
}

static void
click_again(void)
{
	struct delivery d = { .delivery_id = db_int(db, "SELECT MAX(delivery_id) FROM delivery") };

	during_booking = NULL;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(of_two_clicks_at_once_both_find_it_done_and_it_is_reported_once)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	during_booking = click_again;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
	assert_int_equal(d.state, JOB_SHIPPED);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM v_event WHERE type = 'delivery.shipped' /*scan*/"), 1);
}

TEST(a_collected_car_is_on_the_way_until_it_is_back_at_the_branch)
{
	int64_t id = assigned("MP-AAAAAAAA");
	struct delivery d = { .delivery_id = id };

	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	d.delivery_id = db_int(db, "SELECT delivery_id FROM delivery WHERE direction = 'collection' /*scan*/");
	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	n_asked = 0;
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(n_asked, 0); /* the customer has the car */
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_OK);
	assert_string_equal(asked_step, "collect");
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_OK);
	assert_string_equal(asked_step, "back");
	assert_int_equal(d.back_at, START);
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_OK);
	assert_int_equal(n_asked, 2);
}

TEST_MAIN("delivery", NULL, NULL, begin, world_end)
