/* test_log - each log entry is one line of JSON, whatever text is in it. */
#include "test.h"

#include "scratch.h"

#include "lib/base/log.c"

#include <fcntl.h>
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
	char line[2 * LOG_LINE_MAX];
	ssize_t n = read(out[0], line, sizeof(line) - 1);
	json_t *json;

	dup2(was, STDERR_FILENO);
	close(was);
	close(out[0]);
	close(out[1]);
	assert_true(n > 0 && n <= LOG_LINE_MAX);
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

TEST(a_line_has_time_program_and_event)
{
	json_t *json;

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
	assert_int_equal(strlen(json_string_value(json_object_get(json, "at"))), strlen("2026-11-21T05:00:00.123456Z"));
	json_decref(json);
	log_request(NULL);
	listen_in();
	log_info("db", "x");
	json = heard();
	assert_null(json_object_get(json, "request"));
	json_decref(json);
}

TEST(no_text_can_break_a_line)
{
	json_t *json;

	listen_in();
	log_warn("web", "%s", "a\"b\\c\nd\x01\x7f \xff\xed\xa0\x80 가\xc2\x9b");
	json = heard();
	expect_text(json, "text", "a\"b\\c\nd\x01\x7f \uFFFD\uFFFD\uFFFD\uFFFD 가\xc2\x9b");
	json_decref(json);
}

TEST(a_line_too_long_is_cut_and_still_json)
{
	static const char *const pieces[] = { "x", "\"", "\x01", "\xff", "\xea\xb0\x80" };
	char text[9000];

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

TEST(members_of_a_line_are_whole_or_missing)
{
	struct log_line l;
	json_t *json;

	listen_in();
	log_begin(&l, LOG_INFO_, "call");
	log_int(&l, "least", INT64_MIN);
	log_ms(&l, "ms", 12003);
	for (int i = 0; i < 500; i++) {
		char name[20];

		snprintf(name, sizeof(name), "n%d", i);
		log_int(&l, name, i);
		log_text(&l, name + 1, "\xff");
	}
	log_end(&l);
	json = heard();
	assert_true(json_integer_value(json_object_get(json, "least")) == INT64_MIN);
	assert_true(json_real_value(json_object_get(json, "ms")) == 12.003);
	assert_int_equal(json_integer_value(json_object_get(json, "n7")), 7);
	json_decref(json);
}

TEST(the_first_subject_stays_until_the_next_request)
{
	json_t *json;

	log_request("r");
	log_subject("MP-1");
	log_subject("car:2");
	listen_in();
	log_info("x", "y");
	json = heard();
	expect_text(json, "subject", "MP-1");
	json_decref(json);
	log_request("r2");
	listen_in();
	log_info("x", "y");
	json = heard();
	assert_null(json_object_get(json, "subject"));
	json_decref(json);
	log_request(NULL);
}

/* All held lines are written at once, in chunks of whole lines. */
TEST(held_lines_are_written_when_released_and_not_when_dropped)
{
	static char all[2 * HELD_MAX];
	struct log_line l;
	ssize_t n = 0, more;
	int lines = 0;

	listen_in();
	fcntl(out[1], F_SETPIPE_SZ, 2 * HELD_MAX);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	log_begin(&l, LOG_INFO_, "dropped");
	log_hold(&l);
	log_drop();
	for (int i = 0; i < 1000; i++) {
		log_begin_about(&l, "MP-1", "kept");
		log_int(&l, "i", i);
		log_hold(&l);
	}
	assert_true(read(out[0], all, sizeof(all)) < 0);
	log_release();
	while ((more = read(out[0], all + n, LOG_LINE_MAX)) > 0)
		n += more;
	dup2(was, STDERR_FILENO);
	all[n] = '\0';
	assert_null(strstr(all, "dropped"));
	for (char *s = all, *end; *s; s = end + 1, lines++) {
		json_t *json;

		end = strchr(s, '\n');
		assert_non_null(end);
		json = json_loadb(s, (size_t)(end - s), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		assert_true(end[1] == '\0' || json_integer_value(json_object_get(json, "i")) == lines);
		json_decref(json);
	}
	assert_true(lines > 200 && lines < 1000);
	assert_non_null(strstr(all, "more lines of one transaction were left out"));
	close(was);
	close(out[0]);
	close(out[1]);
}

TEST(errno_is_kept)
{
	listen_in();
	errno = ENOENT;
	log_info("x", "%s", "y");
	assert_int_equal(errno, ENOENT);
	json_decref(heard());
}

TEST_MAIN("log", NULL, NULL, NULL, NULL)
