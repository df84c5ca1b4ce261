/* test_clock - branch-local time: strict parsing, and days and months around clock changes. */
#include "test.h"

#include "lib/base/clock.c"

static int64_t
parsed(const char *s)
{
	int64_t at = -1;

	if (!time_parse(s, &at))
		fail_msg("%s was refused", s);
	return at;
}

static void
refuses(const char *s)
{
	int64_t at = 42;

	if (time_parse(s, &at))
		fail_msg("%s was taken", s);
	assert_int_equal(at, 42);
}

TEST_SETUP(in_seoul)
{
	clock_open("Asia/Seoul");
	return 0;
}

TEST_SETUP(in_berlin)
{
	clock_open("Europe/Berlin");
	return 0;
}

TEST(a_time_without_a_zone_is_the_branchs_own)
{
	assert_int_equal(parsed("2026-11-21T14:00"), 1795237200);
	assert_int_equal(parsed("2026-11-21T14:00:30"), 1795237230);
}

TEST(rfc_3339_times_carry_their_own_offset)
{
	assert_int_equal(parsed("2026-11-21T05:00:00Z"), 1795237200);
	assert_int_equal(parsed("2026-11-21t05:00:00.25z"), 1795237200);
	assert_int_equal(parsed("2026-11-21T14:00:00+09:00"), 1795237200);
	assert_int_equal(parsed("2026-11-20T23:30-05:30"), 1795237200);
	assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(parsed("2000-02-29T00:00Z"), 951782400);
	assert_int_equal(parsed("2100-03-01T00:00Z"), 4107542400);
}

TEST(what_is_not_a_time_is_refused)
{
	static const char *const bad[] = {
		"",
		"now",
		"2026-02-31T10:00",
		"2026-02-29T10:00",
		"2100-02-29T10:00",
		"2026-04-31T10:00",
		"2026-13-01T10:00",
		"2026-00-10T10:00",
		"2026-01-00T10:00",
		"2026-01-32T10:00",
		"2026-01-01T24:00",
		"2026-01-01T25:00",
		"2026-01-01T10:60",
		"2026-01-01T10:00:60",
		"2026-01-01",
		"2026-01-01 10:00",
		"2026-01-01T10",
		"2026-1-1T10:00",
		" 2026-01-01T10:00",
		"2026-01-01T10:00 ",
		"2026-01-01T10:00x",
		"2026-01-01T10:00ZZ",
		"2026-01-01T10:00+9:00",
		"2026-01-01T10:00+09",
		"2026-01-01T10:00+0900",
		"2026-01-01T10:00+24:00",
		"2026-01-01T10:00+09:60",
		"2026-01-01T10:00:",
		"2026-01-01T10:00:00.",
		"2026-01-01T10:00:00.Z",
		"+026-01-01T10:00",
		"-2026-01-01T10:00",
		"0000-01-01T10:00",
		"20260101T1000",
		"2026-01-01T+1:00",
		"2026-01-01T10:-1",
		"99999-01-01T10:00",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i]);
	assert_false(time_parse(NULL, &(int64_t){ 0 }));
}

TEST_WITH(a_date_is_a_real_day, NULL, NULL)
{
	int y, m, d;

	assert_true(date_parse("2028-02-29", &y, &m, &d));
	assert_int_equal(y * 10000 + m * 100 + d, 20280229);
	assert_false(date_parse("2027-02-29", &y, &m, &d));
	assert_false(date_parse("2027-02-28 ", &y, &m, &d));
	assert_false(date_parse("2027-2-28", &y, &m, &d));
	assert_false(date_parse(NULL, &y, &m, &d));
}

TEST(a_day_starts_at_the_branchs_midnight)
{
	int y, m, d, weekday;

	assert_int_equal(day_start(parsed("2026-11-21T14:00")), parsed("2026-11-21T00:00"));
	assert_int_equal(day_start(parsed("2026-11-21T00:00")), parsed("2026-11-21T00:00"));
	assert_int_equal(day_start(parsed("2026-11-21T23:59:59")), parsed("2026-11-21T00:00"));
	day_split(parsed("2026-11-21T00:00"), &y, &m, &d, &weekday);
	assert_int_equal(y, 2026);
	assert_int_equal(m, 11);
	assert_int_equal(d, 21);
	assert_int_equal(weekday, 6);
}

TEST(days_and_months_are_added_across_years)
{
	assert_int_equal(day_add(parsed("2026-12-31T00:00"), 1), parsed("2027-01-01T00:00"));
	assert_int_equal(day_add(parsed("2028-03-01T00:00"), -1), parsed("2028-02-29T00:00"));
	assert_int_equal(month_add(parsed("2026-11-21T14:00"), 0), parsed("2026-11-01T00:00"));
	assert_int_equal(month_add(parsed("2026-11-21T14:00"), 2), parsed("2027-01-01T00:00"));
	assert_int_equal(month_add(parsed("2026-01-31T14:00"), -1), parsed("2025-12-01T00:00"));
	assert_int_equal(month_add(parsed("2026-01-31T14:00"), -25), parsed("2023-12-01T00:00"));
}

static void
every_day_of_forty_years(void)
{
	for (int64_t at = -300000000; at < 3000000000; at += DAY * 3 + 12345) {
		time_t t = (time_t)at;
		struct local l;
		struct tm tm;

		localtime_r(&t, &tm);
		clock_split(at, &l);
		assert_int_equal(l.year, tm.tm_year + 1900);
		assert_int_equal(l.month, tm.tm_mon + 1);
		assert_int_equal(l.day, tm.tm_mday);
		assert_int_equal(l.weekday, tm.tm_wday);
		assert_int_equal(
			l.hour * 3600 + l.minute * 60 + l.second, tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
		assert_int_equal(l.offset_s, tm.tm_gmtoff);
		assert_string_equal(l.zone, tm.tm_zone);
	}
}

TEST(every_day_of_forty_years_in_seoul_is_what_libc_says)
{
	every_day_of_forty_years();
}

TEST_WITH(every_day_of_forty_years_in_berlin_is_what_libc_says, in_berlin, NULL)
{
	every_day_of_forty_years();
}

TEST_WITH(a_day_of_23_hours_and_one_of_25_begin_at_midnight, in_berlin, NULL)
{
	int64_t spring = parsed("2026-03-29T00:00"), autumn = parsed("2026-10-25T00:00");

	assert_int_equal(day_add(spring, 1) - spring, 23 * HOUR);
	assert_int_equal(day_add(autumn, 1) - autumn, 25 * HOUR);
	assert_int_equal(day_start(spring + 12 * HOUR), spring);
	assert_int_equal(day_start(autumn + 20 * HOUR), autumn);
	assert_int_equal(day_add(day_add(spring, 1), -1), spring);
}

TEST_WITH(an_hour_that_is_skipped_does_not_exist, in_berlin, NULL)
{
	refuses("2026-03-29T02:30");
	assert_int_equal(parsed("2026-03-29T03:00") - parsed("2026-03-29T01:59"), 60);
}

TEST_WITH(a_midnight_that_is_skipped_gives_the_first_moment_of_the_day, NULL, NULL)
{
	int64_t noon;
	struct local l;

	clock_open("America/Santiago"); /* 6 September 2026, 00:00 -> 01:00 */
	noon = parsed("2026-09-06T12:00");
	clock_split(day_start(noon), &l);
	assert_int_equal(l.day, 6);
	assert_int_equal(l.hour, 1);
	clock_split(day_start(noon) - 1, &l);
	assert_int_equal(l.day, 5);
	assert_int_equal(day_add(day_start(parsed("2026-09-05T12:00")), 1), day_start(noon));
	assert_int_equal(day_add(day_start(noon), 1), parsed("2026-09-07T00:00"));
}

TEST(absurd_times_do_not_crash)
{
	struct local l;

	clock_split(INT64_MAX, &l);
	assert_int_equal(l.year, 9999);
	clock_split(INT64_MIN, &l);
	assert_in_range(l.year, 1, 9999);
	day_start(INT64_MAX);
	day_start(INT64_MIN);
}

TEST_WITH(the_clock_can_be_set_and_released, NULL, NULL)
{
	int64_t before = clock_ms();

	clock_set(1795237200);
	assert_int_equal(clock_now(), 1795237200);
	clock_set(0);
	assert_true(clock_now() >= 1700000000);
	assert_true(clock_ms() >= before);
}

TEST_MAIN("clock", NULL, NULL, in_seoul, NULL)
