/*
 * test_booking_firm - the firm cannot keep a booking: all is refunded and the customer is compensated once; managers
 * give back parts of a price, never more than was paid.
 */
#include "test.h"

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

#define MANAGER 9

static const struct firm_cancel broken = { .actor_id = MANAGER, .reason = "car_broken", .note = "The gearbox failed." };

static struct booking
confirmed(int64_t from, int64_t until)
{
	struct booking b = place_paid(from, until);

	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

/* Booked, handed over, and due in a day: 90,000. */
static struct booking
out(void)
{
	struct booking b = confirmed(NOW + HOUR, NOW + DAY + HOUR);

	clock_set(NOW + HOUR);
	assert_true(booking_hand_out(db, &b, MANAGER));
	return find(b.code);
}

static struct booking
completed(void)
{
	struct booking b = out();

	assert_true(booking_take_back(db, &b, MANAGER));
	return find(b.code);
}

static struct booking
summed(const char *code)
{
	struct booking b = find(code);

	booking_sum_up(&b, scratch_memory);
	return b;
}

static void
sweep_for(int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i += 30) {
		clock_set(clock_now() + 30);
		booking_sweep(db);
	}
}

/* --- cancelled by the firm ---------------------------------------------------------------------------------------- */

TEST(the_firm_gives_back_everything_and_compensates_at_any_hour_before_the_start)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);
	struct cancel_preview p;

	clock_set(NOW + 5 * DAY - 5 * HOUR);
	assert_true(cancel_preview(&b, clock_now(), &p));
	assert_int_equal(p.refund, 81000); /* for the customer: their rule */
	assert_true(firm_cancel_preview(&b, &p));
	assert_int_equal(p.refund, 90000);
	assert_int_equal(p.compensation, 9000);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = summed(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 90000);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.kept_vat_amount, 0);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	assert_string_equal(b.cancel_reason, "car_broken");
	assert_string_equal(b.cancel_note, "The gearbox failed.");
	assert_int_equal(b.compensation_state, REFUND_DONE);
	assert_int_equal(paid_out, 9000);
	assert_string_equal(payout_keys[0].key, arena_printf(scratch_memory, "%s-compensation", b.code));
	assert_true(payload_has("booking.cancel_requested", "\"cancel_by\":\"firm\""));
	assert_true(payload_has("booking.cancel_requested", "\"compensation_due\":9000"));
	assert_null(strstr(payload("booking.cancel_requested"), "gearbox")); /* what people type stays out of the log */
	assert_int_equal(slots("RELEASED"), 1);
}

TEST(a_second_click_neither_refunds_nor_compensates_twice)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	for (int i = 0; i < 3; i++)
		assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(refunded, 90000);
	assert_int_equal(paid_out, 9000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(the_firm_cancels_after_the_start_what_was_never_handed_over)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);
	struct cancel_preview p;

	clock_set(NOW + DAY + 3 * HOUR);
	assert_false(cancel_preview(&b, clock_now(), &p));
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_NOT_POSSIBLE);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(find(b.code).refunded_amount, 90000);
}

TEST(a_car_that_was_handed_over_and_an_unpaid_hold_are_not_cancelled_by_the_firm)
{
	struct booking b = out(), held;

	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_NOT_POSSIBLE);
	clock_set(NOW);
	held = (struct booking){ 0 };
	{
		struct booking_order o = order_car(2, 2, NOW + 3 * DAY, NOW + 4 * DAY);

		o.card_id = 0;
		assert_int_equal(booking_place(db, &o, &held), BOOKING_OK);
	}
	assert_int_equal(booking_cancel_by_firm(db, &held, &broken), CANCEL_NOT_POSSIBLE);
	assert_int_equal(paid_out, 0);
}

TEST(extras_come_back_too_also_those_that_were_refunded_before)
{
	struct booking b = confirm_with_extras(); /* 250,000; seats 20,000 */

	report_equipment("equipment.rejected", &b, 4, "reviewer", "no");
	booking_sweep(db);
	assert_int_equal(refunded, 20000);
	b = find(b.code);
	clock_set(b.starts_at - HOUR);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = summed(b.code);
	assert_int_equal(refunded, b.amount);
	assert_int_equal(b.refunded_amount, b.amount - 20000);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.compensation_due, b.amount / 10);
}

TEST(the_settings_say_how_much_the_compensation_is)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	assert_int_equal(compensation_of(&b), 9000);
	rental.firm_compensation_min = 20000;
	assert_int_equal(compensation_of(&b), 20000);
	rental.firm_compensation_min = rental.firm_compensation_percent = 0;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = find(b.code);
	assert_int_equal(b.refunded_amount, 90000);
	assert_int_equal(b.compensation_state, REFUND_NONE);
	assert_int_equal(n_payouts, 0);
}

TEST(while_payment_is_down_the_booking_is_cancelled_and_the_compensation_follows_once)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	payout_reply = PAYOUT_ANSWER_LATER;
	refund_reply = REFUND_ANSWER_LATER;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	assert_int_equal(slots("RELEASED"), 1);
	sweep_for(300);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(b.compensation_state, REFUND_PENDING);
	assert_int_equal(paid_out, 0);
	assert_true(n_payouts > 3);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(booking_stuck_kind(&b), STUCK_COMPENSATION);
	payout_reply = PAYOUT_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	assert_int_equal(paid_out, 9000);
	sweep_for(120);
	assert_int_equal(n_payout_keys, 1);
}

/* Payment has the payout, and its caller died before it wrote that down. */
TEST(an_answer_that_was_lost_is_asked_for_under_the_same_key)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	booking_cancel_by_firm(db, &b, &broken);
	db_do(db, "UPDATE booking SET compensation_state = 'PENDING' WHERE booking_id = $1", b.booking_id);
	sweep_for(120);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	assert_int_equal(n_payouts, 2);
	assert_int_equal(paid_out, 9000);
}

TEST(a_compensation_is_tried_with_growing_pauses)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	payout_reply = PAYOUT_ANSWER_REFUSED;
	booking_cancel_by_firm(db, &b, &broken);
	assert_in_range(longest_gap(&n_payouts, 600), 40, PAUSE_MAX_S);
	assert_int_equal(find(b.code).compensation_state, REFUND_PENDING);
}

TEST(a_refused_car_is_compensated_if_the_settings_say_so)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY), other;
	struct booking_order o = order_car(2, 2, NOW + DAY, NOW + 2 * DAY);

	report_event("car.refused", b.code, "{}");
	assert_true(payload_has("booking.rejected", "\"compensation_due\":9000"));
	report_event("car.refused", b.code, "{}");
	booking_sweep(db);
	assert_int_equal(paid_out, 9000);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	rental.firm_compensation_refused = false;
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	report_event("car.refused", other.code, "{}");
	booking_sweep(db);
	assert_int_equal(find(other.code).state, BOOKING_REJECTED);
	assert_int_equal(paid_out, 9000);
}

TEST(a_manager_who_cancels_for_the_customer_applies_their_rule_without_a_compensation)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);

	clock_set(b.starts_at - HOUR);
	assert_int_equal(booking_cancel(db, &b, MANAGER, "manager"), CANCEL_DONE);
	b = find(b.code);
	assert_int_equal(b.refunded_amount, 81000);
	assert_int_equal(b.cancel_by, CANCEL_BY_CUSTOMER);
	assert_int_equal(n_payouts, 0);
}

/* --- with a delivery: what was asked for is in the row ------------------------------------------------------------ */

TEST(the_firms_wish_waits_for_delivery_and_keeps_its_terms)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at - HOUR);
	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	clock_set(b.starts_at + HOUR); /* it began meanwhile */
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, b.amount);
	assert_string_equal(b.cancel_note, "The gearbox failed.");
	assert_int_equal(paid_out, b.amount / 10);
}

TEST(a_wish_that_comes_too_late_is_withdrawn_with_its_words)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_SHIPPED;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_SHIPPED);
	b = find(b.code);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(b.cancel_by, CANCEL_BY_NONE);
	assert_string_equal(b.cancel_note, "");
	assert_int_equal(n_payouts, 0);
}

TEST(the_firms_wish_replaces_the_customers_and_not_the_other_way_round)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at - HOUR);
	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	assert_int_equal(find(b.code).cancel_by, CANCEL_BY_CUSTOMER);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	b = find(b.code);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	assert_int_equal(b.cancel_asked_by, MANAGER);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	sweep_for(120);
	assert_int_equal(find(b.code).refunded_amount, b.amount);
}

/* --- what the schema refuses -------------------------------------------------------------------------------------- */

#define REFUSED(word, sql, ...) \
	do { \
		assert_false(db_try(db, sql, __VA_ARGS__)); \
		assert_string_equal(db_refusal(db), word); \
	} while (0)

TEST(the_schema_refuses_that_the_firm_keeps_money_or_that_others_are_compensated)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	REFUSED("firm_keeps_nothing",
		"UPDATE booking SET state = 'CANCEL_REQUESTED', cancel_by = 'firm', cancel_reason = 'other',"
		" refund_due = amount - 1 WHERE booking_id = $1",
		b.booking_id);
	REFUSED("compensation_is_frozen",
		"UPDATE booking SET compensation_due = 1, compensation_state = 'PENDING' WHERE booking_id = $1",
		b.booking_id);
	booking_cancel_by_firm(db, &b, &broken);
	REFUSED("compensation_is_frozen", "UPDATE booking SET compensation_due = 8999 WHERE booking_id = $1",
		b.booking_id);
	REFUSED("booking_is_frozen",
		"UPDATE booking SET cancel_by = 'customer', cancel_reason = '', cancel_note = ''"
		" WHERE booking_id = $1",
		b.booking_id);
}

TEST(the_schema_refuses_more_refunds_than_the_price)
{
	struct booking b = completed();

	REFUSED("refund_too_much",
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by)"
		" VALUES ($1, 1, 90001, 'other', 'x', 1, 1)",
		b.booking_id);
	db_do(db,
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by)"
		" VALUES ($1, 1, 50000, 'other', 'x', 1, 1)",
		b.booking_id);
	REFUSED("refund_too_much", "UPDATE booking SET refund_due = 40001 WHERE booking_id = $1", b.booking_id);
	REFUSED("part_refund_is_frozen", "UPDATE part_refund SET amount = 1 WHERE booking_id = $1", b.booking_id);
}

/* --- the car did not come back in time ---------------------------------------------------------------------------- */

/* A customer has the car beyond the start of the next booking, [NOW + 2 days, until). */
static struct booking
late_before(int64_t until, struct booking *next)
{
	struct booking late = place_paid(NOW + DAY, NOW + 2 * DAY - rental.turnaround_s);
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY, until);

	assert_int_equal(booking_place(db, &o, next), BOOKING_OK);
	report_event("car.reserved", late.code, "{}");
	report_event("car.reserved", next->code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &late);
	assert_true(booking_hand_out(db, &late, MANAGER));
	*next = find(next->code);
	return late;
}

static int64_t
n_listed(int kind)
{
	struct stuck_query q = { .kind = kind, .now = clock_now(), .limit = 50 };

	return stuck_rows_count(db, &q);
}

TEST(a_booking_whose_car_is_still_with_another_customer_needs_attention)
{
	struct stuck_query q = { .kind = STUCK_NO_CAR, .limit = 50 };
	struct booking next, late = late_before(NOW + 9 * DAY, &next);
	struct stuck_row *rows;

	assert_int_equal(n_listed(STUCK_NO_CAR), 0); /* it has not begun */
	clock_set(NOW + 2 * DAY + HOUR);
	q.now = clock_now();
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_string_equal(rows[0].subject_id, next.code);
	assert_int_equal(rows[0].since, next.starts_at);
	assert_string_equal(rows[0].cancel_url, arena_printf(scratch_memory, "/bookings/%s/cancel", next.code));
	assert_null(rows[0].try_url);
	next = find(next.code);
	assert_int_equal(booking_stuck_kind(&next), STUCK_NO_CAR);
	assert_true(booking_take_back(db, &late, MANAGER));
	assert_int_equal(n_listed(STUCK_NO_CAR), 0); /* the customer can have it now */
	next = find(next.code);
	assert_int_equal(booking_stuck_kind(&next), -1);
}

TEST(a_car_that_does_not_come_back_lets_the_firm_cancel_by_itself)
{
	struct booking next;

	late_before(NOW + 9 * DAY, &next);
	clock_set(next.starts_at + rental.late_car_cancel_s - 1);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	clock_set(next.starts_at + rental.late_car_cancel_s);
	booking_sweep(db);
	next = find(next.code);
	assert_int_equal(next.state, BOOKING_CANCELLED);
	assert_string_equal(next.cancel_reason, "car_late");
	assert_int_equal(next.refunded_amount, next.amount);
	assert_int_equal(paid_out, next.amount / 10);
	assert_int_equal(events("booking.no_show"), 0);
}

TEST(at_the_end_of_a_short_booking_the_firm_cancels_at_once)
{
	struct booking next;

	late_before(NOW + 2 * DAY + 4 * HOUR, &next);
	clock_set(next.ends_at - 1);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	clock_set(next.ends_at);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CANCELLED);
}

TEST(a_car_that_came_back_after_the_end_of_the_next_booking_is_no_fault_of_its_customer)
{
	struct booking next, late = late_before(NOW + 2 * DAY + 4 * HOUR, &next);

	rental.late_car_cancel_s = 30 * DAY;
	clock_set(next.ends_at + HOUR);
	assert_true(booking_take_back(db, &late, MANAGER));
	assert_int_equal(n_listed(STUCK_NO_CAR), 1);
	booking_sweep(db);
	next = find(next.code);
	assert_int_equal(next.cancel_by, CANCEL_BY_FIRM);
	assert_int_equal(n_listed(STUCK_NO_CAR), 0);
}

TEST(a_car_that_comes_back_in_time_keeps_the_booking)
{
	struct booking next, late = late_before(NOW + 9 * DAY, &next);

	clock_set(next.starts_at + 2 * HOUR);
	assert_true(booking_take_back(db, &late, MANAGER));
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	next = find(next.code);
	assert_true(booking_hand_out(db, &next, MANAGER));
}

TEST(the_way_of_a_courier_to_its_own_customer_is_no_missing_car)
{
	struct booking b = confirm_with_extras();
	const struct custody_request leave = { .key = "delivery-1-leave-1",
		.begun_key = "",
		.booking_code = b.code,
		.step = CUSTODY_LEAVE,
		.user_id = 5 };
	struct custody_refusal other;

	clock_set(b.starts_at - HOUR);
	assert_int_equal(custody_take_step(db, &leave, &other), CUSTODY_DONE);
	clock_set(b.starts_at + rental.late_car_cancel_s + HOUR);
	assert_int_equal(n_listed(STUCK_NO_CAR), 0);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
}

TEST(a_car_that_is_not_in_service_lets_the_firm_cancel_too_and_says_why)
{
	struct booking b = confirmed(NOW + DAY, NOW + 5 * DAY);
	struct booking_order o = order_car(2, 2, NOW + DAY, NOW + DAY + 4 * HOUR);
	struct booking other;

	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	report_event("car.reserved", other.code, "{}");
	db_do(db, "UPDATE car SET service = 'OUT_OF_SERVICE' WHERE car_id = 1");
	db_do(db, "UPDATE car SET service = 'RETIRED' WHERE car_id = 2");
	clock_set(other.ends_at - 1);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	assert_int_equal(find(other.code).state, BOOKING_CONFIRMED);
	clock_set(other.ends_at);
	booking_sweep(db);
	assert_string_equal(find(other.code).cancel_reason, "car_gone");
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	clock_set(b.starts_at + rental.late_car_cancel_s);
	booking_sweep(db);
	assert_string_equal(find(b.code).cancel_reason, "car_broken");
	assert_int_equal(find(b.code).refunded_amount, b.amount);
	assert_int_equal(events("booking.no_show"), 0);
}

/* --- parts of the price ------------------------------------------------------------------------------------------- */

static struct part_refund_order
part(int64_t amount, const char *key)
{
	return (struct part_refund_order){
		.actor_id = MANAGER,
		.amount = amount,
		.reason = "car_fault",
		.note = "The heating did not work.",
		.request_key = key,
	};
}

static enum part_refund_outcome
give(const char *code, int64_t amount, const char *key)
{
	struct part_refund_order o = part(amount, key);
	struct booking b = find(code);

	return booking_refund_part(db, &b, &o);
}

TEST(a_part_of_a_running_rental_is_refunded_and_the_rental_goes_on)
{
	struct booking b = out();

	assert_int_equal(give(b.code, 30000, "k1"), PART_REFUND_DONE);
	b = summed(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(refunded, 30000);
	assert_int_equal(b.n_refunds, 1);
	assert_int_equal(b.refunds[0].refund_state, REFUND_DONE);
	assert_int_equal(b.kept_amount, 60000);
	assert_int_equal(b.kept_vat_amount, b.vat_amount - (b.vat_amount * 30000 * 2 + 90000) / 180000);
	assert_int_equal(events("booking.refund_granted"), 1);
	assert_int_equal(events("booking.part_refunded"), 1);
	assert_true(payload_has("booking.part_refunded", "\"reason\":\"car_fault\""));
	assert_null(strstr(payload("booking.refund_granted"), "heating"));
	assert_int_equal(
		db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.refund_granted' /*scan*/"), MANAGER);
	assert_true(booking_take_back(db, &b, MANAGER));
	assert_int_equal(give(b.code, 60000, "k2"), PART_REFUND_DONE); /* after the return, the rest */
	assert_int_equal(summed(b.code).kept_vat_amount, 0);
	assert_int_equal(give(b.code, 1, "k3"), PART_REFUND_TOO_MUCH);
}

TEST(never_more_than_what_is_left)
{
	struct booking b = completed();

	assert_int_equal(give(b.code, 90001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 50000, ""), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 40001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 40000, ""), PART_REFUND_DONE);
	assert_int_equal(refunded, 90000);
}

TEST(a_second_click_is_the_same_refund_and_another_amount_is_refused)
{
	struct booking b = completed();

	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 20000, "k1"), PART_REFUND_KEY_REUSED);
	assert_int_equal(refunded, 10000);
	assert_int_equal(find(b.code).n_refunds, 1);
}

TEST(a_part_is_refunded_only_from_the_start_on_and_not_while_the_booking_itself_is_refunded)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);

	assert_int_equal(give(b.code, 1000, ""), PART_REFUND_WRONG_STATE);
	clock_set(b.starts_at - HOUR);
	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	assert_int_equal(give(b.code, 1000, ""), PART_REFUND_WRONG_STATE);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(find(b.code).state, BOOKING_CANCELLED);
	assert_int_equal(give(b.code, 9001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 9000, ""), PART_REFUND_DONE); /* the late fee */
	assert_int_equal(summed(b.code).kept_amount, 0);
}

TEST(what_was_refunded_in_part_is_not_refunded_again_when_the_firm_cancels)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	clock_set(b.starts_at + HOUR);
	assert_int_equal(give(b.code, 20000, ""), PART_REFUND_DONE);
	b = find(b.code);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(find(b.code).refunded_amount, 70000);
	assert_int_equal(refunded, 90000);
}

TEST(an_extra_that_ends_after_a_large_part_was_refunded_gives_back_what_is_left)
{
	struct booking b = confirm_with_extras(); /* 250,000: collection 25,000 is line 3 */

	clock_set(b.starts_at);
	assert_int_equal(give(b.code, 240000, ""), PART_REFUND_DONE);
	report_delivery("delivery.cancelled", &b, "collection", "dispatcher");
	booking_sweep(db);
	b = summed(b.code);
	assert_int_equal(refunded, 250000);
	assert_int_equal(booking_extras_refund(&b), 10000);
	assert_int_equal(b.kept_amount, 0);
}

TEST(while_payment_is_down_a_part_is_owed_and_made_once)
{
	struct booking b = completed();

	refund_reply = REFUND_ANSWER_LATER;
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_PENDING);
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_PENDING);
	b = find(b.code);
	assert_int_equal(booking_stuck_kind(&b), STUCK_PART);
	assert_int_equal(part_refund_left(&b), 80000); /* it is owed already */
	assert_int_equal(summed(b.code).kept_amount, 90000);
	sweep_for(300);
	assert_int_equal(n_listed(STUCK_PART), 1);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(refunded, 10000);
	assert_int_equal(events("booking.part_refunded"), 1);
	assert_int_equal(n_listed(STUCK_PART), 0);
}

TEST(payments_report_ends_the_part_it_names_and_no_other_refund)
{
	struct booking b = completed();

	refund_reply = REFUND_ANSWER_PENDING;
	give(b.code, 10000, "a");
	give(b.code, 20000, "b");
	for (int i = 0; i < 2; i++)
		report_event("payment.cancelled", b.code,
			arena_printf(scratch_memory,
				"{\"refunded_amount\":20000,\"amount\":20000,\"refund_key\":\"%s-refund-2\"}", b.code));
	b = find(b.code);
	assert_int_equal(b.refunds[0].refund_state, REFUND_PENDING);
	assert_int_equal(b.refunds[1].refund_state, REFUND_DONE);
	assert_int_equal(events("booking.part_refunded"), 1);
}

static int
race_to_refund(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	struct part_refund_order o = part(60000, "");
	enum part_refund_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 0, &b))
		return 98;
	outcome = booking_refund_part(db, &b, &o);
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(of_two_simultaneous_refunds_that_do_not_fit_together_one_is_made)
{
	struct booking b = completed();
	pid_t pid[4];
	int n_done = 0, n_refused = 0;

	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(race_to_refund, (void *)(uintptr_t)b.code);
	for (int i = 0; i < 4; i++) {
		int outcome = scratch_wait(pid[i]);

		n_done += outcome == PART_REFUND_DONE;
		n_refused += outcome == PART_REFUND_TOO_MUCH;
	}
	assert_int_equal(n_done, 1);
	assert_int_equal(n_refused, 3);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM part_refund WHERE booking_id = $1", b.booking_id), 60000);
}

static int
race_to_cancel(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	enum cancel_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 0, &b))
		return 98;
	outcome = booking_cancel_by_firm(db, &b, &broken);
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(a_part_and_a_cancellation_at_the_same_time_give_back_the_price_once)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);
	pid_t part_pid, cancel_pid;

	clock_set(b.starts_at + HOUR);
	part_pid = scratch_fork(race_to_refund, (void *)(uintptr_t)b.code);
	cancel_pid = scratch_fork(race_to_cancel, (void *)(uintptr_t)b.code);
	assert_int_equal(scratch_wait(cancel_pid), CANCEL_DONE);
	scratch_wait(part_pid);
	b = find(b.code);
	assert_int_equal(b.refund_due + booking_refunds_due(&b), b.amount);
}

/* --- refunded outside: payment knows it, we give back only the rest ----------------------------------------------- */

static void
refund_outside(const struct booking *b, int64_t amount)
{
	db_do(db,
		"INSERT INTO charge (charge_id, key, subject_id, user_id, amount, currency, state, requested_at)"
		" VALUES ($1, $2, $2, 1, $3, 'KRW', 'APPROVED', 1)",
		b->charge_id, b->code, b->amount);
	db_do(db,
		"INSERT INTO refund (key, charge_id, amount, state, requested_at, done_at, is_outside)"
		" VALUES ('outside-1', $1, $2, 'DONE', 1, 1, 1)",
		b->charge_id, amount);
}

TEST(what_was_refunded_outside_is_not_left_and_not_kept)
{
	struct booking b = completed();

	refund_outside(&b, 50000);
	b = summed(b.code);
	assert_int_equal(b.kept_amount, 40000);
	assert_int_equal(part_refund_left(&b), 40000);
	assert_int_equal(give(b.code, 40001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 40000, ""), PART_REFUND_DONE);
	b = summed(b.code);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.kept_vat_amount, 0);
}

TEST_MAIN("booking_firm", NULL, NULL, begin, end)
