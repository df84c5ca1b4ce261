/* stuck_page - what pages share about what is stuck: the number in the menu, and the form by which one is closed. */
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

static const struct member form_members[] = {
	SHAPE_TEXT(stuck_form, subject_id), SHAPE_TEXT(stuck_form, customer_name),
	SHAPE_STATE(stuck_form, kind, stuck_kind_words), SHAPE_TIME(stuck_form, since), SHAPE_INT(stuck_form, tries),
	SHAPE_TIME(stuck_form, next_at), SHAPE_AMOUNT(stuck_form, amount), SHAPE_TEXT(stuck_form, last_error),
	SHAPE_TEXT(stuck_form, action), SHAPE_TEXT(stuck_form, back), SHAPE_TEXT(stuck_form, charge_url),
	SHAPE_STRUCT(stuck_form, problems, form_problems_shape), SHAPE_STRUCT(stuck_form, way, field_shape),
	SHAPE_STRUCT(stuck_form, reason, field_shape), SHAPE_BOOL(stuck_form, has_ways),
};
const struct shape stuck_form_shape = SHAPE(stuck_form, form_members);

static const struct member option_members[] = { SHAPE_TEXT(stuck_option, way), SHAPE_TEXT(stuck_option, meaning) };
static const struct shape stuck_option_shape = SHAPE(stuck_option, option_members);
static const struct member form_json_members[] = {
	SHAPE_TEXT(stuck_form, subject_id), SHAPE_TEXT(stuck_form, customer_name),
	SHAPE_STATE(stuck_form, kind, stuck_kind_words), SHAPE_TIME(stuck_form, since), SHAPE_INT(stuck_form, tries),
	SHAPE_TIME(stuck_form, next_at), SHAPE_AMOUNT(stuck_form, amount), SHAPE_TEXT(stuck_form, last_error),
	SHAPE_LIST(stuck_form, ways, stuck_option_shape),
};
static const struct shape form_json_shape = SHAPE(stuck_form, form_json_members);

struct stuck_choice
stuck_read_form(struct web *w, int kind)
{
	struct stuck_choice c = { .way = form_choice(w, "way", &stuck_resolution_words),
		.reason = form_text(w, "reason", STUCK_NOTE_MAX) };

	if (c.way >= 0 && !(stuck_resolutions[kind] & 1u << c.way))
		form_error(w, "way", _("That option does not apply here."));
	return c;
}

/* The resolutions of its kind, none of them preselected. */
static void
fill_ways(struct web *w, struct stuck_form *f)
{
	struct option *options = arena_array(w->m, struct option, stuck_resolution_words.n);

	f->ways = arena_array(w->m, struct stuck_option, stuck_resolution_words.n);
	f->n_ways = 0;
	for (int i = 0; i < stuck_resolution_words.n; i++)
		if (stuck_resolutions[f->kind] & 1u << i) {
			f->ways[f->n_ways] = (struct stuck_option){ stuck_resolution_words.word[i].code,
				_(stuck_resolution_words.word[i].label) };
			options[f->n_ways] =
				(struct option){ .value = f->ways[f->n_ways].way, .label = f->ways[f->n_ways].meaning };
			f->n_ways++;
		}
	f->has_ways = f->n_ways > 0;
	f->way = form_field_options(w, "way", options, f->n_ways, "", NULL);
}

enum status
stuck_show_form(struct web *w, const void *form, enum status status, const char *message)
{
	struct stuck_form f = *(const struct stuck_form *)form;

	fill_ways(w, &f);
	if (w->json)
		return web_json(w, status, &form_json_shape, &f);
	f.last_error = stuck_error_in_words(w->m, f.kind, f.last_error);
	f.reason = form_field(w, "reason", "");
	f.problems = form_problems(w, message);
	menu_of(w)->nav_stuck = true;
	return web_page(w, status, f.page, &f);
}

enum status
stuck_refuse(struct web *w, enum resolve_outcome outcome)
{
	switch (outcome) {
	case RESOLVE_NOT_STUCK:
		web_form(w, NULL, NULL);
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("There is nothing left to decide: it has finished or is being processed. Please check it"
			  " again."));
	case RESOLVE_CONTRADICTED:
		return web_refuse(w, HTTP_CONFLICT, "not_so",
			_("This does not match the ledger or the payment provider, so nothing was changed. Please check"
			  " the charge and its refunds."));
	case RESOLVE_TOO_SOON:
		web_set_header(w, "Retry-After", "60");
		return web_refuse(w, HTTP_CONFLICT, "too_soon",
			_("The payment provider was asked less than a minute ago and may still be processing it; the"
			  " customer could be refunded twice. Please wait a minute."));
	case RESOLVE_UNCERTAIN:
		web_set_header(w, "Retry-After", "60");
		return web_refuse(w, HTTP_CONFLICT, "nobody_knows",
			_("The payment provider does not say whether it has already refunded the money; the customer"
			  " could be refunded twice. Nothing was changed; please try again when it responds."));
	case RESOLVE_DONE: break;
	}
	return web_broken(w);
}
