/* cutvfs.c - the VFS that records a history; see cutvfs.h. cutdisk.c simulates the cuts. */
#include "cutvfs.h"
#include "fault.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM        ((size_t)1 << 30)   /* only used pages take memory */
#define ENOUGH      (ROOM - ((size_t)64 << 20))
#define SYNC_MAX_US 300
#define ONE_OF      6                   /* one of so many operations fails */

struct disk_log {
	pthread_mutex_t mutex;          /* makes a write and its entry atomic */
	char prefix[600];               /* $dir/motorpool.db */
	enum lie lie;
	_Atomic int trouble;
	_Atomic uint64_t end;
	bool is_born[CUT_N_FILES];
	struct stat folder;
	unsigned char entries[];
};

static struct disk_log *mine;
static void (*on_header)(void);
static uint64_t my_dice;
static sqlite3_vfs *real;

/* --- the history -------------------------------------------------------------------------------------------------- */

static void *
shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

struct disk_log *
disk_log_new(const char *dir, enum lie lie)
{
	struct disk_log *h = shared(sizeof(*h) + ROOM);
	pthread_mutexattr_t a;
	struct stat st;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&h->mutex, &a);
	pthread_mutexattr_destroy(&a);
	snprintf(h->prefix, sizeof(h->prefix), "%s/motorpool.db", dir);
	h->lie = lie;
	h->is_born[CUT_DB] = stat(h->prefix, &st) == 0;
	stat(dir, &h->folder);
	return h;
}

void
disk_log_free(struct disk_log *h)
{
	if (mine == h)
		mine = NULL;
	munmap(h, sizeof(*h) + ROOM);
}

void
disk_log_lock(struct disk_log *h)
{
	pthread_mutex_lock(&h->mutex);
}

void
disk_log_unlock(struct disk_log *h)
{
	pthread_mutex_unlock(&h->mutex);
}

/* With the mutex held. */
static void
append(struct disk_log *h, enum entry_kind kind, int file, int64_t offset, uint64_t covers, const void *data, size_t n)
{
	struct entry *e = (struct entry *)(h->entries + h->end);

	if (h->end + sizeof(*e) + n + 8 > ROOM) {
		fprintf(stderr, "the history is too long\n");
		_exit(2);
	}
	*e = (struct entry){
		.kind = kind, .file = (uint32_t)file, .n = (uint32_t)n, .offset = offset, .covers = covers
	};
	if (n)
		memcpy(e->data, data, n);
	h->end += (sizeof(*e) + n + 7) & ~(size_t)7;
}

void
disk_log_note(struct disk_log *h, enum entry_kind kind, const void *data, size_t n)
{
	disk_log_lock(h);
	append(h, kind, 0, 0, 0, data, n);
	disk_log_unlock(h);
}

uint64_t
disk_log_end(const struct disk_log *h)
{
	return h->end;
}

bool
disk_log_is_full(const struct disk_log *h)
{
	return h->end > ENOUGH;
}

const struct entry *
disk_log_entry(const struct disk_log *h, uint64_t at)
{
	return (const struct entry *)(h->entries + at);
}

uint64_t
disk_log_next(const struct disk_log *h, uint64_t at)
{
	return at + ((sizeof(struct entry) + disk_log_entry(h, at)->n + 7) & ~(size_t)7);
}

void
disk_log_trouble(struct disk_log *h, enum trouble trouble)
{
	atomic_store(&h->trouble, (int)trouble);
}

enum trouble
disk_log_trouble_now(const struct disk_log *h)
{
	return (enum trouble)atomic_load(&h->trouble);
}

void
disk_log_on_header(void (*fn)(void))
{
	on_header = fn;
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

struct file {
	sqlite3_file base;
	int which;                      /* enum cut_file; -1: of no interest */
	sqlite3_file *under;            /* SQLite's own file, directly after this struct */
};

static sqlite3_file *
under(sqlite3_file *f)
{
	return ((struct file *)f)->under;
}

static bool
strikes(enum trouble trouble)
{
	return disk_log_trouble_now(mine) == trouble && dice_below(&my_dice, ONE_OF) == 0;
}

static bool
makes_longer(sqlite3_file *f, int n, sqlite3_int64 offset)
{
	sqlite3_int64 size = 0;

	under(f)->pMethods->xFileSize(under(f), &size);
	return offset + n > size;
}

static int
cut_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 offset)
{
	struct file *file = (struct file *)f;
	bool breaks;
	int rc;

	if (file->which < 0)
		return under(f)->pMethods->xWrite(under(f), data, n, offset);
	if (disk_log_trouble_now(mine) == TROUBLE_FULL && makes_longer(f, n, offset))
		return SQLITE_FULL;
	breaks = strikes(TROUBLE_WRITE);
	n = breaks ? dice_below(&my_dice, n) : n;
	disk_log_lock(mine);
	rc = n ? under(f)->pMethods->xWrite(under(f), data, n, offset) : SQLITE_OK;
	if (rc == SQLITE_OK && n)
		append(mine, ENTRY_WRITE, file->which, offset, 0, data, (size_t)n);
	disk_log_unlock(mine);
	return breaks ? SQLITE_IOERR_WRITE : rc;
}

static int
cut_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct file *file = (struct file *)f;
	int rc;

	if (file->which < 0)
		return under(f)->pMethods->xTruncate(under(f), size);
	if (strikes(TROUBLE_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	disk_log_lock(mine);
	rc = under(f)->pMethods->xTruncate(under(f), size);
	if (rc == SQLITE_OK)
		append(mine, ENTRY_TRUNCATE, file->which, size, 0, NULL, 0);
	disk_log_unlock(mine);
	return rc;
}

/* The sync takes time; writes during it are not covered. */
static int
cut_sync(sqlite3_file *f, int flags)
{
	struct file *file = (struct file *)f;
	uint64_t covers;
	bool fails;

	if (file->which < 0)
		return under(f)->pMethods->xSync(under(f), flags);
	covers = mine->end;
	usleep((unsigned)dice_below(&my_dice, SYNC_MAX_US));
	fails = strikes(TROUBLE_SYNC);
	disk_log_lock(mine);
	if (fails || mine->lie != LIE_SYNCS_NOTHING)
		append(mine, fails ? ENTRY_SYNC_FAILED : ENTRY_SYNC, file->which, 0, covers, NULL, 0);
	disk_log_unlock(mine);
	return fails && mine->lie != LIE_HIDES_FAILED_SYNCS ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

/* --- passed through unchanged ------------------------------------------------------------------------------------- */

static int cut_close(sqlite3_file *f) { return under(f)->pMethods->xClose(under(f)); }
static int cut_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return under(f)->pMethods->xRead(under(f), to,
	n, at); }
static int cut_size(sqlite3_file *f, sqlite3_int64 *n) { return under(f)->pMethods->xFileSize(under(f), n); }
static int cut_lock(sqlite3_file *f, int how) { return under(f)->pMethods->xLock(under(f), how); }
static int cut_unlock(sqlite3_file *f, int how) { return under(f)->pMethods->xUnlock(under(f), how); }
static int cut_reserved(sqlite3_file *f, int *is) { return under(f)->pMethods->xCheckReservedLock(under(f), is); }
static int cut_control(sqlite3_file *f, int op, void *arg) { return under(f)->pMethods->xFileControl(under(f), op,
	arg); }
static int cut_sector(sqlite3_file *f) { return under(f)->pMethods->xSectorSize(under(f)); }
static int cut_traits(sqlite3_file *f) { return under(f)->pMethods->xDeviceCharacteristics(under(f)); }
static int cut_shm_map(sqlite3_file *f, int i, int n, int more,
	void volatile **p) { return under(f)->pMethods->xShmMap(under(f), i, n, more, p); }
static int cut_shm_lock(sqlite3_file *f, int at, int n, int how) { return under(f)->pMethods->xShmLock(under(f), at, n,
	how); }
static void cut_shm_barrier(sqlite3_file *f) { under(f)->pMethods->xShmBarrier(under(f)); }
static int cut_shm_unmap(sqlite3_file *f, int gone) { return under(f)->pMethods->xShmUnmap(under(f), gone); }
static int cut_fetch(sqlite3_file *f, sqlite3_int64 at, int n,
	void **p) { return under(f)->pMethods->xFetch(under(f), at, n, p); }

static int
cut_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p)
{
	if (on_header && at == 0 && !p && ((struct file *)f)->which == CUT_DB)
		on_header();
	return under(f)->pMethods->xUnfetch(under(f), at, p);
}

static const sqlite3_io_methods methods = {
	.iVersion = 3, .xClose = cut_close, .xRead = cut_read, .xWrite = cut_write, .xTruncate = cut_truncate,
		.xSync = cut_sync,
	.xFileSize = cut_size, .xLock = cut_lock, .xUnlock = cut_unlock, .xCheckReservedLock = cut_reserved,
		.xFileControl = cut_control,
	.xSectorSize = cut_sector, .xDeviceCharacteristics = cut_traits, .xShmMap = cut_shm_map,
		.xShmLock = cut_shm_lock,
	.xShmBarrier = cut_shm_barrier, .xShmUnmap = cut_shm_unmap, .xFetch = cut_fetch, .xUnfetch = cut_unfetch,
};

/* --- the VFS ------------------------------------------------------------------------------------------------------ */

static int
which_file(const char *path)
{
	size_t n = mine ? strlen(mine->prefix) : 0;

	if (!mine || !path || strncmp(path, mine->prefix, n) != 0)
		return -1;
	return strcmp(path + n, "") == 0 ? CUT_DB : strcmp(path + n, "-wal") == 0 ? CUT_WAL : -1;
}

static void
note_birth(int which)
{
	disk_log_lock(mine);
	if (!mine->is_born[which])
		append(mine, ENTRY_BORN, which, 0, 0, NULL, 0);
	mine->is_born[which] = true;
	disk_log_unlock(mine);
}

static int
cut_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out_flags)
{
	struct file *file = (struct file *)f;
	int rc;

	(void)vfs;
	*file = (struct file){ .which = which_file(path), .under = (sqlite3_file *)(file + 1) };
	rc = real->xOpen(real, path, file->under, flags, out_flags);
	file->base.pMethods = file->under->pMethods ? &methods : NULL;
	if (rc == SQLITE_OK && file->which >= 0)
		note_birth(file->which);
	return rc;
}

/* The WAL is never deleted, since closing does not checkpoint. A deletion would make the history incomplete. */
static int
cut_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	(void)vfs;
	if (which_file(path) >= 0) {
		fprintf(stderr, "%s is deleted\n", path);
		_exit(2);
	}
	return real->xDelete(real, path, sync_folder);
}

void
disk_log_join(struct disk_log *h, uint64_t seed)
{
	static sqlite3_vfs vfs;

	mine = h;
	my_dice = seed;
	if (real)
		return;
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.pNext = NULL;
	vfs.zName = "cut";
	vfs.szOsFile = real->szOsFile + (int)sizeof(struct file);
	vfs.xOpen = cut_open;
	vfs.xDelete = cut_delete;
	sqlite3_vfs_register(&vfs, 1);
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

/* Replaces fsync() for folder_sync() and records it in the history. */
int
fsync(int fd)
{
	struct stat st;

	if (mine && fstat(fd, &st) == 0 && st.st_ino == mine->folder.st_ino && st.st_dev == mine->folder.st_dev) {
		disk_log_note(mine, ENTRY_FOLDER_SYNC, NULL, 0);
		return 0;
	}
	return (int)syscall(SYS_fsync, fd);
}
