/* pages_photo - the photo of a car: the form, the upload, removing it. */
#include "pages.h"

#include "domain/menu.h"

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
