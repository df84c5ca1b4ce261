/*
 * cancel_terms - what cancelling a booking costs its customer. The rule is three numbers from settings, which are
 * frozen with each booking: full refund until some time before the start, or within some time after booking, else a
 * share (Korea's standard terms for car rental: until 24 hours before, later the firm may keep 10 %).
 */
#ifndef MP_CANCEL_TERMS_H
#define MP_CANCEL_TERMS_H

#include "lib/base/shape.h"

struct cancel_rule {
	int64_t full_before_s;                  /* all is refunded until this long before the start */
	int64_t grace_s;                        /* … or until this long after booking */
	int64_t late_percent;                   /* later, until the start, this share is refunded */
};

/* The rule in words and a date (templates/cancel_terms.mustache). Exactly one of the first three is true. */
struct cancel_terms {
	bool is_until;                          /* free until the date free_until */
	bool is_grace;                          /* the start is near: free only for some minutes after booking */
	bool is_late;                           /* not free any more */
	int64_t free_until, grace_minutes, late_percent;
};
extern const struct shape cancel_terms_shape, cancel_terms_json_shape;

/* The rule for new bookings. */
struct cancel_rule cancel_rule_now(void);
/* Of an offer: it would be booked now. */
struct cancel_terms cancel_terms_offered(const struct cancel_rule *r, int64_t starts_at, int64_t now);
/* Of a booking that was paid at that time. */
struct cancel_terms cancel_terms_booked(const struct cancel_rule *r, int64_t starts_at, int64_t paid_at, int64_t now);
/* Until when a booking is refunded in full; at most its start. */
int64_t cancel_free_until(const struct cancel_rule *r, int64_t starts_at, int64_t paid_at);

#endif
