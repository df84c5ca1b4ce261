/* place - accepting an order: alone, with review's answer where review is asked first, or as part of a paid booking. */
#include "equipment_inside.h"

#include "domain/choices.h"
#include "domain/review_client.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/proc.h"
#include "lib/base/secret.h"

#include <string.h>

/* --- the interval ------------------------------------------------------------------------------------------------- */

const char *
order_interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field)
{
	*field = "starts_at";
	if (starts_at < now - now % RENTAL_STEP_S) /* the current half hour is still possible */
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

/* --- placing ------------------------------------------------------------------------------------------------------ */

static bool
order_has_key(const struct equipment_request *q)
{
	return *text_or_empty(q->request_key);
}

/* ORDER_OK: the key is new, or was freed because review could not be asked. */
static enum order_outcome
outcome_of_key(struct db *db, const struct equipment_request *q, struct equipment_order *o)
{
	int64_t order_id = order_has_key(q) ? db_int(db,
				   "SELECT order_id FROM equipment_order WHERE customer_id = $1 AND request_key = $2"
				   " AND request_key <> ''",
				   q->customer_id, q->request_key)
					    : 0;

	if (!order_id || !equipment_find(db, order_id, q->customer_id, o))
		return ORDER_OK;
	if (!db_exists(db, "SELECT 1 FROM equipment_order WHERE order_id = $1 AND request_hash = $2", order_id,
		    q->request_hash))
		return ORDER_KEY_REUSED;
	if (o->asked_at)
		return ORDER_IN_PROGRESS;
	return o->state == EQUIPMENT_REJECTED ? ORDER_REFUSED : ORDER_AGAIN;
}

/* Inside the transaction: checks, then the row. */
static enum order_outcome
accept_order(struct db *db, const struct equipment_request *q, struct equipment_order *o, int64_t *n_free)
{
	struct item item;
	enum order_outcome known = outcome_of_key(db, q, o);

	if (known != ORDER_OK)
		return known;
	db_lock(db, "item", q->item_id);
	if (!item_find(db, q->item_id, &item) || !item.is_offered)
		return ORDER_NO_ITEM;
	*n_free = stock_free(db, q->item_id, q->starts_at, q->ends_at, clock_now());
	if (*n_free < q->quantity)
		return ORDER_OUT_OF_STOCK;
	*o = (struct equipment_order){
		.code = secret_code(db_memory(db), "EQ-"),
		.booking_code = "",
		.customer_id = q->customer_id,
		.item_id = item.item_id,
		.item_name = item.name,
		.item_name_ko = item.name_ko,
		.quantity = q->quantity,
		.starts_at = q->starts_at,
		.ends_at = q->ends_at,
		.daily_price = item.daily_price,
		.currency = settings.currency,
		.amount = item.daily_price * q->quantity * equipment_days(q->starts_at, q->ends_at),
		.asked_at = item.is_sync ? clock_now() : 0,
	};
	order_insert(db, o, order_has_key(q) ? q->request_key : "", order_has_key(q) ? q->request_hash : "", 0);
	return ORDER_OK;
}

/* --- review's answer (sync) --------------------------------------------------------------------------------------- */

/* Without an answer the order was never accepted. equipment.cancelled only when review may have got the request: it
 * closes the case. */
static bool
drop_order(struct db *db, struct equipment_order *o, bool may_have_arrived)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE equipment_order SET state = 'CANCELLED', end_reason = 'later', ended_at = $2, asked_at = 0,"
		" request_key = ''"
		" WHERE order_id = $1 AND state = 'ORDERED' AND asked_at > 0",
		o->order_id, clock_now());
	order_reload(db, o);
	if (n == 1 && may_have_arrived)
		order_report(db, o, ENDED_BY_NONE, 0, 0);
	return db_commit(db) && n == 1;
}

static enum order_outcome
outcome_of_state(struct db *db, struct equipment_order *o)
{
	order_reload(db, o);
	return o->state == EQUIPMENT_REJECTED     ? ORDER_REFUSED
		: o->state == EQUIPMENT_CANCELLED ? ORDER_LATER
						  : ORDER_OK;
}

/* The order is reported only after review has answered. Its event (policy.c) may have been handled before its answer
 * arrived. */
static enum order_outcome
apply_answer(struct db *db, struct equipment_order *o, enum review_answer answer, const char *reason)
{
	switch (answer) {
	case REVIEW_ANSWER_APPROVED:
	case REVIEW_ANSWER_QUEUED:
	case REVIEW_ANSWER_REJECTED:
		db_begin(db);
		order_report_late(db, o, 0);
		if (answer == REVIEW_ANSWER_APPROVED)
			order_approve(db, o, 0);
		else if (answer == REVIEW_ANSWER_REJECTED)
			order_reject(db, o, reason, 0);
		if (!db_commit(db))
			return ORDER_LATER;
		break;
	case REVIEW_ANSWER_NOT_ASKED: drop_order(db, o, false); break;
	case REVIEW_ANSWER_CLOSED:
	case REVIEW_ANSWER_UNKNOWN: drop_order(db, o, true); break;
	}
	return outcome_of_state(db, o);
}

static enum order_outcome
open_case_and_apply(struct db *db, struct equipment_order *o)
{
	const char *reason = "";
	const struct review_request request = {
		.key = o->code,
		.subject_id = equipment_subject(o),
		.applicant_id = o->customer_id,
		.item_name = o->item_name,
		.item_name_ko = o->item_name_ko,
		.category = o->category,
		.quantity = o->quantity,
		.amount = o->amount,
		.currency = o->currency,
	};
	enum review_answer answer = review_client->open(db, &request, &reason);

	return apply_answer(db, o, answer, reason);
}

#define LATER_S 5

int
equipment_later_s(void)
{
	int s = review_closed_for_s();

	return s ? s : LATER_S;
}

/* Review would be asked and its breaker is open: nothing is written that would have to be undone. */
static bool
review_is_unreachable(struct db *db, int64_t item_id)
{
	return review_closed_for_s()
		&& category_is_sync(db_text(db, "SELECT category FROM item WHERE item_id = $1", item_id));
}

/* The process that waits for review has ended: this one asks in its place; review gives the same key the same answer.
 * false: it has not, or another process does. */
static bool
take_over_order(struct db *db, struct equipment_order *o)
{
	const char *by =
		text_or_empty(db_text(db, "SELECT asked_by FROM equipment_order WHERE order_id = $1", o->order_id));

	return proc_stamp_is_ended(by)
		&& db_do(db,
			   "UPDATE equipment_order SET asked_at = $2, asked_by = $3 WHERE order_id = $1"
			   " AND state = 'ORDERED' AND asked_at > 0 AND asked_by = $4",
			   o->order_id, clock_now(), proc_stamp(db_memory(db)), by)
		== 1;
}

enum order_outcome
equipment_place(struct db *db, const struct equipment_request *q, struct equipment_order *o, int64_t *n_free)
{
	const char *field;
	enum order_outcome outcome = ORDER_OK;

	if (order_interval_problem(q->starts_at, q->ends_at, clock_now(), &field))
		outcome = ORDER_BAD_INTERVAL;
	else if (review_is_unreachable(db, q->item_id))
		outcome = ORDER_LATER;
	if (outcome != ORDER_OK) { /* the same request again is answered as before */
		enum order_outcome known = outcome_of_key(db, q, o);

		return known == ORDER_OK ? outcome : known;
	}
	db_begin(db);
	outcome = accept_order(db, q, o, n_free);
	if (outcome != ORDER_OK) {
		db_rollback(db);
		return outcome == ORDER_IN_PROGRESS && take_over_order(db, o) ? open_case_and_apply(db, o) : outcome;
	}
	if (!db_commit(db))
		return ORDER_LATER;
	return o->asked_at ? open_case_and_apply(db, o) : ORDER_OK;
}

/* --- with a booking ----------------------------------------------------------------------------------------------- */

/* Review may have decided before the order was written here: booking asks it before the payment. */
static void
apply_earlier_decision(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	const char *state = text_or_empty(db_text(db, "SELECT state FROM v_review_case WHERE key = $1", o->code));

	if (strcmp(state, "APPROVED") == 0)
		order_approve(db, o, causation_id);
	else if (strcmp(state, "REJECTED") == 0)
		order_reject(
			db, o, db_text(db, "SELECT reason FROM v_review_case WHERE key = $1", o->code), causation_id);
}

/* booking: code, customer, currency and interval. The price of a piece and day is the one that was paid. */
bool
order_place_booked(
	struct db *db, const struct equipment_order *booking, const struct booked_equipment *x, int64_t causation_id)
{
	int64_t pieces_and_days = x->quantity * equipment_days(booking->starts_at, booking->ends_at);
	struct equipment_order o = *booking;
	struct item item;

	if (db_exists(db,
		    "SELECT 1 FROM equipment_order WHERE booking_code = $1 AND line_no = $2 AND booking_code <> ''",
		    booking->booking_code, x->line_no))
		return true;
	if (!item_find(db, x->ref_id, &item))
		return false;
	o.code = arena_printf(db_memory(db), "%s-%lld", booking->booking_code, (long long)x->line_no);
	o.line_no = x->line_no;
	o.item_id = item.item_id;
	o.item_name = item.name;
	o.item_name_ko = item.name_ko;
	o.quantity = x->quantity;
	o.amount = x->amount;
	o.daily_price = pieces_and_days > 0 ? x->amount / pieces_and_days : 0;
	order_insert(db, &o, "", "", causation_id);
	apply_earlier_decision(db, &o, causation_id);
	return true;
}

/* --- what becomes due --------------------------------------------------------------------------------------------- */

#define ANSWER_S 60             /* after that the worker that called review is gone */

/* The worker died before the answer, so the customer was not told: the order is dropped. A clock that was set back
 * counts as over. */
static bool
sweep_unanswered(struct db *db, int64_t now)
{
	struct equipment_order o = {
		.order_id = db_int(db,
			"SELECT order_id FROM equipment_order WHERE asked_at > 0 AND (asked_at < $1 OR asked_at > $2)"
			" LIMIT 1",
			now - ANSWER_S, now + ANSWER_S)
	};

	return o.order_id && order_reload(db, &o) && drop_order(db, &o, true);
}

/* Its time is over and it was not collected: its pieces are free. An order with a booking ends with that. */
static bool
sweep_uncollected(struct db *db, int64_t now)
{
	struct equipment_order o = { .order_id = db_int(db,
					     "SELECT order_id FROM equipment_order WHERE length(booking_code) = 0"
					     " AND state IN ('ORDERED', 'APPROVED') AND ends_at <= $1 LIMIT 1",
					     now) };
	bool done;

	if (!o.order_id)
		return false;
	db_begin(db);
	done = order_end(db, &o, ENDED_BY_MANAGER, "not_collected", 0, 0);
	return db_commit(db) && done;
}

bool
equipment_sweep(struct db *db)
{
	int64_t now = clock_now();

	return sweep_unanswered(db, now) || sweep_uncollected(db, now);
}
