/* stuck_page - what pages share about what is stuck: the count in the menu, and the question before it is ended by hand. */
#include "stuck.h"

#include "menu.h"
#include "lib/base/clock.h"

#define COUNT_AGAIN_MS 5000

void
stuck_show_count(struct web *w)
{
	static int64_t counted_ms, n;

	if (!web_is(w, ROLE_MANAGER) || w->json)
		return;
	if (!counted_ms || clock_ms() > counted_ms + COUNT_AGAIN_MS) {
		n = stuck_count(w->db, w->now);
		counted_ms = clock_ms();
	}
	menu_of(w)->n_stuck = n;
}

static const struct member question_members[] = {
	SHAPE_TEXT(stuck_question, subject_id), SHAPE_TEXT(stuck_question, customer_name), SHAPE_STATE(stuck_question, kind, stuck_kind_words),
	SHAPE_TIME(stuck_question, since), SHAPE_INT(stuck_question, tries), SHAPE_TIME(stuck_question, next_at),
	SHAPE_AMOUNT(stuck_question, amount), SHAPE_TEXT(stuck_question, last_error), SHAPE_TEXT(stuck_question, action),
	SHAPE_TEXT(stuck_question, back), SHAPE_TEXT(stuck_question, charge_url), SHAPE_STRUCT(stuck_question, problems, form_problems_shape),
	SHAPE_STRUCT(stuck_question, way, field_shape), SHAPE_STRUCT(stuck_question, reason, field_shape), SHAPE_BOOL(stuck_question, has_ways),
};
const struct shape stuck_question_shape = SHAPE(stuck_question, question_members);

static const struct member meaning_members[] = { SHAPE_TEXT(stuck_meaning, way), SHAPE_TEXT(stuck_meaning, meaning) };
static const struct shape meaning_shape = SHAPE(stuck_meaning, meaning_members);
static const struct member question_json_members[] = {
	SHAPE_TEXT(stuck_question, subject_id), SHAPE_TEXT(stuck_question, customer_name), SHAPE_STATE(stuck_question, kind, stuck_kind_words),
	SHAPE_TIME(stuck_question, since), SHAPE_INT(stuck_question, tries), SHAPE_TIME(stuck_question, next_at),
	SHAPE_AMOUNT(stuck_question, amount), SHAPE_TEXT(stuck_question, last_error), SHAPE_LIST(stuck_question, ways, meaning_shape),
};
static const struct shape question_json_shape = SHAPE(stuck_question, question_json_members);

struct stuck_choice
stuck_answer(struct web *w, int kind)
{
	struct stuck_choice c = { .way = form_choice(w, "way", &stuck_way_words), .reason = form_text(w, "reason", STUCK_REASON_MAX) };

	if (c.way >= 0 && !(stuck_ways[kind] & 1u << c.way))
		form_error(w, "way", _("That option does not apply here."));
	return c;
}

/* The ways its kind may be ended in, none of them chosen for anybody. */
static void
fill_ways(struct web *w, struct stuck_question *q)
{
	struct option *options = arena_array(w->m, struct option, stuck_way_words.n);

	q->ways = arena_array(w->m, struct stuck_meaning, stuck_way_words.n);
	q->n_ways = 0;
	for (int i = 0; i < stuck_way_words.n; i++)
		if (stuck_ways[q->kind] & 1u << i) {
			q->ways[q->n_ways] = (struct stuck_meaning){ stuck_way_words.word[i].code, _(stuck_way_words.word[i].label) };
			options[q->n_ways] = (struct option){ .value = q->ways[q->n_ways].way, .label = q->ways[q->n_ways].meaning };
			q->n_ways++;
		}
	q->has_ways = q->n_ways > 0;
	q->way = form_field_options(w, "way", options, q->n_ways, "", NULL);
}

enum status
stuck_ask(struct web *w, struct page *page, struct stuck_question *q, enum status status, const char *code, const char *message)
{
	fill_ways(w, q);
	if (w->json)
		return status == HTTP_OK ? web_json(w, HTTP_OK, &question_json_shape, q) : web_refuse(w, status, code, message);
	q->last_error = stuck_error_in_words(w->m, q->kind, q->last_error);
	q->reason = form_field(w, "reason", "");
	q->problems = form_problems(w, message);
	menu_of(w)->nav_stuck = true;
	return web_page(w, status, page, q);
}

enum status
stuck_refuse(struct web *w, struct page *page, struct stuck_question *q, enum stuck_outcome outcome)
{
	switch (outcome) {
	case STUCK_NO_MORE:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state", _("There is nothing left to decide: it has finished or is being processed. Please check it again."));
	case STUCK_NOT_SO:
		return stuck_ask(w, page, q, HTTP_CONFLICT, "not_so", _("This does not match the ledger or the payment provider, so nothing was changed. Please check the charge and its refunds."));
	case STUCK_TOO_SOON:
		web_set_header(w, "Retry-After", "60");
		return stuck_ask(w, page, q, HTTP_CONFLICT, "too_soon", _("The payment provider was asked less than a minute ago and may still be processing it; the customer could be refunded twice. Please wait a minute."));
	case STUCK_NOBODY_KNOWS:
		web_set_header(w, "Retry-After", "60");
		return stuck_ask(w, page, q, HTTP_CONFLICT, "nobody_knows", _("The payment provider does not say whether it has already refunded the money; the customer could be refunded twice. Nothing was changed; please try again when it responds."));
	case STUCK_RESOLVED:
		break;
	}
	return web_broken(w);
}
