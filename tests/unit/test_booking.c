/*
 * test_booking - a car is booked and charged once: the price, the interval, placing a booking, and requests that are
 * repeated.
 */
#include "test.h"

#include "booking_world.h"

/* --- the price ---------------------------------------------------------------------------------------------------- */

TEST(two_days_three_hours_cost_207000)
{
	struct price *p = price_make(scratch_memory, NOW, NOW + 2 * DAY + 3 * HOUR, 90000, 9000);

	assert_int_equal(p->amount, 207000);
	assert_int_equal(p->n_lines, 2);
	assert_int_equal(p->lines[0].amount, 180000);
	assert_int_equal(p->lines[1].quantity, 3);
	assert_int_equal(p->vat_amount, 18818);
}

TEST(hours_never_cost_more_than_one_more_day)
{
	assert_int_equal(price_total(0, DAY + 10 * HOUR, 90000, 9000), 180000);
	assert_int_equal(price_total(0, DAY + 11 * HOUR, 90000, 9000), 180000);
	assert_int_equal(price_total(0, DAY + 9 * HOUR, 90000, 9000), 171000);
	assert_int_equal(
		price_make(scratch_memory, 0, DAY + 23 * HOUR, 90000, 9000)->lines[1].rule, PRICE_RULE_HOURLY_CAP);
}

TEST(a_started_hour_counts_and_lines_always_sum_to_the_total)
{
	assert_int_equal(price_total(0, 90 * 60, 90000, 9000), 18000);
	for (int64_t length = RENTAL_STEP_S; length < 5 * DAY; length += RENTAL_STEP_S) {
		struct price *p = price_make(scratch_memory, 0, length, 90000, 9000);
		int64_t sum = 0;

		for (int i = 0; i < p->n_lines; i++)
			sum += p->lines[i].amount;
		assert_int_equal(sum, p->amount);
		assert_int_equal(price_total(0, length, 90000, 9000), p->amount);
	}
}

/* --- the interval ------------------------------------------------------------------------------------------------- */

TEST(bad_intervals_are_refused_at_their_field)
{
	const char *field;

	assert_null(interval_problem(NOW + DAY, NOW + 2 * DAY, NOW, &field));
	assert_null(interval_problem(NOW, NOW + RENTAL_STEP_S, NOW + 1700, &field)); /* the current half hour */
	assert_non_null(interval_problem(NOW - RENTAL_STEP_S, NOW + DAY, NOW, &field));
	assert_string_equal(field, "starts_at");
	assert_non_null(interval_problem(NOW + 60, NOW + DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + DAY, NOW + DAY, NOW, &field));
	assert_string_equal(field, "ends_at");
	assert_non_null(interval_problem(NOW + 2 * DAY, NOW + DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + DAY, NOW + 5 * 365 * DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + 500 * DAY, NOW + 501 * DAY, NOW, &field));
}

/* --- placing ------------------------------------------------------------------------------------------------------ */

TEST(a_paid_booking_has_its_slot_its_lines_and_its_events)
{
	struct booking b = place_paid(NOW + DAY, NOW + 3 * DAY + 3 * HOUR), found;

	assert_int_equal(b.amount, 207000);
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(events("booking.held"), 1);
	assert_int_equal(events("booking.paid"), 1);
	assert_true(booking_find(db, b.code, 1, &found));
	assert_int_equal(found.n_lines, 2);
	assert_int_equal(found.lines[1].rule, PRICE_RULE_HOURLY);
	assert_int_equal(found.charge_id, 7);
	assert_false(booking_find(db, b.code, 2, &found)); /* another customer's */
	assert_true(booking_find(db, b.code, 0, &found));  /* a manager's view */
}

TEST(the_cars_name_is_frozen_in_both_languages)
{
	struct booking b, found;

	db_do(db, "UPDATE car SET name_ko = '현대 아반떼' WHERE car_id = 1");
	b = place_paid(NOW + DAY, NOW + 2 * DAY);
	db_do(db, "UPDATE car SET name_ko = '다른 이름' WHERE car_id = 1");
	assert_string_equal(b.car_name_ko, "현대 아반떼");
	assert_true(booking_find(db, b.code, 1, &found));
	assert_string_equal(found.car_name, "Avante");
	assert_string_equal(found.car_name_ko, "현대 아반떼");
	assert_true(db_exists(db,
		"SELECT 1 FROM v_event WHERE type = 'booking.held'"
		" AND payload LIKE '%\"car_name_ko\":\"현대 아반떼\"%' /*scan*/"));
}

TEST(two_customers_one_car_exactly_one_wins)
{
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY, NOW + 4 * DAY);
	struct booking b;

	place_paid(NOW + DAY, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
	assert_int_equal(n_charges, 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 1); /* the refused try left nothing */
	assert_int_equal(events("booking.held"), 1);
}

/* Nothing is in any table; the same key may then be used with the new total. */
TEST(another_price_than_the_agreed_one_is_neither_held_nor_charged)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 3 * DAY + 3 * HOUR);
	struct booking b;

	o.request_key = "k1";
	o.request_hash = "h1";
	o.has_agreed = true;
	o.agreed_amount = 207000;
	db_do(db, "UPDATE car SET daily_price = 2 * daily_price, hourly_price = 2 * hourly_price WHERE car_id = 1");
	assert_int_equal(booking_place(db, &o, &b), BOOKING_PRICE_CHANGED);
	assert_int_equal(b.amount, 414000);
	assert_string_equal(b.currency, "KRW");
	assert_int_equal(n_charges, 0);
	assert_int_equal(db_int(db, "SELECT (SELECT COUNT(*) FROM booking) + (SELECT COUNT(*) FROM slot) /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM v_event /*scan*/"), 0);
	o.agreed_amount = b.amount;
	o.request_hash = "h2";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(n_charges, 1);
	assert_int_equal(charged, 414000);
	db_do(db, "UPDATE car SET daily_price = 1, hourly_price = 1 WHERE car_id = 1"); /* booked is booked */
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN);
	o.agreed_amount = 207000;
	o.request_hash = "h1";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_KEY_REUSED);
}

TEST(a_lower_price_than_agreed_is_asked_about_too)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.has_agreed = true;
	o.agreed_amount = 90001;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_PRICE_CHANGED);
	o.agreed_amount = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_PRICE_CHANGED);
	o.agreed_amount = 90000;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

/* A car that is taken cannot be had at any price. */
TEST(a_taken_car_is_taken_whatever_was_agreed)
{
	struct booking_order o = order_car(2, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	place_paid(NOW + DAY, NOW + 3 * DAY);
	o.has_agreed = true;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
}

TEST(the_turnaround_buffer_is_kept_free)
{
	struct booking_order o;
	struct booking b;

	place_paid(NOW + DAY, NOW + 2 * DAY);
	o = order_car(2, 1, NOW + 2 * DAY + rental.turnaround_s - RENTAL_STEP_S, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
	o = order_car(2, 1, NOW + 2 * DAY + rental.turnaround_s, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(the_schema_itself_refuses_an_overlap)
{
	place_paid(NOW + DAY, NOW + 2 * DAY);
	assert_false(db_try(db,
		"INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, rev)"
		" VALUES (1, 'BLOCK', $1, $2, $2, 9)",
		NOW + DAY + HOUR, NOW + DAY + 2 * HOUR));
	assert_string_equal(db_refusal(db), "slot_taken");
	assert_true(db_try(db,
		"INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, rev)"
		" VALUES (1, 'RELEASED', $1, $2, $2, 9)",
		NOW + DAY + HOUR, NOW + DAY + 2 * HOUR));
	assert_false(db_try(db, "UPDATE slot SET kind = 'BLOCK' WHERE kind = 'RELEASED' /*scan*/"));
}

TEST(no_booking_past_HELD_without_a_charge_and_no_state_is_skipped)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_false(db_try(db, "UPDATE booking SET state = 'PAID' WHERE booking_id = $1", b.booking_id));
	assert_false(db_try(
		db, "UPDATE booking SET state = 'CONFIRMED', charge_id = 1 WHERE booking_id = $1", b.booking_id));
	assert_string_equal(db_refusal(db), "booking_state");
	assert_false(db_try(db, "UPDATE booking SET amount = 1 WHERE booking_id = $1", b.booking_id));
	assert_false(db_try(db, "DELETE FROM booking WHERE booking_id = $1", b.booking_id));
}

TEST(a_declined_card_leaves_no_hold_and_frees_the_key)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.request_key = "k1";
	o.request_hash = "h";
	charge_reply = CHARGE_ANSWER_DECLINED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(slots("RELEASED"), 1);
	assert_int_equal(events("booking.expired"), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE refund_state <> 'NONE' /*scan*/"), 0);
	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(no_answer_from_payment_releases_the_car_and_voids_the_charge)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_reply = CHARGE_ANSWER_UNKNOWN;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_UNANSWERED);
	assert_int_equal(slots("HOLD") + slots("BOOKED"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_PENDING);
	booking_sweep(db);
	assert_int_equal(refund_asked, 0); /* 0: void the whole charge */
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

TEST(with_payment_down_nothing_is_held_or_charged)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_reply = CHARGE_ANSWER_NOT_ASKED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	assert_int_equal(slots("HOLD") + slots("BOOKED"), 0);
	booking_sweep(db);
	assert_int_equal(n_refunds, 0);
}

/* No call, no write: nothing that would have to be released. */
TEST(with_payments_breaker_open_nothing_is_held_and_the_wait_is_known)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;
	int64_t n_events;

	o.request_key = "k-1";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	n_events = db_int(db, "SELECT MAX(event_id) FROM event");
	payment_closed_s = 17;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN); /* a repeated request is answered as before */
	o.request_key = "k-2";
	o.starts_at += 10 * DAY;
	o.ends_at += 10 * DAY;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	o.card_id = 0; /* and no hold to be paid on the provider's page */
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	assert_int_equal(booking_later_s(CALLEE_PAYMENT), 17);
	assert_int_equal(db_int(db, "SELECT MAX(event_id) FROM event"), n_events);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 1);
}

static void
sweep_meanwhile(const struct booking *b)
{
	struct booking seen = *b;

	booking_mark_paid(db, &seen, 7);
}

TEST(an_answer_that_comes_after_the_sweep_changes_nothing)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	during_payment = sweep_meanwhile;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(events("booking.paid"), 1);
}

TEST(a_card_of_another_customer_or_a_car_not_for_rent_is_refused)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 12;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_CARD);
	o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	o.car_id = 3;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_CAR);
	o.car_id = 99;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_CAR);
	o = order_car(1, 1, NOW - DAY, NOW + DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_INTERVAL);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 0);
}

TEST(a_customer_has_at_most_ten_open_bookings)
{
	struct booking_order o;
	struct booking b;

	for (int i = 0; i < rental.max_bookings_per_person; i++)
		place_paid(NOW + (2 * i + 1) * DAY, NOW + (2 * i + 2) * DAY);
	o = order_car(1, 1, NOW + 50 * DAY, NOW + 51 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_QUOTA);
	o = order_car(2, 1, NOW + 50 * DAY, NOW + 51 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

/* --- what is kept ------------------------------------------------------------------------------------------------- */

TEST(after_a_part_refund_the_kept_amount_and_its_vat_are_9000_and_818)
{
	struct booking b = { .state = BOOKING_CANCELLED,
		.paid_at = NOW,
		.amount = 29997,
		.vat_amount = 2727,
		.refunded_amount = 20997 };

	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.kept_amount, 9000);
	assert_int_equal(b.kept_vat_amount, 818);
	assert_int_equal(b.kept_vat_amount, vat_share(9000));
	b.refunded_amount = 29997;
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.kept_amount + b.kept_vat_amount, 0);
	b.refunded_amount = 0;
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.kept_amount, 29997);
	assert_int_equal(b.kept_vat_amount, 2727);
	b.paid_at = 0; /* nothing was paid, so nothing is kept */
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.kept_amount + b.kept_vat_amount, 0);
}

/* With the largest amounts too: the shares of the parts never exceed the whole. */
TEST(the_shares_of_extras_never_exceed_the_refund)
{
	struct booking_extra extras[3] = { { .amount = 1 }, { .amount = 3000000000000000000 }, { .amount = 0 } };
	struct booking b = { .state = BOOKING_CANCELLED,
		.paid_at = NOW,
		.amount = 4000000000000000001,
		.vat_amount = 363636363636363636,
		.refund_due = 2800000000000000000,
		.extras = extras,
		.n_extras = 3 };

	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.extras[0].refund_share, 0);
	assert_true(b.extras[1].refund_share > 2000000000000000000);
	assert_true(b.extras[1].refund_share < 2100000000000000000 + 1);
	assert_int_equal(b.extras[2].refund_share, 0);
	assert_int_equal(extras[1].refund_share, 0); /* the caller's are left as they are */
}

/* --- the client's key --------------------------------------------------------------------------------------------- */

TEST(the_same_key_and_body_is_the_same_booking)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking first, again;

	o.request_key = "k1";
	o.request_hash = "h1";
	assert_int_equal(booking_place(db, &o, &first), BOOKING_OK);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_AGAIN);
	assert_string_equal(first.code, again.code);
	assert_int_equal(again.n_lines, first.n_lines);
	assert_int_equal(n_charges, 1);
	o.request_hash = "h2";
	assert_int_equal(booking_place(db, &o, &again), BOOKING_KEY_REUSED);
	o = order_car(2, 1, NOW + 5 * DAY, NOW + 6 * DAY); /* another customer's key of the same name is another key */
	o.request_key = "k1";
	o.request_hash = "h3";
	assert_int_equal(booking_place(db, &o, &again), BOOKING_OK);
}

/* --- one's own booking in the way --------------------------------------------------------------------------------- */

static struct booking
place_hold(int64_t car_id, int64_t from, int64_t until, const char *key, const char *hash)
{
	struct booking_order o = order_car(1, car_id, from, until);
	struct booking b;

	o.card_id = 0;
	o.request_key = key;
	o.request_hash = hash;
	o.is_form = true;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	return b;
}

TEST(other_hours_of_a_car_that_one_holds_oneself_are_refused_with_that_hold)
{
	struct booking first = place_hold(1, NOW + DAY, NOW + 2 * DAY, "k1", "h1"), b;
	struct booking_order o = order_car(1, 1, NOW + DAY + 2 * HOUR, NOW + 3 * DAY);

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OWN);
	assert_string_equal(b.code, first.code);
	assert_true(booking_is_hold(&b));
	assert_string_equal(own_booking_in_words(scratch_memory, &b),
		"You are holding this car until 17:10. Pay for it, or give it up.");
	o = order_car(2, 1, NOW + DAY + 2 * HOUR, NOW + 3 * DAY); /* another customer is told nothing of it */
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
	assert_int_equal(n_charges, 0);
	o = order_car(1, 1, NOW + DAY + 2 * HOUR, NOW + 3 * DAY);
	assert_int_equal(booking_cancel(db, &first, 1, "customer"), CANCEL_DONE);
	assert_int_equal(first.state, BOOKING_EXPIRED);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(overlapping_hours_of_ones_own_paid_booking_are_refused_with_it)
{
	struct booking paid = place_paid(NOW + DAY, NOW + 2 * DAY), b;
	struct booking_order o = order_car(1, 1, NOW + DAY + HOUR, NOW + DAY + 2 * HOUR);

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OWN);
	assert_string_equal(b.code, paid.code);
	assert_false(booking_is_hold(&b));
	o.ends_at = NOW + 9 * DAY;
	o.starts_at = NOW + 8 * DAY;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

/* Back, something is changed, and sent again with the form's key: another order, and its double click is one. */
TEST(a_changed_form_after_an_unpaid_hold_is_another_order_with_a_key_of_its_own)
{
	struct booking first = place_hold(1, NOW + DAY, NOW + 2 * DAY, "k1", "h1"), second, b;
	struct booking_order o = order_car(1, 2, NOW + DAY, NOW + 2 * DAY);

	o.request_key = "k1";
	o.request_hash = "h2";
	o.is_form = true;
	assert_int_equal(booking_place(db, &o, &second), BOOKING_OK);
	assert_string_not_equal(second.code, first.code);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN);
	assert_string_equal(b.code, second.code);
	o.car_id = 1; /* the first form again is still the first order */
	o.card_id = 0;
	o.request_hash = "h1";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN);
	assert_string_equal(b.code, first.code);
	assert_int_equal(n_charges, 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 2);
}

TEST(a_changed_form_after_a_charge_is_refused_and_so_is_a_programs_key_after_a_hold)
{
	struct booking first = place_hold(1, NOW + DAY, NOW + 2 * DAY, "k1", "h1"), b;
	struct booking_order o = order_car(1, 2, NOW + DAY, NOW + 2 * DAY);

	o.request_key = "k1";
	o.request_hash = "h2";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_KEY_REUSED); /* a program's */
	assert_int_equal(booking_pay(db, &first, &new_card), BOOKING_OK);
	o.is_form = true;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_KEY_REUSED);
	assert_string_equal(b.code, first.code);
	assert_int_equal(n_charges, 1);
}

static struct booking_order repeated;
static enum booking_outcome rival_outcome;

static void
repeat_request(const struct booking *b)
{
	struct booking other;

	(void)b;
	during_payment = NULL;
	rival_outcome = booking_place(db, &repeated, &other);
}

TEST(the_same_key_during_the_first_request_is_in_progress)
{
	struct booking b;

	repeated = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	repeated.request_key = "k1";
	repeated.request_hash = "h1";
	during_payment = repeat_request;
	assert_int_equal(booking_place(db, &repeated, &b), BOOKING_OK);
	assert_int_equal(rival_outcome, BOOKING_IN_PROGRESS);
	assert_int_equal(n_charges, 1);
}

TEST_MAIN("booking", NULL, NULL, begin, end)
