/*
 * review - approvals: orders of equipment, and later other things that a second person must agree to.
 *
 * A context opens a case under a key of its own, any number of times: over the internal socket when it waits for the
 * answer, by an event when it does not. A rule approves what is small; a manager or an examiner decides the rest, never
 * a request of their own, and a rejection has a reason. The decision is an event under the case's subject.
 *
 *	review.c  opening, closing and deciding    queue.c   reading cases, their queue and history
 *	events.c  what review reports              policy.c  its reactions to orders and bookings
 */
#ifndef MP_REVIEW_H
#define MP_REVIEW_H

#include "lib/db/db.h"
#include "lib/event/event.h"

enum case_state { CASE_ASSIGNED, CASE_APPROVED, CASE_REJECTED, CASE_CANCELLED };
enum case_kind { CASE_EQUIPMENT, CASE_APPLICATION, CASE_CLAIM };
extern const struct words case_state_words, case_kind_words;

struct review_case {
	int64_t case_id, applicant_id, quantity, amount, reviewer_id, opened_at, decided_at;
	const char *key, *subject_id, *title, *title_ko, *category, *currency, *rule, *reason;
	const char *applicant_name, *reviewer_name;     /* "": unknown, or not decided by a person */
	int kind, state; /* enum case_kind (-1: closed before it was opened), enum case_state */
	int64_t waiting_s;                              /* how long it has waited for a decision; 0: it does not */
};
extern const struct shape review_case_shape;            /* as it is listed and as JSON has it */

/* --- review.c: opening and closing, for other contexts ------------------------------------------------------------ */

/* What is to be approved. amount in the smallest unit of currency; title for people, title_ko may be "". */
struct case_request {
	const char *key, *subject_id, *title, *title_ko, *category, *currency;
	int kind;
	int64_t applicant_id, quantity, amount;
};

enum case_open_outcome {
	CASE_OPEN_DONE,         /* now or before: c has its state */
	CASE_OPEN_KEY_REUSED,   /* the key was used for another request */
	CASE_OPEN_BAD_REQUEST,
};

/*
 * Opens the case of this key, or finds it. Within the rule of its kind it is approved at once (review.approved, rule
 * auto), else it waits for a person (review.assigned). A key that was closed before stays CANCELLED.
 */
enum case_open_outcome case_open(struct db *db, const struct case_request *o, int64_t causation_id,
	struct review_case *c);

/*
 * The answer is no longer needed: ASSIGNED and APPROVED become CANCELLED (review.cancelled). A key never seen is closed
 * too, so that a late opening finds it so. A rejected case stays rejected.
 */
void case_cancel(struct db *db, const char *key, const char *reason, int64_t causation_id);
/* All of a subject's cases of one kind. */
void case_cancel_of(struct db *db, const char *subject_id, enum case_kind kind, const char *reason,
	int64_t causation_id);

/* --- review.c: deciding, for managers and examiners --------------------------------------------------------------- */

enum case_decide_outcome {
	DECIDE_DONE,            /* now, or by the same person in the same way before */
	DECIDE_NO_CASE,
	DECIDE_OWN,             /* the applicant may not decide */
	DECIDE_NO_REASON,       /* a rejection needs one */
	DECIDE_BEFORE,          /* decided or closed already */
};

/* state: CASE_APPROVED or CASE_REJECTED. Fills c except for DECIDE_NO_CASE. */
enum case_decide_outcome case_decide(struct db *db, int64_t case_id, enum case_state state, const char *reason,
	int64_t reviewer_id,
                              struct review_case *c);

/* --- queue.c: reading --------------------------------------------------------------------------------------------- */

bool case_find(struct db *db, int64_t case_id, struct review_case *c);
bool case_by_key(struct db *db, const char *key, struct review_case *c);

enum case_tab { CASE_TAB_WAITING, CASE_TAB_DECIDED, CASE_TAB_ALL, N_CASE_TABS };
extern const struct words case_tab_words;

void case_count(struct db *db, int64_t n[N_CASE_TABS]);
/* Waiting cases first, the oldest first; then the decided ones, newest first. */
int case_list(struct db *db, enum case_tab tab, int64_t offset, int64_t limit, struct review_case **cases);
/* Of the other cases the one that waits longest; 0: none. */
int64_t case_next(struct db *db, const struct review_case *c);

/* The events of a case, and of the equipment order it is about; newest first. */
struct case_event { int64_t at, actor_id; const char *type, *reason, *actor_name; };
int case_history(struct db *db, const struct review_case *c, struct case_event **events);
/* The id of the equipment order that a case is about; 0: not written yet, or it is about something else. */
int64_t case_order_id(struct db *db, const struct review_case *c);

/* --- events.c, policy.c ------------------------------------------------------------------------------------------- */

/* review.assigned, .approved, .rejected or .cancelled, by the case's state. */
void case_report(struct db *db, const struct review_case *c, int64_t causation_id, int64_t actor_id);

extern const struct db_role review_role;
extern const struct consumer review_consumer;

#endif
