/* consumer - mypage as a consumer of events, and how far behind the log it is. */
#include "mypage.h"

#include "lib/base/log.h"

/* The log was taken back to before what the rows were made from (a restored backup, a power cut): the rows are made
 * again. */
static bool
mypage_sweep(struct db *db)
{
	if (view_is_ahead(db)) {
		log_warn("view", "the read models are ahead of the event log; rebuilding them");
		view_remake(db);
	}
	return false;
}

const struct consumer mypage_consumer = { .name = "mypage", .role = &mypage_role, .policy = mypage_policies,
	.sweep = mypage_sweep };

void
my_fresh(struct db *db, int64_t now, struct my_fresh *f)
{
	int64_t at = db_int(db, "SELECT event_id FROM position WHERE consumer = 'mypage'");

	f->n_behind = consumer_lag(db, &mypage_consumer);
	f->as_of = f->n_behind > 0 ? db_int(db, "SELECT recorded_at FROM v_event WHERE event_id = $1", at) : now;
	if (f->n_behind < 0)
		f->n_behind = 0;
}
