/* mypage: the managers' car screen. */
#include "test.h"

#include "mypage_world.h"

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
	assert_int_equal(cars[0].payment->state, MY_PAYMENT_APPROVED);
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
	report("booking.handed_out", "MP-AAAA1111", "{}");
	cars = cars_at(NOW + 30 * DAY, &n);
	assert_int_equal(cars[0].status, CAR_RENTED);
	assert_string_equal(cars[0].booking->code, "MP-AAAA1111");
	report("booking.returned", "MP-AAAA1111", "{}");
	assert_int_equal(cars_at(NOW + 30 * DAY, &n)[0].status, CAR_AVAILABLE);
}

TEST(the_status_follows_fleet_and_the_next_booking_is_shown)
{
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	hold_for("MP-LATER000", KIM, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	pay("MP-LATER000");
	hold_for("MP-NOW00000", KIM, 3, "2026-11-21T10:00:00+09:00", "2026-11-21T13:00:00+09:00");
	pay("MP-NOW00000");
	cars = cars_at(NOW, &n);
	assert_int_equal(cars[0].status, CAR_AVAILABLE); /* fleet has not reserved it yet */
	assert_string_equal(cars[0].booking->code, "MP-NOW00000");
	assert_int_equal(cars[0].booking->state, BOOKING_PAID);
	confirm("MP-NOW00000");
	assert_int_equal(cars_at(NOW, &n)[0].status, CAR_RENTED);
	report("booking.cancel_requested", "MP-NOW00000", "{\"refund_due\":0}");
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
	report("car.retired", "car:3", "{\"car_id\":3,\"plate\":\"33다 3333\"}");
	report("car.deleted", "car:4", "{\"car_id\":4,\"plate\":\"44라 4444\"}");
	handle_events();
	assert_int_equal(view_count(view, &q, n), 3);
	assert_int_equal(n[CAR_AVAILABLE], 1);
	assert_int_equal(n[CAR_OUT_OF_SERVICE], 1);
	assert_int_equal(n[CAR_RETIRED], 1);
	q.down = true;
	assert_int_equal(view_list(view, &q, &cars), 3);
	assert_string_equal(cars[0].plate, "33다 3333");
	q.text = "_"; /* not a wildcard of LIKE */
	assert_int_equal(view_list(view, &q, &cars), 1);
	assert_string_equal(cars[0].plate, "22_2222");
	q.text = "%' OR 1=1 --";
	assert_int_equal(view_list(view, &q, &cars), 0);
	q.text = "";
	q.status = CAR_RETIRED;
	assert_int_equal(view_count(view, &q, n), 1);
	assert_int_equal(view_list(view, &q, &cars), 1);
	q.status = -1;
	for (enum view_order o = VIEW_BY_PLATE; o <= VIEW_BY_BOOKING; o++) {
		q.order = o;
		q.down = !q.down;
		assert_int_equal(view_list(view, &q, &cars), 3);
	}
}

TEST(a_booking_of_several_cars_is_shown_at_each_of_them)
{
	struct my_booking b;
	struct view_car *cars;
	int n;

	register_car(3, "12가 3456", "IN_SERVICE");
	register_car(4, "22나 2222", "IN_SERVICE");
	report("booking.held", "MP-AAAA1111",
		"{\"code\":\"MP-AAAA1111\",\"customer_id\":7,\"car_id\":3,\"car_name\":\"Avante\",\"plate\":\"12가"
		" 3456\",\"body\":\"sedan\",\"branch_id\":1,"
		"\"branch_name\":\"Seoul"
		" Station\",\"branch_name_ko\":\"서울역\",\"starts_at\":\"2026-11-21T10:00:00+09:00\","
		"\"ends_at\":\"2026-11-23T10:00:00+09:00\",\"amount\":1000,\"vat_amount\":90,\"currency\":\"KRW\","
		"\"lines\":[],\"model_id\":1,\"n_cars\":2,"
		"\"cars\":[{\"car_id\":4,\"car_name\":\"Avante\",\"plate\":\"22나 2222\"}]}");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	report_delivery("delivery.requested", 1, "delivery", "");
	report_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	report_message("message.sent", 1, KIM, "booking_confirmed", "MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_cars, 2);
	assert_int_equal(b.n_further, 1);
	assert_string_equal(b.cars[0].plate, "22나 2222");
	cars = cars_at(NOW, &n);
	assert_int_equal(n, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cars[i].status, CAR_RENTED);
		assert_string_equal(cars[i].booking->code, "MP-AAAA1111");
		assert_int_equal(cars[i].delivery->state, MY_DELIVERY_REQUESTED);
		assert_int_equal(cars[i].n_equipment, 2);
		assert_int_equal(cars[i].message->state, MY_MESSAGE_SENT);
	}
	report("booking.returned", "MP-AAAA1111", "{}");
	cars = cars_at(NOW, &n);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cars[i].status, CAR_AVAILABLE);
		assert_null(cars[i].booking);
		assert_null(cars[i].delivery);
	}
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking_car WHERE is_open = 1 /*scan*/"), 0);
	report("booking.return_undone", "MP-AAAA1111", "{}");
	cars = cars_at(NOW, &n);
	for (int i = 0; i < 2; i++)
		assert_int_equal(cars[i].status, CAR_RENTED);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking_car WHERE is_open = 1 /*scan*/"), 1);
}

TEST_MAIN("mypage_cars", NULL, NULL, begin, end)
