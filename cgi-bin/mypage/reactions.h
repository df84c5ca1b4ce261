/* reactions - what policy.c (bookings, money, cars) and policy_extras.c (what goes with a booking) share: payload and
 * history. */
#ifndef MP_MYPAGE_REACTIONS_H
#define MP_MYPAGE_REACTIONS_H

#include "lib/event/event.h"

struct payload_line { const char *rule, *unit, *label, *label_ko; int64_t version, quantity, unit_amount, amount; };
struct payload_car { const char *car_name, *car_name_ko, *plate; int64_t car_id; };

/* All members that mypage reads of any payload (docs/events.md). A text that is missing is "". */
struct view_payload {
	const char *car_name, *car_name_ko, *plate, *name, *name_ko, *body, *branch_name, *branch_name_ko, *service,
		*currency, *brand, *last4,
	           *paid_by, *refund_key, *reason, *note, *by;
	const char *direction, *zone, *order_code, *booking_code, *item_name, *item_name_ko, *category, *kind,
	           *about, *channel, *title, *title_ko, *label, *label_ko;
	int64_t customer_id, car_id, branch_id, starts_at, ends_at, amount, vat_amount, hold_until, undo_until,
		refund_due, refunded_amount;
	int64_t delivery_id, window_from, window_to, courier_id, odometer_km, fuel_percent, line_no, item_id, quantity,
		lost, message_id,
	        recipient_id, tries, try_no;
	struct payload_line *lines;
	struct payload_car *cars;               /* the second and further ones */
	int n_lines, n_further;
};
bool payload_read(struct db *db, const struct event *e, struct view_payload *p);
/* What a person typed, else the code. Older events have both in `reason`. */
const char *payload_reason(const struct view_payload *p);

/* A line of a booking's history. The courier's name is read when the line is shown. */
struct history_line { int64_t amount, courier_id; const char *reason, *label, *label_ko; };
bool history_add(struct db *db, const struct event *e, const struct history_line *line);
/* The same for an event that may be about an order without a booking: nothing when both are unknown. */
bool history_add_known(struct db *db, const struct event *e, const struct history_line *line);

/* What an event changes in the row it is about; "": it stays. stamp: which of the row's times is the event's. */
struct row_change { const char *type, *state, *tab, *reservation, *stamp; };
const struct row_change *row_change_of(const struct event *e);

typedef bool reaction(struct db *db, const struct event *e);

/* policy_extras.c */
reaction mypage_on_delivery, mypage_on_equipment_ordered, mypage_on_equipment_moved, mypage_on_review_assigned;
reaction mypage_on_extra_ended, mypage_on_extra_refunded, mypage_on_message;

#endif
