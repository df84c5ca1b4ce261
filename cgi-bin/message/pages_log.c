/* pages_log - the delivery log: the tries of each message, and sending it again. It shows titles, never the text. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

#include <ctype.h>

/* --- GET /messages/log -------------------------------------------------------------------------------------------- */

struct log_page {
	struct form_problems problems;
	struct field state, about;
	struct journal_row *messages;
	int n_messages;
	struct paging paging;
	bool has_rows, is_filtered;
};
static const struct member log_members[] = {
	SHAPE_STRUCT(log_page, problems, form_problems_shape), SHAPE_STRUCT(log_page, state, field_shape),
	SHAPE_STRUCT(log_page, about, field_shape), SHAPE_LIST(log_page, messages, journal_row_shape),
	SHAPE_STRUCT(log_page, paging, paging_shape), SHAPE_BOOL(log_page, has_rows), SHAPE_BOOL(log_page, is_filtered),
};
static const struct shape log_shape = SHAPE(log_page, log_members);
PAGE(log_html, "message/log", log_shape)

static const struct member log_json_members[] = {
	SHAPE_INT_AS(log_page, n_total, paging.n_total), SHAPE_INT_AS(log_page, page, paging.page),
	SHAPE_INT_AS(log_page, n_pages, paging.n_pages), SHAPE_LIST(log_page, messages, journal_row_shape),
};
static const struct shape log_json_shape = SHAPE(log_page, log_json_members);

/* Codes may be typed in lower case; other subjects (item:3) are in lower case. */
static const char *
about_asked(struct web *w)
{
	char *about = arena_strdup(w->m, form_has(w, "about") ? form_text(w, "about", 80) : "");

	if (about[0] && about[1] && about[2] == '-')
		for (char *s = about; *s; s++)
			*s = (char)toupper((unsigned char)*s);
	return about;
}

enum status
page_log(struct web *w)
{
	struct journal_query q = {
		.state = form_has(w, "state") ? form_choice(w, "state", &message_state_words) : -1,
		.about = about_asked(w),
		.limit = PER_PAGE,
	};
	struct log_page p = { .is_filtered = q.state >= 0 || *q.about };

	if (form_bad(w) && w->json)
		return web_invalid(w);
	p.paging = web_paging(w, journal_count(w->db, &q), PER_PAGE);
	q.offset = p.paging.offset;
	journal_list(w->db, &q, &p.messages, &p.n_messages);
	p.has_rows = p.n_messages > 0;
	p.state = form_field_choice(w, "state", &message_state_words, -1, _("Any"));
	p.about = form_field(w, "about", "");
	p.problems = form_problems(w, form_bad(w) ? _("Please look at the marked fields.") : NULL);
	message_page_begin(w);
	return web_answer(w, form_bad(w) ? HTTP_UNPROCESSABLE : HTTP_OK, &log_json_shape, &log_html, &p);
}

/* --- GET /messages/log/:message_id -------------------------------------------------------------------------------- */

struct entry_page {
	struct journal_row message;
	struct journal_try *tries;
	int n_tries;
	struct form_problems problems;
	bool has_tries;
};
static const struct member entry_members[] = {
	SHAPE_STRUCT(entry_page, message, journal_row_shape), SHAPE_LIST(entry_page, tries, journal_try_shape),
	SHAPE_STRUCT(entry_page, problems, form_problems_shape), SHAPE_BOOL(entry_page, has_tries),
};
static const struct shape entry_shape = SHAPE(entry_page, entry_members);
PAGE(entry_html, "message/log_entry", entry_shape)

static const struct member entry_json_members[] = {
	SHAPE_STRUCT(entry_page, message, journal_row_shape), SHAPE_LIST(entry_page, tries, journal_try_shape),
};
static const struct shape entry_json_shape = SHAPE(entry_page, entry_json_members);

/* form: the message's id. */
static enum status
show_entry(struct web *w, const void *form, enum status status, const char *message)
{
	struct entry_page p = { .problems = form_problems(w, message) };

	if (!journal_find(w->db, *(const int64_t *)form, &p.message))
		return web_not_found(w);
	p.n_tries = journal_tries(w->db, p.message.message_id, &p.tries);
	p.has_tries = p.n_tries > 0;
	message_page_begin(w);
	return web_answer(w, status, &entry_json_shape, &entry_html, &p);
}

enum status
page_log_entry(struct web *w)
{
	int64_t message_id = web_param_id(w, "message_id");

	return show_entry(w, &message_id, HTTP_OK, NULL);
}

/* --- POST /messages/:message_id/resend ---------------------------------------------------------------------------- */

enum status
do_resend(struct web *w)
{
	int64_t message_id = web_param_id(w, "message_id");

	if (form_bad(w))
		return web_invalid(w);
	web_form(w, show_entry, &message_id);
	switch (message_resend(w->db, message_id, w->user.id)) {
	case RESEND_DONE:
		if (w->json)
			return show_entry(w, &message_id, HTTP_OK, NULL);
		return web_redirect(w, "/messages/log/%lld?done=again", (long long)message_id);
	case RESEND_UNDER_WAY: return web_refuse(w, HTTP_CONFLICT, "wrong_state", _("It is already being sent."));
	case RESEND_NO_MAIL:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state", _("There is no email address to send it to."));
	case RESEND_NO_MESSAGE: return web_not_found(w);
	}
	return web_broken(w);
}
