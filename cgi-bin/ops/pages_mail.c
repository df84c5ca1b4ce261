/* pages_mail - the mail folder: the mails that were written to files, because no mail server is configured. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <string.h>

struct mail_page {
	struct ops_mail *letters;
	int n_letters;
	struct paging paging;
	bool has_rows, has_server;
};
static const struct member mail_members[] = {
	SHAPE_LIST(mail_page, letters, ops_mail_shape), SHAPE_STRUCT(mail_page, paging, paging_shape),
	SHAPE_BOOL(mail_page, has_rows), SHAPE_BOOL(mail_page, has_server),
};
static const struct shape mail_shape = SHAPE(mail_page, mail_members);
PAGE(mail_template, "ops/mail", mail_shape)

static const struct member mail_json_members[] = {
	SHAPE_INT_AS(mail_page, n_total, paging.n_total), SHAPE_INT_AS(mail_page, page, paging.page),
	SHAPE_INT_AS(mail_page, n_pages, paging.n_pages), SHAPE_LIST(mail_page, letters, ops_mail_shape),
};
static const struct shape mail_json_shape = SHAPE(mail_page, mail_json_members);

enum status
page_ops_mails(struct web *w)
{
	struct mail_page p = { .has_server = *settings.mail_url != '\0' };
	int64_t *message_ids, n = ops_mails(w->m, &message_ids);

	p.paging = web_paging(w, n, PER_PAGE);
	p.letters = arena_array(w->m, struct ops_mail, PER_PAGE);
	for (int64_t i = p.paging.offset; i < n && i < p.paging.offset + PER_PAGE; i++)
		p.n_letters += ops_mail(w->m, message_ids[i], &p.letters[p.n_letters]);
	p.has_rows = p.n_letters > 0;
	menu_of(w)->nav_ops = true;
	return web_answer(w, HTTP_OK, &mail_json_shape, &mail_template, &p);
}

/* --- GET /ops/mail/:message_id ------------------------------------------------------------------------------------ */

struct mail_line { const char *text; };
struct ops_mail_page {
	struct ops_mail letter;
	struct mail_line *lines;
	int n_lines;
};
static const struct member mail_line_members[] = { SHAPE_TEXT(mail_line, text) };
static const struct shape mail_line_shape = SHAPE(mail_line, mail_line_members);
static const struct member ops_mail_page_members[] = {
	SHAPE_STRUCT(ops_mail_page, letter, ops_mail_shape), SHAPE_LIST(ops_mail_page, lines, mail_line_shape),
};
static const struct shape ops_mail_page_shape = SHAPE(ops_mail_page, ops_mail_page_members);
PAGE(letter_template, "ops/letter", ops_mail_page_shape)

static void
fill_mail_lines(struct web *w, struct ops_mail_page *p)
{
	char *rest = arena_strdup(w->m, p->letter.body), *line;
	int most = 1;

	for (const char *s = rest; *s; s++)
		most += *s == '\n';
	p->lines = arena_array(w->m, struct mail_line, most);
	while ((line = strsep(&rest, "\n")))
		p->lines[p->n_lines++].text = line;
}

enum status
page_ops_mail(struct web *w)
{
	struct ops_mail_page p = { .n_lines = 0 };

	if (!ops_mail(w->m, web_param_id(w, "message_id"), &p.letter))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, &ops_mail_shape, &p.letter);
	fill_mail_lines(w, &p);
	menu_of(w)->nav_ops = true;
	return web_page(w, HTTP_OK, &letter_template, &p);
}
