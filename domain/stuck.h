/*
 * stuck - what has been pending for longer than it should: its words, how much of it there is, and what managers do
 * about it, shared by every program that shows it. Each owner publishes its own (v_stuck_booking, v_stuck_charge);
 * rental.stuck_after_s says from when on.
 *
 * All of it ends without help when the other side is available again (the sweeps). A manager may have it retried at
 * once, or close it manually, with a reason, in one of the ways that agree with the ledger.
 */
#ifndef MP_STUCK_H
#define MP_STUCK_H

#include "event_types.h"
#include "lib/web/form.h"
#include "lib/web/web.h"

enum stuck_kind {
	STUCK_HOLD,             /* booking: held past its end */
	STUCK_ASKED,            /* booking: payment was asked to charge, its answer was lost */
	STUCK_UNCONFIRMED,      /* booking: paid, and fleet has not answered whether the car can be provided */
	STUCK_CANCEL,           /* booking: cancelled, the refund is pending */
	STUCK_REFUND,           /* booking: rejected or expired, the refund is pending */
	STUCK_WISH,             /* booking: to be cancelled, and delivery has not answered whether it can be */
	STUCK_EXTRA,            /* booking: an extra ended, its refund is pending */
	STUCK_CUSTODY,          /* booking: another booking has its car, and it was not recorded as returned */
	STUCK_CAR_GONE,         /* booking: one of its cars is not in service, or was moved to another branch */
	STUCK_CHARGE,           /* payment: the provider has not said whether it charged */
	STUCK_PAYBACK,          /* payment: the provider has not made the refund */
	STUCK_OUTSIDE,          /* payment: refunded in the provider's own dashboard, and no manager has seen it */
	STUCK_LATE_LOOK,        /* payment: recorded as not charged, and the provider has not confirmed that for good */
	STUCK_PART,             /* booking: the refund of a part is pending */
	STUCK_COMPENSATION,     /* booking: payment does not have the payout yet */
	STUCK_NO_CAR,           /* booking: its time has begun, and others have its car: cancelled by the firm */
};
extern const struct words stuck_kind_words;

/* How a manager may close one, and what each means for the money. */
enum stuck_resolution {
	RESOLUTION_RELEASE,             /* hold, asked: the car is released; what was or will be charged is refunded */
	RESOLUTION_CONFIRM,             /* unconfirmed: the car is ready */
	RESOLUTION_REJECT,              /* unconfirmed: the car cannot be provided; full refund */
	/* cancel, refund, extra, part: by payment's ledger all is refunded, or nothing was charged */
	RESOLUTION_NOTHING_OWED,
	RESOLUTION_RETURNED,            /* custody: the car came back before the other customer got it */
	RESOLUTION_NO_PAYMENT, /* charge: the provider has no such payment. If it appears later, it is refunded */
	RESOLUTION_SEEN,                /* outside: the refund is meant; the booking stays as it is */
	RESOLUTION_BY_BANK,             /* payback: refunded by bank transfer; the provider is not asked any more */
};
extern const struct words stuck_resolution_words;       /* whole sentences: what is true, and what follows */
extern const unsigned stuck_resolutions[]; /* by kind: the bits (1 << resolution) that it may be closed with */

enum resolve_outcome {
	RESOLVE_DONE,
	RESOLVE_NOT_STUCK,      /* it has ended, or has not been pending for long enough */
	RESOLVE_CONTRADICTED,   /* the ledger, or the provider, contradicts this resolution */
	/* the provider was asked a moment ago: it may be at it, and the customer would be refunded twice */
	RESOLVE_TOO_SOON,
	RESOLVE_UNCERTAIN,      /* the provider does not say whether it has done it: the same */
};

#define STUCK_NOTE_MAX 200

/* Why the last try failed, in words, with the provider's code after them if there is one. */
const char *stuck_error_in_words(struct arena *m, int kind, const char *last_error);

int64_t stuck_count(struct db *db, int64_t now);

/* What a person did, as an event about the booking's code: booking.retried, payment.retried; booking.resolved,
 * payment.resolved (inside the transaction of what was done). */
struct stuck_report {
	const char *kind, *way;                 /* codes */
	const char *note;                       /* why, in the person's words */
	int64_t charge_id, amount;
	const char *currency;
};
void stuck_report_retried(struct db *db, enum event_type_id type, const char *subject_id, int kind, int64_t actor_id);
void stuck_report_resolved(struct db *db, enum event_type_id type, const char *subject_id,
	const struct stuck_report *report, int64_t actor_id);

/* The same, read for the pages of the booking and of the charge, newest first. */
struct stuck_action {
	int64_t at;
	const char *title, *detail;             /* "Retried by …", the reason given */
};
extern const struct shape stuck_action_shape;
int stuck_actions(struct db *db, const char *subject_id, struct stuck_action **actions);

/* --- stuck_page.c: what the programs' pages share ----------------------------------------------------------------- */

/* The number in a manager's menu, as of 5 s ago at most (counts.h). */
void stuck_show_count(struct web *w);

/* The form by which one is closed. */
struct stuck_form {
	struct page *page;                      /* each program declares its own, of stuck_form_shape */
	const char *subject_id, *customer_name, *last_error, *action, *back;
	const char *charge_url;                 /* a booking's: where a bank transfer is reported; NULL */
	int kind;
	int64_t since, tries, next_at, amount;
	struct form_problems problems;
	struct field way, reason;
	struct stuck_option { const char *way, *meaning; } *ways;       /* for JSON: the same options */
	int n_ways;
	bool has_ways;                          /* false: it can only be retried */
};
extern const struct shape stuck_form_shape;
form_page stuck_show_form;

struct stuck_choice { int way; const char *reason; };
struct stuck_choice stuck_read_form(struct web *w, int kind);   /* bad fields are marked */
enum status stuck_refuse(struct web *w, enum resolve_outcome outcome);  /* any but RESOLVE_DONE, with that form */

#endif
