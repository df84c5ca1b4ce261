/*
 * policy - what message does when others report something: it tells those whom it concerns, once. Which events there are, and what
 * is told of them, stands in kind.c. Time brings the reminders, and the mail is sent between the events.
 */
#include "message.h"

#include <string.h>

const struct db_role message_role = { .name = "message", .owns = "message message_try message_preference position event_retry" };

static bool
message_on_event(struct db *db, const struct event *e)
{
	for (int i = 0; i < message_kind_words.n; i++)
		if (message_kinds[i].event && strcmp(message_kinds[i].event, e->type) == 0 && !message_tell(db, e, i))
			return false;
	return true;
}

static const struct policy policies[] = {
	{ "booking.confirmed", message_on_event }, { "booking.cancelled", message_on_event }, { "booking.rejected", message_on_event },
	{ "booking.refunded", message_on_event }, { "booking.no_show", message_on_event }, { "booking.handed_out", message_on_event },
	{ "booking.completed", message_on_event }, { "booking.extra_refunded", message_on_event }, { "payment.cancelled", message_on_event },
	{ "delivery.scheduled", message_on_event }, { "delivery.shipped", message_on_event }, { "delivery.delivered", message_on_event },
	{ "delivery.cancelled", message_on_event }, { "equipment.approved", message_on_event }, { "equipment.rejected", message_on_event },
	{ "equipment.cancelled", message_on_event }, { "equipment.returned", message_on_event }, { "review.assigned", message_on_event },
	{ "stock.low", message_on_event },
	{ 0 },
};

static bool
message_sweep(struct db *db)
{
	bool some_remind = remind_sweep(db), some_mail = post_sweep(db);

	return some_remind || some_mail;
}

const struct consumer message_consumer = {
	.name = "message", .role = &message_role, .policy = policies, .sweep = message_sweep, .open = message_texts_open,
};
