/*
 * trace_log.c - finds the lines of the programs' logs that belong to one subject (docs/logs.md).
 *
 * Most lines name their subject. Those written before it was known (for example a call to the card provider) and
 * lighttpd's have the same request id as one that does, so a log is read twice. Lines of other formats are skipped: any
 * log may be given.
 */
#include "trace.h"

#include "lib/base/utf8.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#define LINE_ROOM 8192          /* our lines are shorter than PIPE_BUF */

/* --- steps and requests ----------------------------------------------------------------------------------------- */

void
trace_add(struct trace *t, const struct trace_step *s)
{
	if (t->n_step == t->step_room) {
		int room = t->step_room ? 2 * t->step_room : 64;

		t->step = arena_grow(t->m, t->step, sizeof(*s) * (size_t)t->step_room, sizeof(*s) * (size_t)room);
		t->step_room = room;
	}
	t->step[t->n_step++] = *s;
}

static bool
knows_request(const struct trace *t, const char *request, size_t n)
{
	for (int i = 0; i < t->n_requests; i++)
		if (strncmp(t->request[i], request, n) == 0 && !t->request[i][n])
			return true;
	return false;
}

static void
add_request(struct trace *t, const char *request)
{
	if (!*request || knows_request(t, request, strlen(request)))
		return;
	if (t->n_requests == t->request_room) {
		int room = t->request_room ? 2 * t->request_room : 64;

		t->request = arena_grow(
			t->m, t->request, sizeof(request) * (size_t)t->request_room, sizeof(request) * (size_t)room);
		t->request_room = room;
	}
	t->request[t->n_requests++] = request;
}

/* --- one line --------------------------------------------------------------------------------------------------- */

/* Replaces control characters and invalid UTF-8, for output on a terminal. */
static const char *
printable(struct trace *t, const char *s)
{
	struct buf b = { .m = t->m };

	buf_puts(&b, "");
	for (int n; *s; s += n) {
		n = utf8_length(s);
		if (n == 0 || (n == 1 && ((unsigned char)*s < 0x20 || *s == 0x7F))
			|| (n == 2 && *s == '\xC2' && (unsigned char)s[1] < 0xA0))
			buf_put(&b, "?", 1);
		else
			buf_put(&b, s, (size_t)n);
		n = n ? n : 1;
	}
	return b.s;
}

static const char *
line_text(struct trace *t, const json_t *line, const char *name)
{
	const char *s = json_string_value(json_object_get(line, name));

	return printable(t, s ? s : "");
}

static int64_t
line_int(const json_t *line, const char *name)
{
	return json_integer_value(json_object_get(line, name));
}

/* "2026-11-21T05:00:00.123456Z" (lighttpd: at_us). 0: not a time. */
static int64_t
line_time(const json_t *line)
{
	const char *s = json_string_value(json_object_get(line, "at")), *end;
	int64_t us = 0, unit = 100000;
	struct tm utc = { 0 };

	if (!s)
		return line_int(line, "at_us");
	end = strptime(s, "%Y-%m-%dT%H:%M:%S", &utc);
	if (!end)
		return 0;
	for (end += *end == '.'; *end >= '0' && *end <= '9'; end++, unit /= 10)
		us += (*end - '0') * unit;
	return *end == 'Z' ? (int64_t)timegm(&utc) * 1000000 + us : 0;
}

/* A description of what happened. */
static const char *
line_words(struct trace *t, const json_t *line, const char *what)
{
	long long event_id = line_int(line, "event_id"), status = line_int(line, "status");
	const char *type = line_text(t, line, "type"), *path = line_text(t, line, "path"),
		   *method = line_text(t, line, "method");

	if (strcmp(what, "event") == 0)
		return arena_printf(t->m, "event %lld %s", event_id, type);
	if (strcmp(what, "handled") == 0)
		return arena_printf(t->m, "processed %lld %s", event_id, type);
	if (strcmp(what, "not_handled") == 0)
		return arena_printf(t->m, "failed to process %lld %s: %s", event_id, type, line_text(t, line, "text"));
	if (strcmp(what, "answer") == 0)
		return arena_printf(t->m, "%s %s → %lld", method, path, status);
	if (strcmp(what, "access") == 0)
		return arena_printf(t->m, "%s → %lld, %lld bytes", method, status, (long long)line_int(line, "bytes"));
	if (strcmp(what, "call") == 0 && status)
		return arena_printf(t->m, "called %s %s → %lld", line_text(t, line, "to"), path, status);
	if (strcmp(what, "call") == 0)
		return arena_printf(
			t->m, "called %s %s: %s", line_text(t, line, "to"), path, line_text(t, line, "outcome"));
	return arena_printf(t->m, "%s %s: %s", line_text(t, line, "level"), what, line_text(t, line, "text"));
}

static void
trace_add_line(struct trace *t, const json_t *line)
{
	json_t *ms = json_object_get(line, "ms");
	struct trace_step s = {
		.at_us = line_time(line),
		.took_us = ms ? (int64_t)(json_number_value(ms) * 1000 + 0.5) : -1,
		.program = line_text(t, line, "program"),
		.what = line_text(t, line, "what"),
		.request = line_text(t, line, "request"),
		.event_id = line_int(line, "event_id"),
		.causation_id = line_int(line, "causation_id"),
		.actor_id = line_int(line, "actor_id"),
	};

	if (s.at_us == 0 || !*s.program || !*s.what)
		return;
	if (!s.actor_id)
		s.actor_id = line_int(line, "user_id");
	s.text = line_words(t, line, s.what);
	trace_add(t, &s);
}

/* --- a log ------------------------------------------------------------------------------------------------------ */

/* The next whole line without its end; NULL: there is none. Lines that are too long are skipped. */
static char *
next_line(char *to, size_t room, FILE *log)
{
	bool is_rest = false;
	size_t n;

	while (fgets(to, (int)room, log)) {
		n = strlen(to);
		if (n > 0 && to[n - 1] == '\n' && !is_rest) {
			to[n - 1] = '\0';
			return to;
		}
		is_rest = n > 0 && to[n - 1] != '\n';
	}
	return NULL;
}

static bool
names_subject(const struct trace *t, const json_t *line)
{
	const char *subject = json_string_value(json_object_get(line, "subject"));

	return subject && strcmp(subject, t->subject) == 0;
}

void
trace_read_subjects(struct trace *t, FILE *log)
{
	static char text[LINE_ROOM];
	const char *mark = arena_printf(t->m, "\"subject\":\"%s\"", t->subject);

	rewind(log);
	t->n_files++;
	while (next_line(text, sizeof(text), log)) {
		json_t *line = strstr(text, mark) ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

		if (line && names_subject(t, line)) {
			trace_add_line(t, line);
			add_request(t, line_text(t, line, "request"));
		}
		json_decref(line);
	}
}

static bool
is_of_known_request(const struct trace *t, const char *text)
{
	static const char mark[] = "\"request\":\"";
	const char *request = strstr(text, mark);

	request = request ? request + sizeof(mark) - 1 : NULL;
	return request && knows_request(t, request, strcspn(request, "\""));
}

void
trace_read_requests(struct trace *t, FILE *log)
{
	static char text[LINE_ROOM];

	rewind(log);
	while (next_line(text, sizeof(text), log)) {
		json_t *line = is_of_known_request(t, text) ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

		if (line && !names_subject(t, line))
			trace_add_line(t, line);
		json_decref(line);
	}
}
