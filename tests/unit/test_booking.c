/*
 * test_booking - a car is promised once, the money is right at every end, and every saga ends. Payment is played by the test:
 * it approves, declines, stays silent, or takes the money and dies.
 */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/booking/booking_steps.h"
#include "cgi-bin/booking/calendar.h"
#include "cgi-bin/booking/orders.h"
#include "cgi-bin/booking/payment_client.h"
#include "cgi-bin/booking/price.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000  /* a Friday, on a half hour */

static struct db *db;

/* --- payment, played ------------------------------------------------------------------------------------------------------ */

static enum charge_answer charge_says, look_up_says;
static enum refund_answer refund_says;
static int n_charges, n_refunds, n_look_ups;
static int64_t refund_asked;
static jmp_buf *at_the_call;
static void (*meanwhile)(const struct booking *b);      /* what happens while payment thinks */

static enum charge_answer
play_charge(struct db *d, const struct booking *b, const char *payment_key, int64_t *charge_id, const char **reason)
{
	(void)d;
	(void)payment_key;
	n_charges++;
	*charge_id = 7;
	*reason = "";
	if (meanwhile)
		meanwhile(b);
	return charge_says;
}

static enum charge_answer
play_look_up(struct db *d, const struct booking *b, int64_t *charge_id)
{
	(void)d;
	(void)b;
	n_look_ups++;
	*charge_id = 7;
	return look_up_says;
}

static enum refund_answer
play_refund(struct db *d, const struct booking *b, const struct booking_refund *p, int64_t *refunded)
{
	(void)d;
	n_refunds++;
	if (meanwhile)
		meanwhile(b);
	refund_asked = p->amount;
	*refunded = p->amount;
	return refund_says;
}

static int away_s;               /* payment's breaker */

static int
play_closed_for_s(void)
{
	return away_s;
}

static const struct payment_client played = { play_charge, play_look_up, play_refund, play_closed_for_s };

/* --- a world of its own for each test ------------------------------------------------------------------------------------- */

TEST_SETUP(begin)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	const char *why = "";

	setenv("DB_LINT", "1", 1);
	if (scratch_begin(state) || !rental_settings_open(".", scratch, &why))
		return -1;
	scratch_create("", "");
	clock_open("Asia/Seoul");
	clock_set(NOW);
	lang_set(LANG_EN);
	db = scratch_open(&all);
	db_script(db,
		"INSERT INTO branch (branch_id, name, name_ko) VALUES (1, 'Gangnam', '강남점');"
		"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev) VALUES"
		" (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1),"
		" (2, '34나5678', 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000, 1, 'IN_SERVICE', 0, 0, 2),"
		" (3, '56다7890', 'Bongo', 'van', 3, 'diesel', 'manual', 80000, 8000, 1, 'OUT_OF_SERVICE', 0, 0, 3);"
		"INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (11, 1, 'bk1', 'Visa', '4242', 0), (12, 2, 'bk2', 'Visa', '4242', 0);");
	payment_client = &played;
	away_s = 0;
	charge_says = CHARGE_ANSWER_APPROVED;
	look_up_says = CHARGE_ANSWER_NEVER_SEEN;
	refund_says = REFUND_ANSWER_DONE;
	n_charges = n_refunds = 0;
	refund_asked = -1;
	meanwhile = NULL;
	return 0;
}

TEST_SETUP(end)
{
	assert_false(db_failed(db));
	db_close(db);
	clock_set(0);
	return scratch_end(state);
}

static struct booking_order
order(int64_t customer_id, int64_t from, int64_t until)
{
	return (struct booking_order){
		.customer_id = customer_id, .car_id = 1, .starts_at = from, .ends_at = until, .card_id = 10 + customer_id,
	};
}

static int64_t
slots(const char *kind)
{
	return db_int(db, "SELECT COUNT(*) FROM slot WHERE kind = $1 /*scan*/", kind);
}

static int64_t
events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM event WHERE type = $1 /*scan*/", type);
}

static struct booking
placed(int64_t from, int64_t until)
{
	struct booking_order o = order(1, from, until);
	struct booking b;

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	return b;
}

static void
hear(const char *type, const char *code)
{
	struct event e = { .event_id = 99, .type = type, .subject_id = code, .payload = "{\"refunded_amount\":207000}" };

	for (const struct policy *p = booking_consumer.policy; p->type; p++)
		if (strcmp(p->type, type) == 0) {
			db_begin(db);
			assert_true(p->react(db, &e));
			assert_true(db_commit(db));
		}
}

/* --- the price ------------------------------------------------------------------------------------------------------------- */

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
	assert_int_equal(price_make(scratch_memory, 0, DAY + 23 * HOUR, 90000, 9000)->lines[1].rule, PRICE_RULE_HOURLY_CAP);
}

TEST(a_started_hour_counts_and_lines_always_sum_to_the_total)
{
	assert_int_equal(price_total(0, 90 * 60, 90000, 9000), 18000);
	for (int64_t length = STEP; length < 5 * DAY; length += STEP) {
		struct price *p = price_make(scratch_memory, 0, length, 90000, 9000);
		int64_t sum = 0;

		for (int i = 0; i < p->n_lines; i++)
			sum += p->lines[i].amount;
		assert_int_equal(sum, p->amount);
		assert_int_equal(price_total(0, length, 90000, 9000), p->amount);
	}
}

/* --- the interval ------------------------------------------------------------------------------------------------------------ */

TEST(bad_intervals_are_refused_at_their_field)
{
	const char *field;

	assert_null(interval_problem(NOW + DAY, NOW + 2 * DAY, NOW, &field));
	assert_null(interval_problem(NOW, NOW + STEP, NOW + 1700, &field));     /* the half hour that runs */
	assert_non_null(interval_problem(NOW - STEP, NOW + DAY, NOW, &field));
	assert_string_equal(field, "starts_at");
	assert_non_null(interval_problem(NOW + 60, NOW + DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + DAY, NOW + DAY, NOW, &field));
	assert_string_equal(field, "ends_at");
	assert_non_null(interval_problem(NOW + 2 * DAY, NOW + DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + DAY, NOW + 5 * 365 * DAY, NOW, &field));
	assert_non_null(interval_problem(NOW + 500 * DAY, NOW + 501 * DAY, NOW, &field));
}

/* --- placing ----------------------------------------------------------------------------------------------------------------- */

TEST(a_paid_booking_has_its_slot_its_lines_and_its_events)
{
	struct booking b = placed(NOW + DAY, NOW + 3 * DAY + 3 * HOUR), found;

	assert_int_equal(b.amount, 207000);
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(events("booking.held"), 1);
	assert_int_equal(events("booking.paid"), 1);
	assert_true(booking_find(db, b.code, 1, &found));
	assert_int_equal(found.n_lines, 2);
	assert_int_equal(found.lines[1].rule, PRICE_RULE_HOURLY);
	assert_int_equal(found.charge_id, 7);
	assert_false(booking_find(db, b.code, 2, &found));      /* somebody else's */
	assert_true(booking_find(db, b.code, 0, &found));       /* a manager's view */
}

TEST(the_cars_name_is_frozen_in_both_languages)
{
	struct booking b, found;

	db_do(db, "UPDATE car SET name_ko = '현대 아반떼' WHERE car_id = 1");
	b = placed(NOW + DAY, NOW + 2 * DAY);
	db_do(db, "UPDATE car SET name_ko = '다른 이름' WHERE car_id = 1");
	assert_string_equal(b.car_name_ko, "현대 아반떼");
	assert_true(booking_find(db, b.code, 1, &found));
	assert_string_equal(found.car_name, "Avante");
	assert_string_equal(found.car_name_ko, "현대 아반떼");
	assert_true(db_exists(db, "SELECT 1 FROM v_event WHERE type = 'booking.held' AND payload LIKE '%\"car_name_ko\":\"현대 아반떼\"%' /*scan*/"));
}

TEST(two_customers_one_car_exactly_one_wins)
{
	struct booking_order o = order(2, NOW + 2 * DAY, NOW + 4 * DAY);
	struct booking b;

	placed(NOW + DAY, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
	assert_int_equal(n_charges, 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 1);       /* the refused try left nothing */
	assert_int_equal(events("booking.held"), 1);
}

TEST(the_turnaround_buffer_is_kept_free)
{
	struct booking_order o;
	struct booking b;

	placed(NOW + DAY, NOW + 2 * DAY);
	o = order(2, NOW + 2 * DAY + rental.turnaround_s - STEP, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_TAKEN);
	o = order(2, NOW + 2 * DAY + rental.turnaround_s, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(the_schema_itself_refuses_an_overlap)
{
	placed(NOW + DAY, NOW + 2 * DAY);
	assert_false(db_try(db, "INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, rev) VALUES (1, 'BLOCK', $1, $2, $2, 9)",
		NOW + DAY + HOUR, NOW + DAY + 2 * HOUR));
	assert_string_equal(db_refusal(db), "slot_taken");
	assert_true(db_try(db, "INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, rev) VALUES (1, 'RELEASED', $1, $2, $2, 9)",
		NOW + DAY + HOUR, NOW + DAY + 2 * HOUR));
	assert_false(db_try(db, "UPDATE slot SET kind = 'BLOCK' WHERE kind = 'RELEASED' /*scan*/"));
}

TEST(no_booking_past_HELD_without_a_charge_and_no_state_out_of_turn)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_false(db_try(db, "UPDATE booking SET state = 'PAID' WHERE booking_id = $1", b.booking_id));
	assert_false(db_try(db, "UPDATE booking SET state = 'CONFIRMED', charge_id = 1 WHERE booking_id = $1", b.booking_id));
	assert_string_equal(db_refusal(db), "booking_state");
	assert_false(db_try(db, "UPDATE booking SET amount = 1 WHERE booking_id = $1", b.booking_id));
	assert_false(db_try(db, "DELETE FROM booking WHERE booking_id = $1", b.booking_id));
}

TEST(a_declined_card_leaves_no_hold_and_frees_the_key)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.request_key = "k1";
	o.request_hash = "h";
	charge_says = CHARGE_ANSWER_DECLINED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(slots("RELEASED"), 1);
	assert_int_equal(events("booking.expired"), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE refund_state <> 'NONE' /*scan*/"), 0);
	charge_says = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(silence_from_payment_releases_the_car_and_voids_the_charge)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_says = CHARGE_ANSWER_UNKNOWN;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_UNANSWERED);
	assert_int_equal(slots("HOLD") + slots("BOOKED"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_PENDING);
	booking_sweep(db);
	assert_int_equal(refund_asked, 0);      /* 0: void it whole, whatever became of it */
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

TEST(payment_that_is_down_costs_nothing)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_says = CHARGE_ANSWER_NOT_ASKED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	assert_int_equal(slots("HOLD") + slots("BOOKED"), 0);
	booking_sweep(db);
	assert_int_equal(n_refunds, 0);
}

/* Nobody is asked, nothing is written: not even what would have to be given free again. */
TEST(while_payment_is_not_to_be_asked_nothing_is_held_and_it_is_said_for_how_long)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;
	int64_t n_events;

	o.request_key = "k-1";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	n_events = db_int(db, "SELECT MAX(event_id) FROM event");
	away_s = 17;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_AGAIN);     /* what was answered before is answered again */
	o.request_key = "k-2";
	o.starts_at += 10 * DAY;
	o.ends_at += 10 * DAY;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	o.card_id = 0;                  /* nor is anybody sent to the provider's page for nothing */
	assert_int_equal(booking_place(db, &o, &b), BOOKING_LATER);
	assert_int_equal(booking_later_s(CALLEE_PAYMENT), 17);
	assert_int_equal(db_int(db, "SELECT MAX(event_id) FROM event"), n_events);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 1);
}

static void
sweep_pays(const struct booking *b)
{
	struct booking seen = *b;

	booking_mark_paid(db, &seen, 7);
}

TEST(an_answer_that_comes_after_the_sweep_changes_nothing)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	meanwhile = sweep_pays;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(events("booking.paid"), 1);
}

TEST(what_is_not_theirs_or_not_for_rent_is_refused)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 12;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_CARD);
	o = order(1, NOW + DAY, NOW + 2 * DAY);
	o.car_id = 3;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_CAR);
	o.car_id = 99;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_CAR);
	o = order(1, NOW - DAY, NOW + DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_INTERVAL);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 0);
}

TEST(one_person_has_at_most_ten_open_bookings)
{
	struct booking_order o;
	struct booking b;

	for (int i = 0; i < rental.max_bookings_per_person; i++)
		placed(NOW + (2 * i + 1) * DAY, NOW + (2 * i + 2) * DAY);
	o = order(1, NOW + 50 * DAY, NOW + 51 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_QUOTA);
	o = order(2, NOW + 50 * DAY, NOW + 51 * DAY);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

/* --- the client's key ---------------------------------------------------------------------------------------------------------- */

TEST(the_same_key_and_body_is_the_same_booking)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
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
	o = order(2, NOW + 5 * DAY, NOW + 6 * DAY);     /* another customer's key of the same name is another key */
	o.request_key = "k1";
	o.request_hash = "h3";
	assert_int_equal(booking_place(db, &o, &again), BOOKING_OK);
}

static struct booking_order rival;
static enum booking_outcome rival_outcome;

static void
ask_again(const struct booking *b)
{
	struct booking other;

	(void)b;
	meanwhile = NULL;
	rival_outcome = booking_place(db, &rival, &other);
}

TEST(the_same_key_while_the_first_still_runs_is_in_progress)
{
	struct booking b;

	rival = order(1, NOW + DAY, NOW + 2 * DAY);
	rival.request_key = "k1";
	rival.request_hash = "h1";
	meanwhile = ask_again;
	assert_int_equal(booking_place(db, &rival, &b), BOOKING_OK);
	assert_int_equal(rival_outcome, BOOKING_IN_PROGRESS);
	assert_int_equal(n_charges, 1);
}

/* --- the hold -------------------------------------------------------------------------------------------------------------------- */

static struct booking
held(void)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	return b;
}

TEST(a_hold_that_cannot_be_paid_now_can_be_paid_later_on_the_same_way_back)
{
	struct booking b = held();

	away_s = 5;
	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_LATER);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_int_equal(b.asked_at, 0);
	away_s = 0;
	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_OK);
}

TEST(a_hold_nobody_pays_frees_the_car_after_ten_minutes)
{
	struct booking b = held();

	clock_set(NOW + rental.hold_s - 1);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + rental.hold_s);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_TAKEN);
	assert_int_equal(n_charges, 0);
}

TEST(a_clock_that_jumps_back_does_not_keep_a_hold)
{
	held();
	clock_set(NOW - 3 * HOUR);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(a_hold_keeps_the_length_it_was_given_when_hold_s_is_lowered)
{
	held();
	rental.hold_s = 60;
	clock_set(NOW + 61);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + 600);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(one_person_holds_at_most_three_cars_unpaid)
{
	struct booking_order o = { .customer_id = 1, .car_id = 1 };
	struct booking b;

	for (int i = 0; i < 4; i++) {
		o.starts_at = NOW + (2 * i + 1) * DAY;
		o.ends_at = o.starts_at + HOUR;
		assert_int_equal(booking_place(db, &o, &b), i < 3 ? BOOKING_OK : BOOKING_HOLDS);
	}
	assert_int_equal(slots("HOLD"), 3);
	o.card_id = 11;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);        /* paid at once, it is no hold */
	o = (struct booking_order){ .customer_id = 2, .car_id = 2, .starts_at = NOW + DAY, .ends_at = NOW + 2 * DAY };
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(a_hold_is_paid_once_on_the_providers_page)
{
	struct booking b = held(), again = b;

	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_OK);
	assert_int_equal(booking_pay(db, &again, "pk"), BOOKING_AGAIN);
	assert_int_equal(n_charges, 1);
	assert_int_equal(slots("BOOKED"), 1);
}

static struct booking looked_at;
static bool was_given_up;

static void
give_up_as_unpaid(const struct booking *b)
{
	(void)b;
	was_given_up = booking_expire(db, &looked_at, "hold_over", false);
}

TEST(a_hold_that_is_being_paid_since_somebody_looked_is_not_given_up_as_unpaid)
{
	struct booking b = held();

	looked_at = b;          /* by a sweep or a cancellation in another process, the moment before */
	meanwhile = give_up_as_unpaid;
	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_OK);
	assert_false(was_given_up);
	assert_int_equal(slots("BOOKED"), 1);
}

static void
cancel_it(const struct booking *b)
{
	struct booking seen = *b;

	assert_int_equal(booking_cancel(db, &seen, 1, "customer"), CANCEL_DONE);
}

TEST(a_hold_given_up_while_it_is_being_paid_gets_its_money_back)
{
	struct booking b = held();

	meanwhile = cancel_it;
	assert_int_equal(booking_pay(db, &b, "pk"), BOOKING_UNANSWERED);
	meanwhile = NULL;
	booking_sweep(db);
	assert_int_equal(n_refunds, 1);
	assert_int_equal(refund_asked, 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

TEST(a_hold_given_up_twice_is_given_up)
{
	struct booking b = held();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(events("booking.expired"), 1);
}

TEST(a_worker_that_died_after_the_charge_is_finished_by_the_sweep)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_says = CHARGE_ANSWER_APPROVED;
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);     /* the worker may still be waiting */
	clock_set(NOW + 20);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(events("booking.paid"), 1);
}

/* Sweeps every second for a while; the longest time between two tries of the kind that is counted. */
static int64_t
longest_gap(const int *n_tries, int64_t seconds)
{
	int64_t last = clock_now(), longest = 0, until = clock_now() + seconds;
	int before = *n_tries;

	while (clock_now() < until) {
		clock_set(clock_now() + 1);
		booking_sweep(db);
		assert_in_range(*n_tries - before, 0, 1);       /* never a hot loop */
		if (*n_tries != before && clock_now() - last > longest)
			longest = clock_now() - last;
		if (*n_tries != before)
			last = clock_now();
		before = *n_tries;
	}
	return longest > clock_now() - last ? longest : clock_now() - last;
}

TEST(a_lost_answer_is_asked_for_with_growing_pauses_until_payment_says)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2, hold_until = $3 WHERE booking_id = $1", b.booking_id, NOW, NOW + 5000);
	look_up_says = CHARGE_ANSWER_UNKNOWN;
	n_look_ups = 0;
	assert_in_range(longest_gap(&n_look_ups, 1000), 40, PAUSE_MAX_S);
	assert_in_range(n_look_ups, 16, 40);
	assert_string_equal(db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "no_answer");
	look_up_says = CHARGE_ANSWER_APPROVED;
	longest_gap(&n_look_ups, PAUSE_MAX_S);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(payment_that_settles_on_nothing_taken_brings_the_look_forward)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_says = CHARGE_ANSWER_UNKNOWN;
	for (int i = 0; i < 200; i++) {
		clock_set(clock_now() + 1);
		booking_sweep(db);
	}
	look_up_says = CHARGE_ANSWER_DECLINED;
	hear("payment.failed", b.code);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_NONE);
}

TEST(a_worker_that_died_before_the_charge_is_voided_so_that_a_late_charge_is_refused)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_says = CHARGE_ANSWER_NEVER_SEEN;
	clock_set(NOW + 20);
	booking_sweep(db);
	assert_int_equal(n_refunds, 1);
	assert_int_equal(refund_asked, 0);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(with_payment_dead_the_holds_end_frees_the_car_and_the_void_waits)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_says = CHARGE_ANSWER_NOT_ASKED;
	refund_says = REFUND_ANSWER_LATER;
	clock_set(NOW + 60);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + rental.hold_s + 1);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_PENDING);
	refund_says = REFUND_ANSWER_DONE;
	clock_set(NOW + rental.hold_s + 100);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

/* --- the desk -------------------------------------------------------------------------------------------------------------------------- */

static int64_t
found(const char *text)
{
	struct booking_query q = { .view = BOOKINGS_ALL, .state = -1, .text = text, .now = NOW };

	return bookings_count(db, &q);
}

TEST(bookings_are_found_by_what_was_typed_literally)
{
	placed(NOW + DAY, NOW + 2 * DAY);
	assert_int_equal(found(""), 1);
	assert_int_equal(found("가34"), 1);
	assert_int_equal(found("mp-"), 1);
	assert_int_equal(found("%"), 0);
	assert_int_equal(found("_"), 0);
	assert_int_equal(found("\\"), 0);
	assert_int_equal(found("' OR 1=1 --"), 0);
}

/* --- cancelling --------------------------------------------------------------------------------------------------------------------- */

TEST(cancelling_early_refunds_all_and_frees_the_car)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);
	struct booking_order o = order(2, NOW + 5 * DAY, NOW + 6 * DAY);
	struct booking other;

	hear("car.reserved", b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);   /* a second click */
	assert_int_equal(n_refunds, 1);
}

/* While it writes the others can look, and all see a booking that may be cancelled. */
static int
write_for_long(void *arg)
{
	static const struct db_role all = { .name = "test", .owns = "*" };

	(void)arg;
	db = scratch_open(&all);
	db_begin(db);
	scratch_sleep_ms(400);
	db_rollback(db);
	return 0;
}

static int
race_to_cancel(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	enum cancel_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 1, &b))
		return 98;
	outcome = booking_cancel(db, &b, 1, "customer");
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(clicks_side_by_side_all_end_cancelled_and_refund_once)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);
	pid_t writer = scratch_fork(write_for_long, NULL), pid[3];

	scratch_sleep_ms(100);
	for (int i = 0; i < 3; i++)
		pid[i] = scratch_fork(race_to_cancel, (void *)(uintptr_t)b.code);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scratch_wait(pid[i]), CANCEL_DONE);
	assert_int_equal(scratch_wait(writer), 0);
	assert_int_equal(events("booking.cancel_requested"), 1);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(what_is_refunded_depends_on_when)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);
	struct cancel_preview p;

	assert_true(cancel_preview(&b, b.starts_at - rental.refund_full_before_s - 1, &p));
	assert_int_equal(p.refund, b.amount);
	assert_true(cancel_preview(&b, b.starts_at - 1, &p));
	assert_string_equal(p.rule, "late");
	assert_int_equal(p.refund, b.amount * rental.refund_late_percent / 100);
	assert_int_equal(p.refund + p.fee, b.amount);
	assert_false(cancel_preview(&b, b.starts_at, &p));
	b.paid_at = b.starts_at - 60;
	assert_true(cancel_preview(&b, b.starts_at - 30, &p));
	assert_string_equal(p.rule, "grace");
}

TEST(a_refund_payment_cannot_do_now_is_asked_for_until_it_is_done)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_says = REFUND_ANSWER_LATER;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(slots("RELEASED"), 1); /* the car is free at once */
	assert_int_equal(events("booking.cancelled"), 0);
	for (int i = 0; i < 5; i++) {
		clock_set(clock_now() + 400);
		booking_sweep(db);
	}
	refund_says = REFUND_ANSWER_DONE;
	clock_set(clock_now() + 400);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_refund_is_asked_for_with_growing_pauses_a_minute_at_most)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_says = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	assert_in_range(longest_gap(&n_refunds, 1000), 40, PAUSE_MAX_S);
	assert_in_range(n_refunds, 16, 40);
	assert_string_equal(db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "payment_down");
	clock_set(clock_now() - HOUR);          /* a clock set back makes it due at once */
	refund_says = REFUND_ANSWER_DONE;
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_string_equal(db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "");
}

static void
kill_the_sweep(const struct booking *b)
{
	(void)b;
	longjmp(*at_the_call, 1);
}

TEST(a_sweep_that_dies_while_it_asks_has_written_the_try_down)
{
	static jmp_buf there;
	static volatile int n_deaths;
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	hear("car.refused", b.code);
	meanwhile = kill_the_sweep;
	at_the_call = &there;
	n_deaths = 0;
	for (int i = 0; i < 100; i++) {
		clock_set(NOW + i);
		if (setjmp(there) == 0)
			booking_sweep(db);
		else
			n_deaths++;
	}
	assert_in_range(n_deaths, 4, 9);        /* 1, 2, 4 … seconds between them, not a hundred times */
}

static jmp_buf killed;

static void
kill_it(void *arg)
{
	(void)arg;
	longjmp(killed, 1);
}

TEST(a_cancellation_that_gives_nothing_back_ends_even_if_its_worker_is_killed_at_its_first_commit)
{
	static struct booking b;

	rental.refund_late_percent = 0;
	b = placed(NOW + 2 * HOUR, NOW + DAY);
	clock_set(NOW + rental.refund_grace_s + 1);
	db_on_commit(db, kill_it, NULL);
	if (setjmp(killed) == 0)
		booking_cancel(db, &b, 1, "customer");
	db_on_commit(db, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		clock_set(clock_now() + 400);
		booking_sweep(db);
	}
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(n_refunds, 0);
	assert_int_equal(events("booking.cancel_requested"), 1);
	assert_int_equal(events("booking.cancelled"), 1);
}

static void
hang(const struct booking *b)
{
	(void)b;
	scratch_sleep_ms(400);
}

TEST(a_payment_that_hangs_does_not_keep_the_sweep_from_its_other_work)
{
	for (int i = 0; i < 9; i++) {
		struct booking b = placed(NOW + (2 * i + 1) * DAY, NOW + (2 * i + 2) * DAY);

		hear("car.refused", b.code);
	}
	refund_says = REFUND_ANSWER_LATER;
	meanwhile = hang;
	booking_sweep(db);
	assert_in_range(n_refunds, 1, 7);
	for (int i = 0; i < 3; i++)
		booking_sweep(db);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE refund_tries = 0 /*scan*/"), 0);
}

TEST(payments_own_word_ends_a_waiting_cancellation_once)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);

	refund_says = REFUND_ANSWER_PENDING;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	hear("payment.cancelled", b.code);
	hear("payment.cancelled", b.code);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_begun_rental_cannot_be_cancelled)
{
	struct booking b = placed(NOW, NOW + DAY);

	clock_set(NOW + rental.refund_grace_s + 1);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_NOT_POSSIBLE);
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(n_refunds, 0);
}

/* --- what others report ------------------------------------------------------------------------------------------------------------- */

TEST(a_reserved_car_confirms_once)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY);

	hear("car.reserved", b.code);
	hear("car.reserved", b.code);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.confirmed"), 1);
}

TEST(a_refused_car_gives_all_the_money_back)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY);

	hear("car.refused", b.code);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(slots("RELEASED"), 1);
	booking_sweep(db);
	assert_int_equal(refund_asked, b.amount);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(b.refunded_amount, b.amount);
	assert_int_equal(events("booking.refunded"), 1);
}

TEST(a_cancelled_booking_is_not_confirmed_late)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	hear("car.reserved", b.code);
	hear("car.refused", b.code);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
}

/* --- the counter ------------------------------------------------------------------------------------------------------------------------ */

TEST(a_car_goes_out_and_comes_back_early_and_is_free_after_the_turnaround)
{
	struct booking b = placed(NOW + DAY, NOW + 4 * DAY);
	struct booking_order o = order(2, NOW + 2 * DAY + rental.turnaround_s, NOW + 3 * DAY);
	struct booking other;

	assert_false(booking_hand_out(db, &b, 9));      /* not confirmed yet */
	hear("car.reserved", b.code);
	booking_reload(db, &b);
	assert_false(booking_hand_out(db, &b, 9));      /* a day too early */
	clock_set(NOW + DAY);
	assert_true(booking_hand_out(db, &b, 9));
	assert_false(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY);
	assert_true(booking_take_back(db, &b, 9));
	assert_false(booking_take_back(db, &b, 9));
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_COMPLETED);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(a_car_that_is_back_before_its_rental_begins_is_free_after_the_turnaround)
{
	struct booking b = placed(NOW + DAY, NOW + 4 * DAY);
	struct booking_order o = order(2, NOW + DAY + rental.turnaround_s + STEP, NOW + 3 * DAY);
	struct booking other;

	hear("car.reserved", b.code);
	clock_set(NOW + DAY - STEP);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(a_rental_whose_time_is_over_is_not_handed_out)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY);

	hear("car.reserved", b.code);
	booking_reload(db, &b);
	clock_set(NOW + 2 * DAY);
	assert_false(booking_hand_out(db, &b, 9));      /* the car may be promised to somebody else by now */
	assert_true(booking_no_show(db, &b, 9));
}

TEST(a_car_that_is_late_is_not_sold_to_the_next)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY);
	struct booking_order o = order(2, NOW + 2 * DAY + 6 * HOUR, NOW + 3 * DAY);
	struct booking other;

	hear("car.reserved", b.code);
	clock_set(NOW + DAY);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY + 6 * HOUR);
	booking_sweep(db);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_TAKEN);
	assert_true(booking_take_back(db, &b, 9));
	o = order(2, NOW + 2 * DAY + 6 * HOUR + rental.turnaround_s, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(nobody_comes_and_the_car_is_free_without_a_refund)
{
	struct booking b = placed(NOW + DAY, NOW + 4 * DAY);

	hear("car.reserved", b.code);
	assert_false(booking_no_show(db, &b, 9));
	clock_set(NOW + DAY + HOUR);
	assert_true(booking_no_show(db, &b, 9));
	assert_int_equal(slots("RELEASED"), 1);
	assert_int_equal(n_refunds, 0);
}

TEST(a_booking_nobody_came_for_ends_by_itself_and_counts_no_more)
{
	struct booking b = placed(NOW + DAY, NOW + 4 * DAY);

	rental.max_bookings_per_person = 1;
	hear("car.reserved", b.code);
	clock_set(NOW + 4 * DAY + rental.no_show_after_s - 1);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	clock_set(NOW + 4 * DAY + rental.no_show_after_s);
	booking_sweep(db);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_NO_SHOW);
	assert_int_equal(events("booking.no_show"), 1);
	assert_int_equal(slots("RELEASED"), 1);
	placed(NOW + 5 * DAY, NOW + 6 * DAY);
}

/* Fleet was away all the time, so nobody could have handed the car out: that is not the customer's fault. */
TEST(a_booking_that_is_confirmed_only_after_its_end_costs_nothing)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY);

	clock_set(NOW + 2 * DAY);
	hear("car.reserved", b.code);
	clock_set(NOW + 2 * DAY + rental.no_show_after_s);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refund_due, b.amount);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(events("booking.no_show"), 0);
	assert_int_equal(slots("RELEASED"), 1);
}

/* --- stuck: tried at once, ended by hand ---------------------------------------------------------------------------------------------- */

static int64_t
n_stuck(int kind)
{
	struct stuck_query q = { .kind = kind, .now = clock_now(), .limit = 20 };
	struct stuck_row *rows;
	int64_t n = stuck_rows_count(db, &q);

	assert_int_equal(stuck_rows(db, &q, &rows), n);
	for (int i = 0; i < n; i++) {
		if (kind >= 0)
			assert_int_equal(rows[i].kind, kind);
		assert_true(rows[i].amount > 0);
		assert_true(*stuck_error_in_words(scratch_memory, rows[i].kind, rows[i].last_error) != '\0');
	}
	if (kind < 0)
		assert_int_equal(n, stuck_count(db, clock_now()));
	return n;
}

/* Payment's row of a charge, as its own program would have left it. */
static void
charge_row(const char *code, const char *state, int64_t refunded)
{
	db_do(db, "INSERT INTO charge (charge_id, key, subject_id, user_id, amount, currency, state, refunded_amount, requested_at, settled_at)"
	          " VALUES (7, $1, $1, 1, 207000, 'KRW', $2, $3, $4, $4)", code, state, refunded, NOW);
}

TEST(what_rests_for_long_is_on_the_desk_and_what_does_not_is_not)
{
	struct booking_order o = order(1, NOW + 10 * DAY, NOW + 11 * DAY);
	struct booking cancelled = placed(NOW + DAY, NOW + 3 * DAY), unconfirmed = placed(NOW + 5 * DAY, NOW + 6 * DAY), asked, held;

	refund_says = REFUND_ANSWER_LATER;
	booking_cancel(db, &cancelled, 1, "customer");
	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &asked), BOOKING_OK);
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", asked.booking_id, NOW);
	o.starts_at += 5 * DAY;
	o.ends_at += 5 * DAY;
	assert_int_equal(booking_place(db, &o, &held), BOOKING_OK);
	clock_set(NOW + rental.stuck_after_s - 1);
	assert_int_equal(n_stuck(-1), 0);
	clock_set(NOW + rental.stuck_after_s);
	assert_int_equal(n_stuck(-1), 3);
	assert_int_equal(n_stuck(STUCK_CANCEL), 1);
	assert_int_equal(n_stuck(STUCK_UNCONFIRMED), 1);
	assert_int_equal(n_stuck(STUCK_ASKED), 1);
	clock_set(held.hold_until + rental.stuck_after_s);
	assert_int_equal(n_stuck(STUCK_HOLD), 1);
	charge_row(unconfirmed.code, "UNKNOWN", 0);
	assert_int_equal(n_stuck(STUCK_CHARGE), 1);
}

TEST(a_payment_that_is_just_being_made_is_not_tried_at_once)
{
	struct booking_order o = order(1, NOW + 5 * DAY, NOW + 6 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	booking_reload(db, &b);
	look_up_says = CHARGE_ANSWER_NEVER_SEEN;
	clock_set(NOW + 9);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_int_equal(events("booking.retried"), 0);
	clock_set(NOW + 10);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_EXPIRED);
}

TEST(trying_a_refund_at_once_ends_it_and_a_second_click_does_nothing)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_says = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + HOUR);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_string_equal(b.last_error, "payment_down");
	refund_says = REFUND_ANSWER_DONE;
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	booking_retry(db, &b, 9);
	assert_int_equal(events("booking.cancelled"), 1);
	assert_int_equal(events("booking.retried"), 2);
	assert_int_equal(db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.retried' /*scan*/"), 9);
}

TEST(trying_a_lost_answer_at_once_finishes_the_booking)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	booking_reload(db, &b);
	look_up_says = CHARGE_ANSWER_APPROVED;
	clock_set(NOW + 10);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(trying_a_confirmation_at_once_hears_what_fleet_has_said)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 6 * DAY);

	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_PAID);        /* fleet has said nothing yet */
	db_begin(db);
	event_emit(db, &(struct event){ .type = "car.reserved", .subject_id = b.code }, &booking_shape, &b);
	db_commit(db);
	db_do(db, "INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error, dead) VALUES ('booking', 999, $1, 12, 0, 'x', 1)", b.code);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.confirmed"), 1);
	assert_int_equal(db_int(db, "SELECT dead FROM event_retry /*scan*/"), 0);
}

TEST(a_hold_without_an_answer_is_given_up_by_hand_and_its_money_voided)
{
	struct booking b = held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	booking_reload(db, &b);
	clock_set(NOW + 60);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_RELEASE, "too early", 9), RESOLVE_NOT_STUCK);
	clock_set(NOW + rental.stuck_after_s);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_CONFIRM, "not of this kind", 9), RESOLVE_NOT_STUCK);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_RELEASE, "the customer has left", 9), RESOLVE_DONE);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_RELEASE, "again", 9), RESOLVE_NOT_STUCK);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(n_refunds, 1);
	assert_int_equal(refund_asked, 0);
	assert_int_equal(slots("HOLD"), 0);
	assert_int_equal(events("booking.resolved"), 1);
}

TEST(a_paid_booking_is_confirmed_or_rejected_by_hand_with_all_the_money_back)
{
	struct booking a = placed(NOW + 5 * DAY, NOW + 6 * DAY), b = placed(NOW + 8 * DAY, NOW + 9 * DAY);
	struct stuck_action *deeds;

	clock_set(NOW + HOUR);
	assert_int_equal(booking_resolve(db, &a, RESOLUTION_CONFIRM, "it stands in the yard", 9), RESOLVE_DONE);
	assert_int_equal(a.state, BOOKING_CONFIRMED);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_REJECT, "it burnt down", 9), RESOLVE_DONE);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(refund_asked, b.amount);
	assert_int_equal(slots("RELEASED"), 1);
	hear("car.reserved", b.code);           /* fleet wakes up: too late */
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(stuck_actions(db, b.code, &deeds), 1);
	assert_non_null(strstr(deeds[0].detail, "it burnt down"));
}

TEST(a_refund_is_closed_by_hand_only_when_the_books_say_that_nothing_is_owed)
{
	struct booking b = placed(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);

	refund_says = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + HOUR);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9), RESOLVE_CONTRADICTED);    /* no books at all */
	charge_row(b.code, "CANCEL_REQUESTED", 0);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9), RESOLVE_CONTRADICTED);
	db_do(db, "INSERT INTO refund (key, charge_id, amount, state, requested_at) VALUES ('r', 7, 207000, 'REQUESTED', 0)");
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9), RESOLVE_CONTRADICTED);    /* it is under way */
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	db_do(db, "UPDATE refund SET state = 'DONE' WHERE key = 'r'");
	db_do(db, "UPDATE charge SET state = 'CANCELLED', refunded_amount = 207000 WHERE charge_id = 7");
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "the bank shows it", 9), RESOLVE_DONE);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_late_car_that_the_next_customer_waits_for_is_shown)
{
	struct booking b = placed(NOW + DAY, NOW + 2 * DAY), next = placed(NOW + 2 * DAY + 3 * HOUR, NOW + 3 * DAY);
	struct late_clash *late;

	hear("car.reserved", b.code);
	clock_set(NOW + DAY);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY + HOUR);
	booking_sweep(db);
	assert_int_equal(late_clashes(db, clock_now(), &late), 0);     /* back now, it would be ready in time */
	clock_set(NOW + 2 * DAY + 2 * HOUR + 60);
	booking_sweep(db);
	assert_int_equal(late_clashes(db, clock_now(), &late), 1);
	assert_string_equal(late[0].code, b.code);
	assert_string_equal(late[0].next_code, next.code);
	booking_take_back(db, &b, 9);
	assert_int_equal(late_clashes(db, clock_now(), &late), 0);
}

/* --- searching: the memory against the oracle --------------------------------------------------------------------------------------------- */

static void
same_answer(const struct car_query *q)
{
	struct free_car *a, *b;
	int n_a, n_b;

	assert_int_equal(calendar_search(db, scratch_memory, q, &a, &n_a), calendar_search_sql(db, scratch_memory, q, &b, &n_b));
	assert_int_equal(n_a, n_b);
	for (int i = 0; i < n_a; i++) {
		assert_int_equal(a[i].car_id, b[i].car_id);
		assert_int_equal(a[i].total_amount, b[i].total_amount);
	}
}

TEST(searching_in_memory_answers_what_the_table_says_after_every_change)
{
	const struct car_query week = { .starts_at = NOW + 100 * STEP, .ends_at = NOW + 160 * STEP, .body = -1, .fuel = -1, .limit = 100 };
	unsigned seed = 20261121;

	for (int i = 4; i < 60; i++)
		db_do(db, "INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, created_at, updated_at, rev)"
			" VALUES ($1, $2, 'K' || $1, 'suv', $3, 'petrol', 'automatic', $4, $5, 1, 0, 0, $1)",
			i, arena_printf(scratch_memory, "P%d", i), 2 + i % 6, 40000 + i % 7 * 10000, 4000 + i % 5 * 1000);
	for (int i = 0; i < 400; i++) {
		struct booking_order o = order(1 + rand_r(&seed) % 2, NOW + rand_r(&seed) % 400 * STEP, 0);
		struct car_query q = {
			.starts_at = NOW + rand_r(&seed) % 400 * STEP, .body = -1, .fuel = -1, .order = (enum search_order)(rand_r(&seed) % 4),
			.offset = rand_r(&seed) % 3 * 20, .limit = 20, .seats = rand_r(&seed) % 7, .max_price = rand_r(&seed) % 2 * 150000,
		};
		struct booking b;

		o.car_id = 1 + rand_r(&seed) % 59;
		o.ends_at = o.starts_at + (1 + rand_r(&seed) % 100) * STEP;
		q.ends_at = q.starts_at + (1 + rand_r(&seed) % 100) * STEP;
		rental.max_bookings_per_person = 1000;
		if (booking_place(db, &o, &b) == BOOKING_OK && rand_r(&seed) % 3 == 0)
			booking_cancel(db, &b, 1, "customer");
		if (i % 50 == 0)
			db_do(db, "UPDATE car SET service = 'OUT_OF_SERVICE', rev = (SELECT MAX(rev) + 1 FROM car) WHERE car_id = $1", 4 + i / 50);
		same_answer(&q);
		same_answer(&week);
	}
}

TEST(a_search_that_failed_half_way_is_not_remembered)
{
	struct car_query q = { .starts_at = NOW + DAY, .ends_at = NOW + 2 * DAY, .body = -1, .fuel = -1, .limit = 20 };
	const char *view = db_text(db, "SELECT sql FROM sqlite_schema WHERE name = 'v_car' /*scan*/");
	struct free_car *cars;
	int n;

	same_answer(&q);
	db_script(db, "UPDATE car SET rev = rev + 10; DROP VIEW v_car;");       /* as a read that takes too long */
	calendar_search(db, scratch_memory, &q, &cars, &n);
	assert_true(db_failed(db));
	db_fresh(db);
	db_script(db, view);
	assert_int_equal(calendar_search(db, scratch_memory, &q, &cars, &n), 2);
	same_answer(&q);
}

TEST_MAIN("booking", NULL, NULL, begin, end)
