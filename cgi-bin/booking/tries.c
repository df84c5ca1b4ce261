/*
 * tries - several tries to pay for one hold. Each is a charge of its own, under CODE, CODE-2, CODE-3 …; the next one
 * begins only after the last one was declined, and payment voids an earlier one that turns out approved after all.
 */
#include "booking.h"
#include "booking_steps.h"
#include "payment_client.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/proc.h"

#include <string.h>

/* --- their keys --------------------------------------------------------------------------------------------------- */

const char *
booking_try_key(struct arena *m, const struct booking *b, int64_t try_no)
{
	return try_no > 1 ? arena_printf(m, "%s-%lld", b->code, (long long)try_no) : b->code;
}

const char *
booking_charge_key(struct arena *m, const struct booking *b)
{
	return booking_try_key(m, b, b->try_no);
}

int64_t
booking_try_of_key(struct arena *m, const struct booking *b, const char *key)
{
	for (int64_t try_no = 1; try_no <= b->try_no; try_no++)
		if (strcmp(booking_try_key(m, b, try_no), key) == 0)
			return try_no;
	return 0;
}

/* --- which process waits for payment ------------------------------------------------------------------------------ */

bool
booking_asker_has_ended(const struct booking *b)
{
	return b->state == BOOKING_HELD && b->asked_at && proc_stamp_is_ended(text_or_empty(b->asked_by));
}

bool
booking_take_over(struct db *db, struct booking *b)
{
	int64_t now = clock_now();
	const char *stamp = proc_stamp(db_memory(db));
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET asked_at = $2, asked_by = $3 WHERE booking_id = $1 AND state = 'HELD'"
		" AND asked_at = $4 AND asked_by = $5 AND try_no = $6",
		b->booking_id, now, stamp, b->asked_at, b->asked_by, b->try_no);
	if (!db_commit(db) || n != 1)
		return false;
	b->asked_at = now;
	b->asked_by = stamp;
	return true;
}

/* --- declined ----------------------------------------------------------------------------------------------------- */

int64_t
booking_tries_left(const struct booking *b)
{
	return b->try_no < rental.max_tries_per_hold ? rental.max_tries_per_hold - b->try_no + 1 : 1;
}

/* "void": payment has closed the key, so this hold can no longer be paid. */
static bool
may_try_again(const struct booking *b, const char *reason)
{
	return b->keeps_hold && b->try_no < rental.max_tries_per_hold && b->hold_until > clock_now()
		&& strcmp(reason, "void") != 0;
}

/* A declined hold counts as an unpaid one from now on. */
static bool
holds_enough_others(struct db *db, const struct booking *b)
{
	return db_int(db,
		       "SELECT COALESCE(SUM(n_cars), 0) FROM booking WHERE customer_id = $1 AND state = 'HELD'"
		       " AND asked_at = 0 AND booking_id <> $2",
		       b->customer_id, b->booking_id)
		>= rental.max_holds_per_person;
}

static void
record_decline(struct db *db, const struct booking *b, const char *reason)
{
	db_do(db,
		"INSERT INTO booking_try (booking_id, try_no, card_id, declined_at, reason) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (booking_id, try_no) DO UPDATE SET declined_at = $4, reason = $5",
		b->booking_id, b->try_no, b->card_id, clock_now(), *reason ? reason : "declined");
}

/* The hold goes on with the next try. false: it does not, or another process was faster. */
static bool
begin_next_try(struct db *db, struct booking *b, const char *reason)
{
	int n = 0;

	db_begin(db);
	if (!holds_enough_others(db, b))
		n = db_do(db,
			"UPDATE booking SET try_no = try_no + 1, asked_at = 0, asked_by = '', ask_tries = 0,"
			" ask_next_at = 0, last_error = '' WHERE booking_id = $1 AND state = 'HELD' AND asked_at = $2"
			" AND try_no = $3",
			b->booking_id, b->asked_at, b->try_no);
	if (n == 1) {
		record_decline(db, b, reason);
		b->try_no++;
		b->asked_at = 0;
		b->asked_by = "";
	}
	return db_commit(db) && n == 1;
}

enum booking_outcome
booking_declined(struct db *db, struct booking *b, const char *reason)
{
	if (may_try_again(b, reason) && begin_next_try(db, b, reason))
		return BOOKING_DECLINED_HELD;
	return booking_expire(db, b, "declined", false) ? BOOKING_DECLINED : booking_outcome_by_state(db, b);
}

const char *
booking_last_decline(struct db *db, const struct booking *b)
{
	return b->try_no > 1 ? db_text(db, "SELECT reason FROM booking_try WHERE booking_id = $1 AND try_no = $2",
		       b->booking_id, b->try_no - 1)
			     : NULL;
}

/* --- voided ------------------------------------------------------------------------------------------------------- */

static enum refund_answer
void_try(struct db *db, const struct booking *b, int64_t try_no, int64_t *refunded)
{
	const struct booking_refund refund = {
		.key = arena_printf(db_memory(db), "%s-void", booking_try_key(db_memory(db), b, try_no)),
		.charge_key = booking_try_key(db_memory(db), b, try_no),
		.reason = text_or_empty(b->end_reason),
	};

	return payment_client->refund(db, b, &refund, refunded);
}

/* All that were asked for; none is left out because another one cannot be voided now. *refunded: of one of them, since
 * one at most is approved at a time. */
enum refund_answer
booking_void_tries(struct db *db, const struct booking *b, int64_t *refunded)
{
	enum refund_answer all = REFUND_ANSWER_DONE, one;
	int64_t last = b->asked_at ? b->try_no : b->try_no - 1, of_one;

	*refunded = 0;
	for (int64_t try_no = 1; try_no == 1 || try_no <= last; try_no++) {
		of_one = 0;
		one = void_try(db, b, try_no, &of_one);
		if (one != REFUND_ANSWER_DONE)
			all = one;
		if (of_one > *refunded)
			*refunded = of_one;
	}
	return all;
}

/* --- the next one ------------------------------------------------------------------------------------------------- */

/* The try that came with this key; 0: none. */
static int64_t
try_of_request(struct db *db, const struct booking *b, const struct booking_payment *p)
{
	return *text_or_empty(p->request_key) ? db_int(db,
		       "SELECT try_no FROM booking_try WHERE booking_id = $1 AND request_key = $2"
		       " AND request_key <> ''",
		       b->booking_id, p->request_key)
					      : 0;
}

/* The key came before with another card. */
static bool
is_other_card(struct db *db, const struct booking *b, const struct booking_payment *p, int64_t try_no)
{
	return db_exists(db, "SELECT 1 FROM booking_try WHERE booking_id = $1 AND try_no = $2 AND card_id <> $3",
		b->booking_id, try_no, p->card_id);
}

/* Only one process asks for one try: asked_at is the claim. */
static bool
claim_try(struct db *db, struct booking *b, const struct booking_payment *p)
{
	int64_t now = clock_now();
	const char *stamp = proc_stamp(db_memory(db));
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET asked_at = $2, asked_by = $3, card_id = $4 WHERE booking_id = $1 AND state = 'HELD'"
		" AND asked_at = 0 AND hold_until > $2 AND try_no = $5",
		b->booking_id, now, stamp, p->card_id, b->try_no);
	if (n == 1 && *text_or_empty(p->request_key))
		db_do(db, "INSERT INTO booking_try (booking_id, try_no, card_id, request_key) VALUES ($1, $2, $3, $4)",
			b->booking_id, b->try_no, p->card_id, p->request_key);
	if (!db_commit(db) || n != 1)
		return false;
	b->asked_at = now;
	b->asked_by = stamp;
	b->card_id = p->card_id;
	return true;
}

/* The outcome of a try that was asked for before. */
static enum booking_outcome
outcome_of_try(struct db *db, struct booking *b, int64_t try_no)
{
	booking_reload(db, b);
	if (b->state == BOOKING_HELD)
		return b->try_no > try_no ? BOOKING_DECLINED_HELD : BOOKING_IN_PROGRESS;
	if (b->state == BOOKING_EXPIRED)
		return strcmp(b->end_reason, "declined") == 0 ? BOOKING_DECLINED : BOOKING_TAKEN;
	return BOOKING_AGAIN;
}

enum booking_outcome
booking_pay(struct db *db, struct booking *b, const struct booking_payment *p)
{
	int64_t known = try_of_request(db, b, p), try_no = known ? known : p->try_no ? p->try_no : b->try_no;

	if (known && is_other_card(db, b, p, known))
		return BOOKING_KEY_REUSED;
	if (try_no != b->try_no)
		return outcome_of_try(db, b, try_no);
	if (p->card_id
		&& !db_exists(
			db, "SELECT 1 FROM v_card WHERE card_id = $1 AND user_id = $2", p->card_id, b->customer_id))
		return BOOKING_BAD_CARD;
	if (booking_is_hold(b) && payment_closed_for_s())
		return BOOKING_LATER; /* the customer can reload the page while the hold lasts */
	if (claim_try(db, b, p))
		return booking_charge(db, b, p);
	if (db_failed(db))
		return BOOKING_LATER;
	booking_reload(db, b);
	if (b->try_no == try_no && booking_asker_has_ended(b) && b->card_id == p->card_id && booking_take_over(db, b))
		return booking_charge(db, b, p);
	if (b->state == BOOKING_HELD && !b->asked_at && b->try_no == try_no)
		return BOOKING_TAKEN; /* its time is over, and the sweep has not released it yet */
	return outcome_of_try(db, b, try_no);
}
