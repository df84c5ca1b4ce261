/* reactions - what the policies (policy.c: bookings, money and cars; policy_desks.c: what goes with a booking) share. */
#ifndef MP_MYPAGE_REACTIONS_H
#define MP_MYPAGE_REACTIONS_H

#include "mypage.h"

/* The line in the history of the booking, or of the order that stands alone, whose event this is. */
struct reaction_line { int64_t amount, courier_id; const char *reason, *label, *label_ko; };
bool reaction_tell(struct db *db, const struct event *e, const struct reaction_line *line);

typedef bool reaction(struct db *db, const struct event *e);

/* policy_desks.c */
reaction mypage_on_delivery_requested, mypage_on_delivery_scheduled, mypage_on_delivery_shipped, mypage_on_delivery_delivered,
	mypage_on_delivery_cancelled;
reaction mypage_on_equipment_ordered, mypage_on_equipment_approved, mypage_on_equipment_rejected, mypage_on_equipment_cancelled,
	mypage_on_equipment_handed_out, mypage_on_equipment_returned, mypage_on_review_assigned;
reaction mypage_on_extra_ended, mypage_on_extra_refunded;
reaction mypage_on_message_sent, mypage_on_message_dead;

#endif
