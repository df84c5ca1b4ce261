/* fault.c - the framework of the fault experiments in C; see fault.h. */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int n_passed, n_failed;

bool
fault_is_long(void)
{
	const char *form = getenv("LONG");

	return form && strcmp(form, "1") == 0;
}

uint64_t
fault_seed(void)
{
	const char *given = getenv("SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given && *given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 8;
	seed &= 0x7FFFFFFF;
	printf("# SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

uint64_t
dice_next(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

int
dice_below(uint64_t *state, int n)
{
	return (int)(dice_next(state) % (uint64_t)n);
}

/* --- sentences ---------------------------------------------------------------------------------------------------- */

bool
holds(bool ok, const char *sentence, const char *fmt, ...)
{
	va_list ap;

	printf("%s - %s\n#   ", ok ? "ok" : "not ok", sentence);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	*(ok ? &n_passed : &n_failed) += 1;
	return ok;
}

void
skipped(const char *sentence, const char *why)
{
	printf("# SKIPPED - %s: %s\n", sentence, why);
	fflush(stdout);
}

int
fault_end(void)
{
	printf("%d passed, %d failed\n", n_passed, n_failed);
	return n_failed ? 1 : 0;
}

/* --- figures ------------------------------------------------------------------------------------------------------ */

static void
figure(const char *experiment, const char *name, double value, const char *unit, const char *kind, double limit,
	bool in_limit)
{
	const char *build = getenv("BUILD"), *form = fault_is_long() ? "long" : "quick";
	char path[600];
	FILE *f;

	printf("# %s: %s: %.6g %s (%s %.6g)%s\n", experiment, name, value, unit, kind, limit, in_limit ? "" : " OVER");
	snprintf(path, sizeof(path), "%s/test-logs", build ? build : "build");
	mkdir(path, 0755);
	strcat(path, "/promises.jsonl");
	f = fopen(path, "a");
	if (f) {
		fprintf(f,
			"{\"experiment\":\"%s\",\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"%s\":%.6g,"
			"\"holds\":%s,\"form\":\"%s\"}\n",
			experiment, name, value, unit, kind, limit, in_limit ? "true" : "false", form);
		fclose(f);
	}
	if (fault_is_long() && !in_limit)
		holds(false, name, "%.6g %s, limit %.6g", value, unit, limit);
}

void
figure_most(const char *experiment, const char *name, double value, const char *unit, double limit)
{
	figure(experiment, name, value, unit, "limit", limit, value <= limit);
}

void
figure_least(const char *experiment, const char *name, double value, const char *unit, double least)
{
	figure(experiment, name, value, unit, "least", least, value >= least);
}
