/* bookings - the words for what becomes of a booking. The story is in bookings.h. */
#include "bookings.h"

#include "lib/base/lang.h"

#include <string.h>

static const struct word booking_state_word[] = {
	[BOOKING_HELD]             = { "HELD",             N_("Waiting for payment") },
	[BOOKING_PAID]             = { "PAID",             N_("Paid") },
	[BOOKING_CONFIRMED]        = { "CONFIRMED",        N_("Confirmed") },
	[BOOKING_OUT]              = { "OUT",              N_("On the road") },
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

static const struct word price_rule_word[] = {
	[PRICE_DAILY]      = { "daily",      N_("Days") },
	[PRICE_HOURLY]     = { "hourly",     N_("Hours") },
	[PRICE_HOURLY_CAP] = { "hourly_cap", N_("Hours, at most one day's price") },
	[PRICE_DELIVERY]   = { "delivery",   N_("Car brought to you") },
	[PRICE_COLLECTION] = { "collection", N_("Car fetched from you") },
	[PRICE_EQUIPMENT]  = { "equipment",  N_("Equipment") },
};
const struct words price_rule_words = WORDS(price_rule_word);

static const struct word extra_kind_word[] = {
	[EXTRA_DELIVERY]   = { "delivery",   N_("Car brought to you") },
	[EXTRA_COLLECTION] = { "collection", N_("Car fetched from you") },
	[EXTRA_EQUIPMENT]  = { "equipment",  N_("Equipment") },
};
const struct words extra_kind_words = WORDS(extra_kind_word);

static const struct word extra_state_word[] = {
	[EXTRA_BOOKED] = { "BOOKED", N_("Booked") },
	[EXTRA_ENDED]  = { "ENDED",  N_("Not available") },
};
const struct words extra_state_words = WORDS(extra_state_word);

static const struct member booking_line_members[] = {
	SHAPE_STATE(booking_line, rule, price_rule_words), SHAPE_INT(booking_line, version), SHAPE_TEXT(booking_line, unit),
	SHAPE_INT(booking_line, quantity), SHAPE_AMOUNT(booking_line, unit_amount), SHAPE_AMOUNT(booking_line, amount),
	SHAPE_TEXT_KO(booking_line, label),
};
const struct shape booking_line_shape = SHAPE(booking_line, booking_line_members);

const char *
end_reason_in_words(const char *end_reason)
{
	static const struct { const char *code, *words; } said[] = {
		{ "declined",    N_("The card was declined. Nothing was charged.") },
		{ "later",       N_("Your bank did not answer in time, so nothing is booked. We go on asking it: should money have been taken, it goes back by itself.") },
		{ "hold_over",   N_("It was not paid in time, so the car was given free. Nothing was charged.") },
		{ "given_up",    N_("It was given up before it was paid. Should money have been taken, it goes back by itself.") },
		{ "car_refused", N_("The car could not be made ready. All the money goes back.") },
		{ "not_approved", N_("Its equipment was not approved. Nothing was booked and nothing was charged.") },
		{ "review_later", N_("Its equipment could not be approved at that moment. Nothing was booked and nothing was charged.") },
		{ "no_show",     N_("The car was not picked up. There is no refund.") },
	};

	for (size_t i = 0; end_reason && i < sizeof(said) / sizeof(said[0]); i++)
		if (strcmp(said[i].code, end_reason) == 0)
			return _(said[i].words);
	return NULL;
}
