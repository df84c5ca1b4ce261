/* bookings - the words for the states of a booking, shared by every program that shows one. Codes as in the tables and
 * the API. */
#ifndef MP_BOOKINGS_H
#define MP_BOOKINGS_H

#include "cancel_terms.h"
#include "lib/base/shape.h"

enum booking_state {
	BOOKING_HELD, BOOKING_PAID, BOOKING_CONFIRMED, BOOKING_OUT, BOOKING_RETURNED, BOOKING_COMPLETED,
	BOOKING_CANCEL_REQUESTED, BOOKING_CANCELLED, BOOKING_EXPIRED, BOOKING_REJECTED, BOOKING_NO_SHOW,
};
enum refund_state { REFUND_NONE, REFUND_PENDING, REFUND_DONE };
enum price_rule { PRICE_RULE_DAILY, PRICE_RULE_HOURLY, PRICE_RULE_HOURLY_CAP, PRICE_RULE_DELIVERY,
	PRICE_RULE_COLLECTION, PRICE_RULE_EQUIPMENT };
/* What is booked with a car and provided by other programs; each is one of the price lines. */
enum extra_kind { EXTRA_DELIVERY, EXTRA_COLLECTION, EXTRA_EQUIPMENT };
enum extra_state { EXTRA_BOOKED, EXTRA_ENDED /* not provided: its price is refunded */ };

/* Whose cancellation it is: the customer's rule applies, or all is refunded. */
enum cancel_by { CANCEL_BY_NONE, CANCEL_BY_CUSTOMER, CANCEL_BY_FIRM };

extern const struct words cancel_by_words, firm_reason_words, refund_reason_words;
extern const struct words booking_state_words, refund_state_words, price_rule_words, extra_kind_words,
	extra_state_words;

/* One line of a price: quantity × unit_amount, or the cap. Frozen when booked. */
struct booking_line {
	int rule;                               /* enum price_rule */
	const char *unit;                       /* day, hour, trip, piece_day */
	const char *label, *label_ko; /* an item's or zone's name, where the rule alone does not say what it is; "" */
	int64_t version, quantity, unit_amount, amount;
	/* For pages only: what was counted (booking_lines_in_words). */
	int64_t n_things, n_units;              /* quantity = n_things × n_units: 2 cars × 3 days */
	bool is_rest;                           /* hours beyond whole days */
};
extern const struct shape booking_line_shape;

struct price {
	struct booking_line *lines;
	int n_lines;
	int64_t amount, vat_amount;
	struct cancel_terms cancellation;       /* of an offer: what cancelling will cost */
};
extern const struct shape price_shape;          /* for JSON */
extern const struct shape shown_price_shape;    /* for templates/price_lines.mustache */
extern const struct shape shown_line_shape;

/* For pages: splits each quantity into n_things × n_units. */
void booking_lines_in_words(struct booking_line *lines, int n, int64_t starts_at, int64_t ends_at);

/* A code of firm_reason_words or refund_reason_words in words; "": "other", or an unknown one. */
const char *chosen_reason_in_words(const struct words *words, const char *code);
/* Why a booking ended, as a translated sentence, from its end_reason; NULL: no words for it. */
const char *end_reason_in_words(const char *end_reason);

#endif
