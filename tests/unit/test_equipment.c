/* equipment: the ledger always adds up, no piece is promised twice, and what comes back can be lent again. */
#include "test.h"

#include "equipment_world.h"

/* --- the ledger --------------------------------------------------------------------------------------------------- */

TEST(an_approved_order_takes_its_pieces_and_a_cancelled_one_puts_them_back)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	assert_int_equal(stock_of(db, item), 10); /* not approved yet */
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(o.taken, 2);
	assert_int_equal(equipment_cancel(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(equipment_cancel(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(n_events("equipment.cancelled"), 1);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"customer\""));
	assert_int_equal(n_events("stock.changed"), 3);
	assert_non_null(strstr(last_payload("stock.changed"), "\"kind\":\"return\",\"quantity\":2,\"stock\":10"));
}

TEST(an_older_rejection_has_the_reviewers_words_in_its_reason)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = placed(item, 1, 0, 24);

	report("review.rejected", equipment_subject(&o),
		arena_printf(scratch_memory, "{\"key\":\"%s\",\"reason\":\"all are wet\"}", o.code));
	react();
	assert_int_equal(state_of(&o), EQUIPMENT_REJECTED);
	assert_string_equal(o.end_reason, "all are wet");
}

TEST(approved_twice_takes_once)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = approved(item, 3, 0, 24);

	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 7);
	assert_int_equal(n_events("equipment.approved"), 1);
}

TEST(a_rejected_order_has_the_reviewers_note_and_moves_nothing)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = placed(item, 9, 0, 24), other;

	assert_int_equal(place(item, 2, 0, 24, &other), ORDER_OUT_OF_STOCK);
	decide("review.rejected", &o, "too many for one person");
	assert_int_equal(state_of(&o), EQUIPMENT_REJECTED);
	assert_string_equal(o.end_reason, "too many for one person");
	assert_non_null(strstr(
		last_payload("equipment.rejected"), "\"reason\":\"rejected\",\"note\":\"too many for one person\""));
	assert_int_equal(stock_of(db, item), 10);
	placed(item, 10, 0, 24);
}

TEST(a_manager_enters_pieces_received_and_lost)
{
	int64_t item = add("Chains", "winter", 2, 0);
	struct stock_change got = { .item_id = item,
		.actor_id = BOSS,
		.kind = STOCK_RECEIVE,
		.quantity = 5,
		.note = "new",
		.request_key = "k1" };
	struct stock_change lost = { .item_id = item,
		.actor_id = BOSS,
		.kind = STOCK_LOSS,
		.quantity = 8,
		.note = "torn",
		.request_key = "k2" };
	struct stock_change nothing = { .item_id = 99, .kind = STOCK_RECEIVE, .quantity = 1 };

	assert_int_equal(stock_change(db, &got), STOCK_CHANGE_DONE);
	assert_int_equal(stock_change(db, &got), STOCK_CHANGE_DONE); /* a double click */
	assert_int_equal(stock_of(db, item), 7);
	assert_int_equal(stock_change(db, &lost), STOCK_CHANGE_TOO_FEW);
	lost.quantity = 1;
	assert_int_equal(stock_change(db, &lost), STOCK_CHANGE_DONE);
	assert_int_equal(stock_of(db, item), 6);
	assert_int_equal(
		stock_change(db, &(struct stock_change){ .item_id = item, .kind = STOCK_ADJUST, .quantity = -6 }),
		STOCK_CHANGE_DONE);
	assert_int_equal(stock_of(db, item), 0);
	assert_int_equal(stock_change(db, &nothing), STOCK_CHANGE_NO_ITEM);
	assert_int_equal(stock_n_entries(db, item), 4);
}

TEST(the_schema_refuses_a_ledger_that_does_not_add_up)
{
	int64_t item = add("Chains", "winter", 3, 0);

	assert_false(db_try(others,
		"INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at)"
		" VALUES ($1, 'receive', 5, 9, 1)",
		item));
	assert_string_equal(db_refusal(others), "stock_does_not_balance");
	assert_false(db_try(others,
		"INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES ($1, 'loss', -5, -2, 1)",
		item));
	assert_false(db_try(others, "UPDATE stock_entry SET quantity = 1 /*scan*/"));
	assert_false(db_try(others, "DELETE FROM stock_entry /*scan*/"));
}

TEST(low_stock_is_reported_once_each_time_it_falls)
{
	int64_t item = add("Chains", "winter", 5, 3);
	struct equipment_order a, b;
	struct item now;

	approved(item, 1, 0, 24);
	assert_int_equal(n_events("stock.low"), 0);
	a = approved(item, 1, 0, 24);
	assert_int_equal(n_events("stock.low"), 1);
	b = approved(item, 1, 0, 24);
	assert_int_equal(n_events("stock.low"), 1);
	assert_true(item_find(db, item, &now) && now.is_low);
	equipment_cancel(db, &a, EMP, false);
	equipment_cancel(db, &b, EMP, false);
	assert_true(item_find(db, item, &now) && !now.is_low);
	approved(item, 1, 0, 24);
	assert_int_equal(n_events("stock.low"), 2);
	assert_non_null(strstr(last_payload("stock.low"), "\"stock\":3,\"low_stock\":3"));
}

TEST(pieces_that_the_next_order_takes_at_once_are_no_low_stock_again)
{
	int64_t item = add("Chains", "winter", 2, 1);
	struct equipment_order first = approved(item, 2, 0, 24), second = approved(item, 2, 24, 48);

	assert_int_equal(n_events("stock.low"), 1);
	assert_int_equal(second.taken, 0);
	assert_int_equal(equipment_cancel(db, &first, EMP, false), ORDER_CANCEL_DONE); /* +2 and −2 at once */
	assert_int_equal(state_of(&second), EQUIPMENT_APPROVED);
	assert_int_equal(second.taken, 2);
	assert_int_equal(n_events("stock.low"), 1);
}

/* --- free pieces -------------------------------------------------------------------------------------------------- */

TEST(no_more_is_promised_than_there_is)
{
	int64_t item = add("Chains", "winter", 5, 0), n_free = 0;
	struct equipment_request q = request(item, 3, 10, 20);
	struct equipment_order o;

	placed(item, 3, 0, 24);
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_OUT_OF_STOCK);
	assert_int_equal(n_free, 2);
	placed(item, 2, 10, 20);
	assert_int_equal(place(item, 1, 0, 11, &o), ORDER_OUT_OF_STOCK);
	placed(item, 2, 0, 10); /* half-open: back when the others start */
	placed(item, 3, 24, 48);
}

TEST(what_is_out_now_can_be_promised_for_later)
{
	int64_t item = add("Tent", "winter", 2, 0);
	struct equipment_order now = approved(item, 2, 0, 24), later, last;

	assert_true(equipment_hand_out(db, &now, 0, BOSS));
	assert_int_equal(stock_of(db, item), 0);
	last = approved(item, 1, 48, 72);
	later = approved(item, 2, 24, 48);
	assert_int_equal(later.taken, 0);
	assert_true(later.lacks);
	assert_false(equipment_hand_out(db, &later, 0, BOSS)); /* not in stock yet */
	clock_set(NOW + 20 * HOUR);
	assert_true(equipment_take_back(db, &now, 0, 0, BOSS));
	state_of(&later);
	state_of(&last);
	assert_int_equal(later.taken, 2); /* the earliest start first, not the earliest order */
	assert_int_equal(last.taken, 0);
	assert_int_equal(stock_of(db, item), 0);
	clock_set(NOW + 24 * HOUR);
	assert_true(equipment_hand_out(db, &later, 0, BOSS));
	assert_true(equipment_take_back(db, &later, 0, 0, BOSS));
	state_of(&last);
	assert_int_equal(last.taken, 1);
	assert_int_equal(stock_of(db, item), 1);
}

TEST(an_order_that_starts_first_gets_the_pieces_of_a_later_one)
{
	int64_t item = add("Tent", "winter", 3, 0);
	struct equipment_order later = approved(item, 3, 48, 72), first = approved(item, 2, 0, 24);

	assert_int_equal(later.taken, 3);
	assert_int_equal(first.taken, 0);
	assert_true(equipment_hand_out(db, &first, 0, BOSS));
	assert_int_equal(first.taken, 2);
	state_of(&later);
	assert_int_equal(later.taken, 1);
	assert_true(later.lacks);
	assert_int_equal(stock_of(db, item), 0);
	assert_false(equipment_hand_out(db, &later, 0, BOSS));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM stock_entry WHERE item_id = $1", item),
		4); /* both moves are in the ledger */
}

TEST(pieces_promised_to_others_are_not_handed_out_early)
{
	int64_t item = add("Tent", "winter", 1, 0);
	struct equipment_order later = approved(item, 1, 24, 48), before = placed(item, 1, 2, 10), other;

	assert_int_equal(later.taken, 1);
	assert_false(equipment_hand_out(db, &later, 0, BOSS));
	clock_set(NOW + 11 * HOUR);
	assert_true(equipment_sweep(db)); /* the other one was not collected */
	assert_int_equal(state_of(&before), EQUIPMENT_CANCELLED);
	assert_string_equal(before.end_reason, "not_collected");
	assert_true(equipment_hand_out(db, &later, 0, BOSS));
	assert_int_equal(place(item, 1, 12, 20, &other), ORDER_OUT_OF_STOCK);
}

TEST(an_order_that_cannot_get_all_pieces_takes_none)
{
	int64_t item = add("Tent", "winter", 3, 0);
	struct equipment_order out = approved(item, 2, 0, 24), later = approved(item, 1, 72, 96),
			       next = approved(item, 2, 24, 48);

	assert_true(equipment_hand_out(db, &out, 0, BOSS));
	assert_int_equal(later.taken, 1);
	assert_false(equipment_hand_out(db, &next, 0, BOSS)); /* the later order has one, the other is still out */
	state_of(&later);
	assert_int_equal(later.taken, 1);
	assert_false(db_failed(db));
}

TEST(overdue_pieces_are_not_free)
{
	int64_t item = add("Tent", "winter", 1, 0);
	struct equipment_order o = approved(item, 1, 0, 24), other;

	assert_true(equipment_hand_out(db, &o, 0, BOSS));
	clock_set(NOW + 25 * HOUR);
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
	assert_true(o.is_late);
	assert_int_equal(place(item, 1, 25, 30, &other), ORDER_OUT_OF_STOCK);
	assert_true(equipment_take_back(db, &o, 0, 0, BOSS));
	placed(item, 1, 25, 30);
}

TEST(lost_pieces_are_written_off_at_the_return)
{
	int64_t item = add("Tent", "winter", 5, 0);
	struct equipment_order o = approved(item, 3, 0, 24);

	assert_true(equipment_hand_out(db, &o, 0, BOSS));
	assert_false(equipment_take_back(db, &o, 4, 0, BOSS)); /* more than it had */
	assert_false(equipment_take_back(db, &o, -1, 0, BOSS));
	assert_true(equipment_take_back(db, &o, 1, 0, BOSS));
	assert_int_equal(o.state, EQUIPMENT_RETURNED);
	assert_int_equal(o.lost, 1);
	assert_int_equal(stock_of(db, item), 4);
	assert_non_null(strstr(last_payload("equipment.returned"), "\"lost\":1"));
	assert_false(equipment_take_back(db, &o, 0, 0, BOSS));
	assert_int_equal(stock_of(db, item), 4);
}

/* --- the client's key --------------------------------------------------------------------------------------------- */

TEST(the_same_request_is_the_same_order)
{
	int64_t item = add("Tent", "winter", 5, 0), n_free;
	struct equipment_request q = request(item, 2, 0, 24);
	struct equipment_order a, b;

	q.request_key = "key";
	q.request_hash = "body";
	assert_int_equal(equipment_place(db, &q, &a, &n_free), ORDER_OK);
	assert_int_equal(equipment_place(db, &q, &b, &n_free), ORDER_AGAIN);
	assert_string_equal(a.code, b.code);
	clock_set(NOW + 3 * HOUR); /* the answer is the same after its start */
	assert_int_equal(equipment_place(db, &q, &b, &n_free), ORDER_AGAIN);
	q.request_hash = "another";
	assert_int_equal(equipment_place(db, &q, &b, &n_free), ORDER_KEY_REUSED);
	q.customer_id = MINJI;
	q.starts_at = NOW + 3 * HOUR;
	assert_int_equal(equipment_place(db, &q, &b, &n_free), ORDER_OK); /* another person's key */
	assert_int_equal(n_events("equipment.ordered"), 2);
}

TEST(impossible_intervals_are_refused)
{
	int64_t item = add("Tent", "winter", 5, 0);
	struct equipment_order o;

	assert_int_equal(place(item, 1, -2, 24, &o), ORDER_BAD_INTERVAL);
	assert_int_equal(place(item, 1, 24, 24, &o), ORDER_BAD_INTERVAL);
	assert_int_equal(place(item, 1, 0, 61 * 24, &o), ORDER_BAD_INTERVAL);
	assert_int_equal(place(item, 1, 366 * 24, 367 * 24, &o), ORDER_BAD_INTERVAL);
	assert_int_equal(place(item + 1, 1, 0, 24, &o), ORDER_NO_ITEM);
	assert_int_equal(item_offer(db, item, false, BOSS), ITEM_OK);
	assert_int_equal(place(item, 1, 0, 24, &o), ORDER_NO_ITEM);
}

TEST(a_value_counts_started_days)
{
	int64_t item = add("Tent", "winter", 5, 0);

	assert_int_equal(placed(item, 2, 0, 24).amount, 2 * 5000);
	assert_int_equal(placed(item, 2, 0, 25).amount, 2 * 2 * 5000);
}

/* --- items -------------------------------------------------------------------------------------------------------- */

TEST(an_item_is_added_once_and_changed_by_one_at_a_time)
{
	struct item a = { .name = "Tent", .name_ko = "텐트", .category = "camping", .daily_price = 5000 }, b = a, c = a;

	assert_int_equal(item_add(db, &a, 4, BOSS), ITEM_OK);
	assert_int_equal(item_add(db, &b, 4, BOSS), ITEM_OK); /* a double click */
	assert_int_equal(a.item_id, b.item_id);
	assert_int_equal(b.stock, 4);
	c.daily_price = 6000;
	assert_int_equal(item_add(db, &c, 4, BOSS), ITEM_NAME_TAKEN);
	a.daily_price = 7000;
	b.daily_price = 8000;
	assert_int_equal(item_change(db, &a, BOSS), ITEM_OK);
	assert_int_equal(item_change(db, &b, BOSS), ITEM_CHANGED);
	assert_int_equal(n_events("equipment.registered"), 1);
	assert_int_equal(n_events("equipment.modified"), 1);
	assert_int_equal(item_offer(db, a.item_id, false, BOSS), ITEM_OK);
	assert_int_equal(item_offer(db, a.item_id, false, BOSS), ITEM_OK);
	assert_int_equal(n_events("equipment.modified"), 2);
	assert_int_equal(item_offer(db, 99, false, BOSS), ITEM_GONE);
}

TEST(the_coming_days_have_the_number_of_free_pieces)
{
	int64_t item = add("Tent", "winter", 3, 0), tomorrow = day_add(day_start(NOW), 1);
	int64_t from_h = (tomorrow - NOW) / HOUR + 1;
	struct free_day days[FREE_DAYS];
	struct item i;

	approved(item, 2, from_h, from_h + 24); /* tomorrow and the day after */
	approved(item, 1, from_h + 24, from_h + 25);
	assert_true(item_find(db, item, &i));
	item_free_days(db, &i, NOW, days);
	assert_int_equal(days[0].n_free, 3);
	assert_true(days[0].is_today && days[0].is_all);
	assert_int_equal(days[1].n_free, 1);
	assert_true(days[1].is_some);
	assert_int_equal(days[2].n_free, 1); /* the worst moment of the day: the one starts when the two are back */
	assert_int_equal(days[3].n_free, 3);
	assert_int_equal(i.owned, 3);
	assert_int_equal(i.stock, 0);
}

TEST_MAIN("equipment", NULL, NULL, begin, world_end)
