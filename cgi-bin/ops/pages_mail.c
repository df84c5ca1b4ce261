/* pages_mail - the mail folder: what was "mailed" here, where no mail server is configured. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <string.h>

struct mail_page {
	struct ops_letter *letters;
	int n_letters;
	struct paging paging;
	int64_t n_total, page, n_pages;
	bool has_rows, has_server;
};
static const struct member mail_members[] = {
	SHAPE_LIST(mail_page, letters, ops_letter_shape), SHAPE_STRUCT(mail_page, paging, paging_shape), SHAPE_BOOL(mail_page, has_rows),
	SHAPE_BOOL(mail_page, has_server),
};
static const struct shape mail_shape = SHAPE(mail_page, mail_members);
PAGE(mail_template, "ops/mail", mail_shape)

static const struct member mail_json_members[] = {
	SHAPE_INT(mail_page, n_total), SHAPE_INT(mail_page, page), SHAPE_INT(mail_page, n_pages), SHAPE_LIST(mail_page, letters, ops_letter_shape),
};
static const struct shape mail_json_shape = SHAPE(mail_page, mail_json_members);

enum status
page_mail(struct web *w)
{
	struct mail_page p = { .has_server = *settings.mail_url != '\0' };
	int64_t *numbers;

	p.n_total = ops_letters(w->m, &numbers);
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	p.letters = arena_array(w->m, struct ops_letter, PER_PAGE);
	for (int64_t i = p.paging.offset; i < p.n_total && i < p.paging.offset + PER_PAGE; i++)
		p.n_letters += ops_letter(w->m, numbers[i], &p.letters[p.n_letters]);
	if (w->json)
		return web_json(w, HTTP_OK, &mail_json_shape, &p);
	p.has_rows = p.n_letters > 0;
	menu_of(w)->nav_ops = true;
	return web_page(w, HTTP_OK, &mail_template, &p);
}

/* --- GET /ops/mail/:message_id ----------------------------------------------------------------------------------------------- */

struct letter_line { const char *text; };
struct letter_page {
	struct ops_letter letter;
	struct letter_line *lines;
	int n_lines;
};
static const struct member letter_line_members[] = { SHAPE_TEXT(letter_line, text) };
static const struct shape letter_line_shape = SHAPE(letter_line, letter_line_members);
static const struct member letter_members[] = {
	SHAPE_STRUCT(letter_page, letter, ops_letter_shape), SHAPE_LIST(letter_page, lines, letter_line_shape),
};
static const struct shape letter_shape = SHAPE(letter_page, letter_members);
PAGE(letter_template, "ops/letter", letter_shape)

/* As it is: each line a line. */
static void
split(struct web *w, struct letter_page *p)
{
	char *rest = arena_strdup(w->m, p->letter.body), *line;
	int most = 1;

	for (const char *s = rest; *s; s++)
		most += *s == '\n';
	p->lines = arena_array(w->m, struct letter_line, most);
	while ((line = strsep(&rest, "\n")))
		p->lines[p->n_lines++].text = line;
}

enum status
page_letter(struct web *w)
{
	struct letter_page p = { .n_lines = 0 };

	if (!ops_letter(w->m, web_param_id(w, "message_id"), &p.letter))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, &ops_letter_shape, &p.letter);
	split(w, &p);
	menu_of(w)->nav_ops = true;
	return web_page(w, HTTP_OK, &letter_template, &p);
}
