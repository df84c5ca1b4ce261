/* branch - 지점: where cars are kept and picked up. The overview is in fleet.h. */
#include "fleet.h"

#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"

#include <string.h>

#define BRANCH_COLUMNS \
	"branch_id, name, name_ko, region, address, address_ko, phone, is_open," \
	" (SELECT COUNT(*) FROM car c WHERE c.branch_id = b.branch_id AND c.service <> 'RETIRED') AS n_cars"

/* The first N_CHANGED are what a person changes: the version is a hash of them. */
static const struct member branch_members[] = {
	SHAPE_INT(branch, branch_id), SHAPE_TEXT_KO(branch, name), SHAPE_TEXT(branch, region),
	SHAPE_TEXT_KO(branch, address), SHAPE_TEXT(branch, phone),
	SHAPE_BOOL(branch, is_open), SHAPE_INT(branch, n_cars), SHAPE_TEXT(branch, version),
};
#define N_CHANGED 7
const struct shape branch_shape = SHAPE(branch, branch_members);
static const struct shape changed_shape = { .name = "branch", .size = sizeof(struct branch), .member = branch_members,
	.n = N_CHANGED };

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const char *
branch_version(struct arena *m, const struct branch *branch)
{
	struct buf b = { .m = m };

	json_put(&b, &changed_shape, branch);
	return arena_strndup(m, secret_hash(m, b.s), 16);
}

bool
branch_find(struct db *db, int64_t branch_id, struct branch *branch)
{
	*branch = (struct branch){ .branch_id = 0 };
	if (!db_one(db, &branch_shape, branch, "SELECT " BRANCH_COLUMNS " FROM branch b WHERE branch_id = $1",
		    branch_id))
		return false;
	branch->version = branch_version(db_memory(db), branch);
	return true;
}

int64_t
branch_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*) FROM branch /*scan*/");
}

static int
set_branch_versions(struct db *db, struct branch *branches, int n)
{
	for (int i = 0; i < n; i++)
		branches[i].version = branch_version(db_memory(db), &branches[i]);
	return n;
}

int
branch_list(struct db *db, int64_t offset, int64_t limit, struct branch **branches, int *n_branches)
{
	db_list(db, &branch_shape, branches, n_branches,
		"SELECT " BRANCH_COLUMNS
		" FROM branch b ORDER BY is_open DESC, region, name LIMIT $1 OFFSET $2 /*scan*/ /*sort*/",
		limit, offset);
	return set_branch_versions(db, *branches, *n_branches);
}

int
branch_list_open(struct db *db, int64_t and_branch_id, struct branch **branches, int *n_branches)
{
	db_list(db, &branch_shape, branches, n_branches,
		"SELECT " BRANCH_COLUMNS
		" FROM branch b WHERE is_open = 1 OR branch_id = $1 ORDER BY region, name LIMIT 500 /*scan*/ /*sort*/",
		and_branch_id);
	return set_branch_versions(db, *branches, *n_branches);
}

int64_t
branch_default(struct db *db)
{
	int64_t branch_id =
		db_int(db, "SELECT branch_id FROM branch WHERE is_open = 1 ORDER BY branch_id LIMIT 1 /*scan*/");

	if (branch_id || db_exists(db, "SELECT 1 FROM branch /*scan*/"))
		return branch_id;
	return db_int(db, "INSERT INTO branch (name, name_ko) VALUES ('Main branch', $1) RETURNING branch_id",
		lang_text(LANG_KO, N_("Main branch")));
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool
branch_name_is_free(struct db *db, const struct branch *branch)
{
	return !db_exists(
		db, "SELECT 1 FROM branch WHERE name = $1 AND branch_id <> $2", branch->name, branch->branch_id);
}

bool
branch_is_there(struct db *db, const struct branch *branch)
{
	return db_exists(db,
		"SELECT 1 FROM branch WHERE name = $1 AND name_ko = $2 AND region = $3 AND address = $4 AND phone = $5"
		" AND address_ko = COALESCE($6, address_ko)",
		branch->name, text_or_empty(branch->name_ko), text_or_empty(branch->region),
		text_or_empty(branch->address), text_or_empty(branch->phone), branch->address_ko);
}

static enum branch_outcome
branch_insert(struct db *db, struct branch *branch)
{
	int64_t branch_id;

	if (!branch_name_is_free(db, branch))
		return BRANCH_NAME_TAKEN;
	branch_id = db_int(db,
		"INSERT INTO branch (name, name_ko, region, address, phone, address_ko) VALUES ($1, $2, $3, $4, $5, $6)"
		" RETURNING branch_id",
		branch->name, text_or_empty(branch->name_ko), text_or_empty(branch->region),
		text_or_empty(branch->address), text_or_empty(branch->phone), text_or_empty(branch->address_ko));
	branch_find(db, branch_id, branch);
	return BRANCH_OK;
}

enum branch_outcome
branch_add(struct db *db, struct branch *branch)
{
	enum branch_outcome outcome;

	branch->branch_id = 0;
	db_begin(db);
	outcome = branch_insert(db, branch);
	db_commit(db);
	return outcome;
}

/* A branch's name and address are shown with each of its cars. */
static void
touch_cars(struct db *db, const struct branch *branch, int64_t actor_id)
{
	int64_t n = 0, n_all = db_int(db, "SELECT COUNT(*) FROM car WHERE branch_id = $1", branch->branch_id);
	int64_t *ids = arena_array(db_memory(db), int64_t, n_all + 1);

	for (struct rows *r = db_each(db, "SELECT car_id FROM car WHERE branch_id = $1", branch->branch_id);
		db_next(r);)
		ids[n++] = row_int(r, 0);
	for (int64_t i = 0; i < n; i++)
		car_touched(db, ids[i], actor_id);
}

static enum branch_outcome
branch_rewrite(struct db *db, struct branch *branch, int64_t actor_id)
{
	struct branch was;
	const char *wanted;

	if (!branch_find(db, branch->branch_id, &was))
		return BRANCH_GONE;
	if (!branch->address_ko)
		branch->address_ko = was.address_ko;
	wanted = branch_version(db_memory(db), branch);
	if (strcmp(wanted, was.version) == 0) {
		*branch = was;
		return BRANCH_OK;
	}
	if (branch->version && strcmp(branch->version, was.version) != 0)
		return BRANCH_CHANGED;
	if (!branch_name_is_free(db, branch))
		return BRANCH_NAME_TAKEN;
	db_do(db,
		"UPDATE branch SET name = $2, name_ko = $3, region = $4, address = $5, phone = $6, address_ko = $7"
		" WHERE branch_id = $1",
		branch->branch_id, branch->name, branch->name_ko, branch->region, branch->address, branch->phone,
		branch->address_ko);
	touch_cars(db, branch, actor_id);
	branch_find(db, branch->branch_id, branch);
	return BRANCH_OK;
}

enum branch_outcome
branch_change(struct db *db, struct branch *branch, int64_t actor_id)
{
	enum branch_outcome outcome;

	branch->name_ko = text_or_empty(branch->name_ko);
	branch->region = text_or_empty(branch->region);
	branch->address = text_or_empty(branch->address);
	branch->phone = text_or_empty(branch->phone);
	db_begin(db);
	outcome = branch_rewrite(db, branch, actor_id);
	db_commit(db);
	return outcome;
}

enum branch_outcome
branch_set_open(struct db *db, int64_t branch_id, bool is_open)
{
	enum branch_outcome outcome;

	db_begin(db);
	outcome = db_do(db, "UPDATE branch SET is_open = $2 WHERE branch_id = $1", branch_id, is_open) == 1
		? BRANCH_OK
		: BRANCH_GONE;
	db_commit(db);
	return outcome;
}
