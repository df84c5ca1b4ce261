/* reactions - the table of what each event changes, reading payloads, writing the history. */
#include "reactions.h"

#include "domain/event_types.h"

#include <string.h>

/* --- what changes ------------------------------------------------------------------------------------------------- */

#define CHANGE(event, state, tab, reservation, stamp) { event_name_##event, (state), (tab), (reservation), (stamp) }

static const struct row_change changes[] = {
	/*     event                     state               tab          car         time */
	CHANGE(BOOKING_PAID,             "PAID",             "",          "",         "paid"),
	CHANGE(BOOKING_CONFIRMED,        "CONFIRMED",        "",          "",         "confirmed"),
	CHANGE(BOOKING_HANDED_OUT,       "OUT",              "",          "OUT",      "out"),
	CHANGE(BOOKING_RETURNED,         "RETURNED",         "past",      "ENDED",    "returned"),
	CHANGE(BOOKING_RETURN_UNDONE,    "OUT",              "upcoming",  "OUT",      "undone"),
	CHANGE(BOOKING_COMPLETED,        "COMPLETED",        "past",      "",         "completed"),
	CHANGE(BOOKING_EXPIRED,          "EXPIRED",          "none",      "",         "ended"),
	CHANGE(BOOKING_CANCEL_REQUESTED, "CANCEL_REQUESTED", "cancelled", "",         "ended"),
	CHANGE(BOOKING_CANCELLED,        "CANCELLED",        "cancelled", "",         "cancelled"),
	CHANGE(BOOKING_REJECTED,         "REJECTED",         "cancelled", "",         "ended"),
	CHANGE(BOOKING_NO_SHOW,          "NO_SHOW",          "past",      "",         "ended"),
	CHANGE(BOOKING_NO_SHOW_UNDONE,   "CONFIRMED",        "upcoming",  "",         "undone"),
	CHANGE(BOOKING_NO_SHOW_FINAL,    "NO_SHOW",          "past",      "",         ""),
	CHANGE(CAR_RESERVED,             "",                 "",          "RESERVED", ""),
	CHANGE(CAR_REFUSED,              "",                 "",          "REFUSED",  ""),
	CHANGE(CAR_RELEASED,             "",                 "",          "RELEASED", ""),

	CHANGE(DELIVERY_REQUESTED,       "REQUESTED",        "",          "",         ""),
	CHANGE(DELIVERY_SCHEDULED,       "SCHEDULED",        "",          "",         ""),
	CHANGE(DELIVERY_SHIPPED,         "SHIPPED",          "",          "",         ""),
	CHANGE(DELIVERY_DELIVERED,       "DELIVERED",        "",          "",         ""),
	CHANGE(DELIVERY_CANCELLED,       "CANCELLED",        "",          "",         ""),

	CHANGE(EQUIPMENT_APPROVED,       "APPROVED",         "",          "",         "approved"),
	CHANGE(EQUIPMENT_REJECTED,       "REJECTED",         "",          "",         "ended"),
	CHANGE(EQUIPMENT_CANCELLED,      "CANCELLED",        "",          "",         "ended"),
	CHANGE(EQUIPMENT_HANDED_OUT,     "HANDED_OUT",       "",          "",         "handed_out"),
	CHANGE(EQUIPMENT_RETURNED,       "RETURNED",         "",          "",         "returned"),

	CHANGE(MESSAGE_SENT,             "SENT",             "",          "",         ""),
	CHANGE(MESSAGE_DEAD,             "DEAD",             "",          "",         ""),
};

const struct row_change *
row_change_of(const struct event *e)
{
	static const struct row_change none = { "", "", "", "", "" };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].type, e->type) == 0)
			return &changes[i];
	return &none;
}

/* --- the payload -------------------------------------------------------------------------------------------------- */

static const struct member payload_line_members[] = {
	SHAPE_TEXT(payload_line, rule), SHAPE_INT(payload_line, version), SHAPE_TEXT(payload_line, unit),
	SHAPE_INT(payload_line, quantity), SHAPE_AMOUNT(payload_line, unit_amount), SHAPE_AMOUNT(payload_line, amount),
	SHAPE_TEXT_KO(payload_line, label),
};
static const struct shape payload_line_shape = SHAPE(payload_line, payload_line_members);

static const struct member payload_car_members[] = {
	SHAPE_INT(payload_car, car_id), SHAPE_TEXT_KO(payload_car, car_name), SHAPE_TEXT(payload_car, plate),
};
static const struct shape payload_car_shape = SHAPE(payload_car, payload_car_members);

static const struct member payload_members[] = {
	SHAPE_TEXT_KO(view_payload, car_name), SHAPE_TEXT(view_payload, plate), SHAPE_TEXT_KO(view_payload, name),
	SHAPE_TEXT(view_payload, body), SHAPE_TEXT_KO(view_payload, branch_name), SHAPE_TEXT(view_payload, service),
	SHAPE_TEXT(view_payload, currency), SHAPE_TEXT(view_payload, brand), SHAPE_TEXT(view_payload, last4),
	SHAPE_TEXT(view_payload, paid_by), SHAPE_TEXT(view_payload, refund_key), SHAPE_TEXT(view_payload, reason),
	SHAPE_TEXT(view_payload, note), SHAPE_TEXT(view_payload, by), SHAPE_TEXT(view_payload, direction),
	SHAPE_TEXT(view_payload, zone),
	SHAPE_TEXT(view_payload, order_code), SHAPE_TEXT(view_payload, booking_code),
	SHAPE_TEXT_KO(view_payload, item_name), SHAPE_TEXT(view_payload, category), SHAPE_TEXT(view_payload, kind),
	SHAPE_TEXT(view_payload, about), SHAPE_TEXT(view_payload, channel), SHAPE_TEXT_KO(view_payload, title),
	SHAPE_TEXT_KO(view_payload, label), SHAPE_INT(view_payload, customer_id), SHAPE_INT(view_payload, car_id),
	SHAPE_INT(view_payload, branch_id), SHAPE_TIME(view_payload, starts_at), SHAPE_TIME(view_payload, ends_at),
	SHAPE_AMOUNT(view_payload, amount), SHAPE_AMOUNT(view_payload, vat_amount),
	SHAPE_TIME(view_payload, hold_until), SHAPE_TIME(view_payload, undo_until),
	SHAPE_AMOUNT(view_payload, refund_due),
	SHAPE_AMOUNT(view_payload, refunded_amount), SHAPE_INT(view_payload, delivery_id),
	SHAPE_TIME(view_payload, window_from), SHAPE_TIME(view_payload, window_to), SHAPE_INT(view_payload, courier_id),
	SHAPE_INT(view_payload, odometer_km), SHAPE_INT(view_payload, fuel_percent), SHAPE_INT(view_payload, line_no),
	SHAPE_INT(view_payload, item_id), SHAPE_INT(view_payload, quantity), SHAPE_INT(view_payload, lost),
	SHAPE_INT(view_payload, message_id), SHAPE_INT(view_payload, recipient_id), SHAPE_INT(view_payload, tries),
	SHAPE_INT(view_payload, try_no),
	SHAPE_LIST(view_payload, lines, payload_line_shape),
	SHAPE_LIST_AS(view_payload, cars, cars, n_further, payload_car_shape),
};
static const struct shape payload_shape = SHAPE(view_payload, payload_members);

static void
fill_missing_texts(const struct shape *shape, void *out)
{
	for (int i = 0; i < shape->n; i++) {
		const char **text = (const char **)((char *)out + shape->member[i].offset);

		if (shape->member[i].kind == KIND_TEXT)
			*text = text_or_empty(*text);
	}
}

bool
payload_read(struct db *db, const struct event *e, struct view_payload *p)
{
	*p = (struct view_payload){ 0 };
	if (!event_read(db_memory(db), e, &payload_shape, p))
		return false;
	fill_missing_texts(&payload_shape, p);
	p->try_no = p->try_no ? p->try_no : 1; /* events from before there were several */
	for (int i = 0; i < p->n_lines; i++)
		fill_missing_texts(&payload_line_shape, &p->lines[i]);
	for (int i = 0; i < p->n_further; i++)
		fill_missing_texts(&payload_car_shape, &p->cars[i]);
	return true;
}

const char *
payload_reason(const struct view_payload *p)
{
	return *p->note ? p->note : p->reason;
}

/* --- the history -------------------------------------------------------------------------------------------------- */

bool
history_add(struct db *db, const struct event *e, const struct history_line *line)
{
	db_do(db,
		"INSERT INTO my_event (code, event_id, type, occurred_at, amount, reason, label, label_ko, courier_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		e->subject_id, e->event_id, e->type, e->occurred_at, line->amount, text_or_empty(line->reason),
		text_or_empty(line->label), text_or_empty(line->label_ko), line->courier_id);
	return !db_failed(db);
}

bool
history_add_known(struct db *db, const struct event *e, const struct history_line *line)
{
	bool is_known = db_do(db, "UPDATE my_booking SET updated_at = $2, event_id = $3 WHERE code = $1", e->subject_id,
				e->occurred_at, e->event_id)
			> 0
		|| db_exists(db, "SELECT 1 FROM my_order WHERE order_code = $1", e->subject_id);

	return is_known ? history_add(db, e, line) : !db_failed(db);
}
