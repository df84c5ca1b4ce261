/* car_gone - its words and its JSON; described in car_gone.h. */
#include "car_gone.h"
#include "cars.h"

#include "lib/base/lang.h"

static const struct member gone_members[] = {
	SHAPE_INT(car_gone, car_id), SHAPE_TEXT(car_gone, plate), SHAPE_STATE(car_gone, service, service_words),
};
const struct shape car_gone_shape = SHAPE(car_gone, gone_members);

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
	web_error_details(w, &car_gone_shape, c);
	return web_refuse(w, HTTP_CONFLICT, CAR_GONE_CODE, car_gone_words(w->m, c->plate));
}
