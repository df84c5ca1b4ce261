/* texts - the templates of messages and of the mail's frame. */
#include "message.h"

#include "lib/base/folder.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/tpl/tpl.h"

#include <string.h>

static const struct member mail_frame_members[] = {
	SHAPE_TEXT(mail_frame, name), SHAPE_TEXT(mail_frame, body), SHAPE_TEXT(mail_frame, url),
	SHAPE_TEXT(mail_frame, preferences_url), SHAPE_TEXT(mail_frame, zone), SHAPE_BOOL(mail_frame, is_sandbox),
	SHAPE_BOOL(mail_frame, is_link),
};
static const struct shape mail_frame_shape = SHAPE(mail_frame, mail_frame_members);

static struct page *texts, mail_frame = { .file = "message/mail", .shape = &mail_frame_shape };
static bool is_open;

bool
message_texts_open(void)
{
	struct arena *m;
	const char *root, *templates;

	if (is_open)
		return true;
	m = arena_new(1 << 20);
	root = folder_root(m);
	if (!lang_open(folder_locale(m, root)))
		return log_error("start", "cannot open the catalogues of the languages of messages"), false;
	texts = arena_array(m, struct page, message_kind_words.n);
	for (int i = 0; i < message_kind_words.n; i++)
		texts[i] = (struct page){ .file = arena_printf(m, "message/%s", message_kinds[i].kind),
			.shape = &message_facts_shape };
	templates = arena_printf(m, "%s/templates", root);
	is_open = tpl_compile_texts(templates, texts, message_kind_words.n)
		&& tpl_compile_texts(templates, &mail_frame, 1);
	if (!is_open)
		log_error("start", "cannot use the templates of messages");
	return is_open;
}

/* The first line is the title. At most one blank line in a row, and none at the ends. */
static struct message_text
split_text(struct arena *m, const char *s)
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
	return split_text(m, b.s);
}

const char *
mail_frame_render(struct arena *m, const char *lang, const struct mail_frame *f)
{
	int i = lang_find(lang);
	struct buf b = { .m = m };

	tpl_render(mail_frame.tpl[i < 0 ? LANG_EN : i], &b, NULL, f);
	return b.s;
}
