/*
 * facts - what a message may show: the event's payload, and what other contexts publish about its booking, its delivery
 * and its people.
 *
 * All kinds share one struct, so a new message needs no C but its row in kind.c. Texts are never NULL; one that is not
 * known is "", and the template's section about it is not shown.
 */
#include "message.h"

#include "domain/kept.h"
#include "domain/mail_links.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"
#include "lib/base/shape.h"

#include <string.h>

static const struct member facts_members[] = {
	SHAPE_STRUCT(facts, cancellation, cancel_terms_shape),
	SHAPE_TEXT(facts, name), SHAPE_TEXT(facts, subject_id), SHAPE_TEXT(facts, code), SHAPE_TEXT(facts, order_code),
	SHAPE_TEXT(facts, item_name), SHAPE_TEXT(facts, title), SHAPE_TEXT(facts, label), SHAPE_TEXT(facts, reason),
	SHAPE_TEXT(facts, courier_name), SHAPE_TEXT(facts, received_by), SHAPE_TEXT(facts, car_name),
	SHAPE_TEXT(facts, plate), SHAPE_TEXT(facts, branch_name), SHAPE_TEXT(facts, branch_address),
	SHAPE_TEXT(facts, branch_phone), SHAPE_TEXT(facts, address), SHAPE_TEXT(facts, place),
	SHAPE_TIME(facts, starts_at), SHAPE_TIME(facts, ends_at), SHAPE_TIME(facts, window_from),
	SHAPE_TIME(facts, window_to), SHAPE_INT(facts, n_more), SHAPE_AMOUNT(facts, amount),
	SHAPE_AMOUNT(facts, refund_due), SHAPE_AMOUNT(facts, refunded_amount), SHAPE_INT(facts, quantity),
	SHAPE_INT(facts, lost), SHAPE_INT(facts, stock), SHAPE_INT(facts, low_stock), SHAPE_INT(facts, odometer_km),
	SHAPE_INT(facts, fuel_percent), SHAPE_LIST(facts, lines, shown_line_shape), SHAPE_BOOL(facts, is_brought),
	SHAPE_BOOL(facts, is_fetched), SHAPE_BOOL(facts, is_collection), SHAPE_BOOL(facts, is_charged),
	SHAPE_TIME(facts, expires_at), SHAPE_INT(facts, terms_version), SHAPE_TEXT(facts, terms_url),
	SHAPE_BOOL(facts, is_earlier_try), SHAPE_TIME(facts, undo_until), SHAPE_BOOL(facts, is_no_show),
	SHAPE_TEXT(facts, firm_reason), SHAPE_TEXT(facts, firm_note),
	SHAPE_AMOUNT(facts, compensation_due), SHAPE_TEXT(facts, part_reason), SHAPE_TEXT(facts, part_note),
	SHAPE_AMOUNT(facts, kept_amount), SHAPE_AMOUNT(facts, kept_vat_amount),
};
const struct shape message_facts_shape = SHAPE(facts, facts_members);

/* --- the payload -------------------------------------------------------------------------------------------------- */

/* Members of any of the payloads (docs/events.md). Older events have what was typed in `reason`, and the two names. */
struct message_event {
	const char *code, *booking_code, *order_code, *item_name, *item_name_ko, *name, *name_ko, *title, *title_ko,
		*label, *label_ko, *reason,
	           *note, *by, *direction, *courier_name, *received_by, *purpose, *cancel_by;
	int64_t charge_id, undo_until, refund_no, compensation_due;
	int64_t link_id, customer_id, payee_id, applicant_id, case_id, item_id, window_from, window_to, refund_due,
		amount, refunded_amount, quantity, lost, stock,
	        low_stock, odometer_km, fuel_percent, delivery_id, courier_id;
};
static const struct member message_event_members[] = {
	SHAPE_TEXT(message_event, code), SHAPE_TEXT(message_event, booking_code), SHAPE_TEXT(message_event, order_code),
	SHAPE_TEXT(message_event, item_name), SHAPE_TEXT(message_event, item_name_ko), SHAPE_TEXT(message_event, name),
	SHAPE_TEXT(message_event, name_ko), SHAPE_TEXT(message_event, title), SHAPE_TEXT(message_event, title_ko),
	SHAPE_TEXT(message_event, label), SHAPE_TEXT(message_event, label_ko), SHAPE_TEXT(message_event, reason),
	SHAPE_TEXT(message_event, by), SHAPE_TEXT(message_event, direction), SHAPE_TEXT(message_event, courier_name),
	SHAPE_TEXT(message_event, received_by), SHAPE_INT(message_event, customer_id),
	SHAPE_INT(message_event, payee_id), SHAPE_INT(message_event, applicant_id), SHAPE_INT(message_event, case_id),
	SHAPE_INT(message_event, item_id),
	SHAPE_TIME(message_event, window_from), SHAPE_TIME(message_event, window_to),
	SHAPE_AMOUNT(message_event, refund_due), SHAPE_AMOUNT(message_event, amount),
	SHAPE_AMOUNT(message_event, refunded_amount), SHAPE_INT(message_event, quantity),
	SHAPE_INT(message_event, lost), SHAPE_INT(message_event, stock), SHAPE_INT(message_event, low_stock),
	SHAPE_INT(message_event, odometer_km), SHAPE_INT(message_event, fuel_percent), SHAPE_TEXT(message_event, note),
	SHAPE_INT(message_event, delivery_id), SHAPE_INT(message_event, courier_id),
	SHAPE_INT(message_event, link_id), SHAPE_TEXT(message_event, purpose),
	SHAPE_INT(message_event, charge_id), SHAPE_TIME(message_event, undo_until),
	SHAPE_TEXT(message_event, cancel_by),
	SHAPE_INT(message_event, refund_no), SHAPE_AMOUNT(message_event, compensation_due),
};
static const struct shape message_event_shape = SHAPE(message_event, message_event_members);

static const char *
in_lang(int lang, const char *en, const char *ko)
{
	return lang_pick(lang, text_or_empty(en), ko);
}

/* A code becomes words; what a person typed stays as it is. */
static const char *
event_reason(const struct message_event *s)
{
	const char *words = end_reason_in_words(s->reason);

	if (s->note && *s->note)
		return s->note;
	return words ? words : text_or_empty(s->reason);
}

static void
take_payload(struct facts *t, const struct message_event *s, int lang)
{
	*t = (struct facts){
		.code = *text_or_empty(s->code) ? s->code : text_or_empty(s->booking_code),
		.order_code = text_or_empty(s->order_code),
		.item_name = *text_or_empty(s->item_name) ? in_lang(lang, s->item_name, s->item_name_ko)
							  : in_lang(lang, s->name, s->name_ko),
		.title = in_lang(lang, s->title, s->title_ko),
		.label = in_lang(lang, s->label, s->label_ko),
		.reason = event_reason(s),
		.by = text_or_empty(s->by),
		.direction = text_or_empty(s->direction),
		.courier_name = text_or_empty(s->courier_name),
		.received_by = text_or_empty(s->received_by),
		.customer_id = s->payee_id ? s->payee_id : s->customer_id,
		.applicant_id = s->applicant_id,
		.case_id = s->case_id,
		.item_id = s->item_id,
		.window_from = s->window_from,
		.window_to = s->window_to,
		.refund_due = s->refund_due,
		.amount = s->amount,
		.refunded_amount = s->refunded_amount,
		.quantity = s->quantity,
		.lost = s->lost,
		.stock = s->stock,
		.low_stock = s->low_stock,
		.odometer_km = s->odometer_km,
		.fuel_percent = s->fuel_percent,
		.purpose = text_or_empty(s->purpose),
		.is_by_firm = strcmp(text_or_empty(s->cancel_by), "firm") == 0,
		.compensation_due = s->compensation_due,
		.firm_reason = "",
		.firm_note = "",
		.part_reason = "",
		.part_note = "",
		.link_id = s->link_id,
		.charge_id = s->charge_id,
		.undo_until = s->undo_until,
		.name = "",
		.car_name = "",
		.plate = "",
		.branch_name = "",
		.branch_address = "",
		.branch_phone = "",
		.address = "",
		.place = "",
		.state = "",
		.link = "",
	};
	t->is_collection = strcmp(t->direction, "collection") == 0;
}

/* --- its people, its booking -------------------------------------------------------------------------------------- */

/* Names are not in events: they are read from their owners. */
static void
take_names(struct db *db, struct facts *t, const struct message_event *s)
{
	if (!*t->courier_name && s->courier_id)
		t->courier_name =
			text_or_empty(db_text(db, "SELECT name FROM v_user WHERE user_id = $1", s->courier_id));
	if (!*t->received_by && s->delivery_id)
		t->received_by = text_or_empty(
			db_text(db, "SELECT received_by FROM v_delivery WHERE delivery_id = $1", s->delivery_id));
}

struct booked {
	const char *car_name, *car_name_ko, *plate, *state, *branch_name, *branch_name_ko, *branch_address,
		*branch_address_ko, *branch_phone;
	const char *cancel_reason, *cancel_note;
	int64_t customer_id, starts_at, ends_at, paid_at, amount, n_cars;
	int64_t cancel_full_before_s, cancel_grace_s, cancel_late_percent, terms_version, charge_id;
};
static const struct member booked_members[] = {
	SHAPE_TEXT_KO(booked, car_name), SHAPE_TEXT(booked, plate), SHAPE_TEXT(booked, state),
	SHAPE_TEXT_KO(booked, branch_name), SHAPE_TEXT_KO(booked, branch_address), SHAPE_TEXT(booked, branch_phone),
	SHAPE_INT(booked, customer_id), SHAPE_TIME(booked, starts_at), SHAPE_TIME(booked, ends_at),
	SHAPE_AMOUNT(booked, amount), SHAPE_INT(booked, n_cars), SHAPE_TIME(booked, paid_at),
	SHAPE_INT(booked, cancel_full_before_s), SHAPE_INT(booked, cancel_grace_s),
	SHAPE_INT(booked, cancel_late_percent), SHAPE_INT(booked, terms_version), SHAPE_INT(booked, charge_id),
	SHAPE_TEXT(booked, cancel_reason), SHAPE_TEXT(booked, cancel_note),
};
static const struct shape booked_shape = SHAPE(booked, booked_members);

static void
take_booking(struct db *db, struct facts *t, int lang)
{
	struct booked b = { .car_name = "" };

	if (!*t->code
		|| !db_one(db, &booked_shape, &b,
			"SELECT b.customer_id, b.car_name, b.car_name_ko, b.plate, b.state, b.starts_at, b.ends_at,"
			" b.amount, b.n_cars, b.paid_at, b.cancel_full_before_s, b.cancel_grace_s,"
			" b.cancel_late_percent, b.terms_version, COALESCE(b.charge_id, 0) AS charge_id,"
			" b.cancel_reason, b.cancel_note,"
			" COALESCE(r.name, '') AS branch_name, COALESCE(r.name_ko, '') AS branch_name_ko,"
			" COALESCE(r.address, '') AS branch_address, COALESCE(r.address_ko, '') AS branch_address_ko,"
			" COALESCE(r.phone, '') AS branch_phone"
			" FROM v_booking b LEFT JOIN v_branch r ON r.branch_id = b.branch_id WHERE b.code = $1",
			t->code))
		return;
	t->customer_id = b.customer_id;
	t->car_name = in_lang(lang, b.car_name, b.car_name_ko);
	t->plate = b.plate;
	t->state = b.state;
	t->is_no_show = strcmp(b.state, "NO_SHOW") == 0;
	t->starts_at = b.starts_at;
	t->ends_at = b.ends_at;
	t->amount = b.amount;
	t->n_more = b.n_cars - 1;
	t->is_earlier_try = b.charge_id && t->charge_id && t->charge_id != b.charge_id;
	if (t->is_by_firm) {
		t->firm_reason = chosen_reason_in_words(&firm_reason_words, b.cancel_reason);
		t->firm_note = b.cancel_note;
	}
	t->cancellation = cancel_terms_booked(
		&(struct cancel_rule){ b.cancel_full_before_s, b.cancel_grace_s, b.cancel_late_percent }, b.starts_at,
		b.paid_at, clock_now());
	t->terms_version = b.terms_version;
	if (b.terms_version)
		t->terms_url = arena_printf(
			db_memory(db), "%s/terms?version=%lld", settings.base_url, (long long)b.terms_version);
	t->branch_name = in_lang(lang, b.branch_name, b.branch_name_ko);
	t->branch_address = in_lang(lang, b.branch_address, b.branch_address_ko);
	t->branch_phone = b.branch_phone;
}

struct given { int64_t charge_id, amount, vat_amount, given_amount; };
static const struct member given_members[] = {
	SHAPE_INT(given, charge_id), SHAPE_AMOUNT(given, amount), SHAPE_AMOUNT(given, vat_amount),
	SHAPE_AMOUNT(given, given_amount),
};
static const struct shape given_shape = SHAPE(given, given_members);

/* What remains of the price, as on the receipt. */
static void
take_kept(struct db *db, struct facts *t)
{
	struct given g;
	struct kept kept;

	if (!*t->code
		|| !db_one(db, &given_shape, &g,
			"SELECT COALESCE(charge_id, 0) AS charge_id, amount, vat_amount, given_amount"
			" FROM v_booking_given WHERE code = $1",
			t->code))
		return;
	kept = kept_of(g.amount, g.vat_amount, g.given_amount,
		db_int(db, "SELECT outside_amount FROM v_charge WHERE charge_id = $1", g.charge_id));
	t->kept_amount = kept.amount;
	t->kept_vat_amount = kept.vat_amount;
}

struct part { const char *reason, *note; int64_t amount; };
static const struct member part_members[] = {
	SHAPE_TEXT(part, reason), SHAPE_TEXT(part, note), SHAPE_AMOUNT(part, amount),
};
static const struct shape part_shape = SHAPE(part, part_members);

/* A part of the price that a manager gave back. */
static void
take_part(struct db *db, struct facts *t, int64_t refund_no)
{
	struct part part;

	if (!refund_no
		|| !db_one(db, &part_shape, &part,
			"SELECT reason, note, amount FROM v_part_refund WHERE code = $1 AND refund_no = $2", t->code,
			refund_no))
		return;
	t->part_reason = chosen_reason_in_words(&refund_reason_words, part.reason);
	t->part_note = part.note;
	t->refunded_amount = part.amount;
}

struct brought { const char *address, *place; int64_t window_from, window_to; bool is_brought, is_fetched; };
static const struct member brought_members[] = {
	SHAPE_TEXT(brought, address), SHAPE_TEXT(brought, place), SHAPE_TIME(brought, window_from),
	SHAPE_TIME(brought, window_to), SHAPE_BOOL(brought, is_brought), SHAPE_BOOL(brought, is_fetched),
};
static const struct shape brought_shape = SHAPE(brought, brought_members);

/* The window of the delivery, which the dispatcher may have moved; without one, the window that was booked. */
static void
take_window(struct db *db, struct facts *t, const struct brought *d)
{
	const char *direction = *t->direction ? t->direction : strcmp(t->state, "OUT") == 0 ? "collection" : "delivery";
	bool is_collection = strcmp(direction, "collection") == 0;
	struct rows *r = db_each(db,
		"SELECT window_from, window_to FROM v_delivery WHERE booking_code = $1 AND direction = $2"
		" AND state <> 'CANCELLED'",
		t->code, direction);

	t->window_from = is_collection ? 0 : d->window_from;
	t->window_to = is_collection ? 0 : d->window_to;
	if (db_next(r)) {
		t->window_from = row_int(r, 0);
		t->window_to = row_int(r, 1);
	}
	db_done(r);
}

/* Where the car is delivered and collected, unless the dispatcher has cancelled that. The event's own window comes
 * first. */
static void
take_delivery(struct db *db, struct facts *t)
{
	struct brought d = { .address = "" };

	if (!*t->code
		|| !db_one(db, &brought_shape, &d,
			"SELECT d.address, d.place, d.window_from, d.window_to, NOT EXISTS (SELECT 1"
			" FROM v_booking_extra x"
			" WHERE x.code = d.code AND x.kind = 'delivery'"
			" AND x.state = 'ENDED') AS is_brought, d.collects = 1 AND NOT EXISTS"
			" (SELECT 1 FROM v_booking_extra x WHERE x.code = d.code AND x.kind = 'collection'"
			" AND x.state = 'ENDED') AS is_fetched"
			" FROM v_booking_delivery d WHERE d.code = $1",
			t->code))
		return;
	t->is_brought = d.is_brought;
	t->is_fetched = d.is_fetched;
	t->address = d.address;
	t->place = d.place;
	if (!t->window_from)
		take_window(db, t, &d);
}

/* --- the price lines, as they were booked ------------------------------------------------------------------------- */

struct held_lines { struct booking_line *lines; int n_lines; };
static const struct member held_lines_members[] = { SHAPE_LIST(held_lines, lines, booking_line_shape) };
static const struct shape held_lines_shape = SHAPE(held_lines, held_lines_members);

static void
take_lines(struct db *db, struct facts *t)
{
	struct event e = { .payload = NULL };
	struct held_lines held = { .n_lines = 0 };

	if (!*t->code
		|| !db_one(db, &event_shape, &e,
			"SELECT payload FROM v_event WHERE subject_id = $1 AND type = 'booking.held'", t->code)
		|| !event_read(db_memory(db), &e, &held_lines_shape, &held))
		return;
	booking_lines_in_words(held.lines, held.n_lines, t->starts_at, t->ends_at);
	t->lines = held.lines;
	t->n_lines = held.n_lines;
}

/* --- all facts ---------------------------------------------------------------------------------------------------- */

static const char *
link_to(struct db *db, const struct facts *t)
{
	struct arena *m = db_memory(db);
	int64_t order_id;

	if (t->link_id)
		return strcmp(t->purpose, MAIL_LINK_SIGN_UP) == 0 ? "/account/confirm" : "/account/reset";
	if (t->case_id)
		return arena_printf(m, "/reviews/%lld", (long long)t->case_id);
	if (*t->code)
		return arena_printf(m, "/my/bookings/%s", t->code);
	if (*t->order_code
		&& (order_id = db_int(db, "SELECT order_id FROM v_equipment_order WHERE code = $1", t->order_code)))
		return arena_printf(m, "/equipment/orders/%lld", (long long)order_id);
	return t->item_id ? arena_printf(m, "/equipment/items/%lld", (long long)t->item_id) : "";
}

bool
facts_read(struct db *db, const struct event *e, int lang, struct facts *t)
{
	struct message_event s = { .code = "" };

	if (!event_read(db_memory(db), e, &message_event_shape, &s))
		return false;
	take_payload(t, &s, lang);
	t->subject_id = e->subject_id;
	if (!*t->code && strncmp(e->type, "payment.", 8) == 0) /* its subject is the booking */
		t->code = e->subject_id;
	take_names(db, t, &s);
	take_booking(db, t, lang);
	take_kept(db, t);
	take_part(db, t, s.refund_no);
	take_delivery(db, t);
	take_lines(db, t);
	t->is_charged = *t->code != '\0';
	t->expires_at = t->link_id ? link_expires_at(db, t->link_id) : 0;
	t->link = link_to(db, t);
	return true;
}
