/* test_json - structs written as JSON, and JSON read into structs. */
#include "test.h"

#include "scratch.h"

#include "lib/base/json.c"

static const struct word state_words[] = { { "HELD", "Held" }, { "PAID", "Paid" } };
static const struct words states = WORDS(state_words);

struct line {
	const char *rule;
	int64_t amount;
};
static const struct member line_members[] = { SHAPE_TEXT(line, rule), SHAPE_AMOUNT(line, amount) };
static const struct shape line_shape = SHAPE(line, line_members);

struct order {
	const char *code;
	int64_t number;
	bool is_late;
	int64_t starts_at;
	int state;
	struct line first;
	struct line *extra;
	struct line *lines;
	int n_lines;
	const char *raw;
};
static const struct member order_members[] = {
	SHAPE_TEXT(order, code), SHAPE_INT(order, number), SHAPE_BOOL(order, is_late), SHAPE_TIME(order, starts_at),
	SHAPE_STATE(order, state, states), SHAPE_STRUCT(order, first, line_shape),
	SHAPE_MAYBE(order, extra, line_shape), SHAPE_LIST(order, lines, line_shape), SHAPE_RAW(order, raw),
};
static const struct shape order_shape = SHAPE(order, order_members);

static struct arena *m;

TEST_SETUP(begin)
{
	if (!m)
		m = arena_new(16 << 20);
	arena_reset(m);
	clock_open("Asia/Seoul");
	return 0;
}

static const char *
text(const char *s)
{
	struct buf b = { .m = m };

	json_put_text(&b, s);
	return b.s;
}

TEST(a_struct_is_written_member_by_member)
{
	struct line lines[] = { { "base", 90000 }, { "weekend", INT64_MIN } }, extra = { NULL, INT64_MAX };
	struct order o = { "MP-1", -5, true, 1795237200, 1, { "x", 0 }, &extra, lines, 2, "{\"a\":1}" };
	struct buf b = { .m = m };

	json_put(&b, &order_shape, &o);
	assert_string_equal(b.s,
		"{\"code\":\"MP-1\",\"number\":-5,\"is_late\":true,\"starts_at\":\"2026-11-21T14:00:00+09:00\","
		"\"state\":\"PAID\","
		"\"first\":{\"rule\":\"x\",\"amount\":0},\"extra\":{\"rule\":null,\"amount\":9223372036854775807},"
		"\"lines\":[{\"rule\":\"base\",\"amount\":90000},{\"rule\":\"weekend\","
		"\"amount\":-9223372036854775808}],\"raw\":{\"a\":1}}");
}

TEST(missing_values_are_null)
{
	struct order o = { .state = 7 };
	struct buf b = { .m = m };

	json_put(&b, &order_shape, &o);
	assert_string_equal(b.s,
		"{\"code\":null,\"number\":0,\"is_late\":false,\"starts_at\":null,\"state\":null,"
		"\"first\":{\"rule\":null,\"amount\":0},"
		"\"extra\":null,\"lines\":[],\"raw\":null}");
}

TEST(texts_are_escaped_and_always_valid)
{
	assert_string_equal(text("a\"b\\c/\n\t\x01\x7f"), "\"a\\\"b\\\\c/\\n\\u0009\\u0001\\u007f\"");
	assert_string_equal(text("가나 \xF0\x9F\x9A\x97"), "\"가나 \xF0\x9F\x9A\x97\"");
	assert_string_equal(text("\xE2\x80\xA8\xE2\x80\xA9"), "\"\\u2028\\u2029\"");
	assert_string_equal(
		text("\xFFx\xC0\xAFy\xED\xA0\x80z\xE2\x82"), "\"\uFFFDx\uFFFD\uFFFDy\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD\"");
	assert_string_equal(text(NULL), "null");
}

TEST(any_bytes_at_all_come_out_as_json)
{
	char bytes[40];

	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)rand() % sizeof(bytes);
		json_t *json;

		for (size_t k = 0; k < n; k++)
			bytes[k] = (char)(1 + rand() % 255);
		bytes[n < sizeof(bytes) ? n : n - 1] = '\0';
		json = json_loads(text(bytes), JSON_DECODE_ANY, NULL);
		assert_non_null(json);
		json_decref(json);
		if (i % 1000 == 0)
			arena_reset(m);
	}
}

TEST(what_is_written_is_read_back)
{
	struct line lines[] = { { "base \"x\"", 90000 }, { NULL, -1 } }, extra = { "e", 5 };
	struct order o = { "MP-1 가", INT64_MAX, true, 1795237200, 1, { "x", 7 }, &extra, lines, 2,
		"[1,{\"k\":null}]" },
		     back;
	struct buf b = { .m = m };

	memset(&back, 0, sizeof(back));
	json_put(&b, &order_shape, &o);
	assert_true(json_into(m, b.s, &order_shape, &back));
	assert_string_equal(back.code, o.code);
	assert_true(back.number == INT64_MAX && back.is_late && back.starts_at == o.starts_at && back.state == 1);
	assert_int_equal(back.first.amount, 7);
	assert_string_equal(back.extra->rule, "e");
	assert_int_equal(back.n_lines, 2);
	assert_string_equal(back.lines[0].rule, "base \"x\"");
	assert_null(back.lines[1].rule);
	assert_string_equal(back.raw, o.raw);
}

TEST(missing_members_keep_their_values_and_unknown_ones_are_ignored)
{
	struct order o = { .code = "kept", .number = 3 };

	assert_true(json_into(m, "{\"number\": 4, \"colour\": {\"x\": [1.5]}, \"starts_at\": null, \"extra\": null}",
		&order_shape, &o));
	assert_string_equal(o.code, "kept");
	assert_int_equal(o.number, 4);
}

TEST(values_of_the_wrong_kind_or_range_are_refused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"null",
		"{",
		"{\"number\":1} x",
		"{\"number\":1,\"number\":2}",
		"{\"number\":1.0}",
		"{\"number\":\"1\"}",
		"{\"number\":9223372036854775808}",
		"{\"number\":1e400}",
		"{\"number\":null}",
		"{\"code\":5}",
		"{\"is_late\":1}",
		"{\"starts_at\":\"2026-02-31T10:00:00+09:00\"}",
		"{\"starts_at\":1795237200}",
		"{\"state\":\"LOST\"}",
		"{\"state\":1}",
		"{\"first\":null}",
		"{\"lines\":{}}",
		"{\"lines\":[1]}",
		"{\"code\":\"a\\u0000b\"}",
		"{\"code\":\"\xff\"}",
	};
	struct order o = { .number = 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (json_into(m, bad[i], &order_shape, &o))
			fail_msg("taken: %s", bad[i]);
}

TEST(figures)
{
	struct line lines[] = { { "base", 90000 }, { "weekend", 4000 } };
	struct order o = { "MP-1A2B3C4D", 5, true, 1795237200, 1, { "x", 0 }, NULL, lines, 2, NULL }, back;
	struct buf b;
	double t = scratch_us(), out;

	for (int i = 0; i < 20000; i++) {
		arena_reset(m);
		b = (struct buf){ .m = m };
		json_put(&b, &order_shape, &o);
	}
	out = scratch_us() - t;
	t = scratch_us();
	for (int i = 0; i < 20000; i++)
		assert_true(json_into(m, b.s, &order_shape, &back));
	print_message("%zu bytes of JSON: out %.2f us, in %.2f us\n", b.n, out / 20000, (scratch_us() - t) / 20000);
}

TEST_MAIN("json", NULL, NULL, begin, NULL)
