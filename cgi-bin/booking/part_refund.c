/*
 * part_refund - from its start on, a manager can give back any part of a booking's price, with a reason and words to
 * the customer; the booking stays as it is. Each is a row first and then a refund of its charge (CODE-refund-N), for
 * which the sweep asks until payment has made it. The booking's own refund, those of its extras and the parts are
 * together at most the price: the schema refuses more.
 */
#include "booking.h"
#include "booking_steps.h"
#include "payment_client.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>


static const struct member part_refund_members[] = {
	SHAPE_INT(part_refund, refund_no), SHAPE_AMOUNT(part_refund, amount), SHAPE_TEXT(part_refund, reason),
	SHAPE_TEXT(part_refund, note), SHAPE_STATE(part_refund, refund_state, refund_state_words),
	SHAPE_TIME(part_refund, asked_at), SHAPE_INT(part_refund, asked_by), SHAPE_TEXT(part_refund, asked_by_name),
	SHAPE_INT(part_refund, refund_tries), SHAPE_TEXT(part_refund, last_error),
};
const struct shape part_refund_shape = SHAPE(part_refund, part_refund_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

void
booking_refunds_read(struct db *db, struct booking *b)
{
	b->refunds = NULL;
	b->n_refunds = 0;
	b->outside_amount = 0;
	if (!b->paid_at)
		return;
	db_list(db, &part_refund_shape, &b->refunds, &b->n_refunds,
		"SELECT p.refund_no, p.amount, p.reason, p.note, p.refund_state, p.asked_at, p.asked_by,"
		" p.refund_tries, p.last_error,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = p.asked_by), '')"
		" AS asked_by_name FROM part_refund p WHERE p.booking_id = $1 ORDER BY p.refund_no",
		b->booking_id);
	b->outside_amount = db_int(db, "SELECT outside_amount FROM v_charge WHERE charge_id = $1", b->charge_id);
}

int64_t
booking_refunds_due(const struct booking *b)
{
	int64_t amount = booking_extras_refund(b);

	for (int i = 0; i < b->n_refunds; i++)
		amount += b->refunds[i].amount;
	return amount;
}

struct part_refund *
booking_part_of_number(struct booking *b, int64_t refund_no)
{
	for (int i = 0; i < b->n_refunds; i++)
		if (b->refunds[i].refund_no == refund_no)
			return &b->refunds[i];
	return NULL;
}

struct part_refund *
booking_part_of_refund(struct booking *b, const char *refund_key)
{
	return booking_part_of_number(b, booking_refund_number(b, "refund", refund_key));
}

/* --- what is left ------------------------------------------------------------------------------------------------- */

static bool
may_refund_part(const struct booking *b)
{
	switch ((enum booking_state)b->state) {
	case BOOKING_CONFIRMED: return clock_now() >= b->starts_at && !b->cancel_asked_at;
	case BOOKING_OUT:
	case BOOKING_RETURNED:
	case BOOKING_COMPLETED: return true;
	case BOOKING_NO_SHOW: return !b->undo_until && b->refund_state != REFUND_PENDING;
	case BOOKING_CANCELLED: return b->refund_state != REFUND_PENDING;
	case BOOKING_HELD:
	case BOOKING_PAID:
	case BOOKING_CANCEL_REQUESTED: /* its own refund comes first */
	case BOOKING_EXPIRED:
	case BOOKING_REJECTED: break; /* all is refunded */
	}
	return false;
}

int64_t
part_refund_left(const struct booking *b)
{
	int64_t left = b->amount - b->refund_due - booking_refunds_due(b) - b->outside_amount;

	return may_refund_part(b) && left > 0 ? left : 0;
}

/* --- giving back -------------------------------------------------------------------------------------------------- */

/* true: the key came before, and *outcome is what came of it. */
static bool
was_asked_before(struct db *db, struct booking *b, const struct part_refund_order *o, enum part_refund_outcome *outcome)
{
	int64_t refund_no = !*text_or_empty(o->request_key)
		? 0
		: db_int(db, "SELECT refund_no FROM part_refund WHERE booking_id = $1 AND request_key = $2",
			b->booking_id, o->request_key);
	const struct part_refund *r = booking_part_of_number(b, refund_no);

	if (!r)
		return false;
	*outcome = r->amount != o->amount || strcmp(r->reason, o->reason) != 0 || strcmp(r->note, o->note) != 0
		? PART_REFUND_KEY_REUSED
		: r->refund_state == REFUND_DONE ? PART_REFUND_DONE
						 : PART_REFUND_PENDING;
	return true;
}

static int64_t
insert_part(struct db *db, struct booking *b, const struct part_refund_order *o)
{
	int64_t now = clock_now();

	return db_int(db,
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by,"
		" refund_next_at, request_key)"
		" SELECT $1, (SELECT COALESCE(MAX(p.refund_no), 0) + 1 FROM part_refund p WHERE p.booking_id = $1), $2,"
		" $3, $4, $5, $6, $7, $8 RETURNING refund_no",
		b->booking_id, o->amount, o->reason, o->note, now, o->actor_id, now + OWN_TRY_S,
		text_or_empty(o->request_key));
}

/* Inside the transaction, on what is in the tables now. *refund_no is the new one, else 0. */
static enum part_refund_outcome
decide_part(struct db *db, struct booking *b, const struct part_refund_order *o, int64_t *refund_no)
{
	enum part_refund_outcome outcome;

	*refund_no = 0;
	booking_reload(db, b);
	booking_extras_read(db, b);
	booking_refunds_read(db, b);
	if (was_asked_before(db, b, o, &outcome))
		return outcome;
	if (!may_refund_part(b))
		return PART_REFUND_WRONG_STATE;
	if (o->amount > part_refund_left(b))
		return PART_REFUND_TOO_MUCH;
	*refund_no = insert_part(db, b, o);
	booking_refunds_read(db, b);
	booking_report_part(db, EVENT_BOOKING_REFUND_GRANTED, b, booking_part_of_number(b, *refund_no), 0, o->actor_id);
	return PART_REFUND_PENDING;
}

enum part_refund_outcome
booking_refund_part(struct db *db, struct booking *b, const struct part_refund_order *o)
{
	enum part_refund_outcome outcome;
	struct part_refund *r;
	int64_t refund_no;

	db_begin(db);
	outcome = decide_part(db, b, o, &refund_no);
	if (!db_commit(db) || !refund_no)
		return outcome;
	r = booking_part_of_number(b, refund_no);
	booking_try_part_refund(db, b, r);
	return r->refund_state == REFUND_DONE ? PART_REFUND_DONE : PART_REFUND_PENDING;
}

bool
booking_part_refund_done(struct db *db, struct booking *b, struct part_refund *r, int64_t causation_id)
{
	bool done;

	db_begin(db);
	done = db_do(db,
		       "UPDATE part_refund SET refund_state = 'DONE', last_error = ''"
		       " WHERE booking_id = $1 AND refund_no = $2 AND refund_state = 'PENDING'",
		       b->booking_id, r->refund_no)
		== 1;
	if (done) {
		r->refund_state = REFUND_DONE;
		r->last_error = "";
		booking_report_part(db, EVENT_BOOKING_PART_REFUNDED, b, r, causation_id, 0);
	}
	return db_commit(db) && done;
}

void
booking_try_part_refund(struct db *db, struct booking *b, struct part_refund *r)
{
	enum refund_answer answer;
	int64_t refunded = 0;
	struct booking_refund refund = {
		.key = booking_refund_key(db_memory(db), b, "refund", r->refund_no),
		.charge_key = booking_charge_key(db_memory(db), b),
		.amount = r->amount,
		.reason = r->reason,
	};

	if (r->refund_state != REFUND_PENDING)
		return;
	db_do(db,
		"UPDATE part_refund SET refund_tries = refund_tries + 1, refund_next_at = $3"
		" WHERE booking_id = $1 AND refund_no = $2 AND refund_state = 'PENDING'",
		b->booking_id, r->refund_no, clock_now() + pause_s(r->refund_tries + 1, PAUSE_MAX_S));
	answer = payment_client->refund(db, b, &refund, &refunded);
	if (answer == REFUND_ANSWER_DONE) {
		booking_part_refund_done(db, b, r, 0);
		r->refund_state = REFUND_DONE; /* by this process, or by another one meanwhile */
	} else {
		db_do(db,
			"UPDATE part_refund SET last_error = $3 WHERE booking_id = $1 AND refund_no = $2"
			" AND last_error <> $3 AND refund_state = 'PENDING'",
			b->booking_id, r->refund_no, refund_answer_code(answer));
	}
}

/* --- the sweep ---------------------------------------------------------------------------------------------------- */

struct due_part { int64_t refund_no; const char *code; };
static const struct member due_part_members[] = { SHAPE_INT(due_part, refund_no), SHAPE_TEXT(due_part, code) };
static const struct shape due_part_shape = SHAPE(due_part, due_part_members);

int
sweep_part_refunds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due_part *due = NULL;
	struct part_refund *r;
	struct booking b;
	int n = 0;

	db_list(db, &due_part_shape, &due, &n,
		"SELECT p.refund_no, b.code FROM part_refund p /*scan*/ JOIN booking b ON b.booking_id = p.booking_id"
		" WHERE p.refund_state = 'PENDING' AND (p.refund_next_at <= $1 OR p.refund_next_at > $2)"
		" ORDER BY p.refund_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (booking_find(db, due[i].code, 0, &b) && (r = booking_part_of_number(&b, due[i].refund_no)))
			booking_try_part_refund(db, &b, r);
	}
	return n;
}
