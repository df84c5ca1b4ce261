/*
 * test_booking_undo - a no-show and a return can be undone for undo_window_s: until then nothing that cannot be taken
 * back happens, then all of it at once, and a later act with the car ends the possibility.
 */
#include "test.h"

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

#define WINDOW 600

TEST_SETUP(begin_with_undo)
{
	int failed = begin(state);

	rental.undo_window_s = WINDOW;
	return failed;
}

static struct booking
confirmed(int64_t customer_id, int64_t from, int64_t until)
{
	struct booking_order o = order_car(customer_id, 1, from, until);
	struct booking b;

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

/* Recorded as not picked up, an hour after its start. */
static struct booking
absent(void)
{
	struct booking b = confirmed(1, NOW + DAY, NOW + 4 * DAY);

	clock_set(b.starts_at + rental.no_show_grace_s);
	assert_true(booking_no_show(db, &b, 9));
	return find(b.code);
}

/* Handed over at its start and back a day later, two days early. */
static struct booking
returned(void)
{
	struct booking b = confirmed(1, NOW + DAY, NOW + 4 * DAY);

	clock_set(b.starts_at);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY);
	assert_true(booking_take_back(db, &b, 9));
	return find(b.code);
}

static enum undo_outcome
undo(const struct booking *b, enum booking_state act)
{
	struct booking now = find(b->code);
	struct custody since;

	return booking_undo(db, &now, act, 9, &since);
}

static int64_t
slot_end(const struct booking *b)
{
	return db_int(db, "SELECT MIN(ends_at) FROM slot WHERE booking_id = $1 AND booking_id <> 0", b->booking_id);
}

static int64_t
n_open(int64_t car_id)
{
	return db_int(db, "SELECT COUNT(*) FROM custody WHERE car_id = $1 AND to_at IS NULL", car_id);
}

/* --- while it can be undone --------------------------------------------------------------------------------------- */

TEST(while_a_no_show_can_be_undone_the_car_stays_booked_and_nothing_is_refunded)
{
	struct booking b = absent(), other;
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY, NOW + 3 * DAY);

	assert_int_equal(b.state, BOOKING_NO_SHOW);
	assert_int_equal(b.undo_until, clock_now() + WINDOW);
	clock_set(b.undo_until - 1);
	booking_sweep(db);
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_TAKEN);
	b = find(b.code);
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(n_refunds, 0);
	assert_int_equal(events("booking.no_show"), 1);
	assert_int_equal(events("booking.no_show_final"), 0);
	assert_true(payload_has("booking.no_show", "\"undo_until\":\"2027-"));
}

TEST(while_a_return_can_be_undone_its_hours_stay_booked_and_it_is_not_completed)
{
	struct booking b = returned(), other;
	struct booking_order o = order_car(2, 1, NOW + 3 * DAY, NOW + 4 * DAY);

	assert_int_equal(b.state, BOOKING_RETURNED);
	assert_int_equal(n_open(1), 0); /* the car is at the branch at once */
	clock_set(b.undo_until - 1);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_RETURNED);
	assert_int_equal(slot_end(&b), b.ends_at);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_TAKEN);
	assert_int_equal(events("booking.completed"), 0);
	clock_set(b.undo_until);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(slot_end(&b), NOW + 2 * DAY); /* from the return, not from now */
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	assert_int_equal(events("booking.completed"), 1);
}

TEST(the_schema_refuses_what_has_to_wait)
{
	struct booking b = absent();

	assert_false(db_try(
		db, "UPDATE slot SET kind = 'RELEASED' WHERE booking_id = $1 AND booking_id <> 0", b.booking_id));
	assert_false(db_try(
		db, "UPDATE slot SET ends_at = ends_at - 1 WHERE booking_id = $1 AND booking_id <> 0", b.booking_id));
	assert_false(db_try(db, "UPDATE booking SET refund_due = 1 WHERE booking_id = $1", b.booking_id));
	assert_false(db_try(db, "UPDATE booking SET refund_state = 'PENDING' WHERE booking_id = $1", b.booking_id));
	clock_set(b.undo_until);
	booking_sweep(db);
	assert_false(
		db_try(db, "UPDATE booking SET state = 'CONFIRMED' WHERE booking_id = $1", b.booking_id)); /* final */
	assert_false(db_try(
		db, "UPDATE booking SET undo_until = 5, state = 'COMPLETED' WHERE booking_id = $1", b.booking_id));
}

TEST(what_can_be_undone_counts_among_the_open_bookings)
{
	struct booking b = absent(), other;
	struct booking_order o = order_car(1, 2, NOW + 5 * DAY, NOW + 6 * DAY);

	rental.max_bookings_per_person = 1;
	assert_int_equal(booking_place(db, &o, &other), BOOKING_QUOTA);
	clock_set(b.undo_until);
	booking_sweep(db);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

/* --- undone ------------------------------------------------------------------------------------------------------- */

TEST(an_undone_no_show_is_confirmed_as_before)
{
	struct booking b = absent();

	clock_set(b.undo_until - 1);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_DONE);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.undo_until, 0);
	assert_int_equal(b.ended_at, 0);
	assert_string_equal(b.end_reason, "");
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_NOTHING); /* a second click */
	assert_int_equal(events("booking.no_show_undone"), 1);
	assert_true(booking_hand_out(db, &b, 9));
}

TEST(after_an_undone_no_show_the_sweep_waits_as_long_again)
{
	struct booking b = absent();
	int64_t undone_at = b.undo_until - 1;

	clock_set(undone_at);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_DONE);
	clock_set(undone_at + rental.no_show_after_s - 1);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	b = find(b.code);
	assert_true(booking_no_show(db, &b, 9)); /* a manager may at once */
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_DONE);
	clock_set(clock_now() + rental.no_show_after_s);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
	assert_int_equal(events("booking.no_show"), 3);
}

TEST(an_undone_return_has_the_car_in_the_same_custody_without_a_gap)
{
	struct booking b = returned();

	clock_set(b.undo_until - 1);
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_DONE);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(b.ended_at, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM custody /*scan*/"), 1);
	assert_true(db_exists(db,
		"SELECT 1 FROM custody WHERE booking_id = $1 AND kind = 'customer' AND user_id = 1 AND from_at = $2"
		" AND to_at IS NULL",
		b.booking_id, NOW + DAY));
	assert_int_equal(events("booking.return_undone"), 1);
	clock_set(NOW + 3 * DAY);
	assert_true(booking_take_back(db, &b, 9)); /* really, this time */
	clock_set(clock_now() + WINDOW);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(slot_end(&b), NOW + 3 * DAY);
}

/* --- too late ----------------------------------------------------------------------------------------------------- */

TEST(at_its_end_it_can_no_longer_be_undone_even_before_the_sweep)
{
	struct booking b = absent();

	clock_set(b.undo_until);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_OVER);
	booking_sweep(db);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_OVER);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
	assert_int_equal(events("booking.no_show_undone"), 0);
	assert_int_equal(events("booking.no_show_final"), 1);
}

/* The next customer need not wait for the end of the window. */
TEST(the_next_customer_has_the_car_at_once_and_then_the_return_stays)
{
	struct booking first = confirmed(1, NOW, NOW + DAY);
	struct booking next = confirmed(2, NOW + DAY + rental.turnaround_s, NOW + 3 * DAY), b;
	struct custody since;

	assert_true(booking_hand_out(db, &first, 9));
	clock_set(NOW + DAY + rental.turnaround_s);
	assert_true(booking_take_back(db, &first, 9));
	assert_true(booking_hand_out(db, &next, 9));
	b = find(first.code);
	assert_int_equal(booking_undo(db, &b, BOOKING_RETURNED, 9, &since), UNDO_CAR_MOVED);
	assert_string_equal(since.booking_code, next.code);
	assert_int_equal(find(first.code).state, BOOKING_RETURNED);
	assert_true(booking_take_back(db, &next, 9)); /* also when that one is back */
	assert_int_equal(undo(&first, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(undo(&next, BOOKING_RETURNED), UNDO_DONE);
	clock_set(clock_now() + WINDOW);
	booking_sweep(db);
	assert_int_equal(find(first.code).state, BOOKING_COMPLETED);
	assert_int_equal(find(next.code).state, BOOKING_OUT);
}

TEST(a_no_show_is_not_undone_when_the_car_is_with_the_next_customer)
{
	struct booking first = confirmed(1, NOW, NOW + 2 * HOUR);
	struct booking next = confirmed(2, NOW + 2 * HOUR + rental.turnaround_s, NOW + 2 * DAY);

	clock_set(first.ends_at - 60);
	assert_true(booking_no_show(db, &first, 9));
	clock_set(first.ends_at);
	assert_true(booking_hand_out(db, &next, 9));
	assert_int_equal(undo(&first, BOOKING_NO_SHOW), UNDO_CAR_MOVED);
	assert_int_equal(find(first.code).state, BOOKING_NO_SHOW);
}

TEST(a_car_that_was_moved_by_staff_since_is_not_with_the_customer_again)
{
	struct booking b = returned();

	clock_set(clock_now() + 60);
	db_do(db,
		"INSERT INTO custody (key, car_id, kind, user_id, from_at, to_at, ended_by)"
		" VALUES ('move', 1, 'staff', 9, $1, $1, 'returned')",
		clock_now());
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(n_open(1), 0);
}

TEST(a_car_that_was_taken_out_of_service_since_is_not_with_the_customer_again)
{
	struct booking b = returned();

	db_do(db, "UPDATE car SET service = 'OUT_OF_SERVICE', service_at = $1 WHERE car_id = 1", b.ended_at - 60);
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_DONE); /* it was before the return */
	b = find(b.code);
	assert_true(booking_take_back(db, &b, 9));
	db_do(db, "UPDATE car SET service_at = $1 WHERE car_id = 1", clock_now());
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_CAR_GONE);
	assert_int_equal(n_open(1), 0);
}

/* Its own courier has it. */
TEST(what_a_courier_has_collected_is_not_undone_and_is_completed_like_any_return)
{
	struct booking b = confirm_with_extras();
	struct custody_request collect = {
		.key = "delivery-1-collect-1", .booking_code = b.code, .step = CUSTODY_COLLECT, .user_id = 5
	};
	struct custody_request back = { .key = "delivery-1-back-1",
		.begun_key = collect.key,
		.booking_code = b.code,
		.step = CUSTODY_BACK,
		.user_id = 5 };
	struct custody_refusal why;

	report_delivery("delivery.delivered", &b, "delivery", "");
	clock_set(NOW + 4 * DAY);
	assert_int_equal(custody_take_step(db, &collect, &why), CUSTODY_DONE);
	assert_int_equal(find(b.code).state, BOOKING_RETURNED);
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(custody_take_step(db, &back, &why), CUSTODY_DONE);
	assert_int_equal(n_open(1), 0);
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(slot_end(&b), b.ends_at);
	clock_set(clock_now() + WINDOW);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(slot_end(&b), NOW + 4 * DAY);
}

TEST(a_return_of_a_car_that_another_customer_took_over_is_not_undone)
{
	struct booking late = confirmed(1, NOW, NOW + DAY);
	struct booking next = confirmed(2, NOW + DAY + rental.turnaround_s, NOW + 3 * DAY);

	assert_true(booking_hand_out(db, &late, 9));
	clock_set(next.starts_at);
	report_delivery("delivery.delivered", &next, "delivery", ""); /* cannot be refused any more */
	next = find(next.code);
	assert_int_equal(next.state, BOOKING_OUT);
	assert_true(booking_take_back(db, &next, 9));
	clock_set(clock_now() + 2 * WINDOW);
	booking_sweep(db);
	assert_true(booking_take_back(db, &late, 9));
	assert_int_equal(undo(&late, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(find(late.code).state, BOOKING_RETURNED);
}

TEST(a_clock_set_back_does_not_delay_what_is_final)
{
	struct booking b = absent();

	clock_set(b.ended_at - HOUR);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.undo_until, 0);
	assert_int_equal(events("booking.no_show_final"), 1);
}

/* --- several cars ------------------------------------------------------------------------------------------------- */

static struct booking
two_cars(int64_t from, int64_t until)
{
	struct booking_order o = {
		.customer_id = 1, .model_id = 7, .qty = 2, .starts_at = from, .ends_at = until, .card_id = 11
	};
	struct booking b;

	db_script(db,
		"INSERT INTO car_model (model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price)"
		" VALUES (7, 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000);"
		"UPDATE car SET model_id = 7, rev = rev + 10 WHERE car_id IN (1, 2)");
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

TEST(of_several_cars_all_wait_all_are_undone_and_all_end)
{
	struct booking b = two_cars(NOW + DAY, NOW + 4 * DAY);

	clock_set(b.starts_at);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY);
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(n_open(1) + n_open(2), 0);
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_DONE);
	assert_int_equal(n_open(1) + n_open(2), 2);
	b = find(b.code);
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(slot_end(&b), b.ends_at);
	clock_set(clock_now() + WINDOW);
	booking_sweep(db);
	assert_int_equal(
		db_int(db, "SELECT COUNT(*) FROM slot WHERE ends_at = $1 AND kind = 'BOOKED' /*scan*/", NOW + 2 * DAY),
		2);
}

TEST(when_one_of_several_cars_has_moved_none_is_undone)
{
	struct booking b = two_cars(NOW + DAY, NOW + 4 * DAY);

	clock_set(b.starts_at);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY);
	assert_true(booking_take_back(db, &b, 9));
	db_do(db, "INSERT INTO custody (key, car_id, kind, user_id, from_at) VALUES ('move', 2, 'staff', 9, $1)",
		clock_now());
	assert_int_equal(undo(&b, BOOKING_RETURNED), UNDO_CAR_MOVED);
	assert_int_equal(n_open(1), 0);
}

TEST(a_no_show_of_several_cars_frees_all_when_it_is_final)
{
	struct booking b = two_cars(NOW + DAY, NOW + 4 * DAY);

	clock_set(b.starts_at + rental.no_show_grace_s);
	assert_true(booking_no_show(db, &b, 9));
	assert_int_equal(slots("BOOKED"), 2);
	assert_int_equal(undo(&b, BOOKING_NO_SHOW), UNDO_DONE);
	b = find(b.code);
	assert_true(booking_no_show(db, &b, 9));
	clock_set(clock_now() + WINDOW);
	booking_sweep(db);
	assert_int_equal(slots("RELEASED"), 2);
	assert_int_equal(refunded, b.amount * 90 / 100);
}

/* --- the money and the extras ------------------------------------------------------------------------------------- */

TEST(extras_stay_booked_until_a_no_show_is_final_and_are_refunded_with_it)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at + rental.no_show_grace_s);
	assert_true(booking_no_show(db, &b, 9));
	b = find(b.code);
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.extras[0].state, EXTRA_BOOKED);
	assert_int_equal(b.kept_amount, b.amount);
	clock_set(b.undo_until);
	booking_sweep(db);
	b = find(b.code);
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(refunded, b.amount * 90 / 100);
	assert_int_equal(b.kept_amount, b.amount - b.amount * 90 / 100);
	assert_int_equal(b.extras[0].state, EXTRA_ENDED);
	assert_string_equal(b.extras[0].end_reason, "booking_no_show");
	report_equipment("equipment.cancelled", &b, (int)b.extras[2].line_no, "manager", "manager"); /* too late */
	booking_sweep(db);
	assert_int_equal(refunded, b.amount * 90 / 100);
}

TEST(an_extra_that_ends_while_a_no_show_can_be_undone_is_refunded_in_full_and_once)
{
	struct booking b = confirm_with_extras();
	int64_t rest;

	clock_set(b.starts_at + rental.no_show_grace_s);
	assert_true(booking_no_show(db, &b, 9));
	b = find(b.code);
	report_equipment("equipment.cancelled", &b, (int)b.extras[2].line_no, "manager", "manager");
	rest = b.amount - b.extras[2].amount;
	clock_set(b.undo_until);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.refund_due, rest * 90 / 100);
	assert_int_equal(refunded, b.extras[2].amount + rest * 90 / 100);
}

TEST(a_booking_keeps_the_late_share_it_was_booked_with)
{
	struct booking b;

	rental.refund_late_percent = 40;
	b = absent();
	rental.refund_late_percent = 90;
	clock_set(b.undo_until);
	booking_sweep(db);
	assert_int_equal(refunded, b.amount * 40 / 100);
}

TEST(with_a_late_share_of_nothing_a_final_no_show_has_no_refund)
{
	struct booking b;

	rental.refund_late_percent = 0;
	b = absent();
	clock_set(b.undo_until);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(n_refunds, 0);
	assert_int_equal(events("booking.no_show_final"), 1);
	assert_int_equal(slots("RELEASED"), 1);
}

/* --- another person has the car ----------------------------------------------------------------------------------- */

/* The calendar knows nothing of a courier on the way, or of a move. */
TEST(while_staff_have_the_car_its_customer_is_no_no_show)
{
	struct booking b = confirmed(1, NOW + DAY, NOW + 4 * DAY);
	struct custody other;
	int64_t from;

	clock_set(NOW + DAY - HOUR);
	db_do(db, "INSERT INTO custody (key, car_id, kind, user_id, from_at) VALUES ('move', 1, 'staff', 9, $1)",
		clock_now());
	clock_set(b.starts_at + 5 * HOUR);
	booking_sweep(db);
	assert_int_equal(booking_may_no_show(db, &b, &from, &other), NO_SHOW_CAR_AWAY);
	assert_int_equal(other.kind, CUSTODY_STAFF);
	assert_false(booking_no_show(db, &b, 9));
	db_do(db, "UPDATE custody SET to_at = $1, ended_by = 'returned' WHERE key = 'move'", clock_now());
	assert_int_equal(booking_may_no_show(db, &b, &from, &other), NO_SHOW_TOO_EARLY);
	assert_int_equal(from, clock_now() + rental.no_show_grace_s);
	clock_set(from);
	assert_true(booking_no_show(db, &b, 9));
}

/* It was at the branch in all its hours. */
TEST(a_customer_who_has_the_car_after_the_booking_is_not_in_its_way)
{
	struct booking first = confirmed(1, NOW, NOW + HOUR);
	struct booking next = confirmed(2, NOW + HOUR + rental.turnaround_s, NOW + 2 * DAY);

	clock_set(next.starts_at);
	assert_true(booking_hand_out(db, &next, 9));
	assert_true(booking_no_show(db, &first, 9));
}

TEST_MAIN("booking_undo", NULL, NULL, begin_with_undo, end)
