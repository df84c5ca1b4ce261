/* gone - the cars of a booking as fleet has them now. The overview is in gone.h. */
#include "gone.h"
#include "booking_steps.h"

bool
booking_car_gone(struct db *db, const struct booking *b, struct car_gone *gone)
{
	*gone = (struct car_gone){ 0 };
	return db_one(db, &car_gone_shape, gone,
		"SELECT car_id, plate, service FROM v_booked_car WHERE booking_id = $1 AND service <> 'IN_SERVICE'"
		" LIMIT 1",
		b->booking_id);
}

static const struct member new_branch_members[] = {
	SHAPE_INT(new_branch, branch_id), SHAPE_TEXT_KO(new_branch, branch_name),
	SHAPE_TEXT_KO(new_branch, branch_address), SHAPE_TEXT(new_branch, branch_phone),
};
const struct shape new_branch_shape = SHAPE(new_branch, new_branch_members);

enum cars_place
booking_cars_place(struct db *db, const struct booking *b, struct new_branch *at)
{
	bool is_apart = db_int(db, "SELECT MAX(branch_id) - MIN(branch_id) FROM v_booked_car WHERE booking_id = $1",
				b->booking_id)
		!= 0;

	*at = (struct new_branch){ 0 };
	if (is_apart)
		return CARS_APART;
	if (!db_one(db, &new_branch_shape, at,
		    "SELECT r.branch_id, r.name AS branch_name, r.name_ko AS branch_name_ko,"
		    " r.address AS branch_address, r.address_ko AS branch_address_ko, r.phone AS branch_phone"
		    " FROM v_booked_car c JOIN v_branch r ON r.branch_id = c.branch_id WHERE c.booking_id = $1 LIMIT 1",
		    b->booking_id))
		return CARS_AT_BRANCH;
	return at->branch_id == b->branch_id ? CARS_AT_BRANCH : CARS_AT_OTHER;
}

static enum move_outcome
move(struct db *db, struct booking *b, int64_t branch_id, int64_t actor_id)
{
	enum cars_place place;
	struct new_branch at;

	if (!booking_reload(db, b) || b->state != BOOKING_CONFIRMED || b->cancel_asked_at)
		return MOVE_WRONG_STATE;
	place = booking_cars_place(db, b, &at);
	if (place == CARS_AT_BRANCH && b->branch_id == branch_id)
		return MOVE_DONE;
	if (place != CARS_AT_OTHER || at.branch_id != branch_id)
		return MOVE_ELSEWHERE;
	db_do(db,
		"UPDATE booking SET branch_id = $2, branch_name = $3, branch_name_ko = $4 WHERE booking_id = $1"
		" AND state = 'CONFIRMED'",
		b->booking_id, at.branch_id, at.branch_name, at.branch_name_ko);
	b->branch_id = at.branch_id;
	b->branch_name = at.branch_name;
	b->branch_name_ko = at.branch_name_ko;
	booking_report(db, EVENT_BOOKING_MOVED, b, 0, actor_id);
	return MOVE_DONE;
}

enum move_outcome
booking_move(struct db *db, struct booking *b, int64_t branch_id, int64_t actor_id)
{
	enum move_outcome outcome;

	db_begin(db);
	outcome = move(db, b, branch_id, actor_id);
	db_commit(db);
	return outcome;
}
