/* stuck - bookings and payments that have been pending for too long, counted by kind; booking has the page to act on
 * them. */
#include "ops.h"

#include "domain/stuck.h"
#include "domain/rental.h"

static const struct member stuck_members[] = {
	SHAPE_STATE(ops_stuck, kind, stuck_kind_words), SHAPE_INT(ops_stuck, n), SHAPE_TIME(ops_stuck, since),
	SHAPE_INT(ops_stuck, oldest_s), SHAPE_AMOUNT(ops_stuck, amount),
};
const struct shape ops_stuck_shape = SHAPE(ops_stuck, stuck_members);

int
ops_stuck(struct db *db, int64_t now, struct ops_stuck **stuck)
{
	int n = 0;

	db_list(db, &ops_stuck_shape, stuck, &n,
		"SELECT kind, COUNT(*) AS n, MIN(since) AS since, SUM(amount) AS amount FROM ("
		" SELECT kind, since, amount FROM v_stuck_booking /*scan*/ WHERE since <= $1"
		" UNION ALL SELECT kind, since, amount FROM v_stuck_charge /*scan*/ WHERE since <= $1) s /*scan*/"
		" GROUP BY kind ORDER BY MIN(since) /*sort*/",
		now - rental.stuck_after_s);
	for (int i = 0; i < n; i++)
		(*stuck)[i].oldest_s = now - (*stuck)[i].since;
	return n;
}
