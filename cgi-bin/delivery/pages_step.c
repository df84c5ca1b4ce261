/* pages_step - what moves a job on: given to a courier, on the way, handed over, brought back, given up. Every refusal is told on the job's page. */
#include "pages.h"

#include <string.h>

static const char *
marked_fields(void)
{
	return _("Please look at the marked fields.");
}

/* The board sends its own address along: who has assigned one job goes on with the next. */
static enum status
go_on(struct web *w, const struct delivery *d, const char *back)
{
	if (w->json)
		return web_json(w, HTTP_OK, &delivery_json_shape, d);
	if (strncmp(back, "/deliveries", 11) == 0 && web_safe_path(back))
		return web_redirect(w, "%s", back);
	return web_redirect(w, "/deliveries/%lld", (long long)d->delivery_id);
}

static enum status
refuse(struct web *w, int64_t delivery_id, enum status status, const char *code, const char *message)
{
	return w->json ? web_refuse(w, status, code, message) : show_delivery(w, delivery_id, status, message);
}

static enum status
refuse_field(struct web *w, int64_t delivery_id, const char *name, const char *problem)
{
	if (name)
		form_error(w, name, problem);
	return refuse(w, delivery_id, HTTP_UNPROCESSABLE, "invalid", marked_fields());
}

static enum status
answer(struct web *w, const struct delivery *d, enum delivery_outcome outcome, const char *back)
{
	switch (outcome) {
	case DELIVERY_OK:   return go_on(w, d, back);
	case DELIVERY_GONE: return web_not_found(w);
	case DELIVERY_WRONG_STATE:
		return refuse(w, d->delivery_id, HTTP_CONFLICT, "wrong_state", _("This job has changed in the meantime, so this is no longer possible. Please check it again."));
	case DELIVERY_NOT_NOW:
		return refuse(w, d->delivery_id, HTTP_CONFLICT, "wrong_state",
			_("The car can be handed over only from shortly before the booking starts until it ends. At other times it may be reserved for another customer."));
	case DELIVERY_NO_COURIER:
		return refuse_field(w, d->delivery_id, "courier_id", _("Please choose a courier."));
	case DELIVERY_BAD_WINDOW:
		return refuse_field(w, d->delivery_id, "window_from", _("Please choose a time within the booking period."));
	}
	return web_broken(w);
}

/* --- the dispatcher ---------------------------------------------------------------------------------------------------- */

/* POST /deliveries/ID/assign {courier_id, window_from?} */
enum status
do_assign(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };
	int64_t courier_id = form_id(w, "courier_id"), window_from = form_has(w, "window_from") ? form_time(w, "window_from") : 0;
	const char *back = form_has(w, "back") ? form_text(w, "back", 500) : "";

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	return answer(w, &d, delivery_assign(w->db, &d, courier_id, window_from, &by), back);
}

enum status
do_unassign(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	return answer(w, &d, delivery_unassign(w->db, &d, &by), "");
}

/* POST /deliveries/ID/cancel {reason} */
enum status
do_cancel(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };
	const char *reason = form_line(w, "reason", DELIVERY_REASON_MAX);

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	return answer(w, &d, delivery_cancel(w->db, &d, reason, &by), "");
}

/* --- the courier --------------------------------------------------------------------------------------------------------- */

enum status
do_ship(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	return answer(w, &d, delivery_ship(w->db, &d, &by), "");
}

/* POST /deliveries/ID/come-back {reason} */
enum status
do_come_back(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };
	const char *reason = form_line(w, "reason", DELIVERY_REASON_MAX);

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	return answer(w, &d, delivery_come_back(w->db, &d, reason, &by), "");
}

/* The photo that came with the record, on disk. false: *status has said why not. */
static bool
take_photo(struct web *w, int64_t delivery_id, const char **name, enum status *status)
{
	size_t n;
	const char *bytes = web_file(w, "photo", &n);

	*name = "";
	if (!bytes)
		return true;
	switch (handover_photo(w->db, bytes, n, name)) {
	case PHOTO_OK:
		return true;
	case PHOTO_UNREADABLE:
	case PHOTO_GONE:
		*status = refuse_field(w, delivery_id, "photo", _("This file is not a readable image. Please choose a JPEG, PNG or WebP."));
		return false;
	case PHOTO_TOO_LARGE:
		*status = refuse_field(w, delivery_id, "photo", _("This photo has too many pixels. The limit is 40 megapixels."));
		return false;
	case PHOTO_LATER:
		break;
	}
	*status = web_later(w, 30, _("Photos can't be processed right now. Nothing was changed; please try again shortly."));
	return false;
}

/* POST /deliveries/ID/deliver {odometer_km, fuel_percent, received_by, note?}, as a form also with a photo. */
enum status
do_deliver(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = { .delivery_id = web_param_id(w, "delivery_id") };
	struct handover h = {
		.odometer_km = form_int(w, "odometer_km", 0, ODOMETER_MAX_KM), .fuel_percent = form_int(w, "fuel_percent", 0, 100),
		.received_by = form_line(w, "received_by", RECEIVED_BY_MAX),
		.note = form_has(w, "note") ? form_text(w, "note", DELIVERY_NOTE_MAX) : "",
	};
	enum delivery_outcome outcome;
	enum status status;

	if (form_bad(w))
		return refuse_field(w, d.delivery_id, NULL, NULL);
	if (!delivery_find(w->db, d.delivery_id, &by, &d))
		return web_not_found(w);
	if (d.state == JOB_SHIPPED && !take_photo(w, d.delivery_id, &h.photo, &status))
		return status;
	if (!h.photo)
		h.photo = "";
	outcome = delivery_deliver(w->db, &d, &h, &by);
	if (outcome != DELIVERY_OK)
		handover_forget(w->db, h.photo);
	return answer(w, &d, outcome, "");
}
