/*
 * test_event_words - every type of event has one sentence, docs/events.md lists exactly those types, and a collection
 * is described as a collection.
 */
#include "test.h"
#include "scratch.h"

#include "domain/event_words.c"
#include "lib/base/settings.h"

TEST(every_type_has_one_sentence)
{
	for (int i = 0; i < N_EVENT_TYPES; i++) {
		if (!event_word[i].label)
			fail_msg("%s has no sentence in domain/event_words.c", event_types[i].type);
		assert_string_equal(event_word[i].code, event_types[i].type);
		assert_true(strlen(event_word[i].label) > 10);
	}
}

static bool
is_type(const char *s, size_t n)
{
	for (int i = 0; i < N_EVENT_TYPES; i++)
		if (strlen(event_types[i].type) == n && strncmp(event_types[i].type, s, n) == 0)
			return true;
	return false;
}

/* The first column of each row: "car.registered, car.modified". */
TEST(the_list_of_events_has_exactly_these_types)
{
	const char *text = scratch_read("docs/events.md");
	int n = 0;

	for (const char *line = strstr(text, "\n| "); line; line = strstr(line + 1, "\n| ")) {
		const char *at = line + 3, *end = strchr(at, '|');

		while (at < end && *at != '|') {
			size_t size = strcspn(at, ", |");

			if (memchr(at, '.', size)) {
				if (!is_type(at, size))
					fail_msg("docs/events.md: %.*s is no type in domain/event_types.h", (int)size,
						at);
				n++;
			}
			at += size;
			at += strspn(at, ", ");
		}
	}
	assert_int_equal(n, N_EVENT_TYPES);
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

TEST(a_collection_is_not_a_delivery)
{
	assert_string_equal(sentence("delivery.delivered", "{\"direction\":\"delivery\"}"), "The car was delivered");
	assert_string_equal(sentence("delivery.delivered", "{\"direction\":\"collection\"}"), "The car was collected");
	assert_string_equal(sentence("delivery.scheduled", "{\"direction\":\"delivery\",\"note\":\"Nobody there\"}"),
		"The courier could not complete the job");
	assert_string_equal(sentence("booking.paid", "{\"direction\":\"collection\"}"), "The booking was paid");
}

TEST(an_unknown_type_or_a_broken_payload_is_described_without_its_code)
{
	assert_string_equal(sentence("future.thing", "{}"), "Another change was recorded");
	assert_string_equal(sentence("booking.paid", "{"), "The booking was paid");
	assert_string_equal(sentence("booking.paid", NULL), "The booking was paid");
	assert_string_equal(about("booking.paid", "{"), "");
}

TEST(the_subject_is_described_in_the_readers_language)
{
	const char *seats =
		"{\"quantity\":2,\"item_name\":\"Child seat\",\"item_name_ko\":\"카시트\",\"amount\":28000}";

	settings.currency = "KRW";
	assert_string_equal(about("equipment.ordered", seats), "2 × Child seat");
	assert_string_equal(about("payment.approved", "{\"amount\":97000}"), "₩97,000");
	assert_string_equal(about("booking.extra_refunded", "{\"label\":\"Delivery\",\"refunded_amount\":25000}"),
		"Delivery · ₩25,000");
	assert_string_equal(about("booking.confirmed", "{}"), "");
	lang_set(LANG_KO);
	assert_string_equal(about("equipment.ordered", seats), "2 × 카시트");
	assert_string_equal(about("equipment.ordered", "{\"quantity\":1,\"item_name\":\"Tent\",\"item_name_ko\":\"\"}"),
		"1 × Tent");
	lang_set(LANG_EN);
}

TEST_MAIN("event_words", scratch_begin, scratch_end, NULL, NULL)
