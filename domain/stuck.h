/*
 * stuck - what has rested on its way for longer than it should: words, and how much of it there is, shared by every program that
 * shows it. Each owner publishes its own (v_stuck_booking, v_stuck_charge); since when is too long says settings.stuck_after_s.
 *
 * All of it ends by itself when the other side is there again (the sweeps). A manager may have it tried at once, or end it by
 * hand, with a reason, in one of the ways that keep the books true.
 */
#ifndef MP_STUCK_H
#define MP_STUCK_H

#include "event_types.h"
#include "lib/web/form.h"
#include "lib/web/web.h"

enum stuck_kind {
	STUCK_HOLD,             /* booking: held past its end */
	STUCK_ASKED,            /* booking: payment was asked, nobody heard the answer */
	STUCK_UNCONFIRMED,      /* booking: paid, and fleet has not said whether the car can be given */
	STUCK_CANCEL,           /* booking: cancelled, the refund is pending */
	STUCK_REFUND,           /* booking: rejected or not completed, the money is to go back */
	STUCK_WISH,             /* booking: to be cancelled, and delivery has not said whether it can be */
	STUCK_EXTRA,            /* booking: something booked with the car ended, its price is to go back */
	STUCK_CHARGE,           /* payment: nobody knows whether the provider took the money */
	STUCK_PAYBACK,          /* payment: the provider has not given it back */
	STUCK_LATE_LOOK,        /* payment: given up, and the provider has not said for good that it has nothing */
};
extern const struct words stuck_kind_words;

/* How a person may end one, and what each means for the money. */
enum stuck_way {
	WAY_RELEASE,            /* hold, asked: the car is free; what was taken, or still is, goes back */
	WAY_CONFIRM,            /* unconfirmed: the car stands ready */
	WAY_REJECT,             /* unconfirmed: it cannot be given; all the money goes back */
	WAY_NOTHING_OWED,       /* cancel, refund, extra: payment's books say that all is back, or that nothing was taken */
	WAY_NO_PAYMENT,         /* charge: the provider shows no payment. Should it turn up later, it goes back */
	WAY_BY_BANK,            /* payback: paid by bank transfer, and the provider will not be asked again */
};
extern const struct words stuck_way_words;      /* whole sentences: what is true, what follows */
extern const unsigned stuck_ways[];             /* by kind: the bits (1 << way) of the ways it may be ended in */

enum stuck_outcome {
	STUCK_RESOLVED,
	STUCK_NO_MORE,          /* it has ended, or is not so old that anybody needs to */
	STUCK_NOT_SO,           /* the books, or the provider, say otherwise than this way says */
	STUCK_TOO_SOON,         /* it was asked for a moment ago: it may be on its way, and would be paid twice */
	STUCK_NOBODY_KNOWS,     /* the provider does not say whether it has done it: the same */
};

#define STUCK_REASON_MAX 200

/* Why the last try did not end it, in words; a provider's code it came with stays behind them. */
const char *stuck_error_in_words(struct arena *m, int kind, const char *last_error);

int64_t stuck_count(struct db *db, int64_t now);        /* how much there is */

/* What a person did, as an event about the booking's code: booking.retried, payment.retried; booking.resolved, payment.resolved (inside
 * the transaction of what was done). */
struct stuck_report {
	const char *kind, *way;                 /* codes */
	const char *note;                       /* why, in the person's words */
	int64_t charge_id, amount;
	const char *currency;
};
void stuck_report_retried(struct db *db, enum event_type_id type, const char *subject_id, int kind, int64_t actor_id);
void stuck_report_resolved(struct db *db, enum event_type_id type, const char *subject_id, const struct stuck_report *report, int64_t actor_id);

/* … and the same read again, newest first, for the pages of the booking and of the charge. */
struct stuck_deed {
	int64_t at;
	const char *title, *detail;             /* "Tried again by …", the reason given */
};
extern const struct shape stuck_deed_shape;
int stuck_deeds(struct db *db, const char *subject_id, struct stuck_deed **deeds);

/* --- stuck_page.c: what the programs' pages share ------------------------------------------------------------------ */

/* How much there is stands in a manager's menu, as of 5 s ago at most (counts.h). */
void stuck_show_count(struct web *w);

/* The question before it is ended by hand; each program that asks it declares a PAGE of it. */
struct stuck_question {
	const char *subject_id, *customer_name, *last_error, *action, *back;
	const char *charge_url;                 /* a booking's: where a transfer is said; NULL */
	int kind;
	int64_t since, tries, next_at, amount;
	struct form_problems problems;
	struct field way, reason;
	struct stuck_meaning { const char *way, *meaning; } *ways;      /* for programs: the same, said */
	int n_ways;
	bool has_ways;                          /* false: nothing may be said about it but to try again */
};
extern const struct shape stuck_question_shape;

struct stuck_choice { int way; const char *reason; };
struct stuck_choice stuck_answer(struct web *w, int kind);       /* what was chosen; bad fields are marked */
/* The page, or the refusal as JSON. */
enum status stuck_ask(struct web *w, struct page *page, struct stuck_question *q, enum status status, const char *code, const char *message);
/* An outcome other than STUCK_RESOLVED, said on that page. */
enum status stuck_refuse(struct web *w, struct page *page, struct stuck_question *q, enum stuck_outcome outcome);

#endif
