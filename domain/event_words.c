/* event_words - the sentences, and the few members of a payload that change or complete one. The story is in
 * event_words.h. */
#include "event_words.h"

#include "event_types.h"
#include "lib/base/lang.h"

#include <string.h>

/*
 * BOTH(type, the sentence, the sentence for the customer on the pages of their own bookings)
 * STAFF(type, the sentence): not shown to customers.
 */
#define SENTENCES(BOTH, STAFF) \
	BOTH(BOOKING_HELD, N_("The car was held until payment"), \
	     N_("We are holding the car for you")) \
	BOTH(BOOKING_PAID, N_("The booking was paid"), \
	     N_("Your booking is paid")) \
	BOTH(BOOKING_EXPIRED, N_("The booking was not completed"), \
	     N_("The booking was not completed")) \
	BOTH(BOOKING_CONFIRMED, N_("The booking was confirmed"), \
	     N_("Your booking is confirmed")) \
	BOTH(BOOKING_HANDED_OUT, N_("The car was handed over to the customer"), \
	     N_("You picked up the car")) \
	BOTH(BOOKING_RETURNED, N_("The car was returned"), \
	     N_("You returned the car")) \
	BOTH(BOOKING_COMPLETED, N_("The rental was completed"), \
	     N_("Your rental is complete")) \
	BOTH(BOOKING_RETURN_UNDONE, N_("The recorded return was undone"), \
	     N_("The recorded return was undone; you still have the car")) \
	BOTH(BOOKING_NO_SHOW, N_("Recorded as not picked up"), \
	     N_("Recorded as not picked up")) \
	BOTH(BOOKING_NO_SHOW_UNDONE, N_("The recorded no-show was undone"), \
	     N_("Your booking is confirmed again")) \
	BOTH(BOOKING_NO_SHOW_FINAL, N_("The booking ended because the car was not picked up"), \
	     N_("Your booking ended because the car was not picked up")) \
	BOTH(BOOKING_CANCEL_REQUESTED, N_("Cancellation was requested"), \
	     N_("The booking was cancelled")) \
	BOTH(BOOKING_CANCELLED, N_("The booking was cancelled"), \
	     N_("The cancellation is complete")) \
	BOTH(BOOKING_REJECTED, N_("The booking could not be fulfilled"), \
	     N_("We could not fulfil your booking")) \
	BOTH(BOOKING_REFUNDED, N_("The booking was refunded"), \
	     N_("The refund is complete")) \
	BOTH(BOOKING_EXTRA_ENDED, N_("An extra was removed from the booking"), \
	     N_("An extra is not available")) \
	BOTH(BOOKING_EXTRA_REFUNDED, N_("An extra was refunded"), \
	     N_("An extra was refunded")) \
	BOTH(BOOKING_MOVED, N_("The pick-up branch was changed"), \
	     N_("Your pick-up branch has changed")) \
	BOTH(BOOKING_REFUND_GRANTED, N_("A refund of a part of the price was granted"), \
	     N_("We are refunding a part of the price")) \
	BOTH(BOOKING_PART_REFUNDED, N_("A part of the price was refunded"), \
	     N_("A part of the price was refunded")) \
	STAFF(BOOKING_RETRIED, N_("Processing of the booking was retried")) \
	STAFF(BOOKING_RESOLVED, N_("The booking was closed manually")) \
	STAFF(BOOKING_TERMS_PUBLISHED, N_("A version of the terms or another document was published")) \
	BOTH(PAYMENT_APPROVED, N_("The payment was approved"), \
	     N_("Your card was charged")) \
	BOTH(PAYMENT_FAILED, N_("The payment failed"), \
	     N_("The payment did not go through")) \
	BOTH(PAYMENT_CANCELLED, N_("The payment was refunded"), \
	     N_("You received a refund")) \
	BOTH(PAYMENT_REFUNDED_OUTSIDE, N_("A refund was made in the dashboard of the payment provider"), \
	     N_("You received a refund")) \
	STAFF(PAYMENT_RETRIED, N_("Processing of the payment was retried")) \
	STAFF(PAYMENT_RESOLVED, N_("The payment was closed manually")) \
	BOTH(PAYOUT_ASSIGNED, N_("A payout to the customer was assigned"), \
	     N_("We owe you a payment")) \
	BOTH(PAYOUT_COMPLETED, N_("The payout was transferred to the customer"), \
	     N_("We paid you")) \
	STAFF(PAYOUT_FAILED, N_("The payout could not be made")) \
	STAFF(CAR_REGISTERED, N_("The car was added to the fleet")) \
	STAFF(CAR_MODIFIED, N_("The car details were changed")) \
	STAFF(CAR_RETIRED, N_("The car was retired from the fleet")) \
	STAFF(CAR_DELETED, N_("The car was deleted from the fleet")) \
	BOTH(CAR_RESERVED, N_("The car was reserved for the booking"), \
	     N_("The branch has assigned your car")) \
	BOTH(CAR_REFUSED, N_("The car could not be assigned"), \
	     N_("The branch could not provide the car")) \
	BOTH(CAR_RELEASED, N_("The car was released"), \
	     N_("The car was released")) \
	BOTH(DELIVERY_REQUESTED, N_("The delivery is waiting for a courier"), \
	     N_("We are arranging a courier")) \
	BOTH(DELIVERY_SCHEDULED, N_("A courier was assigned to the delivery"), \
	     N_("A courier is assigned")) \
	BOTH(DELIVERY_SHIPPED, N_("The courier is on the way with the car"), \
	     N_("The courier is on the way")) \
	BOTH(DELIVERY_DELIVERED, N_("The car was delivered"), \
	     N_("The car was handed over")) \
	BOTH(DELIVERY_CANCELLED, N_("The delivery was cancelled"), \
	     N_("The delivery or collection was cancelled")) \
	STAFF(EQUIPMENT_REGISTERED, N_("The equipment item was added")) \
	STAFF(EQUIPMENT_MODIFIED, N_("The equipment item was changed")) \
	BOTH(EQUIPMENT_ORDERED, N_("Equipment was ordered"), \
	     N_("You ordered equipment")) \
	BOTH(EQUIPMENT_APPROVED, N_("The equipment order was approved"), \
	     N_("Your equipment is approved")) \
	BOTH(EQUIPMENT_REJECTED, N_("The equipment order was rejected"), \
	     N_("Your equipment could not be approved")) \
	BOTH(EQUIPMENT_CANCELLED, N_("The equipment order was cancelled"), \
	     N_("Your equipment order was cancelled")) \
	BOTH(EQUIPMENT_HANDED_OUT, N_("The equipment was handed out to the customer"), \
	     N_("You received the equipment")) \
	BOTH(EQUIPMENT_RETURNED, N_("The equipment was returned"), \
	     N_("The equipment was returned")) \
	STAFF(STOCK_CHANGED, N_("The stock was changed")) \
	STAFF(STOCK_LOW, N_("The stock is low")) \
	BOTH(REVIEW_ASSIGNED, N_("The request is waiting for approval"), \
	     N_("Your equipment order is being reviewed")) \
	STAFF(REVIEW_APPROVED, N_("The request was approved")) \
	STAFF(REVIEW_REJECTED, N_("The request was rejected")) \
	STAFF(REVIEW_CANCELLED, N_("The request was withdrawn")) \
	STAFF(ACCOUNT_LINK_REQUESTED, N_("A link to confirm an account or to set a password was requested")) \
	STAFF(MESSAGE_SENT, N_("A message was sent")) \
	STAFF(MESSAGE_DEAD, N_("A message could not be sent")) \
	STAFF(MESSAGE_RESENT, N_("A message was sent again")) \
	STAFF(OPS_PAUSED, N_("An event consumer was paused")) \
	STAFF(OPS_RESUMED, N_("An event consumer was resumed")) \
	STAFF(OPS_REDRIVEN, N_("A failed event was retried")) \
	STAFF(OPS_DISCARDED, N_("A failed event was discarded")) \
	STAFF(OPS_FAULTS_SET, N_("The sandbox faults were changed")) \
	STAFF(OPS_REHEARSED, N_("Restoring a backup was tested"))

#define FOR_ALL(name, sentence, ...) [EVENT_##name] = { event_name_##name, sentence },
#define FOR_CUSTOMER(name, sentence, own) { event_name_##name, own },
#define FOR_NONE(name, sentence)
static const struct word event_word[N_EVENT_TYPES] = { SENTENCES(FOR_ALL, FOR_ALL) };
static const struct word customer_event_word[] = { SENTENCES(FOR_CUSTOMER, FOR_NONE) };
const struct words event_words = WORDS(event_word);
const struct words customer_event_words = WORDS(customer_event_word);

static const struct word collection_word[] = {
	{ event_name_DELIVERY_REQUESTED, N_("The collection is waiting for a courier") },
	{ event_name_DELIVERY_SCHEDULED, N_("A courier was assigned to the collection") },
	{ event_name_DELIVERY_SHIPPED, N_("The courier is on the way to collect the car") },
	{ event_name_DELIVERY_DELIVERED, N_("The car was collected") },
	{ event_name_DELIVERY_CANCELLED, N_("The collection was cancelled") },
};
static const struct words collection_words = WORDS(collection_word);

struct event_facts {
	const char *direction, *note, *item_name, *item_name_ko, *label, *label_ko;
	int64_t quantity, amount, refunded_amount, retire_at;
};
static const struct member event_facts_members[] = {
	SHAPE_TEXT(event_facts, direction), SHAPE_TEXT(event_facts, note), SHAPE_TEXT(event_facts, item_name),
	SHAPE_TEXT(event_facts, item_name_ko), SHAPE_TEXT(event_facts, label), SHAPE_TEXT(event_facts, label_ko),
	SHAPE_TIME(event_facts, retire_at), SHAPE_INT(event_facts, quantity),
	SHAPE_AMOUNT(event_facts, amount), SHAPE_AMOUNT(event_facts, refunded_amount),
};
static const struct shape event_facts_shape = SHAPE(event_facts, event_facts_members);

static struct event_facts
facts_of(struct arena *m, const struct event *e)
{
	struct event_facts facts = { .direction = NULL };

	if (!e->payload || !event_read(m, e, &event_facts_shape, &facts))
		facts = (struct event_facts){ .direction = NULL };
	return facts;
}

const char *
event_sentence(struct arena *m, const struct event *e)
{
	int i = words_find(&event_words, e->type), at;
	struct event_facts facts = facts_of(m, e);

	if (i < 0)
		return _("Another change was recorded");
	if (facts.note && *facts.note && i == EVENT_DELIVERY_SCHEDULED)
		return _("The courier could not complete the job");
	if (facts.retire_at && i == EVENT_CAR_MODIFIED)
		return _("The car is being retired");
	if (facts.direction && strcmp(facts.direction, "collection") == 0
		&& (at = words_find(&collection_words, e->type)) >= 0)
		return _(collection_word[at].label);
	return _(event_word[i].label);
}

/* The name in the reader's language, where the payload has both. */
static const char *
name_of(const struct event_facts *facts)
{
	const char *name = facts->item_name ? facts->item_name : facts->label;
	const char *name_ko = facts->item_name ? facts->item_name_ko : facts->label_ko;

	return lang_now() == LANG_KO && name_ko && *name_ko ? name_ko : name;
}

/* The money that moved: a payment's or payout's own, or what a booking's end gave back. */
static int64_t
money_of(const struct event *e, const struct event_facts *facts)
{
	bool is_payment = strncmp(e->type, "payment.", 8) == 0 || strncmp(e->type, "payout.", 7) == 0
		|| strcmp(e->type, event_name_BOOKING_REFUND_GRANTED) == 0
		|| strcmp(e->type, event_name_BOOKING_PART_REFUNDED) == 0;

	return is_payment ? facts->amount : facts->refunded_amount;
}

const char *
event_about(struct arena *m, const struct event *e)
{
	struct event_facts facts = facts_of(m, e);
	const char *name = name_of(&facts);
	int64_t amount = money_of(e, &facts);
	struct buf about = { .m = m };

	buf_puts(&about, "");
	if (name && *name && facts.quantity)
		buf_printf(&about, "%lld × %s", (long long)facts.quantity, name);
	else if (name)
		buf_puts(&about, name);
	if (amount) {
		buf_puts(&about, about.n ? " · " : "");
		money_put(&about, lang_now(), amount);
	}
	return about.s;
}
