/* equipment: orders that review is asked about first; its answer decides, whenever and however it comes. */
#include "test.h"

#include "equipment_world.h"

#include "lib/base/proc.h"

TEST(when_review_approves_the_pieces_are_taken)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
	assert_non_null(strstr(last_payload("equipment.ordered"), "\"review_mode\":\"sync\""));
	decide("review.approved", &o, ""); /* its event comes as well */
	assert_int_equal(stock_of(db, item), 8);
	assert_int_equal(n_events("equipment.approved"), 1);
}

TEST(when_review_queues_a_person_decides)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o;

	review.open = REVIEW_ANSWER_QUEUED;
	o = placed(item, 5, 0, 24);
	assert_int_equal(o.state, EQUIPMENT_ORDERED);
	assert_int_equal(n_events("equipment.ordered"), 1);
	assert_int_equal(stock_of(db, item), 10);
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 5);
}

TEST(when_review_rejects_the_order_has_the_reason)
{
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_request q = request(item, 2, 0, 24);
	struct equipment_order o;

	review.open = REVIEW_ANSWER_REJECTED;
	review.reason = "not for you";
	q.request_key = "key";
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_REFUSED);
	assert_string_equal(o.end_reason, "not for you");
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_REFUSED);
	assert_string_equal(o.end_reason, "not for you");
	assert_int_equal(review.n_opened, 1);
	assert_int_equal(stock_of(db, item), 10);
}

TEST(without_reviews_answer_nothing_was_ordered)
{
	static const enum review_answer away[] = { REVIEW_ANSWER_NOT_ASKED, REVIEW_ANSWER_UNKNOWN,
		REVIEW_ANSWER_CLOSED };
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_request q = request(item, 2, 0, 24);
	struct equipment_order o;

	q.request_key = "key";
	for (size_t i = 0; i < 3; i++) {
		review.open = away[i];
		assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_LATER);
		assert_int_equal(o.state, EQUIPMENT_CANCELLED);
		assert_string_equal(o.end_reason, "later");
		assert_int_equal(n_events("equipment.cancelled"), i); /* only when review may have got the request */
	}
	assert_int_equal(n_events("equipment.ordered"), 0);
	assert_int_equal(n_events("stock.changed"), 1);
	review.open = REVIEW_ANSWER_APPROVED;
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_OK); /* the key may be used again */
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
}

TEST(while_the_breaker_is_open_nothing_is_written)
{
	int64_t item = add("Tent", "camping", 10, 0), other = add("Chains", "winter", 10, 0);
	struct equipment_order o;

	review.closed_for_s = 7;
	assert_int_equal(place(item, 1, 0, 24, &o), ORDER_LATER);
	assert_int_equal(equipment_later_s(), 7);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 0);
	assert_int_equal(review.n_opened, 0);
	placed(other, 1, 0, 24); /* async review is not called */
}

TEST(an_order_whose_worker_died_is_dropped)
{
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_request q = request(item, 2, 0, 24);
	struct equipment_order o, again;

	q.request_key = "key";
	review.open = REVIEW_ANSWER_QUEUED;
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_OK);
	db_do(others, "UPDATE equipment_order SET asked_at = $2 WHERE order_id = $1", o.order_id,
		(int64_t)NOW); /* as if its worker had died */
	assert_int_equal(equipment_place(db, &q, &again, &n_free), ORDER_IN_PROGRESS);
	assert_false(equipment_sweep(db));
	clock_set(NOW + 61);
	assert_true(equipment_sweep(db));
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(n_events("equipment.cancelled"), 1);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"nobody\""));
	assert_false(equipment_sweep(db));
}

/* A process that has ended: another one has its pid. */
static const char *
ended_stamp(void)
{
	const char *own = proc_stamp(scratch_memory), *cut = strrchr(own, ' ');

	return arena_printf(scratch_memory, "%.*s 1", (int)(cut - own), own);
}

TEST(the_same_key_takes_over_from_a_worker_that_was_killed_while_review_was_asked)
{
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_request q = request(item, 2, 0, 24);
	struct equipment_order o, again;

	q.request_key = "key";
	review.open = REVIEW_ANSWER_QUEUED;
	assert_int_equal(equipment_place(db, &q, &o, &n_free), ORDER_OK);
	db_do(others, "UPDATE equipment_order SET asked_at = $2, asked_by = $3 WHERE order_id = $1", o.order_id,
		(int64_t)NOW, ended_stamp());
	review.open = REVIEW_ANSWER_APPROVED;
	assert_int_equal(equipment_place(db, &q, &again, &n_free), ORDER_OK);
	assert_int_equal(again.order_id, o.order_id);
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(equipment_place(db, &q, &again, &n_free), ORDER_AGAIN);
}

TEST(reviews_event_may_come_before_its_answer)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o;

	review.open = REVIEW_ANSWER_QUEUED;
	o = placed(item, 2, 0, 24);
	db_do(others, "UPDATE equipment_order SET asked_at = $2 WHERE order_id = $1", o.order_id, (int64_t)NOW);
	decide("review.approved", &o, "");
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(o.asked_at, 0);
	assert_int_equal(n_events("equipment.ordered"), 2); /* reported before it was approved */
	assert_int_equal(stock_of(db, item), 8);
}

TEST(review_must_close_its_case_before_an_order_is_cancelled)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	review.cancel = REVIEW_ANSWER_NOT_ASKED;
	assert_int_equal(equipment_cancel(db, &o, EMP, false), ORDER_CANCEL_LATER);
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
	review.cancel = REVIEW_ANSWER_CLOSED;
	assert_int_equal(equipment_cancel(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(review.n_cancelled, 2);
}

TEST(a_cancellation_whose_worker_died_is_completed)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	decide("review.cancelled", &o, "order_cancelled"); /* review's reaction to an order that was ended here */
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	decide("review.cancelled", &o, "manager");
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
}

TEST_MAIN("equipment_review", NULL, NULL, begin, world_end)
