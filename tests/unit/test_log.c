/* One JSON line an occasion, whatever is written into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

#include "../../lib/log.c"

#include <jansson.h>

static int was, out[2];

static void
listen_in(void)
{
	assert_int_equal(pipe(out), 0);
	was = dup(STDERR_FILENO);
	dup2(out[1], STDERR_FILENO);
}

/* What has been written since, as one line of JSON. */
static json_t *
heard(void)
{
	char line[2 * LINE_MAX_];
	ssize_t n = read(out[0], line, sizeof(line) - 1);
	json_t *json;

	dup2(was, STDERR_FILENO);
	close(was);
	close(out[0]);
	close(out[1]);
	assert_true(n > 0 && n <= LINE_MAX_);
	line[n] = '\0';
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static void
expect_text(json_t *json, const char *name, const char *value)
{
	assert_string_equal(json_string_value(json_object_get(json, name)), value);
}

static void
a_line_says_when_who_and_what(void **state)
{
	json_t *json;

	(void)state;
	log_open("booking");
	log_request("req-1");
	listen_in();
	log_error("db", "row %d of %s", 7, "car");
	json = heard();
	expect_text(json, "level", "error");
	expect_text(json, "program", "booking");
	expect_text(json, "request", "req-1");
	expect_text(json, "what", "db");
	expect_text(json, "text", "row 7 of car");
	assert_int_equal(json_integer_value(json_object_get(json, "pid")), getpid());
	assert_int_equal(strlen(json_string_value(json_object_get(json, "at"))), strlen("2026-11-21T05:00:00.123Z"));
	json_decref(json);
	log_request(NULL);
	listen_in();
	log_info("db", "x");
	json = heard();
	assert_null(json_object_get(json, "request"));
	json_decref(json);
}

static void
nothing_breaks_out_of_the_line(void **state)
{
	json_t *json;

	(void)state;
	listen_in();
	log_warn("web", "%s", "a\"b\\c\nd\x01\x7f \xff\xed\xa0\x80 가");
	json = heard();
	expect_text(json, "text", "a\"b\\c\nd\x01\x7f \uFFFD\uFFFD\uFFFD\uFFFD 가");
	json_decref(json);
}

static void
a_line_too_long_is_cut_and_still_json(void **state)
{
	static const char *const pieces[] = { "x", "\"", "\x01", "\xff", "\xea\xb0\x80" };
	char text[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		text[0] = '\0';
		for (size_t n = 0; n + 4 < sizeof(text); n += strlen(pieces[i]))
			strcpy(text + n, pieces[i]);
		log_request(text);
		log_open(text);
		listen_in();
		log_error(text, "%s", text);
		json_decref(heard());
	}
	log_request(NULL);
}

static void
errno_is_kept(void **state)
{
	(void)state;
	listen_in();
	errno = ENOENT;
	log_info("x", "%s", "y");
	assert_int_equal(errno, ENOENT);
	json_decref(heard());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_when_who_and_what),
		cmocka_unit_test(nothing_breaks_out_of_the_line),
		cmocka_unit_test(a_line_too_long_is_cut_and_still_json),
		cmocka_unit_test(errno_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
