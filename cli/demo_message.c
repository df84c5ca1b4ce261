/*
 * demo_message.c - what the demo's people were told of late: messages of the last two months, most of them read.
 *
 * They are written when all the rest is there, by the policies as always. What happened days ago is not mailed any more (message.c),
 * so no mail goes out about a past that never was.
 */
#include "demo.h"

#include "../cgi-bin/message/message.h"
#include "../lib/clock.h"

#define TOLD_DAYS   60
#define UNREAD_DAYS 4
#define BATCH       500

void
world_messages(struct world *w, int64_t now)
{
	db_begin(w->db);
	db_do(w->db, "INSERT INTO position (consumer, event_id, moved_at)"
		" SELECT 'message', COALESCE(MAX(event_id), 0), $2 FROM event /*scan*/ WHERE occurred_at < $1", now - TOLD_DAYS * DAY, now);
	if (!db_commit(w->db))
		return;
	while (consumer_step(w->db, &message_consumer, BATCH) > 0)
		;
	db_do(w->db, "UPDATE message SET read_at = created_at + 600 /*scan*/ WHERE in_inbox = 1 AND created_at < $1", now - UNREAD_DAYS * DAY);
}
