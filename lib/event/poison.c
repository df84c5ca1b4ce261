/*
 * poison.c - policies that break on purpose, in builds with FAULTS=1 only: while $VAR/run/fault.poison says
 *
 *	CONSUMER TYPE SUBJECT HOW               "*": any type, any subject
 *
 * a matching event is not handled; instead: segv, abort, exit, hang, memory. tests/fault/poison.test.mjs uses it.
 */
#include "consumer_inside.h"

#ifdef MOTORPOOL_FAULTS

#include "lib/base/settings.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct dose { char consumer[32], type[64], subject[84], how[16]; };

static bool
is_any_or(const char *asked, const char *is)
{
	return strcmp(asked, "*") == 0 || strcmp(asked, is) == 0;
}

static bool
read_dose(struct dose *d)
{
	char path[4200];
	int n = 0;
	FILE *f;

	if (!settings.var_dir)
		return false;
	snprintf(path, sizeof(path), "%s/run/fault.poison", settings.var_dir);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fscanf(f, "%31s %63s %83s %15s", d->consumer, d->type, d->subject, d->how);
	fclose(f);
	return n == 4;
}

/* Without the sanitizer's report: a plain crash. */
static void
crash(int signo)
{
	signal(signo, SIG_DFL);
	raise(signo);
}

static void
eat_memory(void)
{
	struct arena *all = arena_new((size_t)64 << 20);

	for (;;)
		memset(arena_alloc(all, 1 << 20), 1, 1 << 20);
}

void
poison_act(const struct consumer *c, const struct event *e)
{
	struct dose d;

	if (!read_dose(&d) || strcmp(d.consumer, c->name) != 0 || !is_any_or(d.type, e->type)
		|| !is_any_or(d.subject, e->subject_id))
		return;
	if (strcmp(d.how, "segv") == 0)
		crash(SIGSEGV);
	else if (strcmp(d.how, "abort") == 0)
		crash(SIGABRT);
	else if (strcmp(d.how, "exit") == 0)
		_exit(3);
	else if (strcmp(d.how, "memory") == 0)
		eat_memory();
	for (volatile bool hangs = strcmp(d.how, "hang") == 0; hangs;)
		;
}

#endif
