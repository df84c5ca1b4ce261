/* car_in_use - its words and its JSON; described in car_in_use.h. */
#include "car_in_use.h"

#include "lib/base/lang.h"

static const struct word kind_word[] = {
	[CUSTODY_CUSTOMER] = { "customer", N_("Customer") },
	[CUSTODY_STAFF]    = { "staff",    N_("Staff") },
};
const struct words custody_kind_words = WORDS(kind_word);

static const struct member custody_members[] = {
	SHAPE_STATE(custody, kind, custody_kind_words), SHAPE_INT(custody, car_id), SHAPE_INT(custody, user_id),
	SHAPE_TIME(custody, from_at), SHAPE_TIME(custody, due_at), SHAPE_TEXT(custody, booking_code),
	SHAPE_TEXT(custody, plate), SHAPE_TEXT(custody, user_name),
};
const struct shape custody_shape = SHAPE(custody, custody_members);

static const struct member in_use_members[] = {
	SHAPE_TEXT(car_in_use, code), SHAPE_TEXT(car_in_use, message), SHAPE_TEXT(car_in_use, request_id),
	SHAPE_STRUCT(car_in_use, details, custody_shape),
};
static const struct shape in_use_shape = SHAPE(car_in_use, in_use_members);
static const struct member answer_members[] = { SHAPE_STRUCT(car_in_use_answer, error, in_use_shape) };
const struct shape car_in_use_shape = SHAPE(car_in_use_answer, answer_members);

const char *
car_in_use_words(struct arena *m, const struct custody *c)
{
	if (c->due_at)
		return arena_printf(m,
			_("The car %s is still in use: booking %s, due back %s. Please record its return first."
			  " Nothing has changed."),
			c->plate, c->booking_code, time_in_words(m, c->due_at));
	return arena_printf(m, _("The car %s is on the way with a courier. Nothing has changed."), c->plate);
}

enum status
car_in_use_json(struct web *w, const struct custody *c)
{
	web_error_details(w, &custody_shape, c);
	return web_refuse(w, HTTP_CONFLICT, "car_in_use", car_in_use_words(w->m, c));
}
