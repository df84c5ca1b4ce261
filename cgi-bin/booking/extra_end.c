/*
 * extra_end - an extra that will not be had while the booking goes on: the dispatcher takes a delivery back, an order of equipment is
 * refused or given up. Its whole price goes back, by the sweep, under a refund key of its own; the rest of the booking stays as it is.
 */
#include "booking.h"
#include "booking_steps.h"
#include "payment_client.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 20
#define ROUND_MS 2000

/* --- what we say of it ---------------------------------------------------------------------------------------------------- */

struct extra_told {
	const char *code, *label, *label_ko, *currency, *reason;
	int kind;
	int64_t customer_id, line_no, refund_due, refunded_amount;
};
static const struct member ended_members[] = {
	SHAPE_TEXT(extra_told, code), SHAPE_INT(extra_told, customer_id), SHAPE_INT(extra_told, line_no),
	SHAPE_STATE(extra_told, kind, extra_kind_words), SHAPE_TEXT(extra_told, label), SHAPE_TEXT(extra_told, label_ko),
	SHAPE_AMOUNT(extra_told, refund_due), SHAPE_TEXT(extra_told, currency), SHAPE_TEXT(extra_told, reason),
};
static const struct member refunded_members[] = {
	SHAPE_TEXT(extra_told, code), SHAPE_INT(extra_told, customer_id), SHAPE_INT(extra_told, line_no),
	SHAPE_STATE(extra_told, kind, extra_kind_words), SHAPE_TEXT(extra_told, label), SHAPE_TEXT(extra_told, label_ko),
	SHAPE_AMOUNT(extra_told, refunded_amount), SHAPE_TEXT(extra_told, currency),
};
static const struct shape ended_shape = SHAPE(extra_told, ended_members);
static const struct shape refunded_shape = SHAPE(extra_told, refunded_members);

static void
tell(struct db *db, const struct booking *b, const struct booking_extra *x, const char *type, const struct shape *shape, int64_t causation_id)
{
	struct event e = { .type = type, .subject_id = b->code, .causation_id = causation_id };
	struct extra_told told = {
		.code = b->code, .label = x->label, .label_ko = x->label_ko, .currency = b->currency, .reason = x->end_reason, .kind = x->kind,
		.customer_id = b->customer_id, .line_no = x->line_no, .refund_due = x->refund_due, .refunded_amount = x->refunded_amount,
	};

	event_emit(db, &e, shape, &told);
}

/* --- it ends -------------------------------------------------------------------------------------------------------------- */

/* A booking that is given back or was never to be had returns its extras' prices with its own. */
static bool
pays_back_extras(const struct booking *b)
{
	return b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED || b->state == BOOKING_OUT || b->state == BOOKING_RETURNED || b->state == BOOKING_COMPLETED || b->state == BOOKING_NO_SHOW;
}

void
booking_extra_end(struct db *db, struct booking *b, struct booking_extra *x, const char *reason, int64_t causation_id)
{
	int64_t now = clock_now();

	if (!pays_back_extras(b) || !db_do(db,
	        "UPDATE booking_extra SET state = 'ENDED', end_reason = $3, ended_at = $4, refund_due = amount, refund_state = $5, refund_next_at = $4"
	        " WHERE booking_id = $1 AND line_no = $2 AND state = 'BOOKED'",
	        b->booking_id, x->line_no, reason, now, x->amount ? "PENDING" : "NONE"))
		return;
	x->state = EXTRA_ENDED;
	x->end_reason = reason;
	x->ended_at = now;
	x->refund_due = x->amount;
	x->refund_state = x->amount ? REFUND_PENDING : REFUND_NONE;
	tell(db, b, x, "booking.extra_ended", &ended_shape, causation_id);
}

void
booking_extras_end(struct db *db, struct booking *b, enum extra_kind kind, const char *reason, int64_t causation_id)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].kind == (int)kind)
			booking_extra_end(db, b, &b->extras[i], reason, causation_id);
}

struct booking_extra *
booking_extra_of_line(struct booking *b, int64_t line_no)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].line_no == line_no)
			return &b->extras[i];
	return NULL;
}

int64_t
booking_extras_gone(const struct booking *b)
{
	int64_t amount = 0;

	for (int i = 0; i < b->n_extras; i++)
		amount += b->extras[i].refund_due;
	return amount;
}

/* --- its price goes back -------------------------------------------------------------------------------------------------- */

struct booking_extra *
booking_extra_of_refund(struct booking *b, const char *refund_key)
{
	size_t n = strlen(b->code);

	if (!refund_key || strncmp(refund_key, b->code, n) != 0 || strncmp(refund_key + n, "-extra-", 7) != 0)
		return NULL;
	return booking_extra_of_line(b, atoll(refund_key + n + 7));
}

bool
booking_extra_refunded(struct db *db, struct booking *b, struct booking_extra *x, int64_t causation_id)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking_extra SET refund_state = 'DONE', refunded_amount = refund_due, last_error = ''"
		" WHERE booking_id = $1 AND line_no = $2 AND refund_state = 'PENDING'", b->booking_id, x->line_no);
	if (n == 1) {
		x->refund_state = REFUND_DONE;
		x->refunded_amount = x->refund_due;
		x->last_error = "";
		tell(db, b, x, "booking.extra_refunded", &refunded_shape, causation_id);
	}
	return db_commit(db) && n == 1;
}

void
booking_sweep_extra(struct db *db, struct booking *b, struct booking_extra *x)
{
	enum refund_answer answer;
	int64_t refunded = 0;
	struct payback back = {
		.key = arena_printf(db_memory(db), "%s-extra-%lld", b->code, (long long)x->line_no), .amount = x->refund_due, .reason = "extra",
	};

	if (x->refund_state != REFUND_PENDING)
		return;
	db_do(db, "UPDATE booking_extra SET refund_tries = refund_tries + 1, refund_next_at = $3"
	      " WHERE booking_id = $1 AND line_no = $2 AND refund_state = 'PENDING'",
	      b->booking_id, x->line_no, clock_now() + pause_s(x->refund_tries + 1, PAUSE_MAX_S));
	answer = payments->refund(db, b, &back, &refunded);
	if (answer == REFUND_ANSWER_DONE)
		booking_extra_refunded(db, b, x, 0);
	else
		db_do(db, "UPDATE booking_extra SET last_error = $3 WHERE booking_id = $1 AND line_no = $2 AND last_error <> $3",
		      b->booking_id, x->line_no, booking_refund_error(answer));
}

struct due_extra { int64_t line_no; const char *code; };
static const struct member due_extra_members[] = { SHAPE_INT(due_extra, line_no), SHAPE_TEXT(due_extra, code) };
static const struct shape due_extra_shape = SHAPE(due_extra, due_extra_members);

int
booking_sweep_extras(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking_extra *x;
	struct due_extra *due = NULL;
	struct booking b;
	int n = 0;

	db_list(db, &due_extra_shape, &due, &n,
		"SELECT x.line_no, b.code FROM booking_extra x /*scan*/ JOIN booking b ON b.booking_id = x.booking_id"
		" WHERE x.refund_state = 'PENDING' AND (x.refund_next_at <= $1 OR x.refund_next_at > $2) ORDER BY x.refund_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (booking_find(db, due[i].code, 0, &b) && (x = booking_extra_of_line(&b, due[i].line_no)))
			booking_sweep_extra(db, &b, x);
	}
	return n;
}
