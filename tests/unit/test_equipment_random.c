/* equipment: after any sequence of steps the ledger adds up. SEED=N repeats one. */
#include "test.h"

#include "equipment_world.h"

static uint64_t seed;

static int64_t
below(int64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((seed >> 33) % (uint64_t)n);
}

#define PIECES 6

/* What must be true after every step. lost: pieces written off. */
static void
all_adds_up(int64_t item, int64_t lost)
{
	int64_t taken =
		db_int(db, "SELECT COALESCE(SUM(taken), 0) FROM equipment_order WHERE item_id = $1 /*scan*/", item);
	int64_t stock = stock_of(db, item);

	assert_false(db_failed(db));
	assert_true(stock >= 0);
	assert_int_equal(stock, db_int(db, "SELECT SUM(quantity) FROM stock_entry WHERE item_id = $1 /*scan*/", item));
	assert_int_equal(stock + taken, PIECES - lost);
	if (stock > 0)
		assert_int_equal(db_int(db,
					 "SELECT COUNT(*) FROM equipment_order WHERE state = 'APPROVED'"
					 " AND taken < quantity /*scan*/"),
			0);
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM equipment_order o WHERE taken <> (SELECT -COALESCE(SUM(s.quantity), 0)"
			" FROM stock_entry s"
			" WHERE s.order_id = o.order_id AND s.kind IN ('order', 'return')) /*scan*/"),
		0);
	if (!lost) /* at every moment to come as many pieces are owned as are promised */
		assert_true(stock_free(db, item, clock_now(), NOW + 400 * DAY, clock_now()) >= 0);
}

static struct equipment_order
any_order(void)
{
	struct equipment_order o = { .order_id = 1
			+ below(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/") + 1) };

	order_reload(db, &o);
	return o;
}

/* What is due comes back in time: lateness has a test of its own. */
static void
bring_back_what_is_due(void)
{
	struct equipment_order o;

	while ((o.order_id = db_int(db,
			"SELECT order_id FROM equipment_order WHERE state = 'HANDED_OUT' AND ends_at <= $1"
			" LIMIT 1 /*scan*/",
			clock_now() + HOUR)))
		assert_true(equipment_take_back(db, &o, 0, 0, BOSS));
}

static void
one_step(int64_t item, int64_t *lost, bool loses)
{
	struct equipment_order o = any_order(), made;
	int64_t from = (clock_now() - NOW) / HOUR + below(72);

	switch (below(8)) {
	case 0:
	case 1:
	case 2: place(item, 1 + below(4), from, from + 1 + below(48), &made); break;
	case 3:
		db_begin(db);
		if (o.code)
			order_approve(db, &o, 0);
		assert_true(db_commit(db));
		break;
	case 4:
		if (o.code)
			equipment_hand_out(db, &o, 0, BOSS);
		break;
	case 5:
		if (o.code && o.state == EQUIPMENT_HANDED_OUT) {
			int64_t k = loses ? below(2) : 0;

			assert_true(equipment_take_back(db, &o, k, 0, BOSS));
			*lost += k;
		}
		break;
	case 6:
		if (o.code)
			equipment_cancel(db, &o, below(2) ? EMP : BOSS, true);
		break;
	case 7:
		clock_set(clock_now() + HOUR);
		while (equipment_sweep(db))
			;
		bring_back_what_is_due();
		break;
	}
}

static void
walk(bool loses, int n_steps)
{
	int64_t item = add("Tent", "winter", PIECES, 2), lost = 0;

	seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : (uint64_t)scratch_us();
	print_message("# SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < n_steps && lost < PIECES; i++) {
		one_step(item, &lost, loses);
		all_adds_up(item, lost);
	}
	assert_true(db_int(db, "SELECT COUNT(*) FROM equipment_order WHERE state = 'RETURNED' /*scan*/") > 0);
	assert_true(n_events("stock.low") > 0);
}

TEST(after_random_steps_the_ledger_adds_up_and_no_piece_is_promised_twice)
{
	walk(false, 1500);
}

TEST(after_random_steps_with_losses_the_ledger_adds_up)
{
	walk(true, 1000);
}

TEST_MAIN("equipment_random", NULL, NULL, begin, world_end)
