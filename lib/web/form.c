/*
 * form.c - typed fields of the request; form.h describes their use. field.c shows them again.
 */
#include "web_inside.h"

#include "lib/base/clock.h"
#include "lib/base/money.h"
#include "lib/base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- what is wrong ------------------------------------------------------------------------------------------------ */

void
form_error(struct web *w, const char *name, const char *message)
{
	struct web_inside *in = w->in;

	for (int i = 0; i < in->n_errors; i++)
		if (strcmp(in->error[i].name, name) == 0)
			return;
	if (in->n_errors == in->error_room) {
		int room = in->error_room ? in->error_room * 2 : 8;

		in->error = arena_grow(w->m, in->error, sizeof(*in->error) * (size_t)in->error_room,
			sizeof(*in->error) * (size_t)room);
		in->error_room = room;
	}
	in->error[in->n_errors++] = (struct form_problem){ name, message };
}

/* Part of every form; read by web_serve and web_idempotency_key(), not by handlers. */
static bool
is_everywhere(const char *name)
{
	return strcmp(name, "csrf") == 0 || strcmp(name, "form_key") == 0;
}

bool
form_bad(struct web *w)
{
	const struct input *in = &w->in->body;

	for (int i = 0; w->method != GET && i < in->n; i++) {
		const struct sent *f = &in->field[i];

		if (is_everywhere(f->name))
			continue;
		if (f->error)
			form_error(w, f->name, f->error);
		if (!f->asked)
			form_error(w, f->name, _("This field is not supported."));
	}
	return w->in->n_errors > 0;
}

enum status
form_refuse(struct web *w, enum status status, const char *code, const char *name, const char *message)
{
	form_error(w, name, message);
	return web_refuse(w, status, code, w->json ? message : _("Please look at the marked fields."));
}

int
form_n_errors(struct web *w)
{
	return w->in->n_errors;
}

/* --- one field ---------------------------------------------------------------------------------------------------- */

/* Finds a field and notes that the handler knows it. A parsing error of the field (sent twice, not a text) is marked
 * here. */
static struct sent *
find_sent(struct web *w, const char *name)
{
	struct sent *f = input_find(web_fields(w), name);

	if (!f)
		return NULL;
	f->asked = true;
	if (f->error)
		form_error(w, name, f->error);
	return f;
}

static bool
is_form_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Trimmed, with \n as the only line end (browsers send \r\n but count it as one character). */
static const char *
trimmed_value(struct arena *m, const char *s)
{
	size_t n;
	char *copy, *to;

	while (is_form_space(*s))
		s++;
	n = strlen(s);
	while (n && is_form_space(s[n - 1]))
		n--;
	if (s[n] == '\0' && !memchr(s, '\r', n))
		return s;
	copy = to = arena_strndup(m, s, n);
	for (const char *from = copy; *from; from++)
		if (*from != '\r' || from[1] != '\n')
			*to++ = *from;
	*to = '\0';
	return copy;
}

/* The field's text; NULL: not sent, empty, or already marked. */
static const char *
given(struct web *w, const char *name, struct sent **found)
{
	struct sent *f = find_sent(w, name);
	const char *s = f ? trimmed_value(w->m, f->value) : "";

	if (found)
		*found = f;
	return *s && !f->error ? s : NULL;
}

/* The same for a required field. */
static const char *
needed(struct web *w, const char *name, struct sent **found)
{
	const char *s = given(w, name, found);

	if (!s)
		form_error(w, name, _("Please fill this in."));
	return s;
}

bool
form_has(struct web *w, const char *name)
{
	const struct sent *f = find_sent(w, name);

	return f && (*trimmed_value(w->m, f->value) || f->error);
}

bool
form_sent(struct web *w, const char *name)
{
	return find_sent(w, name) != NULL;
}

const char *
form_raw(struct web *w, const char *name)
{
	const struct sent *f = find_sent(w, name);

	return f ? trimmed_value(w->m, f->value) : "";
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

/* Digits with an optional sign. false: not a whole number. Beyond int64 it is clamped. */
static bool
whole_number(const char *s, int64_t *n)
{
	size_t sign = *s == '-' || *s == '+';

	if (!s[sign] || s[sign + strspn(s + sign, "0123456789")])
		return false;
	*n = strtoll(s, NULL, 10);
	return true;
}

static int64_t
in_range(struct web *w, const char *name, int64_t n, int64_t min, int64_t max)
{
	if (n >= min && n <= max)
		return n;
	form_error(w, name,
		arena_printf(w->m, _("Please enter a number from %lld to %lld."), (long long)min, (long long)max));
	return 0;
}

int64_t
form_int(struct web *w, const char *name, int64_t min, int64_t max)
{
	struct sent *f;
	const char *s = needed(w, name, &f);
	int64_t n;

	if (!s)
		return 0;
	if (f->kind != SENT_BOOL && whole_number(s, &n))
		return in_range(w, name, n, min, max);
	form_error(w, name, _("Please enter a whole number."));
	return 0;
}

int64_t
form_id(struct web *w, const char *name)
{
	struct sent *f;
	const char *s = given(w, name, &f);
	int64_t n;

	if (s && f->kind != SENT_BOOL && whole_number(s, &n) && n > 0)
		return n;
	form_error(w, name, _("Please choose one."));
	return 0;
}

/* "90,000" -> "90000"; a comma anywhere else stays, which makes it not a number. */
static const char *
without_commas(struct arena *m, const char *s)
{
	char *copy = arena_strdup(m, s), *to = copy;

	for (const char *from = s; *from; from++) {
		bool groups = *from == ',' && from > s && isdigit((unsigned char)from[-1])
			&& strspn(from + 1, "0123456789") == 3;

		if (!groups)
			*to++ = *from;
	}
	*to = '\0';
	return copy;
}

/* A JSON client's: a whole number of the smallest unit. */
static int64_t
amount_in_json(struct web *w, const char *name, const struct sent *f, const char *s, int64_t min, int64_t max)
{
	int64_t n;

	if (f->kind != SENT_BOOL && whole_number(without_commas(w->m, s), &n))
		return in_range(w, name, n, min, max);
	form_error(w, name, _("Please enter a whole number, in the smallest unit of the currency."));
	return 0;
}

static void
amount_error(struct web *w, const char *name, enum money_typed typed)
{
	if (typed == MONEY_TOO_FINE && money_decimals() == 0)
		form_error(w, name, _("Please enter an amount without decimals."));
	else if (typed == MONEY_TOO_FINE)
		form_error(w, name,
			arena_printf(w->m, _("Please enter an amount with at most %d decimals."), money_decimals()));
	else
		form_error(w, name,
			arena_printf(w->m, _("Please enter an amount, such as %s."), money_in_words(w->m, 45000)));
}

int64_t
form_amount(struct web *w, const char *name, int64_t min, int64_t max)
{
	struct sent *f;
	const char *s = needed(w, name, &f);
	enum money_typed typed;
	int64_t n;

	if (!s)
		return 0;
	if (w->json)
		return amount_in_json(w, name, f, s, min, max);
	typed = money_read(s, &n);
	if (typed != MONEY_OK)
		return amount_error(w, name, typed), 0;
	if (n >= min && n <= max)
		return n;
	form_error(w, name,
		arena_printf(w->m, _("Please enter an amount from %s to %s."), money_in_words(w->m, min),
			money_in_words(w->m, max)));
	return 0;
}

/* --- time --------------------------------------------------------------------------------------------------------- */

int64_t
form_time(struct web *w, const char *name)
{
	const char *s = needed(w, name, NULL);
	int64_t at;

	if (!s)
		return 0;
	if (time_parse(s, &at))
		return at;
	form_error(w, name, _("Please enter a valid date and time, such as 2026-05-01T10:00."));
	return 0;
}

const char *
form_date(struct web *w, const char *name)
{
	const char *s = needed(w, name, NULL);
	int year, month, day;

	if (s && date_parse(s, &year, &month, &day))
		return s;
	if (s)
		form_error(w, name, _("Please enter a valid date, such as 2026-05-01."));
	return "";
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* A JSON number is refused where a text is expected: a telephone number would lose its leading zero. */
static bool
is_text(struct web *w, const char *name, const struct sent *f)
{
	if (f->kind == SENT_TEXT)
		return true;
	form_error(w, name, _("Please enter text."));
	return false;
}

const char *
form_text(struct web *w, const char *name, int max_chars)
{
	struct sent *f;
	const char *s = needed(w, name, &f);

	if (!s || !is_text(w, name, f))
		return "";
	if (utf8_chars(s) <= max_chars)
		return s;
	form_error(w, name, arena_printf(w->m, _("Please use at most %d characters."), max_chars));
	return "";
}

const char *
form_line(struct web *w, const char *name, int max_chars)
{
	const char *s = form_text(w, name, max_chars);

	if (!*s || utf8_is_visible_line(s))
		return s;
	form_error(w, name, _("Please use a single line without control characters."));
	return "";
}

const char *
form_secret(struct web *w, const char *name, int min_chars, int max_chars)
{
	struct sent *f = find_sent(w, name);
	int n = f ? utf8_chars(f->value) : 0;

	if (f)
		f->secret = true;
	if (n == 0) {
		form_error(w, name, _("Please fill this in."));
		return "";
	}
	if (f->error || !is_text(w, name, f))
		return "";
	if (n >= min_chars && n <= max_chars)
		return f->value;
	form_error(w, name, arena_printf(w->m, _("Please enter %d to %d characters."), min_chars, max_chars));
	return "";
}

/* A plausible address; only a mail can verify it. */
static bool
is_email(const char *s)
{
	const char *at = strchr(s, '@'), *dot = at ? strrchr(at, '.') : NULL;

	if (!at || at == s || at - s > 64 || strlen(s) > 254 || strchr(at + 1, '@') || !dot || dot == at + 1 || !dot[1])
		return false;
	for (const char *c = s; *c; c++)
		if (*c <= ' ' || *c >= 0x7F || strchr("\"(),:;<>[\\]", *c))
			return false;
	return !strstr(s, "..") && *s != '.' && at[-1] != '.' && at[1] != '-';
}

const char *
form_email(struct web *w, const char *name)
{
	struct sent *f;
	const char *s = needed(w, name, &f);
	char *lower;

	if (!s || !is_text(w, name, f))
		return "";
	if (!is_email(s)) {
		form_error(w, name, _("Please enter an email address such as name@example.com."));
		return "";
	}
	lower = arena_strdup(w->m, s);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

/* --- choices ------------------------------------------------------------------------------------------------------ */

int
form_choice(struct web *w, const char *name, const struct words *words)
{
	const char *s = given(w, name, NULL);
	int i = s ? words_find(words, s) : -1;

	if (i < 0)
		form_error(w, name, _("Please choose one."));
	return i;
}

bool
form_tick(struct web *w, const char *name)
{
	static const char *const yes[] = { "on", "1", "true", "yes" }, *const no[] = { "off", "0", "false", "no" };
	const char *s = given(w, name, NULL);

	for (size_t i = 0; s && i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(s, yes[i]) == 0)
			return true;
		if (strcmp(s, no[i]) == 0)
			return false;
	}
	if (s)
		form_error(w, name, _("Please choose yes or no."));
	return false;
}

/* --- the request's own key ---------------------------------------------------------------------------------------- */

const char *
form_request_key(struct web *w)
{
	const char *key = web_idempotency_key(w);

	if (strlen(key) > FORM_KEY_MAX)
		form_error(w, "form_key", _("The idempotency key is longer than 200 characters."));
	return key;
}
