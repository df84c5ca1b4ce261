/*
 * cutvfs - a SQLite VFS that writes down everything the database's files are told, so that a power cut can be played afterwards
 * at any moment of it.
 *
 * One run of several real processes makes one history: every write, truncation and sync of motorpool.db and its WAL, in the order
 * in which they happened, together with what was told to people and to the card company meanwhile. A cut is a place in that
 * history. What stands before it is cut off; what was synced is on the disk; of what was not, each sector is there, or not, or half
 * (with rubbish behind), and a new file may be missing while its folder was not synced.
 *
 * A sync that failed leaves what it should have written in doubt: the kernel takes those pages for clean, so no later sync writes
 * them again. Only writing them once more does.
 */
#ifndef MP_CUTVFS_H
#define MP_CUTVFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cut_file { CUT_DB, CUT_WAL, CUT_N_FILES };

enum entry_kind {
	ENTRY_WRITE, ENTRY_TRUNCATE, ENTRY_SYNC, ENTRY_SYNC_FAILED,     /* of a file */
	ENTRY_BORN,                                                     /* the file has appeared in its folder */
	ENTRY_FOLDER_SYNC,
	ENTRY_ANSWER,                                                   /* people were told: struct answer */
	ENTRY_CHARGE, ENTRY_REFUND,                                     /* the card company was told: struct outside_deed */
};

struct entry {
	uint32_t kind, file, n;                 /* n: bytes of data behind it */
	uint64_t covers;                        /* syncs: all entries of the file before this one, which had come when it began */
	int64_t offset;                         /* writes; the new size for a truncation */
	unsigned char data[];
};

/* What is to go wrong, for all processes at once. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_FULL,                           /* a write that makes a file longer is refused */
	TROUBLE_WRITE,                          /* one of a few writes fails in its middle */
	TROUBLE_SYNC,                           /* one of a few syncs fails */
	TROUBLE_TRUNCATE,
};
/* Lies the disk may tell from the beginning: what must not be survived. */
enum lie { LIE_NONE, LIE_SYNCS_NOTHING, LIE_HIDES_FAILED_SYNCS };

struct disk_log;

/* Before the processes are forked: an empty history of $dir/motorpool.db. */
struct disk_log *disk_log_new(const char *dir, enum lie lie);
void disk_log_free(struct disk_log *h);
/* In a process that is to take part: SQLite's files go through here from now on. */
void disk_log_join(struct disk_log *h, uint64_t seed);
void disk_log_trouble(struct disk_log *h, enum trouble trouble);
enum trouble disk_log_trouble_now(const struct disk_log *h);
/* Called in this process where a checkpoint has read the WAL's header and has not used it yet (it drops its mappings there). */
void disk_log_on_header(void (*fn)(void));

/* Notes something that is not a file's. */
void disk_log_note(struct disk_log *h, enum entry_kind kind, const void *data, size_t n);
void disk_log_lock(struct disk_log *h);
void disk_log_unlock(struct disk_log *h);

uint64_t disk_log_end(const struct disk_log *h);          /* one past the last entry */
bool disk_log_is_full(const struct disk_log *h);
const struct entry *disk_log_entry(const struct disk_log *h, uint64_t at);
uint64_t disk_log_next(const struct disk_log *h, uint64_t at);

/* --- cutting ---------------------------------------------------------------------------------------------------------- */

struct disk;

/* The disk as it was when the history began: what stands in dir. */
struct disk *disk_new(const struct disk_log *h, const char *dir);
void disk_free(struct disk *d);
void disk_to(struct disk *d, uint64_t at);              /* onward only: all entries before `at` have come */
/* What is left of it when the power goes now, written into dir. keep: of a hundred unsynced sectors so many are there. */
void disk_cut(const struct disk *d, const char *dir, int sector, int keep, uint64_t *dice);
uint64_t disk_n_unsynced(const struct disk *d);

#endif
