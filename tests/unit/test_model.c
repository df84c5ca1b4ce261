/*
 * test_model - any car of a model, one to five in a booking: all or none, at one branch, none twice; what is shown as
 * free agrees with the table after every order and cancellation.
 */
#include "test.h"

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

#include "cgi-bin/booking/model.h"
#include "lib/db/db_inside.h"

#define RAY 7
#define SEOUL 1
#define JEJU 2

static void
add_car(int64_t car_id, int64_t model_id, int64_t branch_id)
{
	db_do(db,
		"INSERT INTO car (car_id, plate, model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price,"
		" branch_id, created_at,"
		" updated_at, rev) VALUES ($1, 'P' || $1, NULLIF($2, 0), 'Ray', 'mini', 4, 'petrol', 'automatic',"
		" 99000, 9900, $3, 0, 0, $1)",
		car_id, model_id, branch_id);
}

/* Five Rays, three in Seoul (1-3) and two on Jeju (4, 5), and a sixth car of no model. */
TEST_SETUP(begin_models)
{
	if (world_begin(state,
		    "INSERT INTO car_model (model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price)"
		    " VALUES"
		    " (7, 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000), (8, 'Bongo', 'van', 3, 'diesel',"
		    " 'manual', 80000, 8000);"))
		return -1;
	for (int i = 1; i <= 5; i++)
		add_car(i, RAY, i <= 3 ? SEOUL : JEJU);
	add_car(6, 0, SEOUL);
	rental.max_bookings_per_person = 10;
	return 0;
}

static struct booking_order
order_cars(int64_t qty, int64_t from, int64_t until)
{
	return (struct booking_order){
		.customer_id = 1, .model_id = RAY, .qty = qty, .starts_at = from, .ends_at = until, .card_id = 11
	};
}

static enum booking_outcome
place(struct booking_order o, struct booking *b)
{
	struct booking ignored;

	return booking_place(db, &o, b ? b : &ignored);
}

static int64_t
n_free(int64_t from, int64_t until)
{
	struct model_offer model;

	assert_true(offer_find(db, RAY, &model));
	offer_count_free(db, scratch_memory, &model, from, until);
	return model.n_free;
}

/* --- what is booked ----------------------------------------------------------------------------------------------- */

TEST(the_agreed_total_is_that_of_all_cars_of_the_model)
{
	struct booking_order o = order_cars(2, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.has_agreed = true;
	o.agreed_amount = 50000;
	assert_int_equal(place(o, &b), BOOKING_PRICE_CHANGED);
	assert_int_equal(b.amount, 100000);
	assert_int_equal(n_free(NOW + DAY, NOW + 2 * DAY), 5);
	o.agreed_amount = 100000;
	assert_int_equal(place(o, &b), BOOKING_OK);
}

/* The last cars may be those that one holds oneself. */
TEST(ones_own_unpaid_hold_of_the_model_is_named_before_the_cars_that_are_missing)
{
	struct booking_order o = order_cars(3, NOW + DAY, NOW + 2 * DAY);
	struct booking held, b;

	o.card_id = 0;
	assert_int_equal(place(o, &held), BOOKING_OK);
	o.branch_id = SEOUL;
	o.card_id = 11;
	assert_int_equal(place(o, &b), BOOKING_OWN);
	assert_string_equal(b.code, held.code);
	assert_string_equal(own_booking_in_words(scratch_memory, &b),
		"You are holding these cars until 17:10. Pay for them, or give them up.");
	o.customer_id = 2;
	o.card_id = 12;
	assert_int_equal(place(o, &b), BOOKING_FEWER_CARS);                               /* another customer */
	assert_int_equal(place(order_cars(2, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_OK); /* there are more elsewhere */
	o = order_cars(3, NOW + DAY, NOW + 2 * DAY);
	assert_int_equal(booking_cancel(db, &held, 1, "customer"), CANCEL_DONE);
	assert_int_equal(place(o, &b), BOOKING_OK);
	assert_int_equal(place(o, &b), BOOKING_FEWER_CARS); /* a paid one is no hold */
}

TEST(two_cars_of_a_model_cost_twice_the_models_price_and_each_has_its_slot)
{
	struct booking b, found;

	assert_int_equal(place(order_cars(2, NOW + DAY, NOW + 3 * DAY + 3 * HOUR), &b), BOOKING_OK);
	assert_int_equal(b.amount, 2 * (2 * 50000 + 3 * 5000)); /* the model's price, not that of the cars */
	assert_int_equal(b.lines[0].quantity, 4);
	assert_int_equal(b.lines[0].unit_amount, 50000);
	assert_int_equal(b.lines[1].amount, 30000);
	assert_int_equal(b.vat_amount, vat_share(b.amount));
	assert_int_equal(slots("BOOKED"), 2);
	assert_true(booking_find(db, b.code, 1, &found));
	assert_int_equal(found.n_all_cars, 2);
	assert_int_equal(found.n_more_cars, 1);
	assert_int_equal(found.model_id, RAY);
	assert_string_equal(found.cars[0].plate, found.plate);
	assert_int_equal(found.more_cars[0].car_id, b.cars[1].car_id);
	assert_true(found.cars[0].car_id != found.cars[1].car_id);
}

TEST(the_hours_of_several_cars_are_capped_at_a_day_each)
{
	struct booking b;

	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY + 12 * HOUR), &b), BOOKING_OK);
	assert_int_equal(b.lines[1].rule, PRICE_RULE_HOURLY_CAP);
	assert_int_equal(b.lines[1].quantity, 36);
	assert_int_equal(b.lines[1].amount, 150000);
	assert_int_equal(b.amount, 300000);
}

TEST(one_car_of_a_model_is_a_booking_like_any_other)
{
	struct booking b;

	assert_int_equal(place(order_cars(1, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_OK);
	assert_int_equal(b.n_cars, 1);
	assert_int_equal(b.n_more_cars, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_car /*scan*/"), 0);
	assert_non_null(strstr(payload("booking.paid"), "\"n_cars\":1,\"cars\":[]"));
}

static int n_statements, n_of_several;

static int
note_statement(unsigned kind, void *arg, void *stmt, void *text)
{
	const char *sql = sqlite3_sql(stmt);

	(void)kind;
	(void)arg;
	(void)text;
	if (strncmp(sql, "--", 2) == 0)
		return 0; /* of a trigger */
	n_statements++;
	n_of_several += strstr(sql, "booking_car") || strstr(sql, "v_car_model");
	return 0;
}

static void
count_statements(struct booking_order o)
{
	n_statements = n_of_several = 0;
	sqlite3_trace_v2(db->sqlite, SQLITE_TRACE_STMT, note_statement, NULL);
	assert_int_equal(place(o, NULL), BOOKING_OK);
	sqlite3_trace_v2(db->sqlite, 0, NULL, NULL);
}

TEST(a_booking_of_a_certain_car_runs_no_statement_about_models_or_further_cars)
{
	int n_one;

	count_statements(order_car(1, 1, NOW + DAY, NOW + 2 * DAY));
	assert_true(n_statements > 5);
	assert_int_equal(n_of_several, 0);
	n_one = n_statements;
	count_statements(order_cars(1, NOW + DAY, NOW + 2 * DAY));
	assert_true(n_of_several > 0);
	assert_in_range(
		n_statements, n_one, n_one + 3); /* for any car of a model: the model, its cars, which are free */
}

TEST(its_events_name_the_further_cars)
{
	struct booking b;
	const char *cars;

	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_OK);
	cars = arena_printf(scratch_memory,
		"\"n_cars\":3,\"cars\":[{\"car_id\":%d,\"car_name\":\"Ray\",\"car_name_ko\":\"\",\"plate\":\"P%d\"},"
		"{\"car_id\":%d,",
		(int)b.cars[1].car_id, (int)b.cars[1].car_id, (int)b.cars[2].car_id);
	assert_non_null(strstr(payload("booking.held"), cars));
	assert_non_null(strstr(payload("booking.held"), "\"model_id\":7"));
	assert_non_null(strstr(payload("booking.paid"), cars));
}

TEST(after_a_worker_died_a_booking_of_two_is_paid_with_both_cars)
{
	struct booking_order o = order_cars(2, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(slots("HOLD"), 2);
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_APPROVED;
	clock_set(NOW + 20);
	booking_sweep(db);
	assert_int_equal(slots("BOOKED"), 2);
	assert_non_null(strstr(payload("booking.paid"), "\"n_cars\":2,\"cars\":[{\"car_id\":"));
}

/* --- all or none, at one branch ----------------------------------------------------------------------------------- */

TEST(where_fewer_are_free_nothing_is_held)
{
	struct booking b;

	assert_int_equal(
		place(order_cars(4, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_FEWER_CARS); /* three here, two there */
	assert_int_equal(
		db_int(db, "SELECT COUNT(*) FROM slot /*scan*/") + db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"),
		0);
	assert_int_equal(place(order_car(1, 2, NOW + DAY, NOW + 2 * DAY), NULL), BOOKING_OK);
	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_FEWER_CARS);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_car /*scan*/"), 0);
	assert_int_equal(slots("BOOKED"), 1);
}

TEST(all_cars_are_at_one_branch_the_ordered_one_or_where_most_are_free)
{
	struct booking_order o = order_cars(2, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.branch_id = JEJU;
	assert_int_equal(place(o, &b), BOOKING_OK);
	assert_int_equal(b.branch_id, JEJU);
	assert_int_equal(b.cars[0].car_id + b.cars[1].car_id, 4 + 5);
	assert_int_equal(place(o, &b), BOOKING_FEWER_CARS);
	o.branch_id = 0;
	assert_int_equal(place(o, &b), BOOKING_OK);
	assert_int_equal(b.branch_id, SEOUL);
	o.branch_id = 99;
	assert_int_equal(place(o, &b), BOOKING_FEWER_CARS);
}

TEST(a_car_with_a_short_gap_is_chosen_before_one_that_is_free_for_weeks)
{
	int64_t day = NOW + 10 * DAY;
	struct booking b;

	assert_int_equal(place(order_car(1, 3, day - 2 * DAY, day - rental.turnaround_s), NULL), BOOKING_OK);
	assert_int_equal(place(order_car(1, 3, day + DAY + rental.turnaround_s, day + 3 * DAY), NULL), BOOKING_OK);
	assert_int_equal(place(order_car(1, 2, day + 2 * DAY, day + 3 * DAY), NULL), BOOKING_OK);
	assert_int_equal(place(order_cars(2, day, day + DAY), &b), BOOKING_OK);
	assert_int_equal(b.cars[0].car_id, 3);
	assert_int_equal(b.cars[1].car_id, 2);
}

TEST(what_is_not_for_rent_is_not_chosen)
{
	struct booking_order o = order_cars(1, NOW + DAY, NOW + 2 * DAY);

	o.model_id = 99;
	assert_int_equal(place(o, NULL), BOOKING_NO_CAR);
	o.model_id = 8;
	assert_int_equal(place(o, NULL), BOOKING_FEWER_CARS); /* it has no cars */
	db_do(db, "UPDATE car SET service = 'OUT_OF_SERVICE', rev = rev + 100 WHERE car_id IN (1, 2)");
	assert_int_equal(n_free(NOW + DAY, NOW + 2 * DAY), 3);
	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), NULL), BOOKING_FEWER_CARS);
	db_do(db, "UPDATE car_model SET state = 'OFF_SALE' WHERE model_id = $1", RAY);
	assert_int_equal(place(order_cars(1, NOW + DAY, NOW + 2 * DAY), NULL), BOOKING_NO_CAR);
	o = order_cars(0, NOW + DAY, NOW + 2 * DAY);
	assert_int_equal(place(o, NULL), BOOKING_NO_CAR);
	o.qty = CARS_MAX + 1;
	assert_int_equal(place(o, NULL), BOOKING_NO_CAR);
}

TEST(a_booking_of_five_counts_once_among_the_open_ones_but_five_times_among_the_unpaid_cars)
{
	struct booking_order o = order_cars(3, NOW + DAY, NOW + 2 * DAY);

	rental.max_holds_per_person = 3;
	o.card_id = 0;
	assert_int_equal(place(o, NULL), BOOKING_OK);
	o.qty = 1;
	assert_int_equal(place(o, NULL), BOOKING_HOLDS);
	rental.max_bookings_per_person = 2;
	assert_int_equal(place(order_cars(2, NOW + DAY, NOW + 2 * DAY), NULL), BOOKING_OK);
	assert_int_equal(place(order_cars(1, NOW + 5 * DAY, NOW + 6 * DAY), NULL), BOOKING_QUOTA);
}

/* --- what happens to the booking happens to all of them ----------------------------------------------------------- */

TEST(the_free_number_falls_with_orders_and_rises_with_cancellations)
{
	struct booking a, b;
	int64_t from = NOW + DAY, until = NOW + 2 * DAY;

	db_do(db, "UPDATE car SET branch_id = 1, rev = rev + 100 WHERE model_id = $1", RAY);
	assert_int_equal(n_free(from, until), 5);
	assert_int_equal(place(order_cars(2, from, until), &a), BOOKING_OK);
	assert_int_equal(n_free(from, until), 3);
	assert_int_equal(place(order_cars(2, from, until), &b), BOOKING_OK);
	assert_int_equal(n_free(from, until), 1);
	assert_int_equal(place(order_cars(2, from, until), NULL), BOOKING_FEWER_CARS);
	assert_int_equal(n_free(until + HOUR, until + DAY), 5);
	assert_int_equal(booking_cancel(db, &a, 1, "customer"), CANCEL_DONE);
	assert_int_equal(refund_asked, 200000 / 2);
	assert_int_equal(n_free(from, until), 3);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_free(from, until), 5);
}

TEST(a_declined_card_or_a_refused_car_frees_all_of_them)
{
	struct booking b;

	charge_reply = CHARGE_ANSWER_DECLINED;
	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_DECLINED);
	assert_int_equal(slots("RELEASED"), 3);
	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_OK);
	report_event("car.refused", b.code, "{}");
	assert_int_equal(slots("RELEASED"), 6);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	booking_sweep(db);
	assert_int_equal(refund_asked, b.amount);
}

TEST(they_are_handed_over_and_returned_together)
{
	struct booking b;

	assert_int_equal(place(order_cars(2, NOW, NOW + 2 * DAY), &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + DAY);
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM slot WHERE kind = 'BOOKED' AND ends_at = $1 AND busy_until = $2 /*scan*/",
			NOW + DAY, NOW + DAY + rental.turnaround_s),
		2);
}

TEST(a_no_show_frees_all_of_them)
{
	struct booking b;

	assert_int_equal(place(order_cars(3, NOW, NOW + 2 * DAY), &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + rental.no_show_grace_s);
	booking_reload(db, &b);
	assert_true(booking_no_show(db, &b, 9));
	assert_int_equal(slots("RELEASED"), 3);
}

/* Another booking still has one of the three. */
TEST(a_booking_of_several_is_no_no_show_while_one_of_its_cars_is_away)
{
	struct booking one, three;
	struct custody with;
	int64_t from;

	assert_int_equal(place(order_cars(1, NOW, NOW + HOUR), &one), BOOKING_OK);
	assert_int_equal(place(order_cars(3, NOW + 5 * HOUR, NOW + 2 * DAY), &three), BOOKING_OK);
	report_event("car.reserved", one.code, "{}");
	report_event("car.reserved", three.code, "{}");
	booking_reload(db, &one);
	assert_true(booking_hand_out(db, &one, 9));
	clock_set(NOW + 10 * HOUR);
	booking_sweep(db);
	booking_reload(db, &three);
	assert_int_equal(three.state, BOOKING_CONFIRMED);
	assert_int_equal(booking_may_no_show(db, &three, &from, &with), NO_SHOW_CAR_AWAY);
	assert_string_equal(with.booking_code, one.code);
	assert_false(booking_no_show(db, &three, 9));
	assert_true(booking_take_back(db, &one, 9));
	clock_set(NOW + 10 * HOUR + rental.no_show_grace_s);
	assert_true(booking_no_show(db, &three, 9));
}

/* One of two late cars is booked next; the other slot is extended all the same. */
TEST(of_two_late_cars_the_one_not_booked_next_is_extended)
{
	struct booking b, next;
	struct late_clash *late;

	assert_int_equal(place(order_cars(2, NOW, NOW + DAY), &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	assert_int_equal(place(order_car(1, b.cars[1].car_id, NOW + DAY + rental.turnaround_s, NOW + 2 * DAY), &next),
		BOOKING_OK);
	clock_set(NOW + DAY + 1);
	booking_sweep(db);
	assert_int_equal(db_int(db, "SELECT ends_at FROM slot WHERE car_id = $1 /*scan*/", b.cars[0].car_id),
		NOW + DAY + RENTAL_STEP_S);
	assert_int_equal(
		db_int(db, "SELECT MIN(ends_at) FROM slot WHERE car_id = $1 /*scan*/", b.cars[1].car_id), NOW + DAY);
	assert_int_equal(late_clashes(db, clock_now(), &late), 1);
	assert_string_equal(late[0].plate, b.cars[1].plate);
	assert_string_equal(late[0].next_code, next.code);
}

TEST(a_manager_finds_the_booking_by_the_plate_of_any_of_its_cars)
{
	struct booking_query q = {
		.state = -1, .now = NOW, .today = NOW, .tomorrow = NOW + DAY, .order = BOOKINGS_ORDER_NEWEST
	};
	struct booking_row *rows;
	struct booking b;

	assert_int_equal(place(order_cars(3, NOW + DAY, NOW + 2 * DAY), &b), BOOKING_OK);
	for (int i = 0; i < 3; i++) {
		q.text = b.cars[i].plate;
		assert_int_equal(bookings_list(db, &q, 0, 20, &rows), 1);
		assert_int_equal(rows[0].n_more_cars, 2);
	}
	q.text = "P4";
	assert_int_equal(bookings_count(db, &q), 0);
}

/* --- the calendar in memory and the choice, compared with SQL at random ------------------------------------------- */

static int64_t
most_at_one_branch(const struct model_stock *stock, int n, int64_t branch_id)
{
	int64_t most = 0;

	for (int i = 0; i < n; i++)
		if ((!branch_id || stock[i].branch_id == branch_id) && stock[i].n_free > most)
			most = stock[i].n_free;
	return most;
}

static void
same_stock(int64_t from, int64_t until)
{
	struct model_stock *told, *true_one;
	int n = calendar_model(db, scratch_memory, RAY, from, until, &told);

	assert_int_equal(n, calendar_model_sql(db, RAY, from, until, &true_one));
	for (int i = 0; i < n; i++) {
		assert_int_equal(told[i].branch_id, true_one[i].branch_id);
		assert_int_equal(told[i].n_cars, true_one[i].n_cars);
		assert_int_equal(told[i].n_free, true_one[i].n_free);
		assert_string_equal(told[i].branch_name, true_one[i].branch_name);
	}
}

/* No car twice, each booking with all its slots and no other: recomputed from the tables. */
static void
nothing_is_promised_twice(void)
{
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM slot a JOIN slot b ON b.car_id = a.car_id AND b.slot_id > a.slot_id"
			" AND b.kind <> 'RELEASED'"
			" WHERE a.kind <> 'RELEASED' AND a.starts_at < b.busy_until"
			" AND b.starts_at < a.busy_until /*scan*/"),
		0);
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM booking b WHERE b.n_cars <> (SELECT COUNT(*) FROM slot s"
			" WHERE s.booking_id = b.booking_id"
			" AND s.booking_id <> 0 AND s.kind = CASE WHEN b.state IN ('CANCELLED', 'EXPIRED') THEN"
			" 'RELEASED' ELSE 'BOOKED' END) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM slot s JOIN booking b ON b.booking_id = s.booking_id JOIN car c"
				 " ON c.car_id = s.car_id"
				 " WHERE c.branch_id <> b.branch_id /*scan*/"),
		0);
}

static struct booking_order
any_order(unsigned *seed)
{
	int64_t from = NOW + (1 + rand_r(seed) % 200) * RENTAL_STEP_S;
	int64_t until = from + (1 + rand_r(seed) % 60) * RENTAL_STEP_S;
	struct booking_order o = rand_r(seed) % 3 ? order_cars(1 + rand_r(seed) % CARS_MAX, from, until)
						  : order_car(1, 1 + rand_r(seed) % 24, from, until);

	if (o.model_id && rand_r(seed) % 3 == 0)
		o.branch_id = 1 + rand_r(seed) % 2;
	return o;
}

static void
one_random_step(unsigned *seed)
{
	struct booking_order o = any_order(seed);
	struct model_stock *stock;
	int n = calendar_model_sql(db, RAY, o.starts_at, o.ends_at, &stock);
	int64_t had = most_at_one_branch(stock, n, o.branch_id);
	struct booking b;
	enum booking_outcome outcome;

	charge_reply = rand_r(seed) % 8 ? CHARGE_ANSWER_APPROVED : CHARGE_ANSWER_DECLINED;
	outcome = booking_place(db, &o, &b);
	if (o.model_id) /* it succeeds exactly when SQL finds enough free cars */
		assert_int_equal(outcome == BOOKING_FEWER_CARS, had < o.qty);
	if (outcome == BOOKING_OK && o.model_id)
		assert_int_equal(b.n_all_cars, o.qty);
	same_stock(o.starts_at, o.ends_at);
	if (outcome == BOOKING_OK && rand_r(seed) % 3 == 0) {
		assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
		same_stock(o.starts_at, o.ends_at);
	}
}

TEST(random_orders_and_cancellations_agree_with_sql)
{
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261121;

	print_message("SEED=%u\n", seed);
	rental.max_bookings_per_person = 100000;
	for (int i = 7; i <= 24; i++)
		add_car(i, i % 4 ? RAY : 8, 1 + i % 2);
	for (int i = 0; i < 500; i++) {
		one_random_step(&seed);
		if (i % 100 == 50)
			db_do(db,
				"UPDATE car SET service = 'OUT_OF_SERVICE', rev = (SELECT MAX(rev) + 1 FROM car)"
				" WHERE car_id = $1",
				7 + i / 100);
	}
	nothing_is_promised_twice();
	assert_true(db_int(db, "SELECT COUNT(*) FROM booking WHERE n_cars > 1 AND state = 'PAID' /*scan*/") > 20);
}

TEST(a_search_says_how_many_of_the_same_model_are_free_at_that_branch)
{
	struct car_query q = { .starts_at = NOW + DAY,
		.ends_at = NOW + 2 * DAY,
		.body = -1,
		.fuel = -1,
		.limit = 20,
		.branch_id = SEOUL };
	struct free_car *cars;
	int n;

	assert_int_equal(place(order_cars(1, NOW + DAY, NOW + 2 * DAY), NULL), BOOKING_OK);
	assert_int_equal(calendar_search(db, scratch_memory, &q, &cars, &n), 3);
	for (int i = 0; i < n; i++)
		assert_int_equal(cars[i].n_of_model, cars[i].model_id ? 2 : 1);
}

TEST_MAIN("model", NULL, NULL, begin_models, end)
