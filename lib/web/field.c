/*
 * field.c - fields as a form shows them again: the submitted value, else the initial one, with its error.
 */
#include "web_inside.h"

#include "lib/base/money.h"

#include <string.h>

static const struct member option_members[] = {
	SHAPE_TEXT(option, value), SHAPE_TEXT(option, label), SHAPE_BOOL(option, selected),
};
const struct shape option_shape = SHAPE(option, option_members);

static const struct member field_members[] = {
	SHAPE_TEXT(field, name), SHAPE_TEXT(field, value), SHAPE_TEXT(field, error), SHAPE_BOOL(field, checked),
	SHAPE_LIST(field, options, option_shape),
};
const struct shape field_shape = SHAPE(field, field_members);

static const struct member form_problem_members[] = {
	SHAPE_TEXT(form_problem, name), SHAPE_TEXT(form_problem, message),
};
static const struct shape form_problem_shape = SHAPE(form_problem, form_problem_members);

static const struct member form_problems_members[] = {
	SHAPE_LIST(form_problems, problems, form_problem_shape), SHAPE_TEXT(form_problems, message),
};
const struct shape form_problems_shape = SHAPE(form_problems, form_problems_members);

static const char *
error_of(struct web *w, const char *name)
{
	for (int i = 0; i < w->in->n_errors; i++)
		if (strcmp(w->in->error[i].name, name) == 0)
			return w->in->error[i].message;
	return NULL;
}

/* Does the request carry form fields other than csrf and form_key? */
static bool
form_was_sent(struct web *w)
{
	const struct input *in = &w->in->body;

	for (int i = 0; i < in->n; i++)
		if (strcmp(in->field[i].name, "csrf") != 0 && strcmp(in->field[i].name, "form_key") != 0)
			return true;
	return false;
}

/*
 * In a submitted form a missing field was left out on purpose (an unticked box); in a form that is shown for the first
 * time it starts with its initial value.
 */
static const char *
typed(struct web *w, const char *name, const char *initial)
{
	const struct sent *f = input_find(web_fields(w), name);

	if (f)
		return f->secret ? "" : f->value;
	return form_was_sent(w) || !initial ? "" : initial;
}

static bool
is_ticked(const char *value)
{
	return *value && strcmp(value, "0") != 0 && strcmp(value, "false") != 0 && strcmp(value, "off") != 0
		&& strcmp(value, "no") != 0;
}

struct field
form_field(struct web *w, const char *name, const char *initial)
{
	const char *value = typed(w, name, initial);

	return (struct field){ .name = name, .value = value, .error = error_of(w, name), .checked = is_ticked(value) };
}

const char *
form_id_text(struct web *w, int64_t id)
{
	return id ? arena_printf(w->m, "%lld", (long long)id) : "";
}

struct field
form_field_int(struct web *w, const char *name, int64_t initial)
{
	return form_field(w, name, form_id_text(w, initial));
}

const char *
form_amount_text(struct web *w, int64_t amount)
{
	struct buf b = { .m = w->m };

	money_input(&b, amount);
	return b.s;
}

struct field
form_field_amount(struct web *w, const char *name, int64_t initial)
{
	return form_field(w, name, initial ? form_amount_text(w, initial) : "");
}

struct field
form_field_time(struct web *w, const char *name, int64_t initial)
{
	struct buf b = { .m = w->m };

	time_input(&b, initial);
	return form_field(w, name, text_or_empty(b.s));
}

struct field
form_field_options(
	struct web *w, const char *name, const struct option *options, int n, const char *initial, const char *none)
{
	struct field f = form_field(w, name, initial);
	int first = none ? 1 : 0;

	f.n_options = n + first;
	f.options = arena_array(w->m, struct option, f.n_options + 1);
	if (none)
		f.options[0] = (struct option){ "", none, *f.value == '\0' };
	for (int i = 0; i < n; i++)
		f.options[first + i] =
			(struct option){ options[i].value, options[i].label, strcmp(options[i].value, f.value) == 0 };
	return f;
}

struct field
form_field_choice(struct web *w, const char *name, const struct words *words, int initial, const char *none)
{
	struct option *options = arena_array(w->m, struct option, words->n + 1);

	for (int i = 0; i < words->n; i++)
		options[i] = (struct option){ .value = words->word[i].code, .label = _(words->word[i].label) };
	return form_field_options(w, name, options, words->n, words_code(words, initial), none);
}

struct form_problems
form_problems(struct web *w, const char *message)
{
	if (!message && w->in->n_errors)
		message = _("There is a problem");
	return (struct form_problems){ w->in->error, w->in->n_errors, message };
}
