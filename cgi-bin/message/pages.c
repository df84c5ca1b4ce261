/* pages - message 메시지: a person's inbox, one message, and the notification settings. */
#include "pages.h"

#include "domain/counts.h"
#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member text_line_members[] = { SHAPE_TEXT(text_line, text) };
static const struct shape text_line_shape = SHAPE(text_line, text_line_members);
static const struct member paragraph_members[] = { SHAPE_LIST(paragraph, lines, text_line_shape) };
const struct shape paragraph_shape = SHAPE(paragraph, paragraph_members);

int
paragraphs(struct web *w, const char *text, struct paragraph **list)
{
	char *rest = arena_strdup(w->m, text), *line;
	int most = 1, n = 0;
	struct text_line *lines;

	for (const char *c = text; *c; c++)
		most += *c == '\n';
	lines = arena_array(w->m, struct text_line, most);
	*list = arena_array(w->m, struct paragraph, most);
	(*list)[0].lines = lines;
	while ((line = strsep(&rest, "\n"))) {
		if (*line) {
			*lines++ = (struct text_line){ line };
			(*list)[n].n_lines++;
		} else if ((*list)[n].n_lines) {
			(*list)[++n].lines = lines;
		}
	}
	return n + ((*list)[n].n_lines > 0);
}

static const struct word done_word[] = {
	{ "read",  N_("All messages are marked as read.") },
	{ "saved", N_("Your notification settings have been saved.") },
	{ "again", N_("It will be sent again in a moment.") },
};
static const struct words message_done_words = WORDS(done_word);

void
message_page_begin(struct web *w)
{
	menu_of(w)->nav_messages = true;
	web_notice(w, &message_done_words);
}

/* --- GET /messages ------------------------------------------------------------------------------------------------ */

struct inbox_page {
	struct message *messages;
	int n_messages;
	struct paging paging;
	int64_t n_total, n_unread;
	bool has_rows, only_unread;
};
static const struct member inbox_members[] = {
	SHAPE_LIST(inbox_page, messages, message_shape), SHAPE_STRUCT(inbox_page, paging, paging_shape),
	SHAPE_INT(inbox_page, n_total), SHAPE_INT(inbox_page, n_unread), SHAPE_BOOL(inbox_page, has_rows),
	SHAPE_BOOL(inbox_page, only_unread),
};
static const struct shape inbox_shape = SHAPE(inbox_page, inbox_members);
PAGE(inbox_html, "message/inbox", inbox_shape)

/* As JSON: without how it was sent, which is in the delivery log. */
static const struct member message_json_members[] = {
	SHAPE_INT(message, message_id), SHAPE_STATE(message, kind, message_kind_words), SHAPE_TEXT(message, subject_id),
	SHAPE_TEXT(message, lang), SHAPE_TEXT(message, title), SHAPE_TEXT(message, body), SHAPE_TEXT(message, link),
	SHAPE_BOOL(message, is_unread), SHAPE_TIME(message, created_at), SHAPE_TIME(message, read_at),
};
static const struct shape message_json_shape = SHAPE(message, message_json_members);
static const struct member inbox_json_members[] = {
	SHAPE_INT(inbox_page, n_total), SHAPE_INT(inbox_page, n_unread), SHAPE_INT_AS(inbox_page, page, paging.page),
	SHAPE_INT_AS(inbox_page, n_pages, paging.n_pages),
	SHAPE_LIST(inbox_page, messages, message_json_shape),
};
static const struct shape inbox_json_shape = SHAPE(inbox_page, inbox_json_members);

enum status
page_messages(struct web *w)
{
	struct inbox n = message_count(w->db, w->user.id);
	struct inbox_page p = {
		.n_total = n.n_total,
		.n_unread = n.n_unread,
		.only_unread = form_has(w, "unread") && form_int(w, "unread", 0, 1) == 1,
	};

	if (form_bad(w))
		return web_invalid(w);
	p.paging = web_paging(w, p.only_unread ? n.n_unread : n.n_total, PER_PAGE);
	message_list(w->db, w->user.id, p.only_unread, p.paging.offset, PER_PAGE, &p.messages, &p.n_messages);
	p.has_rows = p.n_messages > 0;
	message_page_begin(w);
	return web_answer(w, HTTP_OK, &inbox_json_shape, &inbox_html, &p);
}

/* --- GET /messages/:message_id ------------------------------------------------------------------------------------ */

struct message_page {
	struct message message;
	struct paragraph *paragraphs;
	int n_paragraphs;
};
static const struct member message_page_members[] = {
	SHAPE_STRUCT(message_page, message, message_shape), SHAPE_LIST(message_page, paragraphs, paragraph_shape),
};
static const struct shape message_page_shape = SHAPE(message_page, message_page_members);
PAGE(message_html, "message/message", message_page_shape)

enum status
page_message(struct web *w)
{
	struct message_page p = { .n_paragraphs = 0 };

	if (!message_find(w->db, w->user.id, web_param_id(w, "message_id"), &p.message))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, &message_json_shape, &p.message);
	p.n_paragraphs = paragraphs(w, p.message.body, &p.paragraphs);
	message_page_begin(w);
	return web_page(w, HTTP_OK, &message_html, &p);
}

/* --- POST /messages/:message_id/read, /messages/read -------------------------------------------------------------- */

/* The list opens an unread message this way, since a GET writes nothing. */
enum status
do_read(struct web *w)
{
	int64_t message_id = web_param_id(w, "message_id");
	struct message msg;

	if (form_bad(w))
		return web_invalid(w);
	if (!message_read(w->db, w->user.id, message_id))
		return web_not_found(w);
	counts_forget(w);
	message_find(w->db, w->user.id, message_id, &msg);
	return web_done(w, HTTP_OK, &message_json_shape, &msg, "/messages/%lld", (long long)message_id);
}

enum status
do_read_all(struct web *w)
{
	if (form_bad(w))
		return web_invalid(w);
	message_read_all(w->db, w->user.id);
	counts_forget(w);
	if (w->json)
		return web_json_text(w, HTTP_OK, "{\"n_unread\":0}");
	return web_redirect(w, "/messages?done=read");
}

/* --- /messages/preferences ---------------------------------------------------------------------------------------- */

struct preferences_page {
	struct preference *topics;
	int n_topics;
	const char *email;
};
static const struct member preferences_members[] = {
	SHAPE_LIST(preferences_page, topics, preference_shape), SHAPE_TEXT(preferences_page, email),
};
static const struct shape preferences_shape = SHAPE(preferences_page, preferences_members);
PAGE(preferences_html, "message/preferences", preferences_shape)

/* Tasks are for staff only. */
static bool
has_topic(const struct web *w, int topic)
{
	return topic != TOPIC_WORK || web_is(w, ROLE_MANAGER | ROLE_EXAMINER);
}

static enum status
show_preferences(struct web *w)
{
	struct preferences_page p = { .topics = arena_array(w->m, struct preference, N_TOPICS),
		.email = w->user.email };

	for (int i = 0; i < N_TOPICS; i++)
		if (has_topic(w, i))
			p.topics[p.n_topics++] = preference_of(w->db, w->user.id, i);
	message_page_begin(w);
	return web_answer(w, HTTP_OK, &preferences_shape, &preferences_html, &p);
}

enum status
page_preferences(struct web *w)
{
	return show_preferences(w);
}

/* A box for each topic and way: booking_inbox, booking_email … */
enum status
do_preferences(struct web *w)
{
	struct preference p[N_TOPICS];

	for (int i = 0; i < N_TOPICS; i++) {
		const char *topic = words_code(&topic_words, i);

		if (!has_topic(w, i))
			continue;
		p[i] = (struct preference){
			.topic = i,
			.inbox = form_tick(w, arena_printf(w->m, "%s_inbox", topic)),
			.email = form_tick(w, arena_printf(w->m, "%s_email", topic)),
		};
	}
	if (form_bad(w))
		return web_invalid(w);
	for (int i = 0; i < N_TOPICS; i++)
		if (has_topic(w, i))
			preference_set(w->db, w->user.id, &p[i]);
	return w->json ? show_preferences(w) : web_redirect(w, "/messages/preferences?done=saved");
}
