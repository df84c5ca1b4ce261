/* test_generation - when a new generation may take over; the experiments (tests/fault/deploy) do it with real
 * programs. */
#include "test.h"

#include "scratch.h"

#include "lib/process/generation.c"

static const struct parent_plan plan = { .name = "test", .var_dir = "/nowhere", .exe = "/bin/true", .n_min = { 2 },
	.n_max = { 2 } };

/* One worker serves; all other slots but n are taken by workers that still drain. */
static struct worker_slot *
one_serves_and_the_others_drain(int n_free)
{
	memset(&parent, 0, sizeof(parent));
	parent.plan = &plan;
	parent.listener[0].fd = parent.listener[1].fd = -1;
	parent.n_wanted[0] = 2;
	parent.newest = parent.serving.number = 7;
	for (int i = 0; i < MAX_SLOTS - n_free; i++)
		parent.worker[i] = (struct worker_slot){
			.child.state = i > 0 ? CHILD_ENDING : CHILD_RUNNING,
			.generation = 7,
			.ready_fd = -1,
			.ready = true,
			.has_all = true,
		};
	return &parent.worker[0];
}

static void
serves_on(int n_free)
{
	struct worker_slot *w = one_serves_and_the_others_drain(n_free);

	generation_start();
	generation_check();
	assert_int_equal(parent.serving.number, 7);
	assert_int_equal(parent.coming.number, 0);
	assert_int_equal(w->child.state, CHILD_RUNNING);
}

TEST(a_generation_without_a_place_for_its_workers_does_not_take_over)
{
	serves_on(0);
	serves_on(1);
}

TEST(one_with_places_waits_for_its_workers_and_takes_over)
{
	struct worker_slot *w = one_serves_and_the_others_drain(2);

	generation_start();
	generation_check();
	assert_int_equal(parent.coming.number, 8);
	for (int i = 1; i <= 2; i++)
		parent.worker[MAX_SLOTS - i].ready = parent.worker[MAX_SLOTS - i].has_all = true;
	generation_check();
	assert_int_equal(parent.serving.number, 8);
	assert_int_not_equal(w->child.state, CHILD_RUNNING);
}

TEST_MAIN("generation", NULL, NULL, scratch_begin, scratch_end)
