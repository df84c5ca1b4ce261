/*
 * demo_world.c - makes the plan happen: every row comes from the function a program would have called, at its time of the past.
 *
 * booking's port to payment (payments.h) leads straight to payment's own functions, and payment's provider to the sandbox's own
 * API, both in this process; so charges, refunds, ledger, events and the sandbox's books are what they would have been. After
 * each deed the policies run as the relay would have run them, a second later.
 */
#include "demo.h"

#include "../cgi-bin/booking/booking.h"
#include "../cgi-bin/booking/payments.h"
#include "../cgi-bin/fleet/fleet.h"
#include "../cgi-bin/mypage/mypage.h"
#include "../cgi-bin/payment/payment.h"
#include "../cgi-bin/sandbox/direct.h"
#include "../lib/clock.h"

#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 60000
#define BATCH       200
#define WAL_PAGES   4000        /* then it is moved into the file */

/* --- what went wrong ------------------------------------------------------------------------------------------------------ */

void
world_stop(struct world *w, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (w->why)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (db_failed(w->db))
		w->why = arena_printf(w->c->m, "%s: %s", text, db_error(w->db));
	else
		w->why = arena_strdup(w->c->m, text);
}

/* --- booking's port to payment, without a socket in between ------------------------------------------------------------------ */

static enum charge_answer
charge_answer(enum charge_outcome outcome)
{
	switch (outcome) {
	case PAY_APPROVED:   return CHARGE_APPROVED;
	case PAY_DECLINED:   return CHARGE_DECLINED;
	case PAY_LATER:      return CHARGE_NOT_ASKED;
	case PAY_UNKNOWN:
	case PAY_KEY_REUSED:
	case PAY_BAD_ORDER:  break;
	}
	return CHARGE_UNKNOWN;
}

static enum charge_answer
charge_here(struct db *db, const struct booking *b, const char *payment_key, int64_t *charge_id, const char **reason)
{
	struct charge_order o = {
		.key = b->code, .subject_id = b->code, .currency = b->currency, .payment_key = payment_key ? payment_key : "",
		.customer_id = b->customer_id, .card_id = payment_key ? 0 : b->card_id, .amount = b->amount, .vat_amount = b->vat_amount,
		.deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .reason = "" };
	enum charge_outcome outcome = charge_make(db, &o, &c);

	*charge_id = c.charge_id;
	*reason = c.reason;
	return charge_answer(outcome);
}

static enum charge_answer
look_up_here(struct db *db, const struct booking *b, int64_t *charge_id)
{
	struct charge c;

	if (!charge_find(db, b->code, &c))
		return CHARGE_NEVER_SEEN;
	*charge_id = c.charge_id;
	return charge_answer(charge_standing(db, &c));
}

static enum refund_answer
refund_here(struct db *db, const struct booking *b, const struct payback *p, int64_t *refunded_amount)
{
	struct refund_order o = {
		.key = b->code, .refund_key = p->key, .amount = p->amount, .reason = p->reason, .deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .refunded_amount = 0 };

	switch (refund_make(db, &o, &c)) {
	case BACK_DONE:
		*refunded_amount = c.refunded_amount;
		return REFUND_ANSWER_DONE;
	case BACK_PENDING:
		return REFUND_ANSWER_PENDING;
	case BACK_TOO_MUCH:
	case BACK_NO_CHARGE:
	case BACK_KEY_REUSED:
		break;
	}
	return REFUND_ANSWER_LATER;
}

static const struct payments payments_here = { charge_here, look_up_here, refund_here, NULL };

/* --- the files ------------------------------------------------------------------------------------------------------------- */

/* A power cut in the middle leaves an unfinished folder that the next start throws away, so nothing is synced before the end. */
static struct db *
open_db(struct world *w, const struct db_role *role)
{
	const char *why = NULL;
	struct db *db = db_open(w->dir, role, w->m, &why);

	if (!db) {
		w->why = why ? why : "a database cannot be opened";
		return NULL;
	}
	db_offline(db);
	db_do(db, "PRAGMA synchronous=OFF");
	db_do(db, "PRAGMA cache_size=-65536");
	return db;
}

bool
world_open(struct world *w, struct cli *c, const char *dir)
{
	static const struct db_role own_sandbox = { .name = "motorpool", .owns = "*", .own_db = "sandbox" };
	const char *schema = cli_path(c, c->root, "db/schema.sql"), *view = cli_path(c, c->root, "db/view.sql");

	*w = (struct world){ .c = c, .dir = dir, .m = arena_new((size_t)256 << 20) };
	if (!db_create(dir, schema, view, &w->why) || !db_create_own(dir, "sandbox", cli_path(c, c->root, "db/sandbox.sql"), &w->why))
		return false;
	w->db = open_db(w, &cli_role);
	w->sandbox = open_db(w, &own_sandbox);
	if (!w->db || !w->sandbox)
		return false;
	payments = &payments_here;
	toss_ask = sandbox_direct;
	sandbox_direct_open(w->sandbox);
	return true;
}

static void
trim_wal(struct db *db)
{
	if (db_wal_pages(db) > WAL_PAGES)
		db_checkpoint(db);
}

/* Everything into the file itself: the WAL is left behind. */
bool
world_finish(struct db *db)
{
	bool ok = db && !db_failed(db) && db_checkpoint(db) >= 0 && db_wal_pages(db) == 0;

	if (db)
		db_close(db);
	return ok;
}

bool
world_close(struct world *w)
{
	bool ok = world_finish(w->sandbox);

	ok = world_finish(w->db) && ok;
	payments = &payments_by_call;
	toss_ask = toss_http;
	clock_set(0);
	return ok && !w->why;
}

/* --- cards --------------------------------------------------------------------------------------------------------------------- */

static int64_t
add_card(struct world *w, int customer, const char *token)
{
	struct card card = { .card_id = 0 };

	if (card_save(w->db, w->customer_id[customer], token, token, &card) != CARD_SAVED || db_failed(w->db))
		world_stop(w, "a card of %s was not saved", demo_customers[customer].email);
	return card.card_id;
}

/* One that is declined and one that pays: the last one saved is offered first. */
void
world_cards(struct world *w)
{
	for (int i = 0; i < DEMO_CUSTOMERS && !w->why; i++) {
		w->bad_card[i] = add_card(w, i, "tok_declined");
		w->good_card[i] = add_card(w, i, "tok_ok");
	}
}

/* --- fleet ----------------------------------------------------------------------------------------------------------------- */

static void
add_branches(struct world *w)
{
	for (int i = 0; i < DEMO_BRANCHES; i++) {
		const struct demo_branch *from = &demo_branches[i];
		struct branch b = {
			.name = from->name, .name_ko = from->name_ko, .region = from->region, .address = from->address, .phone = from->phone,
			.is_open = true,
		};

		if (branch_add(w->db, &b) != BRANCH_OK)
			world_stop(w, "branch %s was not added", from->name);
		w->branch_id[i] = b.branch_id;
	}
}

static void
add_models(struct world *w)
{
	for (int i = 0; i < DEMO_MODELS; i++) {
		const struct demo_model *from = &demo_models[i];
		struct model model = {
			.name = from->name, .body = (int)from->body, .fuel = (int)from->fuel, .gearbox = GEARBOX_AUTOMATIC, .seats = from->seats,
			.daily_price = from->daily_price, .hourly_price = from->hourly_price, .state = ON_SALE,
		};

		if (model_add(w->db, &model) != MODEL_OK)
			world_stop(w, "model %s was not added", from->name);
		w->model_id[i] = model.model_id;
	}
}

static void
add_car(struct world *w, struct demo_car *from)
{
	const struct demo_model *model = &demo_models[from->model];
	struct car car = {
		.plate = from->plate, .name = model->name, .body = (int)model->body, .fuel = (int)model->fuel, .gearbox = GEARBOX_AUTOMATIC,
		.seats = model->seats, .daily_price = model->daily_price, .hourly_price = model->hourly_price, .service = IN_SERVICE,
		.model_id = w->model_id[from->model], .branch_id = w->branch_id[from->branch],
	};

	clock_set(from->since);
	if (car_add(w->db, &car, w->manager_id) != CAR_OK || db_failed(w->db))
		world_stop(w, "car %s was not added", from->plate);
	from->car_id = car.car_id;
}

/* One transaction: nothing of it waits for anybody. */
void
world_fleet(struct world *w, struct script *s, struct dice *d)
{
	(void)d;
	db_begin(w->db);
	clock_set(s->cars[0].since - DAY);
	add_branches(w);
	add_models(w);
	for (int i = 0; i < s->n_cars && !w->why; i++)
		add_car(w, &s->cars[i]);
	if (!db_commit(w->db))
		world_stop(w, "the fleet was not added");
	arena_reset(w->m);
}

static void
end_cars(struct world *w, struct script *s)
{
	for (int i = 0; i < s->n_cars && !w->why; i++) {
		const struct demo_car *car = &s->cars[i];
		enum car_outcome outcome = CAR_OK;

		if (!car->until)
			continue;
		clock_set(car->until);
		if (car->service == RETIRED)
			outcome = car_retire(w->db, car->car_id, w->manager_id);
		else
			outcome = car_set_service(w->db, car->car_id, car->service, w->manager_id);
		if (outcome != CAR_OK)
			world_stop(w, "car %s was not taken out of service", car->plate);
	}
}

/* --- deeds ------------------------------------------------------------------------------------------------------------------ */

void
world_policies(struct world *w)
{
	static const struct consumer *const consumers[] = { &fleet_consumer, &booking_consumer };
	int n;

	do {
		n = 0;
		for (size_t i = 0; i < sizeof(consumers) / sizeof(consumers[0]); i++)
			n += consumer_step(w->db, consumers[i], BATCH);
	} while (n > 0);
}

/* In one transaction what would have been six: nobody else is here to see them apart. */
static void
place(struct world *w, struct script *s, struct plan *p)
{
	struct booking_order o = {
		.customer_id = w->customer_id[p->customer], .car_id = s->cars[p->car].car_id, .starts_at = p->starts_at, .ends_at = p->ends_at,
		.card_id = p->fate == FATE_DECLINED ? w->bad_card[p->customer] : w->good_card[p->customer],
	};
	enum booking_outcome outcome, wanted = p->fate == FATE_DECLINED ? BOOKING_DECLINED : BOOKING_OK;
	struct booking b = { .code = "" };

	db_begin(w->db);
	outcome = booking_place(w->db, &o, &b);
	if (outcome != wanted || !db_commit(w->db))
		world_stop(w, "a booking of %s came out as %d", s->cars[p->car].plate, (int)outcome);
	else if (outcome == BOOKING_OK)
		snprintf(p->code, sizeof(p->code), "%s", b.code);
}

static bool
act(struct world *w, struct booking *b, enum deed_kind kind)
{
	switch (kind) {
	case DEED_CANCEL:    return booking_cancel(w->db, b, b->customer_id, "customer") == CANCEL_DONE;
	case DEED_HAND_OUT:  return booking_hand_out(w->db, b, w->manager_id);
	case DEED_TAKE_BACK: return booking_take_back(w->db, b, w->manager_id);
	case DEED_NO_SHOW:   return booking_no_show(w->db, b, w->manager_id);
	case DEED_PLACE:     break;
	}
	return false;
}

static void
do_later(struct world *w, struct plan *p, enum deed_kind kind)
{
	struct booking b;

	db_begin(w->db);
	if (!booking_find(w->db, p->code, 0, &b) || !act(w, &b, kind) || !db_commit(w->db))
		world_stop(w, "deed %d of booking %s was refused", (int)kind, p->code);
}

/* The cars' status may follow with the next one; a booking is confirmed, a car is free again within a second. */
void
world_do(struct world *w, struct script *s, const struct deed *deed)
{
	struct plan *p = &s->plans[deed->plan];

	if (w->why)
		return;
	clock_set(deed->at);
	if (deed->kind == DEED_PLACE)
		place(w, s, p);
	else
		do_later(w, p, deed->kind);
	if (deed->kind != DEED_HAND_OUT && deed->kind != DEED_TAKE_BACK && !w->why) {
		clock_set(deed->at + 1);
		world_policies(w);
	}
	arena_reset(w->m);
	trim_wal(w->db);
	trim_wal(w->sandbox);
}

void
world_end(struct world *w, struct script *s)
{
	end_cars(w, s);
	if (s->n_cars == DEMO_CARS)     /* a shorter story, a test's, has none to spare */
		world_models(w, s->now);
	clock_set(0);
	if (w->why)
		return;
	world_policies(w);
	sandbox_forget_old(w->sandbox);
	if (db_failed(w->db))
		world_stop(w, "the end");
	arena_reset(w->m);
}
