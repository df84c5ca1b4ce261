/*
 * relay.c - `motorpool pause`, `resume`, `redrive`, `discard`: what the buttons of /ops do, from the command line. The
 * events that record it have no actor (switch.h).
 */
#include "cli.h"

#include "cgi-bin/ops/ops.h"
#include "cgi-bin/ops/switch.h"
#include "lib/event/event.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEAD 100000         /* dead letters that are redriven at once */

/* Returns the exit status. */
static int
print_outcome(enum switch_outcome outcome, const char *done, const char *already)
{
	switch (outcome) {
	case SWITCH_DONE: puts(done); return 0;
	case SWITCH_ALREADY: return cli_fail("%s", already);
	case SWITCH_UNKNOWN:
		return cli_fail(
			"unknown consumer; the event consumers are booking, payment, fleet, delivery, equipment,"
			" review, message and mypage");
	case SWITCH_NO_REASON: return cli_fail("the reason must be one line of 1 to %d characters", SWITCH_REASON_MAX);
	case SWITCH_LATER: return cli_fail("view.db is missing; the relay is rebuilding it, please try again later");
	}
	return 1;
}

/* A connection that wakes the relay after a commit. */
static struct db *
open_with_wakeup(struct cli *c)
{
	struct db *db = cli_open(c);

	if (db)
		event_open(db, c->var);
	return db;
}

/* --- pause, resume ---------------------------------------------------------------------------------------------- */

static const char pause_usage[] =
	"usage: motorpool pause CONTEXT REASON\n"
	"\n"
	"Pauses the event consumer and the regular tasks of CONTEXT (for example booking or fleet) within a second,"
	" until\n"
	"`motorpool resume CONTEXT`, also across restarts of the relay. Other consumers continue. Recorded by the event"
	" ops.paused.\n";

static int
pause_context(struct cli *c, int argc, char **argv)
{
	struct db *db;

	if (argc != 3)
		return cli_usage(c);
	if (!(db = open_with_wakeup(c)))
		return 1;
	return cli_close(db, print_outcome(relay_pause(db, argv[1], 0, argv[2]), "paused", "already paused"));
}

const struct command pause_command = {
	.name = "pause", .summary = "pauses one event consumer", .usage = pause_usage, .run = pause_context,
};

static const char resume_usage[] =
	"usage: motorpool resume CONTEXT\n"
	"\n"
	"Resumes a paused event consumer where it stopped.\n";

static int
resume_context(struct cli *c, int argc, char **argv)
{
	struct db *db;

	if (argc != 2)
		return cli_usage(c);
	if (!(db = open_with_wakeup(c)))
		return 1;
	return cli_close(db, print_outcome(relay_resume(db, argv[1], 0), "resumed", "not paused"));
}

const struct command resume_command = {
	.name = "resume", .summary = "resumes a paused event consumer", .usage = resume_usage, .run = resume_context,
};

/* --- redrive, discard ------------------------------------------------------------------------------------------- */

static const char redrive_usage[] =
	"usage: motorpool redrive [CONTEXT [EVENT]]\n"
	"\n"
	"Retries dead letters (events that failed on every attempt) at once: one event, all of CONTEXT, or all of"
	" them.\n";

/* consumer: NULL for all. */
static int
redrive_all(struct cli *c, struct db *db, const char *consumer)
{
	struct ops_retry *retries;
	int n = ops_retries(db, MAX_DEAD, &retries), n_done = 0;

	for (int i = 0; i < n; i++)
		if (retries[i].dead && (!consumer || strcmp(retries[i].consumer, consumer) == 0))
			n_done += consumer_redrive(db, retries[i].consumer, retries[i].event_id, 0) == SWITCH_DONE;
	return print_outcome(SWITCH_DONE, arena_printf(c->m, "%d retried", n_done), "");
}

static int
redrive(struct cli *c, int argc, char **argv)
{
	int64_t event_id = 0;
	struct db *db;
	bool on_view;
	int status;

	if (argc > 3 || (argc == 3 && !cli_number(argv[2], 1, INT64_MAX, &event_id)))
		return cli_usage(c);
	if (!(db = open_with_wakeup(c)))
		return 1;
	if (argc > 1 && !ops_is_consumer(argv[1], &on_view))
		status = print_outcome(SWITCH_UNKNOWN, "", "");
	else if (event_id)
		status = print_outcome(
			consumer_redrive(db, argv[1], event_id, 0), "retried", "this event is not pending");
	else
		status = redrive_all(c, db, argc > 1 ? argv[1] : NULL);
	return cli_close(db, status);
}

const struct command redrive_command = {
	.name = "redrive", .summary = "retries dead letters", .usage = redrive_usage, .run = redrive,
};

static const char discard_usage[] =
	"usage: motorpool discard CONTEXT EVENT REASON\n"
	"\n"
	"Discards a failing event: CONTEXT skips it and continues with later events of the same subject.\n"
	"Recorded by the event ops.discarded with the error and the reason.\n";

static int
discard(struct cli *c, int argc, char **argv)
{
	int64_t event_id;
	struct db *db;

	if (argc != 4 || !cli_number(argv[2], 1, INT64_MAX, &event_id))
		return cli_usage(c);
	if (!(db = open_with_wakeup(c)))
		return 1;
	return cli_close(db,
		print_outcome(
			consumer_discard(db, argv[1], event_id, 0, argv[3]), "discarded", "this event is not pending"));
}

const struct command discard_command = {
	.name = "discard", .summary = "discards a failing event", .usage = discard_usage, .run = discard,
};
