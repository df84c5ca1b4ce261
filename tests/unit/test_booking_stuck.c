/*
 * test_booking_stuck - what has been pending for too long is listed, can be retried, and is closed manually only if the
 * ledger agrees.
 */
#include "test.h"

#include "booking_world.h"

/* --- bookings ----------------------------------------------------------------------------------------------------- */

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

/* Payment's row of a charge. */
static void
charge_row(const char *code, const char *state, int64_t refunded_amount)
{
	db_do(db,
		"INSERT INTO charge (charge_id, key, subject_id, user_id, amount, currency, state, refunded_amount,"
		" requested_at, settled_at)"
		" VALUES (7, $1, $1, 1, 207000, 'KRW', $2, $3, $4, $4)",
		code, state, refunded_amount, NOW);
}

TEST(only_what_has_been_pending_for_long_is_listed)
{
	struct booking_order o = order_car(1, 1, NOW + 10 * DAY, NOW + 11 * DAY);
	struct booking cancelled = place_paid(NOW + DAY, NOW + 3 * DAY),
		       unconfirmed = place_paid(NOW + 5 * DAY, NOW + 6 * DAY), asked, place_held;

	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &cancelled, 1, "customer");
	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &asked), BOOKING_OK);
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", asked.booking_id, NOW);
	o.starts_at += 5 * DAY;
	o.ends_at += 5 * DAY;
	assert_int_equal(booking_place(db, &o, &place_held), BOOKING_OK);
	clock_set(NOW + rental.stuck_after_s - 1);
	assert_int_equal(n_stuck(-1), 0);
	clock_set(NOW + rental.stuck_after_s);
	assert_int_equal(n_stuck(-1), 3);
	assert_int_equal(n_stuck(STUCK_CANCEL), 1);
	assert_int_equal(n_stuck(STUCK_UNCONFIRMED), 1);
	assert_int_equal(n_stuck(STUCK_ASKED), 1);
	clock_set(place_held.hold_until + rental.stuck_after_s);
	assert_int_equal(n_stuck(STUCK_HOLD), 1);
	charge_row(unconfirmed.code, "UNKNOWN", 0);
	assert_int_equal(n_stuck(STUCK_CHARGE), 1);
}

TEST(a_charge_in_progress_is_not_retried)
{
	struct booking_order o = order_car(1, 1, NOW + 5 * DAY, NOW + 6 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	booking_reload(db, &b);
	look_up_reply = CHARGE_ANSWER_NEVER_SEEN;
	clock_set(NOW + 9);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_int_equal(events("booking.retried"), 0);
	clock_set(NOW + 10);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_EXPIRED);
}

TEST(retrying_a_refund_ends_it_and_a_second_click_does_nothing)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + HOUR);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_string_equal(b.last_error, "payment_down");
	refund_reply = REFUND_ANSWER_DONE;
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	booking_retry(db, &b, 9);
	assert_int_equal(events("booking.cancelled"), 1);
	assert_int_equal(events("booking.retried"), 2);
	assert_int_equal(db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.retried' /*scan*/"), 9);
}

TEST(retrying_a_lost_answer_finishes_the_booking)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	booking_reload(db, &b);
	look_up_reply = CHARGE_ANSWER_APPROVED;
	clock_set(NOW + 10);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(retrying_a_confirmation_applies_fleets_answer)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_PAID); /* no answer from fleet yet */
	db_begin(db);
	event_emit(db, &(struct event){ .type = "car.reserved", .subject_id = b.code }, &booking_shape, &b);
	db_commit(db);
	db_do(db,
		"INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error, dead)"
		" VALUES ('booking', 999, $1, 12, 0, 'x', 1)",
		b.code);
	booking_retry(db, &b, 9);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.confirmed"), 1);
	assert_int_equal(db_int(db, "SELECT dead FROM event_retry /*scan*/"), 0);
}

TEST(a_hold_without_an_answer_is_released_manually_and_its_charge_voided)
{
	struct booking b = place_held();

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

TEST(a_paid_booking_is_confirmed_manually_or_rejected_with_a_full_refund)
{
	struct booking a = place_paid(NOW + 5 * DAY, NOW + 6 * DAY), b = place_paid(NOW + 8 * DAY, NOW + 9 * DAY);
	struct stuck_action *actions;

	clock_set(NOW + HOUR);
	assert_int_equal(booking_resolve(db, &a, RESOLUTION_CONFIRM, "it is in the yard", 9), RESOLVE_DONE);
	assert_int_equal(a.state, BOOKING_CONFIRMED);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_REJECT, "it burnt down", 9), RESOLVE_DONE);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(refund_asked, b.amount);
	assert_int_equal(slots("RELEASED"), 1);
	report_event("car.reserved", b.code, "{}"); /* fleet answers too late */
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(stuck_actions(db, b.code, &actions), 1);
	assert_non_null(strstr(actions[0].detail, "it burnt down"));
}

TEST(a_refund_is_closed_manually_only_when_by_the_ledger_nothing_is_owed)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);

	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + HOUR);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9),
		RESOLVE_CONTRADICTED); /* no charge */
	charge_row(b.code, "CANCEL_REQUESTED", 0);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9), RESOLVE_CONTRADICTED);
	db_do(db,
		"INSERT INTO refund (key, charge_id, amount, state, requested_at)"
		" VALUES ('r', 7, 207000, 'REQUESTED', 0)");
	assert_int_equal(
		booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "I think so", 9), RESOLVE_CONTRADICTED); /* pending */
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	db_do(db, "UPDATE refund SET state = 'DONE' WHERE key = 'r'");
	db_do(db, "UPDATE charge SET state = 'CANCELLED', refunded_amount = 207000 WHERE charge_id = 7");
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "the bank shows it", 9), RESOLVE_DONE);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_late_car_that_is_booked_next_is_listed)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY),
		       next = place_paid(NOW + 2 * DAY + 3 * HOUR, NOW + 3 * DAY);
	struct late_clash *late;

	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY + HOUR);
	booking_sweep(db);
	assert_int_equal(late_clashes(db, clock_now(), &late), 0); /* returned now, it would be ready in time */
	clock_set(NOW + 2 * DAY + 2 * HOUR + 60);
	booking_sweep(db);
	assert_int_equal(late_clashes(db, clock_now(), &late), 1);
	assert_string_equal(late[0].code, b.code);
	assert_string_equal(late[0].next_code, next.code);
	booking_take_back(db, &b, 9);
	assert_int_equal(late_clashes(db, clock_now(), &late), 0);
}

struct old_report { const char *kind, *way, *reason; };
static const struct member old_report_members[] = {
	SHAPE_TEXT(old_report, kind), SHAPE_TEXT(old_report, way), SHAPE_TEXT(old_report, reason),
};
static const struct shape old_report_shape = SHAPE(old_report, old_report_members);

TEST(the_reason_of_an_event_from_before_note_is_shown)
{
	struct stuck_action *actions;

	db_begin(db);
	event_report(db, EVENT_BOOKING_RESOLVED, &(struct event){ .subject_id = "MP-OLD" }, &old_report_shape,
		&(struct old_report){ "refund", "nothing_owed", "paid by hand" });
	db_commit(db);
	assert_int_equal(stuck_actions(db, "MP-OLD", &actions), 1);
	assert_non_null(strstr(actions[0].detail, "paid by hand"));
}

/* --- extras and delivery ------------------------------------------------------------------------------------------ */

TEST(an_extra_with_a_pending_refund_is_listed_and_can_be_retried)
{
	struct stuck_query q = { .kind = -1, .limit = 10 };
	struct stuck_row *rows = NULL;
	struct booking b = confirm_with_extras();

	refund_reply = REFUND_ANSWER_LATER;
	report_equipment("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	q.now = NOW + rental.stuck_after_s + 1;
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_int_equal(rows[0].kind, STUCK_EXTRA);
	assert_int_equal(rows[0].amount, 20000);
	b = find(b.code);
	assert_int_equal(booking_stuck_kind(&b), STUCK_EXTRA);
	assert_int_equal(booking_stuck_since(&b), NOW);
	refund_reply = REFUND_ANSWER_DONE;
	booking_retry(db, &b, 3);
	assert_int_equal(find(b.code).extras[2].refund_state, REFUND_DONE);
	assert_int_equal(stuck_rows(db, &q, &rows), 0);
}

TEST(an_extra_is_closed_manually_only_when_by_the_ledger_it_is_refunded)
{
	struct booking b = confirm_with_extras();

	db_do(db,
		"INSERT INTO charge (key, subject_id, user_id, amount, currency, state, requested_at)"
		" VALUES ($1, $1, 1, 250000, 'KRW', 'APPROVED', 1)",
		b.code);
	refund_reply = REFUND_ANSWER_LATER;
	report_equipment("equipment.rejected", &b, 4, "", "no");
	clock_set(NOW + rental.stuck_after_s + 1);
	b = find(b.code);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "looked", 3), RESOLVE_CONTRADICTED);
	db_do(db,
		"INSERT INTO refund (key, charge_id, amount, state, requested_at) SELECT 'r', charge_id, 20000, 'DONE',"
		" 1 FROM charge WHERE key = $1",
		b.code);
	db_do(db, "UPDATE charge SET refunded_amount = 20000 WHERE key = $1", b.code);
	b = find(b.code);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "looked", 3), RESOLVE_DONE);
	b = find(b.code);
	assert_int_equal(b.extras[2].refunded_amount, 20000);
	assert_int_equal(b.refunded_amount, 0);
}

TEST(a_request_to_cancel_without_an_answer_is_listed_and_can_be_retried)
{
	struct stuck_query q = { .kind = STUCK_WISH, .limit = 10, .now = NOW + rental.stuck_after_s + 1 };
	struct stuck_row *rows = NULL;
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	booking_cancel(db, &b, 1, "customer");
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_null(rows[0].resolve_url);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	b = find(b.code);
	booking_retry(db, &b, 3);
	assert_int_equal(find(b.code).state, BOOKING_CANCELLED);
}

TEST_MAIN("booking_stuck", NULL, NULL, begin, end)
