/*
 * money.c - how amounts are written and read. The number of decimals decides where the point is; the sign, or in
 * Korean the word behind the number, is the currency's.
 */
#include "money.h"

#include "lang.h"

#include <string.h>
#include <strings.h>

/* --- the currencies ----------------------------------------------------------------------------------------------- */

/* ISO 4217, without funds, metals and units of account. */
static const struct { int decimals; const char *codes; } known[] = {
	{ 0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF" },
	{ 2, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
	     "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
	     "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
	     "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD SAR SBD SCR SDG SEK SGD SHP SLE "
	     "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW "
	     "ZWG" },
	{ 3, "BHD IQD JOD KWD LYD OMR TND" },
};

/* Those that are not written with their code: the sign before the number, in Korean the word behind it. */
static const struct sign { const char *code, *sign, *word_ko; } signs[] = {
	{ "KRW", "₩", "원" },
	{ "JPY", "¥", "엔" },
	{ "USD", "$", "달러" },
	{ "EUR", "€", "유로" },
	{ "GBP", "£", "파운드" },
	{ "VND", "₫", "동" },
};

static struct currency {
	char code[4];
	int decimals;
	const char *sign, *word_ko;             /* word_ko NULL: the sign in Korean too */
} currency = { "KRW", 0, "₩", "원" };

int
money_decimals_of(const char *code)
{
	if (strlen(code) != 3 || strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		return -1;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(known[i].codes, code))
			return known[i].decimals;
	return -1;
}

/* settings_open() has refused an unknown code. */
void
money_open(const char *code)
{
	static char code_and_blank[5];
	int decimals = money_decimals_of(code);

	if (decimals < 0)
		return;
	memcpy(currency.code, code, sizeof(currency.code));
	memcpy(code_and_blank, code, 3);
	code_and_blank[3] = ' ';
	currency.decimals = decimals;
	currency.sign = code_and_blank;
	currency.word_ko = NULL;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcmp(signs[i].code, code) == 0) {
			currency.sign = signs[i].sign;
			currency.word_ko = signs[i].word_ko;
		}
}

const char *
money_currency(void)
{
	return currency.code;
}

int
money_decimals(void)
{
	return currency.decimals;
}

/* --- written ------------------------------------------------------------------------------------------------------ */

/* Writes backwards from end: the decimals, then the units, in groups of three if there is a separator. */
static char *
digits_of(char *end, uint64_t u, int decimals, char separator)
{
	char *s = end;

	if (decimals > 0) {
		for (int i = 0; i < decimals; i++, u /= 10)
			*--s = (char)('0' + u % 10);
		*--s = '.';
	}
	for (int i = 0; i == 0 || u; i++, u /= 10) {
		if (separator && i && i % 3 == 0)
			*--s = separator;
		*--s = (char)('0' + u % 10);
	}
	return s;
}

static void
put(struct buf *out, const char *before, int64_t amount, char separator, const char *behind)
{
	char number[40], *end = number + sizeof(number), *s;

	s = digits_of(end, amount < 0 ? -(uint64_t)amount : (uint64_t)amount, currency.decimals, separator);
	if (amount < 0)
		buf_puts(out, "-");
	buf_puts(out, before);
	buf_put(out, s, (size_t)(end - s));
	buf_puts(out, behind);
}

void
money_put(struct buf *out, int lang, int64_t amount)
{
	if (lang == LANG_KO && currency.word_ko)
		put(out, "", amount, ',', currency.word_ko);
	else
		put(out, currency.sign, amount, ',', "");
}

void
money_input(struct buf *out, int64_t amount)
{
	put(out, "", amount, '\0', "");
}

const char *
money_in_words(struct arena *m, int64_t amount)
{
	struct buf b = { .m = m };

	money_put(&b, lang_now(), amount);
	return b.s;
}

/* --- read --------------------------------------------------------------------------------------------------------- */

static const char *
skip_blanks(const char *s)
{
	return s + strspn(s, " ");
}

/* Behind the currency's sign, code or Korean word, if s begins with one of them. */
static const char *
skip_currency(const char *s)
{
	const char *const marks[] = { currency.code, currency.sign, currency.word_ko };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i] && strncasecmp(s, marks[i], strlen(marks[i])) == 0)
			return skip_blanks(s + strlen(marks[i]));
	return s;
}

static const char *
skip_minus(const char *s, bool *is_negative)
{
	if (*s != '-' && *s != '+')
		return s;
	*is_negative = *s == '-';
	return skip_blanks(s + 1);
}

/* "-$45", "$-45": one minus. */
static const char *
skip_begin(const char *s, bool *is_negative)
{
	const char *begin = skip_blanks(s), *behind_minus = skip_minus(begin, is_negative);

	s = skip_currency(behind_minus);
	return behind_minus == begin ? skip_minus(s, is_negative) : s;
}

static size_t
n_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* Adds a digit at the end; what does not fit becomes INT64_MAX. */
static void
add_digit(int64_t *amount, int digit)
{
	if (__builtin_mul_overflow(*amount, 10, amount) || __builtin_add_overflow(*amount, digit, amount))
		*amount = INT64_MAX;
}

static const char *
take_digits(const char *s, size_t n, int64_t *amount)
{
	while (n--)
		add_digit(amount, *s++ - '0');
	return s;
}

/* "1234" or "1,234": behind a comma are exactly three digits. NULL: a comma is elsewhere. */
static const char *
take_units(const char *s, int64_t *amount)
{
	size_t n = n_digits(s);

	if (s[n] == ',' && (n < 1 || n > 3))
		return NULL;
	s = take_digits(s, n, amount);
	for (; *s == ','; s = take_digits(s + 1, 3, amount))
		if (n_digits(s + 1) != 3)
			return NULL;
	return s;
}

/* s is behind the point; missing decimals are 0. */
static const char *
take_decimals(const char *s, size_t n, int64_t *amount)
{
	s = take_digits(s, n, amount);
	for (size_t i = n; i < (size_t)currency.decimals; i++)
		add_digit(amount, 0);
	return s;
}

enum money_typed
money_read(const char *typed, int64_t *amount)
{
	bool is_negative = false, has_point;
	const char *s = skip_begin(typed, &is_negative), *units = s;
	size_t n;

	*amount = 0;
	s = take_units(s, amount);
	if (!s)
		return MONEY_NOT_AN_AMOUNT;
	has_point = *s == '.';
	n = has_point ? n_digits(s + 1) : 0;
	if (has_point ? n == 0 : s == units)
		return MONEY_NOT_AN_AMOUNT;
	if (*skip_currency(skip_blanks(s + has_point + n)))
		return MONEY_NOT_AN_AMOUNT;
	if (n > (size_t)currency.decimals)
		return MONEY_TOO_FINE;
	take_decimals(s + has_point, n, amount);
	if (is_negative)
		*amount = -*amount;
	return MONEY_OK;
}
