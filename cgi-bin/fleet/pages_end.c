/* pages_end - a car out of service for a while, retired for good, deleted when it was never booked; and its photo. */
#include "pages.h"
#include "domain/menu.h"

#include <string.h>

/* --- the questions before retiring and deleting ------------------------------------------------------------------- */

struct end_page {
	struct car car;
	int64_t n_coming;
	bool was_booked;
};
static const struct member end_page_members[] = {
	SHAPE_STRUCT(end_page, car, car_shape), SHAPE_INT(end_page, n_coming), SHAPE_BOOL(end_page, was_booked),
};
static const struct shape end_page_shape = SHAPE(end_page, end_page_members);
PAGE(retire_page, "fleet/car_retire", end_page_shape)
PAGE(delete_page, "fleet/car_delete", end_page_shape)

static enum status
show_end_question(struct web *w, struct page *page)
{
	struct end_page p = { .n_coming = 0 };

	if (!requested_car(w, &p.car))
		return web_not_found(w);
	p.n_coming = car_n_coming(w->db, p.car.car_id);
	p.was_booked = car_was_booked(w->db, p.car.car_id);
	menu_of(w)->nav_fleet = true;
	return web_page(w, HTTP_OK, page, &p);
}

enum status
page_car_retire(struct web *w)
{
	return show_end_question(w, &retire_page);
}

enum status
page_car_delete(struct web *w)
{
	return show_end_question(w, &delete_page);
}

/* --- doing it ----------------------------------------------------------------------------------------------------- */

static enum status
answer_car(struct web *w, int64_t car_id, const char *done)
{
	struct car car;

	if (w->json && !car_find(w->db, car_id, &car))
		return web_not_found(w);
	return web_done(w, HTTP_OK, &car_shape, &car, "/fleet/cars/%lld?done=%s", (long long)car_id, done);
}

enum status
do_car_retire(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");

	if (form_bad(w))
		return web_invalid(w);
	if (car_retire(w->db, car_id, w->user.id) == CAR_GONE)
		return web_not_found(w);
	return answer_car(w, car_id, "retired");
}

/* POST /fleet/cars/ID/service {service} - out of service for a repair, and back. */
enum status
do_car_service(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");
	int service = form_choice(w, "service", &service_words);

	if (service == SERVICE_RETIRED)
		form_error(w, "service", _("Please retire the car from its own page."));
	if (form_bad(w))
		return web_invalid(w);
	switch (car_set_service(w->db, car_id, (enum service)service, w->user.id)) {
	case CAR_OK: return answer_car(w, car_id, service == SERVICE_OUT_OF_SERVICE ? "out" : "back");
	case CAR_IS_RETIRED:
		return web_refuse(w, HTTP_CONFLICT, "retired", _("This car is retired and can no longer be changed."));
	case CAR_CHANGED:
	case CAR_GONE:
	case CAR_NO_BRANCH:
	case CAR_NO_MODEL:
	case CAR_PLATE_TAKEN:
	case CAR_RETIRED_INSTEAD: break;
	}
	return web_not_found(w);
}

struct car_deleted { int64_t car_id; int status; bool deleted; };
static const struct member retired_members[] = {
	SHAPE_INT(car_deleted, car_id), SHAPE_STATE(car_deleted, status, car_status_words),
	SHAPE_BOOL(car_deleted, deleted),
};
static const struct shape retired_shape = SHAPE(car_deleted, retired_members);
static const struct member deleted_members[] = { SHAPE_INT(car_deleted, car_id), SHAPE_BOOL(car_deleted, deleted) };
static const struct shape deleted_shape = SHAPE(car_deleted, deleted_members);

/* DELETE /fleet/cars/ID, POST /fleet/cars/ID/delete. The second of two clicks finds the car deleted, which is no
 * error. */
enum status
do_car_delete(struct web *w)
{
	struct car_deleted d = { .car_id = web_param_id(w, "car_id"), .status = CAR_RETIRED };
	enum car_outcome outcome;

	if (form_bad(w))
		return web_invalid(w);
	outcome = car_delete(w->db, d.car_id, w->user.id);
	d.deleted = outcome == CAR_OK;
	if (outcome == CAR_GONE && (w->json || !car_was_deleted(w->db, d.car_id)))
		return web_not_found(w);
	if (outcome == CAR_RETIRED_INSTEAD)
		return web_done(
			w, HTTP_OK, &retired_shape, &d, "/fleet/cars/%lld?done=retired_instead", (long long)d.car_id);
	return web_done(w, HTTP_OK, &deleted_shape, &d, "/fleet/cars?done=deleted");
}

/* --- the photo ---------------------------------------------------------------------------------------------------- */

struct photo_page {
	struct car car;
	struct form_problems problems;
	struct field photo;
};
static const struct member photo_page_members[] = {
	SHAPE_STRUCT(photo_page, car, car_shape), SHAPE_STRUCT(photo_page, problems, form_problems_shape),
	SHAPE_STRUCT(photo_page, photo, field_shape),
};
static const struct shape photo_page_shape = SHAPE(photo_page, photo_page_members);
PAGE(photo_page, "fleet/photo", photo_page_shape)

static enum status
show_photo_form(struct web *w, const void *car, enum status status, const char *message)
{
	struct photo_page p = {
		.car = *(const struct car *)car,
		.problems = form_problems(w, message),
		.photo = form_field(w, "photo", ""),
	};

	menu_of(w)->nav_fleet = true;
	return web_page(w, status, &photo_page, &p);
}

enum status
page_photo(struct web *w)
{
	struct car car;

	return requested_car(w, &car) ? show_photo_form(w, &car, HTTP_OK, NULL) : web_not_found(w);
}

static enum status
refuse_photo(struct web *w, const char *problem)
{
	form_error(w, "photo", problem);
	return web_invalid(w);
}

/* POST /fleet/cars/ID/photo */
enum status
do_photo(struct web *w)
{
	struct car car;
	size_t n;
	const char *bytes = web_file(w, "photo", &n);

	if (!requested_car(w, &car))
		return web_not_found(w);
	web_form(w, show_photo_form, &car);
	if (form_bad(w))
		return web_invalid(w);
	if (!bytes)
		return refuse_photo(w, _("Please choose a photo."));
	switch (photo_put(w->db, car.car_id, bytes, n, w->user.id)) {
	case PHOTO_OK: return answer_car(w, car.car_id, "photo");
	case PHOTO_GONE: return web_not_found(w);
	case PHOTO_UNREADABLE:
		return refuse_photo(w, _("This file is not a readable image. Please choose a JPEG, PNG or WebP."));
	case PHOTO_TOO_LARGE: return refuse_photo(w, _("This photo has too many pixels. The limit is 40 megapixels."));
	case PHOTO_LATER:
		return web_later(w, 30,
			_("Photos can't be processed right now. Nothing was changed; please try again shortly."));
	}
	return web_broken(w);
}

enum status
do_photo_remove(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");

	if (form_bad(w))
		return web_invalid(w);
	return photo_remove(w->db, car_id, w->user.id) == PHOTO_GONE ? web_not_found(w)
								     : answer_car(w, car_id, "photo_removed");
}
