/* The read models: events in, rows out; and a replay makes the same rows. */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/mypage/policy.c"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#define NOW 1795222800  /* 2026-11-21 10:00 KST */
#define KIM 7
#define LEE 8

static const struct db_role writer_role = { .name = "test", .owns = "*" };
static struct db *writer, *view;
static char root[512];

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	rental.turnaround_s = 3600;
	clock_open("Asia/Seoul");
	clock_set(NOW);
	scratch_create("", "");
	writer = scratch_open(&writer_role);
	view = scratch_open(&mypage_role);
	return getcwd(root, sizeof(root)) ? 0 : -1;
}

TEST_SETUP(end)
{
	db_close(writer);
	db_close(view);
	clock_set(0);
	return scratch_end(state);
}

/* --- telling ---------------------------------------------------------------------------------------------------------- */

static int64_t
tell_at(int64_t at, const char *type, const char *subject, const char *payload)
{
	int64_t id = 0;

	db_begin(writer);
	id = db_int(writer, "SELECT COALESCE(MAX(event_id), 0) + 1 FROM event");
	db_do(writer,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES ($1, $2, $3, $4, $4, $5, $6, $6)", id, type, subject, at, payload, arena_printf(scratch_memory, "%lld", (long long)id));
	assert_true(db_commit(writer));
	return id;
}

static int64_t
tell(const char *type, const char *subject, const char *payload)
{
	return tell_at(NOW, type, subject, payload);
}

#define HELD_JSON \
	"{\"code\":\"%s\",\"customer_id\":%d,\"car_id\":%d,\"car_name\":\"Avante\",\"plate\":\"12가 3456\",\"body\":\"sedan\",\"branch_id\":1," \
	"\"branch_name\":\"Seoul Station\",\"branch_name_ko\":\"서울역\",\"starts_at\":\"%s\",\"ends_at\":\"%s\",\"amount\":207000," \
	"\"vat_amount\":18818,\"currency\":\"KRW\",\"hold_until\":\"2026-11-21T10:10:00+09:00\",\"lines\":[" \
	"{\"rule\":\"daily\",\"version\":1,\"unit\":\"day\",\"quantity\":2,\"unit_amount\":90000,\"amount\":180000}," \
	"{\"rule\":\"hourly\",\"version\":1,\"unit\":\"hour\",\"quantity\":3,\"unit_amount\":9000,\"amount\":27000}]}"

static void
hold_for(const char *code, int customer_id, int car_id, const char *from, const char *to)
{
	tell("booking.held", code, arena_printf(scratch_memory, HELD_JSON, code, customer_id, car_id, from, to));
}

static void
hold(const char *code)
{
	hold_for(code, KIM, 3, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
}

static void
pay(const char *code)
{
	tell_at(NOW + 1, "payment.approved", code,
		"{\"charge_id\":5,\"customer_id\":7,\"amount\":207000,\"currency\":\"KRW\",\"brand\":\"Visa\",\"last4\":\"4242\"}");
	tell_at(NOW + 1, "booking.paid", code, "{\"charge_id\":5}");
}

static void
confirm(const char *code)
{
	tell_at(NOW + 2, "car.reserved", code, "{\"car_id\":3}");
	tell_at(NOW + 2, "booking.confirmed", code, "{}");
}

static void
register_car(int id, const char *plate, const char *service)
{
	tell("car.registered", arena_printf(scratch_memory, "car:%d", id), arena_printf(scratch_memory,
		"{\"car_id\":%d,\"plate\":\"%s\",\"name\":\"Avante\",\"body\":\"sedan\",\"seats\":5,\"branch_id\":1,\"branch_name\":\"Seoul Station\","
		"\"branch_name_ko\":\"서울역\",\"service\":\"%s\"}", id, plate, service));
}

static void
hear(void)
{
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 0);
}

static struct my_booking
found(const char *code)
{
	struct my_booking b;

	hear();
	assert_int_equal(my_find(view, code, KIM, &b), MY_FOUND);
	return b;
}

/* --- a booking's life -------------------------------------------------------------------------------------------------- */

TEST(a_held_booking_shows_what_was_promised_and_how_its_price_is_made_up)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_HELD);
	assert_string_equal(b.car_name, "Avante");
	assert_string_equal(b.plate, "12가 3456");
	assert_int_equal(b.body, BODY_SEDAN);
	assert_int_equal(b.amount, 207000);
	assert_int_equal(b.starts_at, 1795568400);
	assert_int_equal(b.n_lines, 2);
	assert_int_equal(b.lines[0].rule, PRICE_RULE_DAILY);
	assert_int_equal(b.lines[1].amount, 27000);
	assert_int_equal(b.payment_state, PAYMENT_NONE);
}

TEST(paid_and_confirmed_show_with_the_card_and_the_history_newest_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.payment_state, PAYMENT_APPROVED);
	assert_string_equal(b.last4, "4242");
	assert_int_equal(b.paid_at, NOW + 1);
	assert_int_equal(b.confirmed_at, NOW + 2);
	assert_int_equal(b.n_events, 5);
	assert_string_equal(words_code(&customer_event_words, b.events[0].type), "booking.confirmed");
	assert_string_equal(words_code(&customer_event_words, b.events[4].type), "booking.held");
	assert_int_equal(b.events[3].amount, 207000);
}

TEST(a_cancelled_booking_shows_the_refund_as_pending_until_it_is_done)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	tell("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":144900,\"reason\":\"customer\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(b.payment_state, PAYMENT_GOING_BACK);
	assert_int_equal(b.refund_due, 144900);
	tell_at(NOW + 60, "payment.cancelled", "MP-AAAA1111", "{\"amount\":144900,\"refunded_amount\":144900}");
	tell_at(NOW + 60, "booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":144900}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.payment_state, PAYMENT_BACK);
	assert_int_equal(b.refunded_amount, 144900);
	assert_int_equal(b.refunded_at, NOW + 60);
	assert_int_equal(b.ended_at, NOW);
}

TEST(a_cancellation_without_a_refund_leaves_the_payment_as_paid)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	tell("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":0,\"reason\":\"customer\"}");
	tell("booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":0}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.payment_state, PAYMENT_APPROVED);
}

TEST(money_taken_for_an_expired_booking_is_shown_as_on_its_way_back_whichever_came_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	tell("booking.expired", "MP-AAAA1111", "{\"reason\":\"later\"}");
	tell("payment.approved", "MP-AAAA1111", "{\"amount\":207000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.payment_state, PAYMENT_GOING_BACK);
	assert_int_equal(b.refund_due, 207000);
	hold("MP-BBBB2222");
	tell("payment.approved", "MP-BBBB2222", "{\"amount\":207000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	tell("booking.expired", "MP-BBBB2222", "{\"reason\":\"later\"}");
	b = found("MP-BBBB2222");
	assert_int_equal(b.payment_state, PAYMENT_GOING_BACK);
	tell("payment.cancelled", "MP-BBBB2222", "{\"amount\":207000,\"refunded_amount\":207000}");
	b = found("MP-BBBB2222");
	assert_int_equal(b.payment_state, PAYMENT_BACK);
}

TEST(a_refused_car_ends_as_rejected_with_all_money_back)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	tell("car.refused", "MP-AAAA1111", "{\"car_id\":3,\"reason\":\"retired\"}");
	tell("booking.rejected", "MP-AAAA1111", "{\"refund_due\":207000,\"reason\":\"car_refused\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.payment_state, PAYMENT_GOING_BACK);
	tell("payment.cancelled", "MP-AAAA1111", "{\"amount\":207000,\"refunded_amount\":207000}");
	tell("booking.refunded", "MP-AAAA1111", "{\"refunded_amount\":207000}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.payment_state, PAYMENT_BACK);
}

/* --- who sees what ------------------------------------------------------------------------------------------------------ */

TEST(somebody_elses_booking_is_unknown)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	hear();
	assert_int_equal(my_find(view, "MP-AAAA1111", LEE, &b), MY_UNKNOWN);
	assert_int_equal(my_find(view, "MP-ZZZZ9999", KIM, &b), MY_UNKNOWN);
}

TEST(a_booking_whose_news_is_on_its_way_is_being_prepared_for_its_customer_only)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	assert_int_equal(my_find(view, "MP-AAAA1111", KIM, &b), MY_PREPARING);
	assert_int_equal(my_find(view, "MP-AAAA1111", LEE, &b), MY_UNKNOWN);
	hear();
	assert_int_equal(my_find(view, "MP-AAAA1111", KIM, &b), MY_FOUND);
}

TEST(bookings_stand_on_their_shelves_and_not_completed_ones_only_under_all)
{
	struct my_booking *list;
	int64_t n[SHELF_ALL + 1];

	hold_for("MP-LATER000", KIM, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	hold_for("MP-SOON0000", KIM, 3, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
	hold("MP-EXPIRED0");
	tell("booking.expired", "MP-EXPIRED0", "{\"reason\":\"declined\"}");
	hold("MP-CANCEL00");
	tell("booking.cancelled", "MP-CANCEL00", "{\"refunded_amount\":0}");
	hold_for("MP-LEE00000", LEE, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	hear();
	my_count(view, KIM, n);
	assert_int_equal(n[SHELF_UPCOMING], 2);
	assert_int_equal(n[SHELF_CANCELLED], 1);
	assert_int_equal(n[SHELF_PAST], 0);
	assert_int_equal(n[SHELF_ALL], 4);
	assert_int_equal(my_list(view, KIM, SHELF_UPCOMING, 0, 20, &list), 2);
	assert_string_equal(list[0].code, "MP-SOON0000");
	assert_int_equal(my_list(view, KIM, SHELF_ALL, 0, 20, &list), 4);
	assert_string_equal(list[0].code, "MP-LATER000");
	assert_int_equal(my_list(view, KIM, SHELF_ALL, 3, 20, &list), 1);
	assert_int_equal(my_list(view, KIM, SHELF_CANCELLED, 0, 20, &list), 1);
	assert_string_equal(list[0].code, "MP-CANCEL00");
}

/* --- progress ------------------------------------------------------------------------------------------------------------ */

static void
expect_steps(const char *code, const char *expected, bool is_moving)
{
	struct my_booking b = found(code);
	struct my_progress p;
	struct buf said = { .m = scratch_memory };

	my_progress(&b, &p);
	for (int i = 0; i < p.n_steps; i++)
		buf_printf(&said, "%s%s:%s", i ? " " : "", words_code(&my_step_words, p.step[i].step), words_code(&my_mark_words, p.step[i].mark));
	assert_string_equal(said.s, expected);
	assert_int_equal(p.is_moving, is_moving);
}

TEST(the_steps_follow_the_booking_and_the_page_watches_only_while_something_moves)
{
	hold("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:now CONFIRMED:todo OUT:todo RETURNED:todo COMPLETED:todo", true);
	pay("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:now OUT:todo RETURNED:todo COMPLETED:todo", true);
	confirm("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:now RETURNED:todo COMPLETED:todo", false);
	tell("booking.handed_out", "MP-AAAA1111", "{}");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:done RETURNED:now COMPLETED:todo", false);
	tell("booking.returned", "MP-AAAA1111", "{}");
	tell("booking.completed", "MP-AAAA1111", "{}");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:done RETURNED:done COMPLETED:done", false);
}

TEST(the_side_ways_end_where_they_end_and_show_the_refund)
{
	hold("MP-AAAA1111");
	tell("payment.failed", "MP-AAAA1111", "{\"amount\":207000,\"reason\":\"declined\"}");
	tell("booking.expired", "MP-AAAA1111", "{\"reason\":\"declined\"}");
	expect_steps("MP-AAAA1111", "BOOKED:done EXPIRED:bad", false);
	hold("MP-BBBB2222");
	pay("MP-BBBB2222");
	confirm("MP-BBBB2222");
	tell("booking.cancel_requested", "MP-BBBB2222", "{\"refund_due\":207000}");
	expect_steps("MP-BBBB2222", "BOOKED:done PAID:done CONFIRMED:done CANCELLED:done REFUND:now", true);
	tell("payment.cancelled", "MP-BBBB2222", "{\"amount\":207000,\"refunded_amount\":207000}");
	tell("booking.cancelled", "MP-BBBB2222", "{\"refunded_amount\":207000}");
	expect_steps("MP-BBBB2222", "BOOKED:done PAID:done CONFIRMED:done CANCELLED:done REFUND:done", false);
	hold("MP-CCCC3333");
	pay("MP-CCCC3333");
	confirm("MP-CCCC3333");
	tell("booking.no_show", "MP-CCCC3333", "{}");
	expect_steps("MP-CCCC3333", "BOOKED:done PAID:done CONFIRMED:done NO_SHOW:bad", false);
}

/* --- the car screen -------------------------------------------------------------------------------------------------------- */

static struct view_car *
cars_at(int64_t now, int *n)
{
	struct view_query q = { .text = "", .status = -1, .now = now, .limit = 100 };
	struct view_car *cars = NULL;

	hear();
	*n = view_list(view, &q, &cars);
	return cars;
}

TEST(a_car_is_rented_from_its_preparation_until_the_end_and_available_around_that)
{
	const int64_t start = 1795568400, stop = start + 51 * HOUR;
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	cars = cars_at(start - HOUR - 1, &n);
	assert_int_equal(n, 1);
	assert_int_equal(cars[0].status, CAR_AVAILABLE);
	assert_string_equal(cars[0].booking->code, "MP-AAAA1111");
	assert_int_equal(cars[0].payment->state, PAYMENT_APPROVED);
	assert_int_equal(cars_at(start - HOUR, &n)[0].status, CAR_RENTED);
	assert_int_equal(cars_at(stop - 1, &n)[0].status, CAR_RENTED);
	cars = cars_at(stop, &n);
	assert_int_equal(cars[0].status, CAR_AVAILABLE);
	assert_null(cars[0].booking);
	assert_null(cars[0].payment);
}

TEST(a_car_that_is_out_stays_rented_however_late_and_shows_that_booking)
{
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	tell("booking.handed_out", "MP-AAAA1111", "{}");
	cars = cars_at(NOW + 30 * DAY, &n);
	assert_int_equal(cars[0].status, CAR_RENTED);
	assert_string_equal(cars[0].booking->code, "MP-AAAA1111");
	tell("booking.returned", "MP-AAAA1111", "{}");
	assert_int_equal(cars_at(NOW + 30 * DAY, &n)[0].status, CAR_AVAILABLE);
}

TEST(the_status_follows_fleet_and_the_booking_that_comes_next_is_shown)
{
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	hold_for("MP-LATER000", KIM, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	pay("MP-LATER000");
	hold_for("MP-NOW00000", KIM, 3, "2026-11-21T10:00:00+09:00", "2026-11-21T13:00:00+09:00");
	pay("MP-NOW00000");
	cars = cars_at(NOW, &n);
	assert_int_equal(cars[0].status, CAR_AVAILABLE);        /* fleet has not heard of it yet */
	assert_string_equal(cars[0].booking->code, "MP-NOW00000");
	assert_int_equal(cars[0].booking->state, BOOKING_PAID);
	confirm("MP-NOW00000");
	assert_int_equal(cars_at(NOW, &n)[0].status, CAR_RENTED);
	tell("booking.cancel_requested", "MP-NOW00000", "{\"refund_due\":0}");
	cars = cars_at(NOW, &n);
	assert_int_equal(cars[0].status, CAR_AVAILABLE);
	assert_string_equal(cars[0].booking->code, "MP-LATER000");
}

TEST(cars_are_found_sorted_counted_and_retired_or_deleted)
{
	struct view_query q = { .text = "", .status = -1, .now = NOW, .limit = 100 };
	struct view_car *cars;
	int64_t n[4];

	register_car(1, "11가 1111", "IN_SERVICE");
	register_car(2, "22_2222", "OUT_OF_SERVICE");
	register_car(3, "33다 3333", "IN_SERVICE");
	register_car(4, "44라 4444", "IN_SERVICE");
	tell("car.retired", "car:3", "{\"car_id\":3,\"plate\":\"33다 3333\"}");
	tell("car.deleted", "car:4", "{\"car_id\":4,\"plate\":\"44라 4444\"}");
	hear();
	assert_int_equal(view_count(view, &q, n), 3);
	assert_int_equal(n[CAR_AVAILABLE], 1);
	assert_int_equal(n[CAR_OUT_OF_SERVICE], 1);
	assert_int_equal(n[CAR_RETIRED], 1);
	q.down = true;
	assert_int_equal(view_list(view, &q, &cars), 3);
	assert_string_equal(cars[0].plate, "33다 3333");
	q.text = "_";                   /* a sign of LIKE is only itself */
	assert_int_equal(view_list(view, &q, &cars), 1);
	assert_string_equal(cars[0].plate, "22_2222");
	q.text = "%' OR 1=1 --";
	assert_int_equal(view_list(view, &q, &cars), 0);
	q.text = "";
	q.status = CAR_RETIRED;
	assert_int_equal(view_count(view, &q, n), 1);
	assert_int_equal(view_list(view, &q, &cars), 1);
	q.status = -1;
	for (enum view_order o = ORDER_PLATE; o <= ORDER_BOOKING; o++) {
		q.order = o;
		q.down = !q.down;
		assert_int_equal(view_list(view, &q, &cars), 3);
	}
}

/* --- what goes with a booking ------------------------------------------------------------------------------------------------- */

#define TRIP_JSON "{\"delivery_id\":%d,\"code\":\"MP-AAAA1111\",\"direction\":\"%s\",\"customer_id\":7,\"zone\":\"center\"," \
	"\"window_from\":\"2026-11-25T10:00:00+09:00\",\"window_to\":\"2026-11-25T12:00:00+09:00\"%s}"

static void
tell_trip(const char *type, int delivery_id, const char *direction, const char *more)
{
	tell(type, "MP-AAAA1111", arena_printf(scratch_memory, TRIP_JSON, delivery_id, direction, more));
}

static void
tell_order(const char *type, const char *subject, const char *order_code, const char *booking_code, const char *more)
{
	tell(type, subject, arena_printf(scratch_memory,
		"{\"order_code\":\"%s\",\"booking_code\":\"%s\",\"line_no\":3,\"customer_id\":7,\"item_id\":2,\"item_name\":\"Child seat\","
		"\"item_name_ko\":\"카시트\",\"quantity\":2%s}", order_code, booking_code, more));
}

#define ORDERED_MORE ",\"category\":\"child_seat\",\"starts_at\":\"2026-11-25T10:00:00+09:00\",\"ends_at\":\"2026-11-27T13:00:00+09:00\"," \
	"\"amount\":30000,\"currency\":\"KRW\",\"review_mode\":\"async\""

static void
tell_message(const char *type, int message_id, int recipient_id, const char *kind, const char *about)
{
	tell(type, arena_printf(scratch_memory, "message:%d", message_id), arena_printf(scratch_memory,
		"{\"message_id\":%d,\"recipient_id\":%d,\"kind\":\"%s\",\"about\":\"%s\",\"event_id\":1,\"channel\":\"folder\",\"tries\":1}",
		message_id, recipient_id, kind, about));
}

static void
expect_trip_steps(const struct my_delivery *d, const char *expected)
{
	struct buf said = { .m = scratch_memory };
	struct my_progress p;

	my_trip_progress(d, &p);
	for (int i = 0; i < p.n_steps; i++)
		buf_printf(&said, "%s%s:%s", i ? " " : "", words_code(&my_step_words, p.step[i].step), words_code(&my_mark_words, p.step[i].mark));
	assert_string_equal(said.s, expected);
}

/* What mypage reads where it shows a delivery: the couriers' names, and who received the keys. */
static void
deliver_to_kim(void)
{
	db_begin(writer);
	db_do(writer, "INSERT INTO person (user_id, email, name, lang, password_hash, created_at, updated_at)"
	              " VALUES (5, 'park@example.com', 'Park', 'en', 'x', 0, 0), (6, 'choi@example.com', 'Choi', 'en', 'x', 0, 0)");
	db_do(writer, "INSERT INTO delivery (delivery_id, booking_code, direction, state, customer_id, window_from, window_to, courier_id,"
	              " requested_at, received_by) VALUES (1, 'MP-AAAA1111', 'delivery', 'DELIVERED', 7, 0, 0, 6, 1, 'Kim')");
	assert_true(db_commit(writer));
}

TEST(a_delivery_is_followed_step_by_step_and_a_step_back_is_one)
{
	struct my_booking b;

	deliver_to_kim();

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	tell_trip("delivery.requested", 1, "delivery", "");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 1);
	assert_int_equal(b.deliveries[0].state, TRIP_REQUESTED);
	assert_int_equal(b.deliveries[0].window_from, 1795568400);
	expect_trip_steps(&b.deliveries[0], "TRIP_ASKED:done TRIP_COURIER:now TRIP_UNDER_WAY:todo TRIP_BROUGHT:todo");
	tell_trip("delivery.scheduled", 1, "delivery", ",\"courier_id\":5,\"courier_name\":\"Park\"");     /* as older versions report it */
	tell_trip("delivery.shipped", 1, "delivery", ",\"courier_id\":5");
	b = found("MP-AAAA1111");
	expect_trip_steps(&b.deliveries[0], "TRIP_ASKED:done TRIP_COURIER:done TRIP_UNDER_WAY:done TRIP_BROUGHT:now");
	assert_string_equal(b.deliveries[0].courier_name, "Park");
	assert_string_equal(b.deliveries[0].received_by, "");
	assert_string_equal(b.events[0].label, "Park");
	assert_string_equal(b.events[1].label, "Park");
	tell_trip("delivery.scheduled", 1, "delivery", ",\"courier_id\":5,\"note\":\"nobody there\"");
	b = found("MP-AAAA1111");
	assert_int_equal(b.deliveries[0].shipped_at, 0);
	tell_trip("delivery.requested", 1, "delivery", "");
	b = found("MP-AAAA1111");
	assert_string_equal(b.deliveries[0].courier_name, "");
	assert_int_equal(b.deliveries[0].scheduled_at, 0);
	tell_trip("delivery.scheduled", 1, "delivery", ",\"courier_id\":6");
	tell_trip("delivery.shipped", 1, "delivery", "");
	tell_trip("delivery.delivered", 1, "delivery", ",\"odometer_km\":12345,\"fuel_percent\":90");
	tell_trip("delivery.requested", 2, "collection", "");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 2);
	assert_int_equal(b.deliveries[0].state, TRIP_DELIVERED);
	assert_string_equal(b.deliveries[0].courier_name, "Choi");
	assert_string_equal(b.deliveries[0].received_by, "Kim");
	assert_int_equal(b.deliveries[0].odometer_km, 12345);
	expect_trip_steps(&b.deliveries[1], "TRIP_ASKED:done TRIP_COURIER:now TRIP_UNDER_WAY:todo TRIP_FETCHED:todo");
	assert_string_equal(words_code(&customer_event_words, b.events[0].type), "delivery.requested");
}

TEST(a_cancelled_delivery_says_why_and_one_never_asked_for_is_shown_as_cancelled)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	tell_trip("delivery.requested", 1, "delivery", "");
	tell_trip("delivery.cancelled", 1, "delivery", ",\"reason\":\"The bridge is closed.\",\"by\":\"dispatcher\"");    /* an older version's */
	b = found("MP-AAAA1111");
	assert_int_equal(b.deliveries[0].state, TRIP_CANCELLED);
	assert_string_equal(b.deliveries[0].reason, "The bridge is closed.");
	expect_trip_steps(&b.deliveries[0], "TRIP_ASKED:done TRIP_CANCELLED:bad");
	tell_trip("delivery.cancelled", 9, "collection", ",\"note\":\"\",\"reason\":\"\",\"by\":\"customer\"");
	tell_trip("delivery.cancelled", 10, "delivery", ",\"note\":\"No driver.\",\"reason\":\"\",\"by\":\"dispatcher\"");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 3);
	expect_trip_steps(&b.deliveries[1], "TRIP_CANCELLED:bad");
	assert_string_equal(b.deliveries[2].reason, "No driver.");
	assert_string_equal(b.events[0].reason, "No driver.");
}

TEST(equipment_goes_its_way_and_a_rejection_keeps_its_reason)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	tell_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	tell("review.assigned", "MP-AAAA1111", "{\"case_id\":1,\"key\":\"MP-AAAA1111-3\",\"title\":\"2 × Child seat\",\"title_ko\":\"2 × 카시트\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_orders, 1);
	assert_int_equal(b.orders[0].state, ORDER_ORDERED);
	assert_int_equal(b.n_equipment, 2);
	assert_string_equal(b.events[0].label, "2 × Child seat");
	assert_string_equal(b.events[0].label_ko, "2 × 카시트");
	tell_order("equipment.rejected", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ",\"reason\":\"All seats are recalled.\"");
	tell("booking.extra_ended", "MP-AAAA1111", "{\"line_no\":2,\"kind\":\"equipment\",\"label\":\"Child seat\",\"refund_due\":27000,\"reason\":\"All seats are recalled.\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.orders[0].state, ORDER_REJECTED);
	assert_string_equal(b.orders[0].reason, "All seats are recalled.");
	assert_int_equal(b.n_equipment, 0);
	assert_int_equal(b.lines[1].refund_due, 27000);
	assert_int_equal(b.lines[1].ended_at, NOW);
	assert_int_equal(b.lines[0].ended_at, 0);
	assert_string_equal(my_reason_said("All seats are recalled."), "All seats are recalled.");
	assert_string_equal(my_reason_said("some_code"), "");
	assert_string_equal(my_reason_said("manager"), "By our staff.");
}

TEST(an_extras_refund_leaves_the_booking_paid_and_the_bookings_own_does_not)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	tell("booking.extra_ended", "MP-AAAA1111", "{\"line_no\":2,\"refund_due\":27000,\"reason\":\"dispatcher\"}");
	tell("payment.cancelled", "MP-AAAA1111", "{\"amount\":27000,\"refunded_amount\":27000,\"refund_key\":\"MP-AAAA1111-extra-2\"}");
	tell("booking.extra_refunded", "MP-AAAA1111", "{\"line_no\":2,\"refunded_amount\":27000}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.payment_state, PAYMENT_APPROVED);
	assert_int_equal(b.refunded_amount, 27000);
	assert_int_equal(b.lines[1].refunded_amount, 27000);
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:now RETURNED:todo COMPLETED:todo", false);
	tell("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":180000,\"reason\":\"customer\"}");
	tell("payment.cancelled", "MP-AAAA1111", "{\"amount\":180000,\"refunded_amount\":207000,\"refund_key\":\"MP-AAAA1111\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.payment_state, PAYMENT_BACK);
	assert_int_equal(b.refunded_amount, 207000);
}

TEST(equipment_alone_is_its_owners_and_no_booking)
{
	struct my_order *orders = NULL;
	struct my_booking b;

	tell_order("equipment.ordered", "EQ-AAAA1111", "EQ-AAAA1111", "", ORDERED_MORE);
	tell_order("equipment.approved", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	tell_order("equipment.handed_out", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	tell_order("equipment.returned", "EQ-AAAA1111", "EQ-AAAA1111", "", ",\"lost\":1");
	hear();
	assert_int_equal(my_orders_alone_count(view, KIM), 1);
	assert_int_equal(my_orders_alone_count(view, LEE), 0);
	assert_int_equal(my_orders_alone(view, KIM, 0, 20, &orders), 1);
	assert_int_equal(orders[0].state, ORDER_RETURNED);
	assert_int_equal(orders[0].lost, 1);
	assert_int_equal(orders[0].amount, 30000);
	assert_int_equal(my_find(view, "EQ-AAAA1111", KIM, &b), MY_UNKNOWN);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_event WHERE code = 'EQ-AAAA1111'"), 4);
	assert_false(view_is_ahead(view));
}

TEST(a_booking_shows_what_its_own_customer_was_sent_newest_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	for (int i = 1; i <= 7; i++)
		tell_message("message.sent", i, KIM, "booking_confirmed", "MP-AAAA1111");
	tell_message("message.sent", 8, LEE, "review_assigned", "MP-AAAA1111");         /* a manager's */
	tell_message("message.dead", 9, KIM, "delivery_shipped", "MP-AAAA1111");
	tell_message("message.dead", 10, KIM, "booking_confirmed", "MP-BBBB2222");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_messages, 5);
	assert_int_equal(b.messages[0].message_id, 9);
	assert_int_equal(b.messages[0].state, LETTER_DEAD);
	assert_string_equal(my_message_in_words(b.messages[0].kind, &customer_event_words), "The courier is on the way");
	assert_string_equal(my_message_in_words("of_no_kind", &event_words), "of_no_kind");
	tell_message("message.sent", 9, KIM, "delivery_shipped", "MP-AAAA1111");        /* sent again */
	b = found("MP-AAAA1111");
	assert_int_equal(b.messages[0].state, LETTER_SENT);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_message /*scan*/"), 10);
}

/* A booking of two: the second car is rented and shows the booking like the first, until both are back. */
TEST(a_booking_of_several_cars_stands_at_each_of_them_on_the_car_screen)
{
	struct my_booking b;
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	register_car(4, "22나 2222", "IN_SERVICE");
	tell("booking.held", "MP-AAAA1111",
		"{\"code\":\"MP-AAAA1111\",\"customer_id\":7,\"car_id\":3,\"car_name\":\"Avante\",\"plate\":\"12가 3456\",\"body\":\"sedan\",\"branch_id\":1,"
		"\"branch_name\":\"Seoul Station\",\"branch_name_ko\":\"서울역\",\"starts_at\":\"2026-11-21T10:00:00+09:00\","
		"\"ends_at\":\"2026-11-23T10:00:00+09:00\",\"amount\":1000,\"vat_amount\":90,\"currency\":\"KRW\",\"lines\":[],\"model_id\":1,\"n_cars\":2,"
		"\"cars\":[{\"car_id\":4,\"car_name\":\"Avante\",\"plate\":\"22나 2222\"}]}");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	tell_trip("delivery.requested", 1, "delivery", "");
	tell_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	tell_message("message.sent", 1, KIM, "booking_confirmed", "MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_cars, 2);
	assert_int_equal(b.n_further, 1);
	assert_string_equal(b.cars[0].plate, "22나 2222");
	cars = cars_at(NOW, &n);
	assert_int_equal(n, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cars[i].status, CAR_RENTED);
		assert_string_equal(cars[i].booking->code, "MP-AAAA1111");
		assert_int_equal(cars[i].delivery->state, TRIP_REQUESTED);
		assert_int_equal(cars[i].n_equipment, 2);
		assert_int_equal(cars[i].message->state, LETTER_SENT);
	}
	tell("booking.returned", "MP-AAAA1111", "{}");
	cars = cars_at(NOW, &n);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cars[i].status, CAR_AVAILABLE);
		assert_null(cars[i].booking);
		assert_null(cars[i].delivery);
	}
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking_car WHERE is_open = 1 /*scan*/"), 0);
}

/* What others may leave out, or say of bookings nobody knows, makes no row wrong and holds nobody back. */
TEST(events_of_the_desks_that_say_too_little_hold_nobody_back)
{
	static const char *const types[] = {
		"delivery.requested", "delivery.scheduled", "delivery.shipped", "delivery.delivered", "delivery.cancelled", "equipment.approved",
		"equipment.rejected", "equipment.cancelled", "equipment.handed_out", "equipment.returned", "review.assigned", "booking.extra_ended",
		"booking.extra_refunded", "message.sent", "message.dead", "review.approved", "stock.changed",
	};

	hold("MP-AAAA1111");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		tell(types[i], "MP-AAAA1111", "{}");
		tell(types[i], "MP-NEVER000", "{}");
	}
	hear();
	assert_int_equal(db_int(view, "SELECT (SELECT COUNT(*) FROM my_delivery /*scan*/) + (SELECT COUNT(*) FROM my_message)"), 0);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_event WHERE code = 'MP-NEVER000'"), 0);
	assert_false(view_is_ahead(view));
}

/* --- replay ------------------------------------------------------------------------------------------------------------------ */

static void
a_busy_day(void)
{
	register_car(3, "12가 3456", "IN_SERVICE");
	register_car(4, "22나 2222", "IN_SERVICE");
	for (int i = 0; i < 40; i++) {
		const char *code = arena_printf(scratch_memory, "MP-%08d", i);

		hold_for(code, i % 2 ? KIM : LEE, 3 + i % 2, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
		if (i % 5 == 0) {
			tell("booking.expired", code, "{\"reason\":\"declined\"}");
			continue;
		}
		pay(code);
		confirm(code);
		if (i % 3 == 0)
			tell("booking.cancel_requested", code, "{\"refund_due\":207000,\"reason\":\"customer\"}");
		if (i % 7 == 0)
			tell("booking.handed_out", code, "{}");
	}
	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	tell_trip("delivery.requested", 1, "delivery", "");
	tell_trip("delivery.scheduled", 1, "delivery", ",\"courier_id\":5");
	tell_trip("delivery.cancelled", 1, "delivery", ",\"courier_id\":5,\"note\":\"snow\",\"reason\":\"\",\"by\":\"dispatcher\"");
	tell("booking.extra_ended", "MP-AAAA1111", "{\"line_no\":2,\"refund_due\":27000,\"reason\":\"snow\"}");
	tell_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	tell_order("equipment.rejected", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ",\"reason\":\"none left\"");
	tell_order("equipment.ordered", "EQ-AAAA1111", "EQ-AAAA1111", "", ORDERED_MORE);
	tell_order("equipment.approved", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	tell_message("message.sent", 1, KIM, "booking_confirmed", "MP-AAAA1111");
	tell_message("message.dead", 2, KIM, "booking_cancelled", "MP-00000003");
	tell("booking.held", "MP-TWOCARS0", "{\"customer_id\":7,\"car_id\":3,\"n_cars\":2,\"cars\":[{\"car_id\":4,\"car_name\":\"K5\",\"plate\":\"22나 2222\"}]}");
	tell("booking.expired", "MP-TWOCARS0", "{\"reason\":\"given_up\"}");
	tell("car.modified", "car:4", "{\"car_id\":4,\"plate\":\"22나 2223\",\"name\":\"K5\",\"body\":\"sedan\",\"service\":\"OUT_OF_SERVICE\"}");
}

TEST(a_replay_makes_the_same_rows_and_the_comparison_says_so)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	hear();
	clock_set(NOW + DAY);           /* no row may know when it was made */
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_true(c.n_rows > 250);
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), c.n_events);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_int_equal(consumer_lag(view, &mypage_consumer), 0);
}

static void
count_beat(void *arg)
{
	++*(int *)arg;
}

/* The relay kills a child that is silent for a minute; a log of a million events takes longer. */
TEST(a_replay_of_the_relays_gives_signs_of_life)
{
	int n_beats = 0;

	a_busy_day();
	hear();
	consumer_on_alive(count_beat, &n_beats);
	assert_true(view_remake(view) > 0);
	consumer_on_alive(NULL, NULL);
	assert_true(n_beats > 0);
}

TEST(the_comparison_finds_a_changed_a_missing_and_a_foreign_row)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	hear();
	db_do(view, "UPDATE my_booking SET amount = amount + 1 WHERE code = 'MP-00000002'");
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 1);
	assert_non_null(strstr(c.first, "MP-00000002"));
	db_do(view, "UPDATE my_booking SET amount = amount - 1 WHERE code = 'MP-00000002'");
	db_do(view, "UPDATE my_order SET reason = 'x' WHERE order_code = 'MP-AAAA1111-3'");
	db_do(view, "UPDATE my_delivery SET courier_id = 9 WHERE delivery_id = 1");
	db_do(view, "UPDATE my_message SET state = 'DEAD' WHERE message_id = 1");
	db_do(view, "UPDATE my_booking_car SET is_open = 1 WHERE code = 'MP-TWOCARS0'");
	db_do(view, "UPDATE my_booking_line SET refund_due = 1 WHERE code = 'MP-AAAA1111' AND line_no = 2");
	db_do(view, "UPDATE my_event SET label = 'x' WHERE code = 'EQ-AAAA1111'");
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 7);     /* the order's two events */
	db_do(view, "DELETE FROM my_event WHERE code = 'MP-00000003'");
	db_do(view, "INSERT INTO view_car (car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko, service, updated_at, event_id)"
	            " VALUES (99, 'x', 'x', 'x', 'x', 1, 'x', 'x', 'IN_SERVICE', 0, 0)");
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_true(c.n_different > 3);
	assert_false(db_failed(view));
	assert_true(view_replay(root, scratch, NULL, NULL, &why) > 0);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
}

TEST(a_deleted_file_is_made_again_with_the_same_rows)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	hear();
	db_close(view);
	assert_int_equal(remove(scratch_path("view.db")), 0);
	assert_true(view_replay(root, scratch, NULL, NULL, &why) > 100);
	view = scratch_open(&mypage_role);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 42);
	assert_int_equal(db_int(view, "SELECT (SELECT COUNT(*) FROM my_order /*scan*/) * 1000 + (SELECT COUNT(*) FROM my_message) * 100"
		" + (SELECT COUNT(*) FROM my_delivery) * 10 + (SELECT COUNT(*) FROM my_booking_car)"), 2211);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
}

TEST(the_order_of_different_subjects_does_not_matter)
{
	static const char *const types[] = { "booking.held", "payment.approved", "booking.paid", "car.reserved", "booking.confirmed" };
	const char *a, *b;

	for (int i = 0; i < 5; i++) {   /* one after the other, and woven together */
		if (i == 0)
			hold("MP-AAAA1111");
		else
			tell(types[i], "MP-AAAA1111", "{\"amount\":5,\"brand\":\"Visa\",\"last4\":\"1111\"}");
		register_car(10 + i, arena_printf(scratch_memory, "plate %d", i), "IN_SERVICE");
	}
	hold("MP-BBBB2222");
	for (int i = 1; i < 5; i++)
		tell(types[i], "MP-BBBB2222", "{\"amount\":5,\"brand\":\"Visa\",\"last4\":\"1111\"}");
	hear();
	a = db_text(view, "SELECT state || shelf || reservation || payment_state || last4 || paid_at FROM my_booking WHERE code = 'MP-AAAA1111'");
	b = db_text(view, "SELECT state || shelf || reservation || payment_state || last4 || paid_at FROM my_booking WHERE code = 'MP-BBBB2222'");
	assert_string_equal(a, b);
}

TEST(events_of_unknown_kinds_and_about_unknown_bookings_change_nothing)
{
	tell("weather.changed", "MP-AAAA1111", "{}");
	tell("delivery.scheduled", "MP-NEVER000", "{}");
	tell("payment.approved", "APP-12345678", "{\"amount\":1000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	tell("booking.cancelled", "MP-NEVER000", "{\"refunded_amount\":5}");
	hear();
	assert_int_equal(db_int(view, "SELECT (SELECT COUNT(*) FROM my_booking /*scan*/) + (SELECT COUNT(*) FROM my_event)"), 0);
	assert_int_equal(consumer_lag(view, &mypage_consumer), 0);
}

TEST(an_unreadable_event_waits_and_holds_back_its_own_booking_only)
{
	struct view_comparison c;
	const char *why = "";

	tell("booking.held", "MP-BAD00000", "{\"amount\":\"many\"}");
	tell("booking.paid", "MP-BAD00000", "{}");
	hold("MP-GOOD0000");
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 2);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 1);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), 3);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 2);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 1);
}

TEST(read_models_ahead_of_the_log_are_made_anew)
{
	hold("MP-AAAA1111");
	hear();
	db_do(view, "UPDATE position SET event_id = 900 WHERE consumer = 'mypage'");
	db_do(view, "UPDATE my_booking /*scan*/ SET amount = 1");
	assert_true(view_is_ahead(view));
	assert_false(mypage_consumer.sweep(view));
	assert_false(view_is_ahead(view));
	assert_int_equal(found("MP-AAAA1111").amount, 207000);
}

/* A power cut took the log's last event, which had been read here, and the log has grown past that number since. */
TEST(read_models_that_took_an_event_the_log_has_lost_are_made_anew)
{
	hold("MP-AAAA1111");
	hold("MP-BBBB2222");
	hear();
	assert_false(view_is_ahead(view));
	db_do(view, "UPDATE my_booking SET code = 'MP-LOST0000' WHERE code = 'MP-BBBB2222'");
	db_do(view, "UPDATE my_event SET code = 'MP-LOST0000' WHERE code = 'MP-BBBB2222'");
	assert_true(view_is_ahead(view));
	assert_false(mypage_consumer.sweep(view));
	assert_false(view_is_ahead(view));
	assert_int_equal(found("MP-BBBB2222").amount, 207000);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking WHERE code = 'MP-LOST0000'"), 0);
}

TEST(an_event_that_waits_or_changes_nothing_is_not_taken_for_a_lost_one)
{
	tell("booking.paid", "MP-NOBODY00", "{}");
	hear();
	assert_false(view_is_ahead(view));
	register_car(3, "12가 3456", "IN_SERVICE");
	hear();
	assert_false(view_is_ahead(view));
	hold("MP-AAAA1111");
	tell("booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":\"many\"}");
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 1);
	assert_false(view_is_ahead(view));
}

TEST(the_pages_know_how_many_events_they_are_behind)
{
	struct my_fresh f;

	hold("MP-AAAA1111");
	hear();
	my_fresh(view, NOW + 50, &f);
	assert_int_equal(f.n_behind, 0);
	assert_int_equal(f.as_of, NOW + 50);
	pay("MP-AAAA1111");
	my_fresh(view, NOW + 50, &f);
	assert_int_equal(f.n_behind, 2);
	assert_int_equal(f.as_of, NOW);
}

/* MYPAGE_MANY=100000: how long a replay of so many takes. */
TEST(a_replay_of_many_events_takes_them_all)
{
	const char *many = getenv("MYPAGE_MANY");
	int n = many ? atoi(many) : 2000;
	const char *why = "";
	double began;

	db_begin(writer);
	for (int i = 0; i < n / 5; i++) {
		const char *code = arena_printf(scratch_memory, "MP-%08d", i);

		hold(code);
		pay(code);
		confirm(code);
		if (i % 100 == 0)
			arena_reset(scratch_memory);
	}
	assert_true(db_commit(writer));
	began = scratch_us();
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), n / 5 * 5);
	printf("          %d events replayed in %.0f ms\n", n, (scratch_us() - began) / 1000);
}

TEST_MAIN("mypage", NULL, NULL, begin, end)
