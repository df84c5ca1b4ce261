/* preference - which topics reach a person in the inbox and by mail. Without a row: all both ways, tasks in the inbox
 * only. */
#include "message.h"

static const struct member preference_members[] = {
	SHAPE_STATE(preference, topic, topic_words), SHAPE_BOOL(preference, inbox), SHAPE_BOOL(preference, email),
	SHAPE_BOOL(preference, inbox_is_fixed),
};
const struct shape preference_shape = SHAPE(preference, preference_members);

/* Messages about bookings and refunds are documents, so they are always in the inbox. */
static bool
is_fixed(int topic)
{
	return topic == TOPIC_BOOKING || topic == TOPIC_REFUND;
}

struct preference
preference_of(struct db *db, int64_t user_id, int topic)
{
	struct preference p = { .inbox = true, .email = topic != TOPIC_WORK };

	db_one(db, &preference_shape, &p,
		"SELECT inbox, email FROM message_preference WHERE user_id = $1 AND topic = $2", user_id,
		words_code(&topic_words, topic));
	p.topic = topic;
	p.inbox_is_fixed = is_fixed(topic);
	p.inbox = p.inbox || p.inbox_is_fixed;
	return p;
}

void
preference_set(struct db *db, int64_t user_id, const struct preference *p)
{
	db_do(db,
		"INSERT INTO message_preference (user_id, topic, inbox, email) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (user_id, topic) DO UPDATE SET inbox = excluded.inbox, email = excluded.email",
		user_id, words_code(&topic_words, p->topic), p->inbox || is_fixed(p->topic), p->email);
}
