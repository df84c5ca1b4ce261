/*
 * pages_step - the actions that move a job on: assign, leave, hand over, come back, cancel. A browser sees a refusal on
 * the job's page.
 */
#include "booking_client.h"
#include "pages.h"

#include "domain/car_gone.h"
#include "domain/rental_form.h"

#include <string.h>

/* The job of the address, whose page shows what is refused. */
static struct delivery
begin_step(struct web *w)
{
	web_form(w, show_delivery, NULL);
	return (struct delivery){ .delivery_id = web_param_id(w, "delivery_id") };
}

static enum status
refuse_field(struct web *w, const char *name, const char *problem)
{
	form_error(w, name, problem);
	return web_invalid(w);
}

/* back: the dispatcher's board sends its own address and is shown again; "": the job's page. */
static enum status
answer_step(struct web *w, const struct delivery *d, enum delivery_outcome outcome, const char *back)
{
	switch (outcome) {
	case DELIVERY_OK:
		if (strncmp(back, "/deliveries", 11) == 0 && web_safe_path(back))
			return web_done(w, HTTP_OK, &delivery_json_shape, d, "%s", back);
		return web_done(w, HTTP_OK, &delivery_json_shape, d, "/deliveries/%lld", (long long)d->delivery_id);
	case DELIVERY_GONE: return web_not_found(w);
	case DELIVERY_WRONG_STATE:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("This job has changed in the meantime, so this is no longer possible. Please check it"
			  " again."));
	case DELIVERY_NOT_NOW:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("The car can be handed over only from shortly before the booking starts until it ends. At"
			  " other times it may be reserved for another customer."));
	case DELIVERY_CAR_IN_USE:
		return w->json ? car_in_use_json(w, d->in_use)
			       : web_refuse(w, HTTP_CONFLICT, "car_in_use", car_in_use_words(w->m, d->in_use));
	case DELIVERY_OUT_OF_SERVICE:
		return web_refuse(w, HTTP_CONFLICT, CAR_GONE_CODE, car_gone_words(w->m, d->in_use->plate));
	case DELIVERY_LATER:
		return web_later(w, booking_closed_for_s() > 0 ? booking_closed_for_s() : 5,
			_("Bookings are not responding right now, so this could not be recorded. Nothing has"
			  " changed."));
	case DELIVERY_PENDING:
		return web_done(
			w, HTTP_ACCEPTED, &delivery_json_shape, d, "/deliveries/%lld", (long long)d->delivery_id);
	case DELIVERY_GIVEN_UP:
		return web_refuse(w, HTTP_CONFLICT, "given_up",
			arena_printf(w->m,
				_("This job is being cancelled: it is cancelled for good at %s. Until then the"
				  " dispatcher can undo that; nothing else is possible."),
				time_in_words(w->m, d->cancel_at)));
	case DELIVERY_TOO_LATE:
		return web_refuse(
			w, HTTP_CONFLICT, "too_late", _("This job is cancelled, and the time to undo that is over."));
	case DELIVERY_NO_COURIER: return refuse_field(w, "courier_id", _("Please choose a courier."));
	case DELIVERY_BAD_WINDOW:
		return refuse_field(w, "window_from", _("Please choose a time within the booking period."));
	}
	return web_broken(w);
}

/* --- the dispatcher ----------------------------------------------------------------------------------------------- */

/* POST /deliveries/ID/assign {courier_id, window_from?} */
enum status
do_assign(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);
	int64_t courier_id = form_id(w, "courier_id"),
		window_from = form_has(w, "window_from") ? form_rental_time(w, "window_from") : 0;
	const char *back = form_has(w, "back") ? form_text(w, "back", 500) : "";

	return form_bad(w) ? web_invalid(w)
			   : answer_step(w, &d, delivery_assign(w->db, &d, courier_id, window_from, &by), back);
}

enum status
do_unassign(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_unassign(w->db, &d, &by), "");
}

/* POST /deliveries/ID/cancel {reason} */
enum status
do_job_cancel(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);
	const char *reason = form_line(w, "reason", DELIVERY_REASON_MAX);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_cancel(w->db, &d, reason, &by), "");
}

/* POST /deliveries/ID/cancel/undo */
enum status
do_job_undo_cancel(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_undo_cancel(w->db, &d, &by), "");
}

/* --- the courier -------------------------------------------------------------------------------------------------- */

enum status
do_ship(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_ship(w->db, &d, &by), "");
}

/* POST /deliveries/ID/come-back {reason} */
enum status
do_come_back(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);
	const char *reason = form_line(w, "reason", DELIVERY_REASON_MAX);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_come_back(w->db, &d, reason, &by), "");
}

/* POST /deliveries/ID/back {} - with a collected car */
enum status
do_bring_in(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);

	return form_bad(w) ? web_invalid(w) : answer_step(w, &d, delivery_bring_in(w->db, &d, &by), "");
}

/* Keeps the photo that came with the record; *name "": none did. false: *status is the refusal. */
static bool
keep_photo(struct web *w, const char **name, enum status *status)
{
	size_t n;
	const char *bytes = web_file(w, "photo", &n);

	*name = "";
	if (!bytes)
		return true;
	switch (handover_photo(w->db, bytes, n, name)) {
	case PHOTO_OK: return true;
	case PHOTO_UNREADABLE:
	case PHOTO_GONE:
		*status = refuse_field(
			w, "photo", _("This file is not a readable image. Please choose a JPEG, PNG or WebP."));
		return false;
	case PHOTO_TOO_LARGE:
		*status = refuse_field(w, "photo", _("This photo has too many pixels. The limit is 40 megapixels."));
		return false;
	case PHOTO_LATER: break;
	}
	*status = web_later(
		w, 30, _("Photos can't be processed right now. Nothing was changed; please try again shortly."));
	return false;
}

/* POST /deliveries/ID/deliver {odometer_km, fuel_percent, received_by, note?}, as a form also with a photo. */
enum status
do_deliver(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d = begin_step(w);
	struct handover h = {
		.odometer_km = form_int(w, "odometer_km", 0, ODOMETER_MAX_KM),
		.fuel_percent = form_int(w, "fuel_percent", 0, 100),
		.received_by = form_line(w, "received_by", RECEIVED_BY_MAX),
		.photo = "",
		.note = form_has(w, "note") ? form_text(w, "note", DELIVERY_NOTE_MAX) : "",
	};
	enum delivery_outcome outcome;
	enum status refused;

	if (form_bad(w))
		return web_invalid(w);
	if (!delivery_find(w->db, d.delivery_id, &by, &d))
		return web_not_found(w);
	if (d.state == JOB_SHIPPED && !keep_photo(w, &h.photo, &refused))
		return refused;
	outcome = delivery_deliver(w->db, &d, &h, &by);
	if (outcome != DELIVERY_OK && outcome != DELIVERY_PENDING)
		handover_forget(w->db, h.photo);
	return answer_step(w, &d, outcome, "");
}
