/*
 * test_extra - what is booked with the car is priced and frozen with it, promised no further than it is there, and its money is right
 * at every end: delivered, refused, given up, cancelled with the booking. Payment, review and delivery are played by the test.
 */
#include "test.h"

#include "domain/rental.h"
#include "domain/review_client.h"
#include "scratch.h"

#include "cgi-bin/booking/extra.c"
#include "cgi-bin/booking/calendar.h"
#include "cgi-bin/booking/delivery_client.h"
#include "cgi-bin/booking/orders.h"
#include "cgi-bin/booking/payment_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000          /* a Friday, on a half hour */
#define SEAT 1                  /* child seats: approved after; 5 pieces, 5,000 a day */
#define TENT 2                  /* tents: approved first; 4 pieces, 20,000 a day */
#define GONE 3                  /* no longer offered */

static struct db *db;

/* --- payment, played: it keeps books of its own -------------------------------------------------------------------------- */

static enum charge_answer charge_says;
static enum refund_answer refund_says;
static int n_charges, n_refunds;
static int64_t charged, paid_back;
static struct { char key[60]; int64_t amount; } refunds[400];
static int n_keys;

static enum charge_answer
play_charge(struct db *d, const struct booking *b, const char *payment_key, int64_t *charge_id, const char **reason)
{
	(void)d;
	(void)payment_key;
	n_charges++;
	*charge_id = b->booking_id;
	*reason = "";
	if (charge_says == CHARGE_ANSWER_APPROVED)
		charged += b->amount;
	return charge_says;
}

static enum charge_answer
play_look_up(struct db *d, const struct booking *b, int64_t *charge_id)
{
	(void)d;
	*charge_id = b->booking_id;
	return CHARGE_ANSWER_APPROVED;
}

/* The same key never pays back twice, and never another amount. */
static enum refund_answer
play_refund(struct db *d, const struct booking *b, const struct booking_refund *p, int64_t *refunded)
{
	(void)d;
	(void)b;
	n_refunds++;
	*refunded = p->amount;
	if (refund_says != REFUND_ANSWER_DONE)
		return refund_says;
	for (int i = 0; i < n_keys; i++)
		if (strcmp(refunds[i].key, p->key) == 0) {
			assert_int_equal(refunds[i].amount, p->amount);
			return REFUND_ANSWER_DONE;
		}
	assert_true(n_keys < 400);
	snprintf(refunds[n_keys].key, sizeof(refunds[n_keys].key), "%s", p->key);
	refunds[n_keys++].amount = p->amount;
	paid_back += p->amount;
	return REFUND_ANSWER_DONE;
}

static const struct payment_client played = { play_charge, play_look_up, play_refund, NULL };

/* --- review and delivery, played ------------------------------------------------------------------------------------------ */

static enum review_answer review_says;
static int n_reviews, review_away_s;
static char review_key[60];

static enum review_answer
play_review(struct db *d, const struct review_request *q, const char **reason)
{
	(void)d;
	n_reviews++;
	snprintf(review_key, sizeof(review_key), "%s", q->key);
	*reason = "too many";
	return review_says;
}

static int
play_review_away(void)
{
	return review_away_s;
}

static const struct review_client played_reviews = { play_review, NULL, play_review_away };

static enum delivery_answer delivery_says;
static int n_deliveries;
static void (*meanwhile)(const struct booking *b);      /* what happens while delivery thinks */

static enum delivery_answer
play_delivery(struct db *d, const struct booking *b, const char *reason)
{
	(void)d;
	(void)reason;
	n_deliveries++;
	assert_true(db_int(db, "SELECT cancel_asked_at FROM booking WHERE booking_id = $1", b->booking_id) > 0);      /* row first */
	if (meanwhile)
		meanwhile(b);
	return delivery_says;
}

static const struct delivery_client played_deliveries = { play_delivery, NULL };

/* --- a world of its own for each test ------------------------------------------------------------------------------------- */

TEST_SETUP(begin)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	const char *why = "";

	setenv("DB_LINT", "1", 1);
	if (scratch_begin(state) || !rental_settings_open(".", scratch, &why))
		return -1;
	scratch_create("", "");
	clock_open("Asia/Seoul");
	clock_set(NOW);
	lang_set(LANG_EN);
	db = scratch_open(&all);
	db_script(db,
		"INSERT INTO branch (branch_id, name, name_ko) VALUES (1, 'Gangnam', '강남점');"
		"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev) VALUES"
		" (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1),"
		" (2, '34나5678', 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000, 1, 'IN_SERVICE', 0, 0, 2);"
		"INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (11, 1, 'bk1', 'Visa', '4242', 0), (12, 2, 'bk2', 'Visa', '4242', 0);"
		"INSERT INTO item (item_id, name, name_ko, category, daily_price, is_offered, created_at, updated_at) VALUES"
		" (1, 'Child seat', '카시트', 'child_seat', 5000, 1, 0, 0), (2, 'Tent', '텐트', 'camping', 20000, 1, 0, 0), (3, 'Sled', '썰매', 'winter', 9000, 0, 0, 0);"
		"INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES (1, 'receive', 5, 5, 0), (2, 'receive', 4, 4, 0), (3, 'receive', 9, 9, 0);");
	payment_client = &played;
	review_client = &played_reviews;
	delivery_client = &played_deliveries;
	charge_says = CHARGE_ANSWER_APPROVED;
	refund_says = REFUND_ANSWER_DONE;
	review_says = REVIEW_ANSWER_QUEUED;
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	n_charges = n_refunds = n_keys = n_reviews = n_deliveries = review_away_s = 0;
	charged = paid_back = 0;
	meanwhile = NULL;
	return 0;
}

TEST_SETUP(end)
{
	assert_false(db_failed(db));
	db_close(db);
	clock_set(0);
	return scratch_end(state);
}

static struct booking_order
order(int64_t car_id, int64_t from, int64_t until)
{
	return (struct booking_order){ .customer_id = 1, .car_id = car_id, .starts_at = from, .ends_at = until, .card_id = 11 };
}

static void
bring(struct booking_order *o, bool collects)
{
	o->delivery.is_wanted = true;
	o->delivery.zone = "city";              /* 25,000 a trip */
	o->delivery.address = "Teheran-ro 1";
	o->delivery.collects = collects;
}

static void
with(struct booking_order *o, int64_t item_id, int64_t quantity)
{
	o->items[o->n_items].item_id = item_id;
	o->items[o->n_items++].quantity = quantity;
}

/* Tomorrow for two days: 180,000; brought and fetched 50,000; two child seats 20,000. */
static struct booking
placed(void)
{
	struct booking_order o = order(1, NOW + 3 * DAY, NOW + 5 * DAY);
	struct booking b;

	bring(&o, true);
	with(&o, SEAT, 2);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	return b;
}

static struct booking
found(const char *code)
{
	struct booking b;

	assert_true(booking_find(db, code, 0, &b));
	return b;
}

static void
hear(const char *type, const char *code, const char *payload)
{
	struct event e = { .event_id = 99, .type = type, .subject_id = code, .actor_id = 5, .payload = payload };
	bool heard = false;

	for (const struct policy *p = booking_consumer.policy; p->type; p++)
		if (strcmp(p->type, type) == 0) {
			db_begin(db);
			assert_true(p->react(db, &e));
			assert_true(db_commit(db));
			heard = true;
		}
	assert_true(heard);
}

static struct booking
confirmed(void)
{
	struct booking b = placed();

	hear("car.reserved", b.code, "{}");
	return found(b.code);
}

static int64_t
events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM event WHERE type = $1 /*scan*/", type);
}

static const char *
payload(const char *type)
{
	return db_text(db, "SELECT payload FROM event WHERE type = $1 ORDER BY event_id DESC LIMIT 1 /*scan*/", type);
}

static bool
says(const char *type, const char *part)
{
	return strstr(payload(type), part) != NULL;
}

static int64_t
free_pieces(int64_t item_id, int64_t from, int64_t until)
{
	return stock_free(db, item_id, from, until, clock_now());
}

static void
equipment_says(const char *type, const struct booking *b, int line_no, const char *by, const char *reason)
{
	hear(type, b->code, arena_printf(scratch_memory, "{\"booking_code\":\"%s\",\"line_no\":%d,\"by\":\"%s\",\"reason\":\"%s\"}", b->code, line_no, by, reason));
}

static void
delivery_reports(const char *type, const struct booking *b, const char *direction, const char *by)
{
	hear(type, b->code, arena_printf(scratch_memory, "{\"direction\":\"%s\",\"by\":\"%s\",\"reason\":\"no courier\"}", direction, by));
}

/* --- ordering ----------------------------------------------------------------------------------------------------------- */

TEST(delivery_and_equipment_are_lines_of_the_price_charged_in_one_step)
{
	struct booking b = placed();

	assert_int_equal(b.amount, 180000 + 50000 + 20000);
	assert_int_equal(charged, 250000);
	assert_int_equal(n_charges, 1);
	assert_int_equal(b.vat_amount, vat_share(250000));
	b = found(b.code);
	assert_int_equal(b.n_lines, 4);
	assert_int_equal(b.lines[3].rule, PRICE_RULE_EQUIPMENT);
	assert_int_equal(b.lines[3].quantity, 4);
	assert_int_equal(b.lines[3].unit_amount, 5000);
	assert_string_equal(b.lines[3].label, "Child seat");
	assert_string_equal(b.lines[3].unit, "piece_day");
	assert_int_equal(b.n_extras, 3);
	assert_int_equal(b.extras[2].quantity, 2);
	assert_int_equal(b.extras[2].line_no, 4);
	assert_string_equal(b.delivery->address, "Teheran-ro 1");
	assert_int_equal(b.delivery->window_from, NOW + 3 * DAY);
	assert_int_equal(b.delivery->window_to, NOW + 3 * DAY + rental.delivery_window_s);
	assert_true(b.delivery->collects);
}

TEST(a_started_day_of_equipment_counts)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY + 1800);
	struct booking b;

	with(&o, SEAT, 3);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.lines[b.n_lines - 1].quantity, 6);
}

TEST(a_booking_of_a_car_alone_has_no_extras_and_asks_nobody)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	b = found(b.code);
	assert_int_equal(b.n_extras, 0);
	assert_null(b.delivery);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_reviews + n_deliveries, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra /*scan*/"), 0);
	assert_true(says("booking.paid", "\"extras\":[]"));
}

TEST(what_is_promised_is_said_when_it_is_paid)
{
	placed();
	assert_true(says("booking.held", "\"rule\":\"equipment\""));
	assert_true(says("booking.held", "\"label_ko\":\"카시트\""));
	assert_true(says("booking.paid", "{\"line_no\":2,\"kind\":\"delivery\",\"ref_id\":0,\"quantity\":1,\"amount\":25000,\"label\":\"Greater city\""));
	assert_true(says("booking.paid", "{\"line_no\":4,\"kind\":\"equipment\",\"ref_id\":1,\"quantity\":2,\"amount\":20000,\"label\":\"Child seat\""));
}

TEST(a_booking_the_sweep_finishes_tells_of_its_extras_too)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	with(&o, SEAT, 1);
	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	db_do(db, "UPDATE booking SET asked_at = $1 /*scan*/", NOW - 60);
	booking_sweep(db);
	assert_int_equal(found(b.code).state, BOOKING_PAID);
	assert_true(says("booking.paid", "\"kind\":\"equipment\""));
}

TEST(a_delivery_that_cannot_be_is_refused_with_its_field)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;
	const char *field = NULL;

	bring(&o, false);
	assert_null(delivery_problem(&o, &field));
	o.delivery.zone = "moon";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_DELIVERY);
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.zone");
	bring(&o, false);
	o.delivery.window_from = NOW + DAY - 1800;
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.window_from");
	o.delivery.window_from = NOW + 2 * DAY - rental.delivery_window_s;
	assert_null(delivery_problem(&o, &field));
	o.delivery.window_from += 1800;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_DELIVERY);
	bring(&o, false);
	o.delivery.window_from = 0;
	o.delivery.address = "";
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.address");
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 0);
}

TEST(more_pieces_than_are_free_are_refused_by_name_and_leave_nothing)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	with(&o, TENT, 1);
	with(&o, SEAT, 6);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OUT_OF_STOCK);
	assert_string_equal(b.refused_extra.label, "Child seat");
	assert_int_equal(b.refused_extra.item_no, 1);
	assert_int_equal(b.refused_extra.n_free, 5);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/") + events("booking.held") + n_charges + n_reviews, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM slot /*scan*/"), 0);
}

TEST(the_same_item_in_two_lines_must_be_there_for_both)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	with(&o, SEAT, 3);
	with(&o, SEAT, 3);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OUT_OF_STOCK);
	assert_int_equal(b.refused_extra.n_free, 2);
	o.items[1].quantity = 2;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(free_pieces(SEAT, NOW + DAY, NOW + 2 * DAY), 0);
}

TEST(an_item_that_is_not_lent_is_refused)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	with(&o, GONE, 1);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
	o.items[0].item_id = 77;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
	o.items[0].item_id = SEAT;
	o.items[0].quantity = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
}

TEST(promised_pieces_are_not_promised_again_and_come_back_with_the_booking)
{
	struct booking b = placed(), second;
	struct booking_order o = order(2, NOW + 4 * DAY, NOW + 6 * DAY);

	assert_int_equal(free_pieces(SEAT, NOW + 4 * DAY, NOW + 6 * DAY), 3);
	assert_int_equal(free_pieces(SEAT, NOW + 5 * DAY, NOW + 6 * DAY), 5);
	with(&o, SEAT, 4);
	assert_int_equal(booking_place(db, &o, &second), BOOKING_OUT_OF_STOCK);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(booking_place(db, &o, &second), BOOKING_OK);
}

TEST(a_declined_card_gives_the_pieces_back)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_says = CHARGE_ANSWER_DECLINED;
	with(&o, SEAT, 5);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(free_pieces(SEAT, NOW + DAY, NOW + 2 * DAY), 5);
}

TEST(the_same_request_again_is_the_same_booking_with_its_extras)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);
	struct booking first, again;

	with(&o, SEAT, 5);
	o.request_key = "k";
	o.request_hash = "h";
	assert_int_equal(booking_place(db, &o, &first), BOOKING_OK);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_AGAIN);         /* though none is free now */
	assert_string_equal(first.code, again.code);
	assert_int_equal(again.n_extras, 1);
}

/* --- approved first -------------------------------------------------------------------------------------------------------- */

static enum booking_outcome
order_tents(struct booking *b)
{
	struct booking_order o = order(1, NOW + DAY, NOW + 2 * DAY);

	with(&o, SEAT, 1);
	with(&o, TENT, 2);
	return booking_place(db, &o, b);
}

TEST(only_what_must_be_approved_first_is_asked_for_before_the_money)
{
	struct booking b;

	assert_int_equal(order_tents(&b), BOOKING_OK);
	assert_int_equal(n_reviews, 1);
	assert_string_equal(review_key, arena_printf(scratch_memory, "%s-3", b.code));
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(a_no_of_review_releases_the_hold_and_charges_nothing)
{
	struct booking b;

	review_says = REVIEW_ANSWER_REJECTED;
	assert_int_equal(order_tents(&b), BOOKING_NOT_APPROVED);
	assert_string_equal(b.refused_extra.reason, "too many");
	assert_int_equal(n_charges, 0);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_string_equal(b.end_reason, "not_approved");
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED' /*scan*/"), 0);
	assert_int_equal(free_pieces(TENT, NOW + DAY, NOW + 2 * DAY), 4);
	assert_int_equal(events("booking.expired"), 1);         /* by which review closes the case */
}

TEST(review_that_is_not_heard_releases_the_hold_and_charges_nothing)
{
	struct booking b;

	review_says = REVIEW_ANSWER_UNKNOWN;
	assert_int_equal(order_tents(&b), BOOKING_REVIEW_LATER);
	assert_int_equal(found(b.code).state, BOOKING_EXPIRED);
	assert_int_equal(n_charges, 0);
	review_says = REVIEW_ANSWER_QUEUED;
	assert_int_equal(order_tents(&b), BOOKING_OK);
}

TEST(with_reviews_breaker_open_nothing_is_written_at_all)
{
	struct booking b;

	review_away_s = 9;
	assert_int_equal(order_tents(&b), BOOKING_REVIEW_LATER);
	assert_int_equal(booking_later_s(CALLEE_REVIEW), 9);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/") + n_reviews, 0);
	assert_int_equal(placed().state, BOOKING_PAID);                 /* child seats need no yes */
}

/* --- extras that end -------------------------------------------------------------------------------------------------------- */

TEST(a_rejected_order_gives_its_price_back_and_the_booking_goes_on)
{
	struct booking b = confirmed();

	equipment_says("equipment.rejected", &b, 4, "", "not for hire in May");
	b = found(b.code);
	assert_int_equal(b.extras[2].state, EXTRA_ENDED);
	assert_int_equal(b.extras[2].refund_state, REFUND_PENDING);
	assert_int_equal(b.extras[2].refund_due, 20000);
	assert_true(says("booking.extra_ended", "\"line_no\":4,\"kind\":\"equipment\",\"label\":\"Child seat\""));
	assert_true(says("booking.extra_ended", "\"refund_due\":20000"));
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.refunded_amount, 0);
	assert_int_equal(b.extras[2].refunded_amount, 20000);
	assert_int_equal(paid_back, 20000);
	assert_string_equal(refunds[0].key, arena_printf(scratch_memory, "%s-extra-4", b.code));
	assert_int_equal(events("booking.extra_refunded"), 1);
	equipment_says("equipment.rejected", &b, 4, "", "again");
	booking_sweep(db);
	assert_int_equal(events("booking.extra_ended") + events("booking.extra_refunded"), 2);
	assert_int_equal(paid_back, 20000);
	assert_int_equal(free_pieces(SEAT, NOW + 3 * DAY, NOW + 5 * DAY), 5);
}

TEST(an_order_that_ended_with_its_booking_gives_nothing_back_by_itself)
{
	struct booking b = confirmed();

	equipment_says("equipment.cancelled", &b, 4, "booking", "");
	assert_int_equal(found(b.code).extras[2].state, EXTRA_BOOKED);
	equipment_says("equipment.cancelled", &b, 2, "customer", "");           /* the line of the delivery */
	equipment_says("equipment.cancelled", &b, 9, "customer", "");
	assert_int_equal(events("booking.extra_ended"), 0);
	equipment_says("equipment.cancelled", &b, 4, "customer", "");
	assert_int_equal(events("booking.extra_ended"), 1);
}

TEST(the_dispatcher_takes_a_delivery_back_and_both_trips_are_paid_back)
{
	struct booking b = confirmed();

	delivery_reports("delivery.cancelled", &b, "delivery", "customer");
	delivery_reports("delivery.cancelled", &b, "delivery", "booking");
	assert_int_equal(events("booking.extra_ended"), 0);
	delivery_reports("delivery.cancelled", &b, "delivery", "dispatcher");
	assert_int_equal(events("booking.extra_ended"), 2);
	booking_sweep(db);
	assert_int_equal(paid_back, 50000);
	assert_int_equal(n_keys, 2);
}

TEST(who_comes_to_the_branch_for_it_gets_the_way_there_back_and_it_is_fetched_all_the_same)
{
	struct booking b = confirmed();

	clock_set(b.starts_at);
	assert_true(booking_hand_out(db, &b, 7));
	hear("delivery.cancelled", b.code, "{\"direction\":\"delivery\",\"by\":\"booking\",\"reason\":\"handed_out\"}");
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(b.extras[0].state, EXTRA_ENDED);
	assert_int_equal(b.extras[1].state, EXTRA_BOOKED);
	booking_sweep(db);
	assert_int_equal(paid_back, 25000);
}

TEST(a_collection_taken_back_leaves_the_delivery)
{
	struct booking b = confirmed();

	delivery_reports("delivery.cancelled", &b, "collection", "dispatcher");
	b = found(b.code);
	assert_int_equal(b.extras[0].state, EXTRA_BOOKED);
	assert_int_equal(b.extras[1].state, EXTRA_ENDED);
}

TEST(a_refund_payment_finishes_later_closes_the_extra_alone)
{
	struct booking b = confirmed();

	refund_says = REFUND_ANSWER_PENDING;
	equipment_says("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.extras[2].refund_state, REFUND_PENDING);
	assert_string_equal(b.extras[2].last_error, "refund_asked");
	hear("payment.cancelled", b.code, arena_printf(scratch_memory, "{\"refunded_amount\":20000,\"refund_key\":\"%s-extra-4\"}", b.code));
	b = found(b.code);
	assert_int_equal(b.extras[2].refund_state, REFUND_DONE);
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.extra_refunded"), 1);
}

TEST(an_extras_refund_does_not_end_a_cancellation_that_waits)
{
	struct booking b = confirmed();

	refund_says = REFUND_ANSWER_LATER;
	equipment_says("equipment.rejected", &b, 4, "", "no");
	b = found(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	hear("payment.cancelled", b.code, arena_printf(scratch_memory, "{\"refunded_amount\":20000,\"refund_key\":\"%s-extra-4\"}", b.code));
	assert_int_equal(found(b.code).state, BOOKING_CANCEL_REQUESTED);
	hear("payment.cancelled", b.code, arena_printf(scratch_memory, "{\"refunded_amount\":250000,\"refund_key\":\"%s-cancel\"}", b.code));
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 230000);
}

TEST(what_is_tried_in_vain_is_tried_again_after_growing_pauses)
{
	struct booking b = confirmed();

	refund_says = REFUND_ANSWER_LATER;
	equipment_says("equipment.rejected", &b, 4, "", "no");
	for (int i = 0; i < 600; i++) {
		clock_set(NOW + i);
		booking_sweep(db);
	}
	assert_in_range(n_refunds, 10, 40);
	refund_says = REFUND_ANSWER_DONE;
	clock_set(NOW + 700);
	booking_sweep(db);
	assert_int_equal(paid_back, 20000);
}

/* --- the rest goes back with the booking -------------------------------------------------------------------------------------- */

TEST(cancelling_gives_back_what_has_not_gone_back_already)
{
	struct booking b = confirmed();
	struct cancel_preview p;

	equipment_says("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	b = found(b.code);
	assert_true(cancel_preview(&b, NOW, &p));
	assert_int_equal(p.gone, 20000);
	assert_int_equal(p.refund, 230000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	b = found(b.code);
	assert_int_equal(b.refunded_amount, 230000);
	assert_int_equal(paid_back, 250000);
}

TEST(a_late_cancellation_keeps_its_share_of_the_rest_alone)
{
	struct booking b = confirmed();
	struct cancel_preview p;

	equipment_says("equipment.rejected", &b, 4, "", "no");
	clock_set(NOW + 3 * DAY - HOUR);
	b = found(b.code);
	assert_true(cancel_preview(&b, clock_now(), &p));
	assert_string_equal(p.rule, "late");
	assert_int_equal(p.refund, 230000 * rental.refund_late_percent / 100);
	assert_int_equal(p.refund + p.fee + p.gone, 250000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(paid_back, p.refund + 20000);
}

TEST(an_extra_that_ends_between_the_look_and_the_cancellation_is_not_paid_back_twice)
{
	struct booking b = confirmed(), stale = found(b.code);

	equipment_says("equipment.rejected", &b, 4, "", "no");
	assert_int_equal(booking_cancel(db, &stale, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(paid_back, 250000);
}

TEST(after_the_cancellation_extras_end_without_money_of_their_own)
{
	struct booking b = confirmed();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	equipment_says("equipment.rejected", &b, 4, "", "no");
	delivery_reports("delivery.cancelled", &b, "delivery", "dispatcher");
	booking_sweep(db);
	assert_int_equal(events("booking.extra_ended"), 0);
	assert_int_equal(paid_back, 250000);
}

TEST(a_rejected_booking_gives_back_all_that_is_left)
{
	struct booking b = placed();

	equipment_says("equipment.rejected", &b, 4, "", "no");
	hear("car.refused", b.code, "{\"reason\":\"gone\"}");
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refunded_amount, 230000);
	assert_int_equal(paid_back, 250000);
}

/* --- delivery first --------------------------------------------------------------------------------------------------------- */

TEST(a_booking_to_be_brought_is_cancelled_once_delivery_says_so)
{
	struct booking b = confirmed();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_deliveries, 1);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(paid_back, 250000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_deliveries, 1);
}

TEST(with_the_courier_on_his_way_it_is_not_cancelled)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_SHIPPED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_SHIPPED);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(events("booking.cancel_requested") + n_refunds, 0);
}

TEST(with_delivery_away_nothing_changes)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_NOT_ASKED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_LATER);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 1);
	assert_int_equal(n_refunds, 0);
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
}

TEST(an_answer_nobody_heard_is_asked_for_again_until_the_booking_is_cancelled)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, NOW);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 1);                      /* not at once: whoever asked may still hear it */
	delivery_says = DELIVERY_ANSWER_NOT_ASKED;                     /* it may have been heard before it went away, so the wish stays */
	clock_set(NOW + 30);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 2);
	assert_int_equal(found(b.code).cancel_asked_at, NOW);
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	clock_set(NOW + 120);
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_string_equal(b.end_reason, "customer");
	assert_int_equal(paid_back, 250000);
}

TEST(an_answer_nobody_heard_that_was_a_no_withdraws_the_wish)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	delivery_says = DELIVERY_ANSWER_SHIPPED;
	clock_set(NOW + 60);
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	delivery_reports("delivery.delivered", &b, "delivery", "");
	assert_int_equal(found(b.code).state, BOOKING_OUT);
}

TEST(the_terms_are_those_of_the_moment_it_was_asked_for)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	clock_set(NOW + 3 * DAY - rental.refund_full_before_s - 60);
	b = found(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	clock_set(NOW + 3 * DAY + HOUR);                        /* it would have begun */
	booking_sweep(db);
	assert_int_equal(found(b.code).state, BOOKING_CANCELLED);
	assert_int_equal(paid_back, 250000);
}

static void
somebody_asks_too(const struct booking *b)
{
	db_do(db, "UPDATE booking SET cancel_tries = cancel_tries + 1 WHERE booking_id = $1", b->booking_id);
}

TEST(one_who_was_not_heard_does_not_withdraw_anothers_wish)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_NOT_ASKED;
	meanwhile = somebody_asks_too;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	assert_int_equal(found(b.code).cancel_asked_at, NOW);
}

TEST(the_counter_does_not_hand_out_what_is_being_cancelled)
{
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	clock_set(NOW + 3 * DAY - 600);
	b = found(b.code);
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + 3 * DAY);
	b = found(b.code);
	assert_false(booking_hand_out(db, &b, 3));
	assert_false(booking_no_show(db, &b, 3));
}

TEST(a_wish_of_a_booking_that_fleet_refuses_is_laid_down)
{
	struct booking b = placed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	hear("car.refused", b.code, "{}");
	clock_set(NOW + 60);
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(paid_back, 250000);
	assert_int_equal(n_deliveries, 1);
}

TEST(a_delivery_the_dispatcher_took_back_is_not_asked_about)
{
	struct booking b = confirmed();

	delivery_reports("delivery.cancelled", &b, "delivery", "dispatcher");
	b = found(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 0);
	assert_int_equal(paid_back, 250000);
}

/* --- the courier hands over ---------------------------------------------------------------------------------------------------- */

TEST(the_courier_hands_the_keys_over_and_takes_them_back_as_the_counter_does)
{
	struct booking b = confirmed();

	delivery_reports("delivery.delivered", &b, "delivery", "");
	assert_int_equal(found(b.code).state, BOOKING_OUT);
	assert_int_equal(db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.handed_out' /*scan*/"), 5);
	delivery_reports("delivery.delivered", &b, "delivery", "");
	assert_int_equal(events("booking.handed_out"), 1);
	delivery_reports("delivery.delivered", &b, "collection", "");
	assert_int_equal(found(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(events("booking.returned") + events("booking.completed"), 2);
}

TEST(a_hand_out_at_the_branch_still_works)
{
	struct booking b = confirmed();

	clock_set(NOW + 3 * DAY);
	b = found(b.code);
	assert_true(booking_hand_out(db, &b, 3));
	delivery_reports("delivery.delivered", &b, "delivery", "");
	assert_int_equal(events("booking.handed_out"), 1);
}

/* What delivery has on its board. */
static void
job_stands(const struct booking *b, const char *state)
{
	db_do(db, "UPDATE delivery SET state = $2 WHERE booking_code = $1", b->code, state);
	db_do(db, "INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id, requested_at, received_by)"
		" SELECT $1, 'delivery', $2, 1, 1, 2, 9, 1, 'Kim' WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.booking_code = $1)", b->code, state);
}

TEST(a_car_that_is_with_the_courier_is_not_at_the_counter)
{
	static const char *const away[] = { "SHIPPED", "DELIVERED" };   /* the second: before we have heard of it */
	struct booking b = confirmed();

	clock_set(NOW + 3 * DAY);
	job_stands(&b, "SCHEDULED");
	for (int i = 0; i < 2; i++) {
		job_stands(&b, away[i]);
		b = found(b.code);
		assert_false(booking_hand_out(db, &b, 3));
		assert_false(booking_no_show(db, &b, 3));
	}
	delivery_reports("delivery.delivered", &b, "delivery", "");
	assert_int_equal(found(b.code).state, BOOKING_OUT);
	assert_int_equal(events("booking.extra_ended"), 0);
}

TEST(whoever_fetches_at_the_branch_what_was_to_be_brought_gets_that_trips_price_back)
{
	struct booking b = confirmed();

	clock_set(NOW + 3 * DAY);
	job_stands(&b, "SCHEDULED");
	b = found(b.code);
	assert_true(booking_hand_out(db, &b, 3));
	assert_false(booking_hand_out(db, &b, 3));
	delivery_reports("delivery.cancelled", &b, "delivery", "booking");
	booking_sweep(db);
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_string_equal(b.extras[0].end_reason, "at_branch");
	assert_int_equal(b.extras[0].refund_state, REFUND_DONE);
	assert_int_equal(b.extras[1].state, EXTRA_BOOKED);      /* it is still fetched at its end */
	assert_int_equal(paid_back, 25000);
	assert_int_equal(events("booking.extra_ended"), 1);
}

TEST(nobody_is_noted_as_absent_by_itself_who_was_waiting_for_a_courier)
{
	struct booking b = confirmed();

	job_stands(&b, "REQUESTED");
	clock_set(NOW + 6 * DAY);
	booking_sweep(db);
	b = found(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	job_stands(&b, "SCHEDULED");            /* he went there and has come back: a manager knows */
	assert_true(booking_no_show(db, &b, 3));

	clock_set(NOW);
	b = confirmed();
	clock_set(NOW + 6 * DAY);
	booking_sweep(db);
	assert_int_equal(found(b.code).state, BOOKING_NO_SHOW);
}

/* --- stuck --------------------------------------------------------------------------------------------------------------------- */

TEST(an_extra_whose_refund_rests_is_on_the_stuck_desk_and_can_be_tried)
{
	struct stuck_query q = { .kind = -1, .limit = 10 };
	struct stuck_row *rows = NULL;
	struct booking b = confirmed();

	refund_says = REFUND_ANSWER_LATER;
	equipment_says("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	q.now = NOW + rental.stuck_after_s + 1;
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_int_equal(rows[0].kind, STUCK_EXTRA);
	assert_int_equal(rows[0].amount, 20000);
	b = found(b.code);
	assert_int_equal(booking_stuck_kind(&b), STUCK_EXTRA);
	assert_int_equal(booking_stuck_since(&b), NOW);
	refund_says = REFUND_ANSWER_DONE;
	booking_retry(db, &b, 3);
	assert_int_equal(found(b.code).extras[2].refund_state, REFUND_DONE);
	assert_int_equal(stuck_rows(db, &q, &rows), 0);
}

TEST(an_extra_is_closed_by_hand_only_when_payments_books_say_so)
{
	struct booking b = confirmed();

	db_do(db, "INSERT INTO charge (key, subject_id, user_id, amount, currency, state, requested_at) VALUES ($1, $1, 1, 250000, 'KRW', 'APPROVED', 1)", b.code);
	refund_says = REFUND_ANSWER_LATER;
	equipment_says("equipment.rejected", &b, 4, "", "no");
	clock_set(NOW + rental.stuck_after_s + 1);
	b = found(b.code);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "looked", 3), RESOLVE_CONTRADICTED);
	db_do(db, "INSERT INTO refund (key, charge_id, amount, state, requested_at) SELECT 'r', charge_id, 20000, 'DONE', 1 FROM charge WHERE key = $1", b.code);
	db_do(db, "UPDATE charge SET refunded_amount = 20000 WHERE key = $1", b.code);
	b = found(b.code);
	assert_int_equal(booking_resolve(db, &b, RESOLUTION_NOTHING_OWED, "looked", 3), RESOLVE_DONE);
	b = found(b.code);
	assert_int_equal(b.extras[2].refunded_amount, 20000);
	assert_int_equal(b.refunded_amount, 0);
}

TEST(a_wish_that_rests_is_on_the_stuck_desk_and_can_be_tried)
{
	struct stuck_query q = { .kind = STUCK_WISH, .limit = 10, .now = NOW + rental.stuck_after_s + 1 };
	struct stuck_row *rows = NULL;
	struct booking b = confirmed();

	delivery_says = DELIVERY_ANSWER_UNKNOWN;
	booking_cancel(db, &b, 1, "customer");
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_null(rows[0].resolve_url);
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	b = found(b.code);
	booking_retry(db, &b, 3);
	assert_int_equal(found(b.code).state, BOOKING_CANCELLED);
}

/* --- whatever happens in whatever order ------------------------------------------------------------------------------------------ */

static uint64_t dice;

static int
roll(int n)
{
	dice = dice * 6364136223846793005ull + 1442695040888963407ull;
	return (int)((dice >> 33) % (uint64_t)n);
}

static const char *
some_booking(void)
{
	return db_text(db, "SELECT code FROM booking WHERE booking_id = $1", 1 + roll(1 + (int)db_int(db, "SELECT COALESCE(MAX(booking_id), 0) FROM booking")));
}

static void
place_something(void)
{
	int64_t from = clock_now() - clock_now() % STEP + STEP + roll(96) * STEP;
	struct booking_order o = order(1 + roll(2), from, from + (4 + roll(90)) * STEP);
	struct booking b;

	o.customer_id = 1 + roll(2);
	o.card_id = 10 + o.customer_id;
	if (roll(2))
		bring(&o, roll(2));
	for (int n = roll(3); n > 0; n--)
		with(&o, 1 + roll(2), 1 + roll(3));
	booking_place(db, &o, &b);
}

/* An extra ends, or the whole: any of it may be told twice, late, or to a booking that is over. */
static void
something_happens(void)
{
	static const char *const ends[] = { "customer", "manager", "booking" };
	const char *code = some_booking();
	struct booking b;

	charge_says = roll(6) ? CHARGE_ANSWER_APPROVED : CHARGE_ANSWER_DECLINED;
	refund_says = roll(3) ? REFUND_ANSWER_DONE : roll(2) ? REFUND_ANSWER_LATER : REFUND_ANSWER_PENDING;
	review_says = roll(5) ? REVIEW_ANSWER_QUEUED : roll(2) ? REVIEW_ANSWER_REJECTED : REVIEW_ANSWER_UNKNOWN;
	delivery_says = (enum delivery_answer)roll(4);
	clock_set(clock_now() + roll(4000));
	if (!code || !*code || roll(4) == 0) {
		place_something();
		return;
	}
	b = found(code);
	switch (roll(10)) {
	case 0: case 1: booking_cancel(db, &b, b.customer_id, "customer"); break;
	case 2: case 3: hear("car.reserved", code, "{}"); break;
	case 4: hear("car.refused", code, "{}"); break;
	case 5: equipment_says("equipment.rejected", &b, 1 + roll(5), "", "no"); break;
	case 6: equipment_says("equipment.cancelled", &b, 1 + roll(5), ends[roll(3)], "no"); break;
	case 7: delivery_reports("delivery.cancelled", &b, roll(2) ? "delivery" : "collection", roll(2) ? "dispatcher" : "customer"); break;
	case 8: delivery_reports("delivery.delivered", &b, roll(2) ? "delivery" : "collection", ""); break;
	case 9: roll(2) ? (void)booking_hand_out(db, &b, 3) : booking_retry(db, &b, 3); break;
	}
}

static void
all_holds(void)
{
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking b WHERE b.amount <> (SELECT SUM(l.amount) FROM booking_line l WHERE l.booking_id = b.booking_id) /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking b WHERE b.amount < b.refund_due + (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = b.booking_id) /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id WHERE x.state = 'ENDED' AND x.refund_due <> x.amount /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra x WHERE NOT EXISTS (SELECT 1 FROM booking_line l WHERE l.booking_id = x.booking_id AND l.line_no = x.line_no AND l.amount = x.amount) /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE cancel_asked_at > 0 AND state NOT IN ('PAID', 'CONFIRMED', 'OUT', 'COMPLETED', 'REJECTED') /*scan*/"), 0);
	for (int64_t item = SEAT; item <= TENT; item++)
		assert_true(free_pieces(item, clock_now() - 9 * DAY, clock_now() + 20 * DAY) >= 0);
}

/* What came in and what went back, by the played provider's books and by the bookings'. */
static void
money_agrees(void)
{
	assert_int_equal(db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking /*scan*/")
		+ db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking_extra /*scan*/"), paid_back);
	assert_int_equal(db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM booking WHERE state <> 'EXPIRED' /*scan*/"), charged);
}

TEST(whatever_happens_in_whatever_order_the_money_and_the_stock_are_right)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_us();

	print_message("SEED=%llu\n", (unsigned long long)seed);
	dice = seed;
	rental.max_bookings_per_person = 200;
	for (int i = 0; i < 400; i++) {
		something_happens();
		if (roll(3) == 0)
			booking_sweep(db);
		all_holds();
	}
	refund_says = REFUND_ANSWER_DONE;
	delivery_says = DELIVERY_ANSWER_CANCELLED;
	for (int i = 0; i < 40; i++) {
		clock_set(clock_now() + 70);
		booking_sweep(db);
	}
	all_holds();
	money_agrees();
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE refund_state = 'PENDING' OR cancel_asked_at > 0 /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra WHERE refund_state = 'PENDING' /*scan*/"), 0);
	assert_true(n_keys > 3);
}

TEST_MAIN("extra", NULL, NULL, begin, end)
