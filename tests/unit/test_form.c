/* test_form - typed fields: accepted values, error messages, unknown fields, and what a page shows after an error. */
#include "test.h"

#include "domain/rental_form.h"
#include "lib/web/field.c"
#include "lib/web/form.c"

static struct web w;
static struct web_inside in;

TEST_SETUP(fresh)
{
	if (!w.m)
		w.m = arena_new(16 << 20);
	arena_reset(w.m);
	clock_open("Asia/Seoul");
	money_open("KRW");
	lang_set(LANG_EN);
	w = (struct web){ .m = w.m, .in = &in, .method = POST };
	memset(&in, 0, sizeof(in));
	in.body.max = in.query.max = 200;
	return 0;
}

static void
post(const char *text)
{
	assert_true(request_urlencoded(w.m, &in.body, arena_strdup(w.m, text), strlen(text)));
}

static void
post_json(const char *text)
{
	assert_true(request_json(w.m, &in.body, text, strlen(text)));
}

static bool
has_error(const char *name)
{
	return error_of(&w, name) != NULL;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

TEST(a_whole_number_in_its_range_is_accepted)
{
	post("a=5&b=+-3&c=%2B7&d=007");
	assert_int_equal(form_int(&w, "a", 1, 10), 5);
	assert_int_equal(form_int(&w, "b", -5, 10), -3);
	assert_int_equal(form_int(&w, "c", 1, 10), 7);
	assert_int_equal(form_int(&w, "d", 1, 10), 7);
	assert_false(form_bad(&w));
}

TEST(what_is_not_a_number_or_is_out_of_range_gets_an_error)
{
	post("a=11&b=x&c=1.5&d=99999999999999999999&e=&f=-99999999999999999999&g=-");
	assert_int_equal(form_int(&w, "a", 1, 10), 0);
	assert_int_equal(form_int(&w, "b", 1, 10), 0);
	assert_int_equal(form_int(&w, "c", 1, 10), 0);
	assert_int_equal(form_int(&w, "d", 1, 10), 0);
	assert_int_equal(form_int(&w, "e", 1, 10), 0);
	assert_int_equal(form_int(&w, "f", 1, 10), 0);
	assert_int_equal(form_int(&w, "g", 1, 10), 0);
	assert_int_equal(form_int(&w, "missing", 1, 10), 0);
	assert_int_equal(form_n_errors(&w), 8);
	assert_string_equal(error_of(&w, "a"), "Please enter a number from 1 to 10.");
}

TEST(an_amount_may_have_commas_where_they_belong)
{
	post("a=90%2C000&b=1%2C234%2C567&c=9%2C00&d=90.5&e=-1&f=1000000000000000000&g=%2C000");
	assert_int_equal(form_amount(&w, "a", 0, 100000000), 90000);
	assert_int_equal(form_amount(&w, "b", 0, 100000000), 1234567);
	assert_false(has_error("a") || has_error("b"));
	form_amount(&w, "c", 0, 100000000);
	form_amount(&w, "d", 0, 100000000);
	form_amount(&w, "e", 0, 100000000);
	form_amount(&w, "f", 0, 100000000);
	form_amount(&w, "g", 0, 100000000);
	assert_int_equal(form_n_errors(&w), 5);
}

TEST(an_amount_is_typed_with_the_decimals_of_its_currency)
{
	money_open("USD");
	post("a=45&b=45.5&c=45.50&d=%241%2C234.50&e=45+USD&f=0.01");
	assert_int_equal(form_amount(&w, "a", 1, 100000000), 4500);
	assert_int_equal(form_amount(&w, "b", 1, 100000000), 4550);
	assert_int_equal(form_amount(&w, "c", 1, 100000000), 4550);
	assert_int_equal(form_amount(&w, "d", 1, 100000000), 123450);
	assert_int_equal(form_amount(&w, "e", 1, 100000000), 4500);
	assert_int_equal(form_amount(&w, "f", 1, 100000000), 1);
	assert_false(form_bad(&w));
}

static const char *
amount_error_of(const char *currency, const char *typed)
{
	fresh(NULL);
	money_open(currency);
	post(arena_printf(w.m, "a=%s", typed));
	assert_int_equal(form_amount(&w, "a", 1, 100000), 0);
	return text_or_empty(error_of(&w, "a"));
}

TEST(the_error_of_an_amount_says_what_to_type)
{
	assert_string_equal(amount_error_of("USD", "45.505"), "Please enter an amount with at most 2 decimals.");
	assert_string_equal(amount_error_of("KWD", "45.5055"), "Please enter an amount with at most 3 decimals.");
	assert_string_equal(amount_error_of("KRW", "45.5"), "Please enter an amount without decimals.");
	assert_string_equal(amount_error_of("JPY", "45.50"), "Please enter an amount without decimals.");
	assert_string_equal(amount_error_of("USD", "much"), "Please enter an amount, such as $450.00.");
	assert_string_equal(amount_error_of("USD", "0"), "Please enter an amount from $0.01 to $1,000.00.");
	assert_string_equal(amount_error_of("USD", "1000.01"), "Please enter an amount from $0.01 to $1,000.00.");
	assert_string_equal(amount_error_of("KRW", "-5"), "Please enter an amount from ₩1 to ₩100,000.");
}

TEST(an_amount_in_json_is_a_whole_number_of_the_smallest_unit)
{
	money_open("USD");
	w.json = true;
	post_json("{\"a\":4500,\"b\":\"4500\",\"c\":\"45.00\",\"d\":45.5,\"e\":\"$45\",\"f\":true,\"g\":0}");
	assert_int_equal(form_amount(&w, "a", 1, 100000000), 4500);
	assert_int_equal(form_amount(&w, "b", 1, 100000000), 4500);
	assert_false(has_error("a") || has_error("b"));
	for (const char *name = "c\0d\0e\0f\0g\0"; *name; name += 2)
		assert_int_equal(form_amount(&w, name, 1, 100000000), 0);
	assert_int_equal(form_n_errors(&w), 5);
	assert_string_equal(error_of(&w, "g"), "Please enter a number from 1 to 100000000.");
}

TEST(a_field_shows_an_amount_as_it_is_typed)
{
	struct field f;

	w.method = GET;
	assert_string_equal(form_field_amount(&w, "price", 49000).value, "49000");
	money_open("USD");
	assert_string_equal(form_field_amount(&w, "price", 4500).value, "45.00");
	assert_string_equal(form_field_amount(&w, "price", 123456789).value, "1234567.89");
	assert_string_equal(form_field_amount(&w, "price", 0).value, "");
	assert_string_equal(form_amount_text(&w, 0), "0.00");
	w.method = POST;
	post("price=%2445.505");
	form_amount(&w, "price", 1, 100000);
	f = form_field_amount(&w, "price", 4500);
	assert_string_equal(f.value, "$45.505");
	assert_non_null(f.error);
}

TEST(an_id_is_positive)
{
	post("a=12&b=0&c=-1&d=x");
	assert_int_equal(form_id(&w, "a"), 12);
	assert_int_equal(form_id(&w, "b"), 0);
	assert_int_equal(form_id(&w, "c"), 0);
	assert_int_equal(form_id(&w, "d"), 0);
	assert_int_equal(form_id(&w, "e"), 0);
	assert_int_equal(form_n_errors(&w), 4);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

TEST(branch_time_and_rfc3339_are_the_same_moment)
{
	post("a=2026-11-21T14:00&b=2026-11-21T05:00:00Z");
	assert_int_equal(form_time(&w, "a"), 1795237200);
	assert_int_equal(form_time(&w, "b"), 1795237200);
	assert_false(form_bad(&w));
}

TEST(a_time_that_does_not_exist_or_is_between_half_hours_gets_an_error)
{
	post("a=2026-02-31T10:00&b=2026-11-21T14:10&c=soon");
	assert_int_equal(form_time(&w, "a"), 0);
	assert_int_equal(form_rental_time(&w, "b"), 0);
	assert_int_equal(form_time(&w, "c"), 0);
	assert_int_equal(form_n_errors(&w), 3);
}

TEST(a_date_is_a_real_day)
{
	post("a=2028-02-29&b=2027-02-29");
	assert_string_equal(form_date(&w, "a"), "2028-02-29");
	assert_string_equal(form_date(&w, "b"), "");
	assert_true(has_error("b") && !has_error("a"));
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

TEST(a_text_is_trimmed_counted_in_characters_and_has_uniform_line_ends)
{
	post("a=++%EA%B0%80%EB%82%98+&b=one%0D%0Atwo%0D%0A&c=%EA%B0%80%EB%82%98%EB%8B%A4&d=+++");
	assert_string_equal(form_text(&w, "a", 2), "가나");
	assert_string_equal(form_text(&w, "b", 7), "one\ntwo");
	assert_string_equal(form_text(&w, "c", 2), "");
	assert_string_equal(form_text(&w, "d", 2), "");
	assert_true(has_error("c") && has_error("d"));
	assert_false(has_error("a") || has_error("b"));
}

TEST(a_line_is_a_single_visible_line)
{
	post_json("{\"good\":\"12가 3456\",\"emoji\":\"\U0001F469\u200D\U0001F680\",\"two\":\"a\\nb\","
		  "\"hidden\":\"\u200b\u3164\",\"turned\":\"1\u202e2\"}");
	assert_string_equal(form_line(&w, "good", 10), "12가 3456");
	assert_string_equal(form_line(&w, "emoji", 10), "\U0001F469\u200D\U0001F680");
	assert_false(has_error("good") || has_error("emoji"));
	assert_string_equal(form_line(&w, "two", 10), "");
	assert_string_equal(form_line(&w, "hidden", 10), "");
	assert_string_equal(form_line(&w, "turned", 10), "");
	assert_true(has_error("two") && has_error("hidden") && has_error("turned"));
}

TEST(a_password_keeps_its_blanks_and_is_never_shown_again)
{
	post("password=+secret+sauce+");
	assert_string_equal(form_secret(&w, "password", 8, 200), " secret sauce ");
	assert_string_equal(form_field(&w, "password", NULL).value, "");
	assert_string_equal(form_secret(&w, "password", 15, 200), "");
	assert_true(has_error("password"));
}

TEST(an_email_is_lower_cased_and_plausible)
{
	static const char *const bad[] = { "kim", "kim@", "@b.c", "a b@c.de", "a@b", "a@b@c.de", "a@.de", "a@b.",
		"a..b@c.de", "a@b..de", "\"a\"@b.de" };

	post("a=Kim@Example.COM");
	assert_string_equal(form_email(&w, "a"), "kim@example.com");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fresh(NULL);
		post(arena_printf(w.m, "a=%s", bad[i]));
		assert_string_equal(form_email(&w, "a"), "");
		assert_true(has_error("a"));
	}
}

/* --- choices ------------------------------------------------------------------------------------------------------ */

static const struct word body_word[] = { { "mini", "Mini" }, { "suv", "SUV" } };
static const struct words body_words = WORDS(body_word);

TEST(a_choice_is_one_of_its_words)
{
	post("a=suv&b=SUV");
	assert_int_equal(form_choice(&w, "a", &body_words), 1);
	assert_int_equal(form_choice(&w, "b", &body_words), -1);
	assert_int_equal(form_choice(&w, "c", &body_words), -1);
	assert_int_equal(form_n_errors(&w), 2);
}

TEST(a_checkbox_is_ticked_or_missing)
{
	post("a=on&b=0&c=maybe");
	assert_true(form_tick(&w, "a"));
	assert_false(form_tick(&w, "b"));
	assert_false(form_tick(&w, "absent"));
	assert_false(form_tick(&w, "c"));
	assert_true(has_error("c"));
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

TEST(json_fields_are_read_by_the_same_functions)
{
	post_json("{\"n\":5,\"digits\":\"5\",\"plate\":\"12가\",\"yes\":true,\"none\":null}");
	assert_int_equal(form_int(&w, "n", 1, 10), 5);
	assert_int_equal(form_id(&w, "digits"), 5);
	assert_string_equal(form_text(&w, "plate", 10), "12가");
	assert_true(form_tick(&w, "yes"));
	assert_false(form_has(&w, "none"));
	assert_false(form_bad(&w));
}

TEST(a_json_value_of_the_wrong_kind_gets_an_error)
{
	post_json("{\"plate\":123,\"n\":true,\"price\":1.5,\"list\":[]}");
	form_text(&w, "plate", 10);
	form_int(&w, "n", 0, 10);
	form_amount(&w, "price", 0, 10);
	assert_false(form_has(&w, "list")); /* an empty list is no field; the members of others are: list.0 */
	assert_true(form_bad(&w));
	assert_int_equal(form_n_errors(&w), 3);
	assert_string_equal(error_of(&w, "price"), "Please enter a whole number.");
}

/* --- the form as a whole ------------------------------------------------------------------------------------------ */

TEST(an_unknown_field_is_refused)
{
	post("a=1&csrf=x&form_key=y&admin=1");
	form_int(&w, "a", 0, 9);
	assert_true(form_bad(&w));
	assert_int_equal(form_n_errors(&w), 1);
	assert_true(has_error("admin"));
}

TEST(a_query_may_have_unknown_fields)
{
	w.method = GET;
	assert_true(request_urlencoded(w.m, &in.query, arena_strdup(w.m, "a=1&utm=2"), 9));
	assert_int_equal(form_int(&w, "a", 0, 9), 1);
	assert_false(form_bad(&w));
}

TEST(a_field_sent_twice_gets_an_error_whichever_function_reads_it)
{
	post("a=1&a=2&b=1&b=2");
	assert_int_equal(form_int(&w, "a", 0, 9), 0);
	assert_true(form_bad(&w));
	assert_int_equal(form_n_errors(&w), 2);
}

TEST(the_first_message_of_a_field_stays)
{
	form_error(&w, "a", "one");
	form_error(&w, "a", "two");
	assert_int_equal(form_n_errors(&w), 1);
	assert_string_equal(error_of(&w, "a"), "one");
}

TEST(many_errors_are_all_kept)
{
	for (int i = 0; i < 100; i++)
		form_error(&w, arena_printf(w.m, "f%d", i), "x");
	assert_int_equal(form_n_errors(&w), 100);
	assert_true(has_error("f0") && has_error("f99"));
}

/* --- what the page shows again ------------------------------------------------------------------------------------ */

TEST(a_form_shown_first_has_its_initial_values)
{
	struct field f;

	w.method = GET;
	assert_string_equal(form_field(&w, "plate", "12가").value, "12가");
	assert_string_equal(form_field_int(&w, "seats", 5).value, "5");
	assert_string_equal(form_field_int(&w, "seats", 0).value, "");
	f = form_field_choice(&w, "body", &body_words, 1, "any");
	assert_int_equal(f.n_options, 3);
	assert_string_equal(f.options[0].label, "any");
	assert_false(f.options[0].selected || f.options[1].selected);
	assert_true(f.options[2].selected);
}

TEST(a_form_shown_again_has_what_was_typed)
{
	post("plate=%3Cb%3E&body=&seats=many");
	form_int(&w, "seats", 1, 9);
	assert_string_equal(form_field(&w, "plate", "12가").value, "<b>");
	assert_string_equal(form_field_int(&w, "seats", 5).value, "many");
	assert_non_null(form_field_int(&w, "seats", 5).error);
	assert_true(form_field_choice(&w, "body", &body_words, 1, "any").options[0].selected);
	assert_false(form_field(&w, "is_electric", "1").checked);
}

TEST(problems_are_listed_in_the_order_they_were_found)
{
	struct form_problems p;

	form_error(&w, "b", "second letter");
	form_error(&w, "a", "first letter");
	p = form_problems(&w, "Please look at the marked fields.");
	assert_int_equal(p.n_problems, 2);
	assert_string_equal(p.problems[0].name, "b");
}

TEST_MAIN("form", NULL, NULL, fresh, NULL)
