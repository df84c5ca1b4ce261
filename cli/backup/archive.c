/*
 * archive.c - the container format of backups; archive.h lists the contents.
 *
 * POSIX ustar, regular files only, numbers beyond eight octal gigabytes as GNU tar writes them. A single changed bit is
 * detected: in contents by B2SUMS, in B2SUMS because it no longer matches, in headers by their checksum, in padding
 * because it must be zero; a missing end is detected by the missing two empty blocks.
 */
#include "archive.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK      512
#define PIECE      (128 * 1024)
#define PORTION    (2 * 1024 * 1024)
#define REST_MAX_MS 500
#define MOST_OCTAL 077777777777         /* eleven digits */

static const struct member manifest_members[] = {
	SHAPE_INT(manifest, format), SHAPE_INT(manifest, schema_version), SHAPE_TIME(manifest, made_at),
	SHAPE_INT(manifest, n_events), SHAPE_TEXT(manifest, last_hash), SHAPE_INT(manifest, n_bookings),
	SHAPE_INT(manifest, n_photos),
};
const struct shape manifest_shape = SHAPE(manifest, manifest_members);

const char *const photo_folders[] = { "photos", "handover", NULL };

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static bool
write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t wrote = write(fd, at, n);

		if (wrote < 0 && errno != EINTR)
			return false;
		if (wrote > 0)
			at += wrote, n -= (size_t)wrote;
	}
	return true;
}

/* false: fewer are there. */
static bool
read_all(int fd, void *bytes, size_t n)
{
	char *at = bytes;

	while (n > 0) {
		ssize_t got = read(fd, at, n);

		if (got == 0)
			errno = ENODATA;
		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		if (got > 0)
			at += got, n -= (size_t)got;
	}
	return true;
}

/*
 * Each booking waits for the disk to take it, and behind a hundred megabytes of ours it would wait for seconds. So what
 * is written goes out in small portions, and after each the disk is left alone for as long as it took.
 */
static void
pace(struct archive *a, int fd, size_t n)
{
	int64_t began_ms, took_ms;

	a->n_behind += n;
	if (fd < 0 || a->n_behind < PORTION)
		return;
	a->n_behind = 0;
	began_ms = clock_ms();
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	took_ms = clock_ms() - began_ms;
	usleep((useconds_t)(took_ms < REST_MAX_MS ? took_ms : REST_MAX_MS) * 1000);
}

static void
show(struct archive *a, size_t n)
{
	a->done += (int64_t)n;
	if (a->progress)
		a->progress(a->arg, a->done, a->total);
}

static void
finish_hash(crypto_generichash_state *state, char hex[ARCHIVE_HASH])
{
	unsigned char hash[crypto_generichash_BYTES_MAX];

	crypto_generichash_final(state, hash, sizeof(hash));
	sodium_bin2hex(hex, ARCHIVE_HASH, hash, sizeof(hash));
}

/* --- headers ------------------------------------------------------------------------------------------------------ */

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], kind, link[100], magic[6], version[2],
		user[32], group[32],
	     major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "a tar header is one block");

/* Of all bytes, its own eight taken as blanks. */
static unsigned
sum_of(const struct tar_header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned sum = 8 * ' ';

	for (size_t i = 0; i < BLOCK; i++)
		if (i < offsetof(struct tar_header, sum) || i >= offsetof(struct tar_header, kind))
			sum += bytes[i];
	return sum;
}

static void
put_size(char field[12], int64_t n)
{
	if (n <= MOST_OCTAL) {
		snprintf(field, 12, "%011llo", (unsigned long long)n);
		return;
	}
	field[0] = (char)0x80;
	for (int i = 11; i > 0; i--, n >>= 8)
		field[i] = (char)(n & 0xFF);
}

/* -1: not a size. */
static int64_t
take_size(const char field[12])
{
	int64_t n = 0;

	if (field[0] == (char)0x80) {
		for (int i = 1; i < 12; i++)
			if (n >> 54)
				return -1;
			else
				n = n << 8 | (unsigned char)field[i];
		return n;
	}
	for (int i = 0; i < 11; i++)
		if (field[i] < '0' || field[i] > '7')
			return -1;
		else
			n = n << 3 | (field[i] - '0');
	return field[11] ? -1 : n;
}

static bool
put_header(struct archive *a, const char *name, int64_t n_bytes)
{
	struct tar_header h = {
		.mode = "0000600", .uid = "0000000", .gid = "0000000", .kind = '0', .magic = "ustar", .version = "00"
	};

	if (strlen(name) >= sizeof(h.name)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(h.name, name);
	put_size(h.size, n_bytes);
	put_size(h.mtime, a->made_at);
	snprintf(h.sum, sizeof(h.sum), "%06o", sum_of(&h));
	h.sum[7] = ' ';
	return write_all(a->fd, &h, sizeof(h));
}

static size_t
padding(int64_t n_bytes)
{
	return (size_t)(-n_bytes & (BLOCK - 1));
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool
end_member(struct archive *a, const char *name, int64_t n_bytes, crypto_generichash_state *state)
{
	static const char zeros[BLOCK];
	char hex[ARCHIVE_HASH];

	finish_hash(state, hex);
	buf_printf(&a->sums, "%s  %s\n", hex, name);
	return write_all(a->fd, zeros, padding(n_bytes));
}

/* As many bytes as the file had when it was opened: what is added meanwhile is not ours. */
static bool
copy_in(struct archive *a, int fd, int64_t n_bytes, crypto_generichash_state *state)
{
	static char piece[PIECE];

	for (int64_t left = n_bytes; left > 0;) {
		size_t n = left < PIECE ? (size_t)left : PIECE;

		if (!read_all(fd, piece, n) || !write_all(a->fd, piece, n))
			return false;
		crypto_generichash_update(state, (unsigned char *)piece, n);
		left -= (int64_t)n;
		pace(a, a->fd, n);
		show(a, n);
	}
	return true;
}

bool
archive_add(struct archive *a, const char *name, const char *path)
{
	crypto_generichash_state state;
	int fd = open(path, O_RDONLY | O_CLOEXEC), problem;
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MAX);
	ok = fstat(fd, &st) == 0 && put_header(a, name, st.st_size) && copy_in(a, fd, st.st_size, &state)
		&& end_member(a, name, st.st_size, &state);
	problem = errno == ENOENT ? EIO : errno;
	close(fd);
	errno = problem;
	return ok;
}

bool
archive_add_text(struct archive *a, const char *name, const char *text)
{
	crypto_generichash_state state;
	size_t n = strlen(text);

	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MAX);
	crypto_generichash_update(&state, (const unsigned char *)text, n);
	return put_header(a, name, (int64_t)n) && write_all(a->fd, text, n) && end_member(a, name, (int64_t)n, &state);
}

bool
archive_end(struct archive *a)
{
	static const char zeros[2 * BLOCK];
	const char *sums = arena_strndup(a->sums.m, a->sums.s, a->sums.n);

	return archive_add_text(a, ARCHIVE_SUMS, sums) && write_all(a->fd, zeros, sizeof(zeros)) && fsync(a->fd) == 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool
is_zero(const void *bytes, size_t n)
{
	return sodium_is_zero(bytes, n);
}

/* After the two empty blocks there is nothing more. */
static enum archive_next
take_end(struct archive *a)
{
	char block[BLOCK];

	if (!read_all(a->fd, block, BLOCK) || !is_zero(block, BLOCK))
		return ARCHIVE_BAD;
	return read(a->fd, block, 1) == 0 ? ARCHIVE_OVER : ARCHIVE_BAD;
}

/* Only what we write ourselves: any other kind, owner or name of a tar is not a backup. */
static bool
is_ours(const struct tar_header *h, const char *sum)
{
	return memcmp(h->sum, sum, sizeof(h->sum)) == 0
		&& memcmp(h->magic,
			   "ustar\0"
			   "00",
			   8)
		== 0
		&& h->kind == '0' && h->name[0] && !h->name[sizeof(h->name) - 1] && h->name[0] != '/'
		&& !strstr(h->name, "..") && take_size(h->size) >= 0;
}

enum archive_next
archive_next(struct archive *a, struct archive_member *member)
{
	struct tar_header h;
	char sum[8];

	if (!read_all(a->fd, &h, sizeof(h)))
		return ARCHIVE_BAD;
	if (is_zero(&h, sizeof(h)))
		return take_end(a);
	snprintf(sum, sizeof(sum), "%06o", sum_of(&h));
	sum[7] = ' ';
	if (!is_ours(&h, sum))
		return ARCHIVE_BAD;
	*member = (struct archive_member){ .n_bytes = take_size(h.size) };
	strcpy(member->name, h.name);
	return ARCHIVE_MEMBER;
}

bool
archive_take(struct archive *a, struct archive_member *member, int fd)
{
	static char piece[PIECE];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MAX);
	for (int64_t left = member->n_bytes; left > 0;) {
		size_t n = left < PIECE ? (size_t)left : PIECE;

		if (!read_all(a->fd, piece, n) || (fd >= 0 && !write_all(fd, piece, n)))
			return false;
		crypto_generichash_update(&state, (unsigned char *)piece, n);
		left -= (int64_t)n;
		pace(a, fd, n);
		show(a, n);
	}
	finish_hash(&state, member->hash);
	return read_all(a->fd, piece, padding(member->n_bytes)) && is_zero(piece, padding(member->n_bytes));
}
