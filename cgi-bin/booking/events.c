/* events - what booking reports, and what each of its events carries (docs/events.md); with the tables that booking may
 * write. */
#include "booking.h"
#include "booking_steps.h"

const struct db_role booking_role = {
	.name = "booking",
	.owns = "booking booking_line booking_car booking_extra booking_delivery booking_try part_refund custody slot"
		" terms terms_version position event_retry",
};

/* --- of a booking: each payload is a part of struct booking ------------------------------------------------------- */

static const struct member held_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_TEXT_KO(booking, car_name), SHAPE_TEXT(booking, plate), SHAPE_TEXT(booking, body),
	SHAPE_INT(booking, branch_id), SHAPE_TEXT_KO(booking, branch_name), SHAPE_TIME(booking, starts_at),
	SHAPE_TIME(booking, ends_at), SHAPE_AMOUNT(booking, amount), SHAPE_AMOUNT(booking, vat_amount),
	SHAPE_TEXT(booking, currency), SHAPE_TIME(booking, hold_until), SHAPE_INT(booking, model_id),
	SHAPE_INT(booking, n_cars), SHAPE_LIST_AS(booking, cars, more_cars, n_more_cars, booking_car_shape),
	SHAPE_LIST(booking, lines, booking_line_shape), SHAPE_INT(booking, terms_version),
};
static const struct shape held_shape = SHAPE(booking, held_members);

static const struct member paid_extra_members[] = {
	SHAPE_INT(booking_extra, line_no), SHAPE_STATE(booking_extra, kind, extra_kind_words),
	SHAPE_INT(booking_extra, ref_id), SHAPE_INT(booking_extra, quantity), SHAPE_AMOUNT(booking_extra, amount),
	SHAPE_TEXT(booking_extra, label), SHAPE_TEXT(booking_extra, label_ko),
};
static const struct shape paid_extra_shape = SHAPE(booking_extra, paid_extra_members);

static const struct member paid_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_TIME(booking, starts_at), SHAPE_TIME(booking, ends_at), SHAPE_AMOUNT(booking, amount),
	SHAPE_TEXT(booking, currency), SHAPE_INT(booking, charge_id), SHAPE_INT(booking, n_cars),
	SHAPE_LIST_AS(booking, cars, more_cars, n_more_cars, booking_car_shape),
	SHAPE_LIST(booking, extras, paid_extra_shape),
};
static const struct shape paid_shape = SHAPE(booking, paid_members);

static const struct member ended_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_AMOUNT(booking, refund_due), SHAPE_AMOUNT(booking, refunded_amount), SHAPE_TEXT(booking, currency),
	{ .name = "reason", .kind = KIND_TEXT, .offset = SHAPE_AT(booking, end_reason, const char *) },
};
static const struct shape ended_shape = SHAPE(booking, ended_members);

/* Of a paid one. */
static const struct member cancelled_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_AMOUNT(booking, refund_due), SHAPE_AMOUNT(booking, refunded_amount), SHAPE_TEXT(booking, currency),
	{ .name = "reason", .kind = KIND_TEXT, .offset = SHAPE_AT(booking, end_reason, const char *) },
	SHAPE_STATE(booking, cancel_by, cancel_by_words), SHAPE_TEXT(booking, cancel_reason),
	SHAPE_AMOUNT(booking, compensation_due),
};
static const struct shape cancelled_shape = SHAPE(booking, cancelled_members);

static const struct member step_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_TIME(booking, starts_at), SHAPE_TIME(booking, ends_at),
};
static const struct shape step_shape = SHAPE(booking, step_members);

static const struct member moved_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_INT(booking, branch_id), SHAPE_TEXT_KO(booking, branch_name), SHAPE_TIME(booking, starts_at),
	SHAPE_TIME(booking, ends_at),
};
static const struct shape moved_shape = SHAPE(booking, moved_members);
/* Not picked up, returned: until when that can be undone. */
static const struct member undoable_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id),
	SHAPE_TIME(booking, starts_at), SHAPE_TIME(booking, ends_at), SHAPE_TIME(booking, undo_until),
};
static const struct shape undoable_shape = SHAPE(booking, undoable_members);

static const struct shape *const booking_payload[N_EVENT_TYPES] = {
	[EVENT_BOOKING_HELD]             = &held_shape,
	[EVENT_BOOKING_PAID]             = &paid_shape,
	[EVENT_BOOKING_EXPIRED]          = &ended_shape,
	[EVENT_BOOKING_CONFIRMED]        = &step_shape,
	[EVENT_BOOKING_HANDED_OUT]       = &step_shape,
	[EVENT_BOOKING_MOVED]            = &moved_shape,
	[EVENT_BOOKING_RETURNED]         = &undoable_shape,
	[EVENT_BOOKING_RETURN_UNDONE]    = &step_shape,
	[EVENT_BOOKING_COMPLETED]        = &step_shape,
	[EVENT_BOOKING_NO_SHOW]          = &undoable_shape,
	[EVENT_BOOKING_NO_SHOW_UNDONE]   = &step_shape,
	[EVENT_BOOKING_NO_SHOW_FINAL]    = &ended_shape,
	[EVENT_BOOKING_CANCEL_REQUESTED] = &cancelled_shape,
	[EVENT_BOOKING_CANCELLED]        = &cancelled_shape,
	[EVENT_BOOKING_REJECTED]         = &cancelled_shape,
	[EVENT_BOOKING_REFUNDED]         = &ended_shape,
};

void
booking_report(struct db *db, enum event_type_id type, const struct booking *b, int64_t causation_id, int64_t actor_id)
{
	const struct event e = { .subject_id = b->code, .causation_id = causation_id, .actor_id = actor_id };

	event_report(db, type, &e, booking_payload[type], b);
}

/* --- of an extra -------------------------------------------------------------------------------------------------- */

struct extra_report {
	const char *code, *label, *label_ko, *currency, *reason, *note;
	int kind;
	int64_t customer_id, line_no, refund_due, refunded_amount;
};
#define WHICH_EXTRA \
	SHAPE_TEXT(extra_report, code), SHAPE_INT(extra_report, customer_id), SHAPE_INT(extra_report, line_no), \
	SHAPE_STATE(extra_report, kind, extra_kind_words), SHAPE_TEXT(extra_report, label), \
	SHAPE_TEXT(extra_report, label_ko)

static const struct member extra_ended_members[] = {
	WHICH_EXTRA, SHAPE_AMOUNT(extra_report, refund_due), SHAPE_TEXT(extra_report, currency),
	SHAPE_TEXT(extra_report, reason),
	SHAPE_TEXT(extra_report, note),
};
static const struct member extra_refunded_members[] = {
	WHICH_EXTRA, SHAPE_AMOUNT(extra_report, refunded_amount), SHAPE_TEXT(extra_report, currency),
};
static const struct shape extra_ended_shape = SHAPE(extra_report, extra_ended_members);
static const struct shape extra_refunded_shape = SHAPE(extra_report, extra_refunded_members);

static struct extra_report
extra_report(const struct booking *b, const struct booking_extra *x)
{
	return (struct extra_report){
		.code = b->code,
		.label = x->label,
		.label_ko = x->label_ko,
		.currency = b->currency,
		.kind = x->kind,
		.customer_id = b->customer_id,
		.line_no = x->line_no,
		.refund_due = x->refund_due,
		.refunded_amount = x->refunded_amount,
	};
}

void
booking_report_extra_ended(struct db *db, const struct booking *b, const struct booking_extra *x, const char *reason,
	const char *note, int64_t causation_id)
{
	const struct event e = { .subject_id = b->code, .causation_id = causation_id };
	struct extra_report r = extra_report(b, x);

	r.reason = reason;
	r.note = note;
	event_report(db, EVENT_BOOKING_EXTRA_ENDED, &e, &extra_ended_shape, &r);
}

void
booking_report_extra_refunded(
	struct db *db, const struct booking *b, const struct booking_extra *x, int64_t causation_id)
{
	const struct event e = { .subject_id = b->code, .causation_id = causation_id };
	const struct extra_report r = extra_report(b, x);

	event_report(db, EVENT_BOOKING_EXTRA_REFUNDED, &e, &extra_refunded_shape, &r);
}

/* --- of the firm's documents -------------------------------------------------------------------------------------- */

struct terms_report { const char *kind; int64_t version; };
static const struct member terms_published_members[] = {
	SHAPE_TEXT(terms_report, kind), SHAPE_INT(terms_report, version),
};
static const struct shape terms_published_shape = SHAPE(terms_report, terms_published_members);

void
booking_report_terms(struct db *db, const char *kind, int64_t version, int64_t actor_id)
{
	const struct event e = { .subject_id = arena_printf(db_memory(db), "terms:%s", kind), .actor_id = actor_id };
	const struct terms_report r = { kind, version };

	event_report(db, EVENT_BOOKING_TERMS_PUBLISHED, &e, &terms_published_shape, &r);
}

/* --- of a part of its price --------------------------------------------------------------------------------------- */

struct part_report { const char *code, *currency, *reason; int64_t customer_id, refund_no, amount; };
static const struct member part_report_members[] = {
	SHAPE_TEXT(part_report, code), SHAPE_INT(part_report, customer_id), SHAPE_INT(part_report, refund_no),
	SHAPE_AMOUNT(part_report, amount), SHAPE_TEXT(part_report, currency), SHAPE_TEXT(part_report, reason),
};
static const struct shape part_report_shape = SHAPE(part_report, part_report_members);

void
booking_report_part(struct db *db, enum event_type_id type, const struct booking *b, const struct part_refund *r,
	int64_t causation_id, int64_t actor_id)
{
	const struct event e = { .subject_id = b->code, .causation_id = causation_id, .actor_id = actor_id };
	const struct part_report report = {
		.code = b->code,
		.customer_id = b->customer_id,
		.refund_no = r->refund_no,
		.amount = r->amount,
		.currency = b->currency,
		.reason = r->reason,
	};

	event_report(db, type, &e, &part_report_shape, &report);
}
