/*
 * trace.c - `motorpool trace CODE`: what happened to one booking, in chronological order, and its current state;
 * trace.h describes it.
 *
 * The events are always there; the logs add requests, calls, consumers and durations. None of them contains names,
 * addresses or cards, so none is shown.
 */
#include "trace.h"

#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
	"usage: motorpool trace CODE [--json] [LOG…]\n"
	"\n"
	"Shows what happened to a booking in all programs, in chronological order: its events, the consumers that"
	" processed them,\n"
	"its requests and calls, and its current state. CODE is a booking code or another event subject (car:12).\n"
	"\n"
	"Reads the event log and DIR/log (.log, .log.1). Where the programs log to the journal, name further logs;\n"
	"- is standard input:\n"
	"\n"
	"  journalctl -u 'motorpool*' -o cat | motorpool trace MP-7K3F9QXA - /var/log/motorpool/*.log"
	" /var/log/lighttpd/motorpool.log\n"
	"\n"
	"  --json  one JSON object: now, steps\n";

#define MAX_LOGS 256

/* --- the current state ------------------------------------------------------------------------------------------ */

/* A row that belongs to the subject: the booking, its slot, charges, refunds, parked events. */
struct related_row {
	const char *what, *state, *error;
	int64_t id, amount, tries, next_at;
};
static const struct member related_row_members[] = {
	SHAPE_TEXT(related_row, what), SHAPE_INT(related_row, id), SHAPE_TEXT(related_row, state),
	SHAPE_AMOUNT(related_row, amount), SHAPE_INT(related_row, tries), SHAPE_TIME(related_row, next_at),
	SHAPE_TEXT(related_row, error),
};
static const struct shape related_row_shape = SHAPE(related_row, related_row_members);

static int
find_related_rows(struct db *db, const char *subject, struct related_row **now, int *n)
{
	return db_list(db, &related_row_shape, now, n,
		"SELECT 'booking' AS what, booking_id AS id, state, amount, 0 AS tries, 0 AS next_at, '' AS error"
		" FROM v_booking WHERE code = $1"
		" UNION ALL SELECT 'refund due', booking_id, refund_state, refund_due, 0, 0, '' FROM v_booking"
		"  WHERE code = $1 AND refund_state <> 'NONE'"
		" UNION ALL SELECT 'slot', s.slot_id, s.kind, 0, 0, 0, '' FROM v_slot s JOIN v_booking b"
		" ON b.booking_id = s.booking_id"
		"  WHERE b.code = $1 AND s.booking_id <> 0"
		" UNION ALL SELECT 'charge', charge_id, state, amount, tries, CASE"
		" WHEN state IN ('REQUESTED', 'UNKNOWN') THEN next_at ELSE 0 END,"
		"  last_error FROM charge /*scan*/ WHERE subject_id = $1"
		" UNION ALL SELECT 'refund', r.refund_id, r.state, r.amount, r.tries, CASE r.state"
		" WHEN 'REQUESTED' THEN r.next_at ELSE 0 END,"
		"  r.last_error FROM charge c /*scan*/ JOIN refund r ON r.charge_id = c.charge_id"
		" WHERE c.subject_id = $1"
		" UNION ALL SELECT consumer, event_id, CASE dead WHEN 0 THEN 'waits' ELSE 'given up' END, 0, tries,"
		"  CASE dead WHEN 0 THEN next_at ELSE 0 END, error FROM v_event_retry /*scan*/ WHERE subject_id = $1",
		subject);
}

/* --- steps ------------------------------------------------------------------------------------------------------ */

static bool
is_in_log(const struct trace *t, int64_t event_id)
{
	for (int i = 0; i < t->n_step; i++)
		if (t->step[i].event_id == event_id && strcmp(t->step[i].what, "event") == 0)
			return true;
	return false;
}

/* The events that are in none of the logs. A type begins with the program that emitted it. */
static int
add_events(struct trace *t, struct db *db)
{
	struct event *e = NULL;
	int n = 0;

	db_list(db, &event_shape, &e, &n,
		"SELECT event_id, type, subject_id, causation_id, actor_id, recorded_at FROM v_event"
		" WHERE subject_id = $1 ORDER BY event_id",
		t->subject);
	for (int i = 0; i < n; i++)
		if (!is_in_log(t, e[i].event_id))
			trace_add(t,
				&(struct trace_step){
					.at_us = e[i].recorded_at * 1000000,
					.took_us = -1,
					.is_coarse = true,
					.what = "event",
					.request = "",
					.program = arena_strndup(t->m, e[i].type, strcspn(e[i].type, ".")),
					.text = arena_printf(
						t->m, "event %lld %s", (long long)e[i].event_id, e[i].type),
					.event_id = e[i].event_id,
					.causation_id = e[i].causation_id,
					.actor_id = e[i].actor_id,
				});
	return n;
}

/* At the same moment an event comes before those it caused. */
static int
compare_steps(const void *a, const void *b)
{
	const struct trace_step *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->event_id < y->event_id ? -1 : x->event_id > y->event_id;
}

/* --- logs ------------------------------------------------------------------------------------------------------- */

struct logs { FILE *file[MAX_LOGS]; int n; };

/* A copy of standard input, since logs are read twice. */
static FILE *
copy_of_stdin(void)
{
	FILE *copy = tmpfile();
	char part[8192];
	size_t n;

	while (copy && (n = fread(part, 1, sizeof(part), stdin)) > 0)
		if (fwrite(part, 1, n, copy) != n)
			return fclose(copy), NULL;
	return copy;
}

static bool
open_log(struct logs *l, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? copy_of_stdin() : fopen(path, "re");

	if (!f)
		return false;
	if (l->n < MAX_LOGS)
		l->file[l->n++] = f;
	else
		fclose(f);
	return true;
}

/* $VAR/log: NAME.log and NAME.log.1. A missing folder or an unreadable log does not stop the command. */
static void
open_own_logs(struct cli *c, struct logs *l)
{
	const char *folder = cli_path(c, c->var, "log");
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d));) {
		const char *end = strstr(e->d_name, ".log");

		if (end && (!end[4] || strcmp(end + 4, ".1") == 0) && !open_log(l, cli_path(c, folder, e->d_name)))
			cli_fail("cannot read %s/%s: %s", folder, e->d_name, strerror(errno));
	}
	if (d)
		closedir(d);
}

static void
read_logs(struct trace *t, struct logs *l)
{
	for (int i = 0; i < l->n; i++)
		trace_read_subjects(t, l->file[i]);
	for (int i = 0; i < l->n; i++)
		trace_read_requests(t, l->file[i]);
	for (int i = 0; i < l->n; i++)
		fclose(l->file[i]);
}

/* --- text ------------------------------------------------------------------------------------------------------- */

static const char *
local_time(struct arena *m, int64_t at)
{
	struct local l;

	clock_split(at, &l);
	return arena_printf(
		m, "%04d-%02d-%02d %02d:%02d:%02d %s", l.year, l.month, l.day, l.hour, l.minute, l.second, l.zone);
}

static void
print_related_row(struct arena *m, const struct related_row *s)
{
	bool waits = strcmp(s->state, "waits") == 0 || strcmp(s->state, "given up") == 0;

	printf("  %-10s%s %-7lld %s", s->what, waits ? " event" : "", (long long)s->id, s->state);
	if (s->amount)
		printf("  %s", money_in_words(m, s->amount));
	if (s->tries)
		printf("  tries: %lld", (long long)s->tries);
	if (s->next_at)
		printf("  next: %s", local_time(m, s->next_at));
	if (*s->error)
		printf("  %s", s->error);
	putchar('\n');
}

/* The columns missing to n; continuation bytes of UTF-8 take none. */
static int
columns_missing(const char *s, int n)
{
	for (; *s; s++)
		n -= (*s & 0xC0) != 0x80;
	return n > 0 ? n : 0;
}

static void
print_step(const struct trace_step *s)
{
	struct local l;
	char at[32], took[32] = "";

	clock_split(s->at_us / 1000000, &l);
	snprintf(at, sizeof(at), s->is_coarse ? "%02d:%02d:%02d" : "%02d:%02d:%02d.%03d", l.hour, l.minute, l.second,
		(int)(s->at_us / 1000 % 1000));
	if (s->took_us >= 0)
		snprintf(took, sizeof(took), "%.1f ms", (double)s->took_us / 1000);
	printf("  %-12s  %-14s %s%*s %10s", at, s->program, s->text, columns_missing(s->text, 56), "", took);
	if (s->causation_id)
		printf("  caused by %lld", (long long)s->causation_id);
	if (s->actor_id)
		printf("  user %lld", (long long)s->actor_id);
	if (*s->request)
		printf("  %s", s->request);
	putchar('\n');
}

static void
print_text(struct trace *t, const struct related_row *now, int n)
{
	int64_t day = 0;
	struct local l;

	printf("%s\n", t->subject);
	for (int i = 0; i < n; i++)
		print_related_row(t->m, &now[i]);
	for (int i = 0; i < t->n_step; i++) {
		int64_t at = t->step[i].at_us / 1000000;

		if (i == 0 || day_start(at) != day) {
			clock_split(at, &l);
			printf("\n%04d-%02d-%02d %s\n", l.year, l.month, l.day, l.zone);
		}
		day = day_start(at);
		print_step(&t->step[i]);
	}
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static const struct member trace_step_members[] = {
	SHAPE_TEXT(trace_step, at), SHAPE_INT(trace_step, took_us), SHAPE_TEXT(trace_step, program),
	SHAPE_TEXT(trace_step, what), SHAPE_TEXT(trace_step, text), SHAPE_TEXT(trace_step, request),
	SHAPE_INT(trace_step, event_id), SHAPE_INT(trace_step, causation_id), SHAPE_INT(trace_step, actor_id),
};
static const struct shape trace_step_shape = SHAPE(trace_step, trace_step_members);

static void
print_json(struct trace *t, const struct related_row *now, int n)
{
	struct buf b = { .m = t->m };

	for (int i = 0; i < t->n_step; i++) {
		time_t at = t->step[i].at_us / 1000000;
		struct tm utc;
		char text[32];

		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&at, &utc));
		t->step[i].at = arena_printf(t->m, "%s.%06dZ", text, (int)(t->step[i].at_us % 1000000));
	}
	buf_puts(&b, "{\"subject\":");
	json_put_text(&b, t->subject);
	buf_puts(&b, ",\"now\":");
	json_put_list(&b, &related_row_shape, now, n);
	buf_puts(&b, ",\"steps\":");
	json_put_list(&b, &trace_step_shape, t->step, t->n_step);
	puts(arena_printf(t->m, "%s}", b.s));
}

/* --- the command ------------------------------------------------------------------------------------------------ */

/* Codes may be typed in small letters. NULL: it cannot be a subject. */
static const char *
typed_subject(struct arena *m, const char *typed)
{
	char *s = arena_strdup(m, typed);
	size_t n = strlen(s);

	if (n < 1 || n > 60 || strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:.") != n)
		return NULL;
	for (char *p = s; !strchr(typed, ':') && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

static int
trace(struct cli *c, int argc, char **argv)
{
	bool is_json = cli_flag(&argc, argv, "--json");
	struct trace t = { .m = c->m };
	struct related_row *now = NULL;
	struct logs logs = { .n = 0 };
	int n = 0, n_events;
	struct db *db;

	if (argc < 2)
		return cli_usage(c);
	t.subject = typed_subject(c->m, argv[1]);
	if (!t.subject)
		return cli_fail("%s is not a booking code", argv[1]);
	for (int i = 2; i < argc; i++)
		if (!open_log(&logs, argv[i]))
			return cli_fail("%s: %s", argv[i], strerror(errno));
	if (!(db = cli_open(c)))
		return 1;
	open_own_logs(c, &logs);
	read_logs(&t, &logs);
	n_events = add_events(&t, db);
	find_related_rows(db, t.subject, &now, &n);
	if (db_failed(db))
		return cli_fail("%s", db_error(db));
	db_close(db);
	if (n + n_events + t.n_step == 0)
		return cli_fail(
			"nothing found for %s: no booking, no event and no line in %d logs", t.subject, t.n_files);
	if (t.n_step)
		qsort(t.step, (size_t)t.n_step, sizeof(*t.step), compare_steps);
	(is_json ? print_json : print_text)(&t, now, n);
	return 0;
}

const struct command trace_command = {
	.name = "trace", .summary = "shows what happened to a booking in all programs", .usage = usage, .run = trace,
};
