/*
 * power - power cuts under the real schema and the real code: several processes book, pay, cancel, follow the log and checkpoint;
 * what they did to the disk is cut off at random moments, and what is left must be undamaged and hold all that was told.
 *
 * It covers exactly our path: commits that are written under the writers' lock without a sync, one sync of the WAL afterwards for
 * all who wait (db_durable), the card company asked only behind such a sync, checkpoints under the lock.
 *
 * The same with a disk that syncs nothing, with answers before db_durable(), and with programs that never wait must fail.
 */
#include "fault.h"
#include "trade.h"

#include "../../lib/log.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKERS   4
#define DEEDS     30            /* of each worker, in one history */
#define LIVES_ON  6             /* every so manieth cut is followed to the end */
#define ENOUGH    5             /* so many found: a careless house is proven careless */

struct tally { int n_cuts, n_damaged, n_lost; char first[700]; };

static char work[300];

/* --- folders ------------------------------------------------------------------------------------------------------------ */

static const char *
folder(const char *name)
{
	static char path[4][400];
	static int i;
	char *p = path[i++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", work, name);
	mkdir(p, 0700);
	return p;
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

/* --- one history, many cuts ------------------------------------------------------------------------------------------------ */

static int
by_place(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Places to cut at: anywhere, right behind something that was told, right behind a sync. In the order of time. */
static uint64_t *
choose(const struct history *h, int n, uint64_t *dice)
{
	size_t n_all = 0, n_told = 0, n_synced = 0, room = 1 << 20;
	uint64_t *all = calloc(room, sizeof(*all)), *told = calloc(room, sizeof(*all)), *synced = calloc(room, sizeof(*all));
	uint64_t *cuts = calloc((size_t)n, sizeof(*cuts));

	for (uint64_t i = 0; i < history_end(h) && n_all < room; ) {
		uint32_t kind = history_entry(h, i)->kind;

		i = history_next(h, i);
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
judge(struct tally *t, const struct history *h, const struct disk *d, uint64_t at, uint64_t *dice)
{
	static const int keeps[] = { 0, 0, 10, 50, 50, 90, 100 };
	int keep = keeps[dice_below(dice, 7)], sector = dice_below(dice, 2) ? 512 : 4096;
	const char *dir = folder("cut"), *what;
	bool is_lost;

	disk_cut(d, dir, sector, keep, dice);
	what = trade_verdict(dir, h, at, t->n_cuts % LIVES_ON == 0, &is_lost);
	t->n_cuts++;
	if (!what)
		return;
	*(is_lost ? &t->n_lost : &t->n_damaged) += 1;
	if (!*t->first)
		snprintf(t->first, sizeof(t->first), "cut at %llu of %llu, sectors of %d, %d %% kept: %s", (unsigned long long)at,
		         (unsigned long long)history_end(h), sector, keep, what);
}

static void
cut_often(struct tally *t, const struct history *h, const char *base, int n, int enough, uint64_t *dice)
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

/* One run of the house, and so many cuts in it. */
static struct trade_end
experience(struct tally *t, enum lie lie, struct trade_plan plan, int n_cuts, int enough, uint64_t *dice)
{
	const char *base = folder("base"), *dir = folder("trade");
	struct trade_end end;
	struct history *h;

	copy(base, dir);
	h = history_new(dir, lie);
	plan.dir = dir;
	plan.h = h;
	plan.seed = dice_next(dice);
	end = trade_run(&plan);
	cut_often(t, h, base, n_cuts, enough, dice);
	history_free(h);
	return end;
}

/* --- what must hold --------------------------------------------------------------------------------------------------------- */

static void
nothing_told_is_lost(uint64_t *dice)
{
	int n_histories = fault_is_long() ? 20 : 2, n_cuts = fault_is_long() ? 150 : 60, n_answers = 0, n_crashed = 0;
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS };
	struct tally t = { .n_cuts = 0 };

	for (int i = 0; i < n_histories; i++) {
		struct trade_end end = experience(&t, LIE_NONE, plan, n_cuts, 1 << 30, dice);

		n_answers += end.n_answers;
		n_crashed += end.n_crashed;
	}
	holds(n_crashed == 0 && n_answers >= n_histories * WORKERS * DEEDS / 3, "several processes book, pay and cancel while it is written down",
	      "%d answers in %d histories, %d processes ended badly", n_answers, n_histories, n_crashed);
	holds(t.n_damaged == 0, "no power cut damages the database or breaks an invariant", "%d of %d cuts %s", t.n_damaged, t.n_cuts, t.first);
	holds(t.n_lost == 0, "no power cut loses what people or the card company were told", "%d of %d cuts %s", t.n_lost, t.n_cuts, t.first);
	figure_least("power cuts", "cuts", t.n_cuts, "", fault_is_long() ? 1000 : 100);
	figure_most("power cuts", "corrupt", t.n_damaged, "", 0);
	figure_most("power cuts", "acknowledged and lost", t.n_lost, "", 0);
}

/* A disk that syncs nothing does both: it loses what was told, and it damages. */
static void
a_lying_disk_is_caught(uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS };
	struct tally t = { .n_cuts = 0 };

	experience(&t, LIE_SYNCS_NOTHING, plan, 60, 1 << 30, dice);
	holds(t.n_lost + t.n_damaged > 20 && t.n_damaged > 0, "with a disk that syncs nothing (synchronous=OFF) the same test fails",
	      "%d damaged, %d lost in %d cuts: %s", t.n_damaged, t.n_lost, t.n_cuts, t.first);
	figure_least("power cuts", "failures found when nothing is synced", t.n_lost + t.n_damaged, "", 1);
}

/* What must not be survived: else the test could not see anything. */
static void
is_caught(const char *sentence, const char *name, enum carelessness how, int at_most_cuts, uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS, .carelessness = how };
	struct tally t = { .n_cuts = 0 };

	experience(&t, LIE_NONE, plan, at_most_cuts, ENOUGH, dice);
	holds(t.n_lost + t.n_damaged >= ENOUGH, sentence, "%d damaged, %d lost in %d cuts: %s", t.n_damaged, t.n_lost, t.n_cuts, t.first);
	figure_least("power cuts", name, t.n_lost + t.n_damaged, "", 1);
}

int
main(void)
{
	uint64_t dice = fault_seed();

	snprintf(work, sizeof(work), "%s/motorpool-power-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(work))
		return 2;
	log_open("power");
	trade_found(folder("base"));
	nothing_told_is_lost(&dice);
	log_from(LOG_ERROR_ + 1);       /* what follows is broken on purpose */
	a_lying_disk_is_caught(&dice);
	is_caught("with answers before db_durable() the same test fails", "failures found when answers come before db_durable", ANSWERS_EARLY, 400, &dice);
	is_caught("with a card company asked before db_durable() the same test fails", "failures found when nobody waits for the disk", NEVER_WAITS, 60, &dice);
	remove_all(work);
	return fault_end();
}
