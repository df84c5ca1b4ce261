/* programs - whether each program is up, the figures of its workers, and the breakers between programs. */
#include "ops.h"

#include "lib/call/breaker.h"
#include "lib/call/call.h"
#include "lib/base/clock.h"
#include "lib/base/gauge.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <string.h>

#define READY_MS 100

static const struct word health_word[] = {
	[PROGRAM_UP]        = { "UP",      N_("Up") },
	[PROGRAM_NOT_READY] = { "WAITING", N_("Not ready") },
	[PROGRAM_SILENT]    = { "SLOW",    N_("No answer") },
	[PROGRAM_DOWN]      = { "DOWN",    N_("Down") },
};
const struct words ops_health_words = WORDS(health_word);

static const struct member program_members[] = {
	SHAPE_TEXT(ops_program, name), SHAPE_STATE(ops_program, state, ops_health_words),
	SHAPE_INT(ops_program, took_ms), SHAPE_TEXT(ops_program, why), SHAPE_BOOL(ops_program, is_counted),
	SHAPE_INT(ops_program, generation), SHAPE_INT(ops_program, n_workers), SHAPE_INT(ops_program, n_busy),
	SHAPE_INT(ops_program, n_minute), SHAPE_INT(ops_program, n_failed), SHAPE_INT(ops_program, p50_us),
	SHAPE_INT(ops_program, p99_us), SHAPE_INT(ops_program, n_shed), SHAPE_INT(ops_program, n_replaced),
};
const struct shape ops_program_shape = SHAPE(ops_program, program_members);

/* --- up? ---------------------------------------------------------------------------------------------------------- */

struct readiness { const char *why; };
static const struct member readiness_members[] = { SHAPE_TEXT(readiness, why) };
static const struct shape readiness_shape = SHAPE(readiness, readiness_members);

/* Not for ops itself: its workers would wait for each other. */
static void
read_readiness(struct arena *m, const char *prefix, struct ops_program *p)
{
	struct call c = { .program = p->name,
		.path = arena_printf(m, "%s/readyz", prefix),
		.to_public = true,
		.deadline_ms = READY_MS };
	struct readiness r = { .why = "" };
	int64_t began = clock_ms();

	switch (call_do(m, &c)) {
	case CALL_NOT_SENT:
	case CALL_REFUSED: break;
	case CALL_UNKNOWN: p->state = PROGRAM_SILENT; break;
	case CALL_ANSWERED:
		p->state = c.status == 200 ? PROGRAM_UP : PROGRAM_NOT_READY;
		if (c.status != 200 && json_into(m, c.answer, &readiness_shape, &r) && r.why)
			p->why = r.why;
		break;
	}
	p->took_ms = clock_ms() - began;
}

/* --- its workers ----------------------------------------------------------------------------------------------- */

static void
read_gauge(struct ops_program *p)
{
	const struct gauge *g = gauge_open_readonly(settings.var_dir, p->name);
	struct gauge_minute now;

	p->is_counted = g != NULL;
	if (!g)
		return;
	now = gauge_minute(g);
	p->generation = g->generation;
	p->n_workers = now.n_workers;
	p->n_busy = now.n_busy;
	p->n_minute = now.n;
	p->n_failed = now.n_failed;
	p->p50_us = now.p50_us;
	p->p99_us = now.p99_us;
	p->n_shed = g->n_shed;
	p->n_replaced = g->n_died + g->n_hung + g->n_bloated;
	gauge_close(g);
}

int
ops_programs(struct arena *m, struct ops_program **programs)
{
	int n = 0;

	*programs = arena_array(m, struct ops_program, N_CONTEXTS);
	for (const struct context *p = contexts; p->name; p++) {
		struct ops_program *is = &(*programs)[n];

		if (!context_is_wanted(p))
			continue;
		*is = (struct ops_program){ .name = p->name, .why = "", .state = PROGRAM_DOWN };
		if (strcmp(p->name, "ops") == 0)
			is->state = PROGRAM_UP;
		else
			read_readiness(m, p->prefix, is);
		read_gauge(is);
		n++;
	}
	return n;
}

/* --- calls between programs --------------------------------------------------------------------------------------- */

static const struct word breaker_word[] = {
	[BREAKER_CLOSED]    = { "CLOSED",  N_("Closed") },
	[BREAKER_OPEN]      = { "OPEN",    N_("Open (calls are refused)") },
	[BREAKER_HALF_OPEN] = { "PROBING", N_("Half-open") },
};
const struct words ops_breaker_words = WORDS(breaker_word);

static const struct member breaker_members[] = {
	SHAPE_TEXT(breaker_view, callee), SHAPE_STATE(breaker_view, state, ops_breaker_words),
	SHAPE_TIME(breaker_view, opened_at), SHAPE_INT(breaker_view, again_in_ms),
	/* as the API names it */
	{ .name = "n_flying", .kind = KIND_INT, .offset = SHAPE_AT(breaker_view, n_in_flight, int64_t) },
	SHAPE_INT(breaker_view, n_calls), SHAPE_INT(breaker_view, n_failed), SHAPE_INT(breaker_view, n_refused),
	SHAPE_INT(breaker_view, n_full), SHAPE_INT(breaker_view, n_opened),
};
const struct shape ops_breaker_shape = SHAPE(breaker_view, breaker_members);

int
ops_breakers(struct arena *m, struct breaker_view **breakers)
{
	static const char *const callees[] = { "payment", "provider" };
	int n = 0;

	*breakers = arena_array(m, struct breaker_view, 2);
	for (int i = 0; i < 2; i++)
		n += breaker_look(settings.var_dir, callees[i], &(*breakers)[n]);
	return n;
}
