/*
 * months - a car's calendar by months: each day free, partly taken or taken. booking shows it to customers, fleet to
 * managers; templates/calendar.mustache draws it.
 */
#ifndef MP_MONTHS_H
#define MP_MONTHS_H

#include "lib/base/arena.h"
#include "lib/base/shape.h"

struct interval { int64_t starts_at, ends_at; };

struct month_day {
	int64_t number;                         /* 1–31; 0: an empty cell before the first or after the last */
	bool free, part, taken, past, today;    /* part: free for part of the day */
	const char *href;                       /* a link; NULL: none */
};
struct month_week { struct month_day *days; int n_days; };      /* always 7, Monday first */
struct month {
	const char *title;      /* translated: November 2026 / 2026년 11월 */
	struct month_week *weeks;
	int n_weeks;
};
extern const struct shape month_shape;

/* n months from the one `from` lies in; busy intervals in any order. */
struct month *months_make(struct arena *m, int64_t from, int n, int64_t now, const struct interval *busy, int n_busy);

#endif
