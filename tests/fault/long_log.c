/*
 * long_log - FX-12: the read models are deleted and rebuilt from a long log, by `motorpool replay` and by the relay:
 * the same rows, within a time limit. The comparison is tested with randomly changed, deleted and inserted rows, each
 * of which it must find.
 */
#include "fault.h"

#include "cgi-bin/mypage/mypage.h"
#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CARS      200
#define CUSTOMERS 500
#define BATCH     500           /* as in relay/consumer_loop.c */
#define LIMIT_S   10

static char var[] = "/tmp/motorpool-long-XXXXXX";
static struct arena *memory;
static const struct db_role house_role = { .name = "house", .owns = "*" };

/* --- a log -------------------------------------------------------------------------------------------------------- */

/* All members of the payloads about cars and bookings; each event has all of them. */
struct tale {
	const char *code, *car_name, *name, *plate, *body, *branch_name, *branch_name_ko, *currency, *service, *brand,
		*last4, *reason;
	int64_t car_id, branch_id, customer_id, starts_at, ends_at, hold_until, amount, vat_amount, refund_due,
		refunded_amount;
	struct booking_line *lines;
	int n_lines;
};
static const struct member tale_members[] = {
	SHAPE_TEXT(tale, code), SHAPE_TEXT(tale, car_name), SHAPE_TEXT(tale, name), SHAPE_TEXT(tale, plate),
	SHAPE_TEXT(tale, body), SHAPE_TEXT(tale, branch_name), SHAPE_TEXT(tale, branch_name_ko),
	SHAPE_TEXT(tale, currency), SHAPE_TEXT(tale, service), SHAPE_TEXT(tale, brand), SHAPE_TEXT(tale, last4),
	SHAPE_TEXT(tale, reason), SHAPE_INT(tale, car_id), SHAPE_INT(tale, branch_id), SHAPE_INT(tale, customer_id),
	SHAPE_TIME(tale, starts_at), SHAPE_TIME(tale, ends_at), SHAPE_TIME(tale, hold_until),
	SHAPE_AMOUNT(tale, amount), SHAPE_AMOUNT(tale, vat_amount), SHAPE_AMOUNT(tale, refund_due),
	SHAPE_AMOUNT(tale, refunded_amount), SHAPE_LIST(tale, lines, booking_line_shape),
};
static const struct shape tale_shape = SHAPE(tale, tale_members);

static void
tell(struct db *db, const char *type, const char *subject, const struct tale *t)
{
	event_emit(db, &(struct event){ .type = type, .subject_id = subject }, &tale_shape, t);
}

static void
tell_car(struct db *db, int car, const char *type, const char *service)
{
	struct tale t = {
		.car_id = car,
		.name = "Ioniq 5",
		.plate = arena_printf(memory, "12가 %04d", car),
		.body = "ev",
		.branch_id = 1 + car % 8,
		.branch_name = "Gangnam",
		.branch_name_ko = "강남",
		.service = service,
	};

	tell(db, type, arena_printf(memory, "car:%d", car), &t);
}

/* The event sequences of a booking, each with another end. */
static const char *const ways[][8] = {
	{ "booking.held", "payment.approved", "booking.paid", "car.reserved", "booking.confirmed", "booking.handed_out",
		"booking.returned", "booking.completed" },
	{ "booking.held", "payment.approved", "booking.paid", "car.reserved", "booking.confirmed",
		"booking.cancel_requested", "payment.cancelled", "booking.cancelled" },
	{ "booking.held", "payment.failed", "booking.expired" },
	{ "booking.held", "payment.approved", "booking.paid", "car.refused", "booking.rejected", "payment.cancelled",
		"booking.refunded" },
	{ "booking.held", "payment.approved", "booking.paid", "car.reserved", "booking.confirmed", "booking.no_show",
		"car.released" },
};
#define N_WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

static struct tale
a_booking(uint64_t *dice, int number)
{
	int car = 1 + dice_below(dice, CARS), days = 1 + dice_below(dice, 9);
	struct tale t = {
		.code = arena_printf(memory, "MP-%08d", number),
		.car_id = car,
		.car_name = "Ioniq 5",
		.plate = arena_printf(memory, "12가 %04d", car),
		.body = "ev",
		.branch_id = 1 + car % 8,
		.branch_name = "Gangnam",
		.branch_name_ko = "강남",
		.currency = "KRW",
		.brand = "Visa",
		.last4 = "4242",
		.reason = "customer",
		.customer_id = 1 + dice_below(dice, CUSTOMERS),
		.starts_at = clock_now() + number * 1800,
		.hold_until = clock_now() + 600,
		.amount = 90000 * days,
		.vat_amount = 8182 * days,
		.refund_due = 63000 * days,
		.refunded_amount = 63000 * days,
		.n_lines = 2,
	};

	t.ends_at = t.starts_at + days * DAY;
	t.lines = arena_array(memory, struct booking_line, 2);
	t.lines[0] = (struct booking_line){ .rule = PRICE_RULE_DAILY,
		.version = 1,
		.unit = "day",
		.quantity = days,
		.unit_amount = 80000,
		.amount = 80000 * days };
	t.lines[1] = (struct booking_line){ .rule = PRICE_RULE_HOURLY,
		.version = 1,
		.unit = "hour",
		.quantity = days,
		.unit_amount = 10000,
		.amount = 10000 * days };
	return t;
}

/* Thirty bookings at a time, with interleaved events. */
static void
a_busy_hour(struct db *db, uint64_t *dice, int *number)
{
	struct tale t[30];
	int way[30];

	arena_reset(memory);
	db_begin(db);
	for (int i = 0; i < 30; i++) {
		t[i] = a_booking(dice, (*number)++);
		way[i] = dice_below(dice, N_WAYS);
	}
	for (int step = 0; step < 8; step++)
		for (int i = 0; i < 30; i++)
			if (ways[way[i]][step])
				tell(db, ways[way[i]][step], t[i].code, &t[i]);
	tell_car(db, 1 + dice_below(dice, CARS), "car.modified", dice_below(dice, 2) ? "OUT_OF_SERVICE" : "IN_SERVICE");
	db_commit(db);
}

static int64_t
write_log(uint64_t *dice, int64_t wanted)
{
	const char *why = "";
	struct db *db = db_open(var, &house_role, memory, &why);
	int64_t n = 0;
	int number = 0;

	if (!db)
		return fprintf(stderr, "%s\n", why), 0;
	db_begin(db);
	for (int car = 1; car <= CARS; car++)
		tell_car(db, car, "car.registered", "IN_SERVICE");
	tell_car(db, CARS, "car.deleted", "RETIRED");
	db_commit(db);
	while (!db_failed(db) && (n = db_int(db, "SELECT MAX(event_id) FROM event")) < wanted)
		a_busy_hour(db, dice, &number);
	db_close(db);
	return n;
}

/* --- rebuilt ------------------------------------------------------------------------------------------------------ */

static void
forget_view(void)
{
	static const char *const names[] = { "view.db", "view.db-wal", "view.db-shm" };

	for (int i = 0; i < 3; i++)
		unlink(arena_printf(memory, "%s/%s", var, names[i]));
}

static struct view_comparison
compare(void)
{
	struct view_comparison c;
	const char *why = "";

	if (!view_compare(".", var, NULL, NULL, &c, &why)) {
		c.n_different = -1;
		snprintf(c.first, sizeof(c.first), "%s", why);
	}
	return c;
}

static void
by_replay(int64_t n_events)
{
	const char *why = "";
	int64_t began_ms, n;
	struct view_comparison c;

	forget_view();
	began_ms = clock_ms();
	n = view_replay(".", var, NULL, NULL, &why);
	figure_most("FX-12", arena_printf(memory, "%lld events replayed", (long long)n_events),
		(double)(clock_ms() - began_ms) / 1000, "s", LIMIT_S);
	c = compare();
	holds(n == n_events && c.n_different == 0 && c.n_rows > n_events,
		"a deleted read model is replayed, and equal row by row",
		"%lld events, %lld rows, %lld different: %s %s", (long long)n, (long long)c.n_rows,
		(long long)c.n_different, c.first, why);
}

/* Like the relay's child with a new, empty file. */
static void
by_the_relay(int64_t n_events)
{
	struct arena *m = arena_new((size_t)64 << 20);
	struct view_comparison c;
	const char *why = "";
	int64_t began_ms = clock_ms(), n_handled = 0, lag;
	struct db *db;
	int n;

	forget_view();
	if (!db_create(var, "db/schema.sql", "db/view.sql", &why) || !(db = db_open(var, &mypage_role, m, &why))) {
		holds(false, "the relay makes a deleted read model again, and equal row by row", "%s", why);
		return;
	}
	while ((n = consumer_step(db, &mypage_consumer, BATCH)) > 0)
		n_handled += n;
	lag = consumer_lag(db, &mypage_consumer);
	db_close(db);
	figure_most("FX-12", arena_printf(memory, "%lld events taken by the relay", (long long)n_events),
		(double)(clock_ms() - began_ms) / 1000, "s", 2 * LIMIT_S);
	c = compare();
	holds(lag == 0 && n_handled == n_events && c.n_different == 0,
		"the relay makes a deleted read model again, and equal row by row", "%lld behind, %lld different: %s",
		(long long)lag, (long long)c.n_different, c.first);
}

/* --- the comparison can fail -------------------------------------------------------------------------------------- */

static const char *const harms[] = {
	"UPDATE my_booking SET amount = amount + 1 WHERE code = (SELECT code FROM my_booking LIMIT 1 OFFSET ?1)",
	"UPDATE my_booking SET state = CASE state WHEN 'CONFIRMED' THEN 'PAID' ELSE 'CONFIRMED' END"
	" WHERE code = (SELECT code FROM my_booking LIMIT 1 OFFSET ?1)",
	"UPDATE my_booking SET customer_id = -1 WHERE code = (SELECT code FROM my_booking LIMIT 1 OFFSET ?1)",
	"DELETE FROM my_event WHERE (code, event_id) = (SELECT code, event_id FROM my_event LIMIT 1 OFFSET ?1)",
	"UPDATE my_event SET occurred_at = occurred_at - 1 WHERE (code, event_id) = (SELECT code, event_id"
	" FROM my_event LIMIT 1 OFFSET ?1)",
	"UPDATE my_booking_line SET amount = amount - 1 WHERE (code, line_no) = (SELECT code, line_no"
	" FROM my_booking_line LIMIT 1 OFFSET ?1)",
	"UPDATE view_car SET service = 'RETIRED' WHERE car_id = 1 + ?1 % 150",
	"INSERT INTO view_car (car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko, service,"
	" updated_at, event_id)"
	" VALUES (100000 + ?1, 'x', 'x', 'x', 'x', 1, 'x', 'x', 'IN_SERVICE', 0, 0)",
};
#define N_HARMS ((int)(sizeof(harms) / sizeof(harms[0])))

/* Changes rows directly, without events; returns their number. */
static int
harm(const char *sql, int which)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *sqlite;
	int n = -1;

	sqlite3_open_v2(arena_printf(memory, "%s/view.db", var), &sqlite, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_int(stmt, 1, which);
		if (sqlite3_step(stmt) == SQLITE_DONE)
			n = sqlite3_changes(sqlite);
	} else {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(sqlite));
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return n;
}

/* The changes accumulate: each comparison must find one more. */
static void
one_changed_row_is_found(uint64_t *dice, int64_t n_bookings)
{
	int64_t found = 0;
	const char *blind = NULL;

	for (int i = 0; i < N_HARMS && !blind; i++) {
		struct view_comparison c;
		int n = harm(harms[i], dice_below(dice, (int)n_bookings));

		c = compare();
		if (n != 1 || c.n_different <= found)
			blind = harms[i];
		found = c.n_different;
	}
	holds(!blind, "the comparison finds each changed, deleted or inserted row", "not: %s", blind ? blind : "");
}

int
main(void)
{
	int64_t wanted = fault_is_long() ? 100000 : 12000, n;
	uint64_t dice = fault_seed();
	const char *why = "";

	memory = arena_new((size_t)64 << 20);
	log_open("long_log");
	log_from(LOG_WARN_);
	clock_open("Asia/Seoul");
	if (!mkdtemp(var) || !db_create(var, "db/schema.sql", "db/view.sql", &why))
		return fprintf(stderr, "%s %s\n", var, why), 1;
	n = write_log(&dice, wanted);
	holds(n >= wanted, "a long log is written", "%lld events", (long long)n);
	by_replay(n);
	by_the_relay(n);
	one_changed_row_is_found(&dice, n / 10);
	folder_remove(var);
	return fault_end();
}
