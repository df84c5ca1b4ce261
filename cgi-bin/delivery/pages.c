/* pages - one job: its facts, its history, and the steps that are possible now. */
#include "pages.h"
#include "domain/menu.h"
#include "domain/rental.h"
#include "domain/undo.h"

struct delivery_actor
who_acts(const struct web *w)
{
	return (struct delivery_actor){ .user_id = w->user.id, .is_manager = web_is(w, ROLE_MANAGER) };
}

struct option *
courier_options(struct web *w, int *n)
{
	struct courier *couriers;
	struct option *options;

	*n = courier_list(w->db, &couriers);
	options = arena_array(w->m, struct option, *n + 1);
	for (int i = 0; i < *n; i++)
		options[i] = (struct option){ form_id_text(w, couriers[i].courier_id), couriers[i].name, false };
	return options;
}

/* --- GET /deliveries/ID ------------------------------------------------------------------------------------------- */

struct job_page {
	struct delivery job;
	struct form_problems problems;
	struct field courier_id, window_from, reason, odometer_km, fuel_percent, received_by, note, photo;
	struct job_event *events;
	int n_events;
	bool is_collection, can_assign, can_unassign, can_ship, can_deliver, can_cancel, sees_booking;
	bool is_asking, can_bring_in, is_given_up, can_undo;
	int64_t undo_min;                       /* so long cancelling it can be undone; 0: it cannot */
};
static const struct member job_page_members[] = {
	SHAPE_STRUCT(job_page, job, delivery_shape), SHAPE_STRUCT(job_page, problems, form_problems_shape),
	SHAPE_STRUCT(job_page, courier_id, field_shape), SHAPE_STRUCT(job_page, window_from, field_shape),
	SHAPE_STRUCT(job_page, reason, field_shape), SHAPE_STRUCT(job_page, odometer_km, field_shape),
	SHAPE_STRUCT(job_page, fuel_percent, field_shape), SHAPE_STRUCT(job_page, received_by, field_shape),
	SHAPE_STRUCT(job_page, note, field_shape), SHAPE_STRUCT(job_page, photo, field_shape),
	SHAPE_LIST(job_page, events, job_event_shape), SHAPE_BOOL(job_page, is_collection),
	SHAPE_BOOL(job_page, can_assign), SHAPE_BOOL(job_page, can_unassign), SHAPE_BOOL(job_page, can_ship),
	SHAPE_BOOL(job_page, can_deliver), SHAPE_BOOL(job_page, can_cancel), SHAPE_BOOL(job_page, sees_booking),
	SHAPE_BOOL(job_page, is_asking), SHAPE_BOOL(job_page, can_bring_in), SHAPE_BOOL(job_page, is_given_up),
	SHAPE_BOOL(job_page, can_undo), SHAPE_INT(job_page, undo_min),
};
static const struct shape job_page_shape = SHAPE(job_page, job_page_members);
PAGE(job_html, "delivery/job", job_page_shape)

static void
make_job_fields(struct web *w, struct job_page *p)
{
	struct buf from = { .m = w->m };
	int n;
	struct option *couriers = courier_options(w, &n);

	time_input(&from, p->job.window_from);
	p->courier_id = form_field_options(
		w, "courier_id", couriers, n, form_id_text(w, p->job.courier_id), _("Choose a courier"));
	p->window_from = form_field(w, "window_from", from.n ? from.s : "");
	p->reason = form_field(w, "reason", "");
	p->odometer_km = form_field(w, "odometer_km", "");
	p->fuel_percent = form_field(w, "fuel_percent", "");
	p->received_by = form_field(w, "received_by", p->job.customer_name);
	p->note = form_field(w, "note", "");
	p->photo = form_field(w, "photo", "");
}

static void
find_possible_steps(struct job_page *p, const struct delivery_actor *by)
{
	bool is_asking = p->job.asked_step != STEP_NONE;
	bool has_not_left = p->job.state == JOB_REQUESTED || p->job.state == JOB_SCHEDULED;

	p->is_given_up = p->job.cancel_at != 0;
	p->can_undo = by->is_manager && p->is_given_up;
	has_not_left &= !is_asking && !p->is_given_up;
	p->is_asking = is_asking;
	p->is_collection = p->job.direction == JOB_COLLECTION;
	p->can_assign = by->is_manager && has_not_left;
	p->can_unassign = by->is_manager && has_not_left && p->job.state == JOB_SCHEDULED;
	p->can_cancel = by->is_manager && has_not_left;
	p->can_ship = has_not_left && p->job.state == JOB_SCHEDULED;
	p->undo_min = undo_minutes();
	p->can_deliver = !is_asking && p->job.state == JOB_SHIPPED;
	p->can_bring_in =
		!is_asking && p->is_collection && p->job.state == JOB_DELIVERED && p->job.trip_no && !p->job.back_at;
	p->sees_booking = by->is_manager;
}

enum status
show_delivery(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct job_page p = { .problems = form_problems(w, message) };
	struct delivery_actor by = who_acts(w);

	if (!delivery_find(w->db, web_param_id(w, "delivery_id"), &by, &p.job))
		return web_not_found(w);
	find_possible_steps(&p, &by);
	make_job_fields(w, &p);
	p.n_events = job_history(w->db, &p.job, &p.events);
	menu_of(w)->nav_deliveries = true;
	return web_page(w, status, &job_html, &p);
}

enum status
page_delivery(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	struct delivery d;

	if (!w->json)
		return show_delivery(w, NULL, HTTP_OK, NULL);
	return delivery_find(w->db, web_param_id(w, "delivery_id"), &by, &d)
		? web_json(w, HTTP_OK, &delivery_json_shape, &d)
		: web_not_found(w);
}

/* GET /deliveries/ID/photo - for the customer, the courier and the managers alone. */
enum status
page_handover_photo(struct web *w)
{
	struct delivery_actor by = who_acts(w);
	size_t n = 0;
	const char *jpeg = handover_read(w->db, web_param_id(w, "delivery_id"), &by, &n);

	return jpeg ? web_bytes(w, HTTP_OK, "image/jpeg", jpeg, n) : web_not_found(w);
}
