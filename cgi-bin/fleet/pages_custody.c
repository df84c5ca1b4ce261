/* pages_custody - who had a car at a minute, and who had it when. */
#include "pages.h"

#include "lib/base/clock.h"

struct custody_page {
	struct car car;
	struct form_problems problems;
	struct field at_field;
	int64_t at, page, n_pages, n_total;
	struct car_holder *holder;      /* who had it then; NULL: it was at the branch */
	struct car_holder *custodies;
	int n_custodies;
	struct paging paging;
};
static const struct member custody_page_members[] = {
	SHAPE_STRUCT(custody_page, car, car_shape), SHAPE_STRUCT(custody_page, problems, form_problems_shape),
	SHAPE_STRUCT(custody_page, at_field, field_shape), SHAPE_TIME(custody_page, at),
	SHAPE_MAYBE(custody_page, holder, car_holder_shape),
	SHAPE_LIST(custody_page, custodies, car_holder_shape), SHAPE_STRUCT(custody_page, paging, paging_shape),
};
static const struct shape custody_page_shape = SHAPE(custody_page, custody_page_members);
PAGE(custody_html, "fleet/custody", custody_page_shape)

struct custody_answer {
	int64_t car_id, at, page, n_pages, n_total;
	const char *plate;
	struct car_holder *holder, *custodies;
	int n_custodies;
};
static const struct member custody_answer_members[] = {
	SHAPE_INT(custody_answer, car_id), SHAPE_TEXT(custody_answer, plate), SHAPE_TIME(custody_answer, at),
	SHAPE_MAYBE(custody_answer, holder, car_holder_shape), SHAPE_INT(custody_answer, n_total),
	SHAPE_INT(custody_answer, page), SHAPE_INT(custody_answer, n_pages),
	SHAPE_LIST(custody_answer, custodies, car_holder_shape),
};
static const struct shape custody_answer_shape = SHAPE(custody_answer, custody_answer_members);

static enum status
answer_json(struct web *w, const struct custody_page *p)
{
	struct custody_answer answer = {
		.car_id = p->car.car_id,
		.plate = p->car.plate,
		.at = p->at,
		.page = p->paging.page,
		.n_pages = p->paging.n_pages,
		.n_total = p->paging.n_total,
		.holder = p->holder,
		.custodies = p->custodies,
		.n_custodies = p->n_custodies,
	};

	return web_json(w, HTTP_OK, &custody_answer_shape, &answer);
}

static enum status
show_custody(struct web *w, const void *form, enum status status, const char *message)
{
	struct custody_page p = *(const struct custody_page *)form;

	p.problems = form_problems(w, message);
	p.at_field = form_field_time(w, "at", p.at);
	show_frame(w);
	return web_page(w, status, &custody_html, &p);
}

/* GET /fleet/cars/ID/custody?at= - who had it in that minute; now, if it is not said. */
enum status
page_car_custody(struct web *w)
{
	struct custody_page p = { .at = w->now };
	struct car_holder holder;

	if (!requested_car(w, &p.car))
		return web_not_found(w);
	web_form(w, show_custody, &p);
	p.paging = web_paging(w, car_n_holders(w->db, p.car.car_id), PER_PAGE);
	p.n_custodies = car_holders(w->db, p.car.car_id, p.paging.offset, PER_PAGE, &p.custodies);
	if (form_has(w, "at"))
		p.at = form_time(w, "at");
	if (form_bad(w)) {
		p.at = 0;
		return web_invalid(w);
	}
	if (car_holder_at(w->db, p.car.car_id, p.at, &holder))
		p.holder = &holder;
	return w->json ? answer_json(w, &p) : show_custody(w, &p, HTTP_OK, NULL);
}
