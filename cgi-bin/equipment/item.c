/* item - what is lent beside cars: a kind of thing, of which there are pieces. */
#include "equipment_inside.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"

#include <string.h>

#define LIVE "o.state IN ('ORDERED', 'APPROVED', 'HANDED_OUT')"
#define ITEM_COLUMNS \
	"i.item_id, i.name, i.name_ko, i.category, i.daily_price, i.low_stock, i.is_low, i.is_offered, i.created_at," \
	" i.updated_at," \
	" COALESCE((SELECT s.balance FROM stock_entry s WHERE s.item_id = i.item_id ORDER BY s.entry_id DESC" \
	" LIMIT 1), 0) AS stock," \
	" (SELECT COALESCE(SUM(o.taken), 0) FROM equipment_order o WHERE o.item_id = i.item_id" \
	" AND " LIVE ") AS owned," \
	" (SELECT COALESCE(SUM(o.taken), 0) FROM equipment_order o WHERE o.item_id = i.item_id" \
	" AND " LIVE " AND o.state = 'HANDED_OUT') AS n_out"

/* The first N_CHANGED are what a person changes, and the version is their hash; the first N_JSON are in the JSON. */
static const struct member item_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_TEXT(item, category),
	SHAPE_AMOUNT(item, daily_price), SHAPE_INT(item, low_stock), SHAPE_BOOL(item, is_offered),
	SHAPE_BOOL(item, is_sync), SHAPE_BOOL(item, is_low), SHAPE_INT(item, stock), SHAPE_INT(item, owned),
	SHAPE_INT(item, n_out), SHAPE_INT(item, free_now), SHAPE_INT(item, free_today), SHAPE_TIME(item, created_at),
	SHAPE_TIME(item, updated_at), SHAPE_TEXT(item, version), SHAPE_TEXT(item, label),
	SHAPE_TEXT(item, category_label),
};
#define N_CHANGED 6
#define N_JSON    17
const struct shape item_shape = SHAPE(item, item_members);
const struct shape item_json_shape = { .name = "item", .size = sizeof(struct item), .member = item_members,
	.n = N_JSON };
static const struct shape changed_shape = { .name = "item", .size = sizeof(struct item), .member = item_members,
	.n = N_CHANGED };

static const char *
item_version(struct arena *m, const struct item *item)
{
	struct buf b = { .m = m };

	json_put(&b, &changed_shape, item);
	return arena_strndup(m, secret_hash(m, b.s), 16);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* What is not in its row: words, and the free pieces, which follow from its orders. */
static void
complete_item(struct db *db, struct item *item)
{
	const struct choice *category = choice_find(rental.equipment_categories, item->category);
	int64_t now = clock_now();

	item->owned += item->stock;
	item->free_now = stock_free(db, item->item_id, now, now + 1, now);
	item->free_today = stock_free(db, item->item_id, now, day_add(day_start(now), 1), now);
	item->is_sync = category_is_sync(item->category);
	item->label = lang_pick(lang_now(), item->name, item->name_ko);
	item->category_label = category ? choice_name(category) : item->category;
	item->version = item_version(db_memory(db), item);
}

static int
complete_items(struct db *db, struct item *items, int n)
{
	for (int i = 0; i < n; i++)
		complete_item(db, &items[i]);
	return n;
}

bool
item_find(struct db *db, int64_t item_id, struct item *item)
{
	*item = (struct item){ .item_id = 0 };
	if (!db_one(db, &item_shape, item, "SELECT " ITEM_COLUMNS " FROM item i WHERE i.item_id = $1", item_id))
		return false;
	complete_item(db, item);
	return true;
}

int64_t
item_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*) FROM item /*scan*/");
}

int
item_list(struct db *db, int64_t offset, int64_t limit, struct item **items, int *n)
{
	db_list(db, &item_shape, items, n,
		"SELECT " ITEM_COLUMNS
		" FROM item i ORDER BY i.is_offered DESC, i.category, i.name LIMIT $1 OFFSET $2 /*scan*/ /*sort*/",
		limit, offset);
	return complete_items(db, *items, *n);
}

int
item_list_offered(struct db *db, struct item **items, int *n)
{
	db_list(db, &item_shape, items, n,
		"SELECT " ITEM_COLUMNS
		" FROM item i WHERE i.is_offered = 1 ORDER BY i.category, i.name LIMIT 500 /*scan*/ /*sort*/");
	return complete_items(db, *items, *n);
}

/* --- its coming days ---------------------------------------------------------------------------------------------- */

static const struct member free_day_members[] = {
	SHAPE_TIME(free_day, starts_at), SHAPE_INT(free_day, n_free), SHAPE_INT(free_day, n_owned),
	SHAPE_BOOL(free_day, is_today), SHAPE_BOOL(free_day, is_weekend), SHAPE_BOOL(free_day, is_none),
	SHAPE_BOOL(free_day, is_some), SHAPE_BOOL(free_day, is_all), SHAPE_TEXT(free_day, day),
};
const struct shape free_day_shape = SHAPE(free_day, free_day_members);

/* n_free is below zero when a loss has left fewer pieces than are promised: none is free. */
static struct free_day
free_day_make(struct db *db, const struct item *item, int64_t midnight, int64_t now)
{
	int64_t from = midnight > now ? midnight : now;
	int64_t n_free = stock_free(db, item->item_id, from, day_add(midnight, 1), now);
	struct free_day day = {
		.starts_at = midnight,
		.n_free = n_free > 0 ? n_free : 0,
		.n_owned = item->owned,
		.is_today = midnight <= now,
		.is_none = n_free <= 0,
		.is_some = n_free > 0 && n_free<item->owned, .is_all = n_free> 0 && n_free >= item->owned,
	};
	int year, month, number, weekday;

	day_split(midnight, &year, &month, &number, &weekday);
	day.is_weekend = weekday == 0 || weekday == 6;
	day.day = number == 1 ? arena_printf(db_memory(db), "%d/%d", month, number)
			      : arena_printf(db_memory(db), "%d", number);
	return day;
}

void
item_free_days(struct db *db, const struct item *item, int64_t now, struct free_day *days)
{
	for (int i = 0; i < FREE_DAYS; i++)
		days[i] = free_day_make(db, item, day_add(day_start(now), i), now);
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

/* The same item, added before: a double click. */
static int64_t
same_item(struct db *db, const struct item *item)
{
	return db_int(db,
		"SELECT item_id FROM item WHERE name = $1 AND name_ko = $2 AND category = $3 AND daily_price = $4"
		" AND low_stock = $5",
		item->name, text_or_empty(item->name_ko), item->category, item->daily_price, item->low_stock);
}

static enum item_outcome
add_item(struct db *db, struct item *item, int64_t n_pieces, int64_t actor_id)
{
	int64_t now = clock_now(), item_id;

	if (db_exists(db, "SELECT 1 FROM item WHERE name = $1", item->name)) {
		item_id = same_item(db, item);
		return item_id && item_find(db, item_id, item) ? ITEM_OK : ITEM_NAME_TAKEN;
	}
	item_id = db_int(db,
		"INSERT INTO item (name, name_ko, category, daily_price, low_stock, created_at, updated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $6)"
		" RETURNING item_id",
		item->name, text_or_empty(item->name_ko), item->category, item->daily_price, item->low_stock, now);
	item_find(db, item_id, item);
	item_report_registered(db, item, actor_id);
	if (n_pieces > 0)
		stock_enter(db,
			&(struct stock_move){ .item_id = item_id,
				.kind = STOCK_RECEIVE,
				.quantity = n_pieces,
				.actor_id = actor_id });
	stock_check_low(db, item_id, false);
	item_find(db, item_id, item);
	return ITEM_OK;
}

enum item_outcome
item_add(struct db *db, struct item *item, int64_t n_pieces, int64_t actor_id)
{
	enum item_outcome outcome;

	db_begin(db);
	outcome = add_item(db, item, n_pieces, actor_id);
	db_commit(db);
	return outcome;
}

static enum item_outcome
change_item(struct db *db, struct item *item, int64_t actor_id)
{
	struct item was;
	const char *version = item->version;

	if (!item_find(db, item->item_id, &was))
		return ITEM_GONE;
	item->name_ko = text_or_empty(item->name_ko);
	if (strcmp(item_version(db_memory(db), item), was.version) == 0) {
		*item = was;
		return ITEM_OK;
	}
	if (version && strcmp(version, was.version) != 0)
		return ITEM_CHANGED;
	if (db_exists(db, "SELECT 1 FROM item WHERE name = $1 AND item_id <> $2", item->name, item->item_id))
		return ITEM_NAME_TAKEN;
	db_do(db,
		"UPDATE item SET name = $2, name_ko = $3, category = $4, daily_price = $5, low_stock = $6,"
		" updated_at = $7 WHERE item_id = $1",
		item->item_id, item->name, item->name_ko, item->category, item->daily_price, item->low_stock,
		clock_now());
	stock_check_low(db, item->item_id, false);
	item_find(db, item->item_id, item);
	item_report_modified(db, item, actor_id);
	return ITEM_OK;
}

enum item_outcome
item_change(struct db *db, struct item *item, int64_t actor_id)
{
	enum item_outcome outcome;

	db_begin(db);
	outcome = change_item(db, item, actor_id);
	db_commit(db);
	return outcome;
}

enum item_outcome
item_offer(struct db *db, int64_t item_id, bool is_offered, int64_t actor_id)
{
	struct item item;
	bool found;

	db_begin(db);
	found = item_find(db, item_id, &item);
	if (found
		&& db_do(db, "UPDATE item SET is_offered = $2, updated_at = $3 WHERE item_id = $1 AND is_offered <> $2",
			item_id, is_offered, clock_now())) {
		item.is_offered = is_offered;
		item_report_modified(db, &item, actor_id);
	}
	db_commit(db);
	return found ? ITEM_OK : ITEM_GONE;
}
