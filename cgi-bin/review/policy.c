/*
 * policy - what review does when other contexts report something.
 *
 * equipment.ordered opens the order's case, or finds the one it was accepted with (sync). The end of an order, or of
 * its booking, closes the case; also one opened for a booking whose payment then failed, which never got an order. An
 * event handled twice changes nothing.
 */
#include "review.h"

#include "domain/event_types.h"
#include "lib/base/log.h"

#define LINES_MAX 32            /* a booking has fewer */

/* The members read of an order's events. */
struct ordered_payload {
	const char *order_code, *item_name, *item_name_ko, *category, *currency;
	int64_t customer_id, quantity, amount;
};
static const struct member ordered_payload_members[] = {
	SHAPE_TEXT(ordered_payload, order_code), SHAPE_TEXT(ordered_payload, item_name),
	SHAPE_TEXT(ordered_payload, item_name_ko), SHAPE_TEXT(ordered_payload, category),
	SHAPE_TEXT(ordered_payload, currency), SHAPE_INT(ordered_payload, customer_id),
	SHAPE_INT(ordered_payload, quantity), SHAPE_AMOUNT(ordered_payload, amount),
};
static const struct shape ordered_payload_shape = SHAPE(ordered_payload, ordered_payload_members);

static bool
read_ordered(struct db *db, const struct event *e, struct ordered_payload *o)
{
	*o = (struct ordered_payload){ .item_name = "", .item_name_ko = "", .category = "", .currency = "" };
	return event_read(db_memory(db), e, &ordered_payload_shape, o) && o->order_code && o->item_name;
}

/* "2 × Child seat"; no name, no title. */
static const char *
title_of(struct db *db, const struct ordered_payload *o, const char *name)
{
	return name && *name ? arena_printf(db_memory(db), "%lld × %s", (long long)o->quantity, name) : "";
}

/* A person may have decided a sync case before the order was written, so equipment found no order: the decision is
 * reported again. */
static bool
review_on_equipment_ordered(struct db *db, const struct event *e)
{
	struct ordered_payload o;
	struct review_case c;
	bool was_there;

	if (!read_ordered(db, e, &o))
		return false;
	was_there = case_by_key(db, o.order_code, &c);
	switch (case_open(db,
		&(struct case_request){
			.key = o.order_code,
			.subject_id = e->subject_id,
			.kind = CASE_EQUIPMENT,
			.applicant_id = o.customer_id,
			.title = title_of(db, &o, *o.item_name ? o.item_name : o.order_code),
			.title_ko = title_of(db, &o, o.item_name_ko),
			.category = o.category,
			.quantity = o.quantity,
			.amount = o.amount,
			.currency = o.currency,
		},
		e->event_id, &c)) {
	case CASE_OPEN_DONE:
		if (was_there && c.reviewer_id && (c.state == CASE_APPROVED || c.state == CASE_REJECTED))
			case_report(db, &c, e->event_id, c.reviewer_id);
		return !db_failed(db);
	case CASE_OPEN_KEY_REUSED:
		log_error("review", "order %s differs from the order its case was opened for", o.order_code);
		return true;
	case CASE_OPEN_BAD_REQUEST: return false;
	}
	return false;
}

static bool
review_on_equipment_cancelled(struct db *db, const struct event *e)
{
	struct ordered_payload o;

	if (!read_ordered(db, e, &o))
		return false;
	case_cancel(db, o.order_code, "order_cancelled", e->event_id);
	return !db_failed(db);
}

static bool
review_on_booking_over(struct db *db, const struct event *e)
{
	case_cancel_of(db, e->subject_id, CASE_EQUIPMENT, "booking_over", e->event_id);
	return !db_failed(db);
}

/* Booking gave up before payment, perhaps because review did not answer in time: its request may still be waiting in
 * the socket, so the keys its orders would have had are closed. */
static bool
review_on_booking_expired(struct db *db, const struct event *e)
{
	int64_t line_no[LINES_MAX];
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT line_no FROM v_booking_extra WHERE code = $1 AND kind = 'equipment' ORDER BY line_no"
		     " LIMIT $2",
		     e->subject_id, LINES_MAX);
		db_next(r);)
		line_no[n++] = row_int(r, 0);
	for (int i = 0; i < n; i++)
		case_cancel(db, arena_printf(db_memory(db), "%s-%lld", e->subject_id, (long long)line_no[i]),
			"booking_over", e->event_id);
	return review_on_booking_over(db, e);
}

static const struct policy policies[] = {
	ON(EQUIPMENT_ORDERED, review_on_equipment_ordered),
	ON(EQUIPMENT_CANCELLED, review_on_equipment_cancelled),
	ON(BOOKING_EXPIRED, review_on_booking_expired),
	ON(BOOKING_REJECTED, review_on_booking_over),
	ON(BOOKING_CANCELLED, review_on_booking_over),
	{ 0 },
};

const struct consumer review_consumer = { .name = "review", .role = &review_role, .policy = policies };
