/*
 * fill - a database of the size the bench asks for, through the real schema, in seconds.
 *
 *	fill VAR --cars 1000 --past 100000 --coming 20000 --customers 20000 [--sandbox]
 *
 * Creates $VAR/motorpool.db from db/schema.sql if it does not exist, and adds what is missing to reach these numbers.
 * Each car's past rentals follow one another up to now, its future ones are spread over the next sixty days; each has
 * its slot and its booking. Customer n has the API token "bench-token-0000000n" and the saved card n; with --sandbox
 * the sandbox knows those cards.
 *
 * Triggers and indexes are dropped while rows are inserted in the order of their keys, and recreated from the schema's
 * SQL at the end: five million bookings take a minute. The slots do not overlap, which the triggers would otherwise
 * ensure: see slot_of(). Not for a database in use: nothing is synced until the end.
 */
#include "lib/db/db.h"
#include "lib/base/secret.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S      86400
#define STEP_S     28800                /* a past rental begins every eight hours … */
#define RENTED_S   21600                /* … and takes six of them, plus an hour of turnaround */
#define COMING_S   (60 * DAY_S)
#define TURNAROUND 3600

static struct {
	const char *var;
	long cars, past, coming, customers;
	int sandbox;
} want = { .cars = 1000, .customers = 100 };

static sqlite3 *db;
static char *made_again[200];
static int n_made_again;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "fill: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void
run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql);
}

static sqlite3_stmt *
prepare(const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		die(sql);
	return stmt;
}

static long
number(const char *sql)
{
	sqlite3_stmt *stmt = prepare(sql);
	long n = sqlite3_step(stmt) == SQLITE_ROW ? (long)sqlite3_column_int64(stmt, 0) : 0;

	sqlite3_finalize(stmt);
	return n;
}

static void
step(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		die(sqlite3_sql(stmt));
	sqlite3_reset(stmt);
}

/* --- dropping and recreating -------------------------------------------------------------------------------------- */

/* Of slot and booking, the tables with millions of rows. Indexes that SQLite created itself (UNIQUE) have no SQL and
 * stay. */
static void
drop_guards(void)
{
	sqlite3_stmt *all = prepare("SELECT type, name, sql FROM sqlite_schema WHERE tbl_name IN ('slot', 'booking')"
				    " AND type IN ('index', 'trigger') AND sql IS NOT NULL");
	char *drop[200];

	while (sqlite3_step(all) == SQLITE_ROW && n_made_again < 200) {
		drop[n_made_again] =
			sqlite3_mprintf("DROP %s %s", sqlite3_column_text(all, 0), sqlite3_column_text(all, 1));
		made_again[n_made_again++] = sqlite3_mprintf("%s", sqlite3_column_text(all, 2));
	}
	sqlite3_finalize(all);
	for (int i = 0; i < n_made_again; i++) {
		run(drop[i]);
		sqlite3_free(drop[i]);
	}
}

static void
make_guards_again(void)
{
	for (int i = 0; i < n_made_again; i++) {
		run(made_again[i]);
		sqlite3_free(made_again[i]);
	}
}

/* --- cars, customers, cards --------------------------------------------------------------------------------------- */

static void
fill_fleet(long now)
{
	static const char *const body[] = { "mini", "hatch", "sedan", "wagon", "suv", "van", "pickup", "ev" };
	static const char *const fuel[] = { "petrol", "diesel", "hybrid", "lpg", "electric" };
	sqlite3_stmt *car = prepare(
		"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price,"
		" branch_id,"
		" created_at, updated_at, rev) VALUES ($1, $2, $3, $4, $5, $6, 'automatic', $7, $8, $9, $10, $10, $1)");
	char text[80];

	if (!number("SELECT COUNT(*) FROM branch"))
		run("INSERT INTO branch (branch_id, name, region) VALUES (1, 'Seoul Station', 'Seoul'),"
		    " (2, 'Gangnam', 'Seoul'),"
		    " (3, 'Hongdae', 'Seoul'), (4, 'Gimpo Airport', 'Seoul'), (5, 'Jamsil', 'Seoul'), (6, 'Jeju"
		    " Airport', 'Jeju'),"
		    " (7, 'Jeju City', 'Jeju'), (8, 'Seogwipo', 'Jeju')");
	for (long id = number("SELECT COUNT(*) FROM car") + 1; id <= want.cars; id++) {
		sqlite3_bind_int64(car, 1, id);
		snprintf(text, sizeof(text), "%03ld하%04ld", 100 + id / 10000, id % 10000);
		sqlite3_bind_text(car, 2, text, -1, SQLITE_TRANSIENT);
		snprintf(text, sizeof(text), "Avante %s %ld", body[id % 8], 2018 + id % 8);
		sqlite3_bind_text(car, 3, text, -1, SQLITE_TRANSIENT);
		sqlite3_bind_text(car, 4, body[id % 8], -1, SQLITE_STATIC);
		sqlite3_bind_int64(car, 5, 4 + id % 4);
		sqlite3_bind_text(car, 6, fuel[id / 8 % 5], -1, SQLITE_STATIC);
		sqlite3_bind_int64(car, 7, 40000 + id * 7919 % 120 * 1000);
		sqlite3_bind_int64(car, 8, 4000 + id * 7919 % 120 * 100);
		sqlite3_bind_int64(car, 9, 1 + id % 8);
		sqlite3_bind_int64(car, 10, now);
		step(car);
	}
	sqlite3_finalize(car);
}

static void
fill_customers(long now)
{
	sqlite3_stmt *user = prepare("INSERT INTO person (user_id, email, name, password_hash, created_at, updated_at)"
				     " VALUES ($1, $2, $3, '!', $4, $4)");
	sqlite3_stmt *role = prepare("INSERT INTO user_role (user_id, role) VALUES ($1, 'customer')");
	sqlite3_stmt *token =
		prepare("INSERT INTO api_token (user_id, token_hash, name, created_at) VALUES ($1, $2, 'bench', $3)");
	sqlite3_stmt *payer = prepare("INSERT INTO payer (user_id, customer_key) VALUES ($1, $2)");
	sqlite3_stmt *card = prepare("INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at)"
				     " VALUES ($1, $1, $2, 'Visa', '4242', $3)");
	struct arena *m = arena_new((size_t)64 << 20);
	char text[80];

	for (long id = number("SELECT COUNT(*) FROM person") + 1; id <= want.customers; id++) {
		sqlite3_bind_int64(user, 1, id);
		snprintf(text, sizeof(text), "bench%ld@example.com", id);
		sqlite3_bind_text(user, 2, text, -1, SQLITE_TRANSIENT);
		snprintf(text, sizeof(text), "Customer %ld", id);
		sqlite3_bind_text(user, 3, text, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int64(user, 4, now);
		step(user);
		sqlite3_bind_int64(role, 1, id);
		step(role);
		snprintf(text, sizeof(text), "bench-token-%08ld", id);
		sqlite3_bind_int64(token, 1, id);
		sqlite3_bind_text(token, 2, secret_hash(m, text), -1, SQLITE_TRANSIENT);
		sqlite3_bind_int64(token, 3, now);
		step(token);
		snprintf(text, sizeof(text), "bench-customer-%08ld", id);
		sqlite3_bind_int64(payer, 1, id);
		sqlite3_bind_text(payer, 2, text, -1, SQLITE_TRANSIENT);
		step(payer);
		snprintf(text, sizeof(text), "bench-billing-%08ld", id);
		sqlite3_bind_int64(card, 1, id);
		sqlite3_bind_text(card, 2, text, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int64(card, 3, now);
		step(card);
		arena_reset(m);
	}
	sqlite3_finalize(user);
	sqlite3_finalize(role);
	sqlite3_finalize(token);
	sqlite3_finalize(payer);
	sqlite3_finalize(card);
}

/* --- bookings ----------------------------------------------------------------------------------------------------- */

/* The n-th past (n >= 0) or future rental. Cars take turns; those of one car never overlap, turnaround included. */
static void
slot_of(long n, int is_coming, long noon, long *car_id, long *starts_at, long *ends_at)
{
	long k = n / want.cars, per_car = (want.coming + want.cars - 1) / want.cars, window;

	*car_id = 1 + n % want.cars;
	if (!is_coming) {
		*ends_at = noon - k * STEP_S - TURNAROUND - *car_id % 2 * 1800;
		*starts_at = *ends_at - RENTED_S;
		return;
	}
	window = COMING_S / per_car / 1800 * 1800;
	*starts_at = noon + k * window + (*car_id * 31 + k * 17) % 24 * window / 72 / 1800 * 1800;
	*ends_at = *starts_at + window / 2 / 1800 * 1800;
}

static void
insert_booking(sqlite3_stmt *booking, sqlite3_stmt *slot, long id, long n, int is_coming, long noon)
{
	long car_id, starts_at, ends_at;
	char code[20];

	slot_of(n, is_coming, noon, &car_id, &starts_at, &ends_at);
	/* real codes are random, so these are spread over their index too */
	snprintf(code, sizeof(code), "BN-%010llX", (unsigned long long)id * 0x9E3779B97F4A7C15ull >> 24);
	sqlite3_bind_int64(booking, 1, id);
	sqlite3_bind_text(booking, 2, code, -1, SQLITE_STATIC);
	sqlite3_bind_int64(booking, 3, 1 + n % want.customers);
	sqlite3_bind_int64(booking, 4, car_id);
	sqlite3_bind_text(booking, 5, is_coming ? "CONFIRMED" : "COMPLETED", -1, SQLITE_STATIC);
	sqlite3_bind_int64(booking, 6, starts_at);
	sqlite3_bind_int64(booking, 7, ends_at);
	step(booking);
	sqlite3_bind_int64(slot, 1, id);
	sqlite3_bind_int64(slot, 2, car_id);
	sqlite3_bind_int64(slot, 3, starts_at);
	sqlite3_bind_int64(slot, 4, ends_at);
	sqlite3_bind_int64(slot, 5, ends_at + TURNAROUND);
	step(slot);
}

static void
fill_bookings(long noon)
{
	sqlite3_stmt *booking =
		prepare("INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id,"
			" branch_name, state, starts_at,"
			" ends_at, amount, vat_amount, currency, charge_id, held_at, hold_until, paid_at)"
			" VALUES ($1, $2, $3, $4, 'Avante', '123하4567',"
			" 'sedan', 1, 'Seoul Station', $5, $6, $7, 90000, 8182, 'KRW', $1, $6 - 86400, $6 - 85800, $6 -"
			" 86400)");
	sqlite3_stmt *slot =
		prepare("INSERT INTO slot (slot_id, car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)"
			" VALUES ($1, $2, 'BOOKED', $3, $4, $5, $1, $1)");
	char now[80];
	long id = number("SELECT COALESCE(MAX(booking_id), 0) FROM booking"), n_past, n_coming;

	snprintf(now, sizeof(now), "SELECT COUNT(*) FROM slot WHERE starts_at < %ld", noon);
	n_past = number(now);
	n_coming = number("SELECT COUNT(*) FROM slot") - n_past;
	while (n_past < want.past)
		insert_booking(booking, slot, ++id, n_past++, 0, noon);
	while (n_coming < want.coming)
		insert_booking(booking, slot, ++id, n_coming++, 1, noon);
	sqlite3_finalize(booking);
	sqlite3_finalize(slot);
}

/* --- the two files ------------------------------------------------------------------------------------------------ */

static void
open_file(const char *name)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", want.var, name);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path);
	run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; PRAGMA foreign_keys=OFF;"
	    " BEGIN");
}

static void
close_file(void)
{
	run("COMMIT; PRAGMA journal_mode=WAL");
	sqlite3_close(db);
	db = NULL;
}

static void
fill_sandbox(long now)
{
	char sql[600];

	snprintf(sql, sizeof(sql),
		"INSERT OR IGNORE INTO billing (billing_key, customer_key, card, created_at)"
		" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %ld)"
		" SELECT printf('bench-billing-%%08d', i), printf('bench-customer-%%08d', i), 0, %ld FROM n",
		want.customers, now);
	open_file("sandbox.db");
	run(sql);
	close_file();
}

static void
take_args(int argc, char **argv)
{
	const struct {
		const char *name;
		long *to;
	} known[] = {
		{ "--cars", &want.cars },
		{ "--past", &want.past },
		{ "--coming", &want.coming },
		{ "--customers", &want.customers },
	};

	for (int i = 1; i < argc; i++) {
		int taken = 0;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]) && i + 1 < argc; k++)
			if (strcmp(argv[i], known[k].name) == 0) {
				*known[k].to = atol(argv[++i]);
				taken = 1;
				break;
			}
		if (!taken && strcmp(argv[i], "--sandbox") == 0)
			want.sandbox = taken = 1;
		if (!taken)
			want.var = argv[i];
	}
	if (!want.var || want.cars < 1 || want.customers < 1) {
		fputs("fill VAR --cars N --past N --coming N --customers N [--sandbox]   (from the tree's top"
		      " folder)\n",
			stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	long now = (long)time(NULL), noon;
	const char *why = "";

	take_args(argc, argv);
	if (!db_create(want.var, "db/schema.sql", "db/view.sql", &why)
		|| (want.sandbox && !db_create_own(want.var, "sandbox", "db/sandbox.sql", &why)))
		return fprintf(stderr, "fill: %s\n", why), 1;
	noon = now / DAY_S * DAY_S;
	open_file("motorpool.db");
	drop_guards();
	fill_fleet(now);
	fill_customers(now);
	fill_bookings(noon);
	make_guards_again();
	close_file();
	if (want.sandbox)
		fill_sandbox(now);
	return 0;
}
