/*
 * cars_now - SQL for the cars with their status now: WITH_CARS "SELECT … FROM car_now WHERE …".
 *
 * $1 is now, $2 is now plus the turnaround: a car is shown as rented from one turnaround before the reservation until
 * its end, and as long as it is out. The status is computed and never stored, so late events cannot leave a wrong one.
 */
#ifndef MP_FLEET_CARS_NOW_H
#define MP_FLEET_CARS_NOW_H

#define CAR_STATUS \
	"CASE WHEN c.service <> 'IN_SERVICE' THEN c.service" \
	" WHEN EXISTS (SELECT 1 FROM reservation r WHERE r.car_id = c.car_id AND r.state IN ('RESERVED', 'OUT')" \
	" AND (r.state = 'OUT' OR (r.starts_at <= $2 AND r.ends_at > $1))) THEN 'RENTED'" \
	" ELSE 'AVAILABLE' END"

#define WITH_CARS \
	"WITH car_now AS (SELECT c.car_id, c.plate, COALESCE(c.model_id, 0) AS model_id," \
	" COALESCE(m.name, '') AS model_name," \
	" COALESCE(m.name_ko, '') AS model_name_ko, c.name, c.name_ko, c.body, c.seats, c.fuel, c.gearbox," \
	" c.daily_price," \
	" c.hourly_price, c.branch_id, b.name AS branch_name," \
	" b.name_ko AS branch_name_ko, b.region, c.service, " CAR_STATUS " AS status," \
	" CASE c.photo WHEN '' THEN NULL ELSE '/photos/' || c.photo END AS photo_url, c.created_at, c.updated_at," \
	" c.retire_at, c.rev" \
	" FROM car c JOIN branch b ON b.branch_id = c.branch_id LEFT JOIN car_model m ON m.model_id = c.model_id) "

#define CAR_COLUMNS \
	"car_id, plate, model_id, model_name, model_name_ko, name, name_ko, body, seats, fuel, gearbox, daily_price," \
	" hourly_price, branch_id," \
	" branch_name, branch_name_ko, region, service, status, photo_url, created_at, updated_at," \
	" retire_at, rev"

/*
 * The number of the next change. The highest rev in the table is not enough, since a deleted car takes its rev with it;
 * every change of a car is also in the log, which keeps all events.
 */
#define NEXT_CAR_REV \
	"(SELECT MAX(n) + 1 FROM (SELECT COALESCE(MAX(rev), 0) AS n FROM car" \
	" UNION ALL SELECT COALESCE(MAX(event_id), 0) AS n FROM v_event) AS last)"

#endif
