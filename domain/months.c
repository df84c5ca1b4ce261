/* months - a car's calendar by months and days; described in months.h. */
#include "months.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

static const struct member month_day_members[] = {
	SHAPE_INT(month_day, number), SHAPE_BOOL(month_day, free), SHAPE_BOOL(month_day, part),
	SHAPE_BOOL(month_day, taken), SHAPE_BOOL(month_day, past), SHAPE_BOOL(month_day, today),
	SHAPE_TEXT(month_day, href),
};
static const struct shape month_day_shape = SHAPE(month_day, month_day_members);
static const struct member month_week_members[] = { SHAPE_LIST(month_week, days, month_day_shape) };
static const struct shape month_week_shape = SHAPE(month_week, month_week_members);
static const struct member month_members[] = {
	SHAPE_TEXT(month, title), SHAPE_LIST(month, weeks, month_week_shape),
};
const struct shape month_shape = SHAPE(month, month_members);

static const char *const month_names[] = {
	N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
	N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
};

static const char *
month_name(struct arena *m, int year, int month)
{
	if (lang_now() == LANG_KO)
		return arena_printf(m, "%d년 %d월", year, month);
	return arena_printf(m, "%s %d", _(month_names[month - 1]), year);
}

/* How much of [from, until) is busy, in seconds: the intervals of one car do not overlap. */
static int64_t
taken_of(int64_t from, int64_t until, const struct interval *busy, int n_busy)
{
	int64_t taken = 0;

	for (int i = 0; i < n_busy; i++) {
		int64_t a = busy[i].starts_at > from ? busy[i].starts_at : from;
		int64_t b = busy[i].ends_at < until ? busy[i].ends_at : until;

		if (a < b)
			taken += b - a;
	}
	return taken;
}

/* Of today, only the time from now on counts. */
static struct month_day
day_make(int number, int64_t at, int64_t tomorrow, int64_t now, const struct interval *busy, int n_busy)
{
	struct month_day day = { .number = number, .past = tomorrow <= now, .today = at <= now && now < tomorrow };
	int64_t from = day.today ? now : at;
	int64_t taken = taken_of(from, tomorrow, busy, n_busy);

	if (!day.past) {
		day.free = taken == 0;
		day.taken = taken >= tomorrow - from;
		day.part = !day.free && !day.taken;
	}
	return day;
}

static struct month
month_make(struct arena *m, int64_t first, int64_t now, const struct interval *busy, int n_busy)
{
	int year, mon, number, weekday, cell;
	int64_t next = month_add(first, 1), at = first;
	struct month month = { .weeks = arena_array(m, struct month_week, 6) };

	day_split(first, &year, &mon, &number, &weekday);
	month.title = month_name(m, year, mon);
	for (cell = (weekday + 6) % 7; at < next; cell++) {
		struct month_week *week = &month.weeks[cell / 7];
		int64_t tomorrow = day_add(at, 1);

		if (!week->days)
			*week = (struct month_week){ arena_array(m, struct month_day, 7), 7 };
		week->days[cell % 7] = day_make(number++, at, tomorrow, now, busy, n_busy);
		at = tomorrow;
	}
	month.n_weeks = (cell + 6) / 7;
	return month;
}

struct month *
months_make(struct arena *m, int64_t from, int n, int64_t now, const struct interval *busy, int n_busy)
{
	struct month *months = arena_array(m, struct month, n);

	for (int i = 0; i < n; i++)
		months[i] = month_make(m, month_add(from, i), now, busy, n_busy);
	return months;
}
