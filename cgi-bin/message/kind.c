/*
 * kind.c - what there is to tell: one row a message, and a template of the same name in templates/message/.
 *
 * Not told, because another message says it already: booking.cancel_requested while the refund takes its usual moment (remind.c tells
 * when it takes longer), booking.extra_ended (delivery_cancelled, equipment_rejected and equipment_cancelled say why, extra_refunded
 * says that the money is back), delivery.requested (booking_confirmed has address and window), booking.returned (booking_completed),
 * what a courier's hand-over record says better, and what rules approve at once.
 */
#include "message.h"

#include "lib/base/folder.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/tpl/tpl.h"

#include <string.h>

/* --- when it is worth a message ----------------------------------------------------------------------------------------- */

/* A payment that came too late for its booking: every other refund has a message of its own. */
static bool
is_late_charge(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return t->refunded_amount > 0 && strcmp(t->state, "EXPIRED") == 0;
}

/* A courier's record tells the same, and more. */
static bool
is_at_the_counter(struct db *db, const char *code, const char *direction)
{
	return !db_exists(db, "SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = $2 AND state = 'DELIVERED'", code, direction);
}

static bool
was_fetched(struct db *db, const struct event *e, const struct facts *t)
{
	(void)t;
	return is_at_the_counter(db, e->subject_id, "delivery");
}

static bool
was_brought_back(struct db *db, const struct event *e, const struct facts *t)
{
	(void)t;
	return is_at_the_counter(db, e->subject_id, "collection");
}

static bool
is_by_dispatcher(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->by, "dispatcher") == 0;
}

static bool
is_by_manager(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return strcmp(t->by, "manager") == 0;
}

/* A person had to decide, and the customer has been waiting for it. */
static bool
was_awaited(struct db *db, const struct event *e, const struct facts *t)
{
	return !*t->code || db_exists(db, "SELECT 1 FROM v_event WHERE subject_id = $1 AND type = 'review.assigned' AND event_id < $2",
	                              e->subject_id, e->event_id);
}

static bool
is_alone_or_lacks(struct db *db, const struct event *e, const struct facts *t)
{
	(void)db;
	(void)e;
	return !*t->code || t->lost > 0;
}

/* --- all there is --------------------------------------------------------------------------------------------------------- */

/* The words are for the delivery log; what the recipient reads stands in the template. */
#define KINDS \
	KIND("booking_confirmed",   "booking.confirmed",      TOPIC_BOOKING,   TELL_CUSTOMER,  NULL,              N_("Booking confirmed")) \
	KIND("booking_cancelling",  NULL,                     TOPIC_BOOKING,   TELL_CUSTOMER,  NULL,              N_("Refund delayed")) \
	KIND("booking_cancelled",   "booking.cancelled",      TOPIC_BOOKING,   TELL_CUSTOMER,  NULL,              N_("Booking cancelled")) \
	KIND("booking_rejected",    "booking.rejected",       TOPIC_BOOKING,   TELL_CUSTOMER,  NULL,              N_("Booking rejected")) \
	KIND("booking_refunded",    "booking.refunded",       TOPIC_REFUND,    TELL_CUSTOMER,  NULL,              N_("Booking refunded")) \
	KIND("booking_no_show",     "booking.no_show",        TOPIC_BOOKING,   TELL_CUSTOMER,  NULL,              N_("Car not picked up")) \
	KIND("booking_handed_out",  "booking.handed_out",     TOPIC_BOOKING,   TELL_CUSTOMER,  was_fetched,       N_("Car handed over")) \
	KIND("booking_completed",   "booking.completed",      TOPIC_BOOKING,   TELL_CUSTOMER,  was_brought_back,  N_("Booking completed")) \
	KIND("payment_cancelled",   "payment.cancelled",      TOPIC_REFUND,    TELL_CUSTOMER,  is_late_charge,    N_("Payment refunded")) \
	KIND("extra_refunded",      "booking.extra_refunded", TOPIC_REFUND,    TELL_CUSTOMER,  NULL,              N_("Extra refunded")) \
	KIND("delivery_scheduled",  "delivery.scheduled",     TOPIC_DELIVERY,  TELL_CUSTOMER,  NULL,              N_("Delivery scheduled")) \
	KIND("delivery_shipped",    "delivery.shipped",       TOPIC_DELIVERY,  TELL_CUSTOMER,  NULL,              N_("Courier on the way")) \
	KIND("delivery_delivered",  "delivery.delivered",     TOPIC_DELIVERY,  TELL_CUSTOMER,  NULL,              N_("Delivery or collection completed")) \
	KIND("delivery_cancelled",  "delivery.cancelled",     TOPIC_DELIVERY,  TELL_CUSTOMER,  is_by_dispatcher,  N_("Delivery cancelled")) \
	KIND("equipment_approved",  "equipment.approved",     TOPIC_EQUIPMENT, TELL_CUSTOMER,  was_awaited,       N_("Equipment approved")) \
	KIND("equipment_rejected",  "equipment.rejected",     TOPIC_EQUIPMENT, TELL_CUSTOMER,  NULL,              N_("Equipment rejected")) \
	KIND("equipment_cancelled", "equipment.cancelled",    TOPIC_EQUIPMENT, TELL_CUSTOMER,  is_by_manager,     N_("Equipment cancelled")) \
	KIND("equipment_returned",  "equipment.returned",     TOPIC_EQUIPMENT, TELL_CUSTOMER,  is_alone_or_lacks, N_("Equipment returned")) \
	KIND("review_assigned",     "review.assigned",        TOPIC_WORK,      TELL_REVIEWERS, NULL,              N_("Approval needed")) \
	KIND("stock_low",           "stock.low",              TOPIC_WORK,      TELL_MANAGERS,  NULL,              N_("Stock is low")) \
	KIND("remind_pickup",       NULL,                     TOPIC_REMINDER,  TELL_CUSTOMER,  NULL,              N_("Pick-up reminder")) \
	KIND("remind_return",       NULL,                     TOPIC_REMINDER,  TELL_CUSTOMER,  NULL,              N_("Return reminder")) \
	KIND("remind_overdue",      NULL,                     TOPIC_REMINDER,  TELL_CUSTOMER,  NULL,              N_("Car overdue"))

#define KIND(kind_, event_, topic_, who_, is_worth_, label_) { kind_, event_, topic_, who_, is_worth_ },
const struct message_kind message_kinds[] = { KINDS };
#undef KIND
#define KIND(kind_, event_, topic_, who_, is_worth_, label_) { kind_, label_ },
static const struct word kind_word[] = { KINDS };
#undef KIND
const struct words message_kind_words = WORDS(kind_word);

#define N_KINDS ((int)(sizeof(kind_word) / sizeof(kind_word[0])))

static const struct word topic_word[] = {
	[TOPIC_BOOKING]   = { "booking",   N_("Bookings") },
	[TOPIC_REFUND]    = { "refund",    N_("Refunds") },
	[TOPIC_DELIVERY]  = { "delivery",  N_("Delivery and collection") },
	[TOPIC_EQUIPMENT] = { "equipment", N_("Equipment") },
	[TOPIC_REMINDER]  = { "reminder",  N_("Reminders") },
	[TOPIC_WORK]      = { "work",      N_("Tasks") },
};
const struct words topic_words = WORDS(topic_word);

int
message_kind_find(const char *kind)
{
	return words_find(&message_kind_words, kind);
}

/* --- their words ------------------------------------------------------------------------------------------------------------ */

static struct page texts[N_KINDS];
static bool is_open;

bool
message_texts_open(void)
{
	struct arena *m;
	const char *root;

	if (is_open)
		return true;
	m = arena_new(1 << 20);
	root = folder_root(m);
	if (!lang_open(folder_locale(m, root)))
		return log_error("start", "the catalogues of the messages' languages cannot be opened"), false;
	for (int i = 0; i < N_KINDS; i++)
		texts[i] = (struct page){ .file = arena_printf(m, "message/%s", message_kinds[i].kind), .shape = &message_facts_shape };
	is_open = tpl_compile_texts(arena_printf(m, "%s/templates", root), texts, N_KINDS) && post_open(arena_printf(m, "%s/templates", root));
	if (!is_open)
		log_error("start", "the messages' templates cannot be used");
	return is_open;
}

/* The first line is the title; blank lines are at most one in a row, and none at the ends. */
static struct message_text
cut(struct arena *m, const char *s)
{
	const char *end;
	struct buf body = { .m = m };
	struct message_text text;
	int n_ends = 2;

	s += strspn(s, " \n");
	end = s + strcspn(s, "\n");
	text.title = arena_strndup(m, s, (size_t)(end - s));
	buf_puts(&body, "");
	for (s = end; *s; s++) {
		n_ends = *s == '\n' ? n_ends + 1 : 0;
		if (n_ends <= 2)
			buf_put(&body, s, 1);
	}
	while (body.n && body.s[body.n - 1] == '\n')
		body.s[--body.n] = '\0';
	text.body = body.s;
	return text;
}

struct message_text
message_render(struct arena *m, int kind, int lang, const struct facts *t)
{
	struct buf b = { .m = m };

	tpl_render(texts[kind].tpl[lang], &b, NULL, t);
	return cut(m, b.s);
}
