/* check_message.c - the invariants of messages: required messages exist, recorded outcomes are true. The story is in
 * check.h. */
#include "check.h"

/*
 * Only since the first message: earlier events have none. Accounts that were changed later are left out, since they may
 * have been disabled at the time.
 */
CHECK(bookings_without_message,
	"SELECT e.subject_id FROM event e JOIN booking b ON b.code = e.subject_id JOIN person u"
	" ON u.user_id = b.customer_id"
	" WHERE e.type IN ('booking.confirmed', 'booking.cancelled') AND u.disabled = 0"
	" AND u.updated_at <= e.recorded_at"
	" AND e.event_id > (SELECT MIN(m.event_id) FROM message m"
	" WHERE m.kind IN ('booking_confirmed', 'booking_cancelled'))"
	" AND e.event_id <= COALESCE((SELECT p.event_id FROM position p WHERE p.consumer = 'message'), 0)"
	" AND NOT EXISTS (SELECT 1 FROM event_retry t WHERE t.consumer = 'message' AND t.event_id = e.event_id)"
	" AND NOT EXISTS (SELECT 1 FROM message m WHERE m.event_id = e.event_id AND m.recipient_id = b.customer_id)"
	" AND NOT EXISTS (SELECT 1 FROM message m WHERE e.type = 'booking.cancelled' AND b.cancel_by = 'firm'"
	" AND m.subject_id = b.code AND m.kind = 'cancelled_by_firm' AND m.recipient_id = b.customer_id) /*scan*/")

CHECK(messages_without_event,
	"SELECT 'message ' || m.message_id FROM message m WHERE NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.event_id = m.event_id) /*scan*/")

CHECK(sent_without_attempt,
	"SELECT 'message ' || m.message_id FROM message m WHERE m.state = 'SENT' AND m.email <> ''"
	" AND NOT EXISTS (SELECT 1 FROM message_try t WHERE t.message_id = m.message_id"
	" AND t.outcome = 'SENT') /*scan*/")

CHECK(messages_without_outcome,
	"SELECT 'message ' || m.message_id FROM message m WHERE m.state IN ('SENT', 'DEAD')"
	" AND NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = 'message:' || m.message_id AND e.type = CASE m.state WHEN 'SENT' THEN 'message.sent'"
	" ELSE 'message.dead' END) /*scan*/")

CHECK(attempts_left_open,
	"SELECT 'message ' || t.message_id FROM message_try t JOIN message m ON m.message_id = t.message_id"
	" WHERE t.outcome = 'SENDING' AND m.state IN ('SENT', 'DEAD') /*scan*/")

CHECK(links_without_event,
	"SELECT 'link ' || l.link_id FROM mail_link l WHERE NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = 'link:' || l.link_id AND e.type = 'account.link_requested') /*scan*/")

CHECK(confirmed_without_account,
	"SELECT 'link ' || l.link_id FROM mail_link l LEFT JOIN person u ON u.user_id = l.user_id"
	" WHERE l.purpose = 'sign_up' AND l.used_at <> 0 AND COALESCE(u.email_confirmed_at, 0) = 0 /*scan*/")

const struct check message_checks[] = {
	{ "every confirmed or cancelled booking has a message to its customer", CHECK_FAST, bookings_without_message },
	{ "every message refers to an event", CHECK_FAST, messages_without_event },
	{ "every sent mail has a successful attempt", CHECK_FAST, sent_without_attempt },
	{ "the outcome of every message has an event", CHECK_FAST, messages_without_outcome },
	{ "no message in progress is already settled", CHECK_FAST, attempts_left_open },
	{ "every link to be mailed has its event", CHECK_FAST, links_without_event },
	{ "every confirmed sign-up has an account with a confirmed address", CHECK_FAST, confirmed_without_account },
	{ 0 },
};
