/* cutdisk.c - replays a history of writes and simulates a power cut; the rules are in cutvfs.h. */
#include "cutvfs.h"
#include "fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A change that may or may not be on the disk. */
struct change {
	uint64_t at;                            /* its entry */
	bool is_truncation;
	int64_t offset;                         /* or the new size */
	uint32_t n;
	const unsigned char *data;              /* in the history */
};

struct changes { struct change *list; size_t n, room; };

struct image {
	unsigned char *bytes;
	int64_t n, room;
	bool is_there, is_named;                /* named: its folder has been synced since its creation */
	struct changes pending;                 /* not synced yet */
	struct changes doubtful;                /* a sync of them has failed: no later one writes them */
};

struct disk {
	const struct disk_log *h;
	uint64_t at;
	struct image file[CUT_N_FILES];
};

static const char *const names[CUT_N_FILES] = { [CUT_DB] = "motorpool.db", [CUT_WAL] = "motorpool.db-wal" };

static void *
grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		abort();
	return p;
}

/* --- an image ----------------------------------------------------------------------------------------------------- */

static void
make_room(struct image *f, int64_t n)
{
	if (n <= f->room)
		return;
	f->room = n + n / 2;
	f->bytes = grow(f->bytes, (size_t)f->room);
}

static void
resize(struct image *f, int64_t n)
{
	make_room(f, n);
	if (n > f->n)
		memset(f->bytes + f->n, 0, (size_t)(n - f->n));
	f->n = n;
}

static void
put(struct image *f, int64_t offset, const unsigned char *data, int64_t n)
{
	if (offset + n > f->n)
		resize(f, offset + n);
	if (n)
		memcpy(f->bytes + offset, data, (size_t)n);
}

static void
apply(struct image *f, const struct change *c)
{
	if (c->is_truncation)
		resize(f, c->offset);
	else
		put(f, c->offset, c->data, c->n);
}

static void
add(struct changes *list, struct change c)
{
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->list = grow(list->list, list->room * sizeof(c));
	}
	list->list[list->n++] = c;
}

/* --- doubtful changes, until written again ------------------------------------------------------------------------ */

static void
add_piece(struct changes *list, const struct change *c, int64_t from, int64_t until)
{
	if (from < until)
		add(list,
			(struct change){ .at = c->at,
				.offset = from,
				.n = (uint32_t)(until - from),
				.data = c->data + (from - c->offset) });
}

/* The bytes in [from, until) are certain now. */
static void
settle(struct changes *list, int64_t from, int64_t until)
{
	struct changes left = { .n = 0 };

	for (size_t i = 0; i < list->n; i++) {
		const struct change *c = &list->list[i];
		int64_t end = c->offset + c->n;

		add_piece(&left, c, c->offset, end < from ? end : from);
		add_piece(&left, c, c->offset > until ? c->offset : until, end);
	}
	free(list->list);
	*list = left;
}

static void
become_certain(struct image *f, const struct change *c)
{
	apply(f, c);
	if (f->doubtful.n)
		settle(&f->doubtful, c->offset, c->is_truncation ? INT64_MAX : c->offset + c->n);
}

/* Changes before the beginning of the sync are now written, or doubtful. */
static void
sync_file(struct image *f, uint64_t covers, bool worked)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->pending.n; i++) {
		struct change c = f->pending.list[i];

		if (c.at >= covers)
			f->pending.list[kept++] = c;
		else if (worked)
			become_certain(f, &c);
		else if (c.is_truncation) /* the file size stays dirty and is written by the next sync */
			f->pending.list[kept++] = c;
		else
			add(&f->doubtful, c);
	}
	f->pending.n = kept;
}

/* --- replaying the history ---------------------------------------------------------------------------------------- */

static void
load(struct image *f, const char *dir, const char *name)
{
	char path[700];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	fstat(fd, &st);
	resize(f, st.st_size);
	if (read(fd, f->bytes, (size_t)f->n) != f->n)
		abort();
	close(fd);
	f->is_there = f->is_named = true;
}

struct disk *
disk_new(const struct disk_log *h, const char *dir)
{
	struct disk *d = grow(NULL, sizeof(*d));

	*d = (struct disk){ .h = h };
	for (int i = 0; i < CUT_N_FILES; i++)
		load(&d->file[i], dir, names[i]);
	return d;
}

void
disk_free(struct disk *d)
{
	for (int i = 0; i < CUT_N_FILES; i++) {
		free(d->file[i].bytes);
		free(d->file[i].pending.list);
		free(d->file[i].doubtful.list);
	}
	free(d);
}

static void
hear(struct disk *d, uint64_t at, const struct entry *e)
{
	struct image *f = &d->file[e->file];

	switch ((enum entry_kind)e->kind) {
	case ENTRY_WRITE:
		add(&f->pending, (struct change){ .at = at, .offset = e->offset, .n = e->n, .data = e->data });
		break;
	case ENTRY_TRUNCATE:
		add(&f->pending, (struct change){ .at = at, .offset = e->offset, .is_truncation = true });
		break;
	case ENTRY_SYNC:
	case ENTRY_SYNC_FAILED: sync_file(f, e->covers, e->kind == ENTRY_SYNC); break;
	case ENTRY_BORN: f->is_there = true; break;
	case ENTRY_FOLDER_SYNC:
		for (int i = 0; i < CUT_N_FILES; i++)
			d->file[i].is_named = d->file[i].is_there;
		break;
	case ENTRY_ANSWER:
	case ENTRY_CHARGE:
	case ENTRY_REFUND: break;
	}
}

void
disk_to(struct disk *d, uint64_t at)
{
	for (; d->at < at; d->at = disk_log_next(d->h, d->at))
		hear(d, d->at, disk_log_entry(d->h, d->at));
}

uint64_t
disk_n_unsynced(const struct disk *d)
{
	uint64_t n = 0;

	for (int i = 0; i < CUT_N_FILES; i++)
		n += d->file[i].pending.n + d->file[i].doubtful.n;
	return n;
}

/* --- the cut ------------------------------------------------------------------------------------------------------ */

/* How a cut treats unsynced data. */
struct fate { int sector, keep; uint64_t *dice; };

/* The sector being written at the cut: its beginning, then random bytes. */
static void
tear(struct image *f, int64_t offset, const unsigned char *data, int64_t n, uint64_t *dice)
{
	int64_t good = dice_below(dice, (int)n);

	put(f, offset, data, good);
	if (dice_below(dice, 2) == 0 || offset + n > f->n)
		resize(f, offset + n > f->n ? offset + n : f->n);
	else
		for (int64_t i = good; i < n; i++)
			f->bytes[offset + i] = (unsigned char)dice_next(dice);
}

/* Each sector is written, missing or torn. */
static void
apply_some(struct image *f, const struct change *c, const struct fate *fate)
{
	int64_t from = c->offset, end = c->offset + c->n;

	if (c->is_truncation) {
		if (dice_below(fate->dice, 100) < fate->keep)
			apply(f, c);
		return;
	}
	while (from < end) {
		int64_t until = (from / fate->sector + 1) * fate->sector, n = (until < end ? until : end) - from;
		const unsigned char *data = c->data + (from - c->offset);

		if (dice_below(fate->dice, 100) < fate->keep)
			put(f, from, data, n);
		else if (dice_below(fate->dice, 8) == 0)
			tear(f, from, data, n, fate->dice);
		from += n;
	}
}

static void
write_out(const struct image *f, const char *dir, const char *name)
{
	char path[700];
	int64_t done = 0;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (!f->is_there)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (fd >= 0 && done < f->n && (n = write(fd, f->bytes + done, (size_t)(f->n - done))) > 0)
		done += n;
	if (fd < 0 || done < f->n) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static void
cut_file(const struct image *f, const char *dir, const char *name, const struct fate *fate)
{
	struct image left = { .is_there = f->is_there };

	if (f->is_there && !f->is_named && dice_below(fate->dice, 2))
		left.is_there = false;
	make_room(&left, f->n + 1);
	put(&left, 0, f->bytes, f->n);
	for (size_t i = 0; i < f->doubtful.n; i++)
		apply_some(&left, &f->doubtful.list[i], fate);
	for (size_t i = 0; i < f->pending.n; i++)
		apply_some(&left, &f->pending.list[i], fate);
	write_out(&left, dir, name);
	free(left.bytes);
}

void
disk_cut(const struct disk *d, const char *dir, int sector, int keep, uint64_t *dice)
{
	struct fate fate = { .sector = sector, .keep = keep, .dice = dice };
	char shm[700];

	for (int i = 0; i < CUT_N_FILES; i++)
		cut_file(&d->file[i], dir, names[i], &fate);
	snprintf(shm, sizeof(shm), "%s/motorpool.db-shm", dir);
	unlink(shm);
}
