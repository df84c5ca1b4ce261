/* policy - each of these events notifies the people that its kinds are for (kind.c); reminders and mail are sent
 * between events. */
#include "message.h"

#include <string.h>

static bool
message_on_event(struct db *db, const struct event *e)
{
	for (int i = 0; i < message_kind_words.n; i++)
		if (message_kinds[i].event && strcmp(message_kinds[i].event, e->type) == 0 && !message_notify(db, e, i))
			return false;
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_CANCEL_REQUESTED, message_on_event), ON(BOOKING_PART_REFUNDED, message_on_event),
	ON(BOOKING_CONFIRMED, message_on_event), ON(BOOKING_CANCELLED, message_on_event),
	ON(BOOKING_REJECTED, message_on_event),
	ON(BOOKING_REFUNDED, message_on_event), ON(BOOKING_NO_SHOW, message_on_event),
	ON(BOOKING_NO_SHOW_UNDONE, message_on_event), ON(BOOKING_NO_SHOW_FINAL, message_on_event),
	ON(BOOKING_HANDED_OUT, message_on_event),
	ON(BOOKING_COMPLETED, message_on_event), ON(BOOKING_EXTRA_REFUNDED, message_on_event),
	ON(BOOKING_MOVED, message_on_event),
	ON(PAYMENT_CANCELLED, message_on_event), ON(PAYOUT_COMPLETED, message_on_event),
	ON(DELIVERY_SCHEDULED, message_on_event), ON(DELIVERY_SHIPPED, message_on_event),
	ON(DELIVERY_DELIVERED, message_on_event),
	ON(DELIVERY_CANCELLED, message_on_event), ON(EQUIPMENT_APPROVED, message_on_event),
	ON(EQUIPMENT_REJECTED, message_on_event),
	ON(EQUIPMENT_CANCELLED, message_on_event), ON(EQUIPMENT_RETURNED, message_on_event),
	ON(REVIEW_ASSIGNED, message_on_event),
	ON(STOCK_LOW, message_on_event), ON(ACCOUNT_LINK_REQUESTED, message_on_event),
	{ 0 },
};

static bool
message_sweep(struct db *db)
{
	bool has_reminders = remind_sweep(db), has_mail = mailer_sweep(db);

	return has_reminders || has_mail;
}

const struct consumer message_consumer = {
	.name = "message", .role = &message_role, .policy = policies, .sweep = message_sweep,
		.open = message_texts_open,
};
