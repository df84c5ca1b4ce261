/*
 * archive - a backup's file: a plain tar with its own checksums, so that `tar xf` and `b2sum -c B2SUMS` suffice to read
 * it.
 *
 *	archive.c   the format: writing and reading members, detecting changes
 *	backup.c    `motorpool backup`: the contents, and where the file goes
 *	unpack.c    unpacks a backup into a folder and verifies every byte
 *	restore.c   `motorpool restore`: unpacks it and puts it in place
 *	rehearse.c  `motorpool rehearse`: unpacks it as a test
 *
 * Members: photos/…, handover/…, motorpool.db, sandbox.db, secret.key, payment.key, motorpool.conf, demo-logins.txt
 * (those there are), manifest.json (struct manifest), and last B2SUMS: the BLAKE2b-512 of each of them.
 */
#ifndef MP_ARCHIVE_H
#define MP_ARCHIVE_H

#include "cli/cli.h"

#include "lib/base/shape.h"

#define ARCHIVE_FORMAT  1
#define ARCHIVE_NAME    101
#define ARCHIVE_HASH    129             /* hex and its end */
#define ARCHIVE_SUMS    "B2SUMS"
#define ARCHIVE_FACTS   "manifest.json"

/* The description of a backup. The number of events and the last one's hash pin the log's end, which its chains alone
 * do not. */
struct manifest {
	int64_t format, schema_version, made_at, n_events, n_bookings, n_photos;
	const char *last_hash;          /* of the last event; "" when there is none */
};
extern const struct shape manifest_shape;

extern const char *const photo_folders[];       /* "photos", "handover", NULL: n_photos counts what lies in both */

/* --- writing: members one after the other ------------------------------------------------------------------------- */

struct archive {
	int fd;
	int64_t made_at;                /* every member's time */
	struct buf sums;
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *arg;
	int64_t done, total;            /* bytes */
	size_t n_behind;                /* written, but not yet on its way to the disk */
};

bool archive_add(struct archive *a, const char *name, const char *path); /* false: errno; ENOENT: nothing was added */
bool archive_add_text(struct archive *a, const char *name, const char *text);
bool archive_end(struct archive *a);            /* the checksums, and on disk */

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct archive_member {
	char name[ARCHIVE_NAME], hash[ARCHIVE_HASH];
	int64_t n_bytes;
};

enum archive_next { ARCHIVE_MEMBER, ARCHIVE_OVER, ARCHIVE_BAD };
enum archive_next archive_next(struct archive *a, struct archive_member *member);
/* The contents go to fd (-1: nowhere), and member->hash is theirs. false: cut off, or cannot be written. */
bool archive_take(struct archive *a, struct archive_member *member, int fd);

/* --- backup.c ----------------------------------------------------------------------------------------------------- */

struct backup_order {
	const char *file;
	int64_t leave_mib;              /* free space that must be left on its disk */
};
/* Writes one. false: said why, and nothing of that name is there. */
bool backup_make(struct cli *c, const struct backup_order *o, struct manifest *made);
const char *backup_newest(struct cli *c, const char *dir);      /* of those `--into DIR` has written; NULL: none */
#define BACKUP_LEAVE_MIB 256
/* Is there room for so much, with leave_mib left free? false: *why. */
bool archive_room(struct cli *c, const char *dir, int64_t n_bytes, int64_t leave_mib, const char **why);

/* --- unpack.c ----------------------------------------------------------------------------------------------------- */

/* Into an empty folder: checksums, names, pages of the databases, and the manifest compared with them. false: *why. */
bool unpack(struct cli *c, const char *file, const char *dir, struct manifest *m, const char **why);
/* What the manifest should say of these databases, and that their pages are whole. */
bool unpack_facts(struct cli *c, const char *dir, struct manifest *m, const char **why);

#endif
