/*
 * place - taking a booking: what may be booked, the hold in one write transaction, review's approval, the charge.
 * Described in booking.h.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "delivery_client.h"
#include "model.h"
#include "payment_client.h"
#include "price.h"
#include "terms.h"

#include "domain/rental.h"
#include "domain/review_client.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/proc.h"
#include "lib/base/secret.h"

/* --- may this interval be booked at all? -------------------------------------------------------------------------- */

const char *
interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field)
{
	int64_t length = ends_at - starts_at;

	*field = "starts_at";
	if (starts_at % RENTAL_STEP_S != 0)
		return _("Please choose a time on the hour or half hour.");
	if (starts_at
		< now - now % RENTAL_STEP_S) /* the current half hour is allowed: the customer may be at the car */
		return _("This time has passed. Please choose a later one.");
	if (starts_at > now + rental.max_ahead_days * DAY)
		return _("This is too far ahead. Cars can be booked up to one year in advance.");
	*field = "ends_at";
	if (ends_at % RENTAL_STEP_S != 0)
		return _("Please choose a time on the hour or half hour.");
	if (length <= 0)
		return _("The return must be after the pick-up.");
	if (length > rental.max_rental_days * DAY)
		return _("This is too long for one booking. Please split it or call us.");
	return NULL;
}

const char *
own_booking_in_words(struct arena *m, const struct booking *own)
{
	struct buf until = { .m = m };

	if (!booking_is_hold(own))
		return _("You have already booked this car for these dates. Please choose other dates or another car.");
	clock_put(&until, own->hold_until);
	return arena_printf(m,
		_n("You are holding this car until %s. Pay for it, or give it up.",
			"You are holding these cars until %s. Pay for them, or give them up.", own->n_cars),
		until.s);
}

/* --- the client's key: the same request again is the same booking ------------------------------------------------- */

static bool
has_request_key(const struct booking_order *o)
{
	return o->request_key && *o->request_key;
}

/* BOOKING_OK: the key is new, or its request made no booking. */
static enum booking_outcome
request_outcome(struct db *db, const struct booking_order *o, struct booking *b)
{
	if (!has_request_key(o) || !booking_find_by_request(db, o->customer_id, o->request_key, b))
		return BOOKING_OK;
	if (!db_exists(db, "SELECT 1 FROM booking WHERE booking_id = $1 AND request_hash = $2", b->booking_id,
		    o->request_hash ? o->request_hash : ""))
		return BOOKING_KEY_REUSED;
	if (b->state == BOOKING_HELD && b->asked_at)
		return BOOKING_IN_PROGRESS;
	return b->state == BOOKING_HELD && b->try_no > 1 ? BOOKING_DECLINED_HELD : BOOKING_AGAIN;
}

/* After Back, the form of an unpaid hold may be changed and sent again. That is another order, and has a key of its
 * own: of the form and its body, so that a double click is still one order. Once money has been asked for, it is
 * KEY_REUSED. */
static void
renew_key(struct db *db, struct booking_order *o)
{
	struct booking b;

	if (o->is_form && request_outcome(db, o, &b) == BOOKING_KEY_REUSED && booking_is_hold(&b))
		o->request_key = secret_hash(
			db_memory(db), arena_printf(db_memory(db), "%s %s", o->request_key, o->request_hash));
}

/* --- the hold ----------------------------------------------------------------------------------------------------- */

static enum booking_outcome
this_car(struct db *db, int64_t car_id, struct rentable *car)
{
	return db_one(db, &rentable_shape, car,
		       "SELECT " RENTABLE_COLUMNS " FROM v_car WHERE car_id = $1 AND service = 'IN_SERVICE'", car_id)
		? BOOKING_OK
		: BOOKING_NO_CAR;
}

/* Of a model they are missing only if too few are left without those of the customer's own hold. */
static enum booking_outcome
choose_cars(struct db *db, const struct booking_order *o, struct rentable *car, struct booking *own)
{
	enum booking_outcome outcome = o->model_id ? model_choose(db, o, car) : this_car(db, o->car_id, car);

	if (outcome == (o->model_id ? BOOKING_FEWER_CARS : BOOKING_OK) && booking_find_own(db, o, own))
		return BOOKING_OWN;
	return outcome;
}

static void
fill_booking(struct booking *b, const struct booking_order *o, const struct rentable *car, const struct price *price,
	struct arena *m)
{
	int64_t now = clock_now();

	*b = (struct booking){
		.code = secret_code(m, "MP-"),
		.customer_id = o->customer_id,
		.car_id = car->car_id,
		.car_name = car->name,
		.car_name_ko = car->name_ko,
		.plate = car->plate,
		.body = car->body,
		.branch_id = car->branch_id,
		.branch_name = car->branch_name,
		.branch_name_ko = car->branch_name_ko,
		.state = BOOKING_HELD,
		.starts_at = o->starts_at,
		.ends_at = o->ends_at,
		.amount = price->amount,
		.vat_amount = price->vat_amount,
		.currency = settings.currency,
		.card_id = o->card_id,
		.held_at = now,
		.hold_until = now + rental.hold_s,
		.asked_at = o->card_id ? now : 0,
		.asked_by = o->card_id ? proc_stamp(m) : "",
		.try_no = 1,
		.keeps_hold = o->keeps_hold,
		.end_reason = "",
		.cancel_reason = "",
		.cancel_note = "",
		.lines = price->lines,
		.n_lines = price->n_lines,
		.model_id = o->model_id,
		.n_cars = o->model_id ? o->qty : 1,
		.cancel_full_before_s = rental.refund_full_before_s,
		.cancel_grace_s = rental.refund_grace_s,
		.cancel_late_percent = rental.refund_late_percent,
		.cancellation = price->cancellation,
	};
	booking_list_cars(b, car, m);
}

static void
write_booking(struct db *db, struct booking *b, const struct booking_order *o)
{
	b->booking_id = db_int(db,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name,"
		" branch_name_ko, state,"
		" starts_at, ends_at, amount, vat_amount, currency, card_id, held_at, hold_until, asked_at,"
		" request_key, request_hash,"
		" model_id, n_cars, car_name_ko, cancel_full_before_s, cancel_grace_s, cancel_late_percent,"
		" terms_version, keeps_hold, asked_by)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'HELD', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
		" $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)"
		" RETURNING booking_id",
		b->code, b->customer_id, b->car_id, b->car_name, b->plate, b->body, b->branch_id, b->branch_name,
		b->branch_name_ko, b->starts_at, b->ends_at, b->amount, b->vat_amount, b->currency, b->card_id,
		b->held_at, b->hold_until, b->asked_at, has_request_key(o) ? o->request_key : "",
		has_request_key(o) && o->request_hash ? o->request_hash : "", b->model_id, b->n_cars, b->car_name_ko,
		b->cancel_full_before_s, b->cancel_grace_s, b->cancel_late_percent, b->terms_version, b->keeps_hold,
		b->asked_by);
	for (int i = 0; i < b->n_lines; i++)
		db_do(db,
			"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount,"
			" amount, label, label_ko)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			b->booking_id, i + 1, words_code(&price_rule_words, b->lines[i].rule), b->lines[i].version,
			b->lines[i].unit, b->lines[i].quantity, b->lines[i].unit_amount, b->lines[i].amount,
			b->lines[i].label, b->lines[i].label_ko);
	booking_extras_write(db, b);
}

/* Counts cars, not bookings: each unpaid one is kept from other customers. A saved card is charged at once. */
static bool
holds_enough(struct db *db, const struct booking_order *o)
{
	return !o->card_id
		&& db_int(db,
			   "SELECT COALESCE(SUM(n_cars), 0) FROM booking WHERE customer_id = $1 AND state = 'HELD'"
			   " AND asked_at = 0",
			   o->customer_id)
		>= rental.max_holds_per_person;
}

/* The customer has accepted the terms in force and agreed to the total, where the order says which. */
static enum booking_outcome
what_was_agreed(const struct booking_order *o, const struct booking *b)
{
	if (o->has_terms && o->terms_version != b->terms_version)
		return BOOKING_TERMS_CHANGED;
	return o->has_agreed && o->agreed_amount != b->amount ? BOOKING_PRICE_CHANGED : BOOKING_OK;
}

/* A no-show or return that can be undone may be open again. */
static int64_t
n_open(struct db *db, int64_t customer_id)
{
	return db_int(db,
		       "SELECT COUNT(*) FROM booking WHERE customer_id = $1"
		       " AND state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'CANCEL_REQUESTED')",
		       customer_id)
		+ db_int(db, "SELECT COUNT(*) FROM booking WHERE undo_until > 0 AND customer_id = $1", customer_id);
}

/* Inside the transaction: the conditions, then the rows. */
static enum booking_outcome
decide_hold(struct db *db, const struct booking_order *o, struct booking *b)
{
	struct rentable car[CARS_MAX] = { 0 };
	struct price *price;
	enum booking_outcome known = request_outcome(db, o, b);

	if (known == BOOKING_OK)
		known = choose_cars(db, o, car, b);
	if (known != BOOKING_OK)
		return known;
	if (o->card_id
		&& !db_exists(
			db, "SELECT 1 FROM v_card WHERE card_id = $1 AND user_id = $2", o->card_id, o->customer_id))
		return BOOKING_BAD_CARD;
	if (n_open(db, o->customer_id) >= rental.max_bookings_per_person)
		return BOOKING_QUOTA;
	if (holds_enough(db, o))
		return BOOKING_HOLDS;
	price = price_make(db_memory(db), o->starts_at, o->ends_at, car->daily_price, car->hourly_price);
	price_times(price, o->model_id ? o->qty : 1);
	fill_booking(b, o, car, price, db_memory(db));
	b->terms_version = terms_in_force(db, TERMS_TERMS, b->held_at);
	known = extra_quote(db, o, b);
	if (known != BOOKING_OK)
		return known;
	if (booking_reviews_closed(b)) /* what cannot be approved now is not held */
		return BOOKING_REVIEW_LATER;
	write_booking(db, b, o);
	if (!booking_hold_cars(db, b))
		return o->model_id ? BOOKING_FEWER_CARS : BOOKING_TAKEN;
	known = what_was_agreed(o, b); /* after the car: a taken one has no price */
	if (known == BOOKING_OK)
		booking_report(db, EVENT_BOOKING_HELD, b, 0, o->customer_id);
	return known;
}

/* One write transaction, rolled back unless all of it is held. */
static enum booking_outcome
hold(struct db *db, const struct booking_order *o, struct booking *b)
{
	enum booking_outcome outcome;

	db_begin(db);
	outcome = decide_hold(db, o, b);
	if (outcome != BOOKING_OK) {
		db_rollback(db);
		return outcome;
	}
	return db_commit(db) ? BOOKING_OK : BOOKING_LATER;
}

/* --- the money ---------------------------------------------------------------------------------------------------- */

enum booking_outcome
booking_outcome_by_state(struct db *db, struct booking *b)
{
	int64_t try_no = b->try_no;

	booking_reload(db, b);
	if (b->state == BOOKING_HELD)
		return b->try_no > try_no ? BOOKING_DECLINED_HELD : BOOKING_UNANSWERED;
	return b->state == BOOKING_EXPIRED ? BOOKING_UNANSWERED : BOOKING_OK;
}

enum booking_outcome
booking_charge(struct db *db, struct booking *b, const struct booking_payment *p)
{
	int64_t charge_id = 0;
	const char *reason = "";

	switch (payment_client->charge(db, b, p, &charge_id, &reason)) {
	case CHARGE_ANSWER_APPROVED:
		return booking_mark_paid(db, b, charge_id) ? BOOKING_OK : booking_outcome_by_state(db, b);
	case CHARGE_ANSWER_DECLINED: return booking_declined(db, b, text_or_empty(reason));
	case CHARGE_ANSWER_NOT_ASKED: booking_expire(db, b, "later", false); return BOOKING_LATER;
	case CHARGE_ANSWER_UNKNOWN:
	case CHARGE_ANSWER_NEVER_SEEN: booking_expire(db, b, "later", true); return BOOKING_UNANSWERED;
	}
	return BOOKING_UNANSWERED;
}

/* Equipment that must be approved first is approved before the charge; without it nothing is booked. */
static enum booking_outcome
approve_held(struct db *db, struct booking *b)
{
	enum booking_outcome outcome = booking_reviews_ask(db, b);

	if (outcome == BOOKING_OK)
		return outcome;
	return booking_expire(db, b, outcome == BOOKING_NOT_APPROVED ? "not_approved" : "review_later", false)
		? outcome
		: booking_outcome_by_state(db, b);
}

#define LATER_S 5               /* when the breaker is closed */

int
booking_later_s(enum booking_callee callee)
{
	int s = 0;

	switch (callee) {
	case CALLEE_PAYMENT: s = payment_closed_for_s(); break;
	case CALLEE_REVIEW: s = review_closed_for_s(); break;
	case CALLEE_DELIVERY: s = delivery_closed_for_s(); break;
	}
	return s ? s : LATER_S;
}

/* What was held is approved and paid for. */
static enum booking_outcome
settle_hold(struct db *db, struct booking *b)
{
	enum booking_outcome outcome = approve_held(db, b);

	return outcome == BOOKING_OK && b->card_id ? booking_charge(db, b, NULL) : outcome;
}

/* The same request came before. If the process that worked on it has ended, this one goes on in its place: review and
 * payment give the same answer to the same key. */
static enum booking_outcome
place_again(struct db *db, struct booking *b, enum booking_outcome known)
{
	bool is_first_try = b->try_no == 1 && b->card_id;

	if (known == BOOKING_IN_PROGRESS && is_first_try && booking_asker_has_ended(b) && booking_take_over(db, b))
		return settle_hold(db, b);
	return known;
}

/* Why the order cannot be placed; OK: as far as can be said before it is held. */
static enum booking_outcome
problem_of_order(const struct booking_order *o)
{
	const char *field;

	if (interval_problem(o->starts_at, o->ends_at, clock_now(), &field))
		return BOOKING_BAD_INTERVAL;
	if (delivery_problem(o, &field))
		return BOOKING_BAD_DELIVERY;
	/* what cannot be paid is not held: this only reads, and nothing has to be released */
	return payment_closed_for_s() ? BOOKING_LATER : BOOKING_OK;
}

enum booking_outcome
booking_place(struct db *db, const struct booking_order *order, struct booking *b)
{
	struct booking_order copy = *order, *o = &copy;
	enum booking_outcome problem, outcome;

	renew_key(db, o);
	problem = problem_of_order(o);
	/* a repeated request is answered as before, even if its time has passed */
	outcome = problem == BOOKING_OK ? hold(db, o, b) : request_outcome(db, o, b);
	if (outcome == BOOKING_IN_PROGRESS)
		return place_again(db, b, outcome);
	if (problem != BOOKING_OK)
		return outcome == BOOKING_OK ? problem : outcome;
	return outcome == BOOKING_OK ? settle_hold(db, b) : outcome;
}
