/*
 * unpack.c - unpacks a backup into an empty folder and verifies every byte; archive.h lists the contents.
 *
 * Each member is hashed while it is written to disk; the checksums come last and must be of exactly these members, and
 * the databases must match the manifest.
 */
#include "archive.h"

#include "lib/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {
	"motorpool.db", "sandbox.db", "secret.key", "payment.key", "motorpool.conf", "demo-logins.txt", ARCHIVE_FACTS,
	ARCHIVE_SUMS,
};

/* The public ones are photos/NAME, the private ones handover/NAME. */
static bool
is_in(const char *folder, const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(folder);

	return strncmp(name, folder, n) == 0 && name[n] == '/' && name[n + 1] && name[n + 1] != '.'
		&& strspn(name + n + 1, allowed) == strlen(name + n + 1);
}

static bool
is_photo(const char *name)
{
	for (const char *const *folder = photo_folders; *folder; folder++)
		if (is_in(*folder, name))
			return true;
	return false;
}

static bool
is_known(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return is_photo(name);
}

/* --- what the databases say --------------------------------------------------------------------------------------- */

/* No other process has it open, and it has no WAL: opened without locks, and without creating files beside it. */
static sqlite3 *
look_into(struct cli *c, const char *dir, const char *name)
{
	struct buf uri = { .m = c->m };
	sqlite3 *sqlite = NULL;

	buf_puts(&uri, "file:");
	for (const char *s = cli_path(c, dir, name); *s; s++)
		buf_printf(&uri, strchr("%?#", *s) ? "%%%02X" : "%c", (unsigned char)*s);
	buf_puts(&uri, "?mode=ro&immutable=1");
	sqlite3_open_v2(uri.s, &sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	return sqlite;
}

/* The first column of the first row; "" when there is none, NULL when it cannot be asked. */
static const char *
answer(struct cli *c, sqlite3 *sqlite, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	const char *text = NULL;
	int rc;

	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		text = rc == SQLITE_DONE   ? ""
			: rc == SQLITE_ROW ? arena_strdup(c->m, (const char *)sqlite3_column_text(stmt, 0))
					   : NULL;
	}
	sqlite3_finalize(stmt);
	return text;
}

static int64_t
number(struct cli *c, sqlite3 *sqlite, const char *sql)
{
	const char *text = answer(c, sqlite, sql);

	return text ? strtoll(text, NULL, 10) : -1;
}

static bool
is_whole(struct cli *c, sqlite3 *sqlite, const char *name, const char **why)
{
	const char *said = answer(c, sqlite, "PRAGMA quick_check(1)");

	if (said && strcmp(said, "ok") == 0)
		return true;
	*why = arena_printf(c->m, "%s is damaged: %s", name, said ? said : sqlite3_errmsg(sqlite));
	return false;
}

static bool
read_facts(struct cli *c, sqlite3 *sqlite, struct manifest *m, const char **why)
{
	if (!is_whole(c, sqlite, "motorpool.db", why))
		return false;
	m->schema_version = number(c, sqlite, "PRAGMA user_version");
	m->n_events = number(c, sqlite, "SELECT COALESCE(MAX(event_id), 0) FROM event");
	m->n_bookings = number(c, sqlite, "SELECT COUNT(*) FROM booking");
	m->last_hash = answer(c, sqlite, "SELECT hash FROM event ORDER BY event_id DESC LIMIT 1");
	if (m->schema_version > 0 && m->n_events >= 0 && m->n_bookings >= 0 && m->last_hash)
		return true;
	*why = "motorpool.db is not a motorpool database";
	return false;
}

bool
unpack_facts(struct cli *c, const char *dir, struct manifest *m, const char **why)
{
	sqlite3 *sqlite = look_into(c, dir, "motorpool.db");
	bool ok = read_facts(c, sqlite, m, why);

	sqlite3_close(sqlite);
	if (!ok || access(cli_path(c, dir, "sandbox.db"), F_OK) != 0)
		return ok;
	sqlite = look_into(c, dir, "sandbox.db");
	ok = is_whole(c, sqlite, "sandbox.db", why);
	sqlite3_close(sqlite);
	return ok;
}

/* --- the members -------------------------------------------------------------------------------------------------- */

struct unpacking {
	struct cli *c;
	struct archive a;
	const char *dir;
	struct buf found;               /* what B2SUMS must say */
	int64_t n_photos;
};

static bool
bad(struct unpacking *u, const char **why, const char *what)
{
	*why = arena_printf(u->c->m, "not a complete backup: %s", what);
	return false;
}

static bool
take_member(struct unpacking *u, struct archive_member *member, const char **why)
{
	int fd = -1;
	bool ok;

	if (!is_known(member->name))
		return bad(u, why, arena_printf(u->c->m, "unexpected file %s", member->name));
	fd = open(cli_path(u->c, u->dir, member->name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		is_in("photos", member->name) ? 0644 : 0600);
	if (fd < 0)
		return bad(u, why, arena_printf(u->c->m, "%s: %s", member->name, strerror(errno)));
	errno = 0;
	ok = archive_take(&u->a, member, fd);
	if (!ok && errno == ENOSPC)
		*why = "the disk is full";
	else if (!ok)
		bad(u, why, arena_printf(u->c->m, "%s is truncated", member->name));
	else if (fsync(fd) != 0)
		*why = strerror(errno), ok = false;
	close(fd);
	return ok;
}

/* Up to the checksums, which are of all that came before. */
static bool
take_members(struct unpacking *u, const char **why)
{
	struct archive_member member;
	enum archive_next next;

	while ((next = archive_next(&u->a, &member)) == ARCHIVE_MEMBER) {
		if (!take_member(u, &member, why))
			return false;
		if (strcmp(member.name, ARCHIVE_SUMS) == 0)
			return archive_next(&u->a, &member) == ARCHIVE_OVER
				|| bad(u, why, "unexpected data after its end");
		u->n_photos += is_photo(member.name);
		buf_printf(&u->found, "%s  %s\n", member.hash, member.name);
	}
	return bad(u, why, u->found.n ? "it is truncated or modified" : "it does not start like a backup");
}

static const char *
text_of(struct unpacking *u, const char *name)
{
	struct buf b = { .m = u->c->m };
	FILE *f = fopen(cli_path(u->c, u->dir, name), "re");
	size_t n;

	buf_puts(&b, "");
	while (f && (n = fread(buf_reserve(&b, 65536), 1, 65536, f)) > 0)
		b.n += n;
	buf_put(&b, "", 0);
	b.s[b.n] = '\0';
	if (f)
		fclose(f);
	return b.s;
}

static bool
is_as_it_says(struct unpacking *u, struct manifest *m, const char **why)
{
	struct manifest is = { 0 };

	*m = (struct manifest){ .last_hash = "" };
	if (strcmp(text_of(u, ARCHIVE_SUMS), u->found.s) != 0)
		return bad(u, why, "the checksums do not match");
	if (!json_into(u->c->m, text_of(u, ARCHIVE_FACTS), &manifest_shape, m))
		return bad(u, why, "the manifest cannot be read");
	if (m->format != ARCHIVE_FORMAT || m->schema_version > DB_SCHEMA_VERSION) {
		*why = "it was written by a newer version of the programs";
		return false;
	}
	if (!unpack_facts(u->c, u->dir, &is, why))
		return false;
	if (is.schema_version != m->schema_version || is.n_events != m->n_events || is.n_bookings != m->n_bookings
		|| strcmp(is.last_hash, m->last_hash) != 0 || u->n_photos != m->n_photos)
		return bad(u, why, "the manifest does not match the contents");
	return true;
}

bool
unpack(struct cli *c, const char *file, const char *dir, struct manifest *m, const char **why)
{
	struct unpacking u = { .c = c, .dir = dir, .found = { .m = c->m } };
	struct progress p;
	struct stat st;
	bool ok;

	u.a.fd = open(file, O_RDONLY | O_CLOEXEC);
	if (u.a.fd < 0 || fstat(u.a.fd, &st) != 0 || mkdir(cli_path(c, dir, "photos"), 0755) != 0
		|| mkdir(cli_path(c, dir, "handover"), 0700) != 0) {
		*why = strerror(errno);
		if (u.a.fd >= 0)
			close(u.a.fd);
		return false;
	}
	progress_begin(&p, "Unpacking and verifying");
	u.a.progress = progress_at;
	u.a.arg = &p;
	u.a.total = st.st_size;
	ok = take_members(&u, why) && is_as_it_says(&u, m, why);
	close(u.a.fd);
	progress_end(&p, "%s", ok ? "complete" : "refused");
	return ok;
}
