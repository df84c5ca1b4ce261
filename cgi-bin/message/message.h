/*
 * message - what people are told, in their language, once.
 *
 *	kind.c        what there is to tell: of which event, to whom, under which topic; its words stand in templates/message/KIND
 *	facts.c        what a message may show: the event's payload and what the others publish about its booking
 *	message.c     writing one, in the transaction that hears of its event; the inbox
 *	remind.c      those that time brings: a pick-up tomorrow, a return soon, a car that is late
 *	post.c        mail: rows first, then the wire, then what became of it
 *	smtp.c        … one letter to the mail server
 *	journal.c     the delivery log, for managers; sending again
 *	preference.c  what people want by which way
 *
 * A message is one row, unique by (event, recipient, kind): however often its event is heard, it is told once.
 */
#ifndef MP_MESSAGE_H
#define MP_MESSAGE_H

#include "domain/bookings.h"
#include "lib/base/clock.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

/* --- what there is to tell (kind.c) --------------------------------------------------------------------------------- */

enum topic { TOPIC_BOOKING, TOPIC_REFUND, TOPIC_DELIVERY, TOPIC_EQUIPMENT, TOPIC_REMINDER, TOPIC_WORK, N_TOPICS };
enum tell_whom { TELL_CUSTOMER, TELL_MANAGERS, TELL_REVIEWERS };

struct facts;
struct message_kind {
	const char *kind;                       /* its template and the message's kind */
	const char *event;                      /* what it tells of; NULL: time brings it (remind.c) */
	int topic;                              /* enum topic */
	enum tell_whom who;
	bool (*is_worth)(struct db *db, const struct event *e, const struct facts *t);  /* NULL: always */
};

extern const struct words topic_words, message_kind_words;
extern const struct message_kind message_kinds[];       /* as in message_kind_words */
int message_kind_find(const char *kind);                /* -1 */

/* The templates of all kinds and of the mail's frame, in every language. Once per process; false: what is wrong is in the log. */
bool message_texts_open(void);

/* --- what a message may show (facts.c) ------------------------------------------------------------------------------- */

struct facts {
	const char *name;                       /* the recipient's */
	const char *subject_id;                 /* a booking's code, an order's, item:3 */
	const char *code;                       /* the booking's; "": it is about none */
	const char *order_code, *item_name, *title, *label, *reason, *by, *direction, *courier_name, *received_by;
	const char *car_name, *plate, *branch_name, *branch_address, *branch_phone, *address, *place, *state;
	int64_t customer_id, applicant_id;
	int64_t starts_at, ends_at, window_from, window_to, n_more;    /* n_more: cars beside the first */
	int64_t amount, refund_due, refunded_amount, quantity, lost, stock, low_stock, odometer_km, fuel_percent;
	int64_t case_id, item_id;
	struct booking_line *lines;
	int n_lines;
	bool is_brought, is_fetched, is_charged;        /* by a courier, there and back; there is a charge for it in a booking */
	bool is_collection;                     /* the event is about the way back */
	const char *link;                       /* our page about it: /my/bookings/MP-… */
};
extern const struct shape message_facts_shape;

/* What the event tells, and what is published about its booking, in lang. false: the payload cannot be read. */
bool facts_read(struct db *db, const struct event *e, int lang, struct facts *t);

/* --- one message (message.c) ---------------------------------------------------------------------------------------- */

struct message {
	int64_t message_id, event_id, recipient_id;
	int kind;                               /* index into message_kinds */
	const char *subject_id, *lang, *title, *body, *link, *email;
	const char *snippet;                    /* the first thing it says after the greeting, for lists */
	bool in_inbox, is_unread;
	int64_t read_at, created_at;
};
extern const struct shape message_shape;

/* Tells everybody whom this kind concerns. Inside the caller's transaction. false: it cannot be written now. */
bool message_tell(struct db *db, const struct event *e, int kind);
/* … one of them, as the reminders do. */
bool message_tell_one(struct db *db, const struct event *e, int kind, int64_t user_id);

/* The words alone: title and body of a kind, for the tests and for who looks at them. */
struct message_text { const char *title, *body; };
struct message_text message_render(struct arena *m, int kind, int lang, const struct facts *t);

struct inbox { int64_t n_total, n_unread; };
struct inbox message_count(struct db *db, int64_t user_id);
void message_list(struct db *db, int64_t user_id, bool only_unread, int64_t offset, int64_t limit, struct message **list, int *n);
bool message_find(struct db *db, int64_t user_id, int64_t message_id, struct message *msg);     /* of his own inbox */
/* Notes that it was read; once is enough. false: it is not in his inbox. */
bool message_read(struct db *db, int64_t user_id, int64_t message_id);
void message_read_all(struct db *db, int64_t user_id);

/* --- what people want (preference.c) -------------------------------------------------------------------------------- */

struct preference {
	int topic;                              /* enum topic */
	bool inbox, email;
	bool inbox_is_fixed;                    /* what becomes of one's own bookings always stands in the inbox */
};
extern const struct shape preference_shape;

struct preference preference_of(struct db *db, int64_t user_id, int topic);
void preference_set(struct db *db, int64_t user_id, const struct preference *p);

/* --- mail (post.c, smtp.c) ------------------------------------------------------------------------------------------ */

/* News older than this is not mailed any more, nor is a letter that has waited so long: it stands in the inbox. */
#define MAILED_FOR_S (3 * DAY)

/* What a mail server, or the folder, made of one letter. */
enum post_outcome {
	POST_SENT,
	POST_LATER,             /* 4xx: it may take it another time */
	POST_REFUSED,           /* 5xx: it never will */
	POST_NO_ANSWER,         /* it was asked and did not answer: nobody knows whether it has it */
	POST_AWAY,              /* no letter was the matter: it could not be reached, or does not let us in */
};
struct letter { const char *from, *to, *text; };
struct post_answer { enum post_outcome outcome; const char *reply; bool is_last; };   /* is_last: leave it alone for a while */

struct smtp;
struct smtp *smtp_open(struct arena *m);        /* one conversation with settings.mail_url; NULL: there can be none */
struct post_answer smtp_send(struct smtp *s, const struct letter *l);
void smtp_close(struct smtp *s);

bool post_open(const char *templates_dir);      /* the mail's frame; message_texts_open() does it */
/* Sends what is due, at most two seconds long. Answers whether more is due at once. */
bool post_sweep(struct db *db);

/* --- reminders (remind.c) ------------------------------------------------------------------------------------------- */

bool remind_sweep(struct db *db);

/* --- the delivery log (journal.c) ----------------------------------------------------------------------------------- */

enum message_state { MESSAGE_QUEUED, MESSAGE_RETRYING, MESSAGE_SENT, MESSAGE_DEAD };
extern const struct words message_state_words, try_outcome_words;

struct journal_row {
	int64_t message_id, recipient_id, event_id, tries, next_at, created_at, settled_at;
	const char *recipient_name, *subject_id, *title, *email, *reply;
	int kind, state;
	bool in_inbox, can_resend;
};
struct journal_try { int64_t try_no, tried_at; int outcome; const char *reply; };
extern const struct shape journal_row_shape, journal_try_shape;

struct journal_query { int state; const char *about; int64_t offset, limit; };   /* state -1: all; about: a code, "" all */
int64_t journal_count(struct db *db, const struct journal_query *q);
void journal_list(struct db *db, const struct journal_query *q, struct journal_row **rows, int *n);
bool journal_find(struct db *db, int64_t message_id, struct journal_row *row);
int journal_tries(struct db *db, int64_t message_id, struct journal_try **tries);

enum resend_outcome { RESEND_DONE, RESEND_NO_MESSAGE, RESEND_UNDER_WAY, RESEND_NO_MAIL };
/* A mail that was sent or given up goes out again, as a new letter. Emits message.resent. */
enum resend_outcome message_resend(struct db *db, int64_t message_id, int64_t actor_id);

/* message.sent, message.dead: what became of a message. Inside the transaction that says so. */
struct message_settled { int64_t message_id, tries; const char *channel, *reply; };
void message_emit(struct db *db, const char *type, const struct message_settled *s, int64_t actor_id);

/* --- policy.c --- */
extern const struct consumer message_consumer;
extern const struct db_role message_role;

#endif
