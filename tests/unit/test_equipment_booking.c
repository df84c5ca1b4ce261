/* equipment: orders that belong to a booking. */
#include "test.h"

#include "equipment_world.h"

#include "lib/base/lang.h"

#define CODE "MP-AAAA1111"

/* booking.paid with a delivery and one kind of equipment. */
static void
paid(const char *code, int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct buf from = { .m = scratch_memory }, until = { .m = scratch_memory };

	time_iso(&from, NOW + from_h * HOUR);
	time_iso(&until, NOW + until_h * HOUR);
	report("booking.paid", code,
		arena_printf(scratch_memory,
			"{\"code\":\"%s\",\"currency\":\"KRW\",\"customer_id\":%d,\"starts_at\":\"%s\","
			"\"ends_at\":\"%s\",\"extras\":["
			"{\"kind\":\"delivery\",\"line_no\":2,\"ref_id\":0,\"quantity\":1,\"amount\":20000},"
			"{\"kind\":\"equipment\",\"line_no\":3,\"ref_id\":%lld,\"quantity\":%lld,\"amount\":%lld}]}",
			code, MINJI, from.s, until.s, (long long)item_id, (long long)quantity,
			(long long)(10000 * quantity)));
}

static struct equipment_order
of_booking(const char *code)
{
	struct equipment_order o;

	assert_true(equipment_find_code(db, arena_printf(scratch_memory, "%s-3", code), 0, &o));
	return o;
}

/* The order of a paid booking. */
static struct equipment_order
booked(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	paid(CODE, item_id, quantity, from_h, until_h);
	react();
	return of_booking(CODE);
}

TEST(a_paid_booking_brings_an_order_for_each_kind)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = booked(item, 2, 0, 48);

	assert_int_equal(o.state, EQUIPMENT_ORDERED);
	assert_int_equal(o.quantity, 2);
	assert_int_equal(o.customer_id, MINJI);
	assert_int_equal(o.amount, 20000);
	assert_int_equal(o.daily_price, 5000);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 1); /* none for the delivery */
	assert_string_equal(
		db_text(db, "SELECT subject_id FROM v_event WHERE type = 'equipment.ordered' /*scan*/"), CODE);
	assert_non_null(strstr(last_payload("equipment.ordered"), "\"order_code\":\"MP-AAAA1111-3\""));
	paid(CODE, item, 2, 0, 48); /* again */
	react();
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 1);
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
}

TEST(equipment_goes_out_and_comes_back_with_the_car)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = booked(item, 2, 0, 48);

	decide("review.approved", &o, "");
	report("booking.handed_out", CODE, "{}");
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
	report("booking.completed", CODE, "{}");
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_RETURNED);
	assert_int_equal(stock_of(db, item), 10);
	report("booking.completed", CODE, "{}");
	react();
	assert_int_equal(stock_of(db, item), 10);
}

TEST(pieces_entered_as_lost_stay_lost)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = booked(item, 2, 0, 48);

	decide("review.approved", &o, "");
	report("booking.handed_out", CODE, "{}");
	react();
	state_of(&o);
	assert_true(equipment_take_back(db, &o, 1, 0, BOSS));
	report("booking.completed", CODE, "{}");
	react();
	assert_int_equal(stock_of(db, item), 9);
}

TEST(equipment_never_handed_out_is_refunded)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid(CODE, item, 2, 0, 48);
	report("booking.handed_out", CODE, "{}"); /* before review decided */
	react();
	o = of_booking(CODE);
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
	report("booking.completed", CODE, "{}");
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"manager\""));
}

/* Undone or not, both are followed by another event. */
TEST(what_can_be_undone_leaves_equipment_as_it_is)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = booked(item, 2, 0, 48);

	decide("review.approved", &o, "");
	report("booking.no_show", CODE, "{\"undo_until\":\"2026-12-25T10:00:00+09:00\"}");
	report("booking.no_show_undone", CODE, "{}");
	report("booking.handed_out", CODE, "{}");
	report("booking.returned", CODE, "{\"undo_until\":\"2026-12-25T10:00:00+09:00\"}");
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
	report("booking.return_undone", CODE, "{}");
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
	assert_int_equal(stock_of(db, item), 8);
}

TEST(a_booking_that_ends_gives_its_pieces_back)
{
	static const char *const over[] = { "booking.cancel_requested", "booking.cancelled", "booking.rejected",
		"booking.no_show", "booking.no_show_final", "booking.expired" };
	int64_t item = add("Seat", "winter", 10, 0);

	for (int i = 0; i < 6; i++) {
		const char *code = arena_printf(scratch_memory, "MP-AAAA111%d", i);
		struct equipment_order o;

		paid(code, item, 2, 0, 48);
		react();
		o = of_booking(code);
		decide("review.approved", &o, "");
		assert_int_equal(stock_of(db, item), 8);
		report(over[i], code, "{}");
		report(over[i], code, "{}");
		react();
		assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
		assert_int_equal(stock_of(db, item), 10);
		assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"booking\""));
		assert_int_equal(n_events("equipment.cancelled"), i + 1);
	}
}

TEST(a_booking_that_ended_before_its_order_was_written_moves_nothing)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid(CODE, item, 2, 0, 48);
	report("booking.cancel_requested", CODE, "{}");
	react();
	o = of_booking(CODE);
	decide("review.approved", &o, ""); /* review had not heard of the end */
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(n_events("stock.changed"), 1);
}

TEST(review_may_have_decided_before_the_order_is_written)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others,
		"INSERT INTO review_case (key, kind, subject_id, applicant_id, state, rule, opened_at, decided_at)"
		" VALUES ('MP-AAAA1111-3', 'equipment', 'MP-AAAA1111', 5, 'APPROVED', 'auto', 1, 1)");
	assert_false(db_failed(others));
	o = booked(item, 2, 0, 48);
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
}

TEST(customers_cancel_their_own_until_the_booking_begins)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = booked(item, 2, 24, 48);

	assert_false(equipment_find(db, o.order_id, EMP, &o)); /* another customer's */
	o = of_booking(CODE);
	assert_true(equipment_may_cancel(db, &o, NOW, false));
	assert_false(equipment_may_cancel(db, &o, o.starts_at, false));
	assert_true(equipment_may_cancel(db, &o, o.starts_at, true));
	assert_int_equal(equipment_cancel(db, &o, BOSS, true), ORDER_CANCEL_DONE);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"manager\""));
	assert_int_equal(stock_of(db, item), 10);
}

TEST(an_order_handed_out_is_not_cancelled)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = approved(item, 1, 0, 24);

	assert_true(equipment_hand_out(db, &o, 0, BOSS));
	assert_int_equal(equipment_cancel(db, &o, EMP, true), ORDER_CANCEL_NOT_POSSIBLE);
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
}

TEST(a_customer_does_not_cancel_what_a_courier_is_delivering)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id,"
		" requested_at)"
		" VALUES ('MP-AAAA1111', 'delivery', 'SHIPPED', $1, 1, 2, 9, 1)",
		MINJI);
	o = booked(item, 2, 24, 48);
	assert_int_equal(equipment_cancel(db, &o, MINJI, false), ORDER_CANCEL_NOT_POSSIBLE);
	assert_int_equal(n_events("equipment.cancelled"), 0);
	db_do(others,
		"UPDATE delivery SET state = 'SCHEDULED' WHERE booking_code ="
		" 'MP-AAAA1111'"); /* the courier returned with it */
	assert_int_equal(equipment_cancel(db, &o, MINJI, false), ORDER_CANCEL_DONE);
}

TEST(equipment_is_not_handed_out_before_its_car)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state,"
		" starts_at, ends_at, amount, vat_amount,"
		" currency, charge_id, held_at, hold_until) VALUES ('MP-AAAA1111', 5, 1, 'Kia Ray', '1', 'mini', 1,"
		" 'x', 'CONFIRMED', 1, 2, 1, 0, 'KRW', 1, 0, 0)");
	o = booked(item, 2, 0, 48);
	db_begin(db);
	order_approve(db, &o, 0);
	assert_true(db_commit(db));
	assert_false(equipment_hand_out(db, &o, 0, BOSS)); /* the booking may still be cancelled and refunded */
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	db_do(others,
		"INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at)"
		" SELECT code, car_id, 'customer', booking_id, customer_id, 1 FROM booking WHERE code = 'MP-AAAA1111'");
	db_do(others, "UPDATE booking SET state = 'OUT' WHERE code = 'MP-AAAA1111'");
	assert_true(equipment_hand_out(db, &o, 0, BOSS));
}

TEST(after_its_end_an_order_is_not_handed_out)
{
	int64_t item = add("Seat", "winter", 1, 0);
	struct equipment_order stale, next;

	stale = booked(item, 1, 0, 24);
	decide("review.approved", &stale, "");
	clock_set(NOW + 25 * HOUR);
	state_of(&stale);
	assert_false(equipment_hand_out(db, &stale, 0, BOSS));
	assert_false(equipment_sweep(db)); /* its booking will end it */
	next = approved(item, 1, 25, 30);
	assert_true(equipment_hand_out(db, &next, 0, BOSS)); /* with the piece that was reserved for it */
	assert_int_equal(state_of(&stale), EQUIPMENT_APPROVED);
	assert_int_equal(stale.taken, 0);
}

TEST_MAIN("equipment_booking", NULL, NULL, begin, world_end)
