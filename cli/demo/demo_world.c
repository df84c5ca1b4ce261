/*
 * demo_world.c - makes the plan happen: every row comes from the function a program would have called, at its time of the past.
 * After each deed the policies run as the relay would have run them, a second later.
 */
#include "demo.h"

#include "cgi-bin/booking/booking.h"
#include "domain/choices.h"
#include "cgi-bin/delivery/delivery.h"
#include "cgi-bin/equipment/equipment.h"
#include "cgi-bin/fleet/fleet.h"
#include "cgi-bin/message/message.h"
#include "cgi-bin/mypage/mypage.h"
#include "cgi-bin/payment/payment.h"
#include "cgi-bin/review/review.h"
#include "cgi-bin/sandbox/sandbox.h"
#include "domain/rental.h"
#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>

#define WAL_PAGES   20000       /* then it is moved into the file */
#define DEEDS       200         /* … of a transaction: a commit for each would take a third of the time */

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

/* --- the files ------------------------------------------------------------------------------------------------------------- */

/* A power cut in the middle leaves an unfinished folder that the next start throws away, so nothing is synced before the end. */
static struct db *
open_db(struct world *w, const struct db_role *role)
{
	const char *why = NULL;
	struct db *db = db_open(w->dir, role, w->m, &why);

	if (!db) {
		w->why = why ? why : "cannot open a database";
		return NULL;
	}
	db_offline(db);
	db_bulk(db, true);
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
	ports_open(w->sandbox);
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
	ports_close();
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
			.name = from->name, .name_ko = from->name_ko, .region = from->region, .address = from->address,
			.address_ko = from->address_ko, .phone = from->phone, .is_open = true,
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
			.name = from->name, .name_ko = from->name_ko, .body = (int)from->body, .fuel = (int)from->fuel,
			.gearbox = GEARBOX_AUTOMATIC, .seats = from->seats, .daily_price = from->daily_price,
			.hourly_price = from->hourly_price, .state = MODEL_ON_SALE,
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
		.plate = from->plate, .name = model->name, .name_ko = model->name_ko, .body = (int)model->body, .fuel = (int)model->fuel,
		.gearbox = GEARBOX_AUTOMATIC, .seats = model->seats, .daily_price = model->daily_price, .hourly_price = model->hourly_price, .service = SERVICE_IN_SERVICE,
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
	world_items(w);
	for (int i = 0; i < s->n_cars && !w->why; i++)
		add_car(w, &s->cars[i]);
	if (!db_commit(w->db))
		world_stop(w, "could not add the fleet");
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
		if (car->service == SERVICE_RETIRED)
			outcome = car_retire(w->db, car->car_id, w->manager_id);
		else
			outcome = car_set_service(w->db, car->car_id, car->service, w->manager_id);
		if (outcome != CAR_OK)
			world_stop(w, "car %s was not taken out of service", car->plate);
	}
}

/* --- deeds ------------------------------------------------------------------------------------------------------------------ */

static const char *
zone_code(int n)
{
	const struct choice *zones;
	int n_zones = choices_of(rental.delivery_zones, &zones);

	return n_zones ? zones[n % n_zones].code : "";
}

static struct booking_order
order_of(struct world *w, const struct script *s, const struct plan *p)
{
	const struct demo_place *place = &demo_places[p->trip.place];
	const struct demo_car *car = &s->cars[p->car];
	struct booking_order o = {
		.customer_id = w->customer_id[p->customer], .car_id = car->car_id, .starts_at = p->starts_at, .ends_at = p->ends_at,
		.card_id = p->fate == FATE_DECLINED ? w->bad_card[p->customer] : w->good_card[p->customer],
	};

	if (p->n_cars > 1) {
		o.car_id = 0;
		o.model_id = w->model_id[car->model];
		o.qty = p->n_cars;
		o.branch_id = w->branch_id[car->branch];
	}
	o.delivery.is_wanted = p->trip.is_wanted;
	o.delivery.collects = p->trip.collects;
	o.delivery.zone = zone_code(place->zone);
	o.delivery.address = place->address;
	o.delivery.place = place->place;
	o.delivery.window_from = p->trip.window_from;
	for (o.n_items = 0; o.n_items < p->n_pieces; o.n_items++) {
		o.items[o.n_items].item_id = w->item_id[p->piece[o.n_items].item];
		o.items[o.n_items].quantity = p->piece[o.n_items].quantity;
	}
	return o;
}

/* In one transaction what would have been six: nobody else is here to see them apart. */
static void
place(struct world *w, struct script *s, struct plan *p)
{
	struct booking_order o = order_of(w, s, p);
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
	if (kind == DEED_CANCEL)
		return booking_cancel(w->db, b, b->customer_id, "customer") == CANCEL_DONE;
	if (kind == DEED_HAND_OUT)
		return booking_hand_out(w->db, b, w->manager_id);
	if (kind == DEED_TAKE_BACK)
		return booking_take_back(w->db, b, w->manager_id);
	return booking_no_show(w->db, b, w->manager_id);
}

static void
do_later(struct world *w, struct plan *p, enum deed_kind kind)
{
	struct booking b;

	db_begin(w->db);
	if ((kind == DEED_TAKE_BACK && !world_lose(w, p)) || !booking_find(w->db, p->code, 0, &b) || !act(w, &b, kind) || !db_commit(w->db))
		world_stop(w, "deed %d of booking %s was refused", (int)kind, p->code);
}

static void
do_at_desk(struct world *w, struct script *s, const struct deed *deed)
{
	db_begin(w->db);
	if (!world_desk(w, s, deed) || !db_commit(w->db))
		world_stop(w, "deed %d of %d was refused", (int)deed->kind, deed->plan);
}

/*
 * Who must react before the next deed, which builds on it: a booking is confirmed, a car is free again within a second. The rest may follow
 * with that: a car's status, a courier who has heard of his job.
 */
static void
react(struct world *w, const struct script *s, const struct deed *deed)
{
	clock_set(deed->at + 1);
	switch (deed->kind) {
	case DEED_PLACE:
	case DEED_CANCEL:
	case DEED_NO_SHOW:
		if (plan_has_extras(&s->plans[deed->plan]))
			world_desk_policies(w);
		else
			world_policies(w);
		break;
	case DEED_HAND_OUT:
	case DEED_TAKE_BACK:
		if (s->plans[deed->plan].n_pieces)
			world_desk_policies(w);
		break;
	case DEED_ASSIGN:
	case DEED_SHIP:
	case DEED_FETCH_ASSIGN:
	case DEED_FETCH_SHIP:
	case DEED_STOCK:
		break;
	case DEED_CALL_OFF:
	case DEED_DECIDE:
		world_desk_policies(w);
		while (booking_sweep(w->db))    /* what will not be had is paid back */
			;
		break;
	case DEED_DELIVER:
	case DEED_FETCH:
	case DEED_ORDER:
	case DEED_ORDER_DECIDE:
	case DEED_ORDER_OUT:
	case DEED_ORDER_BACK:
	case DEED_ORDER_CANCEL:
		world_desk_policies(w);
	}
}

/* Deeds are committed many at a time. */
static void
commit_deeds(struct world *w)
{
	if (!db_commit(w->db) || !db_commit(w->sandbox))
		world_stop(w, "the deeds were not committed");
	w->n_uncommitted = 0;
	trim_wal(w->db);
	trim_wal(w->sandbox);
}

void
world_do(struct world *w, struct script *s, const struct deed *deed)
{
	if (w->why)
		return;
	if (w->n_uncommitted++ == 0) {
		db_begin(w->db);
		db_begin(w->sandbox);
	}
	clock_set(deed->at);
	if (deed->kind == DEED_PLACE)
		place(w, s, &s->plans[deed->plan]);
	else if (deed->kind <= DEED_NO_SHOW)
		do_later(w, &s->plans[deed->plan], deed->kind);
	else
		do_at_desk(w, s, deed);
	if (!w->why)
		react(w, s, deed);
	if (w->n_uncommitted == DEEDS)
		commit_deeds(w);
	arena_reset(w->m);
}

void
world_end(struct world *w, struct script *s)
{
	if (w->n_uncommitted)
		commit_deeds(w);
	end_cars(w, s);
	clock_set(0);
	if (w->why)
		return;
	db_begin(w->db);
	world_desk_policies(w);
	world_policies_end(w);
	if (w->why || !db_commit(w->db))
		return world_stop(w, "the end of the policies");
	sandbox_forget_old(w->sandbox);
	db_bulk(w->db, false);          /* the read models are made from it next, by another connection */
	if (db_failed(w->db))
		world_stop(w, "the end");
	arena_reset(w->m);
}
