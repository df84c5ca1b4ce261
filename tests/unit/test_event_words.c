/*
 * test_event_words - every event that a program emits has a sentence, docs/events.md lists exactly those, and a collection is told
 * as a collection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

#include "domain/event_words.c"
#include "lib/base/settings.h"

#include <glob.h>
#include <regex.h>

#define NAMES "(booking|payment|car|delivery|equipment|stock|review|message|ops)\\.[a-z_]+"

static bool is_seen[sizeof(event_word) / sizeof(event_word[0])];

/* Literals that look like a type and are none: files, an address's fields. */
static bool
is_other(const char *name)
{
	static const char *const other[] = { "payment.key", "delivery.zone", "delivery.window_from", "delivery.address" };
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (strcmp(other[i], name) == 0)
			return true;
	return n > 2 && strcmp(name + n - 2, ".h") == 0;
}

/* Each match of pattern in text; its type is sub-expression 1. Answers how many. */
static int
each_type(const char *text, const char *pattern, const char *file)
{
	regex_t regex;
	regmatch_t match[2];
	int n = 0;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE), 0);
	for (; regexec(&regex, text, 2, match, 0) == 0; text += match[1].rm_eo) {
		const char *type = arena_strndup(scratch_memory, text + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so));
		int i = words_find(&event_words, type);

		if (is_other(type))
			continue;
		if (i < 0)
			fail_msg("%s: %s has no sentence in domain/event_words.c", file, type);
		is_seen[i] = true;
		n++;
	}
	regfree(&regex);
	return n;
}

static void
every_type_in_the_programs_has_a_sentence(void **state)
{
	glob_t files = { .gl_pathc = 0 };
	int n = 0;

	(void)state;
	assert_int_equal(glob("cgi-bin/*/*.c", 0, NULL, &files), 0);
	assert_int_equal(glob("cli/*/*.c", GLOB_APPEND, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		if (!strstr(files.gl_pathv[i], "/pages"))
			n += each_type(scratch_read(files.gl_pathv[i]), "\"(" NAMES ")\"", files.gl_pathv[i]);
	assert_true(n > 100);
	globfree(&files);
}

static void
the_list_of_events_and_the_sentences_agree(void **state)
{
	const char *text = scratch_read("docs/events.md"), *line, *end;

	(void)state;
	memset(is_seen, 0, sizeof(is_seen));
	for (line = strstr(text, "\n|"); line; line = strstr(line + 1, "\n|")) {
		end = strchr(line + 2, '|');
		assert_non_null(end);
		each_type(arena_strndup(scratch_memory, line, (size_t)(end - line)), "(" NAMES ")", "docs/events.md");
	}
	for (int i = 0; i < event_words.n; i++)
		if (!is_seen[i])
			fail_msg("%s has a sentence, but docs/events.md does not list it", event_word[i].code);
}

static void
a_type_has_one_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < event_words.n; i++) {
		assert_int_equal(words_find(&event_words, event_word[i].code), i);
		assert_true(strlen(event_word[i].label) > 10);
	}
	for (int i = 0; i < collection_words.n; i++)
		assert_true(words_find(&event_words, collection_word[i].code) >= 0);
}

static const char *
sentence(const char *type, const char *payload)
{
	return event_sentence(scratch_memory, &(struct event){ .type = type, .payload = payload });
}

static const char *
about(const char *type, const char *payload)
{
	return event_about(scratch_memory, &(struct event){ .type = type, .payload = payload });
}

static void
a_collection_is_not_a_delivery(void **state)
{
	(void)state;
	assert_string_equal(sentence("delivery.delivered", "{\"direction\":\"delivery\"}"), "The car was delivered");
	assert_string_equal(sentence("delivery.delivered", "{\"direction\":\"collection\"}"), "The car was collected");
	assert_string_equal(sentence("delivery.scheduled", "{\"direction\":\"delivery\",\"note\":\"Nobody there\"}"), "The courier could not complete the job");
	assert_string_equal(sentence("booking.paid", "{\"direction\":\"collection\"}"), "The booking was paid");
}

static void
an_unknown_type_or_a_broken_payload_is_told_without_its_code(void **state)
{
	(void)state;
	assert_string_equal(sentence("future.thing", "{}"), "Another change was recorded");
	assert_string_equal(sentence("booking.paid", "{"), "The booking was paid");
	assert_string_equal(sentence("booking.paid", NULL), "The booking was paid");
	assert_string_equal(about("booking.paid", "{"), "");
}

static void
what_it_was_about_is_said_in_the_readers_language(void **state)
{
	const char *seats = "{\"quantity\":2,\"item_name\":\"Child seat\",\"item_name_ko\":\"카시트\",\"amount\":28000}";

	(void)state;
	settings.currency = "KRW";
	assert_string_equal(about("equipment.ordered", seats), "2 × Child seat");
	assert_string_equal(about("payment.approved", "{\"amount\":97000}"), "₩97,000");
	assert_string_equal(about("booking.extra_refunded", "{\"label\":\"Delivery\",\"refunded_amount\":25000}"), "Delivery · ₩25,000");
	assert_string_equal(about("booking.confirmed", "{}"), "");
	lang_set(LANG_KO);
	assert_string_equal(about("equipment.ordered", seats), "2 × 카시트");
	assert_string_equal(about("equipment.ordered", "{\"quantity\":1,\"item_name\":\"Tent\",\"item_name_ko\":\"\"}"), "1 × Tent");
	lang_set(LANG_EN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_in_the_programs_has_a_sentence),
		cmocka_unit_test(the_list_of_events_and_the_sentences_agree),
		cmocka_unit_test(a_type_has_one_sentence),
		cmocka_unit_test(a_collection_is_not_a_delivery),
		cmocka_unit_test(an_unknown_type_or_a_broken_payload_is_told_without_its_code),
		cmocka_unit_test(what_it_was_about_is_said_in_the_readers_language),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
