/* common.c - what all commands need: arguments, the state folder, a connection, a progress bar; cli.h describes it. */
#include "cli.h"

#include "domain/rental.h"
#include "lib/call/call.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VAR_MAX 70 /* with "/run/payment.internal.sock.4194304" after it, a path must fit into a socket address */

const struct db_role cli_role = { .name = "motorpool", .owns = "*" };

/* --- errors ------------------------------------------------------------------------------------------------------ */

int
cli_usage(const struct cli *c)
{
	fputs(c->usage, stderr);
	return 2;
}

int
cli_fail(const char *fmt, ...)
{
	va_list ap;

	fputs("motorpool: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* --- arguments -------------------------------------------------------------------------------------------------- */

static void
remove_arguments(int *argc, char **argv, int at, int n)
{
	for (int i = at; i + n <= *argc; i++)
		argv[i] = argv[i + n]; /* including the NULL at the end */
	*argc -= n;
}

const char *
cli_option(int *argc, char **argv, const char *name, bool *bad)
{
	const char *value = NULL;
	size_t n = strlen(name);

	for (int i = 1; i < *argc; i++) {
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
			value = argv[i] + n + 1;
			remove_arguments(argc, argv, i--, 1);
		} else if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
			value = argv[i + 1];
			remove_arguments(argc, argv, i--, 2);
		} else if (strcmp(argv[i], name) == 0) {
			*bad = true;
			return NULL;
		}
	}
	return value;
}

bool
cli_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], name) == 0) {
			remove_arguments(argc, argv, i, 1);
			return true;
		}
	return false;
}

bool
cli_number(const char *text, int64_t min, int64_t max, int64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 10);
	return end != text && !*end && !errno && *n >= min && *n <= max;
}

/* --- the state -------------------------------------------------------------------------------------------------- */

const char *
cli_path(const struct cli *c, const char *dir, const char *name)
{
	return arena_printf(c->m, "%s/%s", dir, name);
}

static bool
make_folders(struct cli *c, const char *path)
{
	char *part = arena_strdup(c->m, path);

	for (char *s = part + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			mkdir(part, 0755);
			*s = '/';
		}
	return mkdir(part, 0755) == 0 || errno == EEXIST;
}

/* The absolute path, as it is easiest to recognise in a list of processes; if that is too long, the working directory
 * and ".". */
bool
cli_enter(struct cli *c)
{
	char path[PATH_MAX];

	if (!make_folders(c, c->var) || !realpath(c->var, path))
		return cli_fail("%s: %s", c->var, strerror(errno)), false;
	c->var = strlen(path) <= VAR_MAX ? arena_strdup(c->m, path) : ".";
	if (c->var[0] == '.' && chdir(path) != 0)
		return cli_fail("%s: %s", path, strerror(errno)), false;
	return true;
}

bool
cli_setup(struct cli *c)
{
	const char *why = NULL;

	log_open("motorpool");
	log_from(LOG_WARN_);
	if (!rental_settings_open(c->root, c->var, &why))
		return cli_fail("%s", why ? why : "cannot read the settings"), false;
	clock_open(settings.zone);
	money_open(settings.currency);
	if (!secret_open(c->var))
		return cli_fail("cannot create or read %s/secret.key: %s", c->var, strerror(errno)), false;
	call_open(c->var);
	return true;
}

struct db *
cli_open_as(struct cli *c, const struct db_role *role)
{
	const char *why = NULL;
	struct db *db;

	if (access(cli_path(c, c->var, "motorpool.db"), F_OK) != 0)
		return cli_fail("no database in %s: `motorpool migrate` creates one, `motorpool run` fills it with demo"
				" data (--var DIR: another directory)",
			       c->var),
		       NULL;
	if (!cli_setup(c))
		return NULL;
	db = db_open(c->var, role, c->m, &why);
	if (!db)
		cli_fail("%s", why ? why : "cannot use the database");
	return db;
}

struct db *
cli_open(struct cli *c)
{
	return cli_open_as(c, &cli_role);
}

int
cli_close(struct db *db, int status)
{
	if (db_failed(db))
		status = cli_fail("%s", db_error(db));
	else if (status == 0 && !db_durable(db))
		status = cli_fail("could not write to disk");
	db_close(db);
	return status;
}

const char *
cli_read_file(struct arena *m, const char *path)
{
	struct buf b = { .m = m };
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return NULL;
	do
		b.n += n = fread(buf_reserve(&b, 65536), 1, 65536, f);
	while (n > 0);
	n = ferror(f);
	fclose(f);
	b.s[b.n] = '\0';
	return n ? NULL : b.s;
}

const char *
cli_password(struct arena *m)
{
	static const char digits[] = "23456789abcdefghjkmnpqrstuvwxyz"; /* without those that look alike */
	char s[15];

	for (int i = 0; i < 14; i++)
		s[i] = i % 5 == 4 ? '-' : digits[randombytes_uniform(sizeof(digits) - 1)];
	s[14] = '\0';
	return arena_strdup(m, s);
}

/* --- progress --------------------------------------------------------------------------------------------------- */

#define BAR 40

void
progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){
		.what = what, .began_ms = clock_ms(), .percent = -1, .is_terminal = isatty(STDERR_FILENO)
	};
	progress_at(p, 0, 1);
}

void
progress_at(void *progress, int64_t done, int64_t total)
{
	struct progress *p = progress;
	int percent = total > 0 ? (int)(done * 100 / total) : 100;
	int64_t now = clock_ms();

	if (!p->is_terminal || percent == p->percent || (percent < 100 && now - p->shown_ms < 40))
		return;
	p->percent = percent;
	p->shown_ms = now;
	fprintf(stderr, "\r%s  [%.*s%*s] %3d %%", p->what, percent * BAR / 100,
		"========================================", BAR - percent * BAR / 100, "", percent);
}

void
progress_end(struct progress *p, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s%s  ", p->is_terminal ? "\r\033[K" : "", p->what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "  (%.1f s)\n", (double)(clock_ms() - p->began_ms) / 1000);
}
