/*
 * kind - the kinds of messages: a row each, and a template of the same name in templates/message/.
 *
 * These have no message, because another one has the same content: booking.cancel_requested of a customer while the
 * refund takes its usual moment (remind.c notifies when it takes longer), booking.refund_granted,
 * booking.extra_ended (delivery_cancelled, equipment_rejected
 * and equipment_cancelled have the reason, extra_refunded the refund), delivery.requested (booking_confirmed has
 * address and window), booking.returned (booking_completed), what is in a courier's hand-over record, and what a rule
 * approves at once.
 */
#include "message.h"

#include "domain/mail_links.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- conditions ------------------------------------------------------------------------------------------ */

/* A payment after its booking had expired, or for an earlier try to pay for it; every other refund has a message of its
 * own. */
static bool
is_late_charge(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return t->refunded_amount > 0 && (strcmp(t->state, "EXPIRED") == 0 || t->is_earlier_try);
}

/* While it can still be undone, or of an event from before that was possible. */
static bool
is_no_show_open(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return !t->undo_until || t->undo_until > clock_now();
}

/* Customers who were told that it was recorded. */
static bool
knows_of_no_show(struct db *db, const struct event *e, const struct facts *t)
{
	(void)e;
	return db_exists(db, "SELECT 1 FROM message WHERE subject_id = $1 AND kind = 'booking_no_show'", t->code);
}

/* Otherwise the message about the courier's hand-over has the same and more. */
static bool
is_at_the_counter(struct db *db, const char *code, const char *direction)
{
	return !db_exists(db,
		"SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = $2"
		" AND (state = 'DELIVERED' OR asked_step IN ('hand_over', 'collect'))",
		code, direction);
}

static bool
is_picked_up_at_branch(struct db *db, const struct event *e, const struct facts *t)
{
	(void)t;
	return is_at_the_counter(db, e->subject_id, "delivery");
}

static bool
is_returned_at_branch(struct db *db, const struct event *e, const struct facts *t)
{
	(void)t;
	return is_at_the_counter(db, e->subject_id, "collection");
}

static bool
is_by_dispatcher(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->by, "dispatcher") == 0;
}

static bool
is_by_manager(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->by, "manager") == 0;
}

/* A person had to decide, so the customer was waiting. */
static bool
needed_a_decision(struct db *db, const struct event *e, const struct facts *t)
{
	return !*t->code
		|| db_exists(db,
			"SELECT 1 FROM v_event WHERE subject_id = $1 AND type = 'review.assigned' AND event_id < $2",
			e->subject_id, e->event_id);
}

static bool
is_sign_up(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->purpose, MAIL_LINK_SIGN_UP) == 0;
}

static bool
is_known(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->purpose, MAIL_LINK_KNOWN) == 0;
}

static bool
is_reset(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->purpose, MAIL_LINK_RESET) == 0;
}

static bool
is_by_firm(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return t->is_by_firm;
}

/* The message about the cancellation by the firm names the refund; who was told that it takes longer hears when it is
 * done. */
static bool
is_refund_news(struct db *db, const struct event *e, const struct facts *t)
{
	return !t->is_by_firm
		|| db_exists(db, "SELECT 1 FROM message WHERE subject_id = $1 AND kind = 'booking_cancelling'",
			e->subject_id);
}

static bool
has_no_booking_or_lost(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return !*t->code || t->lost > 0;
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

/* The words are for the delivery log; the recipient reads the template. */
#define EVENT(name) event_name_##name
#define KINDS \
	KIND("booking_confirmed",   EVENT(BOOKING_CONFIRMED),     TOPIC_BOOKING,   TO_CUSTOMER,   NULL, \
		N_("Booking confirmed")) \
	KIND("booking_cancelling",  NULL,                         TOPIC_BOOKING,   TO_CUSTOMER,   NULL, \
		N_("Refund delayed")) \
	KIND("cancelled_by_firm",   EVENT(BOOKING_CANCEL_REQUESTED), TOPIC_BOOKING, TO_CUSTOMER,  is_by_firm, \
		N_("Booking cancelled by us")) \
	KIND("booking_cancelled",   EVENT(BOOKING_CANCELLED),     TOPIC_BOOKING,   TO_CUSTOMER,   is_refund_news, \
		N_("Booking cancelled")) \
	KIND("booking_rejected",    EVENT(BOOKING_REJECTED),      TOPIC_BOOKING,   TO_CUSTOMER,   NULL, \
		N_("Booking rejected")) \
	KIND("booking_refunded",    EVENT(BOOKING_REFUNDED),      TOPIC_REFUND,    TO_CUSTOMER,   NULL, \
		N_("Booking refunded")) \
	KIND("booking_no_show",     EVENT(BOOKING_NO_SHOW),       TOPIC_BOOKING,   TO_CUSTOMER, \
		is_no_show_open,        N_("Car not picked up")) \
	KIND("booking_no_show_undone", EVENT(BOOKING_NO_SHOW_UNDONE), TOPIC_BOOKING, TO_CUSTOMER, \
		knows_of_no_show,       N_("No-show undone")) \
	KIND("booking_no_show_final", EVENT(BOOKING_NO_SHOW_FINAL), TOPIC_BOOKING,  TO_CUSTOMER,   NULL, \
		N_("Booking ended, car not picked up")) \
	KIND("booking_moved",       EVENT(BOOKING_MOVED),         TOPIC_BOOKING,   TO_CUSTOMER,   NULL, \
		N_("Pick-up branch changed")) \
	KIND("booking_handed_out",  EVENT(BOOKING_HANDED_OUT),    TOPIC_BOOKING,   TO_CUSTOMER, \
		is_picked_up_at_branch, N_("Car handed over")) \
	KIND("booking_completed",   EVENT(BOOKING_COMPLETED),     TOPIC_BOOKING,   TO_CUSTOMER, \
		is_returned_at_branch,  N_("Booking completed")) \
	KIND("payment_cancelled",   EVENT(PAYMENT_CANCELLED),     TOPIC_REFUND,    TO_CUSTOMER,   is_late_charge, \
		N_("Payment refunded")) \
	KIND("payout_completed",    EVENT(PAYOUT_COMPLETED),      TOPIC_REFUND,    TO_CUSTOMER,   NULL, \
		N_("Payout made")) \
	KIND("part_refunded",       EVENT(BOOKING_PART_REFUNDED), TOPIC_REFUND,    TO_CUSTOMER,   NULL, \
		N_("Part refunded")) \
	KIND("extra_refunded",      EVENT(BOOKING_EXTRA_REFUNDED), TOPIC_REFUND,    TO_CUSTOMER,   NULL, \
		N_("Extra refunded")) \
	KIND("delivery_scheduled",  EVENT(DELIVERY_SCHEDULED),    TOPIC_DELIVERY,  TO_CUSTOMER,   NULL, \
		N_("Delivery scheduled")) \
	KIND("delivery_shipped",    EVENT(DELIVERY_SHIPPED),      TOPIC_DELIVERY,  TO_CUSTOMER,   NULL, \
		N_("Courier on the way")) \
	KIND("delivery_delivered",  EVENT(DELIVERY_DELIVERED),    TOPIC_DELIVERY,  TO_CUSTOMER,   NULL, \
		N_("Delivery or collection completed")) \
	KIND("delivery_cancelled",  EVENT(DELIVERY_CANCELLED),    TOPIC_DELIVERY,  TO_CUSTOMER,   is_by_dispatcher, \
		N_("Delivery cancelled")) \
	KIND("equipment_approved",  EVENT(EQUIPMENT_APPROVED),    TOPIC_EQUIPMENT, TO_CUSTOMER,   needed_a_decision, \
		N_("Equipment approved")) \
	KIND("equipment_rejected",  EVENT(EQUIPMENT_REJECTED),    TOPIC_EQUIPMENT, TO_CUSTOMER,   NULL, \
		N_("Equipment rejected")) \
	KIND("equipment_cancelled", EVENT(EQUIPMENT_CANCELLED),   TOPIC_EQUIPMENT, TO_CUSTOMER,   is_by_manager, \
		N_("Equipment cancelled")) \
	KIND("equipment_returned",  EVENT(EQUIPMENT_RETURNED),    TOPIC_EQUIPMENT, TO_CUSTOMER, \
		has_no_booking_or_lost, N_("Equipment returned")) \
	KIND("review_assigned",     EVENT(REVIEW_ASSIGNED),       TOPIC_WORK,      TO_REVIEWERS,  NULL, \
		N_("Approval needed")) \
	KIND("stock_low",           EVENT(STOCK_LOW),             TOPIC_WORK,      TO_MANAGERS,   NULL, \
		N_("Stock is low")) \
	KIND("link_confirm",        EVENT(ACCOUNT_LINK_REQUESTED), TOPIC_NONE,      TO_LINK,       is_sign_up, \
		N_("Sign-up to confirm")) \
	KIND("link_known",          EVENT(ACCOUNT_LINK_REQUESTED), TOPIC_NONE,      TO_LINK,       is_known, \
		N_("Sign-up with a known address")) \
	KIND("link_reset",          EVENT(ACCOUNT_LINK_REQUESTED), TOPIC_NONE,      TO_LINK,       is_reset, \
		N_("Forgotten password")) \
	KIND("remind_pickup",       NULL,                         TOPIC_REMINDER,  TO_CUSTOMER,   NULL, \
		N_("Pick-up reminder")) \
	KIND("remind_return",       NULL,                         TOPIC_REMINDER,  TO_CUSTOMER,   NULL, \
		N_("Return reminder")) \
	KIND("remind_overdue",      NULL,                         TOPIC_REMINDER,  TO_CUSTOMER,   NULL, \
		N_("Car overdue"))

#define KIND(kind_, event_, topic_, audience_, applies_, label_) { kind_, event_, topic_, audience_, applies_ },
const struct message_kind message_kinds[] = { KINDS };
#undef KIND
#define KIND(kind_, event_, topic_, audience_, applies_, label_) { kind_, label_ },
static const struct word kind_word[] = { KINDS };
#undef KIND
const struct words message_kind_words = WORDS(kind_word);

static const struct word topic_word[] = {
	[TOPIC_BOOKING]   = { "booking",   N_("Bookings") },
	[TOPIC_REFUND]    = { "refund",    N_("Refunds") },
	[TOPIC_DELIVERY]  = { "delivery",  N_("Delivery and collection") },
	[TOPIC_EQUIPMENT] = { "equipment", N_("Equipment") },
	[TOPIC_REMINDER]  = { "reminder",  N_("Reminders") },
	[TOPIC_WORK]      = { "work",      N_("Tasks") },
};
const struct words topic_words = WORDS(topic_word);

int
message_kind_find(const char *kind)
{
	return words_find(&message_kind_words, kind);
}
