/*
 * cutvfs - a SQLite VFS that records all operations on the database files, so that a power cut can be simulated
 * afterwards at any moment.
 *
 * One run of several real processes makes one history: every write, truncation and sync of motorpool.db and its WAL, in
 * order, together with the answers to users and the requests to the card company. A cut is a position in that history;
 * later entries never happened. Synced data is on the disk; of unsynced data, each sector is written, missing or torn
 * (followed by random bytes), and a new file may be missing if its folder was not synced.
 *
 * After a failed sync its data is doubtful: the kernel marks those pages as clean, so no later sync writes them. Only
 * writing them again does.
 */
#ifndef MP_CUTVFS_H
#define MP_CUTVFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cut_file { CUT_DB, CUT_WAL, CUT_N_FILES };

enum entry_kind {
	ENTRY_WRITE, ENTRY_TRUNCATE, ENTRY_SYNC, ENTRY_SYNC_FAILED,     /* of a file */
	ENTRY_BORN,                                                     /* the file was created in its folder */
	ENTRY_FOLDER_SYNC,
	ENTRY_ANSWER,                                                   /* a user got an answer: struct answer */
	ENTRY_CHARGE, ENTRY_REFUND, /* a request to the card company: struct outside_deed */
};

struct entry {
	uint32_t kind, file, n;                 /* n: bytes of data after it */
	uint64_t covers; /* syncs: all entries of the file before this one, the last one when the sync began */
	int64_t offset;                         /* writes; the new size for a truncation */
	unsigned char data[];
};

/* The faults, for all processes at once. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_FULL,                           /* a write that makes a file longer is refused */
	TROUBLE_WRITE,                          /* one of several writes fails half way */
	TROUBLE_SYNC,                           /* one of several syncs fails */
	TROUBLE_TRUNCATE,
};
/* Ways in which the disk lies from the beginning: the test must fail with each. */
enum lie { LIE_NONE, LIE_SYNCS_NOTHING, LIE_HIDES_FAILED_SYNCS };

struct disk_log;

/* Before the processes are forked: an empty history of $dir/motorpool.db. */
struct disk_log *disk_log_new(const char *dir, enum lie lie);
void disk_log_free(struct disk_log *h);
/* In each recorded process: routes SQLite's file operations through this VFS. */
void disk_log_join(struct disk_log *h, uint64_t seed);
void disk_log_trouble(struct disk_log *h, enum trouble trouble);
enum trouble disk_log_trouble_now(const struct disk_log *h);
/* fn is called in this process when a checkpoint has read the WAL's header and not used it yet (it drops its mappings
 * there). */
void disk_log_on_header(void (*fn)(void));

/* Adds an entry that is not a file operation. */
void disk_log_note(struct disk_log *h, enum entry_kind kind, const void *data, size_t n);
void disk_log_lock(struct disk_log *h);
void disk_log_unlock(struct disk_log *h);

uint64_t disk_log_end(const struct disk_log *h);          /* one past the last entry */
bool disk_log_is_full(const struct disk_log *h);
const struct entry *disk_log_entry(const struct disk_log *h, uint64_t at);
uint64_t disk_log_next(const struct disk_log *h, uint64_t at);

/* --- cutting ------------------------------------------------------------------------------------------------------ */

struct disk;

/* The disk at the beginning of the history: the content of dir. */
struct disk *disk_new(const struct disk_log *h, const char *dir);
void disk_free(struct disk *d);
void disk_to(struct disk *d, uint64_t at);              /* forward only: applies all entries before `at` */
/* Writes the content after a power cut at this position into dir. keep: percentage of unsynced sectors that are
 * written. */
void disk_cut(const struct disk *d, const char *dir, int sector, int keep, uint64_t *dice);
uint64_t disk_n_unsynced(const struct disk *d);

#endif
