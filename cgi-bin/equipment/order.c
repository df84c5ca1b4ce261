/* order - ordering equipment: placing an order alone, finding and listing orders. The story is in equipment.h; what becomes of one is in steps.c. */
#include "equipment.h"
#include "equipment_steps.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "domain/review_client.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#include <string.h>

static const struct member order_members[] = {
	SHAPE_INT(equipment_order, order_id), SHAPE_TEXT(equipment_order, code), SHAPE_STATE(equipment_order, state, equipment_state_words),
	SHAPE_TEXT(equipment_order, booking_code), SHAPE_INT(equipment_order, line_no), SHAPE_INT(equipment_order, customer_id),
	SHAPE_INT(equipment_order, item_id), SHAPE_TEXT(equipment_order, item_name), SHAPE_TEXT(equipment_order, item_name_ko),
	SHAPE_TEXT(equipment_order, category), SHAPE_INT(equipment_order, quantity), SHAPE_TIME(equipment_order, starts_at),
	SHAPE_TIME(equipment_order, ends_at), SHAPE_AMOUNT(equipment_order, daily_price), SHAPE_AMOUNT(equipment_order, amount),
	SHAPE_TEXT(equipment_order, currency), SHAPE_INT(equipment_order, taken), SHAPE_INT(equipment_order, lost),
	SHAPE_TEXT(equipment_order, end_reason), SHAPE_TIME(equipment_order, ordered_at), SHAPE_TIME(equipment_order, approved_at),
	SHAPE_TIME(equipment_order, handed_out_at), SHAPE_TIME(equipment_order, returned_at), SHAPE_TIME(equipment_order, ended_at),
	SHAPE_BOOL(equipment_order, is_late), SHAPE_BOOL(equipment_order, lacks),
	SHAPE_TEXT(equipment_order, customer_name), SHAPE_TEXT(equipment_order, label), SHAPE_TIME(equipment_order, asked_at),
};
#define N_JSON 26
const struct shape equipment_order_shape = SHAPE(equipment_order, order_members);
const struct shape equipment_order_json_shape = {
	.name = "equipment_order", .size = sizeof(struct equipment_order), .member = order_members, .n = N_JSON,
};

/* --- may this interval be ordered at all? ----------------------------------------------------------------------------- */

const char *
order_interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field)
{
	*field = "starts_at";
	if (starts_at < now - now % STEP)       /* the half hour that runs can still be had */
		return _("This time has passed. Please choose a later one.");
	if (starts_at > now + rental.max_ahead_days * DAY)
		return _("This date is too far ahead. Equipment can be ordered up to one year in advance.");
	*field = "ends_at";
	if (ends_at <= starts_at)
		return _("The return must be after the pick-up.");
	if (ends_at - starts_at > rental.max_rental_days * DAY)
		return _("This period is too long for one order. Please split it.");
	return NULL;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

#define ORDER_COLUMNS \
	"o.order_id, o.code, o.booking_code, o.line_no, o.customer_id, o.item_id, o.item_name, o.item_name_ko, i.category, o.quantity," \
	" o.starts_at, o.ends_at, o.daily_price, o.amount, o.currency, o.state, o.taken, o.lost, o.end_reason, o.ordered_at, o.asked_at," \
	" o.approved_at, o.handed_out_at, o.returned_at, o.ended_at, COALESCE(u.name, '') AS customer_name"
#define ORDER_FROM \
	" FROM equipment_order o JOIN item i ON i.item_id = o.item_id LEFT JOIN v_user u ON u.user_id = o.customer_id"

static void
complete(struct equipment_order *o)
{
	o->label = lang_pick(lang_now(), o->item_name, o->item_name_ko);
	o->is_late = o->state == EQUIPMENT_HANDED_OUT && o->ends_at < clock_now();
	o->lacks = o->state == EQUIPMENT_APPROVED && o->taken < o->quantity;
}

static bool
completed(struct equipment_order *o, bool found)
{
	if (!found)
		return false;
	complete(o);
	log_subject(equipment_subject(o));
	return true;
}

bool
equipment_find(struct db *db, int64_t order_id, int64_t customer_id, struct equipment_order *o)
{
	*o = (struct equipment_order){ .order_id = 0 };
	return completed(o, db_one(db, &equipment_order_shape, o, "SELECT " ORDER_COLUMNS ORDER_FROM
		" WHERE o.order_id = $1 AND ($2 = 0 OR o.customer_id = $2)", order_id, customer_id));
}

bool
equipment_find_code(struct db *db, const char *code, int64_t customer_id, struct equipment_order *o)
{
	return equipment_find(db, db_int(db, "SELECT order_id FROM equipment_order WHERE code = $1", code), customer_id, o);
}

bool
equipment_reload(struct db *db, struct equipment_order *o)
{
	return equipment_find(db, o->order_id, 0, o);
}

/* --- placing ---------------------------------------------------------------------------------------------------------- */

static bool
has_key(const struct equipment_wish *wish)
{
	return wish->request_key && *wish->request_key;
}

/* ORDER_OK: the key is new, or belongs to a try that review could not be asked about. */
static enum order_outcome
key_outcome(struct db *db, const struct equipment_wish *wish, struct equipment_order *o)
{
	int64_t order_id = has_key(wish) ? db_int(db,
		"SELECT order_id FROM equipment_order WHERE customer_id = $1 AND request_key = $2 AND request_key <> ''",
		wish->customer_id, wish->request_key) : 0;

	if (!order_id || !equipment_find(db, order_id, wish->customer_id, o))
		return ORDER_OK;
	if (!db_exists(db, "SELECT 1 FROM equipment_order WHERE order_id = $1 AND request_hash = $2", order_id, wish->request_hash))
		return ORDER_KEY_REUSED;
	if (o->asked_at)
		return ORDER_IN_PROGRESS;
	return o->state == EQUIPMENT_REJECTED ? ORDER_REFUSED : ORDER_AGAIN;
}

void
equipment_write(struct db *db, struct equipment_order *o, const char *request_key, const char *request_hash, int64_t causation_id)
{
	o->order_id = db_int(db,
		"INSERT INTO equipment_order (code, booking_code, line_no, customer_id, item_id, item_name, item_name_ko, quantity, starts_at, ends_at,"
		" daily_price, amount, currency, state, ordered_at, asked_at, request_key, request_hash)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'ORDERED', $14, $15, $16, $17) RETURNING order_id",
		o->code, o->booking_code, o->line_no, o->customer_id, o->item_id, o->item_name, o->item_name_ko, o->quantity, o->starts_at, o->ends_at,
		o->daily_price, o->amount, o->currency, clock_now(), o->asked_at, request_key, request_hash);
	equipment_reload(db, o);
	if (!o->asked_at)
		equipment_emit(db, o, "equipment.ordered", ENDED_BY_NONE, causation_id, causation_id ? 0 : o->customer_id);
}

/* Inside the transaction: what must be true, then the row. */
static enum order_outcome
promise(struct db *db, const struct equipment_wish *wish, struct equipment_order *o, int64_t *n_free)
{
	struct item item;
	enum order_outcome known = key_outcome(db, wish, o);

	if (known != ORDER_OK)
		return known;
	db_lock(db, "item", wish->item_id);
	if (!item_find(db, wish->item_id, &item) || !item.is_offered)
		return ORDER_NO_ITEM;
	*n_free = stock_free(db, wish->item_id, wish->starts_at, wish->ends_at, clock_now());
	if (*n_free < wish->quantity)
		return ORDER_OUT_OF_STOCK;
	*o = (struct equipment_order){
		.code = secret_code(db_memory(db), "EQ-"), .booking_code = "", .customer_id = wish->customer_id, .item_id = item.item_id,
		.item_name = item.name, .item_name_ko = item.name_ko, .quantity = wish->quantity, .starts_at = wish->starts_at,
		.ends_at = wish->ends_at, .daily_price = item.daily_price, .currency = settings.currency,
		.amount = item.daily_price * wish->quantity * equipment_days(wish->starts_at, wish->ends_at),
		.asked_at = item.is_sync ? clock_now() : 0,
	};
	equipment_write(db, o, has_key(wish) ? wish->request_key : "", has_key(wish) ? wish->request_hash : "", 0);
	return ORDER_OK;
}

/* --- review's answer (sync) ------------------------------------------------------------------------------------------- */

/* What nobody could be asked about was never taken. When the question may have arrived, review hears that it is over. */
static bool
drop(struct db *db, struct equipment_order *o, bool may_have_arrived)
{
	int n;

	db_begin(db);
	n = db_do(db, "UPDATE equipment_order SET state = 'CANCELLED', end_reason = 'later', ended_at = $2, asked_at = 0, request_key = ''"
		" WHERE order_id = $1 AND state = 'ORDERED' AND asked_at > 0", o->order_id, clock_now());
	equipment_reload(db, o);
	if (n == 1 && may_have_arrived)
		equipment_emit(db, o, "equipment.cancelled", ENDED_BY_NONE, 0, 0);
	return db_commit(db) && n == 1;
}

static enum order_outcome
as_it_stands(struct db *db, struct equipment_order *o)
{
	equipment_reload(db, o);
	return o->state == EQUIPMENT_REJECTED ? ORDER_REFUSED : o->state == EQUIPMENT_CANCELLED ? ORDER_LATER : ORDER_OK;
}

/* Nobody else has heard of it until review has answered; whoever was quicker, such as review's own event, is right as well. */
static enum order_outcome
settle(struct db *db, struct equipment_order *o, enum review_answer answer, const char *reason)
{
	switch (answer) {
	case REVIEW_ANSWER_APPROVED:
	case REVIEW_ANSWER_QUEUED:
	case REVIEW_ANSWER_REJECTED:
		db_begin(db);
		equipment_tell(db, o, 0);
		if (answer == REVIEW_ANSWER_APPROVED)
			equipment_approve(db, o, 0);
		else if (answer == REVIEW_ANSWER_REJECTED)
			equipment_reject(db, o, reason, 0);
		if (!db_commit(db))
			return ORDER_LATER;
		break;
	case REVIEW_ANSWER_NOT_ASKED:
		drop(db, o, false);
		break;
	case REVIEW_ANSWER_CLOSED:
	case REVIEW_ANSWER_UNKNOWN:
		drop(db, o, true);
		break;
	}
	return as_it_stands(db, o);
}

static enum order_outcome
ask_and_settle(struct db *db, struct equipment_order *o)
{
	const char *reason = "";
	const struct review_request q = {
		.key = o->code, .subject_id = equipment_subject(o), .applicant_id = o->customer_id, .item_name = o->item_name,
		.item_name_ko = o->item_name_ko, .category = o->category, .quantity = o->quantity, .amount = o->amount, .currency = o->currency,
	};
	enum review_answer answer = review_client->open(db, &q, &reason);

	return settle(db, o, answer, reason);
}

#define LATER_S 5               /* what went wrong once may go well in a moment */

int
equipment_later_s(void)
{
	int s = review_closed_for_s();

	return s ? s : LATER_S;
}

/* Where review would be asked and cannot be, nothing is written that would have to be undone. */
static bool
would_be_in_vain(struct db *db, int64_t item_id)
{
	return review_closed_for_s() && category_is_sync(db_text(db, "SELECT category FROM item WHERE item_id = $1", item_id));
}

enum order_outcome
equipment_place(struct db *db, const struct equipment_wish *wish, struct equipment_order *o, int64_t *n_free)
{
	const char *field;
	enum order_outcome outcome = ORDER_OK;

	if (order_interval_problem(wish->starts_at, wish->ends_at, clock_now(), &field))
		outcome = ORDER_BAD_INTERVAL;
	else if (would_be_in_vain(db, wish->item_id))
		outcome = ORDER_LATER;
	if (outcome != ORDER_OK) {      /* the same request again is answered as before */
		enum order_outcome known = key_outcome(db, wish, o);

		return known == ORDER_OK ? outcome : known;
	}
	db_begin(db);
	outcome = promise(db, wish, o, n_free);
	if (outcome != ORDER_OK) {
		db_rollback(db);
		return outcome;
	}
	if (!db_commit(db))
		return ORDER_LATER;
	return o->asked_at ? ask_and_settle(db, o) : ORDER_OK;
}

#define ANSWER_S 60             /* a worker that asks for so long is dead */

/* Whoever asked died before the answer: nobody was told that it is taken, so it is not. A clock that jumped back counts as over. */
static bool
sweep_unanswered(struct db *db, int64_t now)
{
	struct equipment_order o = { .order_id = db_int(db,
		"SELECT order_id FROM equipment_order WHERE asked_at > 0 AND (asked_at < $1 OR asked_at > $2) LIMIT 1", now - ANSWER_S, now + ANSWER_S) };

	return o.order_id && equipment_reload(db, &o) && drop(db, &o, true);
}

/* Nobody came for it, and its time is over: others may have its pieces. One with a booking ends with that. */
static bool
sweep_uncollected(struct db *db, int64_t now)
{
	struct equipment_order o = { .order_id = db_int(db,
		"SELECT order_id FROM equipment_order WHERE booking_code = '' AND state IN ('ORDERED', 'APPROVED') AND ends_at <= $1 LIMIT 1", now) };
	bool done;

	if (!o.order_id)
		return false;
	db_begin(db);
	done = equipment_end(db, &o, ENDED_BY_MANAGER, "not_collected", 0, 0);
	return db_commit(db) && done;
}

bool
equipment_sweep(struct db *db)
{
	int64_t now = clock_now();

	return sweep_unanswered(db, now) || sweep_uncollected(db, now);
}

/* --- the list --------------------------------------------------------------------------------------------------------- */

static const struct word orders_view_word[] = {
	[ORDERS_ALL]      = { "all",      N_("All orders") },
	[ORDERS_HAND_OUT] = { "hand-out", N_("To hand out today") },
	[ORDERS_DUE]      = { "due",      N_("Due back today") },
	[ORDERS_LATE]     = { "late",     N_("Overdue") },
	[ORDERS_OUT]      = { "out",      N_("With customers") },
	[ORDERS_WAITING]  = { "waiting",  N_("Waiting for approval") },
};
const struct words orders_view_words = WORDS(orders_view_word);

/* $1 view, $2 state or '', $3 pattern, $4 whose (0: all), $5 item (0: any), $6 today, $7 tomorrow, $8 now. Of today are also those that nobody has come for yet. */
#define WANTED \
	ORDER_FROM \
	" WHERE ($4 = 0 OR o.customer_id = $4) AND ($5 = 0 OR o.item_id = $5) AND ($2 = '' OR o.state = $2)" \
	" AND ($3 = '%' OR lower(o.code) LIKE $3 ESCAPE '\\' OR lower(o.item_name) LIKE $3 ESCAPE '\\' OR lower(o.item_name_ko) LIKE $3 ESCAPE '\\'" \
	"  OR u.email LIKE $3 ESCAPE '\\' OR lower(u.name) LIKE $3 ESCAPE '\\')" \
	" AND ($1 = 'all'" \
	"  OR ($1 = 'hand-out' AND o.state = 'APPROVED' AND o.starts_at < $7)" \
	"  OR ($1 = 'due' AND o.state = 'HANDED_OUT' AND o.ends_at >= $6 AND o.ends_at < $7)" \
	"  OR ($1 = 'late' AND o.state = 'HANDED_OUT' AND o.ends_at < $8)" \
	"  OR ($1 = 'out' AND o.state = 'HANDED_OUT')" \
	"  OR ($1 = 'waiting' AND o.state = 'ORDERED')) /*scan*/ /*sort*/"
#define VALUES(q) \
	words_code(&orders_view_words, (q)->view), words_code(&equipment_state_words, (q)->state), db_contains(db, (q)->text), (q)->customer_id, \
	(q)->item_id, (q)->today, (q)->tomorrow, (q)->now

int64_t
orders_count(struct db *db, const struct orders_query *q)
{
	return db_int(db, "SELECT COUNT(*)" WANTED, VALUES(q));
}

/* What is to be done comes by time, all the rest with the newest first. */
int
orders_list(struct db *db, const struct orders_query *q, int64_t offset, int64_t limit, struct equipment_order **orders, int *n)
{
	if (q->view == ORDERS_ALL || q->view == ORDERS_WAITING)
		db_list(db, &equipment_order_shape, orders, n, "SELECT " ORDER_COLUMNS WANTED " ORDER BY o.order_id DESC LIMIT $9 OFFSET $10",
			VALUES(q), limit, offset);
	else if (q->view == ORDERS_HAND_OUT)
		db_list(db, &equipment_order_shape, orders, n, "SELECT " ORDER_COLUMNS WANTED " ORDER BY o.starts_at, o.order_id LIMIT $9 OFFSET $10",
			VALUES(q), limit, offset);
	else
		db_list(db, &equipment_order_shape, orders, n, "SELECT " ORDER_COLUMNS WANTED " ORDER BY o.ends_at, o.order_id LIMIT $9 OFFSET $10",
			VALUES(q), limit, offset);
	for (int i = 0; i < *n; i++)
		complete(&(*orders)[i]);
	return *n;
}

int
item_orders(struct db *db, int64_t item_id, int limit, struct equipment_order **orders, int *n)
{
	db_list(db, &equipment_order_shape, orders, n, "SELECT " ORDER_COLUMNS ORDER_FROM
		" WHERE o.item_id = $1 AND o.state IN ('ORDERED', 'APPROVED', 'HANDED_OUT') ORDER BY o.starts_at, o.order_id LIMIT $2 /*sort*/", item_id, limit);
	for (int i = 0; i < *n; i++)
		complete(&(*orders)[i]);
	return *n;
}
