/* test_request - parsing requests: form encoding, JSON, multipart, cookies, and what is refused. */
#include "test.h"

#include "lib/web/multipart.c"
#include "lib/web/request.c"

static struct arena *m;
static struct input in;

TEST_SETUP(fresh)
{
	if (!m)
		m = arena_new(64 << 20);
	arena_reset(m);
	in = (struct input){ .max = 200 };
	return 0;
}

static bool
form(const char *text)
{
	return request_urlencoded(m, &in, arena_strdup(m, text), strlen(text));
}

static bool
json(const char *text)
{
	return request_json(m, &in, text, strlen(text));
}

static bool
multipart_n(const char *body, size_t n)
{
	return request_multipart(m, &in, "multipart/form-data; boundary=XX", arena_strndup(m, body, n), n);
}

static bool
multipart(const char *body)
{
	return multipart_n(body, strlen(body));
}

static const char *
value(const char *name)
{
	const struct sent *f = input_find(&in, name);

	return f ? f->value : "(not sent)";
}

static void
is_wrong(bool ok, const char *code)
{
	assert_false(ok);
	assert_non_null(in.wrong);
	assert_string_equal(in.code, code);
}

/* --- form encoding ------------------------------------------------------------------------------------------------ */

TEST(names_and_values_are_decoded)
{
	assert_true(form("plate=12%EA%B0%80+3456&na%6De=%3Cb%3E&empty=&alone&a=b=c"));
	assert_int_equal(in.n, 5);
	assert_string_equal(value("plate"), "12가 3456");
	assert_string_equal(value("name"), "<b>");
	assert_string_equal(value("empty"), "");
	assert_string_equal(value("alone"), "");
	assert_string_equal(value("a"), "b=c");
}

TEST(an_empty_query_and_stray_ampersands_are_no_fields)
{
	assert_true(form(""));
	assert_true(form("&&a=1&&"));
	assert_int_equal(in.n, 1);
}

TEST(a_percent_sign_without_two_digits_is_refused)
{
	static const char *const texts[] = { "a=%", "a=%4", "a=%zz", "a=%4z", "%=1", "a=1%" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fresh(NULL);
		is_wrong(form(texts[i]), "bad_request");
	}
}

TEST(the_last_three_bytes_may_be_an_escape)
{
	assert_true(form("a=%41"));
	assert_string_equal(value("a"), "A");
}

TEST(nul_invalid_utf8_and_control_characters_are_refused)
{
	static const char *const texts[] = {
		"a=%00",
		"a%00b=1",
		"a=%FF",
		"a=%C0%AF",
		"a=%ED%A0%80",
		"a=%F4%90%80%80",
		"a=%E2%82",
		"a=%07",
		"a=%7F",
		"a=%1B[0m",
		"a=%C2%85",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fresh(NULL);
		is_wrong(form(texts[i]), "bad_request");
	}
}

TEST(line_breaks_and_tabs_are_text)
{
	assert_true(form("note=one%0D%0Atwo%09three"));
	assert_string_equal(value("note"), "one\r\ntwo\tthree");
}

TEST(a_name_is_neither_empty_nor_long_and_has_no_line_breaks)
{
	char text[100] = "";

	is_wrong(form("=1"), "bad_request");
	fresh(NULL);
	is_wrong(form("a%0Ab=1"), "bad_request");
	fresh(NULL);
	memset(text, 'n', 65);
	is_wrong(form(text), "bad_request");
}

TEST(a_field_sent_twice_carries_its_error)
{
	assert_true(form("a=1&b=2&a=3"));
	assert_int_equal(in.n, 2);
	assert_string_equal(value("a"), "1");
	assert_non_null(input_find(&in, "a")->error);
	assert_null(input_find(&in, "b")->error);
}

TEST(more_fields_than_allowed_are_refused)
{
	struct buf text = { .m = m };

	for (int i = 0; i < 200; i++)
		buf_printf(&text, "f%d=1&", i);
	assert_true(form(text.s));
	in = (struct input){ .max = 200 };
	buf_puts(&text, "one_more=1");
	is_wrong(form(text.s), "too_many_fields");
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

TEST(json_members_become_fields_of_their_kind)
{
	assert_true(
		json("{\"plate\":\"12가\",\"seats\":5,\"far\":-9223372036854775808,\"is_late\":true,\"other\":false,"
		     "\"none\":null}"));
	assert_string_equal(value("plate"), "12가");
	assert_int_equal(input_find(&in, "plate")->kind, SENT_TEXT);
	assert_string_equal(value("seats"), "5");
	assert_int_equal(input_find(&in, "seats")->kind, SENT_INT);
	assert_string_equal(value("far"), "-9223372036854775808");
	assert_string_equal(value("is_late"), "true");
	assert_string_equal(value("other"), "false");
	assert_int_equal(input_find(&in, "other")->kind, SENT_BOOL);
	assert_string_equal(value("none"), "");
	assert_int_equal(input_find(&in, "none")->kind, SENT_NOTHING);
}

TEST(members_inside_json_lists_and_objects_are_named_as_in_a_form)
{
	assert_true(json("{\"delivery\":{\"zone\":\"city\",\"collect\":true},\"equipment\":[{\"item_id\":3,\"qty\":2},"
			 "{\"item_id\":4}],\"list\":[1,\"b\"],\"none\":[],\"empty\":{}}"));
	assert_string_equal(value("delivery.zone"), "city");
	assert_int_equal(input_find(&in, "delivery.collect")->kind, SENT_BOOL);
	assert_string_equal(value("equipment.0.item_id"), "3");
	assert_int_equal(input_find(&in, "equipment.0.qty")->kind, SENT_INT);
	assert_string_equal(value("equipment.1.item_id"), "4");
	assert_string_equal(value("list.1"), "b");
	assert_int_equal(input_find(&in, "none")->kind, SENT_NOTHING);
	assert_int_equal(input_find(&in, "empty")->kind, SENT_NOTHING);
}

TEST(json_is_parsed_two_levels_deep_and_no_further)
{
	assert_true(json("{\"a\":[{\"b\":[1],\"c\":{\"d\":1},\"e\":1}],\"x.y\":1,\"x\":{\"y\":2}}"));
	assert_non_null(input_find(&in, "a.0.b")->error);
	assert_non_null(input_find(&in, "a.0.c")->error);
	assert_null(input_find(&in, "a.0.e")->error);
	assert_non_null(input_find(&in, "x.y")->error); /* sent twice */
}

TEST(json_members_inside_count_as_fields_too)
{
	struct buf text = { .m = m };

	buf_puts(&text, "{\"a\":[0");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, ",1");
	buf_puts(&text, "]}");
	is_wrong(json(text.s), "too_many_fields");
}

TEST(json_fractions_are_an_error_of_their_field)
{
	assert_true(json("{\"price\":1.5,\"good\":1,\"big\":1e3}"));
	assert_non_null(input_find(&in, "price")->error);
	assert_non_null(input_find(&in, "big")->error);
	assert_null(input_find(&in, "good")->error);
}

TEST(what_is_not_one_json_object_is_bad_json)
{
	static const char *const texts[] = {
		"{",
		"[1]",
		"1",
		"\"a\"",
		"{} {}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":99999999999999999999}",
		"{\"a\":1e999}",
		"{a:1}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":1,}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fresh(NULL);
		is_wrong(json(texts[i]), "bad_json");
	}
}

TEST(json_text_has_the_same_rules_as_form_text)
{
	is_wrong(json("{\"a\":\"\\u0007\"}"), "bad_request");
	fresh(NULL);
	is_wrong(json("{\"a\":\"\xff\"}"), "bad_request");
	fresh(NULL);
	is_wrong(json("{\"a\\u0009\":\"x\"}"), "bad_request");
	fresh(NULL);
	is_wrong(request_json(m, &in, "{\"a\":1}\0", 8), "bad_request");
}

TEST(json_nested_a_thousand_deep_is_refused_not_crashed)
{
	struct buf text = { .m = m };

	buf_puts(&text, "{\"a\":");
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "[");
	is_wrong(json(text.s), "bad_json");
}

/* --- multipart ---------------------------------------------------------------------------------------------------- */

#define PART(name) "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(name) "--XX\r\nContent-Disposition: form-data;" \
	" name=\"" name "\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"

TEST(multipart_holds_fields_and_one_file)
{
	static const char body[] =
		PART("plate") "12가 3456\r\n" PART("empty") "\r\n" FILE_PART("photo") "\xff\xd8\0\r\n--X\r\n"
										      "--XX--\r\n";

	assert_true(multipart_n(body, sizeof(body) - 1));
	assert_int_equal(in.n, 2);
	assert_string_equal(value("plate"), "12가 3456");
	assert_string_equal(value("empty"), "");
	assert_string_equal(in.file.name, "photo");
	assert_int_equal(in.file.n, 8);
	assert_memory_equal(in.file.bytes, "\xff\xd8\0\r\n--X", 8);
}

TEST(a_file_field_left_empty_is_no_file)
{
	assert_true(multipart(
		"--XX\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"\"\r\n\r\n\r\n--XX--\r\n"));
	assert_null(in.file.bytes);
	assert_int_equal(in.n, 0);
}

TEST(a_quoted_boundary_is_understood)
{
	char *body = arena_strdup(m, PART("a") "1\r\n--XX--\r\n");

	assert_true(
		request_multipart(m, &in, "multipart/form-data; charset=utf-8; boundary=\"XX\"", body, strlen(body)));
	assert_string_equal(value("a"), "1");
}

TEST(multipart_that_is_cut_off_or_malformed_is_refused)
{
	static const char *const bodies[] = {
		"",
		"--",
		"--XX",
		"--XX\r\n",
		"--XX--x" + 6,
		"--YY\r\n",
		PART("a"),
		PART("a") "1",
		PART("a") "1\r\n--XX",
		PART("a") "1\r\n--XX\r\n",
		PART("a") "1\r\n--XXjunk",
		"--XX\r\n\r\n1\r\n--XX--\r\n",
		"--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--\r\n",
		"--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--XX--\r\n",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		fresh(NULL);
		is_wrong(multipart(bodies[i]), "bad_request");
	}
}

TEST(multipart_without_a_boundary_is_refused)
{
	char body[] = "--XX--";

	is_wrong(request_multipart(m, &in, "multipart/form-data", body, 6), "bad_request");
	fresh(NULL);
	is_wrong(request_multipart(m, &in, "multipart/form-data; boundary=", body, 6), "bad_request");
}

TEST(a_second_file_is_refused)
{
	is_wrong(multipart(FILE_PART("a") "1\r\n" FILE_PART("b") "2\r\n--XX--\r\n"), "bad_request");
}

TEST(a_nul_in_a_multipart_text_is_refused)
{
	static const char body[] = PART("a") "1\0"
					     "2\r\n--XX--\r\n";

	is_wrong(multipart_n(body, sizeof(body) - 1), "bad_request");
}

TEST(parts_are_counted_like_fields)
{
	struct buf body = { .m = m };

	for (int i = 0; i < 300; i++)
		buf_puts(&body, "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n");
	buf_puts(&body, "--XX--\r\n");
	is_wrong(multipart_n(body.s, body.n), "too_many_fields");
}

/* --- cookies ------------------------------------------------------------------------------------------------------ */

TEST(cookies_are_separated_by_semicolons_and_blanks)
{
	struct cookie c[4];

	assert_int_equal(request_cookies(m, "a=1; mp_session=abc ;; b=x=y;", c, 4), 3);
	assert_string_equal(c[0].value, "1");
	assert_string_equal(c[1].name, "mp_session");
	assert_string_equal(c[1].value, "abc");
	assert_string_equal(c[2].value, "x=y");
}

TEST(what_is_not_a_cookie_is_skipped)
{
	struct cookie c[4];

	assert_int_equal(request_cookies(m, NULL, c, 4), 0);
	assert_int_equal(request_cookies(m, "", c, 4), 0);
	assert_int_equal(request_cookies(m, "alone; =x; q=\"a\"; k=\xea\xb0\x80; ok=1", c, 4), 1);
	assert_string_equal(c[0].name, "ok");
}

TEST(more_cookies_than_there_is_room_for_are_left_out)
{
	struct cookie c[2];

	assert_int_equal(request_cookies(m, "a=1;b=2;c=3;d=4", c, 2), 2);
}

TEST_MAIN("request", NULL, NULL, fresh, NULL)
