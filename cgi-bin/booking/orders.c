/* orders - what the pages show beside the booking itself. Described in orders.h. */
#include "orders.h"

#include "lib/base/lang.h"

static const struct member saved_card_members[] = {
	SHAPE_INT(saved_card, card_id), SHAPE_TEXT(saved_card, brand), SHAPE_TEXT(saved_card, last4),
	SHAPE_BOOL(saved_card, is_chosen),
};
const struct shape saved_card_shape = SHAPE(saved_card, saved_card_members);

int
cards_of(struct db *db, int64_t user_id, struct saved_card **cards)
{
	int n = 0;

	return db_list(db, &saved_card_shape, cards, &n,
		"SELECT card_id, brand, last4 FROM v_card WHERE user_id = $1 ORDER BY card_id DESC LIMIT 20", user_id);
}

static const struct member booking_contact_members[] = {
	SHAPE_TEXT_KO(booking_contact, branch_address), SHAPE_TEXT(booking_contact, branch_phone),
	SHAPE_TEXT(booking_contact, brand), SHAPE_TEXT(booking_contact, last4),
	SHAPE_AMOUNT(booking_contact, bank_amount),
};
static const struct shape booking_contact_shape = SHAPE(booking_contact, booking_contact_members);

void
booking_contact(struct db *db, const struct booking *b, struct booking_contact *around)
{
	db_one(db, &booking_contact_shape, around,
		"SELECT address AS branch_address, address_ko AS branch_address_ko, phone AS branch_phone FROM v_branch"
		" WHERE branch_id = $1",
		b->branch_id);
	db_one(db, &booking_contact_shape, around,
		"SELECT brand, last4, bank_amount FROM v_charge WHERE charge_id = $1", b->charge_id);
}

void
customer_of(struct db *db, int64_t user_id, const char **name, const char **email)
{
	*name = db_text(db, "SELECT name FROM v_user WHERE user_id = $1", user_id);
	*email = db_text(db, "SELECT email FROM v_user WHERE user_id = $1", user_id);
}

static const struct word bookings_view_word[] = {
	[BOOKINGS_ALL]      = { "all",      N_("All bookings") },
	[BOOKINGS_PICK_UPS] = { "pick-ups", N_("Pick-ups today") },
	[BOOKINGS_RETURNS]  = { "returns",  N_("Returns due") },
	[BOOKINGS_OUT]      = { "out",      N_("In use") },
	[BOOKINGS_REFUNDS]  = { "refunds",  N_("Refunds pending") },
};
const struct words bookings_view_words = WORDS(bookings_view_word);

static const struct member booking_row_members[] = {
	SHAPE_TEXT(booking_row, code), SHAPE_STATE(booking_row, state, booking_state_words),
	SHAPE_INT(booking_row, customer_id), SHAPE_TEXT(booking_row, customer_name), SHAPE_INT(booking_row, car_id),
	SHAPE_TEXT_KO(booking_row, car_name), SHAPE_TEXT(booking_row, plate), SHAPE_TIME(booking_row, starts_at),
	SHAPE_TIME(booking_row, ends_at), SHAPE_AMOUNT(booking_row, amount), SHAPE_TEXT(booking_row, currency),
	SHAPE_STATE(booking_row, refund_state, refund_state_words), SHAPE_AMOUNT(booking_row, refund_due),
	SHAPE_BOOL(booking_row, is_late), SHAPE_INT(booking_row, n_cars), SHAPE_INT(booking_row, n_more_cars),
};
const struct shape booking_row_shape = SHAPE(booking_row, booking_row_members);

/*
 * $1 view, $2 state or '', $3 pattern, $4 today, $5 tomorrow, $6 now.
 * A day's list is a few rows of an index; "all bookings" with a text scans the table.
 */
#define WANTED \
	" FROM booking b LEFT JOIN v_user u ON u.user_id = b.customer_id" \
	" WHERE ($2 = '' OR b.state = $2)" \
	" AND ($3 = '%' OR lower(b.code) LIKE $3 ESCAPE '\\' OR lower(b.plate) LIKE $3 ESCAPE '\\' OR u.email LIKE $3" \
	" ESCAPE '\\'" \
	"  OR lower(u.name) LIKE $3 ESCAPE '\\' OR (b.n_cars > 1" \
	" AND EXISTS (SELECT 1 FROM booking_car m WHERE m.booking_id = b.booking_id" \
	"   AND lower(m.plate) LIKE $3 ESCAPE '\\')))" \
	" AND ($1 = 'all'" \
	"  OR ($1 = 'pick-ups' AND b.state IN ('PAID', 'CONFIRMED') AND b.starts_at >= $4 AND b.starts_at < $5)" \
	"  OR ($1 = 'returns' AND b.state = 'OUT' AND b.ends_at < $5)" \
	"  OR ($1 = 'out' AND b.state = 'OUT')" \
	"  OR ($1 = 'refunds' AND b.refund_state = 'PENDING'))" \
	" AND $6 > 0 /*scan*/ /*sort*/"

#define COLUMNS \
	"SELECT b.code, b.state, b.customer_id, COALESCE(u.name, '') AS customer_name, b.car_id, b.car_name," \
	" b.car_name_ko, b.plate," \
	" b.starts_at, b.ends_at, b.amount, b.currency, b.refund_state, b.refund_due, CASE WHEN b.state = 'OUT' AND" \
	" b.ends_at < $6 THEN 1 ELSE 0 END AS is_late," \
	" b.n_cars, b.n_cars - 1 AS n_more_cars"

#define VALUES(q) \
	words_code(&bookings_view_words, (int)(q)->view), words_code(&booking_state_words, (q)->state), \
		db_contains(db, (q)->text), \
	(q)->today, (q)->tomorrow, (q)->now

int64_t
bookings_count(struct db *db, const struct booking_query *q)
{
	return db_int(db, "SELECT COUNT(*)" WANTED, VALUES(q));
}

int
bookings_list(struct db *db, const struct booking_query *q, int64_t offset, int limit, struct booking_row **rows)
{
	int n = 0;

	if (q->order == BOOKINGS_ORDER_START)
		return db_list(db, &booking_row_shape, rows, &n,
			COLUMNS WANTED " ORDER BY b.starts_at, b.booking_id LIMIT $7 OFFSET $8", VALUES(q), limit,
			offset);
	if (q->order == BOOKINGS_ORDER_START_DOWN)
		return db_list(db, &booking_row_shape, rows, &n,
			COLUMNS WANTED " ORDER BY b.starts_at DESC, b.booking_id DESC LIMIT $7 OFFSET $8", VALUES(q),
			limit, offset);
	return db_list(db, &booking_row_shape, rows, &n,
		COLUMNS WANTED " ORDER BY b.booking_id DESC LIMIT $7 OFFSET $8", VALUES(q), limit, offset);
}
