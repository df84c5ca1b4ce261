/*
 * settings.c - one table says everything about a setting: name, kind, default, limits. motorpool.conf explains them to
 * people.
 *
 * The defaults are applied first, then ROOT/motorpool.conf, then $VAR/motorpool.conf when there is one, then the
 * environment: MOTORPOOL_BASE_URL is base_url. The texts live in an arena of their own, as long as the program.
 */
#include "settings.h"

#include "arena.h"
#include "money.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) SETTING_AT(settings, member)

static const struct setting own[] = {
	{ AT(currency),                .kind = SETTING_CURRENCY, .standard = "KRW", .min = 3, .max = 3 },
	{ AT(zone),                    .kind = SETTING_TEXT, .standard = "Asia/Seoul", .min = 1, .max = 60 },
	{ AT(base_url),                .kind = SETTING_URL,  .standard = "http://localhost:8080", .min = 8,
		.max = 200 },
	{ AT(tls),                     .kind = SETTING_BOOL, .standard = "no" },
	{ AT(mail_url),                .kind = SETTING_TEXT, .standard = "", .min = 0, .max = 200 },
	{ AT(mail_from),               .kind = SETTING_TEXT, .standard = "motorpool <noreply@localhost>", .min = 3,
		.max = 200 },
	{ AT(mail_tries),              .kind = SETTING_INT,  .standard = "8", .min = 1, .max = 100 },
	{ AT(mail_pause_s),            .kind = SETTING_INT,  .standard = "30", .min = 1, .max = 3600 },
	{ AT(call_deadline_ms),        .kind = SETTING_INT,  .standard = "610", .min = 10, .max = 60000 },
	{ AT(calls_at_once),           .kind = SETTING_INT,  .standard = "5", .min = 1, .max = 64 },
	{ AT(breaker),                 .kind = SETTING_TEXT, .standard = "default", .min = 6, .max = 7 },
	{ AT(session_idle_s),          .kind = SETTING_INT,  .standard = "7200", .min = 60, .max = 365 * 86400 },
	{ AT(session_max_s),           .kind = SETTING_INT,  .standard = "86400", .min = 60, .max = 365 * 86400 },
	{ AT(max_body_bytes),          .kind = SETTING_INT,  .standard = "1048576", .min = 1024, .max = 64 * 1048576 },
	{ AT(max_fields),              .kind = SETTING_INT,  .standard = "200", .min = 10, .max = 10000 },
	{ AT(n_workers_min),           .kind = SETTING_INT,  .standard = "2", .min = 1, .max = 64 },
	{ AT(n_workers_max),           .kind = SETTING_INT,  .standard = "10", .min = 1, .max = 64 },
	{ AT(n_internal_workers),      .kind = SETTING_INT,  .standard = "8", .min = 1, .max = 64 },
	{ AT(request_limit_s),         .kind = SETTING_INT,  .standard = "12", .min = 1, .max = 3600 },
	{ AT(queue_limit_ms),          .kind = SETTING_INT,  .standard = "500", .min = 0, .max = 60000 },
	{ AT(worker_requests),         .kind = SETTING_INT,  .standard = "100000", .min = 0, .max = 1000000000 },
	{ AT(worker_memory_mb),        .kind = SETTING_INT,  .standard = "256", .min = 0, .max = 1048576 },
	{ AT(jail),                    .kind = SETTING_BOOL, .standard = "yes" },
	{ AT(run_as),                  .kind = SETTING_TEXT, .standard = "motorpool", .min = 0, .max = 32 },
};

static bool fits_together(const char **why);

struct settings settings;

/* The library's own settings, then the product's. */
static struct settings_group groups[2] = {
	{ .setting = own, .n = sizeof(own) / sizeof(own[0]), .values = &settings, .check = fits_together },
};

static struct arena *memory;

/* --- one value ---------------------------------------------------------------------------------------------------- */

/* Each answers NULL when the value was taken, else what is wrong with it. */

static const char *
setting_int(const struct settings_group *g, const struct setting *s, const char *value)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (end == value || *end || errno)
		return "is not a whole number";
	if (n < s->min || n > s->max)
		return arena_printf(memory, "must be between %lld and %lld", (long long)s->min, (long long)s->max);
	*(int64_t *)((char *)g->values + s->offset) = n;
	return NULL;
}

static const char *
setting_bool(const struct settings_group *g, const struct setting *s, const char *value)
{
	bool *to = (bool *)((char *)g->values + s->offset);

	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return "must be yes or no";
	*to = value[0] == 'y';
	return NULL;
}

static const char *
setting_text(const struct settings_group *g, const struct setting *s, const char *value)
{
	int64_t n = (int64_t)strlen(value);

	if (n < s->min || n > s->max)
		return "is too short or too long";
	*(const char **)((char *)g->values + s->offset) = arena_strdup(memory, value);
	return NULL;
}

/* Paths are appended to it, so it does not end in a slash. */
static const char *
take_url(const struct settings_group *g, const struct setting *s, const char *value)
{
	size_t n = strlen(value);

	if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
		return "must begin with http:// or https://";
	if (value[n - 1] == '/' || strpbrk(value, " \t\"'<>"))
		return "must be an address without a slash at its end";
	return setting_text(g, s, value);
}

static const char *
take_currency(const struct settings_group *g, const struct setting *s, const char *value)
{
	return money_decimals_of(value) >= 0 ? setting_text(g, s, value)
					     : "must be the ISO 4217 code of a currency: KRW, USD";
}

static const char *
setting_take(const struct settings_group *g, const struct setting *s, const char *value)
{
	switch (s->kind) {
	case SETTING_INT: return setting_int(g, s, value);
	case SETTING_BOOL: return setting_bool(g, s, value);
	case SETTING_TEXT: return setting_text(g, s, value);
	case SETTING_URL: return take_url(g, s, value);
	case SETTING_CURRENCY: return take_currency(g, s, value);
	}
	return "is of no kind";
}

/* NULL: there is no such setting. *group: the one it belongs to. */
static const struct setting *
find(const char *name, const struct settings_group **group)
{
	for (int g = 0; g < 2; g++)
		for (int i = 0; i < groups[g].n; i++)
			if (strcmp(groups[g].setting[i].name, name) == 0) {
				*group = &groups[g];
				return &groups[g].setting[i];
			}
	return NULL;
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

static char *
trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return s + strspn(s, " \t");
}

/* A # begins a comment at the start of a line or after a blank: addresses may hold one. */
static void
drop_comment(char *line)
{
	for (char *s = line; *s; s++)
		if (*s == '#' && (s == line || s[-1] == ' ' || s[-1] == '\t')) {
			*s = '\0';
			return;
		}
}

static const char *
setting_line(char *line)
{
	const struct settings_group *group;
	const struct setting *s;
	const char *wrong, *name;
	char *value;

	drop_comment(line);
	line = trim(line);
	if (!*line)
		return NULL;
	value = strchr(line, '=');
	if (!value)
		return "expected: name = value";
	*value++ = '\0';
	name = trim(line);
	s = find(name, &group);
	if (!s)
		return arena_printf(memory, "%s: there is no such setting", name);
	wrong = setting_take(group, s, trim(value));
	return wrong ? arena_printf(memory, "%s %s", name, wrong) : NULL;
}

static bool
take_file(const char *path, bool must_exist, const char **why)
{
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	char line[2048];
	int n = 0;

	if (!f) {
		*why = arena_printf(memory, "%s: %s", path, strerror(errno));
		return !must_exist && errno == ENOENT;
	}
	while (!wrong && fgets(line, sizeof(line), f)) {
		n++;
		wrong = strlen(line) == sizeof(line) - 1 ? "the line is too long" : setting_line(line);
	}
	if (!wrong && ferror(f))
		wrong = strerror(errno);
	fclose(f);
	if (wrong)
		*why = arena_printf(memory, "%s:%d: %s", path, n, wrong);
	return !wrong;
}

/* --- the environment: what the starting process knows better, such as the port ------------------------------------ */

static const char *
in_environment(const struct setting *s)
{
	char *name = arena_printf(memory, "MOTORPOOL_%s", s->name);

	for (char *at = name; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return getenv(name);
}

static bool
take_environment(const struct settings_group *g, const char **why)
{
	for (int i = 0; i < g->n; i++) {
		const char *value = in_environment(&g->setting[i]);
		const char *wrong = value ? setting_take(g, &g->setting[i], value) : NULL;

		if (wrong) {
			*why = arena_printf(memory, "%s from the environment %s", g->setting[i].name, wrong);
			return false;
		}
	}
	return true;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static bool
fits_together(const char **why)
{
	if (settings.session_idle_s > settings.session_max_s)
		*why = "session_idle_s is longer than session_max_s";
	else if (settings.tls && strncmp(settings.base_url, "https://", 8) != 0)
		*why = "tls = yes, but base_url does not begin with https://";
	else if (!settings.tls && strncmp(settings.base_url, "https://", 8) == 0)
		*why = "base_url begins with https://, but tls = no: cookies would travel without protection";
	else if (settings.n_workers_min > settings.n_workers_max)
		*why = "n_workers_min is more than n_workers_max";
	else if (strcmp(settings.breaker, "strict") != 0 && strcmp(settings.breaker, "classic") != 0
		&& strcmp(settings.breaker, "default") != 0)
		*why = "breaker must be strict, classic or default";
	else
		return true;
	return false;
}

static bool
take_defaults(const struct settings_group *g, const char **why)
{
	for (int i = 0; i < g->n; i++) {
		const char *wrong = setting_take(g, &g->setting[i], g->setting[i].standard);

		if (wrong) {
			*why = arena_printf(memory, "default of %s %s", g->setting[i].name, wrong);
			return false;
		}
	}
	return true;
}

bool
settings_open(const char *root_dir, const char *var_dir, const struct settings_group *product, const char **why)
{
	if (!memory)
		memory = arena_new(1 << 20);
	settings.var_dir = arena_strdup(memory, var_dir);
	groups[1] = product ? *product : (struct settings_group){ .n = 0 };
	if (!take_defaults(&groups[0], why) || !take_defaults(&groups[1], why)
		|| !take_file(arena_printf(memory, "%s/motorpool.conf", root_dir), true, why)
		|| !take_file(arena_printf(memory, "%s/motorpool.conf", var_dir), false, why)
		|| !take_environment(&groups[0], why) || !take_environment(&groups[1], why))
		return false;
	return fits_together(why) && (!groups[1].check || groups[1].check(why));
}
