/*
 * reviews - booking's side of the call to review (docs/calls.md): equipment whose category says so is taken only with review's answer,
 * before any money moves. A table of functions, as in payment_client.h.
 */
#ifndef MP_BOOKING_REVIEWS_H
#define MP_BOOKING_REVIEWS_H

#include "booking.h"

enum review_answer {
	REVIEW_GOES_ON,         /* approved, or a person will decide */
	REVIEW_SAYS_NO,         /* *reason: why */
	REVIEW_NOT_HEARD,       /* not reached, or no answer in time: whatever became of the case, booking.expired closes it */
};

struct reviews {
	enum review_answer (*open)(struct db *db, const struct booking *b, const struct booking_extra *x, const char **reason);
	int (*closed_for_s)(void);      /* as in payment_client.h */
};
extern const struct reviews *reviews;   /* &reviews_by_call */
extern const struct reviews reviews_by_call;

#endif
