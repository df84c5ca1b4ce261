/* trade.c - customers, programs, policies and the checkpointer as separate processes; see trade.h. verdict.c checks the
 * result. */
#include "trade.h"
#include "fault.h"
#include "outside.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/booking/price.h"
#include "cgi-bin/fleet/fleet.h"
#include "cgi-bin/payment/payment.h"
#include "cli/cli.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CARS          12
#define CUSTOMERS     240
#define DECLINES      15        /* the card of every 15th customer is declined */
#define DAYS          300
#define MEMORY        ((size_t)256 << 20)
#define CALM_MS       60000     /* the longest wait for a worker's booking after the errors */
#define MAX_PROCESSES 16

/* Shared by the processes, in addition to the history. */
struct common {
	_Atomic int is_over;            /* no more requests: the policies and the checkpointer end too */
	_Atomic int is_calm;            /* no more errors until the end */
	_Atomic int n_answers, n_refused, n_recovered;
	struct outside outside;
};

struct worker {
	const struct trade_plan *plan;
	struct common *common;
	int number;
	uint64_t dice;
	struct arena *m;
	struct db *db, *pay;
	char paid[64][24];              /* the last bookings, for cancelling */
	int n_paid;
};

/* --- the initial state -------------------------------------------------------------------------------------------- */

static void
stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

static void
populate(struct db *db)
{
	db_begin(db);
	db_do(db, "INSERT INTO branch (branch_id, name, name_ko) VALUES (1, 'Gangnam', '강남점')");
	for (int i = 1; i <= CARS; i++)
		db_do(db,
			"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price,"
			" branch_id, service,"
			" created_at, updated_at, rev) VALUES ($1, $2, 'Avante', 'sedan', 5, 'petrol', 'automatic',"
			" 90000, 9000, 1,"
			" 'IN_SERVICE', 0, 0, $1)",
			i, arena_printf(db_memory(db), "12가 %d", 1000 + i));
	for (int i = 1; i <= CUSTOMERS; i++)
		db_do(db,
			"INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at)"
			" VALUES ($1, $1, $2, 'Visa', '4242', 0)",
			i, arena_printf(db_memory(db), "%s-%d", i % DECLINES ? "good" : "bad", i));
	for (int i = 1; i <= CUSTOMERS; i++)
		db_do(db, "INSERT INTO payer (user_id, customer_key) VALUES ($1, $2)", i,
			arena_printf(db_memory(db), "customer-%d", i));
	if (!db_commit(db))
		stop("the founding", db_error(db));
}

/* Closing with plain SQLite checkpoints and removes the WAL. */
static void
fold_wal(const char *dir)
{
	char path[700];
	sqlite3 *plain = NULL;

	snprintf(path, sizeof(path), "%s/motorpool.db", dir);
	if (sqlite3_open(path, &plain) != SQLITE_OK
		|| sqlite3_exec(plain, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
		stop(path, sqlite3_errmsg(plain));
	sqlite3_close(plain);
}

void
trade_found(const char *dir)
{
	struct arena *m = arena_new(MEMORY);
	const char *why = "";
	struct db *db;

	if (!rental_settings_open(".", dir, &why) || !db_create(dir, "db/schema.sql", NULL, &why))
		stop(dir, why);
	clock_open(settings.zone);
	db = db_open(dir, &cli_role, m, &why);
	if (!db)
		stop(dir, why);
	populate(db);
	db_close(db);
	fold_wal(dir);
}

/* --- a worker ----------------------------------------------------------------------------------------------------- */

static bool
is_over(struct worker *w)
{
	return atomic_load(&w->common->is_over) || disk_log_is_full(w->plan->h);
}

static struct db *
open_as(struct worker *w, const struct db_role *role)
{
	const char *why = NULL;
	struct db *db = NULL;

	for (int i = 0; !db && i < 4000 && !(i > 400 && is_over(w)); i++) {
		db = db_open(w->plan->dir, role, w->m, &why);
		if (!db)
			usleep(2000);
	}
	if (!db) {
		log_error("trade", "%s: %s", role->name, why);
		_exit(3);
	}
	if (w->plan->carelessness == NEVER_WAITS)
		db_offline(db);
	return db;
}

static void
open_both(struct worker *w)
{
	w->db = open_as(w, &booking_role);
	w->pay = open_as(w, &payment_role);
	outside_payments(w->pay);
}

/* Between two requests; a program with a failed sync is replaced. */
static void
fresh(struct worker *w)
{
	arena_reset(w->m);
	db_fresh(w->db);
	db_fresh(w->pay);
	if (!db_failed(w->db) && !db_failed(w->pay))
		return;
	db_close(w->db);
	db_close(w->pay);
	open_both(w);
}

/* The end of a request, as in lib/web/web.c: no answer before its data is durable, nor after a failure. */
static bool
tell(struct worker *w, const char *code, int state)
{
	struct answer a = { .state = state };
	bool early = w->plan->carelessness == ANSWERS_EARLY;

	snprintf(a.code, sizeof(a.code), "%s", code);
	if (db_failed(w->db) || (!early && !db_durable(w->db)))
		return false;
	disk_log_note(w->plan->h, ENTRY_ANSWER, &a, sizeof(a));
	if (early)
		db_durable(w->db);
	atomic_fetch_add(&w->common->n_answers, 1);
	return true;
}

static struct booking_order
wish(struct worker *w)
{
	int64_t now = clock_now(), day = now - now % DAY + (2 + dice_below(&w->dice, DAYS)) * DAY;
	int64_t customer = 1 + dice_below(&w->dice, CUSTOMERS);

	return (struct booking_order){
		.customer_id = customer,
		.card_id = customer,
		.car_id = 1 + dice_below(&w->dice, CARS),
		.starts_at = day,
		.ends_at = day + (1 + dice_below(&w->dice, 40)) * HOUR,
	};
}

static bool
book(struct worker *w)
{
	struct booking_order o = wish(w);
	struct booking b = { .code = "" };
	enum booking_outcome outcome = booking_place(w->db, &o, &b);

	if (outcome == BOOKING_DECLINED)
		return tell(w, b.code, BOOKING_EXPIRED);
	if (outcome != BOOKING_OK) /* not available, quota: an answer without anything to keep */
		return outcome != BOOKING_LATER && outcome != BOOKING_UNANSWERED && !db_failed(w->db);
	if (!tell(w, b.code, BOOKING_PAID))
		return false;
	snprintf(w->paid[w->n_paid++ % 64], sizeof(w->paid[0]), "%s", b.code);
	return true;
}

static bool
cancel(struct worker *w)
{
	char *code = w->paid[dice_below(&w->dice, w->n_paid < 64 ? w->n_paid : 64)];
	struct booking b;

	if (!*code || !booking_find(w->db, code, 0, &b))
		return !db_failed(w->db);
	switch (booking_cancel(w->db, &b, b.customer_id, "customer")) {
	case CANCEL_DONE:
		if (!tell(w, code, BOOKING_CANCELLED))
			return false;
		*code = '\0';
		return true;
	case CANCEL_PENDING:
	case CANCEL_SHIPPED:
	case CANCEL_LATER:
	case CANCEL_NOT_POSSIBLE: break;
	}
	return !db_failed(w->db);
}

static void
deed(struct worker *w)
{
	bool done;

	fresh(w);
	done = w->n_paid && dice_below(&w->dice, 4) == 0 ? cancel(w) : book(w);
	if (done)
		return;
	atomic_fetch_add(&w->common->n_refused, 1);
	usleep(1000); /* clients do not retry at once */
}

/* After the errors a booking must succeed again, without intervention. */
static void
recover(struct worker *w)
{
	int before = w->n_paid;
	int64_t end_ms = clock_ms() + CALM_MS;

	while (w->n_paid == before && clock_ms() < end_ms) {
		fresh(w);
		book(w);
		usleep(1000);
	}
	if (w->n_paid > before)
		atomic_fetch_add(&w->common->n_recovered, 1);
}

static int
work(struct worker *w)
{
	const struct trade_plan *plan = w->plan;

	w->dice = plan->seed * 31 + (uint64_t)w->number;
	open_both(w);
	if (plan->for_ms == 0)
		for (int i = 0; i < plan->n_deeds && !is_over(w); i++)
			deed(w);
	while (plan->for_ms && !atomic_load(&w->common->is_calm) && !is_over(w))
		deed(w);
	if (plan->for_ms)
		recover(w);
	db_close(w->db);
	db_close(w->pay);
	return 0;
}

/* --- the relay's children ----------------------------------------------------------------------------------------- */

static int
follow(struct worker *w, const struct consumer *c)
{
	w->pay = open_as(w, &payment_role);
	outside_payments(w->pay);
	w->db = open_as(w, c->role);
	while (!is_over(w)) {
		consumer_step(w->db, c, 64);
		arena_reset(w->m);
		db_fresh(w->db);
		if (db_failed(w->db)) {
			db_close(w->db);
			w->db = open_as(w, c->role);
		}
		usleep(1500);
	}
	return 0;
}

static int
follow_fleet(struct worker *w)
{
	return follow(w, &fleet_consumer);
}

static int
follow_booking(struct worker *w)
{
	return follow(w, &booking_consumer);
}

/* Like relay/checkpointer.c, but more often. */
static int
keep(struct worker *w)
{
	static const struct db_role role = { .name = "checkpointer", .owns = "" };

	w->dice = w->plan->seed * 31 + 999;
	w->db = open_as(w, &role);
	while (!is_over(w)) {
		db_checkpoint(w->db);
		db_fresh(w->db);
		if (db_failed(w->db)) {
			db_close(w->db);
			w->db = open_as(w, &role);
		}
		usleep(1000 + (unsigned)dice_below(&w->dice, 15000));
	}
	return 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static pid_t
start(const struct trade_plan *plan, struct common *common, int number, int (*run)(struct worker *w))
{
	struct worker w = { .plan = plan, .common = common, .number = number };
	char log[700];
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	snprintf(log, sizeof(log), "%s/log", plan->dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	w.m = arena_new(MEMORY);
	disk_log_join(plan->h, plan->seed * 77 + (uint64_t)number);
	outside_open(&common->outside, plan->h);
	_exit(run(&w));
}

static int
crashed(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static bool
is_trouble_wanted(const struct trade_plan *plan, struct common *common, int64_t end_ms)
{
	int64_t now_ms = clock_ms();

	return now_ms < end_ms || (atomic_load(&common->n_answers) < plan->n_answers && now_ms < end_ms + 60000);
}

/* Errors of each kind, with a pause after each. */
static void
trouble_comes_and_goes(const struct trade_plan *plan, struct common *common)
{
	static const enum trouble kinds[] = { TROUBLE_SYNC, TROUBLE_FULL, TROUBLE_WRITE, TROUBLE_TRUNCATE,
		TROUBLE_SYNC };
	int64_t end_ms = clock_ms() + plan->for_ms;
	uint64_t dice = plan->seed;

	for (int i = dice_below(&dice, 5); is_trouble_wanted(plan, common, end_ms); i++) {
		usleep(20000 + (unsigned)dice_below(&dice, 60000));
		disk_log_trouble(plan->h, kinds[i % 5]);
		usleep(5000 + (unsigned)dice_below(&dice, 40000));
		disk_log_trouble(plan->h, TROUBLE_NONE);
	}
	atomic_store(&common->is_calm, 1);
}

struct trade_end
trade_run(const struct trade_plan *plan)
{
	struct common *common =
		mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct trade_end end = { .n_crashed = 0 };
	pid_t pid[MAX_PROCESSES], beside[3];

	for (int i = 0; i < plan->n_workers; i++)
		pid[i] = start(plan, common, i, work);
	beside[0] = start(plan, common, 20, follow_fleet);
	beside[1] = start(plan, common, 21, follow_booking);
	beside[2] = start(plan, common, 22, keep);
	if (plan->for_ms)
		trouble_comes_and_goes(plan, common);
	for (int i = 0; i < plan->n_workers; i++)
		end.n_crashed += crashed(pid[i]);
	atomic_store(&common->is_over, 1);
	for (int i = 0; i < 3; i++)
		end.n_crashed += crashed(beside[i]);
	end.n_answers = common->n_answers;
	end.n_refused = common->n_refused;
	end.n_recovered = common->n_recovered;
	munmap(common, sizeof(*common));
	return end;
}
