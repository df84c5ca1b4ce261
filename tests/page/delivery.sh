#!/bin/bash
# tests/page/delivery.sh - deliveries as managers, couriers and customers use them, and the internal call that booking makes.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

now=$(date +%s); half=$((now - now % 1800)); window=$((half + 3600))
# job CODE [COLLECTS [AHEAD_S]]: adds a confirmed booking with delivery, and its job as the policy creates it (tests/unit/test_delivery.c)
job() {
	sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount,
	     currency, charge_id, held_at, hold_until) VALUES ('$1', 2, (SELECT COUNT(*) + 1 FROM booking), 'Kia Ray', '12가 3456', 'mini', 1, 'x', 'CONFIRMED', $((half + ${3:-0})), $((half + 86400)), 1, 0, 'KRW', 1, 0, 0);
	     INSERT INTO booking_delivery VALUES ((SELECT MAX(booking_id) FROM booking), 'center', '1 Sejong-daero', 'Lobby', $window, $((window + 3600)), ${2:-0});
	     INSERT INTO delivery (booking_code, direction, state, customer_id, car_name, plates, zone, address, place, window_from, window_to, requested_at)
	     VALUES ('$1', 'delivery', 'REQUESTED', 2, 'Kia Ray', '12가 3456', 'center', '1 Sejong-daero', 'Lobby', $window, $((window + 3600)), $now);"
}
# seat STATE QUANTITY NAME: adds equipment to the booking MP-MANY0010
seat() {
	sql "INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount, label)
	     SELECT b.booking_id, 2 + (SELECT COUNT(*) FROM booking_line), 'equipment', 1, 'piece_day', $2, 1, $2, '$3' FROM booking b WHERE b.code = 'MP-MANY0010';
	     INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount, state)
	     SELECT booking_id, line_no, 'equipment', 1, $2, $2, '$1' FROM booking_line ORDER BY line_no DESC LIMIT 1"
}
n_events() { expect_sql "SELECT COUNT(*) FROM event WHERE type = '$1'" "$2"; }
internal() { MOTORPOOL_INTERNAL=1 json "$@"; }

begin delivery
make_user manager manager
make_user customer customer
make_user courier courier
make_user other courier
make_user stranger customer
lang=en
# Booking is asked before each step with a car: it runs, with its internal socket.
serve_booking() {
	timeout 900 "$BUILD/bin/booking" --serve "$VAR" 2>>"$VAR/booking.log" </dev/null &
	booking_pid=$!
	until_true test -S "$VAR/run/booking.internal.sock" || bad "booking did not start"
}
stop_booking() { kill "$booking_pid"; wait "$booking_pid" 2>/dev/null; }
[[ -n ${KEEP-} ]] || trap 'stop_booking; rm -rf "$VAR"' EXIT
job MP-AAAAAAAA 1
job MP-BBBBBBBB

test_that "a request without a token is refused"
json GET /deliveries; expect_status 401
as customer
test_that "a customer cannot see the job list"
json GET /deliveries; expect_status 403
test_that "a customer cannot see a job"
json GET /deliveries/1; expect_status 403
test_that "a customer cannot assign a job"
json POST /deliveries/1/assign '{"courier_id":3}'; expect_status 403
as manager
test_that "the job list of a manager has the unassigned jobs with their address and phone number"
json GET /deliveries; expect_status 200
expect_js .n_total 2
expect_js .counts.n_requested 2
expect_js '.deliveries[0].state' REQUESTED
expect_js '.deliveries[0].address' '1 Sejong-daero'
expect_js '.deliveries[0].customer_phone|length > 0' true
test_that "the job list can be searched by a part of the booking code"
json GET '/deliveries?q=mp-bbbb'; expect_js .n_total 1
expect_js '.deliveries[0].delivery_id' 2
test_that "a percent sign in a search is taken literally"
json GET '/deliveries?q=%25'; expect_js .n_total 0
test_that "a manager can see a job"
json GET /deliveries/1; expect_status 200
expect_js .code MP-AAAAAAAA
expect_js .direction delivery
test_that "an unknown job is not found"
json GET /deliveries/99; expect_status 404
test_that "a malformed job id is not found"
json GET '/deliveries/1%27--'; expect_status 404

test_that "assigning a job without a courier is refused at its field"
json POST /deliveries/1/assign '{}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' courier_id
for user in 1 2 99; do
	test_that "assigning a job to user $user, who is not a courier, is refused at its field"
	json POST /deliveries/1/assign "{\"courier_id\":$user}"; expect_status 422
	expect_js '.error.fields|keys|join(" ")' courier_id
done
test_that "assigning a job with an unknown field is refused"
json POST /deliveries/1/assign '{"courier_id":3,"state":"DELIVERED"}'; expect_status 422
test_that "assigning a job with a window outside the booking is refused at its field"
json POST /deliveries/1/assign '{"courier_id":3,"window_from":"2020-01-01T10:00"}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' window_from
test_that "refused assignments change no job and write no event"
expect_sql "SELECT DISTINCT state FROM delivery" REQUESTED
n_events delivery.scheduled 0
test_that "a job that is not scheduled cannot be shipped"
json POST /deliveries/1/ship '{}'; expect_status 409
expect_js .error.code wrong_state
test_that "a manager assigns a job to a courier"
json POST /deliveries/1/assign '{"courier_id":3}'; expect_status 200
expect_js .state SCHEDULED
expect_js .courier_name 'A courier'
test_that "assigning a job to the same courier again writes no second event"
json POST /deliveries/1/assign '{"courier_id":3}'; expect_status 200
n_events delivery.scheduled 1
test_that "assigning a job with another start of its window moves the window and keeps its length"
json POST /deliveries/1/assign "{\"courier_id\":3,\"window_from\":\"$(date -u -d @$((window + 1800)) +%FT%TZ)\"}"
expect_status 200
expect_sql "SELECT window_from || ' ' || (window_to - window_from) FROM delivery WHERE delivery_id = 1" "$((window + 1800)) 3600"
n_events delivery.scheduled 2
test_that "assigning an unknown job gets 404"
json POST /deliveries/99/assign '{"courier_id":3}'; expect_status 404

record='{"odometer_km":12345,"fuel_percent":80,"received_by":"Kim Minji","note":"a scratch"}'
as other
test_that "a courier cannot see another courier's job"
json GET /deliveries/1; expect_status 404
test_that "a courier's job list never has another courier's jobs"
json GET /deliveries; expect_status 200
expect_js .n_total 0
json GET '/deliveries?courier_id=3&view=all'; expect_js .n_total 0
test_that "a courier cannot ship another courier's job"
json POST /deliveries/1/ship '{}'; expect_status 404
expect_sql "SELECT state FROM delivery WHERE delivery_id = 1" SCHEDULED
as courier
test_that "a courier's job list has their own job with the customer's phone number"
json GET /deliveries; expect_js .n_total 1
expect_js '.deliveries[0].customer_phone|length > 0' true
test_that "a courier cannot assign, unassign or cancel a job"
json POST /deliveries/1/assign '{"courier_id":4}'; expect_status 403
json POST /deliveries/1/unassign '{}'; expect_status 403
json POST /deliveries/1/cancel '{"reason":"x"}'; expect_status 403
test_that "a job cannot be handed over before it is shipped"
json POST /deliveries/1/deliver "$record"; expect_status 409
expect_js .error.code wrong_state
test_that "while booking is down a courier cannot leave with the car: 503, and nothing changes"
json POST /deliveries/1/ship '{}'; expect_status 503
expect_js .error.code later
expect_sql "SELECT state || asked_step FROM delivery WHERE delivery_id = 1" SCHEDULED
serve_booking
test_that "a courier cannot leave with a car that a customer still has: 409 names the booking, and nothing changes"
sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency, charge_id, held_at, hold_until)
     VALUES ('MP-LATE0001', 2, 1, 'Kia Ray', '12가 3456', 'mini', 1, 'x', 'CONFIRMED', $((half - 90000)), $((half - 3600)), 1, 0, 'KRW', 1, 0, 0);
     INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at) SELECT 'late', 1, 'customer', booking_id, 2, $((half - 90000)) FROM booking WHERE code = 'MP-LATE0001';
     UPDATE booking SET state = 'OUT' WHERE code = 'MP-LATE0001'"
json POST /deliveries/1/ship '{}'; expect_status 409
expect_js .error.code car_in_use
expect_js .error.details.booking_code MP-LATE0001
expect_js '.error.message|contains("MP-LATE0001")' true
expect_sql "SELECT state || asked_step FROM delivery WHERE delivery_id = 1" SCHEDULED
sql "UPDATE custody SET to_at = $((now - 60)), ended_by = 'returned'; UPDATE booking SET state = 'RETURNED' WHERE code = 'MP-LATE0001';
     UPDATE booking SET state = 'COMPLETED' WHERE code = 'MP-LATE0001'"
test_that "a courier ships a job"
json POST /deliveries/1/ship '{}'; expect_status 200
expect_js .state SHIPPED
expect_js '.shipped_at|length > 0' true
expect_sql "SELECT kind || ' ' || user_id || ' ' || ended_by FROM custody WHERE key LIKE 'delivery%'" "staff 3 "
test_that "shipping the same job again is accepted and writes no second event"
json POST /deliveries/1/ship '{}'; expect_status 200
n_events delivery.shipped 1
test_that "a shipped job cannot be cancelled"
as manager
json POST /deliveries/1/cancel '{"reason":"no driver"}'; expect_status 409
expect_js .error.code wrong_state
as courier
test_that "coming back without a reason is refused at its field"
json POST /deliveries/1/come-back '{}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' reason
test_that "after coming back with a reason, a job is SCHEDULED and can be shipped again"
json POST /deliveries/1/come-back '{"reason":"customer absent"}'; expect_status 200
expect_js .state SCHEDULED
json POST /deliveries/1/ship '{}'; expect_js .state SHIPPED
test_that "an empty hand-over record is refused at each missing field"
json POST /deliveries/1/deliver '{}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' 'fuel_percent odometer_km received_by'
for fuel in -1 101 1.5 '"full"'; do
	test_that "a fuel level of $fuel is refused at its field"
	json POST /deliveries/1/deliver '{"odometer_km":1,"fuel_percent":'"$fuel"',"received_by":"x"}'
	expect_status 422
	expect_js '.error.fields|keys|join(" ")' fuel_percent
done
test_that "a courier cannot hand over the car of another courier's job"
as other
json POST /deliveries/1/deliver "$record"; expect_status 404
as courier
test_that "a courier hands over the car with a record"
json POST /deliveries/1/deliver "$record"; expect_status 200
expect_js .state DELIVERED
expect_js .odometer_km 12345
expect_js .received_by 'Kim Minji'
expect_sql "SELECT state FROM booking WHERE code = 'MP-AAAAAAAA'" OUT
expect_sql "SELECT kind || ' ' || user_id || ' ' || ended_by FROM custody WHERE key LIKE 'delivery%' ORDER BY custody_id" "staff 3 returned
staff 3 handed_on
customer 2 "
test_that "the delivery.delivered event has ids and readings, but no names and no address"
expect_same "$(sql "SELECT payload FROM event WHERE type = 'delivery.delivered'" | jq -c 'del(.delivery_id, .window_from, .window_to)')" '{"code":"MP-AAAAAAAA","direction":"delivery","customer_id":2,"zone":"center","courier_id":3,"odometer_km":12345,"fuel_percent":80}'
test_that "handing over the car of a booking with collection requests the collection"
expect_sql "SELECT booking_code || ' ' || state || ' ' || (window_to - $half) FROM delivery WHERE direction = 'collection'" "MP-AAAAAAAA REQUESTED 86400"
test_that "a hand-over record is not overwritten"
json POST /deliveries/1/deliver '{"odometer_km":1,"fuel_percent":1,"received_by":"x"}'; expect_status 409
test_that "the same hand-over record again is accepted and writes no second event"
json POST /deliveries/1/deliver "$record"; expect_status 200
n_events delivery.delivered 1

# --- the internal call that booking makes (docs/calls.md)

bearer ''
test_that "the internal cancel call gets 404 for public requests"
json POST /internal/deliveries/MP-BBBBBBBB/cancel '{}'; expect_status 404
test_that "the internal cancel call does not cancel a delivered job"
internal POST /internal/deliveries/MP-AAAAAAAA/cancel '{"reason":"customer"}'; expect_status 200
expect_js .outcome shipped
test_that "the internal cancel call cancels a job that was not shipped"
internal POST /internal/deliveries/MP-BBBBBBBB/cancel '{"reason":"customer"}'; expect_js .outcome cancelled
expect_sql "SELECT state || ' ' || ended_by FROM delivery WHERE booking_code = 'MP-BBBBBBBB'" 'CANCELLED customer'
n_events delivery.cancelled 1
test_that "the same internal cancel call again gets the same answer and writes no second event"
internal POST /internal/deliveries/MP-BBBBBBBB/cancel '{"reason":"customer"}'; expect_js .outcome cancelled
n_events delivery.cancelled 1
test_that "the internal cancel call for a booking without a job stores the cancellation"
internal POST /internal/deliveries/MP-ZZZZZZZZ/cancel '{}'; expect_js .outcome cancelled
expect_sql "SELECT state || ' ' || requested_at FROM delivery WHERE booking_code = 'MP-ZZZZZZZZ'" 'CANCELLED 0'
test_that "the internal cancel call with a malformed booking code is refused"
internal POST '/internal/deliveries/x/cancel' '{}'; expect_status 422
test_that "the internal cancel call with an invalid body is refused"
internal POST /internal/deliveries/MP-BBBBBBBB/cancel '[1]'; expect_status 422

# --- a manager cancels a job

as manager
job MP-CCCCCCCC
id=$(sql "SELECT MAX(delivery_id) FROM delivery")
test_that "cancelling a job without a reason is refused at its field"
json POST "/deliveries/$id/cancel" '{}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' reason
export MOTORPOOL_UNDO_WINDOW_S=600
test_that "a job that is given up is cancelled only after the time to undo it, and nothing is reported before"
json POST "/deliveries/$id/assign" '{"courier_id":3}'; expect_status 200
json POST "/deliveries/$id/cancel" '{"reason":"the road is closed"}'; expect_status 200
expect_js .state SCHEDULED
expect_js .cancel_reason "the road is closed"
expect_js '.cancel_at|fromdateiso8601? // (.[0:19]+"Z"|fromdateiso8601 - 9*3600)|. > now + 500 and . < now + 700' true
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'delivery.cancelled' AND subject_id = 'MP-CCCCCCCC'" 0
test_that "giving it up again changes nothing"
was=$(js .cancel_at)
json POST "/deliveries/$id/cancel" '{"reason":"another reason"}'; expect_status 200
expect_js .cancel_at "$was"
expect_js .cancel_reason "the road is closed"
test_that "a job that is given up can be neither assigned to another courier, unassigned nor begun"
json POST "/deliveries/$id/ship"; expect_status 409
expect_js .error.code given_up
json POST "/deliveries/$id/assign" "{\"courier_id\":$(sql "SELECT MAX(user_id) FROM user_role WHERE role = 'courier'")}"; expect_status 409
expect_js .error.code given_up
json POST "/deliveries/$id/unassign"; expect_status 409
test_that "the dispatcher's pages show until when it can be undone, with the button"
browse manager
get "/deliveries/$id"; expect_body 'This job is being cancelled'
expect_body "action=\"/deliveries/$id/cancel/undo\""
expect_no_body "action=\"/deliveries/$id/assign\""
get /deliveries; expect_body 'being cancelled'
test_that "a courier cannot undo it"
as courier; json POST "/deliveries/$id/cancel/undo"; expect_status 403
test_that "undone, the job goes on as before, and undoing it twice is harmless"
as manager
json POST "/deliveries/$id/cancel/undo"; expect_status 200
expect_js .cancel_at null
expect_js .state SCHEDULED
json POST "/deliveries/$id/cancel/undo"; expect_status 200
json POST "/deliveries/$id/assign" '{"courier_id":3}'; expect_status 200
json POST "/deliveries/$id/unassign"; expect_status 200
test_that "after the time to undo it is too late, even before the sweep"
json POST "/deliveries/$id/cancel" '{"reason":"no driver"}'; expect_status 200
sql "UPDATE delivery SET cancel_at = $(date +%s) - 1 WHERE delivery_id = $id"
json POST "/deliveries/$id/cancel/undo"; expect_status 409
expect_js .error.code too_late
sql "UPDATE delivery SET cancel_at = 0, cancel_by = 0, cancel_reason = '' WHERE delivery_id = $id"
export MOTORPOOL_UNDO_WINDOW_S=0
test_that "a manager cancels a job with a reason"
json POST "/deliveries/$id/cancel" '{"reason":"the road is closed"}'; expect_status 200
expect_js .state CANCELLED
expect_js .ended_by dispatcher
expect_same "$(sql "SELECT payload FROM event WHERE type = 'delivery.cancelled' ORDER BY event_id DESC LIMIT 1" | jq -c '[.by,.reason,.note]')" '["dispatcher","","the road is closed"]'
test_that "the list of finished jobs has the delivered and cancelled ones"
json GET '/deliveries?view=finished'; expect_js .n_total 3
expect_js '[.deliveries[].state]|unique|join(" ")' 'CANCELLED DELIVERED'
test_that "a cancellation stored for a booking without a job is in no list"
json GET '/deliveries?view=all'; expect_js '[.deliveries[].code]|index("MP-ZZZZZZZZ")' null

# --- photos: sent from a file, since a shell variable cannot hold NUL bytes

job MP-DDDDDDDD
id=$(sql "SELECT MAX(delivery_id) FROM delivery")
json POST "/deliveries/$id/assign" '{"courier_id":3}'; json POST "/deliveries/$id/ship" '{}'
send_record() { # ID BASE64 RECEIVED_BY
	{
		for field in odometer_km=777 fuel_percent=50 "received_by=$3" note=; do
			printf -- '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' "${field%%=*}" "${field#*=}"
		done
		printf -- '--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'; base64 -d <<<"$2"; printf '\r\n--x--\r\n'
	} >"$VAR/sent"
	env REQUEST_METHOD=POST SCRIPT_NAME="/deliveries/$1/deliver" CONTENT_TYPE='multipart/form-data; boundary=x' CONTENT_LENGTH="$(stat -c %s "$VAR/sent")" \
		HTTP_ACCEPT=application/json HTTP_AUTHORIZATION="Bearer $token" "$program" <"$VAR/sent" >"$VAR/answer" 2>>"$VAR/log"
	status=$(sed -n 's/^Status: \([0-9]*\).*/\1/p' "$VAR/answer") body=$(sed '1,/^\r$/d' "$VAR/answer")
}
photos() { find "$VAR/handover" -type f 2>/dev/null | wc -l; }
photo() { # ID WHO: sets $status and prints the first bytes of the photo that WHO gets
	env REQUEST_METHOD=GET SCRIPT_NAME="/deliveries/$1/photo" HTTP_AUTHORIZATION="Bearer token-of-$2-0123456789" "$program" </dev/null 2>>"$VAR/log" >"$VAR/picture"
	status=$(sed -n '1s/^Status: \([0-9]*\).*/\1/p' "$VAR/picture")
	LC_ALL=C sed '1,/^\r$/d' "$VAR/picture" | head -c 3 | od -An -tx1
}
png=iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAALklEQVQIHWP8zwAFCQxGCgwMcMTCqGUkD+PD1IBoFgZtZC6CzcKgheAgs0jXAQCtwQON9fSXiwAAAABJRU5ErkJggg==
as courier
test_that "a truncated photo is refused at its field, and nothing is handed over"
send_record "$id" "$(base64 -d <<<$png | head -c 60 | base64 -w0)" Kim; expect_status 422
expect_js '.error.fields|keys|join(" ")' photo
expect_sql "SELECT state FROM delivery WHERE delivery_id = $id" SHIPPED
expect_same "$(photos)" 0
test_that "when the photo program cannot run, the answer is 503 and nothing is handed over"
MOTORPOOL_FLEET_PHOTO=/nonexistent send_record "$id" $png Kim; expect_status 503
expect_same "$(photos)" 0
test_that "the uploaded photo of a refused hand-over is deleted"
sql "UPDATE booking SET state = 'NO_SHOW' WHERE code = 'MP-DDDDDDDD'"
send_record "$id" $png Kim; expect_status 409
expect_same "$(photos)" 0
job MP-EEEEEEEE
id=$(sql "SELECT MAX(delivery_id) FROM delivery")
as manager; json POST "/deliveries/$id/assign" '{"courier_id":3}'; as courier; json POST "/deliveries/$id/ship" '{}'
test_that "the photo of a hand-over is stored in a file with mode 600, in a directory with mode 700"
send_record "$id" $png Kim; expect_status 200
expect_js .has_photo true
expect_same "$(photos)" 1
expect_same "$(stat -c %a "$VAR/handover" "$VAR"/handover/*.jpg | xargs)" '700 600'
for who in manager courier customer; do
	test_that "the $who can see the photo of a hand-over"
	expect_same "$(photo "$id" $who)" ' ff d8 ff'
done
for who in other stranger; do
	test_that "a user who is not involved ($who) cannot see the photo of a hand-over"
	photo "$id" $who >/dev/null; expect_status 404
done
test_that "the photo of a job without one is not found"
photo 1 manager >/dev/null; expect_status 404

# --- the same in a browser

job MP-FFFFFFFF; job MP-GGGGGGGG
browse manager
id=$(sql "SELECT MAX(delivery_id) FROM delivery")
test_that "the page of the job list has a card for each job, with the couriers to choose from"
get /deliveries; expect_status 200
expect_body 'class="job"'
expect_body "action=\"/deliveries/$id/assign\""
expect_body '>A courier</option>'
test_that "assigning a job on the page of the job list redirects back to it"
post "/deliveries/$id/assign" courier_id=3 back='/deliveries?view=today'; expect_status 303
expect_location '/deliveries?view=today'
test_that "assigning a job with a back URL of another site redirects to the job's page instead"
post "/deliveries/$id/assign" courier_id=3 back=//evil.example; expect_location "/deliveries/$id"
test_that "two jobs of one courier at the same time are accepted and marked"
post "/deliveries/$((id - 1))/assign" courier_id=3; expect_status 303
get /deliveries; expect_body 'overlaps another job'
test_that "a form with a wrong CSRF token is refused and changes nothing"
right=$csrf
csrf=wrong
post "/deliveries/$id/ship"; expect_status 403
csrf=$right; expect_sql "SELECT state FROM delivery WHERE delivery_id = $id" SCHEDULED
test_that "a late job is marked on the page of the job list"
sql "UPDATE delivery SET window_from = $((now - 9000)), window_to = $((now - 1800)) WHERE delivery_id = $id"
get '/deliveries?view=today'; expect_body '>late<'
test_that "a refused step gets 409 with the job's page, its reason and the history"
post "/deliveries/$id/deliver" odometer_km=1 fuel_percent=2 received_by=x; expect_status 409
expect_body 'no longer possible'
expect_body '>History<'
test_that "cancelling on the job's page without a reason marks the field"
post "/deliveries/$id/cancel" reason=; expect_status 422
expect_body 'id="e-reason"'
test_that "markup in a reason is escaped"
post "/deliveries/$id/cancel" reason='<script>alert(1)</script>'; expect_status 303
get "/deliveries/$id"; expect_no_body '<script>alert'
expect_body '&lt;script&gt;alert(1)'
test_that "a day sheet has a courier's jobs with plates, boxes to sign and the customer's phone number"
get "/deliveries/sheet?courier_id=3&day=$(TZ=Asia/Seoul date -d @$window +%F)"; expect_status 200
expect_body 'class="boxes"'
expect_body '010-5555'
expect_body '12가 3456'
test_that "a day sheet with an invalid day marks the field"
get '/deliveries/sheet?courier_id=3&day=2026-02-31'; expect_status 422
expect_body 'id="e-day"'
test_that "a day sheet without a courier asks for a courier and a day"
get /deliveries/sheet; expect_status 200
expect_body 'Choose a courier and a day'
test_that "the job list is paged"
for i in {10..34}; do job "MP-MANY00$i"; done
get '/deliveries'; expect_body 'rel="next"'
get '/deliveries?page=2'; expect_body 'rel="prev"'
test_that "the job list is in Korean for a user whose language is Korean"
lang=ko
sql "UPDATE person SET lang = 'ko'"
get /deliveries; expect_body '배정'
expect_body '미배정'
lang=en
sql "UPDATE person SET lang = 'en'"
make_user third courier
browse third
test_that "a courier's page is empty until a job is assigned"
get /deliveries; expect_status 200
expect_body 'No jobs for you'
expect_no_body 'class="jobs"'
sql "UPDATE delivery SET state = 'SCHEDULED', courier_id = $(user_id_of third) WHERE booking_code = 'MP-MANY0010'"
id=$(sql "SELECT delivery_id FROM delivery WHERE booking_code = 'MP-MANY0010'")
test_that "a courier's page has one button for an assigned job, to ship it"
get /deliveries; expect_body 'On my way'
expect_body "action=\"/deliveries/$id/ship\""
expect_no_body '/assign"'
test_that "a job's page and the day sheet show a courier the equipment to load, without cancelled equipment"
seat BOOKED 2 'Child seat'
seat ENDED 1 'Tent'
get "/deliveries/$id"; expect_body 'Equipment: 2 × Child seat<'
expect_no_body Tent
get "/deliveries/sheet?day=$(TZ=Asia/Seoul date -d @$window +%F)"; expect_body '<b>2 × Child seat</b>'
test_that "after shipping, a courier's page shows the hand-over as the next step, and no cancelling"
post "/deliveries/$id/ship"; expect_status 303
get /deliveries; expect_body "/deliveries/$id#hand-over"
get "/deliveries/$id"; expect_body 'name="odometer_km"'
expect_no_body 'Cancel job'
test_that "a courier gets only their own day sheet, whatever courier the request names"
get '/deliveries/sheet?courier_id=3'; expect_status 200
expect_body 'A third'
expect_no_body 'name="courier_id"'

# --- the customer's pages in booking

use booking
browse customer
job MP-AHEAD001 0 7200; job MP-AHEAD002 0 7200
sql "UPDATE delivery SET state = 'SCHEDULED', courier_id = 3 WHERE booking_code = 'MP-AHEAD001'; UPDATE delivery SET state = 'SHIPPED' WHERE booking_code = 'MP-AHEAD001'"
test_that "the cancel page of a booking whose car is on its way says that it cannot be cancelled, and offers no form"
get /bookings/MP-AHEAD001/cancel; expect_status 200
expect_body 'cannot be cancelled</h1>'
expect_body 'on its way to you'
expect_no_body 'Cancel without'
expect_no_body 'Cancel and refund'
test_that "the page of a booking whose car is on its way has no link to cancel it"
get /bookings/MP-AHEAD001; expect_status 200
expect_no_body '/cancel"'
test_that "a booking whose car was not shipped has a link and a form to cancel it"
get /bookings/MP-AHEAD002/cancel; expect_body 'action="/bookings/MP-AHEAD002/cancel"'
get /bookings/MP-AHEAD002; expect_body '/cancel"'

finish
