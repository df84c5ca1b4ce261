/* stock - how many pieces of an item are free in an interval; described in stock.h. */
#include "stock.h"

/*
 * Demand grows only where an order begins, so its maximum is at the interval's start or at the start of an order inside
 * it. Pieces handed out early count from now on; those that are late count until they come back.
 */
int64_t
stock_free(struct db *db, int64_t item_id, int64_t starts_at, int64_t ends_at, int64_t now)
{
	int64_t owned = db_int(db,
		"SELECT i.stock + (SELECT COALESCE(SUM(o.taken), 0) FROM v_equipment_order o"
		"                   WHERE o.item_id = $1 AND o.state IN ('ORDERED', 'APPROVED', 'HANDED_OUT'))"
		"  FROM v_item i WHERE i.item_id = $1",
		item_id);
	int64_t worst = db_int(db,
		"WITH demand (starts_at, ends_at, quantity) AS ("
		"	SELECT CASE WHEN state = 'HANDED_OUT' AND starts_at > $4 THEN $4 ELSE starts_at END,"
		"	       CASE WHEN state = 'HANDED_OUT' AND ends_at <= $4 THEN $4 + 1 ELSE ends_at END, quantity"
		"	  FROM v_equipment_order WHERE item_id = $1 AND state IN ('ORDERED', 'APPROVED', 'HANDED_OUT')"
		"	UNION ALL"
		"	SELECT x.starts_at, x.ends_at, x.quantity FROM v_booking_extra x"
		"	 WHERE x.ref_id = $1 AND x.kind = 'equipment' AND x.state = 'BOOKED'"
		"	   AND x.booking_state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT')"
		"	   AND NOT EXISTS (SELECT 1 FROM v_equipment_order o WHERE o.booking_code = x.code"
		" AND o.line_no = x.line_no AND o.booking_code <> '')"
		"), moment (at) AS (SELECT $2 UNION SELECT starts_at FROM demand WHERE starts_at > $2"
		" AND starts_at < $3)"
		" SELECT COALESCE(MAX(total), 0) FROM (SELECT (SELECT COALESCE(SUM(d.quantity), 0) FROM demand d"
		"   WHERE d.starts_at <= m.at AND d.ends_at > m.at) AS total FROM moment m) t /*scan*/",
		item_id, starts_at, ends_at, now);

	return owned - worst;
}
