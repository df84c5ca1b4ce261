/* journal - the delivery log: each message with its tries; and sending a mail again. */
#include "message.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/mail/mail.h"

static const struct word state_word[] = {
	[MESSAGE_QUEUED]   = { "QUEUED",   N_("Waiting to be sent") },
	[MESSAGE_RETRYING] = { "RETRYING", N_("Retrying soon") },
	[MESSAGE_SENT]     = { "SENT",     N_("Sent") },
	[MESSAGE_DEAD]     = { "DEAD",     N_("Dead letter") },
};
const struct words message_state_words = WORDS(state_word);

enum try_outcome { TRY_SENDING, TRY_SENT, TRY_LATER, TRY_REFUSED, TRY_NO_ANSWER };
static const struct word outcome_word[] = {
	[TRY_SENDING]   = { "SENDING",   N_("In progress") },
	[TRY_SENT]      = { "SENT",      N_("Accepted") },
	[TRY_LATER]     = { "LATER",     N_("Temporarily refused") },
	[TRY_REFUSED]   = { "REFUSED",   N_("Refused") },
	[TRY_NO_ANSWER] = { "NO_ANSWER", N_("No answer") },
};
const struct words try_outcome_words = WORDS(outcome_word);

static const struct member row_members[] = {
	SHAPE_INT(journal_row, message_id), SHAPE_INT(journal_row, recipient_id),
	SHAPE_TEXT(journal_row, recipient_name), SHAPE_INT(journal_row, event_id),
	SHAPE_STATE(journal_row, kind, message_kind_words), SHAPE_TEXT(journal_row, subject_id),
	SHAPE_TEXT(journal_row, title), SHAPE_TEXT(journal_row, email), SHAPE_BOOL(journal_row, in_inbox),
	SHAPE_STATE(journal_row, state, message_state_words), SHAPE_INT(journal_row, tries),
	SHAPE_TEXT(journal_row, reply), SHAPE_TIME(journal_row, next_at), SHAPE_TIME(journal_row, created_at),
	SHAPE_TIME(journal_row, settled_at), SHAPE_BOOL(journal_row, can_resend),
};
const struct shape journal_row_shape = SHAPE(journal_row, row_members);

static const struct member try_members[] = {
	SHAPE_INT(journal_try, try_no), SHAPE_TIME(journal_try, tried_at),
	SHAPE_STATE(journal_try, outcome, try_outcome_words), SHAPE_TEXT(journal_try, reply),
};
const struct shape journal_try_shape = SHAPE(journal_try, try_members);

static const char *
state_asked(const struct journal_query *q)
{
	return q->state < 0 ? "" : words_code(&message_state_words, q->state);
}

int64_t
journal_count(struct db *db, const struct journal_query *q)
{
	return db_int(db,
		"SELECT COUNT(*) FROM message /*scan*/ WHERE ($1 = '' OR state = $1) AND ($2 = '' OR subject_id = $2)",
		state_asked(q), q->about);
}

/* next_at means something only while it waits. */
static void
finish_row(struct journal_row *row)
{
	if (row->state != MESSAGE_QUEUED && row->state != MESSAGE_RETRYING)
		row->next_at = 0;
	if (message_kinds[row->kind].audience == TO_LINK)
		row->subject_id = ""; /* about no booking or order */
	row->can_resend = *row->email && message_kinds[row->kind].audience != TO_LINK
		&& (row->state == MESSAGE_SENT || row->state == MESSAGE_DEAD);
}

void
journal_list(struct db *db, const struct journal_query *q, struct journal_row **rows, int *n)
{
	db_list(db, &journal_row_shape, rows, n,
		"SELECT m.message_id, m.recipient_id, COALESCE((SELECT u.name FROM v_user u"
		" WHERE u.user_id = m.recipient_id), '') AS recipient_name,"
		" m.event_id, m.kind, m.subject_id, m.title, m.email, m.in_inbox, m.state, m.tries, m.next_at,"
		" m.created_at, m.settled_at,"
		" COALESCE((SELECT t.reply FROM message_try t WHERE t.message_id = m.message_id ORDER BY t.try_no DESC"
		" LIMIT 1), '') AS reply"
		" FROM message m /*scan*/ WHERE ($1 = '' OR m.state = $1) AND ($2 = '' OR m.subject_id = $2)"
		" ORDER BY m.message_id DESC LIMIT $3 OFFSET $4",
		state_asked(q), q->about, q->limit, q->offset);
	for (int i = 0; i < *n; i++)
		finish_row(&(*rows)[i]);
}

bool
journal_find(struct db *db, int64_t message_id, struct journal_row *row)
{
	bool found = db_one(db, &journal_row_shape, row,
		"SELECT m.message_id, m.recipient_id, COALESCE((SELECT u.name FROM v_user u"
		" WHERE u.user_id = m.recipient_id), '') AS recipient_name,"
		" m.event_id, m.kind, m.subject_id, m.title, m.email, m.in_inbox, m.state, m.tries, m.next_at,"
		" m.created_at, m.settled_at,"
		" '' AS reply FROM message m WHERE m.message_id = $1",
		message_id);

	if (found)
		finish_row(row);
	return found;
}

int
journal_tries(struct db *db, int64_t message_id, struct journal_try **tries)
{
	int n = 0;

	return db_list(db, &journal_try_shape, tries, &n,
		"SELECT try_no, tried_at, outcome, reply FROM message_try WHERE message_id = $1 ORDER BY try_no DESC"
		" LIMIT 100",
		message_id);
}

/* --- sending again ------------------------------------------------------------------------------------------------ */

/* To the recipient's current address: a wrong one may be why it is a dead letter. */
static const char *
address_now(struct db *db, int64_t user_id)
{
	const char *email = db_text(db, "SELECT email FROM v_user WHERE user_id = $1 AND disabled = 0", user_id);

	return email && mail_is_address(email) ? email : "";
}

static enum resend_outcome
queue_again(struct db *db, const struct journal_row *row, int64_t actor_id)
{
	const char *email = address_now(db, row->recipient_id);

	if (row->state == MESSAGE_QUEUED || row->state == MESSAGE_RETRYING)
		return RESEND_UNDER_WAY;
	if (!*row->email || !*email || message_kinds[row->kind].audience == TO_LINK) /* its link has ended */
		return RESEND_NO_MAIL;
	db_do(db,
		"UPDATE message SET state = 'QUEUED', tries = 0, n_resends = n_resends + 1, next_at = $2,"
		" settled_at = 0, email = $3"
		" WHERE message_id = $1 AND state IN ('SENT', 'DEAD')",
		row->message_id, clock_now(), email);
	message_report(db, EVENT_MESSAGE_RESENT,
		&(struct message_result){
			.message_id = row->message_id, .tries = row->tries, .channel = "email", .reply = "" },
		actor_id);
	return RESEND_DONE;
}

enum resend_outcome
message_resend(struct db *db, int64_t message_id, int64_t actor_id)
{
	enum resend_outcome outcome = RESEND_NO_MESSAGE;
	struct journal_row row;

	db_begin(db);
	if (journal_find(db, message_id, &row))
		outcome = queue_again(db, &row, actor_id);
	db_commit(db);
	return outcome;
}
