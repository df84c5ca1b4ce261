/*
 * equipment_world - equipment's tables in a scratch state folder, with review's answers as the test sets them, and
 * words to order, approve and report what other contexts report (docs/events.md).
 */
#ifndef MP_EQUIPMENT_WORLD_H
#define MP_EQUIPMENT_WORLD_H

#include "world.h"

#include "cgi-bin/equipment/equipment_inside.h"
#include "domain/review_client.h"

#define MINJI  5                /* a customer */
#define EMP    6                /* an employee */
#define BOSS   7                /* a manager */

/* --- review's answers --------------------------------------------------------------------------------------------- */

static struct {
	enum review_answer open, cancel;
	const char *reason;
	int n_opened, n_cancelled, closed_for_s;
} review;

static inline enum review_answer
review_opens(struct db *d, const struct review_request *q, const char **reason)
{
	(void)d;
	assert_true(*q->key != '\0');
	review.n_opened++;
	*reason = review.reason;
	return review.open;
}

static inline enum review_answer
review_cancels(struct db *d, const char *key, const char *reason)
{
	(void)d;
	assert_true(*key != '\0' && *reason != '\0');
	review.n_cancelled++;
	return review.cancel;
}

static inline int
review_is_closed_for(void)
{
	return review.closed_for_s;
}

static const struct review_client test_review_client = { review_opens, review_cancels, review_is_closed_for };

TEST_SETUP(begin)
{
	if (world_begin(state, &equipment_role) != 0)
		return -1;
	settings = (struct settings){ .currency = "KRW" };
	rental = (struct rental){
		.max_ahead_days = 365,
		.max_rental_days = 60,
		.equipment_categories = "camping:sync:Camping:캠핑 용품; winter:async:Winter gear:겨울 용품",
	};
	review_client = &test_review_client;
	review = (typeof(review)){ .open = REVIEW_ANSWER_APPROVED, .cancel = REVIEW_ANSWER_CLOSED, .reason = "" };
	return 0;
}

/* --- orders ------------------------------------------------------------------------------------------------------- */

static inline int64_t
add(const char *name, const char *category, int64_t n, int64_t low)
{
	struct item item = { .name = name, .name_ko = "", .category = category, .daily_price = 5000, .low_stock = low };

	assert_int_equal(item_add(db, &item, n, BOSS), ITEM_OK);
	assert_int_equal(item.stock, n);
	assert_false(db_failed(db));
	return item.item_id;
}

static inline struct equipment_request
request(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	return (struct equipment_request){
		.customer_id = EMP,
		.item_id = item_id,
		.quantity = quantity,
		.starts_at = NOW + from_h * HOUR,
		.ends_at = NOW + until_h * HOUR,
		.request_key = "",
		.request_hash = "",
	};
}

static inline enum order_outcome
place(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h, struct equipment_order *o)
{
	struct equipment_request q = request(item_id, quantity, from_h, until_h);
	int64_t n_free = -1;
	enum order_outcome outcome = equipment_place(db, &q, o, &n_free);

	assert_false(db_failed(db));
	return outcome;
}

static inline struct equipment_order
placed(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct equipment_order o;

	assert_int_equal(place(item_id, quantity, from_h, until_h, &o), ORDER_OK);
	return o;
}

static inline void
react(void)
{
	handle_events(&equipment_consumer);
}

/* review.approved, .rejected or .cancelled, as review reports it: a rejection's reason is in note. */
static inline void
decide(const char *type, const struct equipment_order *o, const char *reason)
{
	report(type, equipment_subject(o),
		arena_printf(scratch_memory, "{\"key\":\"%s\",\"%s\":\"%s\"}", o->code,
			strcmp(type, "review.cancelled") == 0 ? "reason" : "note", reason));
	react();
}

static inline struct equipment_order
approved(int64_t item_id, int64_t quantity, int64_t from_h, int64_t until_h)
{
	struct equipment_order o = placed(item_id, quantity, from_h, until_h);

	decide("review.approved", &o, "");
	assert_true(order_reload(db, &o));
	assert_int_equal(o.state, EQUIPMENT_APPROVED);
	return o;
}

static inline int
state_of(struct equipment_order *o)
{
	assert_true(order_reload(db, o));
	return o->state;
}

#endif
