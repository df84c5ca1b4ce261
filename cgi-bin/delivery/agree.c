/*
 * agree - a step with the car, for which booking must record who has it. The overview is in delivery.h.
 *
 * The step is noted in the job's row first, then booking is asked, then the step is taken or, if booking refuses, the
 * note removed. Without an answer the note stays and the sweep asks again with the same key, which booking answers as
 * the first time. While a step is noted no other one is possible.
 */
#include "booking_client.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

#define OWN_TRY_S   5           /* how long the sweep leaves a new note to the process that wrote it */
#define PAUSE_MAX_S 60
#define AT_ONCE     20
#define ROUND_MS    2000        /* how long a round goes on asking: when booking hangs, every further call would wait */

static const struct word step_word[] = {
	[STEP_NONE]      = { "",          "" },
	[STEP_LEAVE]     = { "leave",     "leave" },
	[STEP_HAND_OVER] = { "hand_over", "hand_over" },
	[STEP_COLLECT]   = { "collect",   "collect" },
	[STEP_BACK]      = { "back",      "back" },
};
const struct words delivery_step_words = WORDS(step_word);

/* --- noted -------------------------------------------------------------------------------------------------------- */

bool
delivery_note_step(struct db *db, const struct delivery *d, enum delivery_step step, int64_t actor_id)
{
	int64_t now = clock_now();
	bool begins = step == STEP_LEAVE || step == STEP_COLLECT;

	return db_do(db,
		       "UPDATE delivery SET asked_step = $2, asked_by = $3, asked_at = $4, ask_next_at = $5,"
		       " ask_tries = 1, trip_no = trip_no + $6 WHERE delivery_id = $1 AND asked_step = ''"
		       " AND cancel_at = 0",
		       d->delivery_id, words_code(&delivery_step_words, (int)step), actor_id, now, now + OWN_TRY_S,
		       begins ? 1 : 0)
		== 1;
}

/* Removes the note, once; moved: the rest of the step's UPDATE is the caller's. */
static bool
clear_note(struct db *db, const struct delivery *d)
{
	return db_do(db,
		       "UPDATE delivery SET asked_step = '', asked_by = 0, asked_at = 0, ask_next_at = 0, ask_tries = 0"
		       " WHERE delivery_id = $1 AND asked_step = $2 AND trip_no = $3",
		       d->delivery_id, words_code(&delivery_step_words, d->asked_step), d->trip_no)
		== 1;
}

/* --- taken -------------------------------------------------------------------------------------------------------- */

static void
set_off(struct db *db, struct delivery *d)
{
	db_do(db,
		"UPDATE delivery SET state = 'SHIPPED', shipped_at = $2 WHERE delivery_id = $1 AND state = 'SCHEDULED'",
		d->delivery_id, clock_now());
}

static void
change_hands(struct db *db, struct delivery *d)
{
	db_do(db,
		"UPDATE delivery SET state = 'DELIVERED', delivered_at = $2 WHERE delivery_id = $1"
		" AND state = 'SHIPPED'",
		d->delivery_id, clock_now());
}

/* With a car that was to be delivered: to be rescheduled. With a collected one: at the branch. */
static void
come_in(struct db *db, struct delivery *d)
{
	if (d->direction == JOB_DELIVERY)
		db_do(db,
			"UPDATE delivery SET state = 'SCHEDULED', shipped_at = 0 WHERE delivery_id = $1"
			" AND state = 'SHIPPED'",
			d->delivery_id);
	else
		db_do(db, "UPDATE delivery SET back_at = $2 WHERE delivery_id = $1 AND back_at = 0", d->delivery_id,
			clock_now());
}

/* Reports it under who asked for it. */
static void
report_step(struct db *db, struct delivery *d, enum delivery_step step, int64_t actor_id)
{
	int64_t event_id;

	if (!delivery_read(db, d->delivery_id, d) || (step == STEP_BACK && d->direction == JOB_COLLECTION))
		return;
	event_id = delivery_report(db, d, 0, actor_id);
	if (step == STEP_HAND_OVER)
		job_request_collection(db, d->code, event_id);
}

/* The booking ended while the courier was out, or before they left: the job ends too. */
static void
end_if_over(struct db *db, struct delivery *d, const char *why, int64_t actor_id)
{
	if (d->state == JOB_SCHEDULED && delivery_booking_is_final(db, d)) {
		job_end(db, d->delivery_id, "booking", why, 0, actor_id);
		delivery_read(db, d->delivery_id, d);
	}
}

/* Two processes may get the same answer: the first one takes the step. */
static void
take_noted_step(struct db *db, struct delivery *d)
{
	enum delivery_step step = (enum delivery_step)d->asked_step;
	int64_t actor_id = d->asked_by;

	db_begin(db);
	if (clear_note(db, d)) {
		switch (step) {
		case STEP_LEAVE: set_off(db, d); break;
		case STEP_HAND_OVER:
		case STEP_COLLECT: change_hands(db, d); break;
		case STEP_BACK: come_in(db, d); break;
		case STEP_NONE: break;
		}
		report_step(db, d, step, actor_id);
		if (step == STEP_BACK)
			end_if_over(db, d, "came_back", actor_id);
	}
	delivery_read(db, d->delivery_id, d);
	db_commit(db);
}

/* --- refused ------------------------------------------------------------------------------------------------------ */

/* The record of a hand-over that did not take place is removed too. only_try: not if another process has asked
 * meanwhile, since booking may have agreed. */
static bool
withdraw_step(struct db *db, struct delivery *d, bool only_try)
{
	const char *photo = d->photo;
	bool done;

	db_begin(db);
	done = (!only_try
		       || db_exists(
			       db, "SELECT 1 FROM delivery WHERE delivery_id = $1 AND ask_tries = 1", d->delivery_id))
		&& clear_note(db, d);
	if (done && d->state == JOB_SHIPPED)
		db_do(db,
			"UPDATE delivery SET odometer_km = 0, fuel_percent = 0, received_by = '', photo = '', note = ''"
			" WHERE delivery_id = $1 AND state = 'SHIPPED'",
			d->delivery_id);
	if (done && delivery_read(db, d->delivery_id, d))
		end_if_over(db, d, "over", 0);
	db_commit(db);
	if (done)
		handover_forget(db, photo);
	return done;
}

/* --- asked -------------------------------------------------------------------------------------------------------- */

static const char *
key_of(struct db *db, const struct delivery *d, enum delivery_step step)
{
	return arena_printf(db_memory(db), "delivery-%lld-%s-%lld", (long long)d->delivery_id,
		words_code(&delivery_step_words, (int)step), (long long)d->trip_no);
}

static enum booking_answer
ask_booking(struct db *db, const struct delivery *d, struct custody *other)
{
	const struct custody_call c = {
		.key = key_of(db, d, (enum delivery_step)d->asked_step),
		.begun_key = key_of(db, d, d->direction == JOB_DELIVERY ? STEP_LEAVE : STEP_COLLECT),
		.booking_code = d->code,
		.step = words_code(&delivery_step_words, d->asked_step),
		.user_id = d->courier_id,
	};

	*other = (struct custody){ .booking_code = "", .plate = "", .user_name = "" };
	return booking_client->custody(db, &c, other);
}

enum delivery_outcome
delivery_ask(struct db *db, struct delivery *d)
{
	struct custody *other = arena_array(db_memory(db), struct custody, 1);

	if (!delivery_read(db, d->delivery_id, d))
		return DELIVERY_GONE;
	if (d->asked_step == STEP_NONE) /* another process has had the answer */
		return DELIVERY_WRONG_STATE;
	switch (ask_booking(db, d, other)) {
	case BOOKING_ANSWER_DONE: take_noted_step(db, d); return DELIVERY_OK;
	case BOOKING_ANSWER_IN_USE:
		withdraw_step(db, d, false);
		d->in_use = other;
		return DELIVERY_CAR_IN_USE;
	case BOOKING_ANSWER_OUT_OF_SERVICE:
		withdraw_step(db, d, false);
		d->in_use = other;
		return DELIVERY_OUT_OF_SERVICE;
	case BOOKING_ANSWER_REFUSED: withdraw_step(db, d, false); return DELIVERY_WRONG_STATE;
	case BOOKING_ANSWER_NOT_ASKED: return withdraw_step(db, d, true) ? DELIVERY_LATER : DELIVERY_PENDING;
	case BOOKING_ANSWER_UNKNOWN: break;
	}
	return DELIVERY_PENDING;
}

/* The try and the pause after it are recorded before booking is asked. */
static void
ask_again(struct db *db, int64_t delivery_id)
{
	struct delivery d;

	if (!delivery_read(db, delivery_id, &d) || d.asked_step == STEP_NONE)
		return;
	log_task("sweep", d.code);
	db_do(db,
		"UPDATE delivery SET ask_tries = ask_tries + 1, ask_next_at = $2 WHERE delivery_id = $1"
		" AND asked_step <> ''",
		delivery_id, clock_now() + pause_s(d.ask_tries + 1, PAUSE_MAX_S));
	delivery_ask(db, &d);
}

bool
delivery_sweep(struct db *db)
{
	int64_t now = clock_now(), end_ms = clock_ms() + ROUND_MS, ids[AT_ONCE];
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT delivery_id FROM delivery /*scan*/ WHERE asked_step <> ''"
		     " AND (ask_next_at <= $1 OR ask_next_at > $2) ORDER BY ask_next_at LIMIT $3",
		     now, now + PAUSE_MAX_S, AT_ONCE);
		db_next(r);)
		ids[n++] = row_int(r, 0);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++)
		ask_again(db, ids[i]);
	return delivery_give_up_due(db) || n == AT_ONCE;
}
