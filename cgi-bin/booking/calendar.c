/* calendar - the slots in the table, whose triggers refuse an overlap. Described in calendar.h; search.c is the copy in
 * memory. */
#include "calendar.h"

#include "domain/cars.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

/* Grows with every change: searches read the slots above the last revision they have seen. */
#define NEXT_REV "(SELECT COALESCE(MAX(rev), 0) + 1 FROM slot)"

bool
calendar_hold(struct db *db, int64_t car_id, int64_t booking_id, int64_t starts_at, int64_t ends_at)
{
	return db_try(db,
		"INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)"
		" VALUES ($1, 'HOLD', $2, $3, $4, $5, " NEXT_REV ")",
		car_id, starts_at, ends_at, ends_at + rental.turnaround_s, booking_id);
}

void
calendar_book(struct db *db, int64_t booking_id)
{
	db_do(db, "UPDATE slot SET kind = 'BOOKED', rev = " NEXT_REV " WHERE booking_id = $1 AND booking_id <> 0",
		booking_id);
}

void
calendar_release(struct db *db, int64_t booking_id)
{
	db_do(db, "UPDATE slot SET kind = 'RELEASED', rev = " NEXT_REV " WHERE booking_id = $1 AND booking_id <> 0",
		booking_id);
}

/* A return after the end changes nothing. A return before the start leaves an interval of one second. */
void
calendar_end(struct db *db, int64_t booking_id, int64_t at)
{
	db_do(db,
		"UPDATE slot SET ends_at = CASE WHEN starts_at < $2 THEN $2 ELSE starts_at + 1 END,"
		" busy_until = CASE WHEN starts_at < $2 THEN $2 ELSE starts_at + 1 END + $3, rev = " NEXT_REV
		" WHERE booking_id = $1 AND booking_id <> 0 AND ends_at > $2",
		booking_id, at, rental.turnaround_s);
}

void
calendar_extend(struct db *db, int64_t slot_id, int64_t until)
{
	db_try(db,
		"UPDATE slot SET ends_at = $2, busy_until = $3, rev = " NEXT_REV
		" WHERE slot_id = $1 AND kind = 'BOOKED' AND ends_at < $2",
		slot_id, until, until + rental.turnaround_s);
}

bool
calendar_is_free(struct db *db, int64_t car_id, int64_t starts_at, int64_t ends_at)
{
	return !db_exists(db,
		"SELECT 1 FROM slot WHERE car_id = $1 AND kind <> 'RELEASED' AND busy_until > $2 AND starts_at < $3",
		car_id, starts_at, ends_at + rental.turnaround_s);
}

static const struct member taken_interval_members[] = {
	SHAPE_TIME(taken_interval, starts_at), SHAPE_TIME(taken_interval, ends_at),
	SHAPE_TIME(taken_interval, busy_until),
};
const struct shape taken_interval_shape = SHAPE(taken_interval, taken_interval_members);

int
calendar_of_car(struct db *db, int64_t car_id, int64_t from, int64_t until, struct taken_interval **busy)
{
	int n = 0;

	return db_list(db, &taken_interval_shape, busy, &n,
		"SELECT starts_at, ends_at, busy_until FROM slot WHERE car_id = $1 AND kind <> 'RELEASED'"
		" AND busy_until > $2 AND starts_at < $3 ORDER BY busy_until LIMIT 500",
		car_id, from, until);
}

/* --- what fleet publishes ----------------------------------------------------------------------------------------- */

static const struct member car_facts_members[] = {
	SHAPE_INT(car_facts, car_id), SHAPE_TEXT_KO(car_facts, name), SHAPE_STATE(car_facts, body, body_words),
	SHAPE_INT(car_facts, seats), SHAPE_STATE(car_facts, fuel, fuel_words),
	SHAPE_STATE(car_facts, gearbox, gearbox_words), SHAPE_AMOUNT(car_facts, daily_price),
	SHAPE_AMOUNT(car_facts, hourly_price), SHAPE_INT(car_facts, branch_id), SHAPE_TEXT_KO(car_facts, branch_name),
	SHAPE_TEXT_KO(car_facts, branch_address), SHAPE_TEXT(car_facts, branch_phone), SHAPE_TEXT(car_facts, photo),
	SHAPE_STATE(car_facts, service, service_words),
};
const struct shape car_facts_shape = SHAPE(car_facts, car_facts_members);

bool
car_facts(struct db *db, int64_t car_id, struct car_facts *car)
{
	return db_one(db, &car_facts_shape, car,
		"SELECT car_id, name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id,"
		" branch_name, branch_name_ko,"
		" branch_address, branch_address_ko, branch_phone, photo, service FROM v_car WHERE car_id = $1"
		" AND service <> 'RETIRED'",
		car_id);
}

void
car_facts_branch(struct db *db, int64_t branch_id, struct car_facts *car)
{
	db_one(db, &car_facts_shape, car,
		"SELECT branch_id, name AS branch_name, name_ko AS branch_name_ko, address AS branch_address,"
		" address_ko AS branch_address_ko, phone AS branch_phone FROM v_branch WHERE branch_id = $1",
		branch_id);
}

static const struct member branch_option_members[] = {
	SHAPE_INT(branch_option, branch_id), SHAPE_TEXT(branch_option, name), SHAPE_TEXT(branch_option, name_ko),
	SHAPE_TEXT(branch_option, region), SHAPE_TEXT(branch_option, id_text),
};
static const struct shape branch_option_shape = SHAPE(branch_option, branch_option_members);

/* Every search form shows them and they rarely change: read at most once a second. */
static struct {
	struct arena *m;
	struct branch_option *branch;
	int n;
	int64_t read_ms;
} branches_known;

static void
read_branches(struct db *db)
{
	struct arena *before = db_memory(db);

	if (!branches_known.m)
		branches_known.m = arena_new((size_t)1 << 20);
	arena_reset(branches_known.m);
	db_arena(db, branches_known.m);
	db_list(db, &branch_option_shape, &branches_known.branch, &branches_known.n,
		"SELECT branch_id, name, name_ko, region, CAST(branch_id AS TEXT) AS id_text FROM v_branch"
		" WHERE is_open = 1"
		" ORDER BY region DESC, name LIMIT 100 /*scan*/ /*sort*/");
	db_arena(db, before);
	branches_known.read_ms = clock_ms();
}

int
branches_open(struct db *db, const struct branch_option **branches)
{
	if (!branches_known.m || clock_ms() > branches_known.read_ms + 1000)
		read_branches(db);
	*branches = branches_known.branch;
	return branches_known.n;
}

const char *
branch_option_label(const struct branch_option *b)
{
	return lang_pick(lang_now(), b->name, b->name_ko);
}
