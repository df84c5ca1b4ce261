/*
 * card - saved cards. The provider keeps the card; we keep its billing key, its brand and its last four digits.
 *
 * The provider knows a customer by a random key (payer), so that its records and ours can be joined only here.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#define ISSUE_MS 5000           /* longer than a call's deadline: a person waits, not a program */
#define SAVE_MS  2000           /* of the sweep, for which other charges wait */
#define TOKEN_LIVES_S 600       /* the provider takes a one-time token no longer */

static const struct member card_members[] = {
	SHAPE_INT(card, card_id), SHAPE_TEXT(card, brand), SHAPE_TEXT(card, last4), SHAPE_TIME(card, created_at),
};
const struct shape card_shape = SHAPE(card, card_members);

static const struct member card_source_members[] = {
	SHAPE_TEXT(card_source, billing_key), SHAPE_TEXT(card_source, customer_key), SHAPE_TEXT(card_source, brand),
	SHAPE_TEXT(card_source, last4),
};
static const struct shape card_source_shape = SHAPE(card_source, card_source_members);

const char *
payer_key(struct db *db, int64_t user_id)
{
	return db_text(db, "SELECT customer_key FROM payer WHERE user_id = $1", user_id);
}

const char *
payer_make(struct db *db, int64_t user_id)
{
	const char *key = payer_key(db, user_id);

	if (key)
		return key;
	db_do(db, "INSERT INTO payer (user_id, customer_key) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING", user_id,
		secret_token(db_memory(db)));
	return payer_key(db, user_id);
}

static int64_t
n_cards_of(struct db *db, int64_t user_id)
{
	return db_int(db, "SELECT COUNT(*) FROM card WHERE user_id = $1 AND removed_at = 0", user_id);
}

/* The same billing key again is the same card: a repeated request, or a card saved again after it was removed. */
static void
keep(struct db *db, int64_t user_id, const struct provider_answer *a, struct card *card)
{
	*card = (struct card){ .brand = a->brand, .last4 = a->last4, .created_at = clock_now() };
	card->card_id = db_int(db,
		"INSERT INTO card (user_id, billing_key, brand, last4, created_at) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (billing_key) DO UPDATE SET removed_at = 0 WHERE card.user_id = excluded.user_id"
		" RETURNING card_id",
		user_id, a->billing_key, a->brand, a->last4, card->created_at);
	if (!card->card_id && !db_failed(db))
		db_fail(db, "the provider issued one billing key to two customers");
}

static enum card_outcome
issue_and_keep(
	struct db *db, int64_t user_id, const char *token, const char *request_key, int64_t until_ms, struct card *card)
{
	struct arena *m = db_memory(db);
	const char *customer_key, *key;
	struct provider_answer a;

	if (n_cards_of(db, user_id) >= MAX_CARDS)
		return CARD_TOO_MANY;
	customer_key = payer_make(db, user_id);
	if (!customer_key || !db_durable(db))
		return CARD_LATER;
	key = secret_hash(m, arena_printf(m, "%s %s %s", customer_key, token, request_key));
	a = provider->issue_card(m, token, customer_key, key, until_ms);
	switch (a.outcome) {
	case PROVIDER_OK: keep(db, user_id, &a, card); return CARD_SAVED;
	case PROVIDER_DECLINED:
	case PROVIDER_NOTHING: return CARD_REFUSED;
	case PROVIDER_LATER:
	case PROVIDER_UNKNOWN: break;
	}
	return CARD_LATER;
}

enum card_outcome
card_save(struct db *db, int64_t user_id, const char *token, const char *request_key, struct card *card)
{
	return issue_and_keep(db, user_id, token, request_key, clock_ms() + ISSUE_MS, card);
}

/* While the provider does not answer it is asked again, as long as its token is valid. */
void
card_save_of_charge(struct db *db, int64_t charge_id)
{
	enum card_outcome outcome;
	struct charge c;
	struct card card;

	if (!charge_by_id(db, charge_id, &c) || !*c.card_token)
		return;
	outcome = issue_and_keep(db, c.user_id, c.card_token, "paid", clock_ms() + SAVE_MS, &card);
	if (outcome == CARD_LATER && clock_now() - c.approved_at < TOKEN_LIVES_S)
		return;
	if (outcome != CARD_SAVED)
		log_warn("card", "%s: the card that paid was not saved (%d)", c.key, (int)outcome);
	db_do(db, "UPDATE charge SET card_token = '' WHERE charge_id = $1", charge_id);
}

int
card_list(struct db *db, int64_t user_id, struct card **cards, int *n_cards)
{
	return db_list(db, &card_shape, cards, n_cards,
		"SELECT card_id, brand, last4, created_at FROM card WHERE user_id = $1 AND removed_at = 0"
		" ORDER BY card_id",
		user_id);
}

bool
card_find(struct db *db, int64_t user_id, int64_t card_id, struct card *card)
{
	return db_one(db, &card_shape, card,
		"SELECT card_id, brand, last4, created_at FROM card WHERE card_id = $1 AND user_id = $2"
		" AND removed_at = 0",
		card_id, user_id);
}

bool
card_remove(struct db *db, int64_t user_id, int64_t card_id)
{
	return db_do(db, "UPDATE card SET removed_at = $3 WHERE card_id = $1 AND user_id = $2 AND removed_at = 0",
		       card_id, user_id, clock_now())
		== 1;
}

bool
card_source(struct db *db, int64_t user_id, int64_t card_id, struct card_source *s)
{
	return db_one(db, &card_source_shape, s,
		"SELECT c.billing_key, p.customer_key, c.brand, c.last4 FROM card c JOIN payer p"
		" ON p.user_id = c.user_id"
		" WHERE c.card_id = $1 AND c.user_id = $2 AND c.removed_at = 0",
		card_id, user_id);
}
