/* events - what message reports, and the tables it may write. */
#include "message.h"

#include <string.h>

const struct db_role message_role = { .name = "message",
	.owns = "message message_try message_preference position event_retry" };

struct message_payload { int64_t message_id, recipient_id, event_id, tries; const char *kind, *about, *channel,
	*reply; };
static const struct member message_payload_members[] = {
	SHAPE_INT(message_payload, message_id), SHAPE_INT(message_payload, recipient_id),
	SHAPE_TEXT(message_payload, kind), SHAPE_TEXT(message_payload, about), SHAPE_INT(message_payload, event_id),
	SHAPE_TEXT(message_payload, channel), SHAPE_INT(message_payload, tries), SHAPE_TEXT(message_payload, reply),
};
static const struct shape message_payload_shape = SHAPE(message_payload, message_payload_members);

/* "550" of "550 no such user"; "" when a mail server did not say it. The text may hold an address; it is in
 * message_try. */
static const char *
smtp_code(struct arena *m, const char *reply)
{
	return strspn(reply, "0123456789") == 3 ? arena_strndup(m, reply, 3) : "";
}

void
message_report(struct db *db, enum event_type_id type, const struct message_result *result, int64_t actor_id)
{
	struct arena *m = db_memory(db);
	struct message_payload payload = {
		.message_id = result->message_id,
		.channel = result->channel,
		.tries = result->tries,
		.reply = smtp_code(m, result->reply),
	};
	struct rows *r =
		db_each(db, "SELECT recipient_id, event_id, kind, subject_id FROM message WHERE message_id = $1",
			result->message_id);

	if (db_next(r)) {
		payload.recipient_id = row_int(r, 0);
		payload.event_id = row_int(r, 1);
		payload.kind = row_text(r, 2);
		payload.about = row_text(r, 3);
	}
	db_done(r);
	event_report(db, type,
		&(struct event){
			.subject_id = arena_printf(m, "message:%lld", (long long)result->message_id),
			.causation_id = payload.event_id,
			.actor_id = actor_id,
		},
		&message_payload_shape, &payload);
}
