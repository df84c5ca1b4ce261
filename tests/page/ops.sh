#!/bin/bash
# ops.sh - the operator's pages: health, consumers, events to be retried, the event log.
. tests/page/lib.sh
begin ops

view() { sqlite3 -cmd '.timeout 60000' "$VAR/view.db" "$1"; }
tell() {
	sql "INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)
	     SELECT COALESCE(MAX(event_id), 0) + 1, '$1', '$2', strftime('%s', 'now') + 0, strftime('%s', 'now') + 0, '$3',
	            COALESCE(MAX(event_id), 0), COALESCE(MAX(event_id), 0) + 1 FROM event"
}

make_user kim customer
make_user root admin

test_that "only an admin can see the operator's pages"
forget; use ops; json GET /ops; expect_status 401
as kim
json GET /ops; expect_status 403
json GET /ops/events; expect_status 403
as root; json GET /ops; expect_status 200

test_that "programs that are not running are DOWN, and a relay that never ran has the age -1"
expect_js '.programs | map(select(.name == "payment")) | .[0].state' DOWN
expect_js .house.relay_age_s -1

test_that "each consumer has its lag in events"
for i in 1 2 3; do tell booking.paid "MP-TEST000$i" '{"amount":5}'; done
sql "INSERT INTO position VALUES ('booking', 1, 1795222800)"
view "INSERT INTO position VALUES ('mypage', 3, 1795222800)"
as root; json GET /ops
expect_js '.consumers | map("\(.name) \(.n_behind)") | join(", ")' 'booking 2, payment 3, fleet 3, delivery 3, equipment 3, review 3, message 3, mypage 0'

test_that "events to be retried and dead letters of both databases are shown with their errors, escaped"
sql "INSERT INTO event_retry VALUES ('booking', 2, 'MP-TEST0002', 12, 0, 'no such <b>table</b>', 1)"
view "INSERT INTO event_retry VALUES ('mypage', 3, 'MP-TEST0003', 1, 0, 'the policy answered no', 0)"
json GET /ops; expect_js '.retries | length' 2
expect_js '.retries[0].dead' true
expect_js '.retries[0].type' booking.paid
expect_js '.consumers[0].n_dead' 1
expect_js '.consumers[7].n_waiting' 1
browse root
get /ops; expect_status 200
expect_body 'Dead letter after 12 attempts'
expect_body 'no such &lt;b&gt;table'
expect_no_body '<b>table'

test_that "redriving requires the CSRF token, and resets the dead letter and its attempts"
post_without() { ask POST "$1" application/x-www-form-urlencoded 'x=1'; }
post_without /ops/retries/booking/2/redrive; expect_status 403
get /ops
post /ops/retries/booking/2/redrive; expect_status 303
expect_location '/ops?done=redriven'
expect_sql 'SELECT dead, tries, next_at FROM event_retry' '0|0|0'
get '/ops?done=redriven'; expect_body 'will be retried within a second'

test_that "redriving twice or an event that is not waiting is no error; an unknown consumer gets 404, a customer 403"
post /ops/retries/booking/2/redrive; expect_status 303
as root
json POST /ops/retries/booking/999/redrive '{}'; expect_status 200
expect_js .done false
json POST /ops/retries/mypage/3/redrive '{}'; expect_js .done true
json POST /ops/retries/nobody/x/redrive '{}'; expect_status 404
as kim; json POST /ops/retries/booking/2/redrive '{}'; expect_status 403

test_that "each redrive writes an event with the actor and the last error"
expect_sql "SELECT type, payload ->> 'consumer', payload ->> 'event_id', payload ->> 'error', actor_id = (SELECT user_id FROM person WHERE email = 'root@example.com')
            FROM event WHERE subject_id = 'ops:relay' ORDER BY event_id LIMIT 1" 'ops.redriven|booking|2|no such <b>table</b>|1'
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'ops.redriven'" 3

test_that "a paused consumer is shown with the reason"
sql "INSERT INTO relay_pause VALUES ('fleet', 1795222800, 0, 'a new tariff')"
as root; json GET /ops
expect_js '.consumers | map(select(.is_paused)) | map("\(.name) \(.pause_reason)") | join(", ")' 'fleet a new tariff'
sql "DELETE FROM relay_pause"

test_that "the event log is listed newest first, and can be filtered by type and subject"
tell car.registered car:1 '{"plate":"<i>12</i>"}'
as root; json GET /ops/events; expect_js '.events[0].type' car.registered
expect_js '.events[0].payload.plate' '<i>12</i>'
expect_js '.events | length' 7
json GET '/ops/events?type=booking.'; expect_js '.events | length' 3
json GET '/ops/events?subject=MP-TEST0002'; expect_js '.events | length' 1
expect_js '.events[0].event_id' 2
json GET '/ops/events?type=%25'; expect_js '.events | length' 0
json GET '/ops/events?before=3'; expect_js '.events[0].event_id' 2

test_that "the event log is paged"
sql "WITH RECURSIVE n(i) AS (SELECT 8 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
     INSERT INTO event SELECT i, 'test.many', 'x', 0, 0, 1, 1, '{}', 'h' || i, 'h' || (i + 1) FROM n"
browse root
get /ops/events; expect_status 200
expect_body 'before=41'
expect_body '>60<'
expect_no_body '>40<'
get '/ops/events?before=41'; expect_body '>40<'
expect_body 'Newest'
get '/ops/events?type=nothing.like'; expect_body 'No event found'

test_that "invalid filters of the event log get 422, and special characters in them are no error"
as root; json GET '/ops/events?before=x'; expect_status 422
json GET "/ops/events?type=$(printf 'x%.0s' {1..100})"; expect_status 422
for q in "'" '"' '%3Cscript%3E' '_'; do json GET "/ops/events?type=$q"; expect_status 200; done

test_that "markup in payloads is escaped"
browse root
get '/ops/events?type=car'; expect_body '&lt;i&gt;12'
expect_no_body '<i>12'

test_that "without view.db, /ops still works and shows the file as missing"
rm -f "$VAR"/view.db*
get /ops; expect_status 200
expect_body 'database file is missing'

finish
