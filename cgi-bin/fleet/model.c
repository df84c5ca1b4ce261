/* model - 상품: the values new cars of a kind start with. The overview is in fleet.h. */
#include "fleet.h"
#include "cars_now.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"

#include <string.h>

/* $1 is now, $2 is now plus the turnaround, as in cars_now.h. */
#define MODEL_COLUMNS \
	"model_id, name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price, state," \
	" (SELECT COUNT(*) FROM car c WHERE c.model_id = m.model_id AND c.service <> 'RETIRED') AS n_cars," \
	" (SELECT COUNT(*) FROM car c WHERE c.model_id = m.model_id AND c.service = 'IN_SERVICE') AS n_in_service," \
	" (SELECT COUNT(*) FROM car c WHERE c.model_id = m.model_id AND " CAR_STATUS " = 'AVAILABLE') AS n_free"
#define NOW_AND_READY clock_now(), clock_now() + rental.turnaround_s

static const struct word model_state[] = {
	[MODEL_ON_SALE]  = { "ON_SALE",  N_("Active") },
	[MODEL_OFF_SALE] = { "OFF_SALE", N_("Discontinued") },
};
const struct words model_state_words = WORDS(model_state);

/* The first N_CHANGED are what a person changes: the version is a hash of them. */
static const struct member model_members[] = {
	SHAPE_INT(model, model_id), SHAPE_TEXT_KO(model, name), SHAPE_STATE(model, body, body_words),
	SHAPE_INT(model, seats), SHAPE_STATE(model, fuel, fuel_words), SHAPE_STATE(model, gearbox, gearbox_words),
	SHAPE_AMOUNT(model, daily_price), SHAPE_AMOUNT(model, hourly_price),
	SHAPE_STATE(model, state, model_state_words), SHAPE_INT(model, n_cars), SHAPE_INT(model, n_in_service),
	SHAPE_INT(model, n_free), SHAPE_TEXT(model, version),
};
#define N_CHANGED 9
const struct shape model_shape = SHAPE(model, model_members);
static const struct shape changed_shape = { .name = "model", .size = sizeof(struct model), .member = model_members,
	.n = N_CHANGED };

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const char *
model_version(struct arena *m, const struct model *model)
{
	struct buf b = { .m = m };

	json_put(&b, &changed_shape, model);
	return arena_strndup(m, secret_hash(m, b.s), 16);
}

bool
model_find(struct db *db, int64_t model_id, struct model *model)
{
	*model = (struct model){ .model_id = 0 };
	if (!db_one(db, &model_shape, model, "SELECT " MODEL_COLUMNS " FROM car_model m WHERE model_id = $3",
		    NOW_AND_READY, model_id))
		return false;
	model->version = model_version(db_memory(db), model);
	return true;
}

int64_t
model_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*) FROM car_model /*scan*/");
}

static int
set_model_versions(struct db *db, struct model *models, int n)
{
	for (int i = 0; i < n; i++)
		models[i].version = model_version(db_memory(db), &models[i]);
	return n;
}

int
model_list(struct db *db, int64_t offset, int64_t limit, struct model **models, int *n_models)
{
	db_list(db, &model_shape, models, n_models,
		"SELECT " MODEL_COLUMNS " FROM car_model m ORDER BY name LIMIT $3 OFFSET $4 /*scan*/", NOW_AND_READY,
		limit, offset);
	return set_model_versions(db, *models, *n_models);
}

int
model_list_on_sale(struct db *db, struct model **models, int *n_models)
{
	return db_list(db, &model_shape, models, n_models,
		"SELECT " MODEL_COLUMNS " FROM car_model m WHERE state = 'ON_SALE' ORDER BY name LIMIT 500 /*scan*/",
		NOW_AND_READY);
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool
model_name_is_free(struct db *db, const struct model *model)
{
	return !db_exists(
		db, "SELECT 1 FROM car_model WHERE name = $1 AND model_id <> $2", model->name, model->model_id);
}

bool
model_is_there(struct db *db, const struct model *model)
{
	return db_exists(db,
		"SELECT 1 FROM car_model WHERE name = $1 AND body = $2 AND seats = $3 AND fuel = $4 AND gearbox = $5"
		" AND daily_price = $6"
		" AND hourly_price = $7 AND name_ko = COALESCE($8, name_ko)",
		model->name, words_code(&body_words, model->body), model->seats, words_code(&fuel_words, model->fuel),
		words_code(&gearbox_words, model->gearbox), model->daily_price, model->hourly_price, model->name_ko);
}

static enum model_outcome
model_insert(struct db *db, struct model *model)
{
	int64_t model_id;

	if (!model_name_is_free(db, model))
		return MODEL_NAME_TAKEN;
	model_id = db_int(db,
		"INSERT INTO car_model (name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price)"
		" VALUES ($1, $8, $2, $3, $4, $5, $6, $7) RETURNING model_id",
		model->name, words_code(&body_words, model->body), model->seats, words_code(&fuel_words, model->fuel),
		words_code(&gearbox_words, model->gearbox), model->daily_price, model->hourly_price,
		text_or_empty(model->name_ko));
	model_find(db, model_id, model);
	return MODEL_OK;
}

enum model_outcome
model_add(struct db *db, struct model *model)
{
	enum model_outcome outcome;

	model->model_id = 0;
	db_begin(db);
	outcome = model_insert(db, model);
	db_commit(db);
	return outcome;
}

/* Its cars with other prices get its prices. Answers how many. */
static int64_t
set_prices_of_cars(struct db *db, const struct model *model, int64_t actor_id)
{
	int64_t n_moved = 0, *ids = arena_array(db_memory(db), int64_t, model->n_cars + 1);

	for (struct rows *r = db_each(db,
		     "SELECT car_id FROM car WHERE model_id = $1 AND service <> 'RETIRED'"
		     " AND (daily_price <> $2 OR hourly_price <> $3)",
		     model->model_id, model->daily_price, model->hourly_price);
		db_next(r);)
		if (n_moved < model->n_cars)
			ids[n_moved++] = row_int(r, 0);
	for (int64_t i = 0; i < n_moved; i++) {
		db_do(db, "UPDATE car SET daily_price = $2, hourly_price = $3 WHERE car_id = $1", ids[i],
			model->daily_price, model->hourly_price);
		car_touched(db, ids[i], actor_id);
	}
	return n_moved;
}

/* Its cars of the same name that have no Korean name yet get the model's. */
static void
name_cars_in_korean(struct db *db, const struct model *model, int64_t actor_id)
{
	int64_t n = 0, *ids = arena_array(db_memory(db), int64_t, model->n_cars + 1);

	if (!*model->name_ko)
		return;
	for (struct rows *r = db_each(db,
		     "SELECT car_id FROM car WHERE model_id = $1 AND service <> 'RETIRED' AND name = $2"
		     " AND name_ko = '' ORDER BY car_id",
		     model->model_id, model->name);
		db_next(r);)
		if (n < model->n_cars)
			ids[n++] = row_int(r, 0);
	for (int64_t i = 0; i < n; i++) {
		db_do(db, "UPDATE car SET name_ko = $2 WHERE car_id = $1", ids[i], model->name_ko);
		car_touched(db, ids[i], actor_id);
	}
}

static enum model_outcome
model_rewrite(struct db *db, struct model *model, bool also_cars, int64_t *n_cars, int64_t actor_id)
{
	struct model was;

	if (!model_find(db, model->model_id, &was))
		return MODEL_GONE;
	if (!model->name_ko)
		model->name_ko = was.name_ko;
	if (model->version && strcmp(model->version, was.version) != 0
		&& strcmp(model_version(db_memory(db), model), was.version) != 0)
		return MODEL_CHANGED;
	if (!model_name_is_free(db, model))
		return MODEL_NAME_TAKEN;
	db_do(db,
		"UPDATE car_model SET name = $2, body = $3, seats = $4, fuel = $5, gearbox = $6, daily_price = $7,"
		" hourly_price = $8,"
		" name_ko = $9 WHERE model_id = $1",
		model->model_id, model->name, words_code(&body_words, model->body), model->seats,
		words_code(&fuel_words, model->fuel), words_code(&gearbox_words, model->gearbox), model->daily_price,
		model->hourly_price, model->name_ko);
	model_find(db, model->model_id, model);
	if (strcmp(model->name_ko, was.name_ko) != 0)
		name_cars_in_korean(db, model, actor_id);
	if (also_cars)
		*n_cars = set_prices_of_cars(db, model, actor_id);
	return MODEL_OK;
}

enum model_outcome
model_change(struct db *db, struct model *model, bool also_cars, int64_t *n_cars, int64_t actor_id)
{
	enum model_outcome outcome;

	*n_cars = 0;
	db_begin(db);
	outcome = model_rewrite(db, model, also_cars, n_cars, actor_id);
	db_commit(db);
	return outcome;
}

enum model_outcome
model_set_state(struct db *db, int64_t model_id, enum model_state state)
{
	enum model_outcome outcome;

	db_begin(db);
	outcome = db_do(db, "UPDATE car_model SET state = $2 WHERE model_id = $1", model_id,
			  words_code(&model_state_words, (int)state))
			== 1
		? MODEL_OK
		: MODEL_GONE;
	db_commit(db);
	return outcome;
}
