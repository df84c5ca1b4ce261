/*
 * licence.c - driving licences.
 *
 * A rental needs an adult with a valid licence. Dates are stored as YYYY-MM-DD, so they compare as text; "today" is the
 * day in the branches' time zone.
 */
#include "account.h"

#include "lib/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ADULT_YEARS    18
#define OLDEST_YEARS   120
#define LONGEST_YEARS  50       /* a later expiry is a typing error */

struct day {
	char text[40];
};

/* The branch-local day, moved by whole years. 29 February of a common year does not exist but still compares right. */
static struct day
day_years_on(int64_t now, int years)
{
	struct day d;
	int year, month, day, weekday;

	day_split(now, &year, &month, &day, &weekday);
	snprintf(d.text, sizeof(d.text), "%04d-%02d-%02d", year + years, month, day);
	return d;
}

/* Formats differ by country (12-34-567890-12, SMITH901015AB9CD): letters, digits, hyphens and blanks cover them. */
static bool
licence_number_ok(const char *number)
{
	size_t n = strlen(number), digits = 0;

	for (const char *c = number; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != ' ')
			return false;
		digits += isdigit((unsigned char)*c) != 0;
	}
	return n >= 5 && n <= 30 && digits >= 1;
}

enum licence_outcome
licence_number_check(const char *number)
{
	return licence_number_ok(number) ? LICENCE_OK : LICENCE_BAD_NUMBER;
}

enum licence_outcome
licence_expiry_check(const char *expires_on, int64_t now)
{
	if (strcmp(expires_on, day_years_on(now, 0).text) < 0)
		return LICENCE_EXPIRED;
	return strcmp(expires_on, day_years_on(now, LONGEST_YEARS).text) > 0 ? LICENCE_BAD_EXPIRY : LICENCE_OK;
}

enum licence_outcome
licence_birth_check(const char *born_on, int64_t now)
{
	if (strcmp(born_on, day_years_on(now, 0).text) > 0
		|| strcmp(born_on, day_years_on(now, -OLDEST_YEARS).text) < 0)
		return LICENCE_BAD_BIRTH;
	return strcmp(born_on, day_years_on(now, -ADULT_YEARS).text) > 0 ? LICENCE_MINOR : LICENCE_OK;
}

enum licence_outcome
licence_check(const struct licence *l, int64_t now)
{
	enum licence_outcome outcome = licence_number_check(l->number);

	if (outcome == LICENCE_OK)
		outcome = licence_expiry_check(l->expires_on, now);
	return outcome == LICENCE_OK ? licence_birth_check(l->born_on, now) : outcome;
}

enum licence_outcome
licence_save(struct db *db, int64_t user_id, const struct licence *l)
{
	enum licence_outcome outcome = licence_check(l, clock_now());

	if (outcome != LICENCE_OK)
		return outcome;
	db_begin(db);
	db_do(db,
		"INSERT INTO licence (user_id, number, expires_on, born_on) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (user_id) DO UPDATE SET number = $2, expires_on = $3, born_on = $4",
		user_id, l->number, l->expires_on, l->born_on);
	db_commit(db);
	return LICENCE_OK;
}

void
licence_remove(struct db *db, int64_t user_id)
{
	db_begin(db);
	db_do(db, "DELETE FROM licence WHERE user_id = $1", user_id);
	db_commit(db);
}
