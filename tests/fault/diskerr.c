/*
 * diskerr - a disk that is full, that breaks off writes, that fails to sync or to truncate, for moments at a time, while several
 * processes book, pay and cancel: nothing is told that is not safe, and when the trouble is over all goes on by itself.
 *
 * A sync that failed is the dangerous one: the kernel takes for written what is not, so the next sync says yes and the disk does not
 * hold it. So the same histories are cut as by power cuts too. A disk that hides its failures must be caught.
 */
#include "cuts.h"
#include "fault.h"

#include "lib/base/log.h"

#define WORKERS 4
#define ENOUGH  3

static void
trouble_passes(uint64_t *dice)
{
	int n_histories = fault_is_long() ? 12 : 2, n_cuts = fault_is_long() ? 100 : 40;
	struct trade_plan plan = { .n_workers = WORKERS, .for_ms = fault_is_long() ? 3000 : 1200 };
	struct trade_end all = { .n_crashed = 0 };
	const char *first = NULL, *wrong;
	struct tally t = { .n_cuts = 0 };

	for (int i = 0; i < n_histories; i++) {
		struct trade_end end = cuts_experience(&t, LIE_NONE, plan, n_cuts, 1 << 30, dice, &wrong);

		all.n_answers += end.n_answers;
		all.n_refused += end.n_refused;
		all.n_recovered += end.n_recovered;
		all.n_crashed += end.n_crashed;
		first = first ? first : wrong;
	}
	holds(all.n_refused > n_histories && all.n_answers > 40 * n_histories, "a disk in trouble makes people come again", "%d answered, %d refused",
	      all.n_answers, all.n_refused);
	holds(all.n_crashed == 0, "no process ends badly over it", "%d did", all.n_crashed);
	holds(all.n_recovered == n_histories * WORKERS, "when the trouble is over everybody can book again", "%d of %d workers could",
	      all.n_recovered, n_histories * WORKERS);
	holds(!first, "nothing told was lost, every invariant holds, and every saga ends", "%s", first ? first : "");
	holds(t.n_damaged == 0, "a power cut in the middle of the trouble damages nothing", "%d of %d cuts %s", t.n_damaged, t.n_cuts, t.first);
	holds(t.n_lost == 0, "a power cut in the middle of the trouble loses nothing that was told", "%d of %d cuts %s", t.n_lost, t.n_cuts, t.first);
	figure_most("disk errors", "acknowledged and lost", t.n_lost + t.n_damaged, "", 0);
	figure_least("disk errors", "answered in spite of them", all.n_answers, "", 1);
}

static void
hidden_failures_are_caught(uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .for_ms = 1500 };
	struct tally t = { .n_cuts = 0 };

	for (int i = 0; i < 4 && t.n_lost + t.n_damaged < ENOUGH; i++)
		cuts_experience(&t, LIE_HIDES_FAILED_SYNCS, plan, 60, ENOUGH, dice, NULL);
	holds(t.n_lost + t.n_damaged >= ENOUGH, "with a disk that hides its failed syncs the same test fails", "%d damaged, %d lost in %d cuts: %s",
	      t.n_damaged, t.n_lost, t.n_cuts, t.first);
}

int
main(void)
{
	uint64_t dice = fault_seed();

	log_open("diskerr");
	log_from(LOG_ERROR_ + 1);       /* it would say a lot */
	cuts_begin();
	trouble_passes(&dice);
	hidden_failures_are_caught(&dice);
	cuts_end();
	return fault_end();
}
