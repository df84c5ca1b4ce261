/* cuts.c - power cuts within a history; see cuts.h. */
#include "cuts.h"
#include "fault.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIVES_ON 6              /* after every sixth cut the sagas run to their end */

static char work[300];

/* --- folders ------------------------------------------------------------------------------------------------------ */

struct folder { char path[400]; };

static struct folder
folder(const char *name)
{
	struct folder f;

	snprintf(f.path, sizeof(f.path), "%s/%s", work, name);
	mkdir(f.path, 0700);
	return f;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void
remove_all(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- one history, many cuts --------------------------------------------------------------------------------------- */

static int
by_place(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Positions for cuts, in order of time: random ones, directly after an acknowledgement, directly after a sync. */
static uint64_t *
choose(const struct disk_log *h, int n, uint64_t *dice)
{
	size_t n_all = 0, n_told = 0, n_synced = 0, room = 1 << 20;
	uint64_t *all = calloc(room, sizeof(*all)), *told = calloc(room, sizeof(*all)),
		 *synced = calloc(room, sizeof(*all));
	uint64_t *cuts = calloc((size_t)n, sizeof(*cuts));

	for (uint64_t i = 0; i < disk_log_end(h) && n_all < room;) {
		uint32_t kind = disk_log_entry(h, i)->kind;

		i = disk_log_next(h, i);
		all[n_all++] = i;
		if (kind == ENTRY_ANSWER || kind == ENTRY_CHARGE || kind == ENTRY_REFUND)
			told[n_told++] = i;
		else if (kind != ENTRY_WRITE)
			synced[n_synced++] = i;
	}
	for (int i = 0; i < n; i++) {
		int of = dice_below(dice, 4);

		if (of == 0 && n_told)
			cuts[i] = told[dice_below(dice, (int)n_told)];
		else if (of == 1 && n_synced)
			cuts[i] = synced[dice_below(dice, (int)n_synced)];
		else
			cuts[i] = all[dice_below(dice, (int)n_all)];
	}
	qsort(cuts, (size_t)n, sizeof(*cuts), by_place);
	free(all);
	free(told);
	free(synced);
	return cuts;
}

static void
judge(struct tally *t, const struct disk_log *h, const struct disk *d, uint64_t at, uint64_t *dice)
{
	static const int keeps[] = { 0, 0, 10, 50, 50, 90, 100 };
	int keep = keeps[dice_below(dice, 7)], sector = dice_below(dice, 2) ? 512 : 4096;
	struct folder dir = folder("cut");
	const char *what;
	bool is_lost;

	disk_cut(d, dir.path, sector, keep, dice);
	what = trade_verdict(dir.path, h, at, t->n_cuts % LIVES_ON == 0, &is_lost);
	t->n_cuts++;
	if (!what)
		return;
	*(is_lost ? &t->n_lost : &t->n_damaged) += 1;
	if (!*t->first)
		snprintf(t->first, sizeof(t->first), "cut at %llu of %llu, sectors of %d, %d %% kept: %s",
			(unsigned long long)at, (unsigned long long)disk_log_end(h), sector, keep, what);
}

static void
cut_often(struct tally *t, const struct disk_log *h, const char *base, int n, int enough, uint64_t *dice)
{
	struct disk *d = disk_new(h, base);
	uint64_t *cuts = choose(h, n, dice);

	for (int i = 0; i < n && t->n_damaged + t->n_lost < enough; i++) {
		disk_to(d, cuts[i]);
		judge(t, h, d, cuts[i], dice);
	}
	free(cuts);
	disk_free(d);
}

static void
copy(const char *from, const char *to)
{
	char command[1000];

	remove_all(to);
	snprintf(command, sizeof(command), "mkdir -p %s && cp %s/motorpool.db %s/", to, from, to);
	if (system(command) != 0)
		exit(2);
}

struct trade_end
cuts_experience(struct tally *t, enum lie lie, struct trade_plan plan, int n_cuts, int enough, uint64_t *dice,
	const char **at_the_end)
{
	struct folder base = folder("base"), dir = folder("trade");
	struct trade_end end;
	struct disk_log *h;
	bool is_lost;

	copy(base.path, dir.path);
	h = disk_log_new(dir.path, lie);
	plan.dir = dir.path;
	plan.h = h;
	plan.seed = dice_next(dice);
	end = trade_run(&plan);
	cut_often(t, h, base.path, n_cuts, enough, dice);
	if (at_the_end)
		*at_the_end = trade_verdict(dir.path, h, disk_log_end(h), true, &is_lost);
	disk_log_free(h);
	return end;
}

void
cuts_begin(void)
{
	snprintf(work, sizeof(work), "%s/motorpool-cuts-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(work)) {
		perror(work);
		exit(2);
	}
	trade_found(folder("base").path);
}

void
cuts_end(void)
{
	remove_all(work);
}
