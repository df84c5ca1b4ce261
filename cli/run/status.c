/* status.c - `motorpool status`: which programs run and are ready, how far behind each consumer of events is. */
#include "process.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/fleet/fleet.h"
#include "cgi-bin/mypage/mypage.h"
#include "cgi-bin/payment/payment.h"
#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool status\n"
	"\n"
	"Shows each program with its processes (the parent, then its workers), its socket and whether it is ready; when"
	" the relay was\n"
	"last seen; the backlog of each event consumer, whether it is paused, and its dead letters. The exit status is"
	" 1 if something\n"
	"needs attention.\n";

#define RELAY_LATE_S 70

/* --- processes -------------------------------------------------------------------------------------------------- */

/* The living processes in a pid file, all or those of one name, separated by spaces. */
static const char *
pids_in(struct cli *c, const char *file, const char *name)
{
	FILE *f = fopen(cli_path(c, c->var, arena_printf(c->m, "run/%s", file)), "re");
	struct buf b = { .m = c->m };
	char line[128];

	buf_puts(&b, "");
	while (f && fgets(line, sizeof(line), f)) {
		char what[64] = "";
		int pid = 0;

		if (sscanf(line, "%d %63s", &pid, what) < 1 || pid <= 0 || kill(pid, 0) != 0)
			continue;
		if (!name || strcmp(what, name) == 0)
			buf_printf(&b, "%s%d", b.n ? " " : "", pid);
	}
	if (f)
		fclose(f);
	return b.s;
}

static bool
show_program(struct cli *c, const struct context *p)
{
	const char *why, *pids = pids_in(c, arena_printf(c->m, "%s.pid", p->name), NULL);
	int status = program_ready(c, p, &why);

	printf("%-10s %-10s run/%s.sock%*s %s%s%s\n", p->name, status == 200 ? "ready" : "NOT READY", p->name,
		9 - (int)strlen(p->name), "", *pids ? pids : "-", status == 200 ? "" : "  ", status == 200 ? "" : why);
	return status == 200;
}

/* Its port is in the environment of `motorpool run`; lighttpd of an installation (deploy/) is not checked. */
static bool
show_lighttpd(struct cli *c)
{
	FILE *f = fopen(cli_path(c, c->var, "run/env"), "re");
	char line[300];
	int port = 0, status;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "export PORT='%d'", &port) == 1)
			break;
	if (f)
		fclose(f);
	if (!port)
		return true;
	status = http_get("127.0.0.1", port, "/healthz", 1000);
	printf("%-10s %-10s port %-14d %s\n", "lighttpd", status == 200 ? "ready" : "NOT READY", port,
		pids_in(c, "run.pid", "lighttpd"));
	return status == 200;
}

/* --- the relay -------------------------------------------------------------------------------------------------- */

static bool
show_relay(struct cli *c)
{
	struct stat st;
	int64_t ago = stat(cli_path(c, c->var, "run/relay.alive"), &st) == 0 ? (int64_t)time(NULL) - st.st_mtime : -1;
	bool ok = ago >= 0 && ago <= RELAY_LATE_S;

	printf("%-10s %-10s ", "relay", ok ? "running" : "NOT SEEN");
	if (ago < 0)
		printf("%-19s", "never");
	else
		printf("%4lld s ago%9s", (long long)ago, "");
	printf(" %s\n", pids_in(c, "run.pid", "relay"));
	return ok;
}

extern const struct consumer delivery_consumer, equipment_consumer, review_consumer, message_consumer;
static const struct consumer *const consumers[] = {
	&booking_consumer, &payment_consumer, &fleet_consumer, &delivery_consumer, &equipment_consumer,
		&review_consumer, &message_consumer,
	&mypage_consumer,
};

static bool
show_lag(struct cli *c, const struct consumer *consumer)
{
	static const struct db_role view = { .name = "motorpool", .owns = "*", .on_view = true };
	const char *why = NULL;
	struct db *db = db_open(c->var, consumer->role->on_view ? &view : &cli_role, c->m, &why);
	const char *paused;
	int64_t lag, dead;

	if (!db) {
		printf("%-10s %s\n", consumer->name, why ? why : "cannot read its database");
		return false;
	}
	/* payment reacts to no events and has no position */
	lag = consumer->policy[0].type ? consumer_lag(db, consumer) : 0;
	dead = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 1", consumer->name);
	paused = db_text(db,
		"SELECT CASE WHEN paused_by = 0 THEN 'by the command'"
		" ELSE 'by user ' || paused_by END || ': ' || reason"
		" FROM v_relay_pause WHERE consumer = $1",
		consumer->name);
	printf("%-10s %6lld events behind%s%s%s\n", consumer->name, (long long)lag,
		dead ? arena_printf(c->m, ", dead letters: %lld (see /ops)", (long long)dead) : "",
		paused ? ", PAUSED " : "", paused ? paused : "");
	db_close(db);
	return dead == 0 && !paused;
}

static int
status(struct cli *c, int argc, char **argv)
{
	bool ok = true;

	(void)argv;
	if (argc != 1)
		return cli_usage(c);
	if (access(cli_path(c, c->var, "motorpool.db"), R_OK) != 0)
		return cli_fail("there is no database in %s (--var DIR: another folder)", c->var);
	if (!cli_enter(c) || !cli_setup(c))
		return 1;
	printf("%-10s %-10s %-19s %s\n", "program", "state", "address", "processes");
	ok = show_lighttpd(c) && ok;
	for (const struct context *p = contexts; p->name; p++)
		if (context_is_wanted(p))
			ok = show_program(c, p) && ok;
	ok = show_relay(c) && ok;
	printf("\n%-10s\n", "consumer");
	for (size_t i = 0; i < sizeof(consumers) / sizeof(consumers[0]); i++)
		ok = show_lag(c, consumers[i]) && ok;
	return ok ? 0 : 1;
}

const struct command status_command = {
	.name = "status", .summary = "shows the programs, whether they are ready, and the backlog of the relay",
		.usage = usage, .run = status,
};
