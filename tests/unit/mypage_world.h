/*
 * mypage_world - the read models of a scratch state folder, with words to write the events of other contexts into the
 * log as they emit them (docs/events.md) and to let mypage handle them.
 */
#ifndef MP_MYPAGE_WORLD_H
#define MP_MYPAGE_WORLD_H

#include "scratch.h"

#include "cgi-bin/mypage/mypage.h"
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

/* --- events ------------------------------------------------------------------------------------------------------- */

static inline int64_t
report_at(int64_t at, const char *type, const char *subject, const char *payload)
{
	int64_t id = 0;

	db_begin(writer);
	id = db_int(writer, "SELECT COALESCE(MAX(event_id), 0) + 1 FROM event");
	db_do(writer,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES ($1, $2, $3, $4, $4, $5, $6, $6)",
		id, type, subject, at, payload, arena_printf(scratch_memory, "%lld", (long long)id));
	assert_true(db_commit(writer));
	return id;
}

static inline int64_t
report(const char *type, const char *subject, const char *payload)
{
	return report_at(NOW, type, subject, payload);
}

#define HELD_JSON \
	"{\"code\":\"%s\",\"customer_id\":%d,\"car_id\":%d,\"car_name\":\"Avante\",\"plate\":\"12가" \
	" 3456\",\"body\":\"sedan\",\"branch_id\":1," \
	"\"branch_name\":\"Seoul" \
	" Station\",\"branch_name_ko\":\"서울역\",\"starts_at\":\"%s\",\"ends_at\":\"%s\",\"amount\":207000," \
	"\"vat_amount\":18818,\"currency\":\"KRW\",\"hold_until\":\"2026-11-21T10:10:00+09:00\",\"lines\":[" \
	"{\"rule\":\"daily\",\"version\":1,\"unit\":\"day\",\"quantity\":2,\"unit_amount\":90000,\"amount\":180000}," \
	"{\"rule\":\"hourly\",\"version\":1,\"unit\":\"hour\",\"quantity\":3,\"unit_amount\":9000,\"amount\":27000}]}"

static inline void
hold_for(const char *code, int customer_id, int car_id, const char *from, const char *to)
{
	report("booking.held", code, arena_printf(scratch_memory, HELD_JSON, code, customer_id, car_id, from, to));
}

static inline void
hold(const char *code)
{
	hold_for(code, KIM, 3, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
}

static inline void
pay(const char *code)
{
	report_at(NOW + 1, "payment.approved", code,
		"{\"charge_id\":5,\"customer_id\":7,\"amount\":207000,\"currency\":\"KRW\",\"brand\":\"Visa\","
		"\"last4\":\"4242\"}");
	report_at(NOW + 1, "booking.paid", code, "{\"charge_id\":5}");
}

static inline void
confirm(const char *code)
{
	report_at(NOW + 2, "car.reserved", code, "{\"car_id\":3}");
	report_at(NOW + 2, "booking.confirmed", code, "{}");
}

static inline void
register_car(int id, const char *plate, const char *service)
{
	report("car.registered", arena_printf(scratch_memory, "car:%d", id),
		arena_printf(scratch_memory,
			"{\"car_id\":%d,\"plate\":\"%s\",\"name\":\"Avante\",\"body\":\"sedan\",\"seats\":5,"
			"\"branch_id\":1,\"branch_name\":\"Seoul Station\","
			"\"branch_name_ko\":\"서울역\",\"service\":\"%s\"}",
			id, plate, service));
}

static inline void
handle_events(void)
{
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 0);
}

static inline struct my_booking
found(const char *code)
{
	struct my_booking b;

	handle_events();
	assert_int_equal(my_find(view, code, KIM, &b), MY_FOUND);
	return b;
}

#define DELIVERY_JSON \
	"{\"delivery_id\":%d,\"code\":\"MP-AAAA1111\",\"direction\":\"%s\",\"customer_id\":7,\"zone\":\"center\"," \
	"\"window_from\":\"2026-11-25T10:00:00+09:00\",\"window_to\":\"2026-11-25T12:00:00+09:00\"%s}"

static inline void
report_delivery(const char *type, int delivery_id, const char *direction, const char *more)
{
	report(type, "MP-AAAA1111", arena_printf(scratch_memory, DELIVERY_JSON, delivery_id, direction, more));
}

static inline void
report_order(const char *type, const char *subject, const char *order_code, const char *booking_code, const char *more)
{
	report(type, subject,
		arena_printf(scratch_memory,
			"{\"order_code\":\"%s\",\"booking_code\":\"%s\",\"line_no\":3,\"customer_id\":7,\"item_id\":2,"
			"\"item_name\":\"Child seat\","
			"\"item_name_ko\":\"카시트\",\"quantity\":2%s}",
			order_code, booking_code, more));
}

#define ORDERED_MORE ",\"category\":\"child_seat\",\"starts_at\":\"2026-11-25T10:00:00+09:00\"," \
	"\"ends_at\":\"2026-11-27T13:00:00+09:00\"," \
	"\"amount\":30000,\"currency\":\"KRW\",\"review_mode\":\"async\""

static inline void
report_message(const char *type, int message_id, int recipient_id, const char *kind, const char *about)
{
	report(type, arena_printf(scratch_memory, "message:%d", message_id),
		arena_printf(scratch_memory,
			"{\"message_id\":%d,\"recipient_id\":%d,\"kind\":\"%s\",\"about\":\"%s\",\"event_id\":1,"
			"\"channel\":\"folder\",\"tries\":1}",
			message_id, recipient_id, kind, about));
}

/* What mypage reads when it shows delivery 1: the couriers' names, and the receiver's. */
static inline void
deliver_to_kim(void)
{
	db_begin(writer);
	db_do(writer,
		"INSERT INTO person (user_id, email, name, lang, password_hash, created_at, updated_at)"
		" VALUES (5, 'park@example.com', 'Park', 'en', 'x', 0, 0), (6, 'choi@example.com', 'Choi', 'en', 'x',"
		" 0, 0)");
	db_do(writer,
		"INSERT INTO delivery (delivery_id, booking_code, direction, state, customer_id, window_from,"
		" window_to, courier_id,"
		" requested_at, received_by) VALUES (1, 'MP-AAAA1111', 'delivery', 'DELIVERED', 7, 0, 0, 6, 1, 'Kim')");
	assert_true(db_commit(writer));
}

/* --- what is shown ------------------------------------------------------------------------------------------------ */

static inline void
expect_steps(const char *code, const char *expected, bool is_moving)
{
	struct my_booking b = found(code);
	struct my_progress p;
	struct buf steps = { .m = scratch_memory };

	my_progress(&b, &p);
	for (int i = 0; i < p.n_steps; i++)
		buf_printf(&steps, "%s%s:%s", i ? " " : "", words_code(&my_step_words, p.step[i].step),
			words_code(&my_mark_words, p.step[i].mark));
	assert_string_equal(steps.s, expected);
	assert_int_equal(p.is_moving, is_moving);
}

static inline struct view_car *
cars_at(int64_t now, int *n)
{
	struct view_query q = { .text = "", .status = -1, .now = now, .limit = 100 };
	struct view_car *cars = NULL;

	handle_events();
	*n = view_list(view, &q, &cars);
	return cars;
}

#endif
