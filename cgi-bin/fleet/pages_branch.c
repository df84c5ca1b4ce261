/* pages_branch - the branches: the list, adding, changing, closing and reopening. */
#include "pages.h"
#include "domain/menu.h"

/* --- the list ----------------------------------------------------------------------------------------------------- */

struct branches_page {
	struct branch *branches;
	int n_branches;
	struct paging paging;
	int64_t n_total, page, n_pages;
};
static const struct member branches_page_members[] = {
	SHAPE_LIST(branches_page, branches, branch_shape), SHAPE_STRUCT(branches_page, paging, paging_shape),
	SHAPE_INT(branches_page, n_total),
};
static const struct shape branches_page_shape = SHAPE(branches_page, branches_page_members);
PAGE(branches_list, "fleet/branches", branches_page_shape)

static const struct member branches_json_members[] = {
	SHAPE_INT(branches_page, n_total), SHAPE_INT(branches_page, page), SHAPE_INT(branches_page, n_pages),
	SHAPE_LIST(branches_page, branches, branch_shape),
};
static const struct shape branches_json_shape = SHAPE(branches_page, branches_json_members);

enum status
page_branches(struct web *w)
{
	struct branches_page p = { .n_total = branch_count(w->db) };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	branch_list(w->db, p.paging.offset, PER_PAGE, &p.branches, &p.n_branches);
	show_frame(w);
	return web_answer(w, HTTP_OK, &branches_json_shape, &branches_list, &p);
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

struct branch_form {
	struct form_problems problems;
	struct branch branch;           /* as it is now; branch_id 0: a new one */
	const char *version;
	struct field name, name_ko, region, address, address_ko, phone;
};
static const struct member branch_form_members[] = {
	SHAPE_STRUCT(branch_form, problems, form_problems_shape), SHAPE_STRUCT(branch_form, branch, branch_shape),
	SHAPE_TEXT(branch_form, version), SHAPE_STRUCT(branch_form, name, field_shape),
	SHAPE_STRUCT(branch_form, name_ko, field_shape), SHAPE_STRUCT(branch_form, region, field_shape),
	SHAPE_STRUCT(branch_form, address, field_shape), SHAPE_STRUCT(branch_form, address_ko, field_shape),
	SHAPE_STRUCT(branch_form, phone, field_shape),
};
static const struct shape branch_form_shape = SHAPE(branch_form, branch_form_members);
PAGE(branch_form_page, "fleet/branch_form", branch_form_shape)
PAGE(branch_close_page, "fleet/branch_close", branch_shape)

/* What a branch's form starts with; typed values go before it. */
struct branch_draft {
	struct branch branch;
	const char *version;            /* the form's: what it is based on */
};

static enum status
show_branch(struct web *w, const void *form, enum status status, const char *message)
{
	const struct branch_draft *d = form;
	struct branch_form f = {
		.problems = form_problems(w, message),
		.branch = d->branch,
		.version = d->version,
		.name = form_field(w, "name", d->branch.name),
		.name_ko = form_field(w, "name_ko", d->branch.name_ko),
		.region = form_field(w, "region", d->branch.region),
		.address = form_field(w, "address", d->branch.address),
		.address_ko = form_field(w, "address_ko", d->branch.address_ko),
		.phone = form_field(w, "phone", d->branch.phone),
	};

	show_frame(w);
	return web_page(w, status, &branch_form_page, &f);
}

static const char *
optional(struct web *w, const char *name, int max_chars)
{
	return form_has(w, name) ? form_line(w, name, max_chars) : "";
}

static struct branch
read_branch(struct web *w)
{
	return (struct branch){
		.name = form_line(w, "name", FLEET_NAME_MAX),
		.name_ko = optional(w, "name_ko", FLEET_NAME_MAX),
		.region = optional(w, "region", 40),
		.address = optional(w, "address", 200),
		.address_ko = read_korean(w, "address_ko", 200),
		.phone = optional(w, "phone", 30),
	};
}

static enum status
branch_name_taken(struct web *w)
{
	return form_refuse(w, HTTP_CONFLICT, "name_taken", "name", _("A branch with this name already exists."));
}

static const struct branch_draft new_branch = {
	.branch = { .name = "", .name_ko = "", .region = "", .address = "", .address_ko = "", .phone = "",
		.is_open = true },
};

enum status
page_branch_new(struct web *w)
{
	return show_branch(w, &new_branch, HTTP_OK, NULL);
}

enum status
do_branch_add(struct web *w)
{
	struct branch branch = read_branch(w);

	web_form(w, show_branch, &new_branch);
	if (form_bad(w))
		return web_invalid(w);
	switch (branch_add(w->db, &branch)) {
	case BRANCH_OK:
		web_set_header(w, "Location", arena_printf(w->m, "/fleet/branches/%lld", (long long)branch.branch_id));
		return web_done(w, HTTP_CREATED, &branch_shape, &branch, "/fleet/branches?done=branch_added");
	case BRANCH_NAME_TAKEN:
		if (!w->json && branch_is_there(w->db, &branch))
			return web_redirect(w, "/fleet/branches?done=branch_added");
		return branch_name_taken(w);
	case BRANCH_GONE:
	case BRANCH_CHANGED: break;
	}
	return web_broken(w);
}

enum status
page_branch(struct web *w)
{
	struct branch_draft now;

	if (!branch_find(w->db, web_param_id(w, "branch_id"), &now.branch))
		return web_not_found(w);
	now.version = now.branch.version;
	return w->json ? web_json(w, HTTP_OK, &branch_shape, &now.branch) : show_branch(w, &now, HTTP_OK, NULL);
}

/* POST and PUT /fleet/branches/ID */
enum status
do_branch_change(struct web *w)
{
	struct branch branch = read_branch(w);
	struct branch_draft now = { .version = form_has(w, "version") ? form_raw(w, "version") : NULL };

	if (!branch_find(w->db, web_param_id(w, "branch_id"), &now.branch))
		return web_not_found(w);
	web_form(w, show_branch, &now);
	if (form_bad(w))
		return web_invalid(w);
	branch.branch_id = now.branch.branch_id;
	branch.version = now.version;
	switch (branch_change(w->db, &branch, w->user.id)) {
	case BRANCH_OK: return web_done(w, HTTP_OK, &branch_shape, &branch, "/fleet/branches?done=branch_saved");
	case BRANCH_GONE: return web_not_found(w);
	case BRANCH_NAME_TAKEN: return branch_name_taken(w);
	case BRANCH_CHANGED: /* the form again, based on the branch as it is now */
		now.version = now.branch.version;
		return web_refuse(w, HTTP_CONFLICT, "changed",
			_("Another user has changed this branch in the meantime. Please check it; saving now overwrites"
			  " their change."));
	}
	return web_broken(w);
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

enum status
page_branch_close(struct web *w)
{
	struct branch branch;

	if (!branch_find(w->db, web_param_id(w, "branch_id"), &branch))
		return web_not_found(w);
	menu_of(w)->nav_fleet = true;
	return web_page(w, HTTP_OK, &branch_close_page, &branch);
}

static enum status
set_branch_open(struct web *w, bool is_open)
{
	int64_t branch_id = web_param_id(w, "branch_id");
	struct branch branch;

	if (form_bad(w))
		return web_invalid(w);
	if (branch_set_open(w->db, branch_id, is_open) == BRANCH_GONE || !branch_find(w->db, branch_id, &branch))
		return web_not_found(w);
	return web_done(w, HTTP_OK, &branch_shape, &branch, "/fleet/branches?done=%s",
		is_open ? "branch_open" : "branch_closed");
}

enum status
do_branch_close(struct web *w)
{
	return set_branch_open(w, false);
}

enum status
do_branch_open(struct web *w)
{
	return set_branch_open(w, true);
}
