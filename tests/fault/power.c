/*
 * power - power cuts with the real schema and code: several processes book, pay, cancel, consume events and checkpoint;
 * power cuts are simulated at random moments, and the remaining database must be undamaged and contain everything
 * acknowledged.
 *
 * This covers our way of committing: commits are written under the writers' lock without a sync, one later sync of the
 * WAL serves all waiting processes (db_durable), the card company is called only after such a sync, and checkpoints
 * hold the lock.
 *
 * The same test must fail with a disk that syncs nothing, with answers before db_durable(), and with programs that
 * never wait.
 */
#include "cuts.h"
#include "fault.h"

#include "lib/base/log.h"

#define WORKERS 4
#define DEEDS   30              /* of each worker, in one history */
#define ENOUGH  5               /* failures found: enough to prove the fault */

/* --- what must hold ----------------------------------------------------------------------------------------------- */

static void
nothing_told_is_lost(uint64_t *dice)
{
	int n_histories = fault_is_long() ? 20 : 2, n_cuts = fault_is_long() ? 150 : 60, n_answers = 0, n_crashed = 0;
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS };
	struct tally t = { .n_cuts = 0 };

	for (int i = 0; i < n_histories; i++) {
		struct trade_end end = cuts_experience(&t, LIE_NONE, plan, n_cuts, 1 << 30, dice, NULL);

		n_answers += end.n_answers;
		n_crashed += end.n_crashed;
	}
	holds(n_crashed == 0 && n_answers >= n_histories * WORKERS * DEEDS / 3,
		"several processes book, pay and cancel while a history is recorded",
		"%d answers in %d histories, %d processes ended badly", n_answers, n_histories, n_crashed);
	holds(t.n_damaged == 0, "no power cut damages the database or breaks an invariant", "%d of %d cuts %s",
		t.n_damaged, t.n_cuts, t.first);
	holds(t.n_lost == 0, "no power cut loses an acknowledged booking, charge or refund", "%d of %d cuts %s",
		t.n_lost, t.n_cuts, t.first);
	figure_least("power cuts", "cuts", t.n_cuts, "", fault_is_long() ? 1000 : 100);
	figure_most("power cuts", "corrupt", t.n_damaged, "", 0);
	figure_most("power cuts", "acknowledged and lost", t.n_lost, "", 0);
}

/* A disk that syncs nothing loses acknowledged data and damages the database. */
static void
a_lying_disk_is_caught(uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS };
	struct tally t = { .n_cuts = 0 };

	cuts_experience(&t, LIE_SYNCS_NOTHING, plan, 60, 1 << 30, dice, NULL);
	holds(t.n_lost + t.n_damaged > 20 && t.n_damaged > 0,
		"with a disk that syncs nothing (synchronous=OFF) the same test fails",
		"%d damaged, %d lost in %d cuts: %s", t.n_damaged, t.n_lost, t.n_cuts, t.first);
	figure_least("power cuts", "failures found when nothing is synced", t.n_lost + t.n_damaged, "", 1);
}

/* The test must fail with this fault; otherwise it would prove nothing. */
static void
is_caught(const char *sentence, const char *name, enum carelessness how, int at_most_cuts, uint64_t *dice)
{
	struct trade_plan plan = { .n_workers = WORKERS, .n_deeds = DEEDS, .carelessness = how };
	struct tally t = { .n_cuts = 0 };

	cuts_experience(&t, LIE_NONE, plan, at_most_cuts, ENOUGH, dice, NULL);
	holds(t.n_lost + t.n_damaged >= ENOUGH, sentence, "%d damaged, %d lost in %d cuts: %s", t.n_damaged, t.n_lost,
		t.n_cuts, t.first);
	figure_least("power cuts", name, t.n_lost + t.n_damaged, "", 1);
}

int
main(void)
{
	uint64_t dice = fault_seed();

	log_open("power");
	log_from(LOG_ERROR_);
	cuts_begin();
	nothing_told_is_lost(&dice);
	log_from(LOG_ERROR_ + 1); /* the errors that follow are intended */
	a_lying_disk_is_caught(&dice);
	is_caught("with answers before db_durable() the same test fails",
		"failures found when answers come before db_durable", ANSWERS_EARLY, 400, &dice);
	is_caught("with calls to the card company before db_durable() the same test fails",
		"failures found when programs do not wait for the disk", NEVER_WAITS, 60, &dice);
	cuts_end();
	return fault_end();
}
