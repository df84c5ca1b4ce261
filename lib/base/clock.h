/*
 * clock - what time it is, and branch-local time at the edge. Inside, time is unix seconds UTC and intervals are
 * half-open.
 */
#ifndef MP_CLOCK_H
#define MP_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

int64_t clock_now(void);                /* unix seconds; what clock_set() says when it was called */
int64_t clock_ms(void);                 /* monotonic milliseconds, for deadlines */
int64_t clock_us(void);                 /* … microseconds, for how long something took */
void    clock_set(int64_t now);         /* tests and the demo generator; 0: the real clock again */

/* The pause after failed attempt number `tries`: 1, 2, 4 … longest_s seconds, minus up to a quarter at random, so that
 * attempts that failed together do not stay synchronized. */
int64_t pause_s(int64_t tries, int64_t longest_s);

/* "YYYY-MM-DDTHH:MM" (branch-local) or RFC 3339 -> unix seconds. false: not a time that exists (31 February, 25:00). */
bool    time_parse(const char *s, int64_t *at);
bool    date_parse(const char *s, int *year, int *month, int *day);     /* YYYY-MM-DD, a real day */
int64_t day_start(int64_t at);          /* branch-local midnight of that day */
int64_t day_add(int64_t midnight, int days);
int64_t month_add(int64_t at, int months);      /* first midnight of the month n months on */
void    day_split(int64_t at, int *year, int *month, int *day, int *weekday);   /* weekday: 0 = Sunday */
struct local { int year, month, day, weekday, hour, minute, second, offset_s; const char *zone; };      /* zone: KST */
void    clock_split(int64_t at, struct local *l);
const char *clock_zone(int64_t at);     /* KST */
void    clock_open(const char *zone);   /* settings: Asia/Seoul; once, at start-up */

#endif
