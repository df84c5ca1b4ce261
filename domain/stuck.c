/* stuck - the words for what is pending for too long, how much there is, and what managers did about it; described in
 * stuck.h. */
#include "rental.h"
#include "stuck.h"

#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct word kind_word[] = {
	[STUCK_HOLD]        = { "hold",        N_("Unpaid hold not released") },
	[STUCK_ASKED]       = { "asked",       N_("Payment result unknown") },
	[STUCK_UNCONFIRMED] = { "unconfirmed", N_("Paid, not confirmed") },
	[STUCK_CANCEL]      = { "cancel",      N_("Cancellation in progress") },
	[STUCK_REFUND]      = { "refund",      N_("Refund pending") },
	[STUCK_WISH]        = { "wish",        N_("Cancellation waiting for delivery") },
	[STUCK_EXTRA]       = { "extra",       N_("Partial refund pending") },
	[STUCK_CUSTODY]     = { "custody",     N_("Car handed on, return not recorded") },
	[STUCK_CAR_GONE]    = { "car_gone",    N_("Car not available at the branch") },
	[STUCK_CHARGE]      = { "charge",      N_("Charge result unknown") },
	[STUCK_PAYBACK]     = { "payback",     N_("Refund not completed by the payment provider") },
	[STUCK_OUTSIDE]     = { "outside",     N_("Refunded in the payment provider's dashboard") },
	[STUCK_LATE_LOOK]   = { "late_look",   N_("Final check with the payment provider") },
	[STUCK_PART]        = { "part",        N_("Refund of a part pending") },
	[STUCK_COMPENSATION] = { "compensation", N_("Compensation not recorded as a payout") },
	[STUCK_NO_CAR]      = { "no_car",      N_("Car not back for this booking") },
};
const struct words stuck_kind_words = WORDS(kind_word);

static const struct word resolution_word[] = {
	[RESOLUTION_RELEASE]      = { "release",
		N_("Cancel it: the car is released for others, and any amount that was or will be charged is refunded"
		   " to the card.") },
	[RESOLUTION_CONFIRM]      = { "confirm",
		N_("The car is ready: confirm the booking manually and keep the payment.") },
	[RESOLUTION_REJECT]       = { "reject",
		N_("The car cannot be provided: end the booking and refund the full amount to the card.") },
	[RESOLUTION_NOTHING_OWED] = { "nothing_owed",
		N_("Nothing is owed: according to the ledger the money was refunded or never charged. Close the"
		   " booking.") },
	[RESOLUTION_RETURNED]     = { "returned",
		N_("The car came back and was given to the next customer: record the return now.") },
	[RESOLUTION_NO_PAYMENT]   = { "no_payment",
		N_("The payment provider has no record of this payment: close it as not charged. If the payment appears"
		   " later, it is refunded automatically.") },
	[RESOLUTION_SEEN]         = { "seen",
		N_("The refund is correct: leave the booking as it is. To cancel the booking as well, cancel it on its"
		   " page.") },
	[RESOLUTION_BY_BANK]      = { "by_bank",
		N_("I have paid the refund by bank transfer: record it in the ledger and stop asking the payment"
		   " provider.") },
};
const struct words stuck_resolution_words = WORDS(resolution_word);

const unsigned stuck_resolutions[] = {
	[STUCK_HOLD]        = 1 << RESOLUTION_RELEASE,
	[STUCK_ASKED]       = 1 << RESOLUTION_RELEASE,
	[STUCK_UNCONFIRMED] = 1 << RESOLUTION_CONFIRM | 1 << RESOLUTION_REJECT,
	[STUCK_CANCEL]      = 1 << RESOLUTION_NOTHING_OWED,
	[STUCK_REFUND]      = 1 << RESOLUTION_NOTHING_OWED,
	[STUCK_WISH]        = 0,
	[STUCK_EXTRA]       = 1 << RESOLUTION_NOTHING_OWED,
	[STUCK_CUSTODY]     = 1 << RESOLUTION_RETURNED,
	[STUCK_CAR_GONE]    = 0, /* settled on the booking's page, or with the car */
	[STUCK_CHARGE]      = 1 << RESOLUTION_NO_PAYMENT,
	[STUCK_PAYBACK]     = 1 << RESOLUTION_BY_BANK,
	[STUCK_OUTSIDE]     = 1 << RESOLUTION_SEEN,
	[STUCK_LATE_LOOK]   = 0,
	[STUCK_PART]        = 1 << RESOLUTION_NOTHING_OWED,
	[STUCK_COMPENSATION] = 0,
	[STUCK_NO_CAR]      = 0,
};

static const char *
pending_reason(int kind)
{
	switch ((enum stuck_kind)kind) {
	case STUCK_HOLD: return _("Not processed yet: is the relay running?");
	case STUCK_UNCONFIRMED: return _("Waiting for fleet to confirm that the car can be provided.");
	case STUCK_WISH: return _("Waiting for delivery to confirm that it can be cancelled.");
	case STUCK_CUSTODY: return _("Another customer has the car. Please find out when it came back and record it.");
	case STUCK_NO_CAR:
		return _("Please offer the customer another car, or cancel the booking on our side: they get everything"
			 " back. It is cancelled automatically if the car does not come back.");
	case STUCK_COMPENSATION: return _("The payment service has not recorded the payout yet.");
	case STUCK_OUTSIDE: return _("It is in our ledger. Check whether the booking should go on.");
	case STUCK_ASKED:
	case STUCK_CAR_GONE:
	case STUCK_EXTRA:
	case STUCK_PART:
	case STUCK_CANCEL:
	case STUCK_REFUND:
	case STUCK_CHARGE:
	case STUCK_PAYBACK:
	case STUCK_LATE_LOOK: break;
	}
	return _("Not tried yet");
}

/* What is wrong with the car, and what to do. */
static const char *
car_gone_reason(const char *code)
{
	if (strcmp(code, "moved") == 0)
		return _("The car was moved to another branch. Move it back, or hand it over at the new branch: the"
			 " customer is told.");
	if (strcmp(code, "retired") == 0)
		return _("The car is retired. Cancel the booking because we cannot keep it: the customer gets all"
			 " the money back.");
	return _(
		"The car is not in service. Put it back into service in time, or cancel it because we cannot keep it.");
}

const char *
stuck_error_in_words(struct arena *m, int kind, const char *last_error)
{
	static const struct word errors[] = {
		{ "payment_down", N_("The payment service is not responding") },
		{ "refund_asked", N_("The payment service has the request and keeps asking the payment provider") },
		{ "refund_refused", N_("The payment service finds nothing to refund") },
		{ "no_answer", N_("The payment provider did not respond") },
		{ "provider_down", N_("The payment provider could not be reached") },
		{ "later", N_("The payment provider was busy") },
		{ "not_found", N_("The payment provider does not know this payment") },
	};
	size_t n = strcspn(last_error, " ");

	if (kind == STUCK_CAR_GONE)
		return car_gone_reason(last_error);
	if (!*last_error)
		return pending_reason(kind);
	if (kind == STUCK_UNCONFIRMED)
		return last_error; /* the error of a failed event, a sentence */
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strlen(errors[i].code) == n && strncmp(errors[i].code, last_error, n) == 0)
			return arena_printf(m, "%s%s", _(errors[i].label), last_error + n);
	return arena_printf(m, _("The payment provider refused: %s"), last_error);
}

int64_t
stuck_count(struct db *db, int64_t now)
{
	return db_int(db, "SELECT COUNT(*) FROM v_stuck_booking /*scan*/ WHERE since <= $1", now - rental.stuck_after_s)
		+ db_int(db, "SELECT COUNT(*) FROM v_stuck_charge /*scan*/ WHERE since <= $1",
			now - rental.stuck_after_s);
}

/* --- what managers did -------------------------------------------------------------------------------------------- */

static const struct member retried_members[] = { SHAPE_TEXT(stuck_report, kind) };
static const struct member resolved_members[] = {
	SHAPE_TEXT(stuck_report, kind), SHAPE_TEXT(stuck_report, way), SHAPE_TEXT(stuck_report, note),
	SHAPE_INT(stuck_report, charge_id), SHAPE_AMOUNT(stuck_report, amount), SHAPE_TEXT(stuck_report, currency),
};
static const struct shape retried_shape = SHAPE(stuck_report, retried_members);
static const struct shape resolved_shape = SHAPE(stuck_report, resolved_members);

void
stuck_report_retried(struct db *db, enum event_type_id type, const char *subject_id, int kind, int64_t actor_id)
{
	const struct event e = { .subject_id = subject_id, .actor_id = actor_id };
	const struct stuck_report report = { .kind = words_code(&stuck_kind_words, kind) };

	db_begin(db);
	event_report(db, type, &e, &retried_shape, &report);
	db_commit(db);
}

void
stuck_report_resolved(struct db *db, enum event_type_id type, const char *subject_id, const struct stuck_report *report,
	int64_t actor_id)
{
	const struct event e = { .subject_id = subject_id, .actor_id = actor_id };

	event_report(db, type, &e, &resolved_shape, report);
}

/* --- … read again ------------------------------------------------------------------------------------------------- */

static const struct member action_members[] = {
	SHAPE_TIME(stuck_action, at), SHAPE_TEXT(stuck_action, title), SHAPE_TEXT(stuck_action, detail),
};
const struct shape stuck_action_shape = SHAPE(stuck_action, action_members);

struct action_row { int64_t occurred_at; const char *type, *payload, *name; };
static const struct member action_row_members[] = {
	SHAPE_TIME(action_row, occurred_at), SHAPE_TEXT(action_row, type), SHAPE_TEXT(action_row, payload),
	SHAPE_TEXT(action_row, name),
};
static const struct shape action_row_shape = SHAPE(action_row, action_row_members);

struct stuck_event { const char *kind, *way, *note, *reason; };
static const struct member stuck_event_members[] = {
	SHAPE_TEXT(stuck_event, kind), SHAPE_TEXT(stuck_event, way), SHAPE_TEXT(stuck_event, note),
	SHAPE_TEXT(stuck_event, reason),
};
static const struct shape stuck_event_shape = SHAPE(stuck_event, stuck_event_members);

/* Events from before there was `note` have the words in `reason`. */
static struct stuck_action
action_in_words(struct arena *m, const struct action_row *r)
{
	struct stuck_event e = { .kind = "", .way = "", .reason = "" };
	bool resolved = strstr(r->type, ".resolved") != NULL;
	int kind, way;

	json_into(m, r->payload, &stuck_event_shape, &e);
	kind = words_find(&stuck_kind_words, e.kind);
	way = words_find(&stuck_resolution_words, e.way);
	return (struct stuck_action){
		.at = r->occurred_at,
		.title = arena_printf(m, resolved ? _("%s: closed manually by %s") : _("%s: retried by %s"),
			kind < 0 ? e.kind : _(kind_word[kind].label), r->name),
		.detail = !resolved ? ""
				    : arena_printf(m, "%s „%s“", way < 0 ? e.way : _(resolution_word[way].label),
					    e.note ? e.note : e.reason),
	};
}

int
stuck_actions(struct db *db, const char *subject_id, struct stuck_action **actions)
{
	struct arena *m = db_memory(db);
	struct action_row *rows;
	int n = 0;

	db_list(db, &action_row_shape, &rows, &n,
		"SELECT e.occurred_at, e.type, e.payload, COALESCE((SELECT u.name FROM v_user u"
		" WHERE u.user_id = e.actor_id), '') AS name"
		" FROM v_event e WHERE e.subject_id = $1"
		" AND e.type IN ('booking.retried', 'booking.resolved', 'payment.retried', 'payment.resolved') ORDER BY"
		" e.event_id DESC LIMIT 50",
		subject_id);
	*actions = arena_array(m, struct stuck_action, n ? n : 1);
	for (int i = 0; i < n; i++)
		(*actions)[i] = action_in_words(m, &rows[i]);
	return n;
}
