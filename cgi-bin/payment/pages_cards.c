/*
 * pages_cards - a customer's saved cards. The card number is typed in on the provider's page and never comes here.
 */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/settings.h"

#include <string.h>

struct cards_page {
	struct form_problems problems;
	struct card *cards;
	int n_cards;
	bool has_room;
	const char *next;               /* where "Add a card" returns to; "": here */
};
static const struct member cards_page_members[] = {
	SHAPE_STRUCT(cards_page, problems, form_problems_shape), SHAPE_LIST(cards_page, cards, card_shape),
	SHAPE_BOOL(cards_page, has_room), SHAPE_TEXT(cards_page, next),
};
static const struct shape cards_page_shape = SHAPE(cards_page, cards_page_members);
PAGE(cards_html, "payment/cards", cards_page_shape)

static const struct member cards_json_members[] = { SHAPE_LIST(cards_page, cards, card_shape) };
static const struct shape cards_json = SHAPE(cards_page, cards_json_members);

PAGE(remove_html, "payment/card_remove", card_shape)

/* The page of ours to return to, or "". */
static const char *
next_page_of(struct web *w)
{
	const char *next = form_raw(w, "next");

	return web_safe_path(next) ? next : "";
}

static enum status
show_cards(struct web *w, const void *form, enum status status, const char *message)
{
	struct cards_page page = { .next = next_page_of(w), .problems = { .message = message } };

	(void)form;
	menu_of(w)->nav_cards = true;
	card_list(w->db, w->user.id, &page.cards, &page.n_cards);
	page.has_room = page.n_cards < MAX_CARDS;
	return web_answer(w, status, &cards_json, &cards_html, &page);
}

enum status
page_cards(struct web *w)
{
	if (form_has(w, "saved"))
		w->chrome.notice = _("The card is saved.");
	else if (form_has(w, "removed"))
		w->chrome.notice = _("The card is removed.");
	if (form_has(w, "code")) /* back from the provider's page without a card */
		return show_cards(w, NULL, HTTP_OK, _("No card was saved."));
	return show_cards(w, NULL, HTTP_OK, NULL);
}

/* --- adding one --------------------------------------------------------------------------------------------------- */

/* A program has sent the field; a browser comes from the provider's page. */
static enum status
refuse_card_token(struct web *w)
{
	web_form(w, show_cards, NULL);
	if (!w->json)
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid",
			_("The payment provider did not accept this card. Please add it again."));
	form_error(w, "card_token", _("The payment provider does not know this token."));
	return web_invalid(w);
}

static enum status
refuse_card(struct web *w, enum card_outcome outcome)
{
	switch (outcome) {
	case CARD_TOO_MANY:
		web_form(w, show_cards, NULL);
		return web_refuse(w, HTTP_CONFLICT, "too_many_cards",
			_("You have reached the maximum number of saved cards. Please remove one first."));
	case CARD_REFUSED: return refuse_card_token(w);
	case CARD_LATER:
		return web_later(w, 10,
			_("The payment provider is not responding right now. Your card was not saved; please try again"
			  " shortly."));
	case CARD_SAVED: break;
	}
	return web_broken(w);
}

/* POST /payments/cards {card_token} - programs that got their token from the provider's own script. */
enum status
do_save_card(struct web *w)
{
	const char *token = form_text(w, "card_token", 300), *key = web_idempotency_key(w);
	enum card_outcome outcome;
	struct card card;

	if (form_bad(w))
		return w->json ? web_invalid(w) : refuse_card_token(w);
	outcome = card_save(w->db, w->user.id, token, *key ? key : w->request_id, &card);
	if (outcome != CARD_SAVED)
		return refuse_card(w, outcome);
	if (w->json)
		web_set_header(w, "Location", "/payments/cards");
	return web_done(w, HTTP_CREATED, &card_shape, &card, "/payments/cards?saved=%lld", (long long)card.card_id);
}

/* POST /payments/cards/new - to the provider's page, which returns to /payments/cards/return. */
enum status
do_new_card(struct web *w)
{
	const char *next = next_page_of(w), *customer_key, *success, *failure;

	if (form_bad(w))
		return show_cards(w, NULL, HTTP_UNPROCESSABLE, NULL);
	customer_key = payer_make(w->db, w->user.id);
	if (!customer_key)
		return web_broken(w);
	success = arena_printf(
		w->m, "%s/payments/cards/return%s%s", settings.base_url, *next ? "?next=" : "", web_encode(w, next));
	failure = arena_printf(
		w->m, "%s/payments/cards%s%s", settings.base_url, *next ? "?next=" : "", web_encode(w, next));
	return web_redirect_out(w, provider->card_page(w->m, customer_key, success, failure));
}

/*
 * GET /payments/cards/return?authKey&customerKey - the provider sends the browser back. It writes although it is a GET:
 * authKey is valid once, for the customer who is signed in here. Repeated, it saves the card once.
 */
enum status
do_card_return(struct web *w)
{
	const char *auth_key = form_raw(w, "authKey"), *customer_key = form_raw(w, "customerKey"),
		   *next = next_page_of(w);
	const char *own_key = payer_key(w->db, w->user.id);
	enum card_outcome outcome;
	struct card card;

	if (!own_key || strcmp(own_key, customer_key) != 0)
		return web_forbidden(w);
	if (!*auth_key || strlen(auth_key) > 300)
		return refuse_card(w, CARD_REFUSED);
	outcome = card_save(w->db, w->user.id, auth_key, "return", &card);
	if (outcome != CARD_SAVED)
		return refuse_card(w, outcome);
	if (*next)
		return web_redirect(w, "%s", next);
	return web_redirect(w, "/payments/cards?saved=%lld", (long long)card.card_id);
}

/* --- removing one ------------------------------------------------------------------------------------------------- */

enum status
page_remove_card(struct web *w)
{
	struct card card;

	menu_of(w)->nav_cards = true;
	if (!card_find(w->db, w->user.id, web_param_id(w, "card_id"), &card))
		return web_not_found(w);
	return web_answer(w, HTTP_OK, &card_shape, &remove_html, &card);
}

/* A second click leads to the same page as the first. A card of another customer is not found. */
enum status
do_remove_card(struct web *w)
{
	bool removed = card_remove(w->db, w->user.id, web_param_id(w, "card_id"));

	if (!removed && w->json)
		return web_not_found(w);
	return web_done(w, HTTP_NO_CONTENT, NULL, NULL, "/payments/cards%s", removed ? "?removed=1" : "");
}
