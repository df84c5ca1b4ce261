/*
 * message - notifies people once, in their language: in their inbox and by mail.
 *
 *	kind.c        the kinds of messages: of which event, to whom, under which topic
 *	facts.c       what a message may show: the event's payload and what other contexts publish about its booking
 *	texts.c       the templates (templates/message/KIND) and the mail's frame
 *	message.c     writing one, in the transaction that handles its event; the inbox
 *	link.c        mails with a link to confirm a sign-up or to set a password
 *	remind.c      reminders that depend on time: pick-up tomorrow, return soon, overdue, refund delayed
 *	mailer.c      mail: the row first, then the call, then its result
 *	smtp.c        one mail to the mail server
 *	journal.c     the delivery log, for managers; sending again
 *	preference.c  which topics reach a person by which way
 *	events.c      message.sent, message.dead, message.resent
 *	policy.c      which events message reacts to
 *
 * A message is one row, unique by (event, recipient, kind), so an event that is handled twice notifies once.
 */
#ifndef MP_MESSAGE_H
#define MP_MESSAGE_H

#include "domain/bookings.h"
#include "domain/event_types.h"
#include "lib/base/clock.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

/* --- kinds (kind.c) ----------------------------------------------------------------------------------------------- */

enum topic {
	TOPIC_NONE = -1,        /* links: cannot be turned off, and are not in the inbox */
	TOPIC_BOOKING, TOPIC_REFUND, TOPIC_DELIVERY, TOPIC_EQUIPMENT, TOPIC_REMINDER, TOPIC_WORK, N_TOPICS
};
enum audience {
	TO_CUSTOMER, TO_MANAGERS, TO_REVIEWERS,
	TO_LINK,                /* the person of a link, who may have no account yet (link.c) */
};

struct facts;
struct preference;
struct message_kind {
	const char *kind;                       /* its template and the message's kind */
	const char *event;                      /* the event it is about; NULL: it depends on time (remind.c) */
	int topic;                              /* enum topic */
	enum audience audience;                 /* TO_LINK: message.link lacks the token, which the mail alone has */
	bool (*applies)(struct db *db, const struct event *e, const struct facts *t);   /* NULL: always */
};

extern const struct words topic_words, message_kind_words;
extern const struct message_kind message_kinds[];       /* as in message_kind_words */
int message_kind_find(const char *kind);                /* -1 */

/* --- what a message may show (facts.c) ---------------------------------------------------------------------------- */

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
	bool is_brought, is_fetched, is_charged; /* with delivery, with collection; it has a charge in a booking */
	bool is_collection;                     /* the event is about the collection */
	struct cancel_terms cancellation;       /* what cancelling the booking costs */
	int64_t terms_version;                  /* accepted with the booking; 0: none */
	const char *terms_url;                  /* where they are; NULL: none */
	/* the firm could not keep it: why, in words and in the firm's own; what we pay beyond the refund */
	bool is_by_firm;
	const char *firm_reason, *firm_note;
	int64_t compensation_due;
	const char *part_reason, *part_note;    /* of a part of the price that was refunded */
	int64_t kept_amount, kept_vat_amount;   /* what remains of the price after all refunds, as on the receipt */
	const char *link;                       /* our page about it: /my/bookings/MP-… */
	const char *purpose;                    /* of a link (domain/mail_links.h) */
	int64_t link_id, expires_at;
	int64_t charge_id;                      /* that a refund is of */
	bool is_earlier_try;                    /* … and another charge pays for the booking */
	int64_t undo_until;                     /* the event can be undone until then; 0: it cannot */
	bool is_no_show;                        /* its booking was not picked up */
};
extern const struct shape message_facts_shape;

/* The event's payload, and what is published about its booking, in lang. false: the payload cannot be read. */
bool facts_read(struct db *db, const struct event *e, int lang, struct facts *t);

/* --- texts (texts.c) ---------------------------------------------------------------------------------------------- */

/* Compiles the templates of all kinds and of the mail's frame, in every language; once per process. false: the log says
 * why. */
bool message_texts_open(void);

struct message_text { const char *title, *body; };
struct message_text message_render(struct arena *m, int kind, int lang, const struct facts *t);

/* The frame around every mail, which the inbox does not show. */
struct mail_frame { const char *name, *body, *url, *preferences_url, *zone; bool is_sandbox, is_link; };
const char *mail_frame_render(struct arena *m, const char *lang, const struct mail_frame *f);

/* --- one message (message.c) -------------------------------------------------------------------------------------- */

struct message {
	int64_t message_id, event_id, recipient_id;
	int kind;                               /* index into message_kinds */
	const char *subject_id, *lang, *title, *body, *link, *email;
	const char *snippet;                    /* its first line after the greeting, for lists */
	bool in_inbox, is_unread;
	int64_t read_at, created_at;
};
extern const struct shape message_shape;

/* Notifies everyone this kind is for. Inside the caller's transaction. false: it cannot be written now. */
bool message_notify(struct db *db, const struct event *e, int kind);
bool message_notify_one(struct db *db, const struct event *e, int kind, int64_t user_id);

/* Who gets a message. user_id 0: a person without an account, by mail alone. */
struct recipient { int64_t user_id; const char *email, *name, *lang; };
extern const struct shape recipient_shape;
bool message_write(struct db *db, const struct event *e, int kind, const struct recipient *to,
	const struct preference *p);

/* --- links to confirm a sign-up or to set a password (link.c) ----------------------------------------------------- */

/* TO_LINK: writes the message, unless the link has expired meanwhile or has no account. */
bool link_notify(struct db *db, const struct event *e, int kind, const struct facts *t);
int64_t link_expires_at(struct db *db, int64_t link_id);
/* The address in the mail, token included. NULL: the link has expired. */
const char *link_url(struct db *db, const char *subject_id);

struct inbox { int64_t n_total, n_unread; };
struct inbox message_count(struct db *db, int64_t user_id);
void message_list(struct db *db, int64_t user_id, bool only_unread, int64_t offset, int64_t limit,
	struct message **list, int *n);
bool message_find(struct db *db, int64_t user_id, int64_t message_id, struct message *msg); /* in this user's inbox */
/* Marks it as read; again is harmless. false: it is not in this user's inbox. */
bool message_read(struct db *db, int64_t user_id, int64_t message_id);
void message_read_all(struct db *db, int64_t user_id);

/* --- preferences (preference.c) ----------------------------------------------------------------------------------- */

struct preference {
	int topic;                              /* enum topic */
	bool inbox, email;
	bool inbox_is_fixed;                    /* messages about one's own bookings are always in the inbox */
};
extern const struct shape preference_shape;

struct preference preference_of(struct db *db, int64_t user_id, int topic);
void preference_set(struct db *db, int64_t user_id, const struct preference *p);

/* --- mail (mailer.c, smtp.c) -------------------------------------------------------------------------------------- */

/* An event older than this is not mailed, nor is a mail that has waited so long: it is in the inbox only. */
#define MAILED_FOR_S (3 * DAY)

/* What the mail server, or the folder, answered about one mail. */
enum mailer_outcome {
	MAILER_SENT,
	MAILER_LATER,           /* 4xx: it may accept it later */
	MAILER_REFUSED,         /* 5xx: it never will */
	MAILER_NO_ANSWER,       /* it did not answer: it may have the mail */
	MAILER_UNREACHABLE,     /* nothing to do with this mail: no connection, or no access */
};
/* is_last: send no more for a while */
struct mailer_answer { enum mailer_outcome outcome; const char *reply; bool is_last; };
struct smtp_mail { const char *from, *to, *text; };

struct smtp;
struct smtp *smtp_open(struct arena *m);        /* one connection to settings.mail_url; NULL: it cannot be used */
struct mailer_answer smtp_send(struct smtp *s, const struct smtp_mail *mail);
void smtp_close(struct smtp *s);

/* Sends what is due, for two seconds at most. Answers whether more is due at once. */
bool mailer_sweep(struct db *db);

/* --- reminders (remind.c) ----------------------------------------------------------------------------------------- */

bool remind_sweep(struct db *db);

/* --- the delivery log (journal.c) --------------------------------------------------------------------------------- */

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

/* state -1: all; about: a code, "" all */
struct journal_query { int state; const char *about; int64_t offset, limit; };
int64_t journal_count(struct db *db, const struct journal_query *q);
void journal_list(struct db *db, const struct journal_query *q, struct journal_row **rows, int *n);
bool journal_find(struct db *db, int64_t message_id, struct journal_row *row);
int journal_tries(struct db *db, int64_t message_id, struct journal_try **tries);

enum resend_outcome { RESEND_DONE, RESEND_NO_MESSAGE, RESEND_UNDER_WAY, RESEND_NO_MAIL };
/* Sends a sent mail or a dead letter again, with another Message-ID (message.resent). */
enum resend_outcome message_resend(struct db *db, int64_t message_id, int64_t actor_id);

/* --- events.c ----------------------------------------------------------------------------------------------------- */

extern const struct db_role message_role;

/* How sending ended. reply: the mail server's; of it the event has the code alone ("550"). */
struct message_result { int64_t message_id, tries; const char *channel, *reply; };
/* message.sent, message.dead, message.resent: inside the transaction of the change. */
void message_report(struct db *db, enum event_type_id type, const struct message_result *result, int64_t actor_id);

/* --- policy.c ----------------------------------------------------------------------------------------------------- */

extern const struct consumer message_consumer;

#endif
