/* shm.c - making and mapping a file that processes share; shm.h tells why it looks as it does. */
#include "shm.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct plan {
	char path[4200];
	const char *kind;
	size_t size;
	bool (*begin)(void *board);
};

/* Whoever has mapped one keeps its file open with a read lock on it, so that others see that it lives, whatever its boot is called. */
static struct { const void *board; int fd; } held[256];

static const char *boot_file = "/proc/sys/kernel/random/boot_id";

/*
 * Whoever cannot tell one boot from another must not share: he would take everybody's board for a stale one, put his own in its place,
 * and from then on there were two writers' locks.
 */
static bool
boot_id(char id[40])
{
	int fd = open(boot_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, 36) : 0;

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
	return n > 0 || (errno = ENOSYS, false);
}

static void *
map(int fd, size_t size, int may)
{
	void *b = mmap(NULL, size, may, MAP_SHARED, fd, 0);

	return b == MAP_FAILED ? NULL : b;
}

/* --- making it ------------------------------------------------------------------------------------------------------ */

static bool
fill(const struct plan *p, int fd)
{
	struct shm_header *b = map(fd, p->size, PROT_READ | PROT_WRITE);
	struct stat st;
	bool ok;

	if (!b || fstat(fd, &st) != 0)
		return false;
	ok = !p->begin || p->begin(b);
	ok = boot_id(b->boot) && ok;
	snprintf(b->kind, sizeof(b->kind), "%s", p->kind);
	b->inode = st.st_ino;
	munmap(b, p->size);
	return ok;
}

/* posix_fallocate: on a full disk the board fails here and not as SIGBUS at its first use. */
static bool
make(const struct plan *p)
{
	char temp[4216];
	int fd, rc;
	bool ok;

	snprintf(temp, sizeof(temp), "%s.XXXXXX", p->path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = posix_fallocate(fd, 0, (off_t)p->size);
	if (rc != 0)
		errno = rc;
	ok = rc == 0 && fill(p, fd) && rename(temp, p->path) == 0;
	if (!ok)
		unlink(temp);
	close(fd);
	return ok;
}

/* --- opening it ----------------------------------------------------------------------------------------------------- */

/* Asked without taking it: a lock that is only tried would look like one to others. */
static bool
is_held(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/*
 * Of this boot; or in use, and then it is of this boot whatever the id says: containers show their own to some processes and the
 * machine's to others (systemd-nspawn does to units with a /proc of their own).
 */
static bool
is_ours(const struct plan *p, const struct shm_header *b, const struct stat *st, int fd)
{
	char boot[40];

	return boot_id(boot) && b->inode == st->st_ino && strcmp(b->kind, p->kind) == 0 && (strcmp(b->boot, boot) == 0 || is_held(fd));
}

static bool
hold(const void *board, int fd)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		if (held[i].board)
			continue;
		if (fcntl(fd, F_OFD_SETLK, &l) != 0)
			return false;
		held[i].board = board;
		held[i].fd = fd;
		return true;
	}
	return errno = EMFILE, false;
}

static void
let_go(const void *board)
{
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (held[i].board == board) {
			close(held[i].fd);
			held[i].board = NULL;
			return;
		}
}

/* NULL with errno 0: what is there is not this board, or not of this boot. EBUSY: another version of it is in use. */
static struct shm_header *
open_one(const struct plan *p, int may)
{
	int fd = open(p->path, (may & PROT_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	struct shm_header *b = NULL;
	struct stat st;

	if (fd < 0) {
		if (errno == ENOENT)
			errno = 0;
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)p->size)
		b = map(fd, p->size, may);
	if (b && is_ours(p, b, &st, fd)) {
		if (may & PROT_WRITE ? hold(b, fd) : close(fd) == 0)
			return b;
		munmap(b, p->size);
		close(fd);
		return NULL;
	}
	if (b)
		munmap(b, p->size);
	errno = is_held(fd) ? EBUSY : 0;
	close(fd);
	return NULL;
}

/* Looks, and makes it when it is missing or stale: one process at a time. */
static struct shm_header *
get(const struct plan *p)
{
	char guard[4216], boot[40];
	struct shm_header *b;
	int fd;

	snprintf(guard, sizeof(guard), "%s.make", p->path);
	if (!boot_id(boot))
		return log_error("board", "%s cannot be read: nobody can tell one boot from another", boot_file), errno = ENOSYS, NULL;
	fd = open(guard, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	errno = 0;
	b = open_one(p, PROT_READ | PROT_WRITE);
	if (!b && errno == 0 && make(p))
		b = open_one(p, PROT_READ | PROT_WRITE);
	close(fd);
	return b;
}

static bool
plan_path(struct plan *p, const char *var_dir, const char *name)
{
	if (strlen(var_dir) + strlen(name) > 4000) {
		errno = ENAMETOOLONG;
		return false;
	}
	snprintf(p->path, sizeof(p->path), "%s/run/%s", var_dir, name);
	return true;
}

void *
shm_map(const char *var_dir, const char *name, const char *kind, size_t size, bool (*begin)(void *board))
{
	struct plan p = { .kind = kind, .size = size, .begin = begin };
	char run[4200];

	if (!plan_path(&p, var_dir, name))
		return NULL;
	snprintf(run, sizeof(run), "%s/run", var_dir);
	if (mkdir(run, 0755) != 0 && errno != EEXIST)
		return NULL;
	return get(&p);
}

const void *
shm_map_readonly(const char *var_dir, const char *name, const char *kind, size_t size)
{
	struct plan p = { .kind = kind, .size = size };

	return plan_path(&p, var_dir, name) ? open_one(&p, PROT_READ) : NULL;
}

void
shm_unmap(const void *board, size_t size)
{
	let_go(board);
	munmap((void *)(uintptr_t)board, size);
}
