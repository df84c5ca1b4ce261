/* pages - message 메시지: one's own inbox, one message, and what one wants to hear of by which way. */
#include "pages.h"

#include "domain/counts.h"
#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member text_line_members[] = { SHAPE_TEXT(text_line, text) };
static const struct shape text_line_shape = SHAPE(text_line, text_line_members);
static const struct member paragraph_members[] = { SHAPE_LIST(paragraph, lines, text_line_shape) };
const struct shape paragraph_shape = SHAPE(paragraph, paragraph_members);

static int
count(const char *text, const char *what)
{
	int n = 1;

	for (const char *s = text; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

int
paragraphs(struct web *w, const char *text, struct paragraph **list)
{
	char *rest = arena_strdup(w->m, text), *line;
	int most = count(text, "\n"), n = 0;
	struct text_line *lines = arena_array(w->m, struct text_line, most);

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

/* --- GET /messages ------------------------------------------------------------------------------------------------------- */

struct inbox_page {
	struct message *messages;
	int n_messages;
	struct paging paging;
	int64_t n_total, n_unread, page, n_pages;
	bool has_rows, only_unread, has_read_all;
};
static const struct member inbox_members[] = {
	SHAPE_LIST(inbox_page, messages, message_shape), SHAPE_STRUCT(inbox_page, paging, paging_shape), SHAPE_INT(inbox_page, n_total),
	SHAPE_INT(inbox_page, n_unread), SHAPE_BOOL(inbox_page, has_rows), SHAPE_BOOL(inbox_page, only_unread),
};
static const struct shape inbox_shape = SHAPE(inbox_page, inbox_members);
PAGE(inbox_html, "message/inbox", inbox_shape)

/* What programs are told of one: all but how it was sent, which is the delivery log's. */
static const struct member message_json_members[] = {
	SHAPE_INT(message, message_id), SHAPE_STATE(message, kind, message_kind_words), SHAPE_TEXT(message, subject_id),
	SHAPE_TEXT(message, lang), SHAPE_TEXT(message, title), SHAPE_TEXT(message, body), SHAPE_TEXT(message, link),
	SHAPE_BOOL(message, is_unread), SHAPE_TIME(message, created_at), SHAPE_TIME(message, read_at),
};
static const struct shape message_json_shape = SHAPE(message, message_json_members);
static const struct member inbox_json_members[] = {
	SHAPE_INT(inbox_page, n_total), SHAPE_INT(inbox_page, n_unread), SHAPE_INT(inbox_page, page), SHAPE_INT(inbox_page, n_pages),
	SHAPE_LIST(inbox_page, messages, message_json_shape),
};
static const struct shape inbox_json_shape = SHAPE(inbox_page, inbox_json_members);

enum status
page_messages(struct web *w)
{
	struct inbox n = message_count(w->db, w->user.id);
	struct inbox_page p = {
		.n_total = n.n_total, .n_unread = n.n_unread,
		.only_unread = form_has(w, "unread") && form_int(w, "unread", 0, 1) == 1,
		.has_read_all = form_has(w, "read") && form_int(w, "read", 0, 1) == 1,
	};

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	p.paging = web_paging(w, p.only_unread ? n.n_unread : n.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	message_list(w->db, w->user.id, p.only_unread, p.paging.offset, PER_PAGE, &p.messages, &p.n_messages);
	if (w->json)
		return web_json(w, HTTP_OK, &inbox_json_shape, &p);
	p.has_rows = p.n_messages > 0;
	if (p.has_read_all)
		w->chrome.notice = _("All messages are marked as read.");
	menu_of(w)->nav_messages = true;
	return web_page(w, HTTP_OK, &inbox_html, &p);
}

/* --- GET /messages/:message_id -------------------------------------------------------------------------------------------- */

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
	menu_of(w)->nav_messages = true;
	return web_page(w, HTTP_OK, &message_html, &p);
}

/* --- POST /messages/:message_id/read, /messages/read ------------------------------------------------------------------------- */

/* Opening a message from the list comes this way, since a GET writes nothing. */
enum status
do_read(struct web *w)
{
	int64_t message_id = web_param_id(w, "message_id");
	struct message msg;

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	if (!message_read(w->db, w->user.id, message_id))
		return web_not_found(w);
	counts_forget(w);
	if (w->json && message_find(w->db, w->user.id, message_id, &msg))
		return web_json(w, HTTP_OK, &message_json_shape, &msg);
	return web_redirect(w, "/messages/%lld", (long long)message_id);
}

enum status
do_read_all(struct web *w)
{
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	message_read_all(w->db, w->user.id);
	counts_forget(w);
	if (w->json)
		return web_json_text(w, HTTP_OK, "{\"n_unread\":0}");
	return web_redirect(w, "/messages?read=1");
}

/* --- /messages/preferences ------------------------------------------------------------------------------------------------- */

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

/* Work to do is no business of customers. */
static bool
concerns(const struct web *w, int topic)
{
	return topic != TOPIC_WORK || web_is(w, ROLE_MANAGER | ROLE_EXAMINER);
}

static enum status
show_preferences(struct web *w)
{
	struct preferences_page p = { .topics = arena_array(w->m, struct preference, N_TOPICS), .email = w->user.email };

	for (int i = 0; i < N_TOPICS; i++)
		if (concerns(w, i))
			p.topics[p.n_topics++] = preference_of(w->db, w->user.id, i);
	if (w->json)
		return web_json(w, HTTP_OK, &preferences_shape, &p);
	menu_of(w)->nav_messages = true;
	return web_page(w, HTTP_OK, &preferences_html, &p);
}

enum status
page_preferences(struct web *w)
{
	if (form_has(w, "saved") && form_int(w, "saved", 0, 1) == 1)
		w->chrome.notice = _("Your notification settings have been saved.");
	return show_preferences(w);
}

/* A box for each topic and way: booking_inbox, booking_email … What is not ticked is not wanted. */
enum status
do_preferences(struct web *w)
{
	struct preference p[N_TOPICS];

	for (int i = 0; i < N_TOPICS; i++) {
		const char *topic = words_code(&topic_words, i);

		if (!concerns(w, i))
			continue;
		p[i] = (struct preference){
			.topic = i, .inbox = form_tick(w, arena_printf(w->m, "%s_inbox", topic)), .email = form_tick(w, arena_printf(w->m, "%s_email", topic)),
		};
	}
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	for (int i = 0; i < N_TOPICS; i++)
		if (concerns(w, i))
			preference_set(w->db, w->user.id, &p[i]);
	return w->json ? show_preferences(w) : web_redirect(w, "/messages/preferences?saved=1");
}
