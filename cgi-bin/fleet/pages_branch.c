/* pages_branch - the branches: where cars stand. */
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
	SHAPE_LIST(branches_page, branches, branch_json_shape),
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
	if (w->json)
		return web_json(w, HTTP_OK, &branches_json_shape, &p);
	say_done(w);
	return web_page(w, HTTP_OK, &branches_list, &p);
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

struct branch_form {
	struct form_problems problems;
	struct branch branch;           /* as it stands; branch_id 0: a new one */
	const char *version;
	struct field name, name_ko, region, address, phone;
};
static const struct member branch_form_members[] = {
	SHAPE_STRUCT(branch_form, problems, form_problems_shape), SHAPE_STRUCT(branch_form, branch, branch_shape),
	SHAPE_TEXT(branch_form, version), SHAPE_STRUCT(branch_form, name, field_shape), SHAPE_STRUCT(branch_form, name_ko, field_shape),
	SHAPE_STRUCT(branch_form, region, field_shape), SHAPE_STRUCT(branch_form, address, field_shape),
	SHAPE_STRUCT(branch_form, phone, field_shape),
};
static const struct shape branch_form_shape = SHAPE(branch_form, branch_form_members);
PAGE(branch_form_page, "fleet/branch_form", branch_form_shape)
PAGE(branch_close_page, "fleet/branch_close", branch_shape)

static enum status
show_branch(struct web *w, enum status status, const struct branch *branch, const char *version, const char *message)
{
	struct branch_form f = {
		.problems = form_problems(w, message), .branch = *branch, .version = version,
		.name = form_field(w, "name", branch->name), .name_ko = form_field(w, "name_ko", branch->name_ko),
		.region = form_field(w, "region", branch->region), .address = form_field(w, "address", branch->address),
		.phone = form_field(w, "phone", branch->phone),
	};

	say_done(w);
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
		.name = form_line(w, "name", NAME_MAX_), .name_ko = optional(w, "name_ko", NAME_MAX_),
		.region = optional(w, "region", 40), .address = optional(w, "address", 200), .phone = optional(w, "phone", 30),
	};
}

static enum status
name_taken(struct web *w, const struct branch *branch, const char *version)
{
	form_error(w, "name", _("A branch with this name already exists."));
	if (w->json)
		return web_refuse(w, HTTP_CONFLICT, "name_taken", _("A branch with this name already exists."));
	return show_branch(w, HTTP_CONFLICT, branch, version, marked_fields());
}

static const struct branch nothing = { .name = "", .name_ko = "", .region = "", .address = "", .phone = "", .is_open = true };

enum status
page_branch_new(struct web *w)
{
	return show_branch(w, HTTP_OK, &nothing, NULL, NULL);
}

enum status
do_branch_add(struct web *w)
{
	struct branch branch = read_branch(w);

	if (form_bad(w))
		return w->json ? refuse_fields(w) : show_branch(w, HTTP_UNPROCESSABLE, &nothing, NULL, marked_fields());
	switch (branch_add(w->db, &branch)) {
	case BRANCH_OK:
		break;
	case BRANCH_NAME_TAKEN:
		if (w->json || !branch_is_there(w->db, &branch))
			return name_taken(w, &nothing, NULL);
		break;
	case BRANCH_GONE:
	case BRANCH_CHANGED:
		return web_broken(w);
	}
	if (!w->json)
		return web_redirect(w, "/fleet/branches?done=branch_added");
	web_set_header(w, "Location", arena_printf(w->m, "/fleet/branches/%lld", (long long)branch.branch_id));
	return web_json(w, HTTP_CREATED, &branch_json_shape, &branch);
}

enum status
page_branch(struct web *w)
{
	struct branch branch;

	if (!branch_find(w->db, web_param_id(w, "branch_id"), &branch))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &branch_json_shape, &branch) : show_branch(w, HTTP_OK, &branch, branch.version, NULL);
}

static enum status
changed_meanwhile(struct web *w, const struct branch *now)
{
	const char *message = _("Another user has changed this branch in the meantime. Please check it; saving now overwrites their change.");

	return w->json ? web_refuse(w, HTTP_CONFLICT, "changed", message) : show_branch(w, HTTP_CONFLICT, now, now->version, message);
}

/* POST and PUT /fleet/branches/ID */
enum status
do_branch_change(struct web *w)
{
	struct branch now, branch = read_branch(w);
	const char *version = form_has(w, "version") ? form_raw(w, "version") : NULL;

	if (!branch_find(w->db, web_param_id(w, "branch_id"), &now))
		return web_not_found(w);
	if (form_bad(w))
		return w->json ? refuse_fields(w) : show_branch(w, HTTP_UNPROCESSABLE, &now, version, marked_fields());
	branch.branch_id = now.branch_id;
	branch.version = version;
	switch (branch_change(w->db, &branch, w->user.id)) {
	case BRANCH_OK:
		break;
	case BRANCH_GONE:
		return web_not_found(w);
	case BRANCH_NAME_TAKEN:
		return name_taken(w, &now, version);
	case BRANCH_CHANGED:
		return changed_meanwhile(w, &now);
	}
	return w->json ? web_json(w, HTTP_OK, &branch_json_shape, &branch) : web_redirect(w, "/fleet/branches?done=branch_saved");
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
set_open(struct web *w, bool is_open)
{
	int64_t branch_id = web_param_id(w, "branch_id");
	struct branch branch;

	if (form_bad(w))
		return refuse_fields(w);
	if (branch_set_open(w->db, branch_id, is_open) == BRANCH_GONE || !branch_find(w->db, branch_id, &branch))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, &branch_json_shape, &branch);
	return web_redirect(w, "/fleet/branches?done=%s", is_open ? "branch_open" : "branch_closed");
}

enum status
do_branch_close(struct web *w)
{
	return set_open(w, false);
}

enum status
do_branch_open(struct web *w)
{
	return set_open(w, true);
}
