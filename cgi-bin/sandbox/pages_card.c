/*
 * pages_card - the hosted pages, where a customer types a card. GET shows, POST saves or prepares and redirects to the
 * merchant with a one-time key. Only addresses of the merchant (settings.base_url) are redirected to.
 */
#include "pages.h"

#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define AMOUNT_MAX 1000000000000
#define URL_MAX    1500

/* The parameters of the merchant's link. */
struct link {
	const char *customerKey, *successUrl, *failUrl;
	const char *orderId, *orderName;        /* of a single payment */
	int64_t amount;
	bool pays;
};

struct shown_card { const char *number, *label; };
static const struct member shown_card_members[] = { SHAPE_TEXT(shown_card, number), SHAPE_TEXT(shown_card, label) };
static const struct shape shown_card_shape = SHAPE(shown_card, shown_card_members);

struct card_form_page {
	struct form_problems problems;
	struct field number, expiry, cvc;
	const char *customerKey, *successUrl, *failUrl, *orderId, *orderName, *action, *cancel_url;
	int64_t amount;
	bool pays, may_save, is_saved;          /* may_save: the merchant says whose card it is */
	struct shown_card *cards;
	int n_cards;
};
static const struct member card_form_page_members[] = {
	SHAPE_STRUCT(card_form_page, problems, form_problems_shape), SHAPE_STRUCT(card_form_page, number, field_shape),
	SHAPE_STRUCT(card_form_page, expiry, field_shape), SHAPE_STRUCT(card_form_page, cvc, field_shape),
	SHAPE_TEXT(card_form_page, customerKey), SHAPE_TEXT(card_form_page, successUrl),
	SHAPE_TEXT(card_form_page, failUrl), SHAPE_TEXT(card_form_page, orderId), SHAPE_TEXT(card_form_page, orderName),
	SHAPE_TEXT(card_form_page, action), SHAPE_TEXT(card_form_page, cancel_url),
	SHAPE_AMOUNT(card_form_page, amount), SHAPE_BOOL(card_form_page, pays),
	SHAPE_BOOL(card_form_page, may_save), SHAPE_BOOL(card_form_page, is_saved),
	SHAPE_LIST(card_form_page, cards, shown_card_shape),
};
static const struct shape card_form_page_shape = SHAPE(card_form_page, card_form_page_members);
PAGE(card_html, "sandbox/card", card_form_page_shape)

/* --- the link ----------------------------------------------------------------------------------------------------- */

static bool
is_merchants(const char *url)
{
	size_t n = strlen(settings.base_url);

	return strlen(url) <= URL_MAX && strncmp(url, settings.base_url, n) == 0 && url[n] == '/'
		&& web_safe_path(url + n);
}

static bool
is_within(const char *s, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max;
}

static int64_t
amount_of(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 13 && strspn(s, "0123456789") == n ? strtoll(s, NULL, 10) : 0;
}

static bool
read_link(struct web *w, struct link *l, bool pays)
{
	*l = (struct link){
		.customerKey = form_raw(w, "customerKey"),
		.successUrl = form_raw(w, "successUrl"),
		.failUrl = form_raw(w, "failUrl"),
		.orderId = "",
		.orderName = "",
		.pays = pays,
	};
	if (pays) {
		l->orderId = form_raw(w, "orderId");
		l->orderName = form_raw(w, "orderName");
		l->amount = amount_of(form_raw(w, "amount"));
	}
	return is_within(l->customerKey, 2, 300) && is_merchants(l->successUrl) && is_merchants(l->failUrl)
		&& (!pays
			|| (is_within(l->orderId, 6, 64) && is_within(l->orderName, 1, 300) && l->amount > 0
				&& l->amount <= AMOUNT_MAX));
}

static enum status
bad_link(struct web *w)
{
	return web_refuse(w, HTTP_BAD_REQUEST, "bad_link",
		_("This payment link is not valid. Please go back to the shop and try again."));
}

static const char *
with(struct web *w, const char *url, const char *name, const char *value)
{
	return arena_printf(w->m, "%s%s%s=%s", url, strchr(url, '?') ? "&" : "?", name, web_encode(w, value));
}

static const char *
cancel_url(struct web *w, const struct link *l)
{
	const char *url = with(w, l->failUrl, "code", "PAY_PROCESS_CANCELED");

	url = with(w, url, "message", _("The customer cancelled the payment."));
	return l->pays ? with(w, url, "orderId", l->orderId) : url;
}

/* --- the page ----------------------------------------------------------------------------------------------------- */

/* "4242424242424242" -> "4242 4242 4242 4242" */
static const char *
spaced(struct arena *m, const char *digits)
{
	struct buf b = { .m = m };

	for (int i = 0; digits[i]; i++) {
		if (i && i % 4 == 0)
			buf_puts(&b, " ");
		buf_put(&b, digits + i, 1);
	}
	return b.s;
}

static void
list_test_cards(struct web *w, struct card_form_page *page)
{
	page->n_cards = test_card_count();
	page->cards = arena_array(w->m, struct shown_card, page->n_cards);
	for (int i = 0; i < page->n_cards; i++)
		page->cards[i] = (struct shown_card){ spaced(w->m, test_card(i)->number), _(test_card(i)->label) };
}

/* As the real provider's page: a payment of a customer without a key cannot save a card. */
static bool
may_save_card(const struct link *l)
{
	return l->pays && strcmp(l->customerKey, "ANONYMOUS") != 0;
}

static enum status
show_card_form(struct web *w, const struct link *l, enum status status, const char *problem)
{
	struct card_form_page page = {
		.problems = form_problems(w, problem),
		.customerKey = l->customerKey,
		.successUrl = l->successUrl,
		.failUrl = l->failUrl,
		.orderId = l->orderId,
		.orderName = l->orderName,
		.amount = l->amount,
		.pays = l->pays,
		.may_save = may_save_card(l),
		.is_saved = may_save_card(l) && form_tick(w, "save_card"),
		.action = l->pays ? "/sandbox/pay" : "/sandbox/card",
		.cancel_url = cancel_url(w, l),
	};

	page.number = form_field(w, "number", "");
	page.expiry = form_field(w, "expiry", "");
	page.cvc = form_field(w, "cvc", "");
	page.cvc.value = "";
	list_test_cards(w, &page);
	return web_page(w, status, &card_html, &page);
}

static enum status
page_for(struct web *w, bool pays)
{
	struct link l;

	return read_link(w, &l, pays) ? show_card_form(w, &l, HTTP_OK, NULL) : bad_link(w);
}

enum status
page_sandbox_card(struct web *w)
{
	return page_for(w, false);
}

enum status
page_sandbox_pay(struct web *w)
{
	return page_for(w, true);
}

/* --- the card that was typed in ----------------------------------------------------------------------------------- */

static const char *
digits_of(struct arena *m, const char *s)
{
	char *digits = arena_strdup(m, s), *to = digits;

	for (; *s; s++)
		if (*s != ' ' && *s != '-')
			*to++ = *s;
	*to = '\0';
	return digits;
}

static int64_t
take_number(struct web *w)
{
	const char *digits = digits_of(w->m, form_text(w, "number", 30));
	int64_t card = test_card_by_number(digits);

	if (*digits && !luhn_ok(digits))
		form_error(w, "number", _("This card number is not valid. Please check the digits."));
	else if (card < 0)
		form_error(w, "number", _("This is a test page. Please use one of the test cards below."));
	return card;
}

/* Digits alone: the blanks and the separator go. false: there is something else, or more than one separator. */
static bool
split_expiry(const char *s, char digits[7], size_t *month_n)
{
	size_t n = 0;

	*month_n = 0;
	for (; *s; s++)
		if (isdigit((unsigned char)*s) && n < 6)
			digits[n++] = *s;
		else if (strchr("/-.", *s) && n > 0 && !*month_n)
			*month_n = n;
		else if (*s != ' ')
			return false;
	digits[n] = '\0';
	return true;
}

/* Month and year as people type them: 1230, 12/30, 12 / 2030, 1/30. Without a separator the month has two digits. */
static bool
read_expiry(const char *s, int *month, int *year)
{
	char digits[7];
	size_t month_n, year_n;

	if (!split_expiry(s, digits, &month_n))
		return false;
	if (!month_n && strlen(digits) > 2)
		month_n = 2;
	year_n = strlen(digits) - month_n;
	if (month_n < 1 || month_n > 2 || (year_n != 2 && year_n != 4))
		return false;
	*year = atoi(digits + month_n) + (year_n == 2 ? 2000 : 0);
	digits[month_n] = '\0';
	*month = atoi(digits);
	return *month >= 1 && *month <= 12;
}

/* Not in the past. */
static void
take_expiry(struct web *w)
{
	const char *s = form_text(w, "expiry", 12);
	int month, year;
	struct local now;

	clock_split(w->now, &now);
	if (!*s)
		return;
	if (!read_expiry(s, &month, &year))
		form_error(w, "expiry", _("Please enter month and year, e.g. 12/30."));
	else if (year < now.year || (year == now.year && month < now.month))
		form_error(w, "expiry", _("This card has expired."));
}

static void
take_cvc(struct web *w)
{
	const char *s = form_secret(w, "cvc", 3, 4);

	if (*s && strspn(s, "0123456789") != strlen(s))
		form_error(w, "cvc", _("Please enter the three or four digits on the card."));
}

/* Prepares one payment. With save_card the merchant also gets a key to save the card by, as from the other page. */
static enum status
prepare_payment(struct web *w, const struct link *l, int64_t card, bool is_saved)
{
	const struct sandbox_payment p = {
		.order_id = l->orderId,
		.order_name = l->orderName,
		.customer_key = l->customerKey,
		.card = card,
		.amount = l->amount,
		.currency = settings.currency,
	};
	const char *url = with(w, l->successUrl, "paymentKey", sandbox_prepare(w->db, &p));

	url = with(w, url, "orderId", l->orderId);
	url = with(w, url, "amount", arena_printf(w->m, "%lld", (long long)l->amount));
	if (is_saved)
		url = with(w, with(w, url, "authKey", sandbox_authorize(w->db, l->customerKey, card)), "customerKey",
			l->customerKey);
	return web_redirect_out(w, url);
}

static enum status
do_for(struct web *w, bool pays)
{
	struct link l;
	bool is_saved;
	int64_t card;

	if (!read_link(w, &l, pays))
		return bad_link(w);
	card = take_number(w);
	take_expiry(w);
	take_cvc(w);
	is_saved = may_save_card(&l) && form_tick(w, "save_card");
	if (form_bad(w))
		return show_card_form(w, &l, HTTP_UNPROCESSABLE, _("Please look at the marked fields."));
	if (pays)
		return prepare_payment(w, &l, card, is_saved);
	return web_redirect_out(w,
		with(w, with(w, l.successUrl, "authKey", sandbox_authorize(w->db, l.customerKey, card)), "customerKey",
			l.customerKey));
}

enum status
do_sandbox_card(struct web *w)
{
	return do_for(w, false);
}

enum status
do_sandbox_pay(struct web *w)
{
	return do_for(w, true);
}
