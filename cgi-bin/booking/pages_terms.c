/* pages_terms - 약관: the firm's documents for everyone, and the form in which an admin publishes their next version. */
#include "booking.h"
#include "pages.h"
#include "terms.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/utf8.h"
#include "lib/web/form.h"

/* --- a document --------------------------------------------------------------------------------------------------- */

struct document_page {
	struct terms_version doc;
	struct terms_block *blocks;
	int n_blocks;
	struct terms_version *versions;
	int n_versions;
	int64_t in_force, next_version, next_from;      /* next: it is published, and applies later; 0: none */
	bool is_old, is_later, has_versions;
};
static const struct member document_page_members[] = {
	SHAPE_STRUCT(document_page, doc, terms_version_shape), SHAPE_LIST(document_page, blocks, terms_block_shape),
	SHAPE_LIST(document_page, versions, terms_version_shape), SHAPE_INT(document_page, in_force),
	SHAPE_INT(document_page, next_version), SHAPE_TIME(document_page, next_from),
	SHAPE_BOOL(document_page, is_old), SHAPE_BOOL(document_page, is_later),
	SHAPE_BOOL(document_page, has_versions),
};
static const struct shape document_page_shape = SHAPE(document_page, document_page_members);
PAGE(document_shown, "booking/document", document_page_shape)

/* For programs: without the name of who published it. */
struct document_json {
	int kind;
	int64_t version, version_in_force, published_at, valid_from;
	const char *text, *text_ko;
	struct terms_version *versions;
	int n_versions;
};
static const struct member listed_version_members[] = {
	SHAPE_INT(terms_version, version), SHAPE_TIME(terms_version, published_at),
	SHAPE_TIME(terms_version, valid_from),
};
static const struct shape listed_version_shape = SHAPE(terms_version, listed_version_members);
static const struct member document_json_members[] = {
	SHAPE_STATE(document_json, kind, terms_kind_words), SHAPE_INT(document_json, version),
	SHAPE_INT(document_json, version_in_force), SHAPE_TIME(document_json, published_at),
	SHAPE_TIME(document_json, valid_from), SHAPE_TEXT_KO(document_json, text),
	SHAPE_LIST(document_json, versions, listed_version_shape),
};
static const struct shape document_json_shape = SHAPE(document_json, document_json_members);

static struct document_json
document_json(struct web *w, const struct terms_version *v)
{
	struct document_json d = {
		.kind = v->kind,
		.version = v->version,
		.version_in_force = terms_in_force(w->db, (enum terms_kind)v->kind, w->now),
		.published_at = v->published_at,
		.valid_from = v->valid_from,
		.text = v->text,
		.text_ko = v->text_ko,
	};

	d.n_versions = terms_list(w->db, (enum terms_kind)v->kind, &d.versions);
	return d;
}

/* The version that replaces the one in force at a time that has been published: the first to apply, and of several at
 * that time the newest. */
static void
find_next(struct document_page *p)
{
	for (int i = 0; i < p->n_versions; i++) {
		const struct terms_version *v = &p->versions[i];

		if (v->version > p->in_force && (!p->next_version || v->valid_from < p->next_from)) {
			p->next_version = v->version;
			p->next_from = v->valid_from;
		}
	}
}

static const struct word done_word[] = { { "published", N_("The new version has been published.") } };
static const struct words done_words = WORDS(done_word);

static enum status
show_document(struct web *w, enum terms_kind kind)
{
	struct document_page p = { .in_force = terms_in_force(w->db, kind, w->now) };
	int64_t version = form_has(w, "version") ? form_int(w, "version", 1, INT64_MAX / 2) : p.in_force;

	if (!terms_find(w->db, kind, version, &p.doc))
		return web_not_found(w);
	if (w->json) {
		struct document_json d = document_json(w, &p.doc);

		return web_json(w, HTTP_OK, &document_json_shape, &d);
	}
	p.n_versions = terms_list(w->db, kind, &p.versions);
	p.has_versions = p.n_versions > 1;
	find_next(&p);
	p.is_old = version != p.in_force && p.doc.valid_from <= w->now;
	p.is_later = p.doc.valid_from > w->now;
	p.n_blocks = terms_text_blocks(w->m, lang_pick(lang_now(), p.doc.text, p.doc.text_ko), &p.blocks);
	web_notice(w, &done_words);
	return web_page(w, HTTP_OK, &document_shown, &p);
}

/* GET /terms ?version - the one in force, or an older or later one. */
enum status
page_terms(struct web *w)
{
	return show_document(w, TERMS_TERMS);
}

enum status
page_privacy(struct web *w)
{
	return show_document(w, TERMS_PRIVACY);
}

enum status
page_company(struct web *w)
{
	return show_document(w, TERMS_COMPANY);
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

struct laid_out { struct terms_block *blocks; int n_blocks; };
static const struct member laid_out_members[] = { SHAPE_LIST(laid_out, blocks, terms_block_shape) };
static const struct shape laid_out_shape = SHAPE(laid_out, laid_out_members);

struct terms_form_page {
	struct form_problems problems;
	struct tab *tabs;
	int n_tabs;
	struct terms_version newest;
	int64_t based_on;
	struct field text, text_ko, valid_from;
	bool is_preview, is_meanwhile;
	struct laid_out preview, preview_ko;
};
static const struct member terms_form_page_members[] = {
	SHAPE_STRUCT(terms_form_page, problems, form_problems_shape), SHAPE_LIST(terms_form_page, tabs, tab_shape),
	SHAPE_STRUCT(terms_form_page, newest, terms_version_shape), SHAPE_INT(terms_form_page, based_on),
	SHAPE_STRUCT(terms_form_page, text, field_shape), SHAPE_STRUCT(terms_form_page, text_ko, field_shape),
	SHAPE_STRUCT(terms_form_page, valid_from, field_shape), SHAPE_BOOL(terms_form_page, is_preview),
	SHAPE_BOOL(terms_form_page, is_meanwhile), SHAPE_STRUCT(terms_form_page, preview, laid_out_shape),
	SHAPE_STRUCT(terms_form_page, preview_ko, laid_out_shape),
};
static const struct shape terms_form_page_shape = SHAPE(terms_form_page, terms_form_page_members);
PAGE(terms_form, "booking/document_form", terms_form_page_shape)

/* What the form starts with; typed values go before it. */
struct terms_draft {
	enum terms_kind kind;
	int64_t based_on;               /* the version that the form was made from */
	bool is_meanwhile;              /* … and a newer one was published since then */
	const struct terms_version *preview;    /* NULL: none is wanted */
};

static enum status
show_terms_form(struct web *w, const void *form, enum status status, const char *message)
{
	const struct terms_draft *d = form;
	struct terms_form_page p = {
		.problems = form_problems(w, message),
		.tabs = web_tabs(w, "kind", &terms_kind_words, (int)d->kind, NULL),
		.n_tabs = terms_kind_words.n,
		.based_on = d->based_on,
		.is_meanwhile = d->is_meanwhile,
		.is_preview = d->preview != NULL,
	};

	terms_find(w->db, d->kind, terms_newest(w->db, d->kind), &p.newest);
	p.text = form_field(w, "text", p.newest.text);
	p.text_ko = form_field(w, "text_ko", p.newest.text_ko);
	p.valid_from = form_field_time(w, "valid_from", 0);
	if (d->preview) {
		p.preview.n_blocks = terms_text_blocks(w->m, d->preview->text, &p.preview.blocks);
		p.preview_ko.n_blocks = terms_text_blocks(w->m, d->preview->text_ko, &p.preview_ko.blocks);
	}
	return web_page(w, status, &terms_form, &p);
}

/* GET /terms/edit ?kind */
enum status
page_terms_edit(struct web *w)
{
	int kind = form_has(w, "kind") ? form_choice(w, "kind", &terms_kind_words) : TERMS_TERMS;
	struct terms_draft d = { .kind = (enum terms_kind)kind };

	if (kind < 0)
		return web_not_found(w);
	d.based_on = terms_newest(w->db, d.kind);
	return show_terms_form(w, &d, HTTP_OK, NULL);
}

/* 0: from now on. */
static int64_t
read_valid_from(struct web *w)
{
	int64_t valid_from = form_has(w, "valid_from") ? form_time(w, "valid_from") : 0;

	if (valid_from && valid_from < w->now - MINUTE)
		form_error(w, "valid_from", _("This time has passed. Please choose a later one, or leave it empty."));
	return valid_from;
}

/* A browser sends two characters for each end of a line. */
static const char *
tidy_text(struct web *w, const char *name, const char *typed)
{
	const char *text = terms_text_tidy(w->m, typed);

	if (utf8_chars(text) > TERMS_TEXT_MAX)
		form_error(w, name, arena_printf(w->m, _("Please use at most %d characters."), TERMS_TEXT_MAX));
	return text;
}

static struct terms_version
read_version(struct web *w)
{
	return (struct terms_version){
		.kind = form_choice(w, "kind", &terms_kind_words),
		.text_ko = tidy_text(w, "text_ko", form_text(w, "text_ko", 2 * TERMS_TEXT_MAX)),
		.text = tidy_text(w, "text", form_text(w, "text", 2 * TERMS_TEXT_MAX)),
		.valid_from = read_valid_from(w),
		.published_by = w->user.id,
	};
}

static enum status
show_published(struct web *w, const struct terms_version *v, enum status json_status)
{
	struct document_json d = document_json(w, v);
	const char *url =
		arena_printf(w->m, "/%s?version=%lld", words_code(&terms_kind_words, v->kind), (long long)v->version);

	if (w->json)
		web_set_header(w, "Location", url);
	return web_done(w, json_status, &document_json_shape, &d, "%s&done=published", url);
}

/* What was typed is kept; sent again it becomes the version after the other one. */
static enum status
refuse_meanwhile(struct web *w, struct terms_draft *d)
{
	d->based_on = terms_newest(w->db, d->kind);
	d->is_meanwhile = true;
	return web_refuse(w, HTTP_CONFLICT, "changed",
		arena_printf(w->m,
			_("Version %lld was published in the meantime. Please compare it with your text; publishing"
			  " now makes yours the next version."),
			(long long)d->based_on));
}

/* For people: the text as it will look, and nothing is published. */
static bool
wants_preview(struct web *w)
{
	return !w->json && form_has(w, "preview");
}

/* POST /terms/edit {kind, text, text_ko, valid_from, version} */
enum status
do_terms_publish(struct web *w)
{
	struct terms_version v = read_version(w);
	struct terms_draft d = { .kind = v.kind < 0 ? TERMS_TERMS : (enum terms_kind)v.kind };
	bool is_preview = wants_preview(w);

	d.based_on = form_has(w, "version") ? form_int(w, "version", 1, INT64_MAX / 2) : 0;
	web_form(w, show_terms_form, &d);
	if (form_bad(w))
		return web_invalid(w);
	if (is_preview) {
		d.preview = &v;
		return show_terms_form(w, &d, HTTP_OK, NULL);
	}
	switch (terms_publish(w->db, &v, d.based_on)) {
	case TERMS_PUBLISHED: return show_published(w, &v, HTTP_CREATED);
	case TERMS_AGAIN: return show_published(w, &v, HTTP_OK);
	case TERMS_MEANWHILE: return refuse_meanwhile(w, &d);
	case TERMS_UNCHANGED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "unchanged",
			_("The text has not changed, so there is nothing to publish."));
	}
	return web_broken(w);
}
