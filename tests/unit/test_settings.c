/* test_settings - motorpool.conf: its syntax, and that it lists every setting with its default. */
#include "test.h"

#include "scratch.h"

#include "domain/rental.h"
#include "lib/base/settings.c"

static bool
open_with(const char *root_text, const char *var_text, const char **why)
{
	const char *root = scratch_path("root"), *var = scratch_path("var");

	*why = "";
	mkdir(root, 0755);
	mkdir(var, 0755);
	unlink(scratch_path("var/motorpool.conf"));
	scratch_write(scratch_path("root/motorpool.conf"), root_text);
	if (var_text)
		scratch_write(scratch_path("var/motorpool.conf"), var_text);
	return rental_settings_open(root, var, why);
}

static void
expect_refusal(const char *text, const char *part)
{
	const char *why;

	assert_false(open_with("", text, &why));
	if (!strstr(why, part) || !strstr(why, "var/motorpool.conf:"))
		fail_msg("\"%s\" does not say \"%s\" with file and line", why, part);
}

TEST(the_machines_file_overrides_the_shipped_one)
{
	const char *why;

	assert_true(open_with("hold_s = 300\nvat_percent = 7 # lower\n",
		"# here\n\n  hold_s=60  \r\nbase_url = http://a.example/x#y\n", &why));
	assert_int_equal(rental.hold_s, 60);
	assert_string_equal(settings.var_dir, scratch_path("var"));
	assert_int_equal(rental.vat_percent, 7);
	assert_string_equal(settings.base_url, "http://a.example/x#y");
	assert_int_equal(settings.n_workers_min, 2);
	assert_int_equal(settings.n_workers_max, 10);
	assert_false(settings.tls);
	assert_true(rental.sandbox);
}

TEST(the_card_page_of_the_sandbox_is_at_our_own_address)
{
	const char *why;

	assert_true(open_with("", "", &why));
	assert_string_equal(rental.provider_public_url, "http://localhost:8080/sandbox");
	assert_true(open_with("", "tls = yes\nbase_url = https://cars.example\n", &why));
	assert_string_equal(rental.provider_public_url, "https://cars.example/sandbox");
	assert_true(open_with("", "base_url = http://a.example\nprovider_public_url = http://b.example/cards\n", &why));
	assert_string_equal(rental.provider_public_url, "http://b.example/cards");
}

TEST(without_the_shipped_file_nothing_starts)
{
	const char *why = "";

	assert_false(rental_settings_open(scratch_path("nowhere"), scratch, &why));
	assert_non_null(strstr(why, "nowhere/motorpool.conf"));
}

TEST(errors_have_file_and_line)
{
	expect_refusal("hold_s = 60\nwrong_name = 1\n", ":2: wrong_name: there is no such setting");
	expect_refusal("hold_s\n", ":1: expected: name = value");
	expect_refusal("\n\nhold_s = soon\n", ":3: hold_s is not a whole number");
	expect_refusal("hold_s = 60 minutes\n", "is not a whole number");
	expect_refusal("hold_s = 99999999999999999999\n", "is not a whole number");
	expect_refusal("refund_late_percent = 101\n", "must be between 0 and 100");
	expect_refusal("tls = maybe\n", "must be yes or no");
	expect_refusal("currency = Won\xE2\x82\xA9\n", ":1: currency must be the ISO 4217 code of a currency");
	expect_refusal("currency = XYZ\n", "currency must be the ISO 4217 code of a currency");
	expect_refusal("currency = usd\n", "currency must be the ISO 4217 code of a currency");
	expect_refusal("base_url = localhost:8080\n", "must begin with http");
	expect_refusal("base_url = http://localhost:8080/\n", "without a slash");
}

TEST(the_environment_overrides_both_files)
{
	const char *why = "";

	setenv("MOTORPOOL_BASE_URL", "http://localhost:9999", 1);
	assert_true(open_with("", "base_url = http://localhost:7777\n", &why));
	assert_string_equal(settings.base_url, "http://localhost:9999");
	setenv("MOTORPOOL_BASE_URL", "localhost", 1);
	assert_false(open_with("", NULL, &why));
	assert_non_null(strstr(why, "base_url from the environment"));
	unsetenv("MOTORPOOL_BASE_URL");
}

TEST(settings_that_contradict_each_other_are_refused)
{
	const char *why;

	assert_false(open_with("", "session_idle_s = 7200\nsession_max_s = 3600\n", &why));
	assert_false(open_with("", "tls = yes\n", &why));
	assert_true(open_with("", "tls = yes\nbase_url = https://cars.example\n", &why));
	assert_false(open_with("", "base_url = https://cars.example\n", &why));
	assert_non_null(strstr(why, "tls = no"));
}

TEST(real_cards_need_a_currency_without_decimals)
{
	const char *why;

	assert_true(open_with("", "currency = USD\n", &why));
	assert_false(open_with("", "currency = USD\nsandbox = no\n", &why));
	assert_non_null(strstr(why, "the currency has decimals"));
	assert_true(open_with("", "currency = JPY\nsandbox = no\n", &why));
}

TEST(the_file_in_the_tree_names_every_setting_with_its_default)
{
	const char *text = scratch_read("motorpool.conf"), *why = "";

	if (!rental_settings_open(".", scratch, &why))
		fail_msg("%s", why);
	for (int g = 0; g < 2; g++)
		for (int i = 0; i < groups[g].n; i++) {
			const struct setting *s = &groups[g].setting[i];

			if (!strstr(text, arena_printf(scratch_memory, "\n%s = %s ", s->name, s->standard))
				&& !strstr(text, arena_printf(scratch_memory, "\n%s = %s\n", s->name, s->standard)))
				fail_msg("motorpool.conf does not say: %s = %s", s->name, s->standard);
		}
}

/* Every member is one word of 8 bytes. */
TEST(every_member_of_the_structs_is_in_a_table)
{
	const char *why = "";

	assert_true(rental_settings_open(".", scratch, &why));
	assert_true((1 + (size_t)groups[0].n) * 8 >= sizeof(struct settings)); /* var_dir is an argument */
	assert_true((size_t)groups[1].n * 8 >= sizeof(struct rental));
}

TEST_MAIN("settings", NULL, NULL, scratch_begin, scratch_end)
