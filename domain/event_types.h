/*
 * event_types - every event there is: the name the compiler knows it by, its type in the log, and the context that
 * reports it. What each carries is in docs/events.md; the payload shapes are in the events.c of the context.
 *
 *	event_report(db, EVENT_BOOKING_PAID, &(struct event){ .subject_id = code }, &paid_shape, &payload);  in events.c
 *	ON(BOOKING_PAID, fleet_on_booking_paid),                                                             in policy.c
 */
#ifndef MP_EVENT_TYPES_H
#define MP_EVENT_TYPES_H

#include "lib/event/event.h"

#define EVENT_TYPES(X) \
	X(CAR_REGISTERED,           "car.registered",            "fleet") \
	X(CAR_MODIFIED,             "car.modified",              "fleet") \
	X(CAR_RETIRED,              "car.retired",               "fleet") \
	X(CAR_DELETED,              "car.deleted",               "fleet") \
	X(CAR_RESERVED,             "car.reserved",              "fleet") \
	X(CAR_REFUSED,              "car.refused",               "fleet") \
	X(CAR_RELEASED,             "car.released",              "fleet") \
	X(BOOKING_HELD,             "booking.held",              "booking") \
	X(BOOKING_PAID,             "booking.paid",              "booking") \
	X(BOOKING_EXPIRED,          "booking.expired",           "booking") \
	X(BOOKING_CONFIRMED,        "booking.confirmed",         "booking") \
	X(BOOKING_HANDED_OUT,       "booking.handed_out",        "booking") \
	X(BOOKING_RETURNED,         "booking.returned",          "booking") \
	X(BOOKING_COMPLETED,        "booking.completed",         "booking") \
	X(BOOKING_RETURN_UNDONE,    "booking.return_undone",     "booking") \
	X(BOOKING_NO_SHOW,          "booking.no_show",           "booking") \
	X(BOOKING_NO_SHOW_UNDONE,   "booking.no_show_undone",    "booking") \
	X(BOOKING_NO_SHOW_FINAL,    "booking.no_show_final",     "booking") \
	X(BOOKING_CANCEL_REQUESTED, "booking.cancel_requested",  "booking") \
	X(BOOKING_CANCELLED,        "booking.cancelled",         "booking") \
	X(BOOKING_REJECTED,         "booking.rejected",          "booking") \
	X(BOOKING_REFUNDED,         "booking.refunded",          "booking") \
	X(BOOKING_EXTRA_ENDED,      "booking.extra_ended",       "booking") \
	X(BOOKING_EXTRA_REFUNDED,   "booking.extra_refunded",    "booking") \
	X(BOOKING_MOVED,            "booking.moved",             "booking") \
	X(BOOKING_REFUND_GRANTED,   "booking.refund_granted",    "booking") \
	X(BOOKING_PART_REFUNDED,    "booking.part_refunded",     "booking") \
	X(BOOKING_RETRIED,          "booking.retried",           "booking") \
	X(BOOKING_RESOLVED,         "booking.resolved",          "booking") \
	X(BOOKING_TERMS_PUBLISHED,  "booking.terms_published",   "booking") \
	X(PAYMENT_APPROVED,         "payment.approved",          "payment") \
	X(PAYMENT_FAILED,           "payment.failed",            "payment") \
	X(PAYMENT_CANCELLED,        "payment.cancelled",         "payment") \
	X(PAYMENT_REFUNDED_OUTSIDE, "payment.refunded_outside",  "payment") \
	X(PAYMENT_RETRIED,          "payment.retried",           "payment") \
	X(PAYMENT_RESOLVED,         "payment.resolved",          "payment") \
	X(PAYOUT_ASSIGNED,          "payout.assigned",           "payment") \
	X(PAYOUT_COMPLETED,         "payout.completed",          "payment") \
	X(PAYOUT_FAILED,            "payout.failed",             "payment") \
	X(DELIVERY_REQUESTED,       "delivery.requested",        "delivery") \
	X(DELIVERY_SCHEDULED,       "delivery.scheduled",        "delivery") \
	X(DELIVERY_SHIPPED,         "delivery.shipped",          "delivery") \
	X(DELIVERY_DELIVERED,       "delivery.delivered",        "delivery") \
	X(DELIVERY_CANCELLED,       "delivery.cancelled",        "delivery") \
	X(EQUIPMENT_REGISTERED,     "equipment.registered",      "equipment") \
	X(EQUIPMENT_MODIFIED,       "equipment.modified",        "equipment") \
	X(EQUIPMENT_ORDERED,        "equipment.ordered",         "equipment") \
	X(EQUIPMENT_APPROVED,       "equipment.approved",        "equipment") \
	X(EQUIPMENT_REJECTED,       "equipment.rejected",        "equipment") \
	X(EQUIPMENT_CANCELLED,      "equipment.cancelled",       "equipment") \
	X(EQUIPMENT_HANDED_OUT,     "equipment.handed_out",      "equipment") \
	X(EQUIPMENT_RETURNED,       "equipment.returned",        "equipment") \
	X(STOCK_CHANGED,            "stock.changed",             "equipment") \
	X(STOCK_LOW,                "stock.low",                 "equipment") \
	X(REVIEW_ASSIGNED,          "review.assigned",           "review") \
	X(REVIEW_APPROVED,          "review.approved",           "review") \
	X(REVIEW_REJECTED,          "review.rejected",           "review") \
	X(REVIEW_CANCELLED,         "review.cancelled",          "review") \
	X(ACCOUNT_LINK_REQUESTED,   "account.link_requested",    "account") \
	X(MESSAGE_SENT,             "message.sent",              "message") \
	X(MESSAGE_DEAD,             "message.dead",              "message") \
	X(MESSAGE_RESENT,           "message.resent",            "message") \
	X(OPS_PAUSED,               "ops.paused",                "ops") \
	X(OPS_RESUMED,              "ops.resumed",               "ops") \
	X(OPS_REDRIVEN,             "ops.redriven",              "ops") \
	X(OPS_DISCARDED,            "ops.discarded",             "ops") \
	X(OPS_FAULTS_SET,           "ops.faults_set",            "ops") \
	X(OPS_REHEARSED,            "ops.rehearsed",             "ops")

#define X(name, type, emitter) EVENT_##name,
enum event_type_id { EVENT_TYPES(X) N_EVENT_TYPES };
#undef X

/* The types as constants, for tables that are made at compile time. */
#define X(name, type, emitter) __attribute__((unused)) static const char event_name_##name[] = type;
EVENT_TYPES(X)
#undef X

#define ON(name, react) { event_name_##name, (react) }

struct event_type { const char *type, *emitter; };
extern const struct event_type event_types[N_EVENT_TYPES];

/* event_emit() for one of these types; e without its type. A context that reports another one's event is a mistake in
 * the program: nothing is written and the transaction fails. Answers event_id. */
int64_t event_report(struct db *db, enum event_type_id type, const struct event *e, const struct shape *shape,
	const void *data);

#endif
