/* test_extra_random - after random events of bookings with extras, money and stock are right. */
#include "test.h"

#include "booking_world.h"

/* --- everything at random ----------------------------------------------------------------------------------------- */

static uint64_t dice;

static int
roll(int n)
{
	dice = dice * 6364136223846793005ull + 1442695040888963407ull;
	return (int)((dice >> 33) % (uint64_t)n);
}

static const char *
random_booking(void)
{
	return db_text(db, "SELECT code FROM booking WHERE booking_id = $1",
		1 + roll(1 + (int)db_int(db, "SELECT COALESCE(MAX(booking_id), 0) FROM booking")));
}

static void
place_randomly(void)
{
	int64_t from = clock_now() - clock_now() % RENTAL_STEP_S + RENTAL_STEP_S + roll(96) * RENTAL_STEP_S;
	struct booking_order o = order_car(1, 1 + roll(2), from, from + (4 + roll(90)) * RENTAL_STEP_S);
	struct booking b;

	o.customer_id = 1 + roll(2);
	o.card_id = 10 + o.customer_id;
	if (roll(2))
		add_delivery(&o, roll(2));
	for (int n = roll(3); n > 0; n--)
		add_item(&o, 1 + roll(2), 1 + roll(3));
	booking_place(db, &o, &b);
}

/* An extra or the booking ends; events may come twice, late, or after the end. */
static void
do_randomly(void)
{
	static const char *const ends[] = { "customer", "manager", "booking" };
	const char *code = random_booking();
	struct booking b;

	charge_reply = roll(6) ? CHARGE_ANSWER_APPROVED : CHARGE_ANSWER_DECLINED;
	refund_reply = roll(3) ? REFUND_ANSWER_DONE : roll(2) ? REFUND_ANSWER_LATER : REFUND_ANSWER_PENDING;
	review_reply = roll(5) ? REVIEW_ANSWER_QUEUED : roll(2) ? REVIEW_ANSWER_REJECTED : REVIEW_ANSWER_UNKNOWN;
	delivery_reply = (enum delivery_answer)roll(4);
	clock_set(clock_now() + roll(4000));
	if (!code || !*code || roll(4) == 0) {
		place_randomly();
		return;
	}
	b = find(code);
	switch (roll(10)) {
	case 0:
	case 1: booking_cancel(db, &b, b.customer_id, "customer"); break;
	case 2:
	case 3: report_event("car.reserved", code, "{}"); break;
	case 4: report_event("car.refused", code, "{}"); break;
	case 5: report_equipment("equipment.rejected", &b, 1 + roll(5), "", "no"); break;
	case 6: report_equipment("equipment.cancelled", &b, 1 + roll(5), ends[roll(3)], "no"); break;
	case 7:
		report_delivery("delivery.cancelled", &b, roll(2) ? "delivery" : "collection",
			roll(2) ? "dispatcher" : "customer");
		break;
	case 8: report_delivery("delivery.delivered", &b, roll(2) ? "delivery" : "collection", ""); break;
	case 9: roll(2) ? (void)booking_hand_out(db, &b, 3) : booking_retry(db, &b, 3); break;
	}
}

static void
check_invariants(void)
{
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM booking b WHERE b.amount <> (SELECT SUM(l.amount) FROM booking_line l"
			" WHERE l.booking_id = b.booking_id) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking b WHERE b.amount < b.refund_due + (SELECT"
				 " COALESCE(SUM(x.refund_due), 0) FROM booking_extra x"
				 " WHERE x.booking_id = b.booking_id) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id"
				 " WHERE x.state = 'ENDED' AND x.refund_due <> x.amount /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking_extra x WHERE NOT EXISTS (SELECT 1 FROM booking_line l"
				 " WHERE l.booking_id = x.booking_id AND l.line_no = x.line_no"
				 " AND l.amount = x.amount) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking WHERE cancel_asked_at > 0"
				 " AND state NOT IN ('PAID', 'CONFIRMED', 'OUT', 'COMPLETED', 'REJECTED') /*scan*/"),
		0);
	for (int64_t item = SEAT; item <= TENT; item++)
		assert_true(free_pieces(item, clock_now() - 9 * DAY, clock_now() + 20 * DAY) >= 0);
}

/* Charges and refunds, as payment counted them and as the bookings have them. */
static void
check_money(void)
{
	assert_int_equal(db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking /*scan*/")
			+ db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking_extra /*scan*/"),
		refunded);
	assert_int_equal(
		db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM booking WHERE state <> 'EXPIRED' /*scan*/"), charged);
}

TEST(after_random_events_money_and_stock_are_right)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_us();

	print_message("SEED=%llu\n", (unsigned long long)seed);
	dice = seed;
	rental.max_bookings_per_person = 200;
	for (int i = 0; i < 400; i++) {
		do_randomly();
		if (roll(3) == 0)
			booking_sweep(db);
		check_invariants();
	}
	refund_reply = REFUND_ANSWER_DONE;
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	for (int i = 0; i < 40; i++) {
		clock_set(clock_now() + 70);
		booking_sweep(db);
	}
	check_invariants();
	check_money();
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM booking WHERE refund_state = 'PENDING' OR cancel_asked_at > 0 /*scan*/"),
		0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra WHERE refund_state = 'PENDING' /*scan*/"), 0);
	assert_true(n_refund_keys > 3);
}

TEST_MAIN("extra_random", NULL, NULL, begin, end)
