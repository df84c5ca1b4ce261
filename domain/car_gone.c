/* car_gone - its words and its JSON; described in car_gone.h. */
#include "car_gone.h"
#include "cars.h"

#include "lib/base/lang.h"

static const struct member gone_members[] = {
	SHAPE_INT(car_gone, car_id), SHAPE_TEXT(car_gone, plate), SHAPE_STATE(car_gone, service, service_words),
};
const struct shape car_gone_shape = SHAPE(car_gone, gone_members);

struct gone_error { const char *code, *message, *request_id; struct car_gone details; };
static const struct member error_members[] = {
	SHAPE_TEXT(gone_error, code), SHAPE_TEXT(gone_error, message), SHAPE_TEXT(gone_error, request_id),
	SHAPE_STRUCT(gone_error, details, car_gone_shape),
};
static const struct shape error_shape = SHAPE(gone_error, error_members);
struct gone_answer { struct gone_error error; };
static const struct member answer_members[] = { SHAPE_STRUCT(gone_answer, error, error_shape) };
static const struct shape answer_shape = SHAPE(gone_answer, answer_members);

const char *
car_gone_words(struct arena *m, const char *plate)
{
	return arena_printf(m,
		_("The car %s is not in service, so it cannot be handed over. Put it back into service, or cancel the"
		  " booking. Nothing has changed."),
		plate);
}

enum status
car_gone_json(struct web *w, const struct car_gone *c)
{
	const struct gone_answer answer = {
		.error = { CAR_GONE_CODE, car_gone_words(w->m, c->plate), w->request_id, *c },
	};

	return web_json(w, HTTP_CONFLICT, &answer_shape, &answer);
}
