/* pages_end - a car leaves: out of service for a while, retired for good, deleted when it was never booked; and its photo. */
#include "pages.h"
#include "domain/menu.h"

#include <string.h>

/* --- questions before something for good -------------------------------------------------------------------------- */

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
ask_before(struct web *w, struct page *page)
{
	struct end_page p = { .n_coming = 0 };

	if (!the_car(w, &p.car))
		return web_not_found(w);
	p.n_coming = car_n_coming(w->db, p.car.car_id);
	p.was_booked = car_was_booked(w->db, p.car.car_id);
	menu_of(w)->nav_fleet = true;
	return web_page(w, HTTP_OK, page, &p);
}

enum status
page_car_retire(struct web *w)
{
	return ask_before(w, &retire_page);
}

enum status
page_car_delete(struct web *w)
{
	return ask_before(w, &delete_page);
}

/* --- and the answers ---------------------------------------------------------------------------------------------- */

static enum status
answer_car(struct web *w, int64_t car_id, const char *done)
{
	struct car car;

	if (!w->json)
		return web_redirect(w, "/fleet/cars/%lld?done=%s", (long long)car_id, done);
	return car_find(w->db, car_id, &car) ? web_json(w, HTTP_OK, &car_json_shape, &car) : web_not_found(w);
}

enum status
do_car_retire(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");

	if (form_bad(w))
		return refuse_fields(w);
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
		return refuse_fields(w);
	switch (car_set_service(w->db, car_id, (enum service)service, w->user.id)) {
	case CAR_OK:
		return answer_car(w, car_id, service == SERVICE_OUT_OF_SERVICE ? "out" : "back");
	case CAR_IS_RETIRED:
		return web_refuse(w, HTTP_CONFLICT, "retired", _("This car is retired and can no longer be changed."));
	case CAR_CHANGED:
	case CAR_GONE:
	case CAR_NO_BRANCH:
	case CAR_NO_MODEL:
	case CAR_PLATE_TAKEN:
	case CAR_RETIRED_INSTEAD:
		break;
	}
	return web_not_found(w);
}

struct deleted { int64_t car_id; int status; bool deleted; };
static const struct member deleted_members[] = {
	SHAPE_INT(deleted, car_id), SHAPE_STATE(deleted, status, car_status_words), SHAPE_BOOL(deleted, deleted),
};
static const struct shape retired_shape = SHAPE(deleted, deleted_members);
static const struct member gone_members[] = { SHAPE_INT(deleted, car_id), SHAPE_BOOL(deleted, deleted) };
static const struct shape deleted_shape = SHAPE(deleted, gone_members);

/* DELETE /fleet/cars/ID, POST /fleet/cars/ID/delete. The second of two clicks finds the car gone and is as happy. */
enum status
do_car_delete(struct web *w)
{
	struct deleted d = { .car_id = web_param_id(w, "car_id"), .status = CAR_RETIRED };
	enum car_outcome outcome;

	if (form_bad(w))
		return refuse_fields(w);
	outcome = car_delete(w->db, d.car_id, w->user.id);
	d.deleted = outcome == CAR_OK;
	if (outcome == CAR_GONE && (w->json || !car_was_deleted(w->db, d.car_id)))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, d.deleted ? &deleted_shape : &retired_shape, &d);
	if (outcome == CAR_RETIRED_INSTEAD)
		return web_redirect(w, "/fleet/cars/%lld?done=retired_instead", (long long)d.car_id);
	return web_redirect(w, "/fleet/cars?done=deleted");
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
show_photo(struct web *w, enum status status, const char *message)
{
	struct photo_page p = { .problems = form_problems(w, message), .photo = form_field(w, "photo", "") };

	if (!the_car(w, &p.car))
		return web_not_found(w);
	if (w->json && status != HTTP_OK)
		return web_refuse(w, status, "invalid", message);
	menu_of(w)->nav_fleet = true;
	return web_page(w, status, &photo_page, &p);
}

enum status
page_photo(struct web *w)
{
	return show_photo(w, HTTP_OK, NULL);
}

static enum status
bad_photo(struct web *w, const char *problem)
{
	form_error(w, "photo", problem);
	return show_photo(w, HTTP_UNPROCESSABLE, marked_fields());
}

/* POST /fleet/cars/ID/photo */
enum status
do_photo(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");
	size_t n;
	const char *bytes = web_file(w, "photo", &n);

	if (form_bad(w))
		return show_photo(w, HTTP_UNPROCESSABLE, marked_fields());
	if (!bytes)
		return bad_photo(w, _("Please choose a photo."));
	switch (photo_put(w->db, car_id, bytes, n, w->user.id)) {
	case PHOTO_OK:         return answer_car(w, car_id, "photo");
	case PHOTO_GONE:       return web_not_found(w);
	case PHOTO_UNREADABLE: return bad_photo(w, _("This file is not a readable image. Please choose a JPEG, PNG or WebP."));
	case PHOTO_TOO_LARGE:  return bad_photo(w, _("This photo has too many pixels. The limit is 40 megapixels."));
	case PHOTO_LATER:      return web_later(w, 30, _("Photos can't be processed right now. Nothing was changed; please try again shortly."));
	}
	return web_broken(w);
}

enum status
do_photo_remove(struct web *w)
{
	int64_t car_id = web_param_id(w, "car_id");

	if (form_bad(w))
		return refuse_fields(w);
	if (photo_remove(w->db, car_id, w->user.id) == PHOTO_GONE)
		return web_not_found(w);
	return answer_car(w, car_id, "photo_removed");
}
