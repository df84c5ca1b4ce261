/* verdict.c - compares the database after a power cut with the answers to customers and the card company's records; see
 * trade.h. */
#include "trade.h"
#include "outside.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/fleet/fleet.h"
#include "cgi-bin/payment/payment.h"
#include "cli/check/check.h"
#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY ((size_t)256 << 20)

static struct arena *memory;
static char said[600];

static const char *__attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	for (char *s = said; (s = strchr(s, '\n'));)
		*s = ' ';
	return said;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* A booking that was PAID may be in a later state; the other states are final. */
static bool
is_as_told(const char *state, int told)
{
	if (!state)
		return false;
	if (told != BOOKING_PAID)
		return strcmp(state, words_code(&booking_state_words, told)) == 0;
	return strcmp(state, "HELD") != 0 && strcmp(state, "EXPIRED") != 0;
}

static const char *
missing_answer(struct db *db, const struct answer *a)
{
	const char *state = db_text(db, "SELECT state FROM booking WHERE code = $1", a->code);

	if (is_as_told(state, a->state))
		return NULL;
	return say("people were told that %s is %s; on the disk it is %s", a->code,
		words_code(&booking_state_words, a->state), state ? state : "unknown");
}

/* Before the card company is called, the charge and its hold must be on the disk. */
static const char *
missing_charge(struct db *db, const struct outside_deed *deed)
{
	if (!db_exists(db, "SELECT 1 FROM charge WHERE key = $1 AND amount = $2", deed->key, deed->amount))
		return say("%s was charged; there is no row of it on the disk", deed->key);
	if (!db_exists(db, "SELECT 1 FROM booking WHERE code = $1", deed->key))
		return say("%s was charged; there is no booking of it on the disk", deed->key);
	return NULL;
}

static const char *
missing_refund(struct db *db, const struct outside_deed *deed)
{
	if (!db_exists(db, "SELECT 1 FROM refund WHERE key = $1 AND amount = $2", deed->refund_key, deed->amount))
		return say("%s was given back; there is no row of it on the disk", deed->refund_key);
	return NULL;
}

static const char *
missing_entry(struct db *db, const struct entry *e)
{
	switch ((enum entry_kind)e->kind) {
	case ENTRY_ANSWER: return missing_answer(db, (const struct answer *)e->data);
	case ENTRY_CHARGE: return missing_charge(db, (const struct outside_deed *)e->data);
	case ENTRY_REFUND: return missing_refund(db, (const struct outside_deed *)e->data);
	case ENTRY_WRITE:
	case ENTRY_TRUNCATE:
	case ENTRY_SYNC:
	case ENTRY_SYNC_FAILED:
	case ENTRY_BORN:
	case ENTRY_FOLDER_SYNC: break;
	}
	return NULL;
}

static const char *
missing(struct db *db, const struct disk_log *h, uint64_t at)
{
	const char *what = NULL;

	for (uint64_t i = 0; i < at && !what; i = disk_log_next(h, i))
		what = missing_entry(db, disk_log_entry(h, i));
	return what;
}

/* --- integrity and invariants ------------------------------------------------------------------------------------- */

/* The first FAILED line of the check's table. */
static const char *
failed_line(char *table)
{
	char *line = strstr(table, "FAILED");

	if (line)
		line[strcspn(line, "\n")] = '\0';
	return say("%s", line ? line : table);
}

static const char *
check(struct db *db, const char *dir)
{
	struct cli c = { .m = memory, .root = ".", .var = dir, .bin = ".", .usage = "" };
	struct inspection in = { .c = &c, .db = db };
	const char *what = NULL;
	char *table = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&table, &n);
	bool ok = check_all(&in, false, out);

	fclose(out);
	if (!ok)
		what = failed_line(table);
	free(table);
	return what;
}

static const char *
damage(struct db *db)
{
	const char *answer = db_text(db, "PRAGMA integrity_check(1)");

	if (db_failed(db))
		return say("%s", db_error(db));
	return answer && strcmp(answer, "ok") == 0 ? NULL : say("integrity_check: %s", answer ? answer : "nothing");
}

/* --- running to the end ------------------------------------------------------------------------------------------- */

static void
time_passes(struct db *db, int64_t seconds)
{
	clock_set(clock_now() + seconds);
	for (int i = 0; i < 4; i++) {
		payment_sweep(db);
		booking_sweep(db);
		while (consumer_step(db, &fleet_consumer, 200) + consumer_step(db, &booking_consumer, 200) > 0)
			;
	}
}

/* The card company's books and ours. */
static const char *
money_differs(struct db *db, const struct outside *company)
{
	for (int i = 0; i < company->n_accounts; i++) {
		const struct account *a = &company->account[i];
		int64_t ours = db_int(db,
			"SELECT amount - refunded_amount FROM charge WHERE key = $1"
			" AND state IN ('APPROVED', 'CANCELLED')",
			a->key);

		if (ours != a->balance)
			return say("%s: the card company has kept %lld, our books say %lld", a->key,
				(long long)a->balance, (long long)ours);
	}
	return NULL;
}

static const char *
cannot_book(struct db *db)
{
	int64_t now = clock_now(), day = now - now % DAY + 320 * DAY;
	struct booking_order o = {
		.customer_id = 1, .card_id = 1, .car_id = 1, .starts_at = day, .ends_at = day + DAY
	};
	struct booking b;
	enum booking_outcome outcome;

	outcome = booking_place(db, &o, &b);
	if (outcome == BOOKING_QUOTA)
		outcome = BOOKING_OK;
	return outcome == BOOKING_OK && db_durable(db)
		? NULL
		: say("a car cannot be booked afterwards: %d %s", (int)outcome, db_error(db));
}

static const char *
live_on(struct db *db, const char *dir, const struct disk_log *h, uint64_t at)
{
	static struct outside company;
	const char *what;

	outside_at(&company, h, at);
	outside_open(&company, NULL);
	outside_payments(db);
	clock_set(clock_now());
	what = cannot_book(db);
	time_passes(db, 95);  /* the sweeps have looked up charges without an answer */
	time_passes(db, 700); /* holds have expired */
	time_passes(db, 400); /* … and were looked up once more */
	if (!what)
		what = money_differs(db, &company);
	if (!what)
		what = check(db, dir);
	clock_set(0);
	return what;
}

const char *
trade_verdict(const char *dir, const struct disk_log *h, uint64_t at, bool to_the_end, bool *is_lost)
{
	const char *why = "", *what;
	struct db *db;

	*is_lost = false;
	if (!memory)
		memory = arena_new(MEMORY);
	arena_reset(memory);
	db = db_open(dir, &cli_role, memory, &why);
	if (!db)
		return say("it cannot be opened: %s", why);
	what = damage(db);
	if (!what) {
		what = missing(db, h, at);
		*is_lost = what != NULL;
	}
	if (!what && db_failed(db))
		what = say("%s", db_error(db));
	if (!what)
		what = check(db, dir);
	if (!what && to_the_end)
		what = live_on(db, dir, h, at);
	db_close(db);
	return what;
}
