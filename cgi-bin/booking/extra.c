/*
 * extra - delivery and equipment booked with a car: what they cost and whether they are available. Each is a price line
 * like those of the car, charged in the same step and frozen with it. delivery and equipment learn of them from
 * booking.paid; when one ends before the booking does, its price is refunded (extra_end.c).
 */
#include "booking.h"
#include "booking_steps.h"
#include "price.h"

#include "domain/choices.h"
#include "domain/review_client.h"
#include "domain/stock.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

static const struct member booking_extra_members[] = {
	SHAPE_INT(booking_extra, booking_id), SHAPE_INT(booking_extra, line_no),
	SHAPE_STATE(booking_extra, kind, extra_kind_words), SHAPE_STATE(booking_extra, state, extra_state_words),
	SHAPE_INT(booking_extra, ref_id), SHAPE_INT(booking_extra, quantity), SHAPE_AMOUNT(booking_extra, amount),
	SHAPE_TEXT_KO(booking_extra, label), SHAPE_TEXT(booking_extra, category), SHAPE_TEXT(booking_extra, end_reason),
	SHAPE_TIME(booking_extra, ended_at), SHAPE_STATE(booking_extra, refund_state, refund_state_words),
	SHAPE_AMOUNT(booking_extra, refund_due), SHAPE_AMOUNT(booking_extra, refunded_amount),
	SHAPE_INT(booking_extra, refund_tries), SHAPE_TEXT(booking_extra, last_error),
	SHAPE_BOOL(booking_extra, ended_with_booking), SHAPE_AMOUNT(booking_extra, refund_share),
};
const struct shape booking_extra_shape = SHAPE(booking_extra, booking_extra_members);

static const struct member booking_delivery_members[] = {
	SHAPE_TEXT(booking_delivery, zone), SHAPE_TEXT(booking_delivery, address), SHAPE_TEXT(booking_delivery, place),
	SHAPE_TIME(booking_delivery, window_from), SHAPE_TIME(booking_delivery, window_to),
	SHAPE_BOOL(booking_delivery, collects),
};
const struct shape booking_delivery_shape = SHAPE(booking_delivery, booking_delivery_members);

/* --- the delivery ------------------------------------------------------------------------------------------------- */

static int64_t
window_from(const struct booking_order *o)
{
	return o->delivery.window_from ? o->delivery.window_from : o->starts_at;
}

const char *
delivery_problem(const struct booking_order *o, const char **field)
{
	if (!o->delivery.is_wanted)
		return NULL;
	*field = "delivery.address";
	if (!o->delivery.address || !*o->delivery.address)
		return _("Please enter the delivery address.");
	*field = "delivery.zone";
	if (zone_fee(o->delivery.zone) < 0)
		return _("We do not deliver there. Please choose one of the zones.");
	*field = "delivery.window_from";
	if (window_from(o) % RENTAL_STEP_S != 0)
		return _("Please choose a time on the hour or half hour.");
	if (window_from(o) < o->starts_at)
		return _("Delivery is possible from the start of the booking. Please choose that time or a later one.");
	if (window_from(o) + rental.delivery_window_s > o->ends_at)
		return _("The delivery would be too late for this booking. Please choose an earlier time.");
	return NULL;
}

/* --- what it costs ------------------------------------------------------------------------------------------------ */

/* Room for the car's lines and those of the order's extras. */
static void
make_room(struct arena *m, struct booking *b, const struct booking_order *o)
{
	struct booking_line *lines = arena_array(m, struct booking_line, b->n_lines + o->n_items + 2);

	for (int i = 0; i < b->n_lines; i++)
		lines[i] = b->lines[i];
	b->lines = lines;
	b->extras = arena_array(m, struct booking_extra, o->n_items + 2);
	b->n_extras = 0;
}

/* One more line, and the extra that it is the price of. */
static void
add_extra(struct booking *b, struct booking_line line, struct booking_extra extra)
{
	line.version = PRICE_VERSION;
	line.amount = line.quantity * line.unit_amount;
	b->lines[b->n_lines++] = line;
	extra.line_no = b->n_lines;
	extra.amount = line.amount;
	extra.label = line.label;
	extra.label_ko = line.label_ko;
	extra.end_reason = extra.last_error = "";
	b->extras[b->n_extras++] = extra;
	b->amount += line.amount;
}

/* One trip for each car. */
static void
add_trip(struct booking *b, const struct choice *zone, enum price_rule rule, enum extra_kind kind)
{
	add_extra(b,
		(struct booking_line){ .rule = (int)rule,
			.unit = "trip",
			.label = zone->name,
			.label_ko = zone->name_ko,
			.quantity = b->n_cars,
			.unit_amount = zone_fee(zone->code) },
		(struct booking_extra){ .kind = (int)kind, .quantity = b->n_cars });
}

static enum booking_outcome
quote_delivery(struct db *db, const struct booking_order *o, struct booking *b)
{
	const struct choice *zone = choice_find(rental.delivery_zones, o->delivery.zone);

	if (!zone)
		return BOOKING_BAD_DELIVERY;
	add_trip(b, zone, PRICE_RULE_DELIVERY, EXTRA_DELIVERY);
	if (o->delivery.collects)
		add_trip(b, zone, PRICE_RULE_COLLECTION, EXTRA_COLLECTION);
	b->delivery = arena_new_of(db_memory(db), struct booking_delivery);
	*b->delivery = (struct booking_delivery){
		.zone = zone->code,
		.address = o->delivery.address,
		.place = o->delivery.place ? o->delivery.place : "",
		.window_from = window_from(o),
		.window_to = window_from(o) + rental.delivery_window_s,
		.collects = o->delivery.collects,
	};
	return BOOKING_OK;
}

static const struct member offered_item_members[] = {
	SHAPE_INT(offered_item, item_id), SHAPE_TEXT(offered_item, name), SHAPE_TEXT(offered_item, name_ko),
	SHAPE_TEXT(offered_item, category), SHAPE_AMOUNT(offered_item, daily_price), SHAPE_INT(offered_item, n_free),
};
static const struct shape offered_item_shape = SHAPE(offered_item, offered_item_members);

/* The same item may be in several lines, which together must be free. */
static int64_t
pieces_wanted(const struct booking_order *o, int until)
{
	int64_t n = 0;

	for (int i = 0; i <= until; i++)
		if (o->items[i].item_id == o->items[until].item_id)
			n += o->items[i].quantity;
	return n;
}

static int64_t
started_days(const struct booking_order *o)
{
	return (o->ends_at - o->starts_at + DAY - 1) / DAY;
}

static enum booking_outcome
quote_item(struct db *db, const struct booking_order *o, int i, struct booking *b)
{
	int64_t quantity = o->items[i].quantity, n_free;
	struct offered_item item;

	b->refused_extra.item_no = i;
	if (quantity < 1 || quantity > EXTRA_PIECES_MAX
		|| !db_one(db, &offered_item_shape, &item,
			"SELECT item_id, name, name_ko, category, daily_price FROM v_item WHERE item_id = $1"
			" AND is_offered = 1",
			o->items[i].item_id))
		return BOOKING_NO_ITEM;
	n_free = stock_free(db, item.item_id, o->starts_at, o->ends_at, clock_now()) - (pieces_wanted(o, i) - quantity);
	if (n_free < quantity) {
		b->refused_extra.label = lang_pick(lang_now(), item.name, item.name_ko);
		b->refused_extra.n_free = n_free > 0 ? n_free : 0;
		return BOOKING_OUT_OF_STOCK;
	}
	add_extra(b,
		(struct booking_line){ .rule = PRICE_RULE_EQUIPMENT,
			.unit = "piece_day",
			.label = item.name,
			.label_ko = item.name_ko,
			.quantity = quantity * started_days(o),
			.unit_amount = item.daily_price },
		(struct booking_extra){ .kind = EXTRA_EQUIPMENT,
			.ref_id = item.item_id,
			.quantity = quantity,
			.category = item.category });
	return BOOKING_OK;
}

/* Adds every item that can be had; answers why the first of the others can't. */
static enum booking_outcome
quote_items(struct db *db, const struct booking_order *o, struct booking *b)
{
	enum booking_outcome outcome = BOOKING_OK;

	for (int i = 0; i < o->n_items; i++) {
		struct refused_extra refused = b->refused_extra;
		enum booking_outcome of_item = quote_item(db, o, i, b);

		if (outcome == BOOKING_OK)
			outcome = of_item;
		else
			b->refused_extra = refused;
	}
	return outcome;
}

enum booking_outcome
extra_quote(struct db *db, const struct booking_order *o, struct booking *b)
{
	enum booking_outcome delivery = BOOKING_OK, items;

	if (!o->delivery.is_wanted && !o->n_items)
		return BOOKING_OK;
	make_room(db_memory(db), b, o);
	if (o->delivery.is_wanted)
		delivery = quote_delivery(db, o, b);
	items = quote_items(db, o, b);
	b->vat_amount = vat_share(b->amount);
	return delivery == BOOKING_OK ? items : delivery;
}

int
items_offered(struct db *db, int64_t starts_at, int64_t ends_at, struct offered_item **items)
{
	int n = 0;

	db_list(db, &offered_item_shape, items, &n,
		"SELECT item_id, name, name_ko, category, daily_price FROM v_item WHERE is_offered = 1"
		" ORDER BY category, name, item_id /*scan*/ /*sort*/ LIMIT $1",
		OFFERED_MAX);
	for (int i = 0; i < n && starts_at; i++)
		(*items)[i].n_free = stock_free(db, (*items)[i].item_id, starts_at, ends_at, clock_now());
	return n;
}

/* --- the rows ----------------------------------------------------------------------------------------------------- */

void
booking_extras_write(struct db *db, struct booking *b)
{
	struct booking_delivery *d = b->delivery;

	for (int i = 0; i < b->n_extras; i++) {
		struct booking_extra *x = &b->extras[i];

		x->booking_id = b->booking_id;
		db_do(db,
			"INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount)"
			" VALUES ($1, $2, $3, $4, $5, $6)",
			b->booking_id, x->line_no, words_code(&extra_kind_words, x->kind), x->ref_id, x->quantity,
			x->amount);
	}
	if (d)
		db_do(db,
			"INSERT INTO booking_delivery (booking_id, zone, address, place, window_from, window_to,"
			" collects) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			b->booking_id, d->zone, d->address, d->place, d->window_from, d->window_to,
			d->collects ? 1 : 0);
}

/* Its lines tell whether there are any, since most bookings are of a car alone. */
void
booking_extras_read(struct db *db, struct booking *b)
{
	bool has_extras = false, has_delivery = false;

	for (int i = 0; i < b->n_lines; i++) {
		has_delivery |= b->lines[i].rule == PRICE_RULE_DELIVERY;
		has_extras |= b->lines[i].rule >= PRICE_RULE_DELIVERY;
	}
	if (!has_extras)
		return;
	db_list(db, &booking_extra_shape, &b->extras, &b->n_extras,
		"SELECT x.booking_id, x.line_no, x.kind, x.state, x.ref_id, x.quantity, x.amount, l.label, l.label_ko,"
		" x.end_reason, x.ended_at,"
		" x.refund_state, x.refund_due, x.refunded_amount, x.refund_tries, x.last_error"
		" FROM booking_extra x JOIN booking_line l ON l.booking_id = x.booking_id AND l.line_no = x.line_no"
		" WHERE x.booking_id = $1 ORDER BY x.line_no",
		b->booking_id);
	if (!has_delivery)
		return;
	b->delivery = arena_new_of(db_memory(db), struct booking_delivery);
	db_one(db, &booking_delivery_shape, b->delivery,
		"SELECT d.zone, d.address, d.place, d.collects,"
		" COALESCE(j.window_from, d.window_from) AS window_from," /* the dispatcher may have changed it */
		" COALESCE(j.window_to, d.window_to) AS window_to FROM booking_delivery d LEFT JOIN v_delivery j"
		" ON j.booking_code = $2 AND j.direction = 'delivery' AND j.state <> 'CANCELLED'"
		" WHERE d.booking_id = $1",
		b->booking_id, b->code);
}

/* --- what review must approve first ------------------------------------------------------------------------------- */

static bool
is_asked_first(const struct booking_extra *x)
{
	return x->kind == EXTRA_EQUIPMENT && x->category && category_is_sync(x->category);
}

bool
booking_reviews_closed(const struct booking *b)
{
	for (int i = 0; i < b->n_extras; i++)
		if (is_asked_first(&b->extras[i]))
			return review_closed_for_s() > 0;
	return false;
}

/* The key is the code that the order of equipment will have: review finds this case again when equipment reports the
 * order. Without an answer the case may have been opened; booking.expired closes it. */
static enum booking_outcome
ask_review(struct db *db, struct booking *b, const struct booking_extra *x)
{
	const struct review_request q = {
		.key = arena_printf(db_memory(db), "%s-%lld", b->code, (long long)x->line_no),
		.subject_id = b->code,
		.applicant_id = b->customer_id,
		.item_name = x->label,
		.item_name_ko = x->label_ko,
		.category = x->category,
		.quantity = x->quantity,
		.amount = x->amount,
		.currency = b->currency,
	};

	switch (review_client->open(db, &q, &b->refused_extra.reason)) {
	case REVIEW_ANSWER_APPROVED:
	case REVIEW_ANSWER_QUEUED: return BOOKING_OK;
	case REVIEW_ANSWER_REJECTED: b->refused_extra.label = x->label; return BOOKING_NOT_APPROVED;
	case REVIEW_ANSWER_CLOSED:
	case REVIEW_ANSWER_NOT_ASKED:
	case REVIEW_ANSWER_UNKNOWN: break;
	}
	return BOOKING_REVIEW_LATER;
}

enum booking_outcome
booking_reviews_ask(struct db *db, struct booking *b)
{
	enum booking_outcome outcome = BOOKING_OK;

	for (int i = 0; i < b->n_extras && outcome == BOOKING_OK; i++)
		if (is_asked_first(&b->extras[i]))
			outcome = ask_review(db, b, &b->extras[i]);
	return outcome;
}
