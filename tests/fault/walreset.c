/*
 * walreset - SQLite before 3.51.3 can silently lose commits: a commit restarts the WAL while a checkpoint has read the
 * WAL's header and not used it yet (sqlite.org/wal.html#walresetbug). First this is reproduced: a checkpoint is paused
 * at that place while another process commits, and the commits are lost. Then the same with our checkpoint, which holds
 * the writers' lock: the other process waits, and nothing is lost.
 */
#include "fault.h"
#include "trade.h"

#include "cli/cli.h"
#include "lib/base/log.h"

#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEFORE    30            /* commits that fill the WAL */
#define BESIDE    5             /* … while the checkpoint is paused */
#define AFTER     5
#define HOLD_MS   400           /* pause of the checkpoint, for the other's commits */

static char dir[300];
static int ask[2], answer[2];
static int n_told, n_told_beside;
static bool is_held;            /* the checkpoint was paused at the right place */

static void
stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

static sqlite3 *
plain(void)
{
	char path[400];
	sqlite3 *sqlite;

	snprintf(path, sizeof(path), "%s/motorpool.db", dir);
	if (sqlite3_open(path, &sqlite) != SQLITE_OK
		|| sqlite3_exec(sqlite, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL)
			!= SQLITE_OK)
		stop(path, sqlite3_errmsg(sqlite));
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(sqlite, 3000);
	return sqlite;
}

/* --- the other process: commits a row per byte received ----------------------------------------------------------- */

static bool
commit_plainly(sqlite3 *sqlite, int i)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; INSERT INTO payer VALUES (%d, 'other-%d'); COMMIT", 10000 + i, i);
	return sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool
commit_as_we_do(struct db *db, int i)
{
	db_fresh(db);
	db_do(db, "INSERT INTO payer (user_id, customer_key) VALUES ($1, $2)", 10000 + i,
		arena_printf(db_memory(db), "other-%d", i));
	return !db_failed(db) && db_durable(db);
}

static int
other(bool ours)
{
	const char *why = "";
	struct db *db = ours ? db_open(dir, &cli_role, arena_new((size_t)16 << 20), &why) : NULL;
	sqlite3 *sqlite = ours ? NULL : plain();
	char c;

	for (int i = 0; read(ask[0], &c, 1) == 1; i++) {
		c = (char)(ours ? db && commit_as_we_do(db, i) : commit_plainly(sqlite, i));
		if (write(answer[1], &c, 1) != 1)
			return 1;
	}
	return 0;
}

static void
send(int n)
{
	for (int i = 0; i < n; i++)
		if (write(ask[1], "c", 1) != 1)
			stop("pipe", "closed");
}

/* The number of commits reported as durable within that time. */
static int
hear(int n, int limit_ms)
{
	struct pollfd p = { .fd = answer[0], .events = POLLIN };
	int told = 0;
	char c;

	for (int i = 0; i < n && poll(&p, 1, limit_ms) > 0 && read(answer[0], &c, 1) == 1; i++)
		told += c;
	n_told += told;
	return told;
}

/* --- the paused checkpoint ---------------------------------------------------------------------------------------- */

static void
let_the_other_commit(void)
{
	if (is_held)
		return;
	is_held = true;
	send(BESIDE);
	n_told_beside = hear(BESIDE, HOLD_MS);
}

static int
count(void)
{
	sqlite3 *sqlite = plain();
	sqlite3_stmt *stmt;
	int n = -1;

	if (sqlite3_prepare_v2(sqlite, "SELECT COUNT(*) FROM payer WHERE user_id >= 10000", -1, &stmt, NULL)
			== SQLITE_OK
		&& sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return n;
}

/* A connection for checkpoints, with plain SQLite or with db_checkpoint(). */
struct checkpointer { sqlite3 *sqlite; struct db *db; };

static struct checkpointer
checkpointer_open(bool ours)
{
	static const struct db_role role = { .name = "checkpointer", .owns = "" };
	struct checkpointer k = { .db = NULL };
	const char *why = "";

	if (!ours)
		k.sqlite = plain();
	else if (!(k.db = db_open(dir, &role, arena_new((size_t)16 << 20), &why)))
		stop("checkpointer", why);
	return k;
}

static void
checkpointer_moves(struct checkpointer *k, int how)
{
	if (k->db ? db_checkpoint(k->db) < 0
		  : sqlite3_wal_checkpoint_v2(k->sqlite, "main", how, NULL, NULL) != SQLITE_OK)
		stop("checkpoint", k->db ? db_error(k->db) : sqlite3_errmsg(k->sqlite));
}

static void
checkpointer_close(struct checkpointer *k)
{
	if (k->db)
		db_close(k->db);
	sqlite3_close(k->sqlite);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

/*
 * Everything is in the file, so a commit may restart the WAL, while the checkpoint has already read the WAL's length.
 * Returns how many of the commits reported as durable are missing.
 */
static int
lost(bool ours)
{
	struct checkpointer first, second;
	struct disk_log *h;
	pid_t pid;
	int n;

	snprintf(dir, sizeof(dir), "%s/motorpool-walreset-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir) || pipe(ask) != 0 || pipe(answer) != 0)
		stop(dir, "cannot be made");
	trade_found(dir);
	h = disk_log_new(dir, LIE_NONE);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(ask[1]);
		_exit(other(ours));
	}
	disk_log_join(h, 1);
	n_told = n_told_beside = 0;
	is_held = false;
	first = checkpointer_open(ours);
	second = checkpointer_open(ours);
	send(BEFORE);
	hear(BEFORE, 5000);
	checkpointer_moves(&first, SQLITE_CHECKPOINT_PASSIVE);
	disk_log_on_header(let_the_other_commit);
	checkpointer_moves(&second, SQLITE_CHECKPOINT_PASSIVE);
	disk_log_on_header(NULL);
	hear(BESIDE - n_told_beside, 5000);
	send(AFTER);
	hear(AFTER, 5000);
	checkpointer_moves(&first, SQLITE_CHECKPOINT_TRUNCATE);
	checkpointer_close(&first);
	checkpointer_close(&second);
	n = n_told - count();
	close(ask[1]);
	close(answer[0]);
	waitpid(pid, NULL, 0);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	disk_log_free(h);
	return n;
}

/* --- what must hold ----------------------------------------------------------------------------------------------- */

static void
plain_checkpoints_lose(void)
{
	static const char sentence[] =
		"a checkpoint without the writers' lock loses commits that were reported as durable";
	int n = lost(false);

	if (n == 0 && is_held && sqlite3_libversion_number() >= 3051003)
		skipped(sentence, "this SQLite does not have the bug any more");
	else
		holds(n > 0 && n_told_beside == BESIDE, sentence,
			"SQLite %s: %d told, %d of them beside the checkpoint, %d lost", sqlite3_libversion(), n_told,
			n_told_beside, n);
}

static void
ours_do_not(void)
{
	int n = lost(true);

	holds(is_held && n_told_beside == 0, "during our checkpoint no process commits",
		"%d of %d committed within %d ms", n_told_beside, BESIDE, HOLD_MS);
	holds(n == 0 && n_told == BEFORE + BESIDE + AFTER, "a checkpoint under the writers' lock loses none",
		"%d told, %d lost", n_told, n);
	figure_most("WAL reset", "commits lost under the writers' lock", n, "", 0);
}

int
main(void)
{
	fault_seed();
	log_open("walreset");
	plain_checkpoints_lose();
	ours_do_not();
	return fault_end();
}
