/*
 * test_equipment - things lent beside cars: the ledger always adds up, no piece is promised twice, what comes back can be had again, and
 * review's answer decides, whenever and however it comes.
 */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/equipment/policy.c"
#include "domain/rental.h"
#include "domain/review_client.h"
#include "lib/base/settings.h"

#define NOW    1800000000       /* on a half hour */
#define MINJI  5                /* a customer */
#define EMP    6                /* an employee */
#define BOSS   7                /* a manager */

static struct db *db, *others;  /* others: what booking and review would write */

static const struct db_role all = { .name = "test", .owns = "*" };

/* --- review, in place of its program ------------------------------------------------------------------------------------ */

static enum review_answer review_says, says_to_close;
static const char *its_reason;
static int n_asked, n_closed, closed_s;

static enum review_answer
ask(struct db *d, const struct review_request *q, const char **reason)
{
	assert_true(db_exists(d, "SELECT 1 FROM equipment_order WHERE code = $1", q->key));     /* the row first */
	n_asked++;
	*reason = its_reason;
	return review_says;
}

static enum review_answer
close_case(struct db *d, const char *key, const char *reason)
{
	assert_true(db_exists(d, "SELECT 1 FROM equipment_order WHERE code = $1", key));
	assert_true(*reason != '\0');
	n_closed++;
	return says_to_close;
}

static int
closed_for_s(void)
{
	return closed_s;
}

static const struct review_client test_reviews = { ask, close_case, closed_for_s };

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	setenv("DB_LINT", "1", 1);
	scratch_create("", "");
	db = scratch_open(&equipment_role);
	others = scratch_open(&all);
	clock_set(NOW);
	settings = (struct settings){ .currency = "KRW" };
	rental = (struct rental){
		.max_ahead_days = 365, .max_rental_days = 60,
		.equipment_categories = "camping:sync:Camping:캠핑 용품; winter:async:Winter gear:겨울 용품",
	};
	review_client = &test_reviews;
	review_says = REVIEW_ANSWER_APPROVED;
	says_to_close = REVIEW_ANSWER_CLOSED;
	its_reason = "";
	n_asked = n_closed = closed_s = 0;
	return 0;
}

TEST_SETUP(end)
{
	clock_set(0);
	db_close(db);
	db_close(others);
	return scratch_end(state);
}

/* --- words of these tests ------------------------------------------------------------------------------------------------ */

static int64_t
add(const char *name, const char *category, int64_t n, int64_t low)
{
	struct item item = { .name = name, .name_ko = "", .category = category, .daily_price = 5000, .low_stock = low };

	assert_int_equal(item_add(db, &item, n, BOSS), ITEM_OK);
	assert_int_equal(item.stock, n);
	assert_false(db_failed(db));
	return item.item_id;
}

static struct equipment_wish
wish(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	return (struct equipment_wish){
		.customer_id = EMP, .item_id = item_id, .quantity = quantity, .starts_at = NOW + from_h * HOUR, .ends_at = NOW + until_h * HOUR,
		.request_key = "", .request_hash = "",
	};
}

static enum order_outcome
place(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h, struct equipment_order *o)
{
	struct equipment_wish w = wish(item_id, quantity, from_h, until_h);
	int64_t n_free = -1;
	enum order_outcome outcome = equipment_place(db, &w, o, &n_free);

	assert_false(db_failed(db));
	return outcome;
}

static struct equipment_order
placed(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct equipment_order o;

	assert_int_equal(place(item_id, quantity, from_h, until_h, &o), ORDER_OK);
	return o;
}

static void
relay(void)
{
	while (consumer_step(db, &equipment_consumer, 16) > 0)
		;
	assert_false(db_failed(db));
	assert_int_equal(consumer_lag(db, &equipment_consumer), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM event_retry /*scan*/"), 0);
}

static void
report(const char *type, const char *subject_id)
{
	db_begin(others);
	event_emit(others, &(struct event){ .type = type, .subject_id = subject_id }, NULL, NULL);
	db_commit(others);
	assert_false(db_failed(others));
}

struct decided { const char *key, *reason; };
static const struct member decided_members[] = { SHAPE_TEXT(decided, key), SHAPE_TEXT(decided, reason) };
static const struct shape decided_shape = SHAPE(decided, decided_members);

static void
decide(const char *type, const struct equipment_order *o, const char *reason)
{
	db_begin(others);
	event_emit(others, &(struct event){ .type = type, .subject_id = equipment_subject(o) }, &decided_shape, &(struct decided){ o->code, reason });
	db_commit(others);
	assert_false(db_failed(others));
	relay();
}

static struct equipment_order
approved(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct equipment_order o = placed(item_id, quantity, from_h, until_h);

	decide("review.approved", &o, "");
	assert_true(equipment_reload(db, &o));
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	return o;
}

/* booking.paid for two kinds of equipment, as docs/events.md has it. */
static void
paid(const char *code, int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct extra_told extras[2] = {
		{ .line_no = 2, .kind = "delivery", .quantity = 1, .amount = 20000 },
		{ .line_no = 3, .kind = "equipment", .ref_id = item_id, .quantity = quantity, .amount = 10000 * quantity },
	};
	struct paid_told p = {
		.code = code, .currency = "KRW", .customer_id = MINJI, .starts_at = NOW + from_h * HOUR, .ends_at = NOW + until_h * HOUR,
		.extras = extras, .n_extras = 2,
	};

	db_begin(others);
	event_emit(others, &(struct event){ .type = "booking.paid", .subject_id = code }, &paid_shape, &p);
	db_commit(others);
	assert_false(db_failed(others));
}

static struct equipment_order
of_booking(const char *code)
{
	struct equipment_order o;

	assert_true(equipment_find_code(db, arena_printf(scratch_memory, "%s-3", code), 0, &o));
	return o;
}

static int64_t
n_events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM v_event WHERE type = $1 /*scan*/", type);
}

static const char *
last_payload(const char *type)
{
	return db_text(db, "SELECT payload FROM v_event WHERE type = $1 ORDER BY event_id DESC LIMIT 1 /*scan*/", type);
}

static int
state_of(struct equipment_order *o)
{
	assert_true(equipment_reload(db, o));
	return o->state;
}

/* --- the ledger ------------------------------------------------------------------------------------------------------------ */

TEST(stock_ten_order_two_is_eight_and_cancelled_ten_again)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	assert_int_equal(stock_of(db, item), 10);               /* nobody has said yes yet */
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(o.taken, 2);
	assert_int_equal(equipment_give_up(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(equipment_give_up(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(n_events("equipment.cancelled"), 1);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"customer\""));
	assert_int_equal(n_events("stock.changed"), 3);
	assert_non_null(strstr(last_payload("stock.changed"), "\"kind\":\"return\",\"quantity\":2,\"stock\":10"));
}

TEST(approved_twice_takes_once)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = approved(item, 3, 0, 24);

	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 7);
	assert_int_equal(n_events("equipment.approved"), 1);
}

TEST(a_rejected_order_has_its_reason_and_moves_nothing)
{
	int64_t item = add("Chains", "winter", 10, 0);
	struct equipment_order o = placed(item, 9, 0, 24), other;

	assert_int_equal(place(item, 2, 0, 24, &other), ORDER_OUT_OF_STOCK);
	decide("review.rejected", &o, "too many for one person");
	assert_int_equal(state_of(&o), EQUIPMENT_REJECTED);
	assert_string_equal(o.end_reason, "too many for one person");
	assert_non_null(strstr(last_payload("equipment.rejected"), "too many for one person"));
	assert_int_equal(stock_of(db, item), 10);
	placed(item, 10, 0, 24);
}

TEST(a_manager_writes_down_what_came_and_what_is_lost)
{
	int64_t item = add("Chains", "winter", 2, 0);
	struct stock_deed got = { .item_id = item, .actor_id = BOSS, .kind = STOCK_RECEIVE, .quantity = 5, .note = "new", .request_key = "k1" };
	struct stock_deed lost = { .item_id = item, .actor_id = BOSS, .kind = STOCK_LOSS, .quantity = 8, .note = "torn", .request_key = "k2" };
	struct stock_deed nothing = { .item_id = 99, .kind = STOCK_RECEIVE, .quantity = 1 };

	assert_int_equal(stock_do(db, &got), STOCK_OK);
	assert_int_equal(stock_do(db, &got), STOCK_OK);         /* the second of two clicks */
	assert_int_equal(stock_of(db, item), 7);
	assert_int_equal(stock_do(db, &lost), STOCK_TOO_FEW);
	lost.quantity = 1;
	assert_int_equal(stock_do(db, &lost), STOCK_OK);
	assert_int_equal(stock_of(db, item), 6);
	assert_int_equal(stock_do(db, &(struct stock_deed){ .item_id = item, .kind = STOCK_ADJUST, .quantity = -6 }), STOCK_OK);
	assert_int_equal(stock_of(db, item), 0);
	assert_int_equal(stock_do(db, &nothing), STOCK_NO_ITEM);
	assert_int_equal(stock_n_entries(db, item), 4);
}

TEST(the_schema_refuses_a_ledger_that_does_not_add_up)
{
	int64_t item = add("Chains", "winter", 3, 0);

	assert_false(db_try(others, "INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES ($1, 'receive', 5, 9, 1)", item));
	assert_string_equal(db_refusal(others), "stock_does_not_balance");
	assert_false(db_try(others, "INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES ($1, 'loss', -5, -2, 1)", item));
	assert_false(db_try(others, "UPDATE stock_entry SET quantity = 1 /*scan*/"));
	assert_false(db_try(others, "DELETE FROM stock_entry /*scan*/"));
}

TEST(low_stock_is_told_once_for_each_crossing)
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
	equipment_give_up(db, &a, EMP, false);
	equipment_give_up(db, &b, EMP, false);
	assert_true(item_find(db, item, &now) && !now.is_low);
	approved(item, 1, 0, 24);
	assert_int_equal(n_events("stock.low"), 2);
	assert_non_null(strstr(last_payload("stock.low"), "\"stock\":3,\"low_stock\":3"));
}

TEST(what_is_handed_on_at_once_crosses_nothing)
{
	int64_t item = add("Chains", "winter", 2, 1);
	struct equipment_order first = approved(item, 2, 0, 24), second = approved(item, 2, 24, 48);

	assert_int_equal(n_events("stock.low"), 1);
	assert_int_equal(second.taken, 0);
	assert_int_equal(equipment_give_up(db, &first, EMP, false), ORDER_CANCEL_DONE);  /* +2 and −2 again: it was never above */
	assert_int_equal(state_of(&second), EQUIPMENT_APPROVED);
	assert_int_equal(second.taken, 2);
	assert_int_equal(n_events("stock.low"), 1);
}

/* --- what is free ------------------------------------------------------------------------------------------------------------ */

TEST(no_more_is_promised_than_there_is)
{
	int64_t item = add("Chains", "winter", 5, 0), n_free = 0;
	struct equipment_wish w = wish(item, 3, 10, 20);
	struct equipment_order o;

	placed(item, 3, 0, 24);
	assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_OUT_OF_STOCK);
	assert_int_equal(n_free, 2);
	placed(item, 2, 10, 20);
	assert_int_equal(place(item, 1, 0, 11, &o), ORDER_OUT_OF_STOCK);
	placed(item, 2, 0, 10);        /* half-open: it is back when the others begin */
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
	assert_false(equipment_hand_out(db, &later, 0, BOSS));  /* not in the house yet */
	clock_set(NOW + 20 * HOUR);
	assert_true(equipment_take_back(db, &now, 0, 0, BOSS));
	state_of(&later);
	state_of(&last);
	assert_int_equal(later.taken, 2);       /* who starts first, whoever ordered first */
	assert_int_equal(last.taken, 0);
	assert_int_equal(stock_of(db, item), 0);
	clock_set(NOW + 24 * HOUR);
	assert_true(equipment_hand_out(db, &later, 0, BOSS));
	assert_true(equipment_take_back(db, &later, 0, 0, BOSS));
	state_of(&last);
	assert_int_equal(last.taken, 1);
	assert_int_equal(stock_of(db, item), 1);
}

TEST(who_comes_first_gets_the_pieces_of_who_comes_later)
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
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM stock_entry WHERE item_id = $1", item), 4);   /* both moves stand in the ledger */
}

TEST(nothing_is_given_out_early_that_others_were_promised)
{
	int64_t item = add("Tent", "winter", 1, 0);
	struct equipment_order later = approved(item, 1, 24, 48), before = placed(item, 1, 2, 10), other;

	assert_int_equal(later.taken, 1);
	assert_false(equipment_hand_out(db, &later, 0, BOSS));
	clock_set(NOW + 11 * HOUR);
	assert_true(equipment_sweep(db));       /* nobody came for the other one */
	assert_int_equal(state_of(&before), EQUIPMENT_CANCELLED);
	assert_string_equal(before.end_reason, "not_collected");
	assert_true(equipment_hand_out(db, &later, 0, BOSS));
	assert_int_equal(place(item, 1, 12, 20, &other), ORDER_OUT_OF_STOCK);
}

TEST(after_its_end_nobody_comes_for_it)
{
	int64_t item = add("Seat", "winter", 1, 0);
	struct equipment_order stale, next;

	paid("MP-AAAA1111", item, 1, 0, 24);
	relay();
	stale = of_booking("MP-AAAA1111");
	decide("review.approved", &stale, "");
	clock_set(NOW + 25 * HOUR);
	state_of(&stale);
	assert_false(equipment_hand_out(db, &stale, 0, BOSS));
	assert_false(equipment_sweep(db));      /* its booking will say so */
	next = approved(item, 1, 25, 30);
	assert_true(equipment_hand_out(db, &next, 0, BOSS));    /* with the piece that lay there for it */
	assert_int_equal(state_of(&stale), EQUIPMENT_APPROVED);
	assert_int_equal(stale.taken, 0);
}

TEST(who_cannot_get_all_takes_nothing_from_anybody)
{
	int64_t item = add("Tent", "winter", 3, 0);
	struct equipment_order out = approved(item, 2, 0, 24), later = approved(item, 1, 72, 96), next = approved(item, 2, 24, 48);

	assert_true(equipment_hand_out(db, &out, 0, BOSS));
	assert_int_equal(later.taken, 1);
	assert_false(equipment_hand_out(db, &next, 0, BOSS));   /* one is with the later one, the other still out */
	state_of(&later);
	assert_int_equal(later.taken, 1);
	assert_false(db_failed(db));
}

TEST(what_is_late_is_promised_to_nobody)
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

TEST(lost_pieces_come_back_and_go)
{
	int64_t item = add("Tent", "winter", 5, 0);
	struct equipment_order o = approved(item, 3, 0, 24);

	assert_true(equipment_hand_out(db, &o, 0, BOSS));
	assert_false(equipment_take_back(db, &o, 4, 0, BOSS));  /* more than it had */
	assert_false(equipment_take_back(db, &o, -1, 0, BOSS));
	assert_true(equipment_take_back(db, &o, 1, 0, BOSS));
	assert_int_equal(o.state, EQUIPMENT_RETURNED);
	assert_int_equal(o.lost, 1);
	assert_int_equal(stock_of(db, item), 4);
	assert_non_null(strstr(last_payload("equipment.returned"), "\"lost\":1"));
	assert_false(equipment_take_back(db, &o, 0, 0, BOSS));
	assert_int_equal(stock_of(db, item), 4);
}

/* --- the client's key ---------------------------------------------------------------------------------------------------------- */

TEST(the_same_request_is_the_same_order)
{
	int64_t item = add("Tent", "winter", 5, 0), n_free;
	struct equipment_wish w = wish(item, 2, 0, 24);
	struct equipment_order a, b;

	w.request_key = "key";
	w.request_hash = "body";
	assert_int_equal(equipment_place(db, &w, &a, &n_free), ORDER_OK);
	assert_int_equal(equipment_place(db, &w, &b, &n_free), ORDER_AGAIN);
	assert_string_equal(a.code, b.code);
	clock_set(NOW + 3 * HOUR);      /* its time has come; the answer is the same */
	assert_int_equal(equipment_place(db, &w, &b, &n_free), ORDER_AGAIN);
	w.request_hash = "another";
	assert_int_equal(equipment_place(db, &w, &b, &n_free), ORDER_KEY_REUSED);
	w.customer_id = MINJI;
	w.starts_at = NOW + 3 * HOUR;
	assert_int_equal(equipment_place(db, &w, &b, &n_free), ORDER_OK);       /* keys are each person's own */
	assert_int_equal(n_events("equipment.ordered"), 2);
}

TEST(intervals_that_nobody_can_have_are_refused)
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

/* --- review is asked first (sync) ------------------------------------------------------------------------------------------------ */

TEST(review_says_yes_and_the_pieces_are_taken)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
	assert_non_null(strstr(last_payload("equipment.ordered"), "\"review_mode\":\"sync\""));
	decide("review.approved", &o, "");      /* its event comes, too */
	assert_int_equal(stock_of(db, item), 8);
	assert_int_equal(n_events("equipment.approved"), 1);
}

TEST(review_says_wait_and_a_person_decides)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o;

	review_says = REVIEW_ANSWER_QUEUED;
	o = placed(item, 5, 0, 24);
	assert_int_equal(o.state, EQUIPMENT_ORDERED);
	assert_int_equal(n_events("equipment.ordered"), 1);
	assert_int_equal(stock_of(db, item), 10);
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 5);
}

TEST(review_says_no_with_a_reason)
{
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_wish w = wish(item, 2, 0, 24);
	struct equipment_order o;

	review_says = REVIEW_ANSWER_REJECTED;
	its_reason = "not for you";
	w.request_key = "key";
	assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_REFUSED);
	assert_string_equal(o.end_reason, "not for you");
	assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_REFUSED);
	assert_string_equal(o.end_reason, "not for you");
	assert_int_equal(n_asked, 1);
	assert_int_equal(stock_of(db, item), 10);
}

TEST(review_is_away_and_nothing_was_taken)
{
	static const enum review_answer away[] = { REVIEW_ANSWER_NOT_ASKED, REVIEW_ANSWER_UNKNOWN, REVIEW_ANSWER_CLOSED };
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_wish w = wish(item, 2, 0, 24);
	struct equipment_order o;

	w.request_key = "key";
	for (size_t i = 0; i < 3; i++) {
		review_says = away[i];
		assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_LATER);
		assert_int_equal(o.state, EQUIPMENT_CANCELLED);
		assert_string_equal(o.end_reason, "later");
		assert_int_equal(n_events("equipment.cancelled"), i);   /* review hears of it when it may have been asked; nobody else does */
	}
	assert_int_equal(n_events("equipment.ordered"), 0);
	assert_int_equal(n_events("stock.changed"), 1);
	review_says = REVIEW_ANSWER_APPROVED;
	assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_OK);       /* the key is free again */
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
}

TEST(while_the_breaker_is_open_nothing_is_written)
{
	int64_t item = add("Tent", "camping", 10, 0), other = add("Chains", "winter", 10, 0);
	struct equipment_order o;

	closed_s = 7;
	assert_int_equal(place(item, 1, 0, 24, &o), ORDER_LATER);
	assert_int_equal(equipment_later_s(), 7);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 0);
	assert_int_equal(n_asked, 0);
	placed(other, 1, 0, 24);        /* what is reviewed after goes on */
}

TEST(an_answer_that_nobody_waited_for_is_swept)
{
	int64_t item = add("Tent", "camping", 10, 0), n_free;
	struct equipment_wish w = wish(item, 2, 0, 24);
	struct equipment_order o, again;

	w.request_key = "key";
	review_says = REVIEW_ANSWER_QUEUED;
	assert_int_equal(equipment_place(db, &w, &o, &n_free), ORDER_OK);
	db_do(others, "UPDATE equipment_order SET asked_at = $2 WHERE order_id = $1", o.order_id, (int64_t)NOW);   /* as if its worker had died */
	assert_int_equal(equipment_place(db, &w, &again, &n_free), ORDER_IN_PROGRESS);
	assert_false(equipment_sweep(db));
	clock_set(NOW + 61);
	assert_true(equipment_sweep(db));
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(n_events("equipment.cancelled"), 1);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"nobody\""));
	assert_false(equipment_sweep(db));
}

TEST(reviews_event_may_be_quicker_than_its_answer)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o;

	review_says = REVIEW_ANSWER_QUEUED;
	o = placed(item, 2, 0, 24);
	db_do(others, "UPDATE equipment_order SET asked_at = $2 WHERE order_id = $1", o.order_id, (int64_t)NOW);
	decide("review.approved", &o, "");
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(o.asked_at, 0);
	assert_int_equal(n_events("equipment.ordered"), 2);     /* told before it was approved */
	assert_int_equal(stock_of(db, item), 8);
}

TEST(review_must_let_go_before_an_order_is_given_up)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	says_to_close = REVIEW_ANSWER_NOT_ASKED;
	assert_int_equal(equipment_give_up(db, &o, EMP, false), ORDER_CANCEL_LATER);
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
	says_to_close = REVIEW_ANSWER_CLOSED;
	assert_int_equal(equipment_give_up(db, &o, EMP, false), ORDER_CANCEL_DONE);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(n_closed, 2);
}

TEST(a_cancelling_that_died_half_way_is_finished)
{
	int64_t item = add("Tent", "camping", 10, 0);
	struct equipment_order o = placed(item, 2, 0, 24);

	decide("review.cancelled", &o, "order_cancelled");      /* said to us by review: of an order that was ended here */
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	decide("review.cancelled", &o, "manager");
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
}

/* --- with a booking -------------------------------------------------------------------------------------------------------------- */

TEST(a_paid_booking_brings_an_order_for_each_kind)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 0, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	assert_int_equal(o.state, EQUIPMENT_ORDERED);
	assert_int_equal(o.quantity, 2);
	assert_int_equal(o.customer_id, MINJI);
	assert_int_equal(o.amount, 20000);
	assert_int_equal(o.daily_price, 5000);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 1);      /* the delivery is not ours */
	assert_string_equal(db_text(db, "SELECT subject_id FROM v_event WHERE type = 'equipment.ordered' /*scan*/"), "MP-AAAA1111");
	assert_non_null(strstr(last_payload("equipment.ordered"), "\"order_code\":\"MP-AAAA1111-3\""));
	paid("MP-AAAA1111", item, 2, 0, 48);    /* once more */
	relay();
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/"), 1);
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
}

TEST(out_and_back_with_the_car)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 0, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	decide("review.approved", &o, "");
	report("booking.handed_out", "MP-AAAA1111");
	relay();
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
	report("booking.returned", "MP-AAAA1111");
	relay();
	assert_int_equal(state_of(&o), EQUIPMENT_RETURNED);
	assert_int_equal(stock_of(db, item), 10);
	report("booking.returned", "MP-AAAA1111");
	relay();
	assert_int_equal(stock_of(db, item), 10);
}

TEST(what_the_desk_said_lost_stays_lost)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 0, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	decide("review.approved", &o, "");
	report("booking.handed_out", "MP-AAAA1111");
	relay();
	state_of(&o);
	assert_true(equipment_take_back(db, &o, 1, 0, BOSS));
	report("booking.returned", "MP-AAAA1111");
	relay();
	assert_int_equal(stock_of(db, item), 9);
}

TEST(what_was_never_handed_out_is_refunded)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 0, 48);
	report("booking.handed_out", "MP-AAAA1111");        /* before review had looked at it */
	relay();
	o = of_booking("MP-AAAA1111");
	decide("review.approved", &o, "");
	assert_int_equal(stock_of(db, item), 8);
	report("booking.returned", "MP-AAAA1111");
	relay();
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"manager\""));
}

TEST(a_booking_that_ends_gives_its_pieces_back)
{
	static const char *const over[] = { "booking.cancel_requested", "booking.cancelled", "booking.rejected", "booking.no_show", "booking.expired" };
	int64_t item = add("Seat", "winter", 10, 0);

	for (int i = 0; i < 5; i++) {
		const char *code = arena_printf(scratch_memory, "MP-AAAA111%d", i);
		struct equipment_order o;

		paid(code, item, 2, 0, 48);
		relay();
		o = of_booking(code);
		decide("review.approved", &o, "");
		assert_int_equal(stock_of(db, item), 8);
		report(over[i], code);
		report(over[i], code);
		relay();
		assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
		assert_int_equal(stock_of(db, item), 10);
		assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"booking\""));
		assert_int_equal(n_events("equipment.cancelled"), i + 1);
	}
}

TEST(a_booking_that_ended_before_we_heard_of_it_moves_nothing)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 0, 48);
	report("booking.cancel_requested", "MP-AAAA1111");
	relay();
	o = of_booking("MP-AAAA1111");
	decide("review.approved", &o, "");      /* review was still with the order */
	assert_int_equal(state_of(&o), EQUIPMENT_CANCELLED);
	assert_int_equal(stock_of(db, item), 10);
	assert_int_equal(n_events("stock.changed"), 1);
}

TEST(review_may_have_decided_before_the_order_comes)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others, "INSERT INTO review_case (key, kind, subject_id, applicant_id, state, rule, opened_at, decided_at)"
		" VALUES ('MP-AAAA1111-3', 'equipment', 'MP-AAAA1111', 5, 'APPROVED', 'auto', 1, 1)");
	assert_false(db_failed(others));
	paid("MP-AAAA1111", item, 2, 0, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	assert_int_equal(stock_of(db, item), 8);
}

TEST(people_cancel_their_own_until_the_booking_begins)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	paid("MP-AAAA1111", item, 2, 24, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	assert_false(equipment_find(db, o.order_id, EMP, &o));  /* somebody else's is not there */
	o = of_booking("MP-AAAA1111");
	assert_true(equipment_may_cancel(db, &o, NOW, false));
	assert_false(equipment_may_cancel(db, &o, o.starts_at, false));
	assert_true(equipment_may_cancel(db, &o, o.starts_at, true));
	assert_int_equal(equipment_give_up(db, &o, BOSS, true), ORDER_CANCEL_DONE);
	assert_non_null(strstr(last_payload("equipment.cancelled"), "\"by\":\"manager\""));
	assert_int_equal(stock_of(db, item), 10);
}

TEST(what_is_handed_out_is_not_cancelled)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o = approved(item, 1, 0, 24);

	assert_true(equipment_hand_out(db, &o, 0, BOSS));
	assert_int_equal(equipment_give_up(db, &o, EMP, true), ORDER_CANCEL_NOT_POSSIBLE);
	assert_int_equal(state_of(&o), EQUIPMENT_HANDED_OUT);
}

TEST(what_a_courier_is_bringing_its_customer_does_not_cancel)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others, "INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id, requested_at)"
		" VALUES ('MP-AAAA1111', 'delivery', 'SHIPPED', $1, 1, 2, 9, 1)", MINJI);
	paid("MP-AAAA1111", item, 2, 24, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	assert_int_equal(equipment_give_up(db, &o, MINJI, false), ORDER_CANCEL_NOT_POSSIBLE);
	assert_int_equal(n_events("equipment.cancelled"), 0);
	db_do(others, "UPDATE delivery SET state = 'SCHEDULED' WHERE booking_code = 'MP-AAAA1111'");      /* he has come back */
	assert_int_equal(equipment_give_up(db, &o, MINJI, false), ORDER_CANCEL_DONE);
}

TEST(what_goes_with_a_car_is_not_handed_out_before_it)
{
	int64_t item = add("Seat", "winter", 10, 0);
	struct equipment_order o;

	db_do(others,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount,"
		" currency, charge_id, held_at, hold_until) VALUES ('MP-AAAA1111', 5, 1, 'Kia Ray', '1', 'mini', 1, 'x', 'CONFIRMED', 1, 2, 1, 0, 'KRW', 1, 0, 0)");
	paid("MP-AAAA1111", item, 2, 0, 48);
	relay();
	o = of_booking("MP-AAAA1111");
	db_begin(db);
	equipment_approve(db, &o, 0);
	assert_true(db_commit(db));
	assert_false(equipment_hand_out(db, &o, 0, BOSS));      /* the booking may still be cancelled, and refunded */
	assert_int_equal(state_of(&o), EQUIPMENT_APPROVED);
	db_do(others, "UPDATE booking SET state = 'OUT' WHERE code = 'MP-AAAA1111'");
	assert_true(equipment_hand_out(db, &o, 0, BOSS));
}

/* --- items ------------------------------------------------------------------------------------------------------------------------- */

TEST(an_item_is_added_once_and_changed_by_one_at_a_time)
{
	struct item a = { .name = "Tent", .name_ko = "텐트", .category = "camping", .daily_price = 5000 }, b = a, c = a;

	assert_int_equal(item_add(db, &a, 4, BOSS), ITEM_OK);
	assert_int_equal(item_add(db, &b, 4, BOSS), ITEM_OK);   /* the second of two clicks */
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

TEST(the_coming_days_tell_how_many_are_free)
{
	int64_t item = add("Tent", "winter", 3, 0), tomorrow = day_add(day_start(NOW), 1);
	int64_t from_h = (tomorrow - NOW) / HOUR + 1;
	struct free_day days[FREE_DAYS];
	struct item i;

	approved(item, 2, from_h, from_h + 24);         /* tomorrow and the day after */
	approved(item, 1, from_h + 24, from_h + 25);
	assert_true(item_find(db, item, &i));
	item_free_days(db, &i, NOW, days);
	assert_int_equal(days[0].n_free, 3);
	assert_true(days[0].is_today && days[0].is_all);
	assert_int_equal(days[1].n_free, 1);
	assert_true(days[1].is_some);
	assert_int_equal(days[2].n_free, 1);            /* the worst moment of the day: the one comes when the two are back */
	assert_int_equal(days[3].n_free, 3);
	assert_int_equal(i.owned, 3);
	assert_int_equal(i.stock, 0);
}

/* --- a long walk at random ------------------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static int64_t
below(int64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((seed >> 33) % (uint64_t)n);
}

#define PIECES 6

/* What must be true after every step. lost: pieces that are gone for good. */
static void
all_adds_up(int64_t item, int64_t lost)
{
	int64_t taken = db_int(db, "SELECT COALESCE(SUM(taken), 0) FROM equipment_order WHERE item_id = $1 /*scan*/", item);
	int64_t stock = stock_of(db, item);

	assert_false(db_failed(db));
	assert_true(stock >= 0);
	assert_int_equal(stock, db_int(db, "SELECT SUM(quantity) FROM stock_entry WHERE item_id = $1 /*scan*/", item));
	assert_int_equal(stock + taken, PIECES - lost);
	if (stock > 0)
		assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order WHERE state = 'APPROVED' AND taken < quantity /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM equipment_order o WHERE taken <> (SELECT -COALESCE(SUM(s.quantity), 0) FROM stock_entry s"
		" WHERE s.order_id = o.order_id AND s.kind IN ('order', 'return')) /*scan*/"), 0);
	if (!lost)      /* … and what is promised, there is, at every moment to come */
		assert_true(stock_free(db, item, clock_now(), NOW + 400 * DAY, clock_now()) >= 0);
}

static struct equipment_order
any_order(void)
{
	struct equipment_order o = { .order_id = 1 + below(db_int(db, "SELECT COUNT(*) FROM equipment_order /*scan*/") + 1) };

	equipment_reload(db, &o);
	return o;
}

/* What is due comes back in time, or the promise to the next one could not be kept: lateness has a test of its own. */
static void
bring_back_what_is_due(void)
{
	struct equipment_order o;

	while ((o.order_id = db_int(db, "SELECT order_id FROM equipment_order WHERE state = 'HANDED_OUT' AND ends_at <= $1 LIMIT 1 /*scan*/", clock_now() + HOUR)))
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
	case 2:
		place(item, 1 + below(4), from, from + 1 + below(48), &made);
		break;
	case 3:
		db_begin(db);
		if (o.code)
			equipment_approve(db, &o, 0);
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
			equipment_give_up(db, &o, below(2) ? EMP : BOSS, true);
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

TEST(after_any_walk_the_ledger_adds_up_and_no_piece_is_promised_twice)
{
	walk(false, 1500);
}

TEST(pieces_that_get_lost_never_make_more_of_them)
{
	walk(true, 1000);
}

TEST_MAIN("equipment", NULL, NULL, begin, end)
