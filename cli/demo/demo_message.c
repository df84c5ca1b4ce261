/*
 * demo_message.c - the messages of the demo's last weeks, most of them read.
 *
 * They are written at the end by message's policies, whose position starts some weeks ago, since older messages are of
 * no use. Each has the date of its event. Events of some days ago are not mailed any more (message.c), so no mail is
 * sent about the invented past; mails about later ones are sent by the relay. There is no mail server, so its replies
 * are invented here.
 */
#include "demo.h"

#include "cgi-bin/message/message.h"
#include "lib/base/clock.h"

#define TOLD_DAYS   24
#define UNREAD_DAYS 4
#define BATCH       500

static void
begin_lately(struct world *w, int64_t now)
{
	db_do(w->db,
		"INSERT INTO position (consumer, event_id, moved_at)"
		" SELECT 'message', COALESCE(MIN(event_id) - 1, 0), $2 FROM event /*scan*/ WHERE occurred_at >= $1",
		now - TOLD_DAYS * DAY, now);
}

/* One who does not want a mail for everything. */
static void
prefer(struct world *w)
{
	preference_set(w->db, w->customer_id[1], &(struct preference){ .topic = TOPIC_DELIVERY, .inbox = true });
	preference_set(w->db, w->customer_id[1], &(struct preference){ .topic = TOPIC_REMINDER });
}

static const struct { int64_t before_s; const char *outcome, *reply; } said[] = {
	{ 400, "LATER",   "451 4.7.1 greylisted, please try again" },
	{ 335, "LATER",   "450 4.2.1 the mailbox is busy" },
	{ 210, "REFUSED", "550 5.1.1 there is no such mailbox" },
};
#define N_SAID 3

/* A dead letter: the mail server does not know the address any more. */
static void
be_refused(struct world *w)
{
	int64_t now = clock_now();
	int64_t id = db_int(w->db,
		"SELECT message_id FROM message /*scan*/ WHERE state = 'QUEUED' AND recipient_id > $1"
		" ORDER BY message_id LIMIT 1",
		w->customer_id[DEMO_LOGINS]);

	if (!id)
		return;
	for (int i = 0; i < N_SAID; i++)
		db_do(w->db,
			"INSERT INTO message_try (message_id, try_no, tried_at, outcome, reply)"
			" VALUES ($1, $2, $3, $4, $5)",
			id, i + 1, now - said[i].before_s, said[i].outcome, said[i].reply);
	db_do(w->db,
		"UPDATE message SET state = 'DEAD', tries = $2, created_at = $3, settled_at = $4 WHERE message_id = $1",
		id, N_SAID, now - said[0].before_s, now - said[N_SAID - 1].before_s);
	message_report(w->db, EVENT_MESSAGE_DEAD,
		&(struct message_result){
			.message_id = id,
			.tries = N_SAID,
			.channel = "email",
			.reply = said[N_SAID - 1].reply,
		},
		0);
}

void
world_messages(struct world *w, int64_t now)
{
	db_begin(w->db);
	begin_lately(w, now);
	prefer(w);
	if (!db_commit(w->db))
		return world_stop(w, "messages cannot begin");
	while (consumer_step(w->db, &message_consumer, BATCH) > 0)
		;
	db_begin(w->db);
	db_do(w->db,
		"UPDATE message SET created_at = (SELECT e.occurred_at FROM event e"
		" WHERE e.event_id = message.event_id) /*scan*/");
	db_do(w->db, "UPDATE message SET read_at = created_at + 600 /*scan*/ WHERE in_inbox = 1 AND created_at < $1",
		now - UNREAD_DAYS * DAY);
	be_refused(w);
	if (!db_commit(w->db))
		world_stop(w, "the messages");
}
