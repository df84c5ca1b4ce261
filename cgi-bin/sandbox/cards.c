/*
 * cards - the test cards. Only these are accepted, no real ones. docs/sandbox.md lists them.
 */
#include "sandbox.h"

#include "lib/base/lang.h"

#include <string.h>

static const struct test_card cards[] = {
	{ "4242424242424242", "Visa", "41", "tok_ok", TEST_CARD_PAYS, NULL, N_("Payment succeeds") },
	{ "4000000000000002", "Visa", "41", "tok_declined", TEST_CARD_DECLINES, "REJECT_CARD_COMPANY",
		N_("Card declined") },
	{ "4000000000009995", "Visa", "41", NULL, TEST_CARD_DECLINES, "REJECT_CARD_PAYMENT",
		N_("Insufficient funds or credit") },
	{ "4000000000000069", "Visa", "41", NULL, TEST_CARD_DECLINES, "INVALID_CARD_EXPIRATION",
		N_("The card has expired") },
	{ "4000000000009987", "Visa", "41", NULL, TEST_CARD_DECLINES, "INVALID_STOPPED_CARD",
		N_("The card is blocked") },
	{ "378282246310005", "Amex", "7A", NULL, TEST_CARD_DECLINES, "EXCEED_MAX_AMOUNT",
		N_("Above the card's limit") },
	{ "5555555555554444", "Mastercard", "4V", "tok_slow", TEST_CARD_PAYS_SLOWLY, NULL,
		N_("Payment succeeds after a delay of two seconds") },
	{ "3566002020360505", "JCB", "4J", "tok_lost", TEST_CARD_LOSES_ANSWER, NULL,
		N_("Payment succeeds, but the first response is lost") },
};

#define N_CARDS ((int)(sizeof(cards) / sizeof(cards[0])))

int
test_card_count(void)
{
	return N_CARDS;
}

const struct test_card *
test_card(int64_t i)
{
	return i >= 0 && i < N_CARDS ? &cards[i] : NULL;
}

int64_t
test_card_by_number(const char *digits)
{
	for (int i = 0; i < N_CARDS; i++)
		if (strcmp(cards[i].number, digits) == 0)
			return i;
	return -1;
}

int64_t
test_card_by_token(const char *token)
{
	for (int i = 0; i < N_CARDS; i++)
		if (cards[i].token && strcmp(cards[i].token, token) == 0)
			return i;
	return -1;
}

const char *
card_last4(const struct test_card *card)
{
	return card->number + strlen(card->number) - 4;
}

bool
luhn_ok(const char *digits)
{
	size_t n = strlen(digits);
	int sum = 0;

	if (n < 12 || n > 19 || strspn(digits, "0123456789") != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int d = digits[n - 1 - i] - '0';

		if (i % 2)
			d = d > 4 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return sum % 10 == 0;
}
