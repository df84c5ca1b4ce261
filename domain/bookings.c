/* bookings - the words for the states of a booking; described in bookings.h. */
#include "bookings.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct word booking_state_word[] = {
	[BOOKING_HELD]             = { "HELD",             N_("Waiting for payment") },
	[BOOKING_PAID]             = { "PAID",             N_("Paid") },
	[BOOKING_CONFIRMED]        = { "CONFIRMED",        N_("Confirmed") },
	[BOOKING_OUT]              = { "OUT",              N_("In use") },
	[BOOKING_RETURNED]         = { "RETURNED",         N_("Returned") },
	[BOOKING_COMPLETED]        = { "COMPLETED",        N_("Completed") },
	[BOOKING_CANCEL_REQUESTED] = { "CANCEL_REQUESTED", N_("Cancelled, refund pending") },
	[BOOKING_CANCELLED]        = { "CANCELLED",        N_("Cancelled") },
	[BOOKING_EXPIRED]          = { "EXPIRED",          N_("Not completed") },
	[BOOKING_REJECTED]         = { "REJECTED",         N_("Could not be fulfilled") },
	[BOOKING_NO_SHOW]          = { "NO_SHOW",          N_("Not picked up") },
};
const struct words booking_state_words = WORDS(booking_state_word);

static const struct word refund_state_word[] = {
	[REFUND_NONE]    = { "NONE",    N_("No refund") },
	[REFUND_PENDING] = { "PENDING", N_("Refund pending") },
	[REFUND_DONE]    = { "DONE",    N_("Refunded") },
};
const struct words refund_state_words = WORDS(refund_state_word);

static const struct word cancel_by_word[] = {
	[CANCEL_BY_NONE]     = { "",         N_("Not cancelled") },
	[CANCEL_BY_CUSTOMER] = { "customer", N_("By the customer, or for them") },
	[CANCEL_BY_FIRM]     = { "firm",     N_("By the company") },
};
const struct words cancel_by_words = WORDS(cancel_by_word);

/* Why the firm cancels a booking. */
static const struct word firm_reason_word[] = {
	{ "car_late",      N_("The car did not come back in time from the previous rental") },
	{ "car_broken",    N_("The car is damaged or out of order") },
	{ "car_gone",      N_("The car is no longer available") },
	{ "branch_closed", N_("The branch is closed") },
	{ "our_mistake",   N_("We made a mistake with the booking") },
	{ "other",         N_("Another reason") },
};
const struct words firm_reason_words = WORDS(firm_reason_word);

/* Why a manager gives back a part of the price. */
static const struct word refund_reason_word[] = {
	{ "car_fault",    N_("A fault with the car") },
	{ "late_start",   N_("The car was handed over late") },
	{ "early_return", N_("The car was returned early") },
	{ "wrong_charge", N_("Too much was charged") },
	{ "goodwill",     N_("Goodwill") },
	{ "other",        N_("Another reason") },
};
const struct words refund_reason_words = WORDS(refund_reason_word);

const char *
chosen_reason_in_words(const struct words *words, const char *code)
{
	int i = words_find(words, text_or_empty(code));

	return i < 0 || strcmp(code, "other") == 0 ? "" : _(words->word[i].label);
}

static const struct word price_rule_word[] = {
	[PRICE_RULE_DAILY]      = { "daily",      N_("Days") },
	[PRICE_RULE_HOURLY]     = { "hourly",     N_("Hours") },
	[PRICE_RULE_HOURLY_CAP] = { "hourly_cap", N_("Hours") },
	[PRICE_RULE_DELIVERY]   = { "delivery",   N_("Delivery") },
	[PRICE_RULE_COLLECTION] = { "collection", N_("Collection") },
	[PRICE_RULE_EQUIPMENT]  = { "equipment",  N_("Equipment") },
};
const struct words price_rule_words = WORDS(price_rule_word);

static const struct word extra_kind_word[] = {
	[EXTRA_DELIVERY]   = { "delivery",   N_("Delivery") },
	[EXTRA_COLLECTION] = { "collection", N_("Collection") },
	[EXTRA_EQUIPMENT]  = { "equipment",  N_("Equipment") },
};
const struct words extra_kind_words = WORDS(extra_kind_word);

static const struct word extra_state_word[] = {
	[EXTRA_BOOKED] = { "BOOKED", N_("Booked") },
	[EXTRA_ENDED]  = { "ENDED",  N_("Not available") },
};
const struct words extra_state_words = WORDS(extra_state_word);

static const struct member booking_line_members[] = {
	SHAPE_STATE(booking_line, rule, price_rule_words), SHAPE_INT(booking_line, version),
	SHAPE_TEXT(booking_line, unit), SHAPE_INT(booking_line, quantity), SHAPE_AMOUNT(booking_line, unit_amount),
	SHAPE_AMOUNT(booking_line, amount), SHAPE_TEXT_KO(booking_line, label),
};
const struct shape booking_line_shape = SHAPE(booking_line, booking_line_members);

static const struct member price_members[] = {
	SHAPE_LIST(price, lines, booking_line_shape), SHAPE_AMOUNT(price, amount), SHAPE_AMOUNT(price, vat_amount),
	SHAPE_STRUCT(price, cancellation, cancel_terms_json_shape),
};
const struct shape price_shape = SHAPE(price, price_members);

static const struct member shown_line_members[] = {
	SHAPE_STATE(booking_line, rule, price_rule_words), SHAPE_TEXT_KO(booking_line, label),
	SHAPE_INT(booking_line, n_things), SHAPE_INT(booking_line, n_units), SHAPE_BOOL(booking_line, is_rest),
	SHAPE_AMOUNT(booking_line, unit_amount), SHAPE_AMOUNT(booking_line, amount),
};
const struct shape shown_line_shape = SHAPE(booking_line, shown_line_members);

static const struct member shown_price_members[] = {
	SHAPE_LIST(price, lines, shown_line_shape), SHAPE_AMOUNT(price, amount), SHAPE_AMOUNT(price, vat_amount),
	SHAPE_STRUCT(price, cancellation, cancel_terms_shape),
};
const struct shape shown_price_shape = SHAPE(price, shown_price_members);

/* The days or hours that one car or item is charged for; 1 for a trip. */
static int64_t
units_of(const struct booking_line *line, int64_t starts_at, int64_t ends_at)
{
	int64_t length = ends_at - starts_at;

	switch ((enum price_rule)line->rule) {
	case PRICE_RULE_DAILY: return length / DAY;
	case PRICE_RULE_HOURLY:
	case PRICE_RULE_HOURLY_CAP: return (length % DAY + HOUR - 1) / HOUR;
	case PRICE_RULE_EQUIPMENT: return (length + DAY - 1) / DAY;
	case PRICE_RULE_DELIVERY:
	case PRICE_RULE_COLLECTION: break;
	}
	return 1;
}

void
booking_lines_in_words(struct booking_line *lines, int n, int64_t starts_at, int64_t ends_at)
{
	for (int i = 0; i < n; i++) {
		struct booking_line *line = &lines[i];
		int64_t units = units_of(line, starts_at, ends_at);

		line->n_units = units > 0 && line->quantity % units == 0 ? units : line->quantity;
		line->n_things = line->n_units ? line->quantity / line->n_units : 0;
		line->is_rest = (line->rule == PRICE_RULE_HOURLY || line->rule == PRICE_RULE_HOURLY_CAP)
			&& ends_at - starts_at >= DAY;
	}
}

const char *
end_reason_in_words(const char *end_reason)
{
	static const struct {
		const char *code, *words;
	} reasons[] = {
		{ "declined", N_("The card was declined. Nothing was charged.") },
		{ "later",
			N_("Your card company did not respond in time, so the booking was not made. We keep checking;"
			   " if you were charged, we refund you automatically.") },
		{ "hold_over", N_("The booking was not paid in time, so the car was released. Nothing was charged.") },
		{ "given_up",
			N_("The booking was cancelled before it was paid. If you were charged, we refund you"
			   " automatically.") },
		{ "car_refused", N_("The car could not be made ready. You get a full refund.") },
		{ "not_approved",
			N_("The equipment was not approved, so the booking was not made. Nothing was charged.") },
		{ "review_later",
			N_("The equipment could not be approved at that time, so the booking was not made. Nothing was"
			   " charged.") },
		{ "firm", N_("We are sorry: we could not keep this booking. You get a full refund.") },
		{ "no_show", N_("The car was not picked up.") },
	};

	for (size_t i = 0; end_reason && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].code, end_reason) == 0)
			return _(reasons[i].words);
	return NULL;
}
