/*
 * two_consumers - FX-16: several processes of one consumer race for its events and are killed at random: each event
 * takes effect once, in the order of its subject, and none becomes a dead letter. The same check must fail with a wrong
 * consumer that commits its position after its effects.
 */
#include "fault.h"

#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/event/in_flight.h"
#include "lib/base/log.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS  3
#define SUBJECTS 7

static char var[] = "/tmp/motorpool-race-XXXXXX";
static struct arena *memory;

static const struct db_role role = { .name = "racer", .owns = "t_effect" };

static bool
on_paid(struct db *db, const struct event *e)
{
	db_do(db, "INSERT INTO t_effect (event_id, subject_id) VALUES ($1, $2)", e->event_id, e->subject_id);
	return true;
}

static const struct policy policies[] = { { "booking.paid", on_paid }, { 0 } };
static const struct consumer racer = { .name = "racer", .role = &role, .policy = policies };

/* --- the state folder --------------------------------------------------------------------------------------------- */

static struct db *
open_house(void)
{
	const char *why = "";
	struct db *db = db_open(var, &role, memory, &why);

	if (!db) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	return db;
}

static void
copy_into(FILE *to, const char *path)
{
	FILE *from = fopen(path, "re");
	char part[8192];
	size_t n;

	while (from && (n = fread(part, 1, sizeof(part), from)) > 0)
		fwrite(part, 1, n, to);
	if (from)
		fclose(from);
}

static bool
make_house(void)
{
	const char *schema, *why = "";
	FILE *f;

	if (!mkdtemp(var))
		return false;
	schema = arena_printf(memory, "%s/schema.sql", var);
	f = fopen(schema, "we");
	if (!f)
		return false;
	copy_into(f, "db/schema.sql");
	fputs("CREATE TABLE t_effect (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, subject_id TEXT NOT NULL)"
	      " STRICT;\n",
		f);
	fclose(f);
	if (db_create(var, schema, NULL, &why))
		return true;
	fprintf(stderr, "%s\n", why);
	return false;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void
tell(int n)
{
	struct db *db = open_house();

	for (int i = 0; i < n; i++) {
		db_begin(db);
		event_emit(db,
			&(struct event){
				.type = "booking.paid", .subject_id = arena_printf(memory, "MP-%d", i % SUBJECTS) },
			NULL, NULL);
		db_commit(db);
		arena_reset(memory);
	}
	db_close(db);
}

/* --- two ways to consume ------------------------------------------------------------------------------------------ */

/* Wrong: the effect in one transaction and the position in the next. A kill or another process in between repeats the
 * effect. */
static int
step_naively(struct db *db)
{
	int64_t at = db_int(db, "SELECT event_id FROM position WHERE consumer = 'naive'");
	int64_t id = db_int(db, "SELECT event_id FROM event WHERE event_id > $1 ORDER BY event_id LIMIT 1", at);

	arena_reset(memory);
	if (!id)
		return 0;
	db_do(db,
		"INSERT INTO t_effect (event_id, subject_id) SELECT event_id, subject_id FROM event"
		" WHERE event_id = $1",
		id);
	db_do(db,
		"INSERT INTO position (consumer, event_id, moved_at) VALUES ('naive', $1, 0)"
		" ON CONFLICT (consumer) DO UPDATE SET event_id = excluded.event_id",
		id);
	return 1;
}

/* Each records its events in progress like the relay's children; all share one slot, as with two relays. */
static void
consume(bool naive)
{
	struct db *db = open_house();
	struct in_flight_table *hands = in_flight_open(var);
	int idle = 0;

	consumer_watch(db, &racer, in_flight_slot(hands, racer.name));
	while (idle < 100) {
		int n = naive ? step_naively(db) : consumer_step(db, &racer, 3);

		idle = n > 0 ? 0 : idle + 1;
		if (n == 0)
			usleep(2000);
	}
	db_close(db);
	_exit(0);
}

static pid_t
start(bool naive)
{
	pid_t pid = fork();

	if (pid == 0)
		consume(naive);
	return pid;
}

/* --- the race ----------------------------------------------------------------------------------------------------- */

/* Emits n events while the workers handle them and are killed repeatedly; returns the number of kills. */
static int
race(bool naive, int n, int kills, uint64_t *dice)
{
	pid_t teller, worker[WORKERS];
	int killed = 0, status;

	for (int i = 0; i < WORKERS; i++)
		worker[i] = start(naive);
	teller = fork();
	if (teller == 0) {
		tell(n);
		_exit(0);
	}
	for (int i = 0; i < kills; i++) {
		int k = dice_below(dice, WORKERS);

		usleep((useconds_t)(1000 + dice_below(dice, 30000)));
		kill(worker[k], SIGKILL);
		waitpid(worker[k], &status, 0);
		killed += WIFSIGNALED(status);
		worker[k] = start(naive);
	}
	waitpid(teller, &status, 0);
	for (int i = 0; i < WORKERS; i++)
		waitpid(worker[i], &status, 0);
	return killed;
}

/* Events parked after a kill are retried after a second; it ends when no process finds an event. */
static void
finish(void)
{
	struct db *db = open_house();
	int64_t until = clock_ms() + 20000;

	while (clock_ms() < until
		&& (consumer_step(db, &racer, 64) > 0 || db_exists(db, "SELECT 1 FROM event_retry LIMIT 1")))
		usleep(5000);
	db_close(db);
}

struct outcome { int64_t n, n_distinct, n_disordered, n_waiting; };

static struct outcome
look(void)
{
	struct db *db = open_house();
	struct outcome o = {
		.n = db_int(db, "SELECT COUNT(*) FROM t_effect /*scan*/"),
		.n_distinct = db_int(db, "SELECT COUNT(DISTINCT event_id) FROM t_effect /*scan*/ /*sort*/"),
		.n_disordered = db_int(db,
			"SELECT COUNT(*) FROM (SELECT event_id - LAG(event_id) OVER (PARTITION BY subject_id"
			" ORDER BY n) AS step"
			" FROM t_effect /*scan*/ /*sort*/) AS s WHERE step <= 0"),
		.n_waiting = db_int(db, "SELECT COUNT(*) FROM event_retry /*scan*/"),
	};

	db_close(db);
	return o;
}

static bool
each_once(const struct outcome *o, int n)
{
	return o->n == n && o->n_distinct == n && o->n_disordered == 0 && o->n_waiting == 0;
}

static void
clean(void)
{
	nftw(var, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	strcpy(var + strlen(var) - 6, "XXXXXX");
}

static void
run(bool naive, const char *sentence, uint64_t *dice)
{
	int n = fault_is_long() && !naive ? 5000 : 600, kills = fault_is_long() && !naive ? 300 : 40, killed;
	struct outcome o;

	if (!make_house()) {
		holds(false, sentence, "no state folder could be made in %s", var);
		return;
	}
	killed = race(naive, n, kills, dice);
	if (!naive)
		finish();
	o = look();
	printf("# %d events, %d workers, %d killed: %lld effects on %lld events, %lld out of order, %lld left"
	       " waiting\n",
		n, WORKERS, killed, (long long)o.n, (long long)o.n_distinct, (long long)o.n_disordered,
		(long long)o.n_waiting);
	holds(each_once(&o, n) != naive, sentence, "%lld effects on %lld of %d events", (long long)o.n,
		(long long)o.n_distinct, n);
	if (!naive)
		figure_most("FX-16", "effects too many or missing, workers of one consumer racing and killed",
			(double)(llabs(o.n - n) + n - o.n_distinct), "", 0);
	clean();
}

int
main(void)
{
	uint64_t dice = fault_seed();

	log_open("two_consumers");
	log_from(LOG_ERROR_);
	signal(SIGPIPE, SIG_IGN);
	memory = arena_new((size_t)64 << 20);
	run(false,
		"processes that race for one consumer's events, killed at random: each event takes effect once and in"
		" order",
		&dice);
	run(true, "the check can fail: a consumer that commits its position after its effects is found", &dice);
	return fault_end();
}
