/* demo_fleet.c - the demo's branches, models and cars. */
#include "demo.h"

#include "cgi-bin/fleet/fleet.h"
#include "domain/rental.h"
#include "lib/base/clock.h"

static void
add_branches(struct world *w)
{
	for (int i = 0; i < DEMO_BRANCHES; i++) {
		const struct demo_branch *from = &demo_branches[i];
		struct branch b = {
			.name = from->name,
			.name_ko = from->name_ko,
			.region = from->region,
			.address = from->address,
			.address_ko = from->address_ko,
			.phone = from->phone,
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
			.name = from->name,
			.name_ko = from->name_ko,
			.body = (int)from->body,
			.fuel = (int)from->fuel,
			.gearbox = GEARBOX_AUTOMATIC,
			.seats = from->seats,
			.daily_price = from->daily_price,
			.hourly_price = from->hourly_price,
			.state = MODEL_ON_SALE,
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
		.plate = from->plate,
		.name = model->name,
		.name_ko = model->name_ko,
		.body = (int)model->body,
		.fuel = (int)model->fuel,
		.gearbox = GEARBOX_AUTOMATIC,
		.seats = model->seats,
		.daily_price = model->daily_price,
		.hourly_price = model->hourly_price,
		.service = SERVICE_IN_SERVICE,
		.model_id = w->model_id[from->model],
		.branch_id = w->branch_id[from->branch],
	};

	clock_set(from->since);
	if (car_add(w->db, &car, w->manager_id) != CAR_OK || db_failed(w->db))
		world_stop(w, "car %s was not added", from->plate);
	from->car_id = car.car_id;
}

/* One transaction. */
void
world_fleet(struct world *w, struct script *s)
{
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

/* One is being retired this minute, with a booking of the next days: undo it, or see what needs attention. */
static void
retire_a_booked_car(struct world *w, const struct script *s)
{
	const struct car_consent even_so = { .is_given = true };
	int64_t car_id = db_int(w->db,
		"SELECT b.car_id FROM booking b WHERE b.state = 'CONFIRMED' AND b.n_cars = 1 AND b.starts_at > $1"
		" AND b.starts_at < $2 AND NOT EXISTS (SELECT 1 FROM booking_delivery d"
		" WHERE d.booking_id = b.booking_id) AND NOT EXISTS (SELECT 1 FROM booking o WHERE o.car_id = b.car_id"
		" AND o.booking_id <> b.booking_id AND o.state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT'))"
		" AND NOT EXISTS (SELECT 1 FROM custody k WHERE k.car_id = b.car_id AND k.to_at IS NULL)"
		" ORDER BY b.starts_at DESC LIMIT 1",
		s->now + 2 * DAY, s->now + 9 * DAY);

	clock_set(s->now - MINUTE);
	if (car_id && car_retire(w->db, car_id, &even_so, w->manager_id) != CAR_OK)
		world_stop(w, "the booked car was not retired");
}

/* Some cars are sold or in the workshop by now. */
void
world_fleet_end(struct world *w, const struct script *s)
{
	const struct car_consent even_so = { .is_given = true };

	for (int i = 0; i < s->n_cars && !w->why; i++) {
		const struct demo_car *car = &s->cars[i];
		enum car_outcome outcome = CAR_OK;

		if (!car->until)
			continue;
		clock_set(car->until);
		if (car->service == SERVICE_RETIRED)
			outcome = car_retire(w->db, car->car_id, &even_so, w->manager_id);
		else
			outcome = car_set_service(w->db, car->car_id, car->service, &even_so, w->manager_id);
		clock_set(car->until + rental.undo_window_s);
		fleet_sweep(w->db);
		if (outcome != CAR_OK)
			world_stop(w, "car %s was not taken out of service", car->plate);
	}
	if (!w->why)
		retire_a_booked_car(w, s);
}
