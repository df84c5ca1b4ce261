/* test_lang - words from gettext catalogues, Accept-Language, and how time is written in each language. */
#include "test.h"

#include "lib/base/folder.c"
#include "lib/base/lang.c"

#include <sys/stat.h>
#include <unistd.h>

#define AT 1795237200           /* Saturday 21 November 2026, 14:00 in Seoul */

static struct arena *m;
static char dir[] = "/tmp/test_lang.XXXXXX";

static void
shell(const char *fmt, ...)
{
	char command[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

/* The folder as the build makes it. */
TEST_SETUP(make_catalogues)
{
	m = arena_new(1024 * 1024);
	clock_open("Asia/Seoul");
	assert_non_null(mkdtemp(dir));
	shell("mkdir -p %s/ko/LC_MESSAGES %s/ko_KR.UTF-8/LC_MESSAGES", dir, dir);
	shell("cp /usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES %s/ko_KR.UTF-8/LC_MESSAGES/", dir);
	shell("printf 'msgid \"\"\\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\\\n"
	      "Plural-Forms: nplurals=1; plural=0;\\\\n\"\\n\\n"
	      "msgid \"Book this car\"\\nmsgstr \"이 차 예약하기\"\\n\\n"
	      "msgid \"1 car\"\\nmsgid_plural \"%%%%lld cars\"\\nmsgstr[0] \"차량 %%%%lld대\"\\n'"
	      " | msgfmt -o %s/ko/LC_MESSAGES/motorpool.mo -",
		dir);
	return 0;
}

TEST_SETUP(remove_catalogues)
{
	shell("rm -r %s", dir);
	return 0;
}

TEST(without_catalogues_words_stay_english)
{
	assert_false(lang_open("/nowhere"));
	assert_false(lang_open("/tmp"));
	assert_string_equal(lang_text(LANG_KO, "Book this car"), "Book this car");
}

TEST(words_come_from_the_catalogue_of_the_language)
{
	setenv("LANGUAGE", "fr", 1); /* the operator's own language does not matter */
	assert_true(lang_open(dir));
	assert_string_equal(lang_text(LANG_KO, "Book this car"), "이 차 예약하기");
	assert_string_equal(lang_text(LANG_EN, "Book this car"), "Book this car");
	assert_string_equal(lang_text(LANG_KO, "No such words"), "No such words");
	assert_string_equal(lang_text(LANG_KO, ""), "");
	assert_string_equal(lang_text(99, "Book this car"), "Book this car");
	assert_string_equal(lang_text(-1, "Book this car"), "Book this car");
}

TEST(the_current_language_is_what_was_set)
{
	assert_true(lang_open(dir));
	lang_set(LANG_KO);
	assert_int_equal(lang_now(), LANG_KO);
	assert_string_equal(_("Book this car"), "이 차 예약하기");
	lang_set(LANG_EN);
	assert_string_equal(_("Book this car"), "Book this car");
	lang_set(77);
	assert_int_equal(lang_now(), LANG_EN);
}

TEST(a_number_chooses_the_plural_form_by_the_languages_rule)
{
	assert_true(lang_open(dir));
	lang_set(LANG_EN);
	assert_string_equal(_n("1 car", "%lld cars", 1), "1 car");
	assert_string_equal(_n("1 car", "%lld cars", 0), "%lld cars");
	assert_string_equal(_n("1 car", "%lld cars", 21), "%lld cars");
	assert_string_equal(_n("1 car", "%lld cars", -1), "%lld cars");
	lang_set(LANG_KO);
	assert_string_equal(_n("1 car", "%lld cars", 1), "차량 %lld대");
	assert_string_equal(_n("1 car", "%lld cars", 2), "차량 %lld대");
	assert_string_equal(_n("1 bus", "%lld buses", 1), "1 bus");
	assert_string_equal(_n("1 bus", "%lld buses", INT64_MIN), "%lld buses");
	lang_set(LANG_EN);
}

TEST(opening_again_reads_the_catalogues_again)
{
	for (int i = 0; i < 5; i++)
		assert_true(lang_open(dir));
	assert_string_equal(lang_text(LANG_KO, "Book this car"), "이 차 예약하기");
}

TEST(languages_have_codes)
{
	assert_int_equal(lang_find("ko"), LANG_KO);
	assert_int_equal(lang_find("en"), LANG_EN);
	assert_int_equal(lang_find("fr"), -1);
	assert_int_equal(lang_find(NULL), -1);
	assert_string_equal(lang_code(LANG_KO), "ko");
	assert_string_equal(lang_code(55), "en");
}

TEST(a_korean_text_is_for_korean_and_an_empty_one_for_none)
{
	assert_string_equal(lang_pick(LANG_KO, "Jamsil", "잠실"), "잠실");
	assert_string_equal(lang_pick(LANG_EN, "Jamsil", "잠실"), "Jamsil");
	assert_string_equal(lang_pick(LANG_KO, "Jamsil", ""), "Jamsil");
	assert_string_equal(lang_pick(LANG_KO, "Jamsil", NULL), "Jamsil");
}

TEST(the_browsers_best_language_is_taken)
{
	assert_int_equal(lang_accepted("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"), LANG_KO);
	assert_int_equal(lang_accepted("en-GB, ko;q=0.9"), LANG_EN);
	assert_int_equal(lang_accepted("fr, ko;q=0.4, en;q=0.3"), LANG_KO);
	assert_int_equal(lang_accepted("en;q=0.3, ko;q=0.35"), LANG_KO);
	assert_int_equal(lang_accepted("KO"), LANG_KO);
	assert_int_equal(lang_accepted("ko;q=0"), LANG_EN);
	assert_int_equal(lang_accepted("kok"), LANG_EN);
	assert_int_equal(lang_accepted("*"), LANG_EN);
	assert_int_equal(lang_accepted(""), LANG_EN);
	assert_int_equal(lang_accepted(NULL), LANG_EN);
	assert_int_equal(lang_accepted(",,;q=,ko ; q=1"), LANG_KO);
	assert_int_equal(lang_accepted(";;;q=9,\t"), LANG_EN);
}

#define WRITTEN(...) ({ struct buf b = { .m = m }; buf_puts(&b, ""); __VA_ARGS__; b.s; })

TEST(a_time_is_written_without_its_zone)
{
	assert_string_equal(WRITTEN(time_put(&b, LANG_EN, AT)), "Sat 21 Nov 2026, 14:00");
	assert_string_equal(WRITTEN(time_put(&b, LANG_KO, AT)), "2026-11-21(토) 14:00");
	assert_string_equal(WRITTEN(date_put(&b, LANG_EN, AT)), "Sat 21 Nov 2026");
	assert_string_equal(WRITTEN(date_put(&b, LANG_KO, AT)), "2026-11-21(토)");
	assert_string_equal(WRITTEN(clock_put(&b, AT)), "14:00");
	assert_string_equal(clock_zone(AT), "KST");
	assert_string_equal(WRITTEN(time_iso(&b, AT)), "2026-11-21T14:00:00+09:00");
	assert_string_equal(WRITTEN(time_input(&b, AT)), "2026-11-21T14:00");
	assert_string_equal(WRITTEN(date_put(&b, LANG_EN, AT + 13 * DAY)), "Fri 4 Dec 2026");
}

TEST(time_zero_is_written_as_an_empty_text)
{
	assert_string_equal(WRITTEN(time_put(&b, LANG_EN, 0)), "");
	assert_string_equal(WRITTEN(date_put(&b, LANG_KO, 0)), "");
	assert_string_equal(WRITTEN(clock_put(&b, 0)), "");
	assert_string_equal(WRITTEN(time_iso(&b, 0)), "");
	assert_string_equal(WRITTEN(time_input(&b, 0)), "");
}

TEST(what_is_written_can_be_read_again)
{
	static const char *const zones[] = { "Asia/Seoul", "America/St_Johns", "Europe/Berlin", "UTC" };
	int64_t back;

	for (size_t z = 0; z < 4; z++) {
		clock_open(zones[z]);
		for (int64_t at = 1000000000; at < 2000000000; at += 7654321) {
			assert_true(time_parse(WRITTEN(time_iso(&b, at)), &back));
			assert_int_equal(back, at);
		}
		arena_reset(m);
	}
	clock_open("Asia/Seoul");
}

/* The source tree has a folder of that name too, with the sources of the catalogues. */
TEST(the_command_and_the_programs_find_the_catalogues_of_their_build)
{
	const char *build = arena_printf(m, "%s/tree/build", dir), *root = arena_printf(m, "%s/tree", dir),
		   *found = arena_printf(m, "%s/locale", build);

	shell("mkdir -p %s/tree/locale/ko %s/bin %s/locale/ko/LC_MESSAGES", dir, build, build);
	assert_string_equal(locale_of(m, arena_printf(m, "%s/motorpool", build), root), found);
	assert_string_equal(locale_of(m, arena_printf(m, "%s/bin/relay", build), root), found);
	assert_string_equal(locale_of(m, "/usr/bin/motorpool", root), found);
}

TEST_MAIN("lang", make_catalogues, remove_catalogues, NULL, NULL)
