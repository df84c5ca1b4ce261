/*
 * test_check - `motorpool check` finds every kind of fault: in a small valid data set each invariant is violated once,
 * with the triggers dropped, and its check must report it.
 */
#include "test.h"

#include "cli/check/check.c"
#include "cgi-bin/mypage/mypage.h"
#include "cli/demo/demo.h"
#include "scratch.h"

#include <sqlite3.h>

/* --- a valid data set: made once, copied for each test ------------------------------------------------------------ */

static char story[64];
static struct cli cli = { .root = ".", .bin = ".", .usage = "" };

static struct plan
plan(int customer, int car, int64_t starts_at, enum fate fate)
{
	return (struct plan){
		.customer = customer,
		.car = car,
		.placed_at = starts_at - 2 * DAY,
		.starts_at = starts_at,
		.ends_at = starts_at + DAY + 3 * HOUR,
		.fate = fate,
	};
}

/* Rented, cancelled late, not picked up, declined; two future bookings of one customer, and a car that is out. */
static void
write_story(struct script *s, int64_t now)
{
	static struct demo_car cars[2] = { { .plate = "12하 3456" },
		{ .plate = "160호 1000", .model = 3, .branch = 5 } };
	static struct plan plans[7];
	int64_t hour = now - now % HOUR;
	const struct deed deeds[] = {
		{ hour - 12 * DAY, 0, DEED_PLACE },
		{ hour - 10 * DAY, 0, DEED_HAND_OUT },
		{ hour - 9 * DAY, 0, DEED_TAKE_BACK },
		{ hour - 9 * DAY, 1, DEED_PLACE },
		{ hour - 8 * DAY, 2, DEED_PLACE },
		{ hour - 7 * DAY - HOUR, 1, DEED_CANCEL },
		{ hour - 6 * DAY + 2 * HOUR, 2, DEED_NO_SHOW },
		{ hour - 5 * DAY, 3, DEED_PLACE },
		{ hour - DAY, 4, DEED_PLACE },
		{ hour - DAY + 5, 5, DEED_PLACE },
		{ hour - 2 * HOUR, 6, DEED_PLACE },
		{ hour - HOUR, 6, DEED_HAND_OUT },
	};

	for (int i = 0; i < 2; i++)
		cars[i].since = now - 30 * DAY;
	plans[0] = plan(3, 0, hour - 10 * DAY, FATE_RENTED);
	plans[1] = plan(4, 0, hour - 7 * DAY, FATE_CANCELLED);
	plans[2] = plan(5, 1, hour - 6 * DAY, FATE_NO_SHOW);
	plans[3] = plan(6, 1, hour - 3 * DAY, FATE_DECLINED);
	plans[4] = plan(7, 0, hour + 3 * DAY, FATE_RENTED);
	plans[5] = plan(7, 1, hour + 5 * DAY, FATE_RENTED);
	plans[6] = plan(8, 1, hour - HOUR, FATE_RENTED);
	*s = (struct script){ .now = now, .cars = cars, .n_cars = 2, .plans = plans, .n_plans = 7 };
	s->deeds = arena_array(scratch_memory, struct deed, 12);
	memcpy(s->deeds, deeds, sizeof(deeds));
	s->n_deeds = 12;
}

static void
play_story(void)
{
	int64_t now = clock_now();
	struct script s;
	struct world w;

	write_story(&s, now);
	if (!world_open(&w, &cli, story))
		fail_msg("%s", w.why);
	world_fleet(&w, &s);
	world_people(&w, now - 20 * DAY);
	world_cards(&w);
	for (int i = 0; i < s.n_deeds; i++)
		world_do(&w, &s, &s.deeds[i]);
	world_end(&w, &s);
	if (w.why)
		fail_msg("%s", w.why);
	assert_true(view_replay(".", story, NULL, NULL, &w.why) >= 0);
	assert_true(world_close(&w));
}

TEST_SETUP(make_story)
{
	scratch_memory = arena_new(256 << 20);
	cli.m = arena_new(64 << 20);
	strcpy(story, "/tmp/motorpool-story-XXXXXX");
	cli.var = mkdtemp(story);
	if (!cli.var || !cli_setup(&cli))
		return -1;
	play_story();
	return 0;
}

TEST_SETUP(remove_story)
{
	return nftw(story, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void
copy_file(const char *name)
{
	const char *sh = arena_printf(scratch_memory, "cp %s/%s %s/", story, name, scratch);

	assert_int_equal(system(sh), 0);
}

TEST_SETUP(copy_story)
{
	void *none;

	if (scratch_begin(&none) != 0)
		return -1;
	copy_file("*.db");
	copy_file("*.db-wal");
	copy_file("secret.key");
	cli.var = scratch;
	return 0;
}

/* --- breaking it -------------------------------------------------------------------------------------------------- */

struct fault {
	const char *name;               /* the test's */
	const char *holds;              /* the check that must find it */
	const char *file;               /* NULL: motorpool */
	const char *sql;
	const char *environment;        /* a setting for this test; or NULL */
};

static void
drop_triggers(sqlite3 *sqlite)
{
	struct buf all = { .m = scratch_memory };
	sqlite3_stmt *stmt;

	buf_puts(&all, "PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON;");
	assert_int_equal(
		sqlite3_prepare_v2(sqlite, "SELECT name FROM sqlite_master WHERE type = 'trigger'", -1, &stmt, NULL),
		SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		buf_printf(&all, "DROP TRIGGER %s;", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_exec(sqlite, all.s, NULL, NULL, NULL), SQLITE_OK);
}

static void
break_it(const struct fault *fault)
{
	const char *path = arena_printf(scratch_memory, "%s/%s.db", scratch, fault->file ? fault->file : "motorpool");
	char *error = NULL;
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	drop_triggers(sqlite);
	if (sqlite3_exec(sqlite, fault->sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	sqlite3_close(sqlite);
}

static const struct check *
find_check(const char *holds)
{
	for (size_t i = 0; i < N_GROUPS; i++)
		for (const struct check *check = groups[i]; check->holds; check++)
			if (strcmp(check->holds, holds) == 0)
				return check;
	fail_msg("there is no check that \"%s\"", holds);
	return NULL;
}

static void
seen(void **state)
{
	const struct fault *fault = *state;
	struct inspection in;
	int64_t wrong;

	break_it(fault);
	if (fault->environment)
		putenv((char *)fault->environment);
	assert_true(check_open(&in, &cli));
	wrong = run_check(&in, find_check(fault->holds));
	if (wrong < 1)
		fail_msg("not found by its check");
	assert_true(
		in.detail[0] != '\0' || strcmp(fault->holds, "the read models are not beyond the end of the log") == 0);
	check_close(&in);
	if (fault->environment)
		unsetenv(arena_strndup(scratch_memory, fault->environment, strcspn(fault->environment, "=")));
}

#define FIRST(table, key, where) " WHERE " key " = (SELECT MIN(" key ") FROM " table " WHERE " where ")"
#define BOOKING(state) FIRST("booking", "booking_id", "state = '" state "'")

/* A job of the first booking in a state; HEARD: all consumers have handled all events. */
#define HEARD "INSERT OR REPLACE INTO position (consumer, event_id, moved_at)" \
	" VALUES ('delivery', 100000, 1), ('booking', 100000, 1), ('equipment', 100000, 1)," \
	" ('review', 100000, 1);"
#define ALL_RETURNED "UPDATE custody SET to_at = 9999999999, ended_by = 'returned' WHERE to_at IS NULL;"
#define ONE_CAR " WHERE car_id = (SELECT MIN(car_id) FROM car WHERE service = 'IN_SERVICE')"
#define JOB(state, direction, booking_state) \
	"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id," \
	" requested_at, received_by, ended_by, photo)" \
	" SELECT code, '" direction "', '" state "', customer_id, starts_at, starts_at, 1, 1, 'x'," \
	" 'dispatcher', 'gone.jpg' FROM booking" BOOKING(booking_state) ";"
#define WISH(booking_state) \
	"INSERT INTO booking_delivery (booking_id, zone, address, window_from, window_to)" \
	" SELECT booking_id, 'center', 'x', starts_at, starts_at FROM booking" BOOKING(booking_state) ";"

/* An item with ten pieces; a line of the first booking in a state for two of them, and its order. */
#define ITEM \
	"INSERT INTO item (item_id, name, category, daily_price, created_at, updated_at)" \
	" VALUES (900, 'Tent', 'other', 5, 1, 1);" \
	"INSERT INTO stock_entry (entry_id, item_id, kind, quantity, balance, entered_at)" \
	" VALUES (900, 900, 'receive', 10, 10, 1);"
#define EXTRA(booking_state) \
	"INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount) SELECT booking_id, 9," \
	" 'equipment', 900, 2, 10 FROM booking" BOOKING(booking_state) ";"
#define LEND(state, booking_state) \
	"INSERT INTO equipment_order (order_id, code, booking_code, line_no, customer_id, item_id, item_name," \
	" quantity, starts_at, ends_at, daily_price, amount, currency, state, end_reason, ordered_at)" \
	" SELECT 900, code || '-9', code, 9, customer_id, 900, 'Tent', 2, starts_at, ends_at, 5, 10, 'KRW'," \
	" '" state "', 'x', 1" \
	" FROM booking" BOOKING(booking_state) ";"
/* An extra of the first confirmed booking, and its state. */
#define PART(kind, state, refund_state, due, back) \
	"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount," \
	" amount) SELECT booking_id, 9, '" kind "', 1, 'trip', 1, 5000, 5000 FROM booking" BOOKING("CONFIRMED") ";" \
	"INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount, state, refund_state," \
	" refund_due, refunded_amount, ended_at)" \
	" SELECT booking_id, 9, '" kind "', 1, 3, 5000, '" state "', '" refund_state "', " due ", " back ", 1" \
	" FROM booking" BOOKING("CONFIRMED") ";"

/* … and its review case. */
#define CASE(state) \
	"INSERT INTO review_case (key, kind, subject_id, applicant_id, title, quantity, state, reason," \
	" opened_at) SELECT code, 'equipment', booking_code," \
	" customer_id, 'Tents', 2, '" state "', 'x', 1 FROM equipment_order WHERE order_id = 900;"

/* A message of an event, its mail in a state. */
#define LINK(user_id, email, used_at) \
	"INSERT INTO mail_link (purpose, seed, token_hash, user_id, email, lang, created_at, expires_at, used_at)" \
	" VALUES ('sign_up', 's', 't', " user_id ", " email ", 'en', 1, 1801, " used_at ")"
#define MESSAGE(event, state, email) \
	"INSERT INTO message (message_id, event_id, recipient_id, kind, subject_id, lang, title, body, in_inbox," \
	" email, state, created_at)" \
	" VALUES (77, " event ", 1, 'booking_confirmed', 'MP-NOBODY', 'ko', 't', 'b', 1, '" email "', '" state "', 1)"

/* A payout that is posted as due, in a state, without an event. */
#define PAYOUT(state) \
	"INSERT INTO payout (payout_id, key, payee_id, subject_id, kind, amount, currency, way, state, note," \
	" requested_at, done_at) VALUES (9001, 'MP-1-compensation', 1, 'MP-1', 'compensation', 5000, 'KRW', 'bank'," \
	" '" state "', 'x', 1, 1);" \
	"INSERT INTO ledger_line (posting_id, account, amount) VALUES (9001, 'compensation', 5000)," \
	" (9001, 'payouts_payable', -5000);" \
	"INSERT INTO posting (posting_id, kind, subject_id, payout_id, currency, posted_at)" \
	" VALUES (9001, 'payout_due', 'MP-1', 9001, 'KRW', 1);"

static struct fault faults[] = {
	/* bookings */
	{ "two_slots_of_one_car_that_overlap_are_seen",
		"no two unreleased slots of a car overlap, turnaround time included", NULL,
	  "INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, rev) SELECT car_id, 'BLOCK',"
	  " busy_until - 60, busy_until, busy_until, 999"
	  " FROM slot WHERE kind = 'BOOKED' LIMIT 1", NULL },
	{ "a_booking_whose_slot_was_released_is_seen",
		"every booking has a slot for each of its cars, of the kind that its state requires", NULL,
	  "UPDATE slot SET kind = 'RELEASED' WHERE booking_id = (SELECT MIN(booking_id) FROM booking"
	  " WHERE state = 'CONFIRMED')", NULL },
	{ "a_cancelled_booking_that_still_blocks_its_car_is_seen",
		"every booking has a slot for each of its cars, of the kind that its state requires", NULL,
	  "UPDATE slot SET kind = 'BOOKED' WHERE booking_id = (SELECT MIN(booking_id) FROM booking"
	  " WHERE state = 'CANCELLED')", NULL },
	{ "a_slot_without_a_booking_is_seen",
		"every slot with a booking refers to an existing booking and one of its cars", NULL,
	  "UPDATE slot SET booking_id = 9999" FIRST("slot", "slot_id", "kind = 'BOOKED'"), NULL },
	{ "a_booking_of_fewer_cars_than_it_says_is_seen",
		"every booking has the stated number of cars, and more than one only of the same model", NULL,
	  "UPDATE booking SET n_cars = 2, model_id = 1" BOOKING("CONFIRMED"), NULL },
	{ "a_second_car_without_its_slot_is_seen",
		"every booking has a slot for each of its cars, of the kind that its state requires", NULL,
	  "INSERT INTO booking_car (booking_id, car_no, car_id, car_name, plate) SELECT booking_id, 2, car_id + 1, 'x',"
	  " 'x' FROM booking" BOOKING("CONFIRMED"), NULL },
	{ "a_slot_of_a_car_of_another_booking_is_seen",
		"every slot with a booking refers to an existing booking and one of its cars", NULL,
	  "UPDATE slot SET car_id = car_id + 1000" FIRST("slot", "slot_id", "kind = 'BOOKED'"), NULL },
	{ "a_second_car_without_a_reservation_is_seen", "the reservations of fleet match the bookings", NULL,
	  "INSERT INTO booking_car (booking_id, car_no, car_id, car_name, plate) SELECT booking_id, 2, car_id + 1, 'x',"
	  " 'x' FROM booking" BOOKING("OUT"), NULL },
	{ "a_reservation_of_a_car_of_another_booking_is_seen",
		"every reservation refers to a booking and one of its cars", NULL,
	  "UPDATE reservation SET car_id = car_id + 1000" FIRST("reservation", "booking_code", "1"), NULL },
	{ "a_refund_while_a_no_show_can_be_undone_is_seen",
	  "what a no-show or a return leads to waits until it can no longer be undone", NULL,
	  "UPDATE booking SET undo_until = ended_at + 600" BOOKING("NO_SHOW"), NULL },
	{ "a_slot_that_was_shortened_while_a_return_can_be_undone_is_seen",
	  "what a no-show or a return leads to waits until it can no longer be undone", NULL,
	  "UPDATE booking SET state = 'RETURNED', undo_until = ended_at + 600" BOOKING("COMPLETED"), NULL },
	{ "a_return_that_would_never_be_completed_is_seen",
	  "what a no-show or a return leads to waits until it can no longer be undone", NULL,
	  "UPDATE booking SET state = 'RETURNED'" BOOKING("COMPLETED"), NULL },
	{ "a_no_show_that_keeps_too_much_is_seen",
	  "of a booking that was not picked up the late fee is kept at most", NULL,
	  "UPDATE booking SET refund_due = refund_due - 1" BOOKING("NO_SHOW"), NULL },
	{ "a_return_that_is_not_completed_in_time_is_seen",
	  "every no-show and return is final 5 minutes after it can no longer be undone", NULL,
	  "UPDATE booking SET state = 'RETURNED', undo_until = ended_at + 600" BOOKING("COMPLETED"), NULL },
	{ "a_second_return_that_follows_no_undo_is_seen",
	  "a no-show or a return occurs again only after it was undone", NULL,
	  "UPDATE event SET type = 'booking.returned'"
	  FIRST("event", "event_id", "type = 'booking.handed_out'"), NULL },
	{ "an_amount_that_is_not_the_sum_of_its_lines_is_seen", "the price lines of a booking sum to its amount", NULL,
	  "UPDATE booking SET amount = amount + 1" BOOKING("COMPLETED"), NULL },
	{ "a_line_with_a_wrong_quantity_is_seen", "a price line is quantity times unit price, or the lower cap", NULL,
	  "UPDATE booking_line SET quantity = quantity +"
	  " 1" FIRST("booking_line", "booking_id", "rule = 'daily'"), NULL },
	{ "too_many_open_bookings_are_seen", "no customer has more open bookings than allowed", NULL,
	  "SELECT 1", "MOTORPOOL_MAX_BOOKINGS_PER_PERSON=1" },
	{ "two_bookings_under_one_key_are_seen", "a customer has one booking per idempotency key", NULL,
	  "DROP INDEX booking_request; UPDATE booking SET request_key = 'k' WHERE state = 'CONFIRMED'", NULL },
	{ "a_hold_that_did_not_expire_is_seen", "no hold is older than a minute after its expiry", NULL,
	  "UPDATE booking SET state = 'HELD', hold_until = 1000" BOOKING("CONFIRMED"), NULL },
	{ "a_paid_booking_that_was_not_confirmed_is_seen",
		"no paid booking has been unconfirmed for more than 5 minutes", NULL,
	  "UPDATE booking SET state = 'PAID'" BOOKING("CONFIRMED"), NULL },
	{ "a_refund_pending_for_too_long_is_seen",
		"no cancellation or refund of a booking has been pending for more than 15 minutes", NULL,
	  "UPDATE booking SET refund_state = 'PENDING'" BOOKING("CANCELLED"), NULL },
	{ "a_cancellation_that_never_ended_is_seen",
		"no cancellation or refund of a booking has been pending for more than 15 minutes", NULL,
	  "UPDATE booking SET state = 'CANCEL_REQUESTED', refund_state = 'DONE'" BOOKING("CANCELLED"), NULL },
	{ "a_reservation_in_a_wrong_state_is_seen", "the reservations of fleet match the bookings", NULL,
	  "UPDATE reservation SET state = 'RELEASED' WHERE booking_code = (SELECT code FROM booking"
	  " WHERE state = 'OUT')", NULL },
	{ "a_booking_without_a_reservation_is_seen", "the reservations of fleet match the bookings", NULL,
	  "DELETE FROM reservation WHERE booking_code = (SELECT code FROM booking WHERE state = 'OUT')", NULL },
	{ "a_reservation_without_a_booking_is_seen", "every reservation refers to a booking and one of its cars", NULL,
	  "UPDATE reservation SET booking_code = 'MP-00000000'" FIRST("reservation", "booking_code", "1"), NULL },
	/* extras */
	{ "an_extra_without_a_line_is_seen",
		"every extra of a booking has a price line, and every extra price line has an extra", NULL,
	  PART("delivery", "BOOKED", "NONE", "0", "0") "DELETE FROM booking_line WHERE line_no = 9", NULL },
	{ "a_line_without_an_extra_is_seen",
		"every extra of a booking has a price line, and every extra price line has an extra", NULL,
	  PART("delivery", "BOOKED", "NONE", "0", "0") "DELETE FROM booking_extra", NULL },
	{ "an_extra_with_another_price_is_seen",
		"every extra of a booking has a price line, and every extra price line has an extra", NULL,
	  PART("delivery", "BOOKED", "NONE", "0", "0") "UPDATE booking_extra SET amount = 4999", NULL },
	{ "a_delivery_without_an_address_is_seen",
		"a booking with delivery has an address and a delivery time within the booking", NULL,
	  PART("delivery", "BOOKED", "NONE", "0", "0"), NULL },
	{ "a_delivery_before_the_booking_is_seen",
		"a booking with delivery has an address and a delivery time within the booking", NULL,
	  PART("delivery", "BOOKED", "NONE", "0",
	  	"0") WISH("CONFIRMED") "UPDATE booking_delivery SET window_from = window_from - 1", NULL },
	{ "an_ended_extra_without_a_refund_is_seen", "a cancelled extra is refunded in full", NULL,
	  PART("equipment", "ENDED", "NONE", "0", "0"), NULL },
	{ "an_extra_refunded_in_part_is_seen", "a cancelled extra is refunded in full", NULL,
	  PART("equipment", "ENDED", "DONE", "5000", "4000"), NULL },
	{ "a_booked_extra_with_a_refund_is_seen", "a cancelled extra is refunded in full", NULL,
	  PART("equipment", "BOOKED", "PENDING", "5000", "0"), NULL },
	{ "more_refund_due_than_was_paid_is_seen",
		"the refunds due for a booking and its extras do not exceed the amount paid", NULL,
	  PART("equipment", "ENDED", "PENDING", "5000",
	  	"0") "UPDATE booking SET refund_due = amount" BOOKING("CONFIRMED"), NULL },
	{ "an_extras_refund_that_never_ends_is_seen",
		"no partial refund of a booking has been pending for more than 15 minutes", NULL,
	  PART("equipment", "ENDED", "PENDING", "5000", "0"), NULL },
	{ "a_cancellation_pending_for_too_long_is_seen",
		"no cancellation has been waiting for delivery for more than 15 minutes", NULL,
	  "UPDATE booking SET cancel_asked_at = 1" BOOKING("CONFIRMED"), NULL },
	{ "an_extras_refund_that_payment_never_made_is_seen", "bookings and charges agree on what was refunded", NULL,
	  PART("equipment", "ENDED", "DONE", "5000", "5000"), NULL },
	/* money */
	{ "a_booking_without_a_charge_is_seen", "every booking beyond HELD has an approved charge of its amount", NULL,
	  "UPDATE booking SET charge_id = NULL" BOOKING("CONFIRMED"), NULL },
	{ "a_booking_whose_charge_failed_is_seen", "every booking beyond HELD has an approved charge of its amount",
		NULL,
	  "UPDATE charge SET state = 'FAILED' WHERE key = (SELECT MIN(code) FROM booking"
	  " WHERE state = 'CONFIRMED')", NULL },
	{ "money_kept_for_an_expired_booking_is_seen", "no money is kept for a booking that was not completed", NULL,
	  "UPDATE booking SET state = 'EXPIRED'" BOOKING("CONFIRMED"), NULL },
	{ "money_taken_without_a_booking_is_seen", "no money is kept for a booking that was not completed", NULL,
	  "UPDATE charge SET subject_id = 'MP-00000000'" FIRST("charge", "charge_id", "state = 'APPROVED'"), NULL },
	{ "a_booking_that_was_charged_twice_is_seen",
		"of all tries to pay for a booking one at most is charged and not refunded", NULL,
	  "DROP INDEX charge_approved; UPDATE charge SET subject_id = (SELECT MIN(code) FROM booking"
	  " WHERE state = 'CONFIRMED') WHERE state = 'APPROVED'", NULL },
	{ "a_try_that_is_not_known_to_be_declined_is_seen", "every try before a booking's last one was declined", NULL,
	  "UPDATE booking SET try_no = 2" BOOKING("CONFIRMED"), NULL },
	{ "a_refund_not_recorded_in_the_booking_is_seen", "bookings and charges agree on what was refunded", NULL,
	  "UPDATE booking SET refunded_amount = 0" BOOKING("CANCELLED"), NULL },
	{ "more_refunded_than_captured_is_seen", "refunds never exceed the captured amount", NULL,
	  "UPDATE refund SET amount = amount + 100000000", NULL },
	{ "a_refunded_amount_that_is_not_the_sum_is_seen", "the refunded amount of a charge is the sum of its refunds",
		NULL,
	  "UPDATE charge SET refunded_amount = refunded_amount - 1 WHERE state = 'CANCELLED'", NULL },
	{ "a_refunded_charge_that_counts_as_approved_is_seen", "the state of a charge matches its refunds", NULL,
	  "UPDATE charge SET state = 'APPROVED' WHERE state = 'CANCELLED'", NULL },
	{ "a_charge_without_an_answer_is_seen", "no charge has been unanswered for more than 15 minutes", NULL,
	  "UPDATE charge SET state = 'UNKNOWN' WHERE state = 'FAILED'", NULL },
	{ "a_refund_that_never_ends_is_seen", "no refund has been in progress for more than 15 minutes", NULL,
	  "UPDATE refund SET state = 'REQUESTED'", NULL },
	{ "a_posting_that_does_not_balance_is_seen", "the lines of every posting sum to zero", NULL,
	  "UPDATE ledger_line SET amount = amount +"
	  " 1" FIRST("ledger_line", "posting_id", "1") " AND account = 'card_clearing'", NULL },
	{ "a_posting_without_lines_is_seen", "the lines of every posting sum to zero", NULL,
	  "DELETE FROM ledger_line" FIRST("ledger_line", "posting_id", "1"), NULL },
	{ "lines_without_a_posting_are_seen", "every line belongs to a posting", NULL,
	  "DELETE FROM posting" FIRST("posting", "posting_id", "1"), NULL },
	{ "accounts_that_do_not_sum_to_zero_are_seen", "the balances of all accounts sum to zero", NULL,
	  "INSERT INTO ledger_line (posting_id, account, amount) VALUES (9999, 'vat_payable', 7)", NULL },
	{ "a_charge_that_was_not_posted_is_seen", "a charge is posted if and only if it was captured", NULL,
	  "DELETE FROM ledger_line WHERE posting_id = (SELECT MIN(posting_id) FROM posting WHERE kind = 'capture');"
	  "DELETE FROM posting" FIRST("posting", "posting_id", "kind = 'capture'"), NULL },
	{ "a_posting_of_a_declined_charge_is_seen", "a charge is posted if and only if it was captured", NULL,
	  "UPDATE posting SET charge_id = (SELECT charge_id FROM charge"
	  " WHERE state = 'FAILED')" FIRST("posting", "posting_id", "kind = 'capture'"), NULL },
	{ "a_refund_that_was_not_posted_is_seen", "every refund is posted when it is due and when it is paid", NULL,
	  "DELETE FROM ledger_line WHERE posting_id = (SELECT MIN(posting_id) FROM posting WHERE kind = 'refund_paid');"
	  "DELETE FROM posting WHERE kind = 'refund_paid'", NULL },
	{ "a_clearing_account_that_differs_from_the_charges_is_seen",
		"card_clearing equals captures minus refunds to cards", NULL,
	  "INSERT INTO ledger_line (posting_id, account, amount)"
	  " VALUES (9999, 'vat_payable', 7), (9999, 'card_clearing', -7);"
	  "INSERT INTO posting (posting_id, kind, subject_id, charge_id, currency, posted_at)"
	  " VALUES (9999, 'refund_paid', 'MP-1', 1, 'KRW', 1)", NULL },
	{ "a_bank_account_that_differs_from_the_transfers_is_seen",
		"bank equals the refunds and payouts paid by bank transfer",
		NULL,
	  "INSERT INTO ledger_line (posting_id, account, amount) VALUES (9999, 'vat_payable', 7), (9999, 'bank', -7);"
	  "INSERT INTO posting (posting_id, kind, subject_id, charge_id, currency, posted_at)"
	  " VALUES (9999, 'refund_paid', 'MP-1', 1, 'KRW', 1)", NULL },
	{ "a_payable_account_that_differs_from_the_refunds_is_seen", "refunds_payable equals the refunds in progress",
		NULL,
	  "INSERT INTO ledger_line (posting_id, account, amount)"
	  " VALUES (9999, 'vat_payable', 7), (9999, 'refunds_payable', -7)", NULL },
	{ "a_posting_of_an_unknown_kind_is_seen", "every posting has a known kind and known accounts", NULL,
	  "UPDATE posting SET kind = 'gift'" FIRST("posting", "posting_id", "1"), NULL },
	{ "a_refund_posting_without_its_refund_is_seen", "every posting has a known kind and known accounts", NULL,
	  "UPDATE posting SET refund_id = NULL" FIRST("posting", "posting_id", "kind = 'refund_paid'"), NULL },
	{ "a_line_of_an_unknown_account_is_seen", "every posting has a known kind and known accounts", NULL,
	  "UPDATE ledger_line SET account = 'pocket' WHERE account = 'vat_payable'", NULL },
	{ "a_posting_with_the_subject_of_another_charge_is_seen",
		"every posting has the subject and currency of its charge or payout", NULL,
	  "UPDATE posting SET subject_id = 'MP-00000000'" FIRST("posting", "posting_id", "1"), NULL },
	{ "a_payout_that_was_not_posted_is_seen", "every payout is posted when it is due and when it is paid or fails",
		NULL, PAYOUT("ASSIGNED") "DELETE FROM ledger_line WHERE posting_id = 9001;"
	  "DELETE FROM posting WHERE posting_id = 9001", NULL },
	{ "a_paid_payout_without_its_posting_is_seen",
		"every payout is posted when it is due and when it is paid or fails", NULL, PAYOUT("COMPLETED"), NULL },
	{ "a_failed_payout_that_was_not_reversed_is_seen",
		"every payout is posted when it is due and when it is paid or fails", NULL, PAYOUT("FAILED"), NULL },
	{ "payouts_owed_that_differ_from_the_ledger_are_seen", "payouts_payable equals the payouts to be paid", NULL,
		PAYOUT("COMPLETED"), NULL },
	{ "a_payout_without_its_event_is_seen", "every payout has the event of its state", NULL, PAYOUT("ASSIGNED"),
		NULL },
	{ "money_the_provider_does_not_have_is_seen", "every charge and refund in our books exists at the provider",
		"sandbox",
	  "DELETE FROM cancel; DELETE FROM payment" FIRST("payment", "payment_id", "status = 'DONE'"), NULL },
	{ "a_refund_the_provider_never_made_is_seen", "every charge and refund in our books exists at the provider",
		"sandbox",
	  "UPDATE payment SET balance = amount, status = 'DONE' WHERE status = 'PARTIAL_CANCELED'", NULL },
	{ "money_the_provider_took_on_its_own_is_seen", "every payment at the provider exists in our books", "sandbox",
	  "UPDATE payment SET order_id = 'MP-00000000'" FIRST("payment", "payment_id", "status = 'DONE'"), NULL },
	{ "a_cancellation_missing_at_the_provider_is_seen", "the provider's own records are consistent", "sandbox",
	  "DELETE FROM cancel", NULL },
	/* delivery, equipment, review */
	{ "two_jobs_of_a_booking_are_seen", "a booking has at most one delivery job per direction", NULL,
	  "DROP INDEX delivery_once;" JOB("REQUESTED", "delivery", "CONFIRMED") JOB("SCHEDULED", "delivery",
	  	"CONFIRMED"), NULL },
	{ "a_job_without_a_booking_is_seen", "every delivery job refers to a booking and its customer", NULL,
	  JOB("REQUESTED", "delivery", "CONFIRMED") "UPDATE delivery SET booking_code = 'MP-00000000'", NULL },
	{ "a_job_for_another_customer_is_seen", "every delivery job refers to a booking and its customer", NULL,
	  JOB("REQUESTED", "delivery", "CONFIRMED") "UPDATE delivery SET customer_id = 99999", NULL },
	{ "a_confirmed_delivery_without_a_job_is_seen", "every confirmed booking with delivery has a delivery job",
		NULL, HEARD WISH("CONFIRMED"), NULL },
	{ "a_job_for_a_cancelled_booking_is_seen", "no delivery job is open for a booking that has ended", NULL,
		HEARD JOB("SCHEDULED", "delivery", "CANCELLED"), NULL },
	{ "a_delivery_of_a_car_that_is_out_is_seen", "no delivery job is open for a booking that has ended", NULL,
		HEARD JOB("REQUESTED", "delivery", "OUT"), NULL },
	{ "a_delivered_car_that_is_not_out_is_seen", "a booking whose car was delivered is OUT or later", NULL,
		HEARD JOB("DELIVERED", "delivery", "CONFIRMED"), NULL },
	{ "a_collected_car_that_is_not_returned_is_seen", "a booking whose car was collected is RETURNED or later",
		NULL, HEARD JOB("DELIVERED", "collection", "OUT"), NULL },
	{ "a_fee_kept_for_a_cancelled_delivery_is_seen", "a delivery cancelled by the dispatcher is refunded", NULL,
		HEARD JOB("CANCELLED", "delivery", "CONFIRMED")
	  "INSERT INTO booking_extra (booking_id, line_no, kind, quantity, amount) SELECT booking_id, 9, 'delivery', 1,"
	  " 1 FROM booking" BOOKING("CONFIRMED"), NULL },
	{ "a_missing_photo_is_seen", "every handover photo exists", NULL, JOB("DELIVERED", "delivery", "OUT"), NULL },
	{ "a_ledger_that_does_not_add_up_is_seen", "the stock of an item is the sum of its ledger and never negative",
		NULL, ITEM
	  "UPDATE stock_entry SET quantity = 9 WHERE entry_id = 900", NULL },
	{ "reserved_pieces_without_a_ledger_entry_are_seen", "the quantity reserved for an order matches the ledger",
		NULL, ITEM LEND("APPROVED", "CONFIRMED")
	  "UPDATE equipment_order SET taken = 2", NULL },
	{ "an_order_that_lacks_pieces_in_stock_is_seen", "no order lacks units that are in stock", NULL,
		ITEM LEND("APPROVED", "CONFIRMED"), NULL },
	{ "a_piece_that_is_promised_twice_is_seen", "no unit is reserved twice for a future time", NULL,
		ITEM LEND("ORDERED", "CONFIRMED")
	  "UPDATE equipment_order SET quantity = 11, ends_at = 4000000000", NULL },
	{ "a_low_stock_without_its_mark_is_seen", "an item is marked as low when its stock is low", NULL,
		ITEM "UPDATE item SET low_stock = 10", NULL },
	{ "paid_equipment_without_an_order_is_seen", "the equipment of every paid booking is ordered as it was paid",
		NULL, HEARD ITEM EXTRA("CONFIRMED"), NULL },
	{ "an_order_with_another_quantity_is_seen", "the equipment of every paid booking is ordered as it was paid",
		NULL, HEARD ITEM EXTRA("CONFIRMED") LEND("ORDERED", "CONFIRMED")
	  "UPDATE equipment_order SET quantity = 1", NULL },
	{ "an_order_without_a_line_is_seen", "every order with a booking matches one of its price lines", NULL,
		ITEM LEND("ORDERED", "CONFIRMED"), NULL },
	{ "an_order_of_a_cancelled_booking_is_seen", "no equipment order is open for a booking that has ended", NULL,
		HEARD ITEM LEND("ORDERED", "CANCELLED"), NULL },
	{ "a_rejected_order_without_a_refund_is_seen", "a cancelled or rejected equipment order is refunded", NULL,
		HEARD ITEM EXTRA("CONFIRMED") LEND("REJECTED", "CONFIRMED"), NULL },
	{ "an_approval_request_pending_for_too_long_is_seen",
		"no order has been waiting for more than 5 minutes for its approval"
		" request", NULL, ITEM LEND("ORDERED", "CONFIRMED") "UPDATE equipment_order SET asked_at = 1", NULL },
	{ "equipment_handed_out_without_approval_is_seen", "no equipment is handed out without approval", NULL,
		HEARD ITEM LEND("APPROVED", "CONFIRMED") CASE("CANCELLED"), NULL },
	{ "an_order_missing_in_the_queue_is_seen", "every equipment order was decided or is in the approval queue",
		NULL, HEARD ITEM LEND("ORDERED", "CONFIRMED"), NULL },
	{ "a_decision_not_applied_to_its_order_is_seen",
		"every equipment order was decided or is in the approval"
		" queue", NULL, HEARD ITEM LEND("ORDERED", "CONFIRMED") CASE("APPROVED"), NULL },
	{ "an_open_case_of_an_ended_order_is_seen", "the approval queue contains no ended orders", NULL,
		HEARD ITEM LEND("CANCELLED", "CONFIRMED") CASE("ASSIGNED"), NULL },
	{ "a_decision_without_an_event_is_seen", "every decision has an event", NULL,
		ITEM LEND("REJECTED", "CONFIRMED") CASE("REJECTED"), NULL },
	/* messages */
	{ "a_booking_without_a_message_is_seen", "every confirmed or cancelled booking has a message to its customer",
		NULL,
	  MESSAGE("(SELECT MIN(event_id) FROM event WHERE type = 'booking.confirmed')", "SENT", "")
	  "; INSERT INTO position (consumer, event_id, moved_at) SELECT 'message', MAX(event_id), 1 FROM event WHERE 1"
	  " ON CONFLICT (consumer) DO UPDATE SET event_id = excluded.event_id", NULL },
	{ "a_message_without_an_event_is_seen", "every message refers to an event", NULL,
		MESSAGE("1000000", "SENT", ""), NULL },
	{ "a_sent_mail_without_an_accepted_try_is_seen", "every sent mail has a successful attempt", NULL,
		MESSAGE("1", "SENT", "a@b.kr"), NULL },
	{ "an_outcome_of_a_message_without_an_event_is_seen", "the outcome of every message has an event", NULL,
		MESSAGE("1", "DEAD", "a@b.kr"), NULL },
	{ "a_try_still_open_after_the_end_is_seen", "no message in progress is already settled", NULL,
	  MESSAGE("1", "SENT", "a@b.kr")
	  "; INSERT INTO message_try (message_id, try_no, tried_at, outcome) VALUES (77, 1, 1, 'SENDING')", NULL },
	{ "a_link_without_an_event_is_seen", "every link to be mailed has its event", NULL,
		LINK("NULL", "'a@b.kr'", "0"), NULL },
	{ "a_confirmed_sign_up_without_a_confirmed_address_is_seen",
		"every confirmed sign-up has an account with a confirmed address", NULL,
	  "UPDATE person SET email_confirmed_at = 0 WHERE user_id = 1; " LINK("1", "''", "2"), NULL },
	/* events and files */
	{ "a_changed_event_is_seen", "the event chain of every subject is intact", NULL,
	  "UPDATE event SET payload = replace(payload, '\"amount\":',"
	  " '\"amount\":1')" FIRST("event", "event_id", "type = 'booking.paid'"), NULL },
	{ "a_missing_event_is_seen", "the event chain of every subject is intact", NULL,
	  "DELETE FROM event" FIRST("event", "event_id", "type = 'booking.paid'"), NULL },
	{ "an_event_that_occurs_twice_is_seen", "events that can occur only once per subject occur once", NULL,
	  "INSERT INTO event SELECT event_id + 100000, type, subject_id, causation_id, actor_id, occurred_at,"
	  " recorded_at, payload, 'y', 'x'"
	  " FROM event WHERE type = 'car.reserved' LIMIT 1", NULL },
	{ "a_booking_with_terms_that_are_not_there_is_seen",
	  "the version of the terms that a booking accepted exists and was valid then", NULL,
	  "UPDATE booking SET terms_version = 9 WHERE booking_id = 1", NULL },
	{ "a_booking_with_terms_that_were_not_valid_yet_is_seen",
	  "the version of the terms that a booking accepted exists and was valid then", NULL,
	  "UPDATE terms_version SET valid_from = (SELECT MAX(held_at) FROM booking) WHERE kind = 'terms'", NULL },
	{ "a_missing_version_of_a_document_is_seen",
	  "the versions of each of the firm's documents are numbered from 1 without a gap", NULL,
	  "UPDATE terms_version SET version = 2 WHERE kind = 'privacy'", NULL },
	{ "two_custodies_of_a_car_at_a_time_are_seen", "no two custodies of a car overlap", NULL,
	  "INSERT INTO custody (key, car_id, kind, user_id, from_at, to_at, ended_by) SELECT 'x', car_id, 'staff', 1,"
	  " from_at + 1, from_at + 2, 'returned' FROM custody WHERE to_at > from_at + 2 LIMIT 1", NULL },
	{ "a_booking_out_without_custody_is_seen",
	  "every car of a booking that is out is in the custody of its customer, and no other is", NULL,
	  "UPDATE custody SET to_at = from_at, ended_by = 'returned' WHERE to_at IS NULL", NULL },
	{ "a_custody_after_the_return_is_seen",
	  "every car of a booking that is out is in the custody of its customer, and no other is", NULL,
	  "UPDATE custody SET to_at = NULL, ended_by = ''" FIRST("custody", "custody_id", "to_at > 0"), NULL },
	{ "a_custody_of_another_customer_is_seen",
	  "every custody is of a car of its booking, and a customer's of that customer", NULL,
	  "UPDATE custody SET user_id = user_id + 1 WHERE to_at IS NULL", NULL },
	{ "a_courier_who_has_a_car_without_a_job_is_seen",
	  "a car is with a courier only while its job is on the way", NULL,
	  "INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at) SELECT 'x', car_id, 'staff',"
	  " booking_id, 1, 1 FROM booking" BOOKING("CONFIRMED"), NULL },
	{ "a_delivery_on_its_way_without_a_custody_is_seen",
	  "while a delivery is on the way its courier has the car", NULL,
	  JOB("SHIPPED", "delivery", "CONFIRMED") "UPDATE delivery SET trip_no = 1", NULL },
	{ "a_fee_refunded_for_a_delivery_that_is_only_given_up_is_seen",
	  "a delivery that is given up is not refunded before it is cancelled", NULL,
	  HEARD JOB("SCHEDULED", "delivery", "CONFIRMED") PART("delivery", "ENDED", "PENDING", "5000", "0")
	  "UPDATE delivery SET cancel_at = 9999999999", NULL },
	{ "a_delivery_that_is_given_up_for_too_long_is_seen",
	  "no delivery has been given up for more than 15 minutes after its time", NULL,
	  JOB("SCHEDULED", "delivery", "CONFIRMED") "UPDATE delivery SET cancel_at = 1", NULL },
	{ "a_retired_car_without_an_event_is_seen", "a car is retired exactly when its last event says so", NULL,
	  ALL_RETURNED "UPDATE car SET service = 'RETIRED'" ONE_CAR, NULL },
	{ "a_car_that_waits_to_be_retired_for_too_long_is_seen",
	  "no car has been waiting to be retired for more than 15 minutes after its time", NULL,
	  ALL_RETURNED "UPDATE car SET service = 'OUT_OF_SERVICE', retire_at = 1, service_before = 'IN_SERVICE'"
	  ONE_CAR, NULL },
	{ "a_step_without_an_answer_is_seen",
	  "no courier's step has been waiting for booking's answer for more than 15 minutes", NULL,
	  JOB("SCHEDULED", "delivery", "CONFIRMED") "UPDATE delivery SET asked_step = 'leave', asked_at = 1", NULL },
	{ "a_state_without_an_event_is_seen", "every booking state has an event", NULL,
	  "UPDATE booking SET state = 'OUT'" BOOKING("CONFIRMED"), NULL },
	{ "a_charge_without_an_event_is_seen", "every charge and every refund has an event", NULL,
	  "UPDATE event SET type = 'payment.other'" FIRST("event", "event_id", "type = 'payment.approved'"), NULL },
	{ "a_refund_without_an_event_is_seen", "every charge and every refund has an event", NULL,
	  "UPDATE event SET type = 'payment.other'" FIRST("event", "event_id", "type = 'payment.cancelled'"), NULL },
	{ "a_consumer_ahead_of_the_log_is_seen", "no consumer position is beyond the end of the log", NULL,
	  "UPDATE position SET event_id = event_id + 100000 WHERE consumer = 'fleet'", NULL },
	{ "a_dead_letter_is_seen", "there are no dead letters", NULL,
	  "INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error, dead)"
	  " VALUES ('fleet', 3, 'car:1', 12, 1, 'no', 1)", NULL },
	{ "a_dead_letter_of_the_read_models_is_seen", "there are no dead letters", "view",
	  "INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error, dead)"
	  " VALUES ('mypage', 3, 'car:1', 12, 1, 'no', 1)", NULL },
	{ "read_models_ahead_of_the_log_are_seen", "the read models are not beyond the end of the log", "view",
	  "UPDATE position SET event_id = event_id + 100000", NULL },
	{ "a_read_model_that_differs_is_seen", "the read models equal a replay of the log", "view",
	  "UPDATE my_booking SET amount = amount + 1" FIRST("my_booking", "code", "1"), NULL },
	{ "a_read_model_that_lacks_a_row_is_seen", "the read models equal a replay of the log", "view",
	  "DELETE FROM my_event" FIRST("my_event", "event_id", "1"), NULL },
	{ "a_dangling_foreign_key_is_seen", "every foreign key refers to an existing row", NULL,
	  "INSERT INTO user_role (user_id, role) VALUES (99999, 'admin')", NULL },
	{ "a_damaged_index_is_seen", "motorpool.db passes the integrity check", NULL,
	  "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = 'CREATE INDEX booking_by_car"
	  " ON booking (car_id, ends_at)'"
	  " WHERE name = 'booking_by_car'", NULL },
	{ "a_damaged_index_of_the_read_models_is_seen", "view.db passes the integrity check", "view",
	  "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = 'CREATE INDEX view_car_by_plate"
	  " ON view_car (name)'"
	  " WHERE name = 'view_car_by_plate'", NULL },
};
#define N_FAULTS (sizeof(faults) / sizeof(faults[0]))

/* --- all checks together ------------------------------------------------------------------------------------------ */

TEST_WITH(all_checks_hold_on_valid_data, copy_story, scratch_end)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct inspection in;
	bool ok;

	assert_true(check_open(&in, &cli));
	assert_true(in.has_sandbox);
	ok = check_all(&in, false, out);
	fclose(out);
	if (!ok)
		fail_msg("%s", text);
	assert_null(strstr(text, "FAILED"));
	assert_null(strstr(text, "\n  - ")); /* no check was skipped */
	free(text);
	check_close(&in);
}

TEST_WITH(one_failed_check_fails_the_command_and_is_named, copy_story, scratch_end)
{
	struct fault fault = {
		.sql = "UPDATE booking SET amount = amount + 1 WHERE code = (SELECT MIN(code) FROM booking)"
	};
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct inspection in;

	break_it(&fault);
	assert_true(check_open(&in, &cli));
	assert_false(check_all(&in, true, out));
	fclose(out);
	assert_non_null(strstr(text, "FAILED        1  the price lines of a booking sum to its amount: MP-"));
	assert_null(strstr(text, "equal a replay")); /* --quick */
	free(text);
	check_close(&in);
}

TEST_WITH(every_check_is_shown_to_fail, NULL, NULL)
{
	for (size_t i = 0; i < N_GROUPS; i++)
		for (const struct check *check = groups[i]; check->holds; check++) {
			bool tried = false;

			for (size_t j = 0; j < N_FAULTS; j++)
				tried = tried || strcmp(faults[j].holds, check->holds) == 0;
			if (!tried)
				fail_msg("no test makes this check fail: %s", check->holds);
		}
}

int
main(void)
{
	for (size_t i = 0; i < N_FAULTS; i++)
		test_add((struct CMUnitTest){ faults[i].name, seen, copy_story, scratch_end, &faults[i] }, false);
	return test_run("check", make_story, remove_story, NULL, NULL);
}
