/*
 * diskerr - a disk that is temporarily full, fails writes half way, or fails to sync or truncate, while several
 * processes book, pay and cancel: nothing is acknowledged that is not durable, and afterwards everything continues by
 * itself.
 *
 * A failed sync is the dangerous case: the kernel marks the data as written, so the next sync succeeds although the
 * disk does not have it. So power cuts are simulated in the same histories. The test must fail with a disk that hides
 * failed syncs.
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
	struct trade_plan plan = { .n_workers = WORKERS, .for_ms = fault_is_long() ? 3000 : 1200, .n_answers = 50 };
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
	holds(all.n_refused > n_histories && all.n_answers > 40 * n_histories,
		"with disk errors some requests are refused", "%d answered, %d refused", all.n_answers, all.n_refused);
	holds(all.n_crashed == 0, "no process crashes", "%d did", all.n_crashed);
	holds(all.n_recovered == n_histories * WORKERS, "after the errors every worker can book again",
		"%d of %d workers could", all.n_recovered, n_histories * WORKERS);
	holds(!first, "nothing acknowledged is lost, every invariant holds, and every saga ends", "%s",
		first ? first : "");
	holds(t.n_damaged == 0, "a power cut during the errors damages nothing", "%d of %d cuts %s", t.n_damaged,
		t.n_cuts, t.first);
	holds(t.n_lost == 0, "a power cut during the errors loses nothing acknowledged", "%d of %d cuts %s", t.n_lost,
		t.n_cuts, t.first);
	figure_most("disk errors", "acknowledged and lost", t.n_lost + t.n_damaged, "", 0);
	figure_least("disk errors", "requests answered during the errors", all.n_answers, "", 1);
}

static void
hidden_failures_are_caught(uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .for_ms = 1500 };
	struct tally t = { .n_cuts = 0 };

	for (int i = 0; i < 4 && t.n_lost + t.n_damaged < ENOUGH; i++)
		cuts_experience(&t, LIE_HIDES_FAILED_SYNCS, plan, 60, ENOUGH, dice, NULL);
	holds(t.n_lost + t.n_damaged >= ENOUGH, "with a disk that hides its failed syncs the same test fails",
		"%d damaged, %d lost in %d cuts: %s", t.n_damaged, t.n_lost, t.n_cuts, t.first);
}

int
main(void)
{
	uint64_t dice = fault_seed();

	log_open("diskerr");
	log_from(LOG_ERROR_ + 1); /* the expected errors are many */
	cuts_begin();
	trouble_passes(&dice);
	hidden_failures_are_caught(&dice);
	cuts_end();
	return fault_end();
}
