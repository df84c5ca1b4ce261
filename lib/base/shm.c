/* shm.c - creating and mapping a file that processes share; shm.h describes it. */
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

struct shm_file {
	char path[4200];
	const char *kind;
	size_t size;
	bool (*init)(void *shm);
};

/* While a file is mapped it stays open with a read lock on it, which shows other processes that it is in use. */
static struct { const void *shm; int fd; } mapped[256];

static const char *boot_file = "/proc/sys/kernel/random/boot_id";

/*
 * Without the boot's id a process must not share: it would take every file for a stale one and replace it, and from
 * then on there would be two writers' locks.
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
map_fd(int fd, size_t size, int prot)
{
	void *shm = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	return shm == MAP_FAILED ? NULL : shm;
}

/* --- creating --------------------------------------------------------------------------------------------------- */

static bool
shm_fill(const struct shm_file *f, int fd)
{
	struct shm_header *h = map_fd(fd, f->size, PROT_READ | PROT_WRITE);
	struct stat st;
	bool ok;

	if (!h || fstat(fd, &st) != 0)
		return false;
	ok = !f->init || f->init(h);
	ok = boot_id(h->boot) && ok;
	snprintf(h->kind, sizeof(h->kind), "%s", f->kind);
	h->inode = st.st_ino;
	munmap(h, f->size);
	return ok;
}

/* posix_fallocate(): on a full disk it fails here, and not with SIGBUS at the first access. */
static bool
shm_create(const struct shm_file *f)
{
	char temp[4216];
	int fd, rc;
	bool ok;

	snprintf(temp, sizeof(temp), "%s.XXXXXX", f->path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = posix_fallocate(fd, 0, (off_t)f->size);
	if (rc != 0)
		errno = rc;
	ok = rc == 0 && shm_fill(f, fd) && rename(temp, f->path) == 0;
	if (!ok)
		unlink(temp);
	close(fd);
	return ok;
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

/* F_OFD_GETLK tests without taking a lock, which other processes would see. */
static bool
is_in_use(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/*
 * It is of this boot if it says so, or if it is in use: some processes in a container see another boot id than the
 * machine's (systemd-nspawn does this to units with a private /proc).
 */
static bool
is_current(const struct shm_file *f, const struct shm_header *h, const struct stat *st, int fd)
{
	char boot[40];

	return boot_id(boot) && h->inode == st->st_ino && strcmp(h->kind, f->kind) == 0
		&& (strcmp(h->boot, boot) == 0 || is_in_use(fd));
}

static bool
mapped_add(const void *shm, int fd)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
		if (mapped[i].shm)
			continue;
		if (fcntl(fd, F_OFD_SETLK, &l) != 0)
			return false;
		mapped[i].shm = shm;
		mapped[i].fd = fd;
		return true;
	}
	return errno = EMFILE, false;
}

static void
mapped_remove(const void *shm)
{
	for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++)
		if (mapped[i].shm == shm) {
			close(mapped[i].fd);
			mapped[i].shm = NULL;
			return;
		}
}

/* NULL with errno 0: it is missing, stale, or of another kind. EBUSY: of another kind, and in use. */
static struct shm_header *
shm_open_file(const struct shm_file *f, int prot)
{
	int fd = open(f->path, (prot & PROT_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	struct shm_header *h = NULL;
	struct stat st;

	if (fd < 0) {
		if (errno == ENOENT)
			errno = 0;
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)f->size)
		h = map_fd(fd, f->size, prot);
	if (h && is_current(f, h, &st, fd)) {
		if (prot & PROT_WRITE ? mapped_add(h, fd) : close(fd) == 0)
			return h;
		munmap(h, f->size);
		close(fd);
		return NULL;
	}
	if (h)
		munmap(h, f->size);
	errno = is_in_use(fd) ? EBUSY : 0;
	close(fd);
	return NULL;
}

/* Opens it, and creates it first when it is missing or stale: one process at a time. */
static struct shm_header *
shm_open_or_create(const struct shm_file *f)
{
	char guard[4216], boot[40];
	struct shm_header *h;
	int fd;

	snprintf(guard, sizeof(guard), "%s.make", f->path);
	if (!boot_id(boot))
		return log_error("shm",
			       "%s cannot be read, so shared memory of an earlier boot could not be recognised",
			       boot_file),
		       errno = ENOSYS, NULL;
	fd = open(guard, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	errno = 0;
	h = shm_open_file(f, PROT_READ | PROT_WRITE);
	if (!h && errno == 0 && shm_create(f))
		h = shm_open_file(f, PROT_READ | PROT_WRITE);
	close(fd);
	return h;
}

static bool
shm_path(struct shm_file *f, const char *var_dir, const char *name)
{
	if (strlen(var_dir) + strlen(name) > 4000) {
		errno = ENAMETOOLONG;
		return false;
	}
	snprintf(f->path, sizeof(f->path), "%s/run/%s", var_dir, name);
	return true;
}

void *
shm_map(const char *var_dir, const char *name, const char *kind, size_t size, bool (*init)(void *shm))
{
	struct shm_file f = { .kind = kind, .size = size, .init = init };
	char run[4200];

	if (!shm_path(&f, var_dir, name))
		return NULL;
	snprintf(run, sizeof(run), "%s/run", var_dir);
	if (mkdir(run, 0755) != 0 && errno != EEXIST)
		return NULL;
	return shm_open_or_create(&f);
}

const void *
shm_map_readonly(const char *var_dir, const char *name, const char *kind, size_t size)
{
	struct shm_file f = { .kind = kind, .size = size };

	return shm_path(&f, var_dir, name) ? shm_open_file(&f, PROT_READ) : NULL;
}

void
shm_unmap(const void *shm, size_t size)
{
	mapped_remove(shm);
	munmap((void *)(uintptr_t)shm, size);
}
