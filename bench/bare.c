/*
 * bare - what a booking is compared with: the same rows by the same statements in the same four transactions, and
 * nothing else. No HTTP, no JSON, no provider, no second program; every transaction is durable, with synchronous=FULL.
 *
 *	bare FILE PROCESSES SECONDS FIRST busy|queue
 *
 * FILE is a database made by fill. FIRST: the number of the first booking, so that two runs on one file do not
 * conflict. busy: writers wait in SQLite's own busy handler. queue: they first wait on one mutex, in order of arrival,
 * as the product does; the sync is still under the lock. Checkpoints are SQLite's own, every 1,000 pages. Prints
 * "RESULT per_second p50_ms p99_ms failed".
 */
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_CARS      1000
#define N_CUSTOMERS 20000
#define MAX_TIMES   200000

static struct shared {
	pthread_mutex_t writer;
	struct worker { long n, failed; float ms[MAX_TIMES]; } worker[64];
} *shared;

static sqlite3 *db;
static int queued;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- statements: as in booking.c, calendar.c, charge.c, ledger.c, event.c ----------------------------------------- */

enum {
	BEGIN, COMMIT,
	KEY, CAR, CARD, OPEN, BOOK, LINE, HOLD,
	SOURCE, CHARGE, VOID, APPROVE, NEXT_POSTING, POSTING_LINES, POSTING,
	PAID, BOOKED, LAST, EVENT, N_STATEMENTS,
};

#define NEXT_REV "(SELECT COALESCE(MAX(rev), 0) + 1 FROM slot)"

static const char *const sql[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[KEY] = "SELECT booking_id, code, state, request_hash FROM booking"
	        " WHERE customer_id = $1 AND request_key = $2 AND request_key <> '' AND state <> 'EXPIRED'",
	[CAR] = "SELECT car_id, branch_id, daily_price, hourly_price, name, plate, body, branch_name, branch_name_ko"
	        " FROM v_car WHERE car_id = $1 AND service = 'IN_SERVICE'",
	[CARD] = "SELECT 1 FROM v_card WHERE card_id = $1 AND user_id = $2",
	[OPEN] = "SELECT COUNT(*) FROM booking WHERE customer_id = $1"
	         " AND state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'CANCEL_REQUESTED')",
	[BOOK] = "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name,"
		" branch_name_ko, state,"
	         " starts_at, ends_at, amount, vat_amount, currency, card_id, held_at, hold_until, asked_at,"
	         " request_key, request_hash)"
	         " VALUES ($1, $2, $3, 'Avante suv 2024', '100하0001', 'suv', 1, 'Seoul Station', '', 'HELD', $4, $5,"
	         " 9000, 818, 'KRW',"
	         " $2, $6, $6 + 600, $6, $7, $8) RETURNING booking_id",
	[LINE] = "INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount)"
	         " VALUES ($1, 1, 'hourly', 1, 'hour', 1, 9000, 9000)",
	[HOLD] = "INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)"
	         " VALUES ($1, 'HOLD', $2, $3, $4, $5, " NEXT_REV ")",
	[SOURCE] = "SELECT c.billing_key, p.customer_key, c.brand, c.last4 FROM card c JOIN payer p"
		" ON p.user_id = c.user_id"
	           " WHERE c.card_id = $1 AND c.user_id = $2 AND c.removed_at = 0",
	[CHARGE] = "INSERT INTO charge (key, subject_id, user_id, card_id, amount, vat_amount, currency, state,"
		" payment_key, brand, last4,"
	           " reason, requested_at, settled_at, next_at, void_wanted)"
	           " VALUES ($1, $1, $2, $2, 9000, 818, 'KRW', 'REQUESTED', '', 'Visa', '4242', '', $3, $3, $3 + 5, 0)"
	           " ON CONFLICT (key) DO NOTHING RETURNING charge_id",
	[APPROVE] = "UPDATE charge SET state = 'APPROVED', payment_key = $2, brand = 'Visa', last4 = '4242',"
		" approved_at = $3,"
	            " settled_at = $3, void_wanted = 0, reason = '' WHERE charge_id = $1"
	            " AND state IN ('REQUESTED', 'UNKNOWN')",
	[VOID] = "SELECT void_wanted FROM charge WHERE charge_id = $1",
	[NEXT_POSTING] = "SELECT COALESCE(MAX(posting_id), 0) + 1 FROM posting",
	[POSTING_LINES] = "INSERT INTO ledger_line (posting_id, account, amount) SELECT $1, 'card_clearing', 9000"
	                  " UNION ALL SELECT $1, 'rental_income', -8182 UNION ALL SELECT $1, 'vat_payable', -818",
	[POSTING] = "INSERT INTO posting (posting_id, kind, subject_id, charge_id, refund_id, currency, posted_at)"
	            " VALUES ($1, 'capture', $2, $3, NULL, 'KRW', $4)",
	[PAID] = "UPDATE booking SET state = 'PAID', charge_id = $2, paid_at = $3 WHERE booking_id = $1"
		" AND state = 'HELD'",
	[BOOKED] = "UPDATE slot SET kind = 'BOOKED', rev = " NEXT_REV " WHERE booking_id = $1 AND booking_id <> 0",
	[LAST] = "SELECT (SELECT coalesce(max(event_id), 0) + 1 FROM event) AS event_id,"
	         " coalesce((SELECT hash FROM event WHERE subject_id = $1 ORDER BY event_id DESC"
	         " LIMIT 1), '') AS prev_hash",
	[EVENT] = "INSERT INTO event (event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at,"
		" payload, prev_hash, hash)"
	          " VALUES ($1, $2, $3, 0, 0, $4, $4, $5, $6, $7)",
};
static sqlite3_stmt *statement[N_STATEMENTS];

/* Payloads as long as the product's. */
static char held[700], approved[160], paid[260];

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, sqlite3_errmsg(db));
	_exit(1);
}

struct value { long i; const char *s; };

/* Binds the values and steps to the end. Returns the first column of the first row. */
static long
run(int i, int n, const struct value *v)
{
	sqlite3_stmt *s = statement[i];
	char name[8];
	long answer = 0;
	int rc, rows = 0;

	for (int k = 0; k < n; k++) {
		snprintf(name, sizeof(name), "$%d", k + 1);
		if (v[k].s)
			sqlite3_bind_text(s, sqlite3_bind_parameter_index(s, name), v[k].s, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(s, sqlite3_bind_parameter_index(s, name), v[k].i);
	}
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (rows++ == 0)
			answer = (long)sqlite3_column_int64(s, 0);
	if (rc != SQLITE_DONE)
		die(sql[i]);
	sqlite3_reset(s);
	return answer;
}

#define RUN(i, ...) run((i), (int)(sizeof((struct value[]){ __VA_ARGS__ }) / sizeof(struct value)), \
	(struct value[]){ __VA_ARGS__ })
#define I(x) { .i = (x) }
#define S(x) { .s = (x) }

static void
begin(void)
{
	if (queued)
		pthread_mutex_lock(&shared->writer);
	run(BEGIN, 0, NULL);
}

static void
commit(void)
{
	run(COMMIT, 0, NULL);
	if (queued)
		pthread_mutex_unlock(&shared->writer);
}

static void
event(const char *type, const char *code, long now, const char *payload)
{
	static const char digits[] = "0123456789abcdef";
	char prev_hash[65] = "", hash[65] = "";
	sqlite3_stmt *s = statement[LAST];
	long id = 0;

	sqlite3_bind_text(s, 1, code, -1, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW) {
		id = (long)sqlite3_column_int64(s, 0);
		snprintf(prev_hash, sizeof(prev_hash), "%s", sqlite3_column_text(s, 1));
	}
	sqlite3_reset(s);
	for (int i = 0; i < 64; i++)
		hash[i] = digits[random() % 16];
	RUN(EVENT, I(id), S(type), S(code), I(now), S(payload), S(prev_hash), S(hash));
}

/* --- one booking -------------------------------------------------------------------------------------------------- */

static void
book(long n, long first_start)
{
	long customer = 1 + n % N_CUSTOMERS, car = 1 + n % N_CARS, starts_at = first_start + n / N_CARS * 7200,
	     now = (long)time(NULL);
	long booking_id, charge_id, posting_id;
	char code[24], key[40];

	snprintf(code, sizeof(code), "BR-%010llX",
		(unsigned long long)n * 0x9E3779B97F4A7C15ull
			& 0xFFFFFFFFFF); /* unique and spread, like random codes */
	snprintf(key, sizeof(key), "bench-%ld", n);

	begin(); /* booking: the hold */
	RUN(KEY, I(customer), S(key));
	RUN(CAR, I(car));
	RUN(CARD, I(customer), I(customer));
	RUN(OPEN, I(customer));
	booking_id = RUN(BOOK, S(code), I(customer), I(car), I(starts_at), I(starts_at + 3600), I(now), S(key),
		S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	RUN(LINE, I(booking_id));
	RUN(HOLD, I(car), I(starts_at), I(starts_at + 3600), I(starts_at + 7200), I(booking_id));
	event("booking.held", code, now, held);
	commit();

	begin(); /* payment: the charge that will be requested */
	RUN(SOURCE, I(customer), I(customer));
	charge_id = RUN(CHARGE, S(code), I(customer), I(now));
	commit();

	begin(); /* payment: the provider's answer */
	RUN(VOID, I(charge_id));
	RUN(APPROVE, I(charge_id), S(code), I(now));
	posting_id = run(NEXT_POSTING, 0, NULL);
	RUN(POSTING_LINES, I(posting_id));
	RUN(POSTING, I(posting_id), S(code), I(charge_id), I(now));
	event("payment.approved", code, now, approved);
	commit();

	begin(); /* booking: paid */
	RUN(PAID, I(booking_id), I(charge_id), I(now));
	RUN(BOOKED, I(booking_id));
	event("booking.paid", code, now, paid);
	commit();
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

static void
open_file(const char *path)
{
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		die(path);
	sqlite3_busy_timeout(db, 20000);
	if (sqlite3_exec(
		    db, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192", NULL, NULL, NULL)
		!= SQLITE_OK)
		die("pragma");
	for (int i = 0; i < N_STATEMENTS; i++)
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statement[i], NULL) != SQLITE_OK)
			die(sql[i]);
}

static void
work(const char *path, int me, int n_processes, double seconds, long first)
{
	struct worker *w = &shared->worker[me];
	double until = now_ms() + seconds * 1000, began;
	long start = time(NULL) / 86400 * 86400 + 75 * 86400L;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srandom((unsigned)getpid() ^ (unsigned)first);
	open_file(path);
	for (long n = first + me; (began = now_ms()) < until; n += n_processes) {
		book(n, start);
		if (w->n < MAX_TIMES)
			w->ms[w->n++] = (float)(now_ms() - began);
	}
	sqlite3_close(db);
}

static int
by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void
report(int n_processes, double seconds)
{
	float *all = malloc(sizeof(*all) * MAX_TIMES * (size_t)n_processes);
	long n = 0;

	for (int i = 0; i < n_processes; i++) {
		memcpy(all + n, shared->worker[i].ms, sizeof(*all) * (size_t)shared->worker[i].n);
		n += shared->worker[i].n;
	}
	if (n)
		qsort(all, (size_t)n, sizeof(*all), by_size);
	printf("RESULT %.0f %.3f %.3f 0\n", (double)n / seconds, n ? all[n / 2] : 0, n ? all[n * 99 / 100] : 0);
	free(all);
}

int
main(int argc, char **argv)
{
	int n_processes = argc == 6 ? atoi(argv[2]) : 0;
	pthread_mutexattr_t attr;
	double seconds;

	if (n_processes < 1 || n_processes > 64)
		return fputs("bare FILE PROCESSES SECONDS FIRST busy|queue\n", stderr), 2;
	seconds = atof(argv[3]);
	queued = strcmp(argv[5], "queue") == 0;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&shared->writer, &attr);
	memset(held, 'h', sizeof(held) - 1);
	memset(approved, 'a', sizeof(approved) - 1);
	memset(paid, 'p', sizeof(paid) - 1);
	for (int i = 0; i < n_processes; i++)
		if (fork() == 0)
			return work(argv[1], i, n_processes, seconds, atol(argv[4])), 0;
	while (wait(NULL) > 0)
		;
	report(n_processes, seconds);
	return 0;
}
