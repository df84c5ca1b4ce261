/*
 * reviews - equipment's side of the calls to review (docs/calls.md). A table of functions, so that tests and the demo generator
 * can put others in their place; by default they go over review's internal socket with settings.call_deadline_ms.
 */
#ifndef MP_EQUIPMENT_REVIEWS_H
#define MP_EQUIPMENT_REVIEWS_H

#include "equipment.h"

enum review_answer {
	REVIEW_SAYS_YES,
	REVIEW_SAYS_WAIT,       /* a person will decide */
	REVIEW_SAYS_NO,
	REVIEW_IS_CLOSED,       /* the key was closed before; or to a cancel: it is now */
	REVIEW_NOT_ASKED,       /* certainly nothing happened */
	REVIEW_UNKNOWN,         /* asked, no answer in time */
};

struct equipment_reviews {
	enum review_answer (*ask)(struct db *db, const struct equipment_order *o, const char **reason);
	enum review_answer (*close)(struct db *db, const struct equipment_order *o, const char *reason);
	int (*closed_for_s)(void);      /* review's breaker is open: so many seconds on it is asked again; 0: it can be asked. NULL: always */
};
extern const struct equipment_reviews *equipment_reviews;       /* &equipment_reviews_by_call */
extern const struct equipment_reviews equipment_reviews_by_call;

#endif
