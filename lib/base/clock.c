/*
 * clock.c - what time it is, and branch-local time at the edge; clock.h describes them.
 *
 * The zone's rules are glibc's (TZ, mktime, localtime_r). A page asks for forty local times, nearly all within a few
 * weeks, so the offset of each UTC day is remembered and the calendar is reckoned here: 10 ns instead of 150.
 */
#include "clock.h"

#include <sodium.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t set_to;                  /* clock_set(); 0: the real clock */

/* What localtime_r answered for a UTC day; the slot is the day modulo the table's size. */
static struct offset {
	int64_t day;
	int offset_s;
	bool is_known, is_constant;     /* not constant: the clocks change that day */
	const char *zone;
} offsets[128];

void
clock_open(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
	memset(offsets, 0, sizeof(offsets));
}

#ifdef MOTORPOOL_FAULTS
/* For tests of a clock that jumps: the file named by MOTORPOOL_CLOCK holds an offset in seconds. It is read at each
 * call, so that all workers have the new time at once. */
static int64_t
shift_s(void)
{
	const char *path = getenv("MOTORPOOL_CLOCK");
	char text[24] = "";
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t length;

	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 ? strtoll(text, NULL, 10) : 0;
}
#else
#define shift_s() 0
#endif

int64_t
clock_now(void)
{
	return set_to ? set_to : (int64_t)time(NULL) + shift_s();
}

int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
clock_set(int64_t now)
{
	set_to = now;
}

int64_t
pause_s(int64_t tries, int64_t longest_s)
{
	int64_t s = tries > 30 ? longest_s : tries > 1 ? (int64_t)1 << (tries - 1) : 1;

	if (s > longest_s)
		s = longest_s;
	return s - (s >= 4 ? (int64_t)randombytes_uniform((uint32_t)(s / 4)) : 0);
}

/* --- unix seconds -> branch-local time ---------------------------------------------------------------------------- */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970 -> the Gregorian calendar (Howard Hinnant's civil_from_days: years begin in March). */
static void
split_days(int64_t days, struct local *l)
{
	int64_t era, shifted = days + 719468;
	int of_era, year, of_year, month;

	era = floor_div(shifted, 146097);
	of_era = (int)(shifted - era * 146097);
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	l->day = of_year - (153 * month + 2) / 5 + 1;
	l->month = month < 10 ? month + 3 : month - 9;
	l->year = (int)(year + era * 400) + (l->month <= 2);
	l->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

static void
split_offset(int64_t at, int offset_s, const char *zone, struct local *l)
{
	int64_t days = floor_div(at + offset_s, DAY);
	int s = (int)(at + offset_s - days * DAY);

	split_days(days, l);
	l->hour = s / HOUR;
	l->minute = s / 60 % 60;
	l->second = s % 60;
	l->offset_s = offset_s;
	l->zone = zone;
}

static struct tm
broken_down(int64_t at)
{
	struct tm tm;
	time_t t = (time_t)at;

	if (!localtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	if (!tm.tm_zone)
		tm.tm_zone = "UTC";
	return tm;
}

static const struct offset *
offset_of(int64_t day)
{
	struct offset *o = &offsets[(uint64_t)day % (sizeof(offsets) / sizeof(offsets[0]))];
	struct tm first, last;

	if (o->is_known && o->day == day)
		return o;
	first = broken_down(day * DAY);
	last = broken_down(day * DAY + DAY - 1);
	*o = (struct offset){
		.day = day,
		.is_known = true,
		.offset_s = (int)first.tm_gmtoff,
		.zone = first.tm_zone,
		.is_constant = first.tm_gmtoff == last.tm_gmtoff && strcmp(first.tm_zone, last.tm_zone) == 0,
	};
	return o;
}

/* Clamped to the years 1 to 9999, so that nothing overflows. */
static int64_t
within_reason(int64_t at)
{
	const int64_t least = -62135596800 + DAY, most = 253402300799 - DAY;

	return at < least ? least : at > most ? most : at;
}

void
clock_split(int64_t at, struct local *l)
{
	const struct offset *o;
	struct tm tm;

	at = within_reason(at);
	o = offset_of(floor_div(at, DAY));
	if (o->is_constant) {
		split_offset(at, o->offset_s, o->zone, l);
		return;
	}
	tm = broken_down(at);
	split_offset(at, (int)tm.tm_gmtoff, tm.tm_zone, l);
}

const char *
clock_zone(int64_t at)
{
	struct local l;

	clock_split(at, &l);
	return l.zone;
}

void
day_split(int64_t at, int *year, int *month, int *day, int *weekday)
{
	struct local l;

	clock_split(at, &l);
	*year = l.year;
	*month = l.month;
	*day = l.day;
	*weekday = l.weekday;
}

/* --- branch-local time -> unix seconds ---------------------------------------------------------------------------- */

static int64_t
local_instant(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {
		.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second,
		.tm_isdst = -1,
	};

	return (int64_t)mktime(&tm);
}

/* The first moment of a day: midnight, or the first existing time where the clocks go forward at midnight. */
static int64_t
first_moment(int year, int month, int day)
{
	int64_t noon = local_instant(year, month, day, 12, 0, 0), at = noon - 12 * HOUR;
	struct local l, of_day;

	clock_split(noon, &of_day);
	clock_split(at, &l);
	if (l.hour == 0 && l.day == of_day.day)
		return at;
	at = local_instant(year, month, day, 0, 0, 0);
	clock_split(at, &l);
	if (l.day != of_day.day)
		at += DAY - (l.hour * HOUR + l.minute * 60 + l.second);
	else
		at -= l.minute * 60 + l.second;
	return at;
}

static bool
is_midnight(int64_t at)
{
	struct local l;

	clock_split(at, &l);
	return l.hour == 0 && l.minute == 0 && l.second == 0;
}

int64_t
day_start(int64_t at)
{
	struct local l;
	int64_t start;

	clock_split(at, &l);
	start = within_reason(at) - (l.hour * HOUR + l.minute * 60 + l.second);
	return is_midnight(start) ? start : first_moment(l.year, l.month, l.day);
}

int64_t
day_add(int64_t midnight, int days)
{
	int64_t guess = midnight + (int64_t)days * DAY;
	struct local l;

	if (is_midnight(midnight) && is_midnight(guess))
		return guess;
	clock_split(midnight, &l);
	return first_moment(l.year, l.month, l.day + days);
}

int64_t
month_add(int64_t at, int months)
{
	struct local l;
	int month;

	clock_split(at, &l);
	month = l.year * 12 + l.month - 1 + months;
	return first_moment(month / 12, month % 12 + 1, 1);
}

/* --- reading what people and programs write ----------------------------------------------------------------------- */

/* Exactly n digits, between least and most; moves *s behind them. */
static bool
digits(const char **s, int n, int least, int most, int *value)
{
	int v = 0;

	for (int i = 0; i < n; i++, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*value = v;
	return v >= least && v <= most;
}

static bool
take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool
is_day(int year, int month, int day)
{
	static const int n_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day <= n_days[month - 1] + (month == 2 && is_leap);
}

static bool
take_date(const char **s, int *year, int *month, int *day)
{
	return digits(s, 4, 1, 9999, year) && take_char(s, '-') && digits(s, 2, 1, 12, month) && take_char(s, '-')
		&& digits(s, 2, 1, 31, day) && is_day(*year, *month, *day);
}

bool
date_parse(const char *s, int *year, int *month, int *day)
{
	return s && take_date(&s, year, month, day) && *s == '\0';
}

/* HH:MM, HH:MM:SS, HH:MM:SS.fraction (dropped) */
static bool
read_clock_time(const char **s, int *hour, int *minute, int *second)
{
	*second = 0;
	if (!digits(s, 2, 0, 23, hour) || !take_char(s, ':') || !digits(s, 2, 0, 59, minute))
		return false;
	if (!take_char(s, ':'))
		return true;
	if (!digits(s, 2, 0, 59, second))
		return false;
	if (!take_char(s, '.'))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	while (**s >= '0' && **s <= '9')
		++*s;
	return true;
}

/* Z or ±hh:mm */
static bool
take_offset(const char **s, int *offset_s)
{
	int sign, hours, minutes;

	*offset_s = 0;
	if (take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	sign = **s == '+' ? 1 : **s == '-' ? -1 : 0;
	if (!sign)
		return false;
	++*s;
	if (!digits(s, 2, 0, 23, &hours) || !take_char(s, ':') || !digits(s, 2, 0, 59, &minutes))
		return false;
	*offset_s = sign * (hours * HOUR + minutes * 60);
	return true;
}

/* Howard Hinnant's days_from_civil. */
static int64_t
days_of(int year, int month, int day)
{
	int y = year - (month <= 2), m = month > 2 ? month - 3 : month + 9;
	int64_t era = floor_div(y, 400);
	int64_t of_era_year = y - era * 400;

	return era * 146097 + of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + (153 * m + 2) / 5 + day - 1
		- 719468;
}

bool
time_parse(const char *s, int64_t *at)
{
	int year, month, day, hour, minute, second, offset_s;
	struct local l;
	int64_t t;

	if (!s || !take_date(&s, &year, &month, &day) || (!take_char(&s, 'T') && !take_char(&s, 't'))
		|| !read_clock_time(&s, &hour, &minute, &second))
		return false;
	if (*s == '\0') {
		t = local_instant(year, month, day, hour, minute, second);
		clock_split(t, &l);
		if (l.day != day || l.hour != hour || l.minute != minute)
			return false; /* skipped where the clocks go forward */
	} else {
		if (!take_offset(&s, &offset_s) || *s != '\0')
			return false;
		t = days_of(year, month, day) * DAY + hour * HOUR + minute * 60 + second - offset_s;
	}
	*at = t;
	return true;
}
