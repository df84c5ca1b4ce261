/*
 * review_client - the calls of booking and equipment to review (docs/calls.md): a kind of equipment whose settings say
 * so is promised only with review's answer. A table of functions, so that tests and the demo generator can replace
 * them; by default each goes over review's internal socket within settings.call_deadline_ms.
 */
#ifndef MP_REVIEW_CLIENT_H
#define MP_REVIEW_CLIENT_H

#include "lib/db/db.h"

/* The order of equipment that a case is to be opened for. */
struct review_request {
	const char *key; /* the order's code, also before there is an order: review finds the case by it */
	const char *subject_id;                 /* of the events about it: the booking's code, or the order's own */
	const char *item_name, *item_name_ko, *category, *currency;
	int64_t applicant_id, quantity, amount;
};

enum review_answer {
	REVIEW_ANSWER_APPROVED,
	REVIEW_ANSWER_QUEUED,           /* a person will decide */
	REVIEW_ANSWER_REJECTED,         /* *reason: why */
	REVIEW_ANSWER_CLOSED,           /* to open: the key was closed before; to cancel: it is closed now */
	REVIEW_ANSWER_NOT_ASKED,        /* certainly nothing happened */
	REVIEW_ANSWER_UNKNOWN,          /* asked, no answer in time */
};

struct review_client {
	enum review_answer (*open)(struct db *db, const struct review_request *q, const char **reason);
	enum review_answer (*cancel)(struct db *db, const char *key, const char *reason);
	int (*closed_for_s)(void); /* seconds until review's breaker lets calls through again; 0: now. NULL: always 0 */
};
extern const struct review_client *review_client;       /* &review_by_call */
extern const struct review_client review_by_call;

int review_closed_for_s(void);

#endif
