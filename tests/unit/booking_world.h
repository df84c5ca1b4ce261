/*
 * booking_world - what the tests of booking share: a database with cars, cards and equipment for each test, and
 * payment, review and delivery replaced by functions that answer what the test has set and count the calls.
 */
#ifndef MP_BOOKING_WORLD_H
#define MP_BOOKING_WORLD_H

#include "scratch.h"

#include "cgi-bin/booking/booking_steps.h"
#include "cgi-bin/booking/calendar.h"
#include "cgi-bin/booking/delivery_client.h"
#include "cgi-bin/booking/orders.h"
#include "cgi-bin/booking/payment_client.h"
#include "cgi-bin/booking/price.h"
#include "domain/rental.h"
#include "domain/review_client.h"
#include "domain/stock.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#define NOW 1800000000          /* a Friday, on a half hour */
#define CHARGE_ID 7

#define SEAT 1                  /* child seats: approved after the booking; 5 pieces, 5,000 a day */
#define TENT 2                  /* tents: approved first; 4 pieces, 20,000 a day */
#define GONE 3                  /* no longer offered */

static struct db *db;

/* --- payment: never refunds a key twice, nor with another amount -------------------------------------------------- */

static enum charge_answer charge_reply, look_up_reply;
static enum refund_answer refund_reply;
static int n_charges, n_look_ups, n_refunds, payment_closed_s;
static const char *charge_reason;               /* of a declined one */
static char charge_key[60], refund_of[60];      /* of the last charge; of the charge last refunded */
static const struct booking_payment new_card = { .payment_key = "pk" };
static int64_t charged, refunded, refund_asked;                 /* refund_asked: the last amount */
static struct { char key[60]; int64_t amount; } refund_keys[400];
static int n_refund_keys;
static void (*during_payment)(const struct booking *b);         /* what happens while payment works */

static inline enum charge_answer
world_charge(
	struct db *d, const struct booking *b, const struct booking_payment *p, int64_t *charge_id, const char **reason)
{
	(void)d;
	n_charges++;
	*charge_id = CHARGE_ID;
	*reason = charge_reason;
	(void)p;
	snprintf(charge_key, sizeof(charge_key), "%s", booking_charge_key(scratch_memory, b));
	if (during_payment)
		during_payment(b);
	if (charge_reply == CHARGE_ANSWER_APPROVED)
		charged += b->amount;
	return charge_reply;
}

static inline enum charge_answer
world_look_up(struct db *d, const struct booking *b, int64_t *charge_id, const char **reason)
{
	(void)d;
	(void)b;
	n_look_ups++;
	*charge_id = CHARGE_ID;
	*reason = charge_reason;
	return look_up_reply;
}

static inline enum refund_answer
world_refund(struct db *d, const struct booking *b, const struct booking_refund *p, int64_t *amount)
{
	(void)d;
	n_refunds++;
	if (during_payment)
		during_payment(b);
	*amount = refund_asked = p->amount;
	snprintf(refund_of, sizeof(refund_of), "%s", p->charge_key);
	if (refund_reply != REFUND_ANSWER_DONE)
		return refund_reply;
	for (int i = 0; i < n_refund_keys; i++)
		if (strcmp(refund_keys[i].key, p->key) == 0) {
			assert_int_equal(refund_keys[i].amount, p->amount);
			return REFUND_ANSWER_DONE;
		}
	assert_true(n_refund_keys < 400);
	snprintf(refund_keys[n_refund_keys].key, sizeof(refund_keys[0].key), "%s", p->key);
	refund_keys[n_refund_keys++].amount = p->amount;
	refunded += p->amount;
	return REFUND_ANSWER_DONE;
}

/* Payment owes a key once, and always with the same amount. */
static enum payout_answer payout_reply;
static int n_payouts;
static int64_t paid_out;
static struct { char key[60]; int64_t amount; } payout_keys[400];
static int n_payout_keys;

static inline enum payout_answer
world_payout(struct db *d, const struct booking *b, const struct booking_payout *p)
{
	(void)d;
	n_payouts++;
	if (during_payment)
		during_payment(b);
	if (payout_reply == PAYOUT_ANSWER_REFUSED)
		return payout_reply;
	for (int i = 0; i < n_payout_keys; i++)
		if (strcmp(payout_keys[i].key, p->key) == 0) {
			assert_int_equal(payout_keys[i].amount, p->amount);
			return payout_reply;
		}
	if (payout_reply == PAYOUT_ANSWER_LATER)
		return payout_reply;
	assert_true(n_payout_keys < 400);
	snprintf(payout_keys[n_payout_keys].key, sizeof(payout_keys[0].key), "%s", p->key);
	payout_keys[n_payout_keys++].amount = p->amount;
	paid_out += p->amount;
	return PAYOUT_ANSWER_DONE;
}

static inline int
world_payment_closed(void)
{
	return payment_closed_s;
}

static const struct payment_client world_payment = { world_charge, world_look_up, world_refund, world_payment_closed,
	NULL, world_payout };

/* --- review and delivery ------------------------------------------------------------------------------------------ */

static enum review_answer review_reply;
static int n_reviews, review_closed_s;
static char review_key[60];

static inline enum review_answer
world_review(struct db *d, const struct review_request *q, const char **reason)
{
	(void)d;
	n_reviews++;
	snprintf(review_key, sizeof(review_key), "%s", q->key);
	*reason = "too many";
	return review_reply;
}

static inline int
world_review_closed(void)
{
	return review_closed_s;
}

static const struct review_client world_reviews = { world_review, NULL, world_review_closed };

static enum delivery_answer delivery_reply;
static int n_deliveries;
static void (*during_delivery)(const struct booking *b);

static inline enum delivery_answer
world_delivery(struct db *d, const struct booking *b, const char *reason)
{
	(void)d;
	(void)reason;
	n_deliveries++;
	assert_true(db_int(db, "SELECT cancel_asked_at FROM booking WHERE booking_id = $1", b->booking_id)
		> 0); /* the row first */
	if (during_delivery)
		during_delivery(b);
	return delivery_reply;
}

static const struct delivery_client world_deliveries = { world_delivery, NULL };

/* --- the database ------------------------------------------------------------------------------------------------- */

static inline void
world_reset(void)
{
	payment_client = &world_payment;
	review_client = &world_reviews;
	delivery_client = &world_deliveries;
	charge_reply = CHARGE_ANSWER_APPROVED;
	look_up_reply = CHARGE_ANSWER_NEVER_SEEN;
	refund_reply = REFUND_ANSWER_DONE;
	review_reply = REVIEW_ANSWER_QUEUED;
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	n_charges = n_look_ups = n_refunds = n_refund_keys = n_reviews = n_deliveries = payment_closed_s =
		review_closed_s = 0;
	payout_reply = PAYOUT_ANSWER_DONE;
	n_payouts = n_payout_keys = 0;
	charged = refunded = paid_out = 0;
	charge_reason = "";
	charge_key[0] = '\0';
	refund_asked = -1;
	during_payment = during_delivery = NULL;
}

/* cars: the SQL of this test's cars. */
static inline int
world_begin(void **state, const char *cars)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	const char *why = "";

	setenv("DB_LINT", "1", 1);
	if (scratch_begin(state) || !rental_settings_open(".", scratch, &why))
		return -1;
	rental.undo_window_s = 0; /* final at once; test_booking_undo has another */
	scratch_create("", "");
	clock_open("Asia/Seoul");
	lang_set(LANG_EN);
	db = scratch_open(&all);
	db_script(db,
		"INSERT INTO branch (branch_id, name, name_ko) VALUES (1, 'Gangnam', '강남점'), (2, 'Jeju', '제주점');"
		"INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES"
		" (11, 1, 'bk1', 'Visa', '4242', 0), (12, 2, 'bk2', 'Visa', '4242', 0);"
		"INSERT INTO item (item_id, name, name_ko, category, daily_price, is_offered, created_at, updated_at)"
		" VALUES"
		" (1, 'Child seat', '카시트', 'child_seat', 5000, 1, 0, 0), (2, 'Tent', '텐트', 'camping', 20000, 1, 0, 0),"
		" (3, 'Sled', '썰매', 'winter', 9000, 0, 0, 0);"
		"INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES"
		" (1, 'receive', 5, 5, 0), (2, 'receive', 4, 4, 0), (3, 'receive', 9, 9, 0);");
	db_script(db, cars);
	clock_set(NOW + DAY); /* the calendar in memory is the last test's: at another time all of it is read again */
	calendar_n_cars(db);
	clock_set(NOW);
	world_reset();
	return 0;
}

/* Two cars for rent at 90,000 and 50,000 a day, and one that is out of service. */
static int begin(void **state) __attribute__((unused));       /* a test may have cars of its own */

TEST_SETUP(begin)
{
	return world_begin(state,
		"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price,"
		" branch_id, service, created_at,"
		" updated_at, rev) VALUES"
		" (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1),"
		" (2, '34나5678', 'Ray', 'mini', 4, 'petrol', 'automatic', 50000, 5000, 1, 'IN_SERVICE', 0, 0, 2),"
		" (3, '56다7890', 'Bongo', 'van', 3, 'diesel', 'manual', 80000, 8000, 1, 'OUT_OF_SERVICE', 0, 0, 3);");
}

TEST_SETUP(end)
{
	assert_false(db_failed(db));
	db_close(db);
	clock_set(0);
	return scratch_end(state);
}

/* --- what there is ------------------------------------------------------------------------------------------------ */

static inline struct booking
find(const char *code)
{
	struct booking b;

	assert_true(booking_find(db, code, 0, &b));
	return b;
}

static inline int64_t
slots(const char *kind)
{
	return db_int(db, "SELECT COUNT(*) FROM slot WHERE kind = $1 /*scan*/", kind);
}

static inline int64_t
events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM event WHERE type = $1 /*scan*/", type);
}

static inline const char *
payload(const char *type)
{
	return db_text(db, "SELECT payload FROM event WHERE type = $1 ORDER BY event_id DESC LIMIT 1 /*scan*/", type);
}

static inline bool
payload_has(const char *type, const char *part)
{
	return strstr(payload(type), part) != NULL;
}

static inline int64_t
free_pieces(int64_t item_id, int64_t from, int64_t until)
{
	return stock_free(db, item_id, from, until, clock_now());
}

/* --- what other programs report ----------------------------------------------------------------------------------- */

static inline void
report_event(const char *type, const char *code, const char *json)
{
	struct event e = { .event_id = 99, .type = type, .subject_id = code, .actor_id = 5, .payload = json };
	bool has_reaction = false;

	for (const struct policy *p = booking_consumer.policy; p->type; p++)
		if (strcmp(p->type, type) == 0) {
			db_begin(db);
			assert_true(p->react(db, &e));
			assert_true(db_commit(db));
			has_reaction = true;
		}
	assert_true(has_reaction);
}

static inline void
report_equipment(const char *type, const struct booking *b, int line_no, const char *by, const char *reason)
{
	report_event(type, b->code,
		arena_printf(scratch_memory, "{\"booking_code\":\"%s\",\"line_no\":%d,\"by\":\"%s\",\"reason\":\"%s\"}",
			b->code, line_no, by, reason));
}

static inline void
report_delivery(const char *type, const struct booking *b, const char *direction, const char *by)
{
	report_event(type, b->code,
		arena_printf(scratch_memory,
			"{\"direction\":\"%s\",\"by\":\"%s\",\"reason\":\"\",\"note\":\"no courier\"}", direction, by));
}

/* --- bookings ----------------------------------------------------------------------------------------------------- */

static inline struct booking_order
order_car(int64_t customer_id, int64_t car_id, int64_t from, int64_t until)
{
	return (struct booking_order){
		.customer_id = customer_id,
		.car_id = car_id,
		.starts_at = from,
		.ends_at = until,
		.card_id = 10 + customer_id,
	};
}

static inline struct booking
place_paid(int64_t from, int64_t until)
{
	struct booking_order o = order_car(1, 1, from, until);
	struct booking b;

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	return b;
}

static inline struct booking
place_held(void)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	return b;
}

static inline void
add_delivery(struct booking_order *o, bool collects)
{
	o->delivery.is_wanted = true;
	o->delivery.zone = "city"; /* 25,000 a trip */
	o->delivery.address = "Teheran-ro 1";
	o->delivery.collects = collects;
}

static inline void
add_item(struct booking_order *o, int64_t item_id, int64_t quantity)
{
	o->items[o->n_items].item_id = item_id;
	o->items[o->n_items++].quantity = quantity;
}

/* In three days for two: 180,000; delivery and collection 50,000; two child seats 20,000. */
static inline struct booking
place_with_extras(void)
{
	struct booking_order o = order_car(1, 1, NOW + 3 * DAY, NOW + 5 * DAY);
	struct booking b;

	add_delivery(&o, true);
	add_item(&o, SEAT, 2);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_PAID);
	return b;
}

static inline struct booking
confirm_with_extras(void)
{
	struct booking b = place_with_extras();

	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

/* Sweeps every second for a while. Answers the longest time between two tries, counted in *n_tries. */
static inline int64_t
longest_gap(const int *n_tries, int64_t seconds)
{
	int64_t last = clock_now(), longest = 0, until = clock_now() + seconds;
	int before = *n_tries;

	while (clock_now() < until) {
		clock_set(clock_now() + 1);
		booking_sweep(db);
		assert_in_range(*n_tries - before, 0, 1); /* never a hot loop */
		if (*n_tries != before && clock_now() - last > longest)
			longest = clock_now() - last;
		if (*n_tries != before)
			last = clock_now();
		before = *n_tries;
	}
	return longest > clock_now() - last ? longest : clock_now() - last;
}

#endif
