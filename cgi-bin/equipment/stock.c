/*
 * stock - the ledger of an item's pieces, and which order takes them.
 *
 * Every movement is a line with the stock after it; the schema refuses a line that does not balance, and a stock below
 * zero. Pieces that come back go to the approved orders that lack some (stock_distribute), so pieces are in stock only
 * while no order lacks any.
 */
#include "equipment_inside.h"

#include "lib/base/clock.h"

#define LIVE_OF_ITEM "FROM equipment_order WHERE item_id = $1 AND state IN ('ORDERED', 'APPROVED', 'HANDED_OUT')"

int64_t
stock_of(struct db *db, int64_t item_id)
{
	return db_int(db, "SELECT balance FROM stock_entry WHERE item_id = $1 ORDER BY entry_id DESC LIMIT 1", item_id);
}

void
stock_enter(struct db *db, const struct stock_move *m)
{
	int64_t balance = stock_of(db, m->item_id) + m->quantity;

	db_do(db,
		"INSERT INTO stock_entry (item_id, kind, quantity, balance, order_id, note, actor_id, entered_at,"
		" request_key)"
		" VALUES ($1, $2, $3, $4, NULLIF($5, 0), $6, $7, $8, $9)",
		m->item_id, words_code(&stock_kind_words, m->kind), m->quantity, balance, m->order_id,
		text_or_empty(m->note), m->actor_id, clock_now(), text_or_empty(m->request_key));
	stock_report(db, m, balance);
}

/* --- pieces and orders -------------------------------------------------------------------------------------------- */

static void
move_pieces(struct db *db, struct equipment_order *o, int kind, int64_t quantity, int64_t causation_id)
{
	stock_enter(db,
		&(struct stock_move){
			.item_id = o->item_id,
			.kind = kind,
			.quantity = quantity,
			.order_id = o->order_id,
			.order_code = o->code,
			.causation_id = causation_id,
		});
	o->taken -= quantity;
	db_do(db, "UPDATE equipment_order SET taken = $2 WHERE order_id = $1", o->order_id, o->taken);
}

void
order_takes(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id)
{
	if (n > 0)
		move_pieces(db, o, STOCK_ORDER, -n, causation_id);
}

void
order_gives_back(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id)
{
	if (n > 0)
		move_pieces(db, o, STOCK_RETURN, n, causation_id);
}

static const struct member holder_members[] = {
	SHAPE_INT(equipment_order, order_id), SHAPE_TEXT(equipment_order, code), SHAPE_INT(equipment_order, item_id),
	SHAPE_INT(equipment_order, quantity), SHAPE_INT(equipment_order, taken),
};
static const struct shape holder_shape = SHAPE(equipment_order, holder_members);

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
stock_distribute(struct db *db, int64_t item_id, int64_t causation_id)
{
	struct equipment_order *lacking = NULL;
	int n = 0;

	db_list(db, &holder_shape, &lacking, &n,
		"SELECT order_id, code, item_id, quantity, taken " LIVE_OF_ITEM
		" AND state = 'APPROVED' AND taken < quantity"
		" ORDER BY starts_at, order_id /*sort*/",
		item_id);
	for (int i = 0; i < n; i++)
		order_takes(db, &lacking[i], smaller(lacking[i].quantity - lacking[i].taken, stock_of(db, item_id)),
			causation_id);
	stock_check_low(db, item_id, true);
}

/* Orders whose pieces an order that starts at $2 may have: they start later, or their time is over. $3: now. */
#define CAN_WAIT LIVE_OF_ITEM " AND state = 'APPROVED' AND taken > 0 AND (starts_at > $2 OR ends_at <= $3)"

int64_t
stock_reclaimable(struct db *db, int64_t item_id, int64_t after)
{
	return db_int(db, "SELECT COALESCE(SUM(taken), 0) " CAN_WAIT, item_id, after, clock_now());
}

void
stock_reclaim(struct db *db, int64_t item_id, int64_t n, int64_t after, int64_t causation_id)
{
	struct equipment_order *holders = NULL;
	int n_holders = 0;
	int64_t got = 0;

	db_list(db, &holder_shape, &holders, &n_holders,
		"SELECT order_id, code, item_id, quantity, taken " CAN_WAIT
		" ORDER BY CASE WHEN ends_at <= $3 THEN 1 ELSE 0 END DESC, starts_at DESC, order_id DESC /*sort*/",
		item_id, after, clock_now());
	for (int i = 0; i < n_holders && got < n; i++) {
		int64_t some = smaller(holders[i].taken, n - got);

		order_gives_back(db, &holders[i], some, causation_id);
		got += some;
	}
}

/* --- low stock ---------------------------------------------------------------------------------------------------- */

static const struct member low_item_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_INT(item, low_stock),
	SHAPE_BOOL(item, is_low),
};
static const struct shape low_item_shape = SHAPE(item, low_item_members);

void
stock_check_low(struct db *db, int64_t item_id, bool reports)
{
	struct item item;
	bool is_low;

	if (!db_one(db, &low_item_shape, &item,
		    "SELECT item_id, name, name_ko, low_stock, is_low FROM item WHERE item_id = $1", item_id))
		return;
	item.stock = stock_of(db, item_id);
	is_low = item.low_stock > 0 && item.stock <= item.low_stock;
	if (is_low == item.is_low)
		return;
	db_do(db, "UPDATE item SET is_low = $2 WHERE item_id = $1", item_id, is_low);
	if (is_low && reports)
		stock_report_low(db, &item);
}

/* --- what a manager enters --------------------------------------------------------------------------------------- */

static bool
was_entered(struct db *db, const struct stock_change *c)
{
	return *text_or_empty(c->request_key)
		&& db_exists(db,
			"SELECT 1 FROM stock_entry WHERE item_id = $1 AND request_key = $2 AND request_key <> ''",
			c->item_id, c->request_key);
}

static enum stock_change_outcome
change_stock(struct db *db, const struct stock_change *c)
{
	int64_t quantity = c->kind == STOCK_LOSS ? -c->quantity : c->quantity;

	if (!db_exists(db, "SELECT 1 FROM item WHERE item_id = $1", c->item_id))
		return STOCK_CHANGE_NO_ITEM;
	if (was_entered(db, c))
		return STOCK_CHANGE_DONE;
	if (stock_of(db, c->item_id) + quantity < 0)
		return STOCK_CHANGE_TOO_FEW;
	stock_enter(db,
		&(struct stock_move){
			.item_id = c->item_id,
			.kind = c->kind,
			.quantity = quantity,
			.note = c->note,
			.actor_id = c->actor_id,
			.request_key = c->request_key,
		});
	stock_distribute(db, c->item_id, 0);
	return STOCK_CHANGE_DONE;
}

enum stock_change_outcome
stock_change(struct db *db, const struct stock_change *c)
{
	enum stock_change_outcome outcome;

	db_begin(db);
	outcome = change_stock(db, c);
	db_commit(db);
	return outcome;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const struct member stock_entry_members[] = {
	SHAPE_INT(stock_entry, entry_id), SHAPE_INT(stock_entry, item_id),
	SHAPE_STATE(stock_entry, kind, stock_kind_words), SHAPE_INT(stock_entry, quantity),
	SHAPE_INT(stock_entry, balance), SHAPE_INT(stock_entry, order_id), SHAPE_TEXT(stock_entry, order_code),
	SHAPE_TEXT(stock_entry, note), SHAPE_TEXT(stock_entry, actor_name), SHAPE_TIME(stock_entry, entered_at),
};
const struct shape stock_entry_shape = SHAPE(stock_entry, stock_entry_members);

#define ENTRIES \
	"SELECT s.entry_id, s.item_id, s.kind, s.quantity, s.balance, COALESCE(s.order_id, 0) AS order_id," \
	" COALESCE(o.code, '') AS order_code," \
	" s.note, COALESCE(u.name, '') AS actor_name, s.entered_at" \
	" FROM stock_entry s LEFT JOIN equipment_order o ON o.order_id = s.order_id LEFT JOIN v_user u" \
	" ON u.user_id = s.actor_id"

int64_t
stock_n_entries(struct db *db, int64_t item_id)
{
	return db_int(db, "SELECT COUNT(*) FROM stock_entry WHERE item_id = $1", item_id);
}

int
stock_entries(struct db *db, int64_t item_id, int64_t offset, int64_t limit, struct stock_entry **entries, int *n)
{
	return db_list(db, &stock_entry_shape, entries, n,
		ENTRIES " WHERE s.item_id = $1 ORDER BY s.entry_id DESC LIMIT $2 OFFSET $3", item_id, limit, offset);
}

int
stock_entries_of(struct db *db, int64_t order_id, struct stock_entry **entries, int *n)
{
	return db_list(db, &stock_entry_shape, entries, n,
		ENTRIES " WHERE s.order_id = $1 ORDER BY s.entry_id DESC LIMIT 50", order_id);
}
