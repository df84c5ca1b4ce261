/* test_money - which currencies there are, and how amounts are written and read. */
#include "test.h"

#include "lib/base/lang.h"
#include "lib/base/money.c"

static struct arena *m;

TEST_SETUP(fresh)
{
	if (!m)
		m = arena_new(16 << 20);
	arena_reset(m);
	money_open("KRW");
	lang_set(LANG_EN);
	return 0;
}

static const char *
money(int lang, int64_t amount)
{
	struct buf b = { .m = m };

	money_put(&b, lang, amount);
	return b.s;
}

static const char *
as_input(int64_t amount)
{
	struct buf b = { .m = m };

	money_input(&b, amount);
	return b.s;
}

/* --- written ------------------------------------------------------------------------------------------------------ */

TEST(won_have_no_decimals)
{
	assert_string_equal(money_currency(), "KRW");
	assert_int_equal(money_decimals(), 0);
	assert_string_equal(money(LANG_KO, 207000), "207,000원");
	assert_string_equal(money(LANG_EN, 207000), "₩207,000");
	assert_string_equal(money(LANG_EN, 0), "₩0");
	assert_string_equal(money(LANG_EN, 999), "₩999");
	assert_string_equal(money(LANG_EN, 1000), "₩1,000");
	assert_string_equal(money(LANG_KO, 1234567890), "1,234,567,890원");
}

TEST(the_minus_sign_comes_first)
{
	assert_string_equal(money(LANG_EN, -5000), "-₩5,000");
	assert_string_equal(money(LANG_KO, -5000), "-5,000원");
	assert_string_equal(money(LANG_KO, INT64_MIN), "-9,223,372,036,854,775,808원");
}

TEST(other_currencies_have_their_own_decimals)
{
	money_open("USD");
	assert_string_equal(money(LANG_EN, 123456), "$1,234.56");
	assert_string_equal(money(LANG_KO, 123456), "1,234.56달러");
	assert_string_equal(money(LANG_EN, 5), "$0.05");
	assert_string_equal(money(LANG_EN, -5), "-$0.05");
	money_open("KWD");
	assert_string_equal(money(LANG_EN, 1234567), "KWD 1,234.567");
	assert_string_equal(money(LANG_KO, 1234567), "KWD 1,234.567");
	money_open("JPY");
	assert_string_equal(money(LANG_KO, 1000), "1,000엔");
	money_open("CHF");
	assert_string_equal(money_currency(), "CHF");
	assert_string_equal(money(LANG_EN, 1234), "CHF 12.34");
	money_open("XOF");
	assert_string_equal(money(LANG_EN, 1234), "XOF 1,234");
}

TEST(a_currency_is_known_by_its_code_in_capitals)
{
	static const char *const good[] = { "KRW", "USD", "AED", "ZWG", "XPF", "BIF", "TND", "BHD" },
				 *const bad[] = { "", "KR", "KRWX", "krw", "XYZ", "RW ", "W K", "₩", "EUR USD" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(money_decimals_of(good[i]) >= 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(money_decimals_of(bad[i]), -1);
}

/* --- read --------------------------------------------------------------------------------------------------------- */

struct typed { const char *text; int64_t amount; };

static void
reads(const char *currency_code, const struct typed *t, size_t n)
{
	int64_t amount;

	money_open(currency_code);
	for (size_t i = 0; i < n; i++) {
		if (money_read(t[i].text, &amount) != MONEY_OK || amount != t[i].amount)
			fail_msg("%s: \"%s\" is %lld, not %lld", currency_code, t[i].text, (long long)amount,
				(long long)t[i].amount);
	}
}
#define READS(code, ...) \
	reads(code, (struct typed[]){ __VA_ARGS__ }, sizeof((struct typed[]){ __VA_ARGS__ }) / sizeof(struct typed))

TEST(an_amount_is_read_with_its_decimals_groups_and_sign)
{
	READS("USD", { "45", 4500 }, { "45.5", 4550 }, { "45.50", 4550 }, { "1,234.50", 123450 }, { "$45", 4500 },
		{ "$ 45", 4500 }, { "usd 45", 4500 }, { "45.00 USD", 4500 }, { "45달러", 4500 }, { ".5", 50 },
		{ "-$45", -4500 }, { "$-45", -4500 }, { "+45", 4500 }, { "0", 0 }, { "007", 700 },
		{ "1,000,000", 100000000 });
	READS("KRW", { "45000", 45000 }, { "45,000", 45000 }, { "₩45,000", 45000 }, { "45,000원", 45000 },
		{ "45000 원", 45000 }, { "KRW 45,000", 45000 });
	READS("JPY", { "¥4,500", 4500 }, { "4500엔", 4500 });
	READS("KWD", { "45", 45000 }, { "45.5", 45500 }, { "45.505", 45505 }, { "KWD 1,234.567", 1234567 });
}

TEST(an_amount_beyond_the_largest_integer_is_clamped)
{
	READS("USD", { "99999999999999999999", INT64_MAX }, { "92233720368547758.08", INT64_MAX },
		{ "92233720368547758.07", INT64_MAX }, { "92233720368547758.06", INT64_MAX - 1 },
		{ "-99999999999999999999.99", -INT64_MAX });
}

static void
does_not_read(const char *currency_code, enum money_typed problem, const char *typed)
{
	int64_t amount;

	money_open(currency_code);
	if (money_read(typed, &amount) != problem)
		fail_msg("%s: \"%s\" is read", currency_code, typed);
}

TEST(more_decimals_than_the_currency_has_are_refused)
{
	does_not_read("USD", MONEY_TOO_FINE, "45.505");
	does_not_read("USD", MONEY_TOO_FINE, "$45.500");
	does_not_read("KRW", MONEY_TOO_FINE, "45.5");
	does_not_read("KRW", MONEY_TOO_FINE, "45.00");
	does_not_read("JPY", MONEY_TOO_FINE, "¥45.5");
	does_not_read("KWD", MONEY_TOO_FINE, "45.5055");
}

TEST(what_is_no_amount_is_refused)
{
	static const char *const bad[] = { "", " ", "$", "-", "--5", "+-5", "-$-5", "$$5", "45.", ".", "45.5.5", "45,5",
		"4,50", "1,2345", "1234,567", ",000", "1,,000", "1,000,", "1.234,50", "45 000", "€45", "45€", "EUR 45",
		"1e9", "0x10", "forty", "45 45", "45x", "USD", "45.-5", "4 5", "<b>" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		does_not_read("USD", MONEY_NOT_AN_AMOUNT, bad[i]);
}

TEST(what_is_written_can_be_read_again)
{
	static const char *const codes[] = { "KRW", "USD", "JPY", "KWD", "CHF", "VND" };
	unsigned seed = 10;

	for (int i = 0; i < 6000; i++) {
		int64_t amount = (int64_t)rand_r(&seed) * (i % 7 ? 1 : rand_r(&seed) % 1000), back;

		money_open(codes[i % 6]);
		for (int lang = 0; lang < N_LANGS; lang++) {
			assert_int_equal(money_read(money(lang, amount), &back), MONEY_OK);
			assert_int_equal(back, amount);
			assert_int_equal(money_read(money(lang, -amount), &back), MONEY_OK);
			assert_int_equal(back, -amount);
		}
		assert_int_equal(money_read(as_input(amount), &back), MONEY_OK);
		assert_int_equal(back, amount);
		arena_reset(m);
	}
}

TEST(a_field_holds_neither_groups_nor_sign)
{
	assert_string_equal(as_input(1234567), "1234567");
	money_open("USD");
	assert_string_equal(as_input(4500), "45.00");
	assert_string_equal(as_input(123450), "1234.50");
	assert_string_equal(as_input(-5), "-0.05");
	money_open("KWD");
	assert_string_equal(as_input(5), "0.005");
}

TEST_MAIN("money", NULL, NULL, fresh, NULL)
