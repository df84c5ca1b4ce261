/*
 * review - what somebody must say yes to before it is done: an order of equipment, and whatever else has two sides to look at.
 *
 * Whoever needs a yes opens a case under a key of their own, as often as they like: over the internal socket when they wait for the
 * answer, by an event when they do not. A rule approves what is small; a manager or an examiner decides the rest, never about
 * what they asked for themselves, and a no has a reason. What was decided is an event under the case's subject.
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
	const char *applicant_name, *reviewer_name;     /* "" when we do not know them, or nobody decided */
	int kind, state;                                /* enum case_kind (-1: sealed before it was opened), enum case_state */
	int64_t waiting_s;                              /* how long it has waited for somebody; 0: it does not */
};
extern const struct shape review_case_shape;            /* as it is listed and as JSON has it */

/* --- opening and closing: those who need a yes ------------------------------------------------------------------------ */

/* What is asked for. amount in the smallest unit of currency; title for people, title_ko may be "". */
struct case_order {
	const char *key, *subject_id, *title, *title_ko, *category, *currency;
	int kind;
	int64_t applicant_id, quantity, amount;
};

enum case_opened {
	CASE_OPENED,            /* this time or before: c says how it stands */
	CASE_KEY_REUSED,        /* the key came with something else before */
	CASE_BAD_ORDER,         /* nobody can decide about that */
};

/*
 * Opens the case of this key, or finds it. Within the rule of its kind it is approved at once (review.approved, rule auto), else it
 * waits for a person (review.assigned). A key that was sealed stays CANCELLED.
 */
enum case_opened case_open(struct db *db, const struct case_order *o, int64_t causation_id, struct review_case *c);

/*
 * Nobody needs the answer any more, whatever it was: ASSIGNED and APPROVED become CANCELLED (review.cancelled). A key never seen is
 * sealed, so that an opening that comes late finds it closed. A rejected case stays what it is.
 */
void case_cancel(struct db *db, const char *key, const char *reason, int64_t causation_id);
/* All of a subject's cases of one kind. */
void case_cancel_of(struct db *db, const char *subject_id, enum case_kind kind, const char *reason, int64_t causation_id);

/* Somebody decided before whoever asked could hear of it: say it again (review.approved, review.rejected). */
void case_tell_again(struct db *db, const struct review_case *c, int64_t causation_id);

/* --- deciding: managers and examiners --------------------------------------------------------------------------------- */

enum case_decided {
	DECIDED_OK,             /* now, or by the same person in the same way before */
	DECIDED_NO_CASE,
	DECIDED_OWN,            /* whoever asks for it does not decide about it */
	DECIDED_NO_REASON,      /* a no needs one */
	DECIDED_BEFORE,         /* it waits no more */
};

/* state: CASE_APPROVED or CASE_REJECTED. Fills c but for DECIDED_NO_CASE. */
enum case_decided case_decide(struct db *db, int64_t case_id, enum case_state state, const char *reason, int64_t reviewer_id,
                              struct review_case *c);

/* --- backlog.c: looking at them ----------------------------------------------------------------------------------------- */

bool case_find(struct db *db, int64_t case_id, struct review_case *c);
bool case_by_key(struct db *db, const char *key, struct review_case *c);

enum case_tab { TAB_WAITING, TAB_DECIDED, TAB_ALL };
extern const struct words case_tab_words;

void case_count(struct db *db, int64_t n[TAB_ALL + 1]);
/* What waits first, the oldest of it first; then what was decided, newest first. */
int case_list(struct db *db, enum case_tab tab, int64_t offset, int64_t limit, struct review_case **cases);
/* Which case waits longest, after this one; 0: none. */
int64_t case_next(struct db *db, const struct review_case *c);

/* What the log says of a case: its own events and, of an order of equipment, the order's. Newest first. */
struct case_event { int64_t at, actor_id; const char *type, *reason, *actor_name; };
int case_history(struct db *db, const struct review_case *c, struct case_event **events);
/* The number of the equipment order that a case is about; 0: it has not arrived yet, or it is about something else. */
int64_t case_order_id(struct db *db, const struct review_case *c);

/* --- policy.c --- */
extern const struct consumer review_consumer;
extern const struct db_role review_role;

#endif
