/*
 * relay.c - the relay's switches for who sits at the machine: `motorpool pause`, `resume`, `redrive`, `discard`. The same as the
 * buttons of /ops, recorded in the log as done by nobody's account (switch.h).
 */
#include "cli.h"

#include "cgi-bin/ops/ops.h"
#include "cgi-bin/ops/switch.h"
#include "lib/event/event.h"

#include <stdio.h>
#include <string.h>

#define MANY 100000             /* more events that were given up than anybody ever will redrive at once */

/* What became of it, in words; the exit status. */
static int
say(enum switched switched, const char *done, const char *already)
{
	switch (switched) {
	case SWITCH_DONE:
		puts(done);
		return 0;
	case SWITCH_ALREADY:
		return cli_fail("%s", already);
	case SWITCH_UNKNOWN:
		return cli_fail("there is no such consumer: booking, payment, fleet, delivery, equipment, review, message and mypage react to events");
	case SWITCH_NO_REASON:
		return cli_fail("a reason is one line of 1 to %d characters", SWITCH_REASON_MAX);
	case SWITCH_LATER:
		return cli_fail("view.db is missing; the relay makes it anew, try again then");
	}
	return 1;
}

/* The command's connection, which knocks at the relay when it has committed. */
static struct db *
open_house(struct cli *c)
{
	struct db *db = cli_open(c);

	if (db)
		event_open(db, c->var);
	return db;
}

static int
settle(struct db *db, int status)
{
	if (db_failed(db))
		status = cli_fail("%s", db_error(db));
	else if (!db_durable(db))
		status = cli_fail("the disk refused to keep it");
	db_close(db);
	return status;
}

/* --- pause, resume -------------------------------------------------------------------------------------------------------- */

static const char pause_usage[] =
	"usage: motorpool pause CONTEXT REASON\n"
	"\n"
	"Stops what CONTEXT (booking, payment, fleet, mypage) does about events and by the clock, until `motorpool resume CONTEXT`:\n"
	"within a second, also when the relay is started again. The others run on. The event ops.paused records it.\n";

static int
pause_context(struct cli *c, int argc, char **argv)
{
	struct db *db;

	if (argc != 3)
		return cli_usage(c);
	if (!(db = open_house(c)))
		return 1;
	return settle(db, say(relay_pause(db, argv[1], 0, argv[2]), "paused", "it is paused already"));
}

const struct command pause_command = {
	.name = "pause", .summary = "stops one consumer of events", .usage = pause_usage, .run = pause_context,
};

static const char resume_usage[] =
	"usage: motorpool resume CONTEXT\n"
	"\n"
	"Lets a paused consumer go on where it stopped.\n";

static int
resume_context(struct cli *c, int argc, char **argv)
{
	struct db *db;

	if (argc != 2)
		return cli_usage(c);
	if (!(db = open_house(c)))
		return 1;
	return settle(db, say(relay_resume(db, argv[1], 0), "resumed", "it is not paused"));
}

const struct command resume_command = {
	.name = "resume", .summary = "lets it go on", .usage = resume_usage, .run = resume_context,
};

/* --- redrive, discard ------------------------------------------------------------------------------------------------------- */

static const char redrive_usage[] =
	"usage: motorpool redrive [CONTEXT [EVENT]]\n"
	"\n"
	"Gives an event that failed all its tries anew, at once: that one, or all that CONTEXT has given up, or all that were given up.\n";

/* consumer: NULL: all. */
static int
redrive_all(struct cli *c, struct db *db, const char *consumer)
{
	struct ops_retry *retries;
	int n = ops_retries(db, MANY, &retries), n_done = 0;

	for (int i = 0; i < n; i++)
		if (retries[i].dead && (!consumer || strcmp(retries[i].consumer, consumer) == 0))
			n_done += consumer_redrive(db, retries[i].consumer, retries[i].event_id, 0) == SWITCH_DONE;
	return say(SWITCH_DONE, arena_printf(c->m, "%d redriven", n_done), "");
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
	if (!(db = open_house(c)))
		return 1;
	if (argc > 1 && !ops_is_consumer(argv[1], &on_view))
		status = say(SWITCH_UNKNOWN, "", "");
	else if (event_id)
		status = say(consumer_redrive(db, argv[1], event_id, 0), "redriven", "that event does not wait");
	else
		status = redrive_all(c, db, argc > 1 ? argv[1] : NULL);
	return settle(db, status);
}

const struct command redrive_command = {
	.name = "redrive", .summary = "has events that failed tried again", .usage = redrive_usage, .run = redrive,
};

static const char discard_usage[] =
	"usage: motorpool discard CONTEXT EVENT REASON\n"
	"\n"
	"Lets an event that fails go: CONTEXT never reacts to it, and later ones of its subject are no longer held back.\n"
	"The event ops.discarded records it with its error and the reason.\n";

static int
discard(struct cli *c, int argc, char **argv)
{
	int64_t event_id;
	struct db *db;

	if (argc != 4 || !cli_number(argv[2], 1, INT64_MAX, &event_id))
		return cli_usage(c);
	if (!(db = open_house(c)))
		return 1;
	return settle(db, say(consumer_discard(db, argv[1], event_id, 0, argv[3]), "discarded", "that event does not wait"));
}

const struct command discard_command = {
	.name = "discard", .summary = "lets an event that fails go", .usage = discard_usage, .run = discard,
};
