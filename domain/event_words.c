/* event_words - the sentences, and the few members of a payload that change or complete one. The story is in event_words.h. */
#include "event_words.h"

#include "lib/base/lang.h"

#include <string.h>

static const struct word event_word[] = {
	{ "booking.held",             N_("The car was held until payment") },
	{ "booking.paid",             N_("The booking was paid") },
	{ "booking.expired",          N_("The booking was not completed") },
	{ "booking.confirmed",        N_("The booking was confirmed") },
	{ "booking.handed_out",       N_("The car was picked up") },
	{ "booking.returned",         N_("The car was returned") },
	{ "booking.completed",        N_("The rental was completed") },
	{ "booking.no_show",          N_("The car was not picked up") },
	{ "booking.cancel_requested", N_("Cancellation was requested") },
	{ "booking.cancelled",        N_("The booking was cancelled") },
	{ "booking.rejected",         N_("The booking could not be fulfilled") },
	{ "booking.refunded",         N_("The booking was refunded") },
	{ "booking.extra_ended",      N_("An extra was removed from the booking") },
	{ "booking.extra_refunded",   N_("An extra was refunded") },
	{ "booking.retried",          N_("Processing of the booking was retried") },
	{ "booking.resolved",         N_("The booking was closed manually") },
	{ "payment.approved",         N_("The payment was approved") },
	{ "payment.failed",           N_("The payment failed") },
	{ "payment.cancelled",        N_("The payment was refunded") },
	{ "payment.retried",          N_("Processing of the payment was retried") },
	{ "payment.resolved",         N_("The payment was closed manually") },
	{ "car.registered",           N_("The car was added to the fleet") },
	{ "car.modified",             N_("The car details were changed") },
	{ "car.retired",              N_("The car was retired from the fleet") },
	{ "car.deleted",              N_("The car was deleted from the fleet") },
	{ "car.reserved",             N_("The car was reserved for the booking") },
	{ "car.refused",              N_("The car could not be provided") },
	{ "car.released",             N_("The car was released") },
	{ "delivery.requested",       N_("The delivery is waiting for a courier") },
	{ "delivery.scheduled",       N_("A courier was assigned to the delivery") },
	{ "delivery.shipped",         N_("The courier is on the way with the car") },
	{ "delivery.delivered",       N_("The car was delivered") },
	{ "delivery.cancelled",       N_("The delivery was cancelled") },
	{ "equipment.registered",     N_("The equipment item was added") },
	{ "equipment.modified",       N_("The equipment item was changed") },
	{ "equipment.ordered",        N_("Equipment was ordered") },
	{ "equipment.approved",       N_("The equipment order was approved") },
	{ "equipment.rejected",       N_("The equipment order was rejected") },
	{ "equipment.cancelled",      N_("The equipment order was cancelled") },
	{ "equipment.handed_out",     N_("The equipment was handed out to the customer") },
	{ "equipment.returned",       N_("The equipment was brought back") },
	{ "stock.changed",            N_("The stock was changed") },
	{ "stock.low",                N_("The stock is low") },
	{ "review.assigned",          N_("The request is waiting for approval") },
	{ "review.approved",          N_("The request was approved") },
	{ "review.rejected",          N_("The request was rejected") },
	{ "review.cancelled",         N_("The request was withdrawn") },
	{ "message.sent",             N_("A message was sent") },
	{ "message.dead",             N_("A message could not be sent") },
	{ "message.resent",           N_("A message was sent again") },
	{ "ops.paused",               N_("An event consumer was paused") },
	{ "ops.resumed",              N_("An event consumer was resumed") },
	{ "ops.redriven",             N_("A failed event was retried") },
	{ "ops.discarded",            N_("A failed event was discarded") },
	{ "ops.faults_set",           N_("The sandbox faults were changed") },
	{ "ops.rehearsed",            N_("Restoring a backup was tested") },
};
const struct words event_words = WORDS(event_word);

static const struct word collection_word[] = {
	{ "delivery.requested", N_("The collection is waiting for a courier") },
	{ "delivery.scheduled", N_("A courier was assigned to the collection") },
	{ "delivery.shipped",   N_("The courier is on the way to collect the car") },
	{ "delivery.delivered", N_("The car was collected") },
	{ "delivery.cancelled", N_("The collection was cancelled") },
};
static const struct words collection_words = WORDS(collection_word);

struct event_facts {
	const char *direction, *note, *item_name, *item_name_ko, *label, *label_ko;
	int64_t quantity, amount, refunded_amount;
};
static const struct member event_facts_members[] = {
	SHAPE_TEXT(event_facts, direction), SHAPE_TEXT(event_facts, note), SHAPE_TEXT(event_facts, item_name),
	SHAPE_TEXT(event_facts, item_name_ko), SHAPE_TEXT(event_facts, label), SHAPE_TEXT(event_facts, label_ko),
	SHAPE_INT(event_facts, quantity), SHAPE_AMOUNT(event_facts, amount), SHAPE_AMOUNT(event_facts, refunded_amount),
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
	if (facts.note && strcmp(e->type, "delivery.scheduled") == 0)
		return _("The courier could not complete the job");
	if (facts.direction && strcmp(facts.direction, "collection") == 0 && (at = words_find(&collection_words, e->type)) >= 0)
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

/* The money that moved: a payment's own, or what a booking's end gave back. */
static int64_t
money_of(const struct event *e, const struct event_facts *facts)
{
	return strncmp(e->type, "payment.", 8) == 0 ? facts->amount : facts->refunded_amount;
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
