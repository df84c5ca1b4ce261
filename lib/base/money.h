/*
 * money - amounts of the currency in settings: an int64_t in its smallest unit (won, cents, fils), never a float.
 *
 * People read and type units with their decimals ($45.00), in every page, form and mail; tables, events and JSON have
 * the smallest unit (4500). How many decimals a currency has is in ISO 4217.
 */
#ifndef MP_MONEY_H
#define MP_MONEY_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

/* KRW 0, USD 2, KWD 3; -1: not a current ISO 4217 code, in capitals */
int money_decimals_of(const char *currency);
void money_open(const char *currency);                          /* once, at start-up; KRW until then */
const char *money_currency(void);
int money_decimals(void);

void money_put(struct buf *out, int lang, int64_t amount);      /* 207,000원 / ₩207,000 */
const char *money_in_words(struct arena *m, int64_t amount);    /* the same as a text, in the current language */
void money_input(struct buf *out, int64_t amount);              /* 1234.50, as a field shows it */

enum money_typed {
	MONEY_OK,
	MONEY_NOT_AN_AMOUNT,
	MONEY_TOO_FINE,                         /* more decimals than the currency has */
};
/* An amount as people type it: "45", "45.5", "1,234.50", with the currency's sign, code or Korean word before or behind
 * it. *amount is in the smallest unit, clamped to an int64_t. */
enum money_typed money_read(const char *typed, int64_t *amount);

#endif
