/*
 * test_custody - who has a car, really: one custody per car from the hand-over to the return, never two at a time,
 * whoever acts in whatever order.
 */
#include "test.h"

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

/* A confirmed booking of car 1 for a customer. */
static struct booking
confirmed(int64_t customer_id, int64_t from, int64_t until, bool by_courier)
{
	struct booking_order o = order_car(customer_id, 1, from, until);
	struct booking b;

	if (by_courier)
		add_delivery(&o, true);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

static int64_t
n_open(int64_t car_id)
{
	return db_int(db, "SELECT COUNT(*) FROM custody WHERE car_id = $1 AND to_at IS NULL", car_id);
}

static const char *
ended_by(const struct booking *b)
{
	return db_text(db, "SELECT ended_by FROM custody WHERE booking_id = $1 ORDER BY custody_id DESC LIMIT 1",
		b->booking_id);
}

/* The first is OUT and overdue; the next has the car from now on. */
static void
late_and_next(struct booking *late, struct booking *next, bool by_courier)
{
	*late = confirmed(1, NOW, NOW + DAY, false);
	*next = confirmed(2, NOW + DAY + rental.turnaround_s, NOW + 3 * DAY, by_courier);
	assert_true(booking_hand_out(db, late, 9));
	clock_set(NOW + DAY + rental.turnaround_s);
}

/* --- the counter -------------------------------------------------------------------------------------------------- */

TEST(a_customer_has_the_car_from_the_hand_over_until_the_return)
{
	struct booking b = confirmed(1, NOW, NOW + DAY, false);

	assert_int_equal(n_open(1), 0);
	clock_set(NOW + 60);
	assert_true(booking_hand_out(db, &b, 9));
	assert_int_equal(n_open(1), 1);
	clock_set(NOW + HOUR);
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(n_open(1), 0);
	assert_true(db_exists(db,
		"SELECT 1 FROM v_custody WHERE booking_code = $1 AND car_id = 1 AND kind = 'customer' AND user_id = 1"
		" AND from_at = $2 AND to_at = $3 AND ended_by = 'returned'",
		b.code, NOW + 60, NOW + HOUR));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM custody /*scan*/"), 1);
}

TEST(a_car_that_somebody_has_is_not_handed_out_and_nothing_changes)
{
	struct booking late, next;
	struct custody c;

	late_and_next(&late, &next, false);
	assert_false(booking_hand_out(db, &next, 9));
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	assert_int_equal(find(late.code).state, BOOKING_OUT);
	assert_int_equal(events("booking.handed_out"), 1);
	assert_true(custody_in_use(db, &next, true, &c));
	assert_string_equal(c.booking_code, late.code);
	assert_string_equal(c.plate, "12가3456");
	assert_int_equal(c.due_at, late.ends_at);
	assert_int_equal(c.user_id, 1);
	assert_true(booking_take_back(db, &late, 9));
	assert_true(booking_hand_out(db, &next, 9));
	assert_int_equal(n_open(1), 1);
}

TEST(of_several_cars_each_has_a_custody_and_one_in_use_stops_all)
{
	struct booking_order o = { .customer_id = 2,
		.model_id = 7,
		.qty = 2,
		.starts_at = NOW + DAY + rental.turnaround_s,
		.ends_at = NOW + 2 * DAY,
		.card_id = 12 };
	struct booking single, both;
	struct custody c;

	db_script(db,
		"INSERT INTO car_model (model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price)"
		" VALUES (7, 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000);"
		"UPDATE car SET model_id = 7, rev = rev + 10 WHERE car_id IN (1, 2)");
	single = confirmed(1, NOW, NOW + DAY, false);
	assert_int_equal(booking_place(db, &o, &both), BOOKING_OK);
	report_event("car.reserved", both.code, "{}");
	both = find(both.code);
	assert_true(booking_hand_out(db, &single, 9));
	clock_set(both.starts_at);
	assert_false(booking_hand_out(db, &both, 9));
	assert_true(custody_in_use(db, &both, true, &c));
	assert_int_equal(c.car_id, 1);
	assert_int_equal(n_open(2), 0);
	assert_true(booking_take_back(db, &single, 9));
	assert_true(booking_hand_out(db, &both, 9));
	assert_int_equal(n_open(1) + n_open(2), 2);
	assert_true(booking_take_back(db, &both, 9));
	assert_int_equal(n_open(1) + n_open(2), 0);
}

TEST(a_clock_set_back_does_not_stop_the_counter)
{
	struct booking first = confirmed(1, NOW, NOW + HOUR, false), second;

	assert_true(booking_hand_out(db, &first, 9));
	clock_set(NOW + 10 * MINUTE);
	assert_true(booking_take_back(db, &first, 9));
	second = confirmed(2, NOW + 2 * HOUR, NOW + 3 * HOUR, false);
	clock_set(NOW + 2 * HOUR);
	db_do(db, "UPDATE custody SET to_at = $1 WHERE booking_id = $2", NOW + 2 * HOUR + 30, first.booking_id);
	assert_true(booking_hand_out(db, &second, 9));
	clock_set(NOW + 2 * HOUR - 60);
	assert_true(booking_take_back(db, &second, 9));
	assert_true(db_exists(db, "SELECT 1 FROM custody WHERE booking_id = $1 AND from_at = $2 AND to_at = $2",
		second.booking_id, NOW + 2 * HOUR + 30));
}

/* --- the schema --------------------------------------------------------------------------------------------------- */

static bool
insert(const char *key, int64_t from, int64_t to)
{
	bool done;

	db_begin(db);
	done = db_try(db,
		"INSERT INTO custody (key, car_id, kind, user_id, from_at, to_at, ended_by)"
		" VALUES ($1, 1, 'staff', 5, $2, NULLIF($3, 0), CASE $3 WHEN 0 THEN '' ELSE 'returned' END)",
		key, from, to);
	db_commit(db);
	return done;
}

TEST(the_schema_refuses_two_custodies_of_a_car_at_a_time)
{
	assert_true(insert("a", 100, 200));
	assert_true(insert("b", 200, 300)); /* half-open */
	assert_true(insert("c", 50, 100));
	assert_false(insert("d", 299, 0));
	assert_false(insert("e", 150, 160));
	assert_false(insert("f", 40, 51));
	assert_false(insert("g", 10, 0)); /* open: over all that follows */
	assert_true(insert("h", 300, 0));
	assert_false(insert("i", 900, 0));
	assert_false(insert("j", 900, 950));
	assert_false(insert("h", 10, 20)); /* the key is unique */
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM custody /*scan*/"), 4);
}

TEST(the_schema_refuses_to_open_a_custody_over_a_later_one)
{
	assert_true(insert("a", 100, 200));
	assert_true(insert("b", 200, 300));
	db_begin(db);
	assert_false(db_try(db, "UPDATE custody SET to_at = 250 WHERE key = 'a'"));
	assert_false(db_try(db, "UPDATE custody SET to_at = NULL, ended_by = '' WHERE key = 'a'"));
	assert_false(db_try(db, "UPDATE custody SET from_at = 90 WHERE key = 'a'"));
	assert_false(db_try(db, "DELETE FROM custody WHERE key = 'a'"));
	db_commit(db);
}

TEST(the_schema_refuses_a_booking_that_is_out_without_a_custody_and_one_that_is_back_with_it)
{
	struct booking b = confirmed(1, NOW, NOW + DAY, false);

	db_begin(db);
	assert_false(db_try(db, "UPDATE booking SET state = 'OUT' WHERE booking_id = $1", b.booking_id));
	db_commit(db);
	assert_true(booking_hand_out(db, &b, 9));
	db_begin(db);
	assert_false(db_try(db, "UPDATE booking SET state = 'RETURNED' WHERE booking_id = $1", b.booking_id));
	db_commit(db);
}

/* --- a courier's report, which comes when it has happened --------------------------------------------------------- */

TEST(a_reported_hand_over_ends_the_custody_of_the_booking_before_which_needs_attention)
{
	struct stuck_query q = { .kind = -1, .limit = 10 };
	struct stuck_row *rows = NULL;
	struct booking late, next;

	late_and_next(&late, &next, true);
	report_delivery("delivery.delivered", &next, "delivery", "");
	assert_int_equal(find(next.code).state, BOOKING_OUT);
	assert_int_equal(find(late.code).state, BOOKING_OUT);
	assert_string_equal(ended_by(&late), "taken_over");
	assert_string_equal(ended_by(&next), "");
	assert_int_equal(n_open(1), 1);
	clock_set(clock_now() + rental.stuck_after_s + 1);
	q.now = clock_now();
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_int_equal(rows[0].kind, STUCK_CUSTODY);
	assert_string_equal(rows[0].subject_id, late.code);
	assert_null(rows[0].try_url);
	late = find(late.code);
	assert_int_equal(booking_resolve(db, &late, RESOLUTION_REJECT, "no", 9), RESOLVE_NOT_STUCK);
	assert_int_equal(booking_resolve(db, &late, RESOLUTION_RETURNED, "it was in the yard", 9), RESOLVE_DONE);
	assert_int_equal(late.state, BOOKING_COMPLETED);
	assert_int_equal(stuck_rows(db, &q, &rows), 0);
	assert_int_equal(n_open(1), 1);
	next = find(next.code);
	report_delivery("delivery.delivered", &next, "collection", "");
	assert_int_equal(n_open(1), 0);
}

TEST(a_report_that_comes_twice_or_too_late_changes_no_custody)
{
	struct booking late, next;

	late_and_next(&late, &next, true);
	assert_true(booking_take_back(db, &late, 9));
	report_delivery("delivery.delivered", &next, "delivery", "");
	report_delivery("delivery.delivered", &next, "delivery", "");
	report_delivery("delivery.delivered", &late, "delivery", "");
	assert_int_equal(n_open(1), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM custody /*scan*/"), 2);
	assert_string_equal(ended_by(&late), "returned");
}

/* --- a courier's steps, which delivery asks for ------------------------------------------------------------------- */

static enum custody_outcome
courier_step(const struct booking *b, enum custody_step step, int trip)
{
	static const char *const names[] = { "leave", "hand_over", "collect", "back" };
	bool is_collected = b->state >= BOOKING_OUT;
	struct custody_refusal why = { 0 };

	return custody_take_step(db,
		&(struct custody_request){
			.key = arena_printf(scratch_memory, "d-%s-%s-%d", b->code, names[step], trip),
			.begun_key =
				arena_printf(scratch_memory, "d-%s-%s-%d", b->code, names[is_collected ? 2 : 0], trip),
			.booking_code = b->code,
			.step = (int)step,
			.user_id = 5,
		},
		&why);
}

static const char *
holders(void)
{
	struct buf all = { .m = scratch_memory };

	buf_puts(&all, "");
	for (struct rows *r = db_each(
		     db, "SELECT kind, user_id, ended_by FROM custody WHERE car_id = 1 ORDER BY custody_id /*sort*/");
		db_next(r);)
		buf_printf(&all, "%s%s %lld %s", all.n ? ", " : "", row_text(r, 0), (long long)row_int(r, 1),
			row_text(r, 2));
	return all.s;
}

TEST(a_courier_brings_the_car_and_collects_it_each_step_once)
{
	struct booking b = confirmed(2, NOW, NOW + DAY, true);

	for (int i = 0; i < 2; i++)
		assert_int_equal(courier_step(&b, CUSTODY_LEAVE, 1), CUSTODY_DONE);
	assert_string_equal(holders(), "staff 5 ");
	assert_false(booking_hand_out(db, &b, 9));
	assert_false(booking_no_show(db, &b, 9));
	clock_set(NOW + HOUR);
	for (int i = 0; i < 2; i++)
		assert_int_equal(courier_step(&b, CUSTODY_HAND_OVER, 1), CUSTODY_DONE);
	assert_string_equal(holders(), "staff 5 handed_on, customer 2 ");
	assert_int_equal(events("booking.handed_out"), 1);
	report_delivery("delivery.delivered", &b, "delivery", ""); /* finds it done */
	assert_string_equal(holders(), "staff 5 handed_on, customer 2 ");
	clock_set(NOW + DAY);
	b = find(b.code);
	for (int i = 0; i < 2; i++)
		assert_int_equal(courier_step(&b, CUSTODY_COLLECT, 1), CUSTODY_DONE);
	assert_int_equal(find(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(events("booking.returned"), 1);
	assert_string_equal(holders(), "staff 5 handed_on, customer 2 returned, staff 5 ");
	for (int i = 0; i < 2; i++)
		assert_int_equal(courier_step(&b, CUSTODY_BACK, 1), CUSTODY_DONE);
	assert_int_equal(n_open(1), 0);
}

TEST(a_courier_who_comes_back_leaves_again_and_a_late_request_ends_nothing)
{
	struct booking b = confirmed(2, NOW, NOW + DAY, true);

	assert_int_equal(courier_step(&b, CUSTODY_LEAVE, 1), CUSTODY_DONE);
	assert_int_equal(courier_step(&b, CUSTODY_BACK, 1), CUSTODY_DONE);
	assert_int_equal(n_open(1), 0);
	assert_int_equal(courier_step(&b, CUSTODY_LEAVE, 2), CUSTODY_DONE);
	assert_int_equal(courier_step(&b, CUSTODY_BACK, 1), CUSTODY_DONE);
	assert_int_equal(courier_step(&b, CUSTODY_LEAVE, 1), CUSTODY_DONE);
	assert_int_equal(n_open(1), 1);
	assert_int_equal(courier_step(&b, CUSTODY_BACK, 2), CUSTODY_DONE);
	assert_true(booking_hand_out(db, &b, 9)); /* the customer came to the branch */
}

TEST(no_courier_leaves_with_a_car_that_a_customer_has_nor_for_a_booking_that_is_over)
{
	struct booking late, next;

	late_and_next(&late, &next, true);
	assert_int_equal(courier_step(&next, CUSTODY_LEAVE, 1), CUSTODY_IN_USE);
	assert_int_equal(courier_step(&next, CUSTODY_HAND_OVER, 1), CUSTODY_IN_USE);
	assert_int_equal(courier_step(&next, CUSTODY_COLLECT, 1), CUSTODY_WRONG_STATE);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM custody /*scan*/"), 1);
	assert_true(booking_take_back(db, &late, 9));
	assert_int_equal(courier_step(&next, CUSTODY_LEAVE, 3), CUSTODY_DONE);
	late = find(late.code);
	assert_int_equal(courier_step(&late, CUSTODY_LEAVE, 1), CUSTODY_WRONG_STATE);
	assert_int_equal(courier_step(&late, CUSTODY_HAND_OVER, 1), CUSTODY_WRONG_STATE);
}

TEST(a_car_that_another_customer_has_was_not_collected_from_this_one)
{
	struct booking late, next;

	late_and_next(&late, &next, true);
	report_delivery("delivery.delivered", &next, "delivery", "");
	late = find(late.code);
	assert_int_equal(courier_step(&late, CUSTODY_COLLECT, 1), CUSTODY_IN_USE);
	assert_int_equal(find(late.code).state, BOOKING_OUT);
}

/* --- two clerks at once, each a process --------------------------------------------------------------------------- */

static const struct db_role all = { .name = "test", .owns = "*" };

static int
clerk(void *code)
{
	struct booking b;

	db = scratch_open(&all);
	return booking_find(db, code, 0, &b) && booking_hand_out(db, &b, 9) ? 1 : 0;
}

TEST(of_two_clerks_one_hands_the_car_out)
{
	struct booking late, next;
	int wins = 0;

	for (int round = 0; round < 10; round++) {
		const char *codes[2];
		pid_t pids[2];

		clock_set(NOW + round * 10 * DAY);
		late = confirmed(1, clock_now(), clock_now() + DAY, false);
		next = confirmed(2, clock_now() + DAY + rental.turnaround_s, clock_now() + 2 * DAY, false);
		codes[0] = late.code;
		codes[1] = next.code;
		clock_set(late.ends_at - 1);
		rental.turnaround_s += 2 * HOUR; /* so that both may be handed out now */
		db_close(db);
		for (int i = 0; i < 2; i++)
			pids[i] = scratch_fork(clerk, (void *)(uintptr_t)codes[i]);
		wins += scratch_wait(pids[0]) + scratch_wait(pids[1]);
		rental.turnaround_s -= 2 * HOUR;
		db = scratch_open(&all);
		assert_int_equal(wins, round + 1);
		assert_int_equal(n_open(1), 1);
		late = find(late.code);
		next = find(next.code);
		booking_take_back(db, &late, 9);
		booking_take_back(db, &next, 9);
	}
}

/* --- clerks, a courier and customers on one car, in any order ----------------------------------------------------- */

static uint64_t dice;

static int
roll(int n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (int)((dice >> 33) % (unsigned)n);
}

static const char *
any_booking(void)
{
	return db_text(db, "SELECT code FROM booking ORDER BY booking_id DESC LIMIT 1 OFFSET $1 /*scan*/", roll(4));
}

static void
place_any(void)
{
	int64_t from = clock_now() - clock_now() % RENTAL_STEP_S + (1 + roll(4)) * RENTAL_STEP_S;
	struct booking_order o = order_car(1 + roll(2), 1, from, from + (1 + roll(6)) * RENTAL_STEP_S);
	struct booking b;

	if (roll(2))
		add_delivery(&o, roll(2));
	if (booking_place(db, &o, &b) == BOOKING_OK)
		report_event("car.reserved", b.code, "{}");
}

static void
act_at_random(void)
{
	const char *code = any_booking();
	struct booking b;

	clock_set(clock_now() + roll(3000) - (roll(20) ? 0 : 600));
	if (!code || !*code || roll(4) == 0) {
		place_any();
		return;
	}
	b = find(code);
	switch (roll(13)) {
	case 0:
	case 1:
	case 2: booking_hand_out(db, &b, 9); break;
	case 3: booking_take_back(db, &b, 9); break;
	case 4: report_delivery("delivery.delivered", &b, "delivery", ""); break;
	case 5: report_delivery("delivery.delivered", &b, "collection", ""); break;
	case 6: booking_no_show(db, &b, 9); break;
	case 7: booking_cancel(db, &b, b.customer_id, "customer"); break;
	case 8:
	case 9: courier_step(&b, CUSTODY_LEAVE, roll(3)); break;
	case 10: courier_step(&b, CUSTODY_HAND_OVER, roll(3)); break;
	case 11: courier_step(&b, CUSTODY_COLLECT, roll(3)); break;
	case 12:
		for (int trip = 0; trip < 3; trip++)
			courier_step(&b, CUSTODY_BACK, trip);
		break;
	}
}

static void
check_custodies(void)
{
	assert_in_range(n_open(1), 0, 1);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM custody c JOIN custody k ON k.car_id = c.car_id"
				 " AND k.custody_id <> c.custody_id AND k.from_at < COALESCE(c.to_at, 9999999999)"
				 " AND c.from_at < COALESCE(k.to_at, 9999999999) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking b WHERE b.state = 'OUT' AND NOT EXISTS (SELECT 1"
				 " FROM custody c WHERE c.booking_id = b.booking_id AND c.kind = 'customer'"
				 " AND (c.to_at IS NULL OR c.ended_by = 'taken_over')) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM custody c JOIN booking b ON b.booking_id = c.booking_id"
				 " WHERE c.to_at IS NULL AND c.kind = 'customer' AND b.state <> 'OUT' /*scan*/"),
		0);
}

TEST(whatever_they_do_one_at_most_has_the_car)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_us();

	print_message("SEED=%llu\n", (unsigned long long)seed);
	dice = seed;
	rental.max_bookings_per_person = 1000;
	for (int i = 0; i < 200 * 5; i++) {
		act_at_random();
		assert_false(db_failed(db));
		check_custodies();
	}
	assert_true(db_int(db, "SELECT COUNT(*) FROM custody WHERE ended_by = 'returned' /*scan*/") > 5);
}

TEST_MAIN("custody", NULL, NULL, begin, end)
