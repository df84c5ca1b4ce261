/* pages_end - a car out of service for a while, retired for good, deleted when it was never booked. */
#include "pages.h"
#include "domain/menu.h"
#include "domain/rental.h"
#include "domain/undo.h"

#include <string.h>

/* --- the questions before taking out of service, retiring and deleting -------------------------------------------- */

struct end_page {
	struct car car;
	struct form_problems problems;
	struct concern concern;
	const char *in_use;                     /* who has it, in words; NULL: it is here */
	int64_t undo_min;                       /* for so long it can be undone; 0: it cannot */
	bool was_booked, is_retiring;
};
static const struct member end_page_members[] = {
	SHAPE_STRUCT(end_page, car, car_shape), SHAPE_STRUCT(end_page, problems, form_problems_shape),
	SHAPE_STRUCT(end_page, concern, concern_shape), SHAPE_TEXT(end_page, in_use), SHAPE_INT(end_page, undo_min),
	SHAPE_BOOL(end_page, was_booked), SHAPE_BOOL(end_page, is_retiring),
};
static const struct shape end_page_shape = SHAPE(end_page, end_page_members);
PAGE(out_page, "fleet/car_out", end_page_shape)
PAGE(retire_page, "fleet/car_retire", end_page_shape)
PAGE(delete_page, "fleet/car_delete", end_page_shape)

static enum status
show_end_question(struct web *w, struct page *page, enum status status, const char *message)
{
	struct end_page p = { .undo_min = undo_minutes() };
	struct custody holder;

	if (!requested_car(w, &p.car))
		return web_not_found(w);
	concern_read(w->db, p.car.car_id, 0, &p.concern);
	if (car_in_use(w->db, p.car.car_id, &holder))
		p.in_use = car_in_use_words(w->m, &holder);
	p.problems = form_problems(w, message);
	p.was_booked = car_was_booked(w->db, p.car.car_id);
	p.is_retiring = p.car.retire_at != 0;
	menu_of(w)->nav_fleet = true;
	return web_page(w, status, page, &p);
}

enum status
page_car_retire(struct web *w)
{
	return show_end_question(w, &retire_page, HTTP_OK, NULL);
}

enum status
page_car_delete(struct web *w)
{
	return show_end_question(w, &delete_page, HTTP_OK, NULL);
}

/* GET /fleet/cars/ID/service */
enum status
page_car_service(struct web *w)
{
	return show_end_question(w, &out_page, HTTP_OK, NULL);
}

/* --- refused ------------------------------------------------------------------------------------------------------ */

const char *
concern_words(struct web *w, const struct concern *c)
{
	const char *format = c->branch_id
		? _n("%lld booking names another branch. Nothing has changed yet: please look at it and confirm.",
			"%lld bookings name another branch. Nothing has changed yet: please look at them and"
			" confirm.",
			c->n_total)
		: _n("%lld booking would lose this car. Nothing has changed yet: please look at it and confirm.",
			"%lld bookings would lose this car. Nothing has changed yet: please look at them and"
			" confirm.",
			c->n_total);

	return arena_printf(w->m, format, (long long)c->n_total);
}

enum status
refuse_concern(struct web *w, int64_t car_id, int64_t branch_id)
{
	struct concern c;

	concern_read(w->db, car_id, branch_id, &c);
	web_error_details(w, &concern_shape, &c);
	return web_refuse(w, HTTP_CONFLICT, "bookings_concerned", concern_words(w, &c));
}

enum status
refuse_in_use(struct web *w, int64_t car_id)
{
	struct custody holder;

	if (!car_in_use(w->db, car_id, &holder)) /* it came back in this moment */
		return web_refuse(w, HTTP_CONFLICT, "changed",
			_("Another user has changed this car in the meantime. Your changes are not saved yet."));
	if (w->json)
		return car_in_use_json(w, &holder);
	return web_refuse(w, HTTP_CONFLICT, "car_in_use", car_in_use_words(w->m, &holder));
}

struct car_consent
read_consent(struct web *w)
{
	return (struct car_consent){
		.is_given = w->json && form_has(w, "confirm") && form_tick(w, "confirm"),
		.seen = form_has(w, "seen") ? form_line(w, "seen", 60) : "",
	};
}

/* page: the question that shows what is in the way; a program gets the same as JSON. */
static enum status
refuse_end(struct web *w, int64_t car_id, enum car_outcome outcome, struct page *page)
{
	struct concern c;

	switch (outcome) {
	case CAR_CONCERNS:
		if (w->json)
			return refuse_concern(w, car_id, 0);
		concern_read(w->db, car_id, 0, &c);
		return show_end_question(w, page, HTTP_CONFLICT, concern_words(w, &c));
	case CAR_IN_USE: return w->json ? refuse_in_use(w, car_id) : show_end_question(w, page, HTTP_CONFLICT, NULL);
	case CAR_IS_RETIRED:
		return web_refuse(w, HTTP_CONFLICT, "retired", _("This car is retired and can no longer be changed."));
	case CAR_CHANGED:
	case CAR_GONE:
	case CAR_NO_BRANCH:
	case CAR_NO_MODEL:
	case CAR_OK:
	case CAR_PLATE_TAKEN:
	case CAR_RETIRED_INSTEAD: break;
	}
	return web_not_found(w);
}

/* --- doing it ----------------------------------------------------------------------------------------------------- */

enum status
answer_car(struct web *w, int64_t car_id, const char *done)
{
	struct car car;

	if (w->json && !car_find(w->db, car_id, &car))
		return web_not_found(w);
	return web_done(w, HTTP_OK, &car_shape, &car, "/fleet/cars/%lld?done=%s", (long long)car_id, done);
}

/* POST /fleet/cars/ID/retire {confirm?, seen?} */
enum status
do_car_retire(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");
	struct car_consent consent = read_consent(w);
	enum car_outcome outcome;

	if (form_bad(w))
		return web_invalid(w);
	outcome = car_retire(w->db, car_id, &consent, w->user.id);
	if (outcome != CAR_OK)
		return refuse_end(w, car_id, outcome, &retire_page);
	return answer_car(w, car_id, rental.undo_window_s ? "retiring" : "retired");
}

/* POST /fleet/cars/ID/retire/undo */
enum status
do_car_undo_retire(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");
	enum car_outcome outcome;

	if (form_bad(w))
		return web_invalid(w);
	outcome = car_undo_retire(w->db, car_id, w->user.id);
	if (outcome == CAR_IS_RETIRED)
		return web_refuse(w, HTTP_CONFLICT, "too_late",
			_("The time to undo this is over: the car is retired. Add it as a new car if it is to be"
			  " rented again."));
	return outcome == CAR_OK ? answer_car(w, car_id, "kept") : web_not_found(w);
}

/* POST /fleet/cars/ID/service {service, confirm?, seen?} - out of service for a repair, and back. */
enum status
do_car_service(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");
	int service = form_choice(w, "service", &service_words);
	struct car_consent consent = read_consent(w);
	enum car_outcome outcome;

	if (service == SERVICE_RETIRED)
		form_error(w, "service", _("Please retire the car from its own page."));
	if (form_bad(w))
		return web_invalid(w);
	outcome = car_set_service(w->db, car_id, (enum service)service, &consent, w->user.id);
	if (outcome != CAR_OK)
		return refuse_end(w, car_id, outcome, &out_page);
	return answer_car(w, car_id, service == SERVICE_OUT_OF_SERVICE ? "out" : "back");
}

struct car_deleted { int64_t car_id, retire_at; int status; bool deleted; };
static const struct member retired_members[] = {
	SHAPE_INT(car_deleted, car_id), SHAPE_STATE(car_deleted, status, car_status_words),
	SHAPE_TIME(car_deleted, retire_at), SHAPE_BOOL(car_deleted, deleted),
};
static const struct shape retired_shape = SHAPE(car_deleted, retired_members);
static const struct member deleted_members[] = { SHAPE_INT(car_deleted, car_id), SHAPE_BOOL(car_deleted, deleted) };
static const struct shape deleted_shape = SHAPE(car_deleted, deleted_members);

static enum status
answer_retired_instead(struct web *w, struct car_deleted *d)
{
	struct car car;

	if (car_find(w->db, d->car_id, &car)) {
		d->status = car.status;
		d->retire_at = car.retire_at;
	}
	return web_done(w, HTTP_OK, &retired_shape, d, "/fleet/cars/%lld?done=retired_instead", (long long)d->car_id);
}

/* DELETE /fleet/cars/ID, POST /fleet/cars/ID/delete. The second of two clicks finds the car deleted, which is no
 * error. */
enum status
do_car_delete(struct web *w)
{
	struct car_deleted d = { .car_id = web_param_id(w, "car_id"), .status = CAR_RETIRED };
	struct car_consent consent = read_consent(w);
	enum car_outcome outcome;

	if (form_bad(w))
		return web_invalid(w);
	outcome = car_delete(w->db, d.car_id, &consent, w->user.id);
	d.deleted = outcome == CAR_OK;
	if (outcome == CAR_CONCERNS || outcome == CAR_IN_USE)
		return refuse_end(w, d.car_id, outcome, &retire_page);
	if (outcome == CAR_GONE && (w->json || !car_was_deleted(w->db, d.car_id)))
		return web_not_found(w);
	if (outcome == CAR_RETIRED_INSTEAD)
		return answer_retired_instead(w, &d);
	return web_done(w, HTTP_OK, &deleted_shape, &d, "/fleet/cars?done=deleted");
}
