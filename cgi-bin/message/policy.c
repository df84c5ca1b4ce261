/*
 * policy - what message does when others report something: it tells those whom it concerns, once. Which events there are, and what
 * is told of them, stands in kind.c. Time brings the reminders, and the mail is sent between the events.
 */
#include "message.h"

#include "domain/event_types.h"

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
	ON(BOOKING_CONFIRMED, message_on_event), ON(BOOKING_CANCELLED, message_on_event), ON(BOOKING_REJECTED, message_on_event),
	ON(BOOKING_REFUNDED, message_on_event), ON(BOOKING_NO_SHOW, message_on_event), ON(BOOKING_HANDED_OUT, message_on_event),
	ON(BOOKING_COMPLETED, message_on_event), ON(BOOKING_EXTRA_REFUNDED, message_on_event), ON(PAYMENT_CANCELLED, message_on_event),
	ON(DELIVERY_SCHEDULED, message_on_event), ON(DELIVERY_SHIPPED, message_on_event), ON(DELIVERY_DELIVERED, message_on_event),
	ON(DELIVERY_CANCELLED, message_on_event), ON(EQUIPMENT_APPROVED, message_on_event), ON(EQUIPMENT_REJECTED, message_on_event),
	ON(EQUIPMENT_CANCELLED, message_on_event), ON(EQUIPMENT_RETURNED, message_on_event), ON(REVIEW_ASSIGNED, message_on_event),
	ON(STOCK_LOW, message_on_event),
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
