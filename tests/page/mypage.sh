#!/bin/bash
# mypage.sh - My page and the fleet status page: the test writes events, the relay makes the read models, and the real program shows them.
. tests/page/lib.sh
begin mypage

relay() { "$BUILD/bin/relay" "$VAR" --once 2>>"$VAR/log"; }
view() { sqlite3 -cmd '.timeout 60000' "$VAR/view.db" "$1"; }

# tell TYPE SUBJECT JSON: writes an event with a made-up hash
tell() {
	sql "INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)
	     SELECT COALESCE(MAX(event_id), 0) + 1, '$1', '$2', strftime('%s', 'now') + 0, strftime('%s', 'now') + 0, '$3',
	            COALESCE(MAX(event_id), 0), COALESCE(MAX(event_id), 0) + 1 FROM event"
}
at() { date -u -d "$1" +%Y-%m-%dT%H:00:00+00:00; }
hold() { # CODE CUSTOMER CAR FROM TO [NAME]
	tell booking.held "$1" "{\"code\":\"$1\",\"customer_id\":$2,\"car_id\":$3,\"car_name\":\"${6-Avante}\",\"car_name_ko\":\"${7-아반떼}\",\"plate\":\"12가 3456\",\"body\":\"sedan\",\"branch_id\":1,\"branch_name\":\"Seoul Station\",\"branch_name_ko\":\"서울역\",\"starts_at\":\"$(at "$4")\",\"ends_at\":\"$(at "$5")\",\"amount\":207000,\"vat_amount\":18818,\"currency\":\"KRW\",\"hold_until\":\"$(at '+1 hour')\",\"lines\":[{\"rule\":\"daily\",\"version\":1,\"unit\":\"day\",\"quantity\":2,\"unit_amount\":90000,\"amount\":180000},{\"rule\":\"hourly\",\"version\":1,\"unit\":\"hour\",\"quantity\":3,\"unit_amount\":9000,\"amount\":27000}]}"
}
pay() {
	tell payment.approved "$1" '{"charge_id":5,"amount":207000,"currency":"KRW","brand":"Visa","last4":"4242"}'
	tell booking.paid "$1" '{"charge_id":5}'
}
confirm() { tell car.reserved "$1" '{"car_id":3}'; tell booking.confirmed "$1" '{}'; }
car() { # ID PLATE NAME NAME_KO
	tell car.registered "car:$1" "{\"car_id\":$1,\"plate\":\"$2\",\"name\":\"$3\",\"name_ko\":\"$4\",\"body\":\"sedan\",\"branch_id\":1,\"branch_name\":\"Seoul Station\",\"branch_name_ko\":\"서울역\",\"service\":\"IN_SERVICE\"}"
}

make_user kim customer
make_user lee customer
make_user boss manager
KIM=$(sql "SELECT $(user_id_of kim)") LEE=$(sql "SELECT $(user_id_of lee)")

# --- my bookings

test_that "without signing in, a browser is redirected to the sign-in page and a JSON request gets 401"
forget
use mypage
get /my/bookings; expect_status 303
expect_header 'Location: /account/sign-in'
json GET /my/bookings; expect_status 401

test_that "/my redirects to the bookings"
as kim
get /my; expect_status 303
expect_location /my/bookings

test_that "a customer without bookings gets an empty list"
as kim
ask GET /my/bookings; expect_status 200
expect_js '.bookings | length' 0

test_that "JSON: a booking before the relay has run gets 404 preparing for its customer, and 404 not_found for others"
hold MP-AAAA1111 "$KIM" 3 '+4 days' '+6 days'
as kim
json GET /my/bookings/MP-AAAA1111; expect_status 404
expect_js .error.code preparing
expect_header 'Retry-After: 1'
as lee
json GET /my/bookings/MP-AAAA1111; expect_status 404
expect_js .error.code not_found

test_that "JSON: a booking after the relay has run has its state, payment, price lines and events"
pay MP-AAAA1111; confirm MP-AAAA1111; relay
as kim; json GET /my/bookings/MP-AAAA1111; expect_status 200
expect_js .state CONFIRMED
expect_js .payment_state APPROVED
expect_js .last4 4242
expect_js '.lines | length' 2
expect_js '.events | map(.type) | join(" ")' 'booking.confirmed car.reserved booking.paid payment.approved booking.held'
expect_js .amount 207000
expect_js .car_id 3
expect_js .lines[0].rule daily

test_that "JSON: the list has a confirmed booking under upcoming and not under past"
as kim
json GET '/my/bookings?tab=upcoming'; expect_js '.bookings[0].code' MP-AAAA1111
expect_js .n_total 1
expect_js .page 1
json GET '/my/bookings?tab=past'; expect_js '.bookings | length' 0

test_that "another customer's booking, an unknown one and invalid codes are not found"
as lee; json GET /my/bookings/MP-AAAA1111; expect_status 404
as kim; for code in MP-ZZZZ9999 x "MP-AAAA1111'" '%3Cscript%3E' 'mp-aaaa1111'; do json GET "/my/bookings/$code"; expect_status 404; done

test_that "POST and DELETE get 405"
as kim; json POST /my/bookings '{}'; expect_status 405
json DELETE /my/bookings/MP-AAAA1111; expect_status 405

test_that "the list of bookings is paged, and invalid page numbers are no error"
for i in $(seq 21); do hold "MP-PAGE00$(printf %02d "$i")" "$KIM" 3 "+$((i + 10)) days" "+$((i + 11)) days"; done; relay
as kim
json GET '/my/bookings'; expect_js '.bookings | length' 20
expect_js .n_pages 2
for p in 2 9999 -1 x 99999999999999999999; do json GET "/my/bookings?page=$p"; expect_status 200; done

# --- the pages


test_that "the booking page has steps, price, card, history and actions"
browse kim; get /my/bookings/MP-AAAA1111; expect_status 200
for word in 'Confirmed' '₩207,000' '4242' 'Pick up the car' 'Your booking is confirmed' '/bookings/MP-AAAA1111/receipt' '/bookings/MP-AAAA1111/cancel' 'Up to date as of' 'data-step="done"'; do expect_body "$word"; done
expect_no_body 'data-refresh'

test_that "the booking page reloads itself while a step is about to happen"
hold MP-BBBB2222 "$KIM" 3 '+40 days' '+42 days'; pay MP-BBBB2222; relay
get /my/bookings/MP-BBBB2222; expect_body 'data-refresh="2"'

test_that "the page of a booking before the relay has run gets 200, says that it is being prepared, and reloads itself"
hold MP-CCCC3333 "$KIM" 3 '+50 days' '+52 days'
get /my/bookings/MP-CCCC3333; expect_status 200
expect_body 'being prepared'
expect_body 'data-refresh="1"'
get /my/bookings; expect_body '1 update pending'
relay

test_that "Korean pages have the Korean names of cars and branches"
sql "UPDATE person SET lang = 'ko' WHERE email = 'kim@example.com'"; get /my/bookings/MP-AAAA1111; expect_body '서울역'
expect_body '<h1>아반떼</h1>'
expect_no_body 'Avante'
get '/my/bookings?tab=all'; expect_body '>아반떼</a>'
expect_no_body 'Avante'
sql "UPDATE person SET lang = 'en'"

test_that "markup in the texts of events is escaped"
hold MP-DDDD4444 "$KIM" 3 '+60 days' '+62 days' '<script>alert(1)</script>' ''; relay
get /my/bookings/MP-DDDD4444; expect_no_body '<script>alert'
expect_body '&lt;script&gt;'
get '/my/bookings?tab=all&page=1'; expect_no_body '<script>alert'

test_that "the list of bookings links to their pages"
get /my/bookings; expect_body 'href="/my/bookings/MP-AAAA1111"'
expect_body 'aria-current="page"'

test_that "a cancelled booking is listed under cancelled, and its page shows the pending refund"
tell booking.cancel_requested MP-BBBB2222 '{"refund_due":207000,"reason":"customer"}'; relay
get '/my/bookings?tab=cancelled'; expect_body MP-BBBB2222
get /my/bookings/MP-BBBB2222; expect_body 'Refund in progress'
expect_body 'At your request'
expect_body 'data-refresh'

# --- delivery, equipment and messages of a booking

trip() { # TYPE ID DIRECTION [MORE]
	tell "delivery.$1" MP-FFFF6666 "{\"delivery_id\":$2,\"code\":\"MP-FFFF6666\",\"direction\":\"$3\",\"customer_id\":$KIM,\"zone\":\"center\",\"window_from\":\"$(at '+70 days')\",\"window_to\":\"$(at '+70 days 2 hours')\"${4-}}"
}
order() { # TYPE SUBJECT ORDER BOOKING CUSTOMER [MORE]
	tell "equipment.$1" "$2" "{\"order_code\":\"$3\",\"booking_code\":\"$4\",\"line_no\":3,\"customer_id\":$5,\"item_id\":1,\"item_name\":\"Tent <b>\",\"item_name_ko\":\"텐트\",\"quantity\":2,\"category\":\"camping\",\"starts_at\":\"$(at '+70 days')\",\"ends_at\":\"$(at '+71 days')\",\"amount\":30000,\"currency\":\"KRW\"${6-}}"
}

test_that "the booking page has the steps of the delivery, the equipment and the messages"
hold MP-FFFF6666 "$KIM" 3 '+70 days' '+71 days'; pay MP-FFFF6666; confirm MP-FFFF6666
sql "INSERT INTO person (user_id, email, name, phone, lang, password_hash, created_at, updated_at) VALUES (99, 'park@example.com', 'Park', '', 'en', 'x', 0, 0)"
trip requested 1 delivery; trip scheduled 1 delivery ',"courier_id":99'
order ordered MP-FFFF6666 MP-FFFF6666-3 MP-FFFF6666 "$KIM"
tell message.sent message:1001 "{\"message_id\":1001,\"recipient_id\":$KIM,\"kind\":\"delivery_scheduled\",\"about\":\"MP-FFFF6666\",\"channel\":\"folder\",\"tries\":1}"
relay; browse kim; get /my/bookings/MP-FFFF6666; expect_status 200
for word in 'Delivery' 'City centre' 'Courier assigned' 'Park' '2 × Tent &lt;b&gt;' 'Waiting for approval' 'All messages' 'A courier is assigned'; do expect_body "$word"; done
expect_no_body 'Tent <b>'

test_that "the booking page has a link to cancel, except while a courier is on the way with the car"
get /my/bookings/MP-FFFF6666; expect_body '/bookings/MP-FFFF6666/cancel'
trip shipped 1 delivery ',"courier_id":99'; relay; get /my/bookings/MP-FFFF6666
expect_no_body '/bookings/MP-FFFF6666/cancel'
trip scheduled 1 delivery ',"courier_id":99,"note":"nobody there"'; relay; get /my/bookings/MP-FFFF6666
expect_body '/bookings/MP-FFFF6666/cancel'

test_that "the booking page shows the reason of a rejected equipment order and the refund of the extra"
order rejected MP-FFFF6666 MP-FFFF6666-3 MP-FFFF6666 "$KIM" ',"reason":"All tents are wet."'
tell booking.extra_ended MP-FFFF6666 '{"line_no":2,"kind":"equipment","label":"Tent","label_ko":"텐트","refund_due":27000,"currency":"KRW","reason":"All tents are wet."}'
relay
get /my/bookings/MP-FFFF6666; expect_body 'Rejected'
expect_body 'All tents are wet.'
expect_body '₩27,000'
expect_body 'refund is in progress'
tell payment.cancelled MP-FFFF6666 '{"amount":27000,"refunded_amount":27000,"refund_key":"MP-FFFF6666-extra-2"}'
tell booking.extra_refunded MP-FFFF6666 '{"line_no":2,"refunded_amount":27000}'
relay; get /my/bookings/MP-FFFF6666; expect_body 'Refunded to your card'
as kim
json GET /my/bookings/MP-FFFF6666; expect_js .payment_state APPROVED
expect_js .orders[0].state REJECTED
expect_js .deliveries[0].courier_name Park
expect_js '.messages | map(select(.message_id == 1001))[0].kind' delivery_scheduled
expect_js .lines[1].refunded_amount 27000

test_that "equipment ordered without a car is listed on /my/equipment, for its customer only"
order ordered EQ-AAAA1111 EQ-AAAA1111 '' "$KIM"; order ordered EQ-BBBB2222 EQ-BBBB2222 '' "$LEE"; relay
as kim
json GET /my/equipment; expect_status 200
expect_js '.orders | map(.order_code) | join(" ")' EQ-AAAA1111
expect_js .n_total 1
browse kim
get /my/equipment; expect_body 'href="/equipment/orders/EQ-AAAA1111"'
expect_no_body EQ-BBBB2222
expect_body 'Tent &lt;b&gt;'
browse boss; get /my/equipment; expect_body 'No equipment ordered'
forget; use mypage; json GET /my/equipment; expect_status 401

test_that "the list of bookings has the number of equipment items of each booking"
order ordered MP-AAAA1111 MP-AAAA1111-3 MP-AAAA1111 "$KIM"; relay
browse kim; get /my/bookings; expect_body '2 items of equipment'
as kim; json GET '/my/bookings?tab=upcoming'
expect_js '.bookings | map(select(.code == "MP-AAAA1111"))[0].n_equipment' 2

# --- the fleet status page

test_that "only managers can see the fleet status"
as kim; json GET /view/cars; expect_status 403
as boss
json GET /view/cars; expect_status 200
expect_js length 0

test_that "JSON: each car has its status, its booking, and the payment, equipment, delivery and message of the booking"
car 3 '12가 3456' Avante 아반떼; car 4 '22나 2222' K5 케이5; relay
as boss; json GET /view/cars; expect_js length 2
expect_js '.[0].plate' '12가 3456'
expect_js '.[0].status' AVAILABLE
expect_js '.[0].booking.code' MP-AAAA1111
expect_js '.[0].booking.state' CONFIRMED
expect_js '.[0].payment.state' APPROVED
expect_js '.[1].booking' null
expect_js '.[1].payment' null
expect_js '.[0].n_equipment' 2
expect_js '.[0].delivery' null
expect_js '.[0].message' null
expect_js '.[1].n_equipment' 0

test_that "JSON: a car whose booking has started is RENTED once fleet has reserved it"
hold MP-EEEE5555 "$LEE" 4 'now' '+2 days'; pay MP-EEEE5555; relay
json GET /view/cars; expect_js '.[1].status' AVAILABLE
expect_js '.[1].booking.code' MP-EEEE5555
tell car.reserved MP-EEEE5555 '{"car_id":4}'; relay
json GET /view/cars; expect_js '.[1].status' RENTED

test_that "JSON: the fleet status can be searched by plate, name and booking, filtered and sorted"
json GET '/view/cars?q=k5'; expect_js length 1
expect_js '.[0].car_id' 4
json GET "/view/cars?q=$(encode 케이)"; expect_js length 1
expect_js '.[0].car_id' 4
expect_js '.[0].name_ko' '케이5'
json GET '/view/cars?q=mp-eeee5555'; expect_js '.[0].car_id' 4
json GET '/view/cars?status=RENTED'; expect_js '.[0].car_id' 4
expect_js length 1
json GET '/view/cars?branch_id=2'; expect_js length 0
json GET '/view/cars?sort=-plate'; expect_js '.[0].car_id' 4
for q in "'" '%25' '_' '"' '%3Cscript%3E' ';--'; do json GET "/view/cars?q=$q"; expect_status 200; done

test_that "invalid filters of the fleet status are refused at their field"
json GET '/view/cars?status=BROKEN'; expect_status 422
expect_js '.error.fields.status != null' true
json GET '/view/cars?branch_id=x'; expect_status 422
json GET "/view/cars?q=$(printf 'x%.0s' {1..200})"; expect_status 422

test_that "the Korean fleet status page has the Korean names of the cars and is sorted by them"
sql "UPDATE person SET lang = 'ko' WHERE email = 'boss@example.com'"; browse boss
get '/view/cars?sort=name'; expect_status 200
expect_body '케이5'
expect_no_body '>K5<'
grep -q '아반떼.*케이5' <<<"$(tr -d '\n' <<<"$body")" || bad "the cars are not sorted by their Korean names"
sql "UPDATE person SET lang = 'en'"

test_that "the fleet status page has the filtered cars, the filter and the time of the data"
browse boss
get '/view/cars?q=K5&sort=-plate'; expect_status 200
expect_body '22나 2222'
expect_no_body '12가 3456'
expect_body 'value="K5"'
expect_body 'Up to date as of'
expect_body 'aria-sort="descending"'
get '/view/cars?status=BROKEN'; expect_status 422
expect_body 'aria-invalid="true"'
get '/view/cars?q=nosuchcar'; expect_body 'No cars match'

# --- the read models are made from events only

test_that "after view.db is deleted, the relay makes the same rows again"
rows() { for t in my_booking my_booking_car my_booking_line my_delivery my_order my_message my_event view_car; do view "SELECT * FROM $t ORDER BY 1, 2" | sha256sum; done; }
before=$(rows)
rm -f "$VAR"/view.db*; relay
expect_same "$(rows)" "$before"

test_that "without view.db, the pages get 503 with Retry-After"
rm -f "$VAR"/view.db*
as kim
json GET /my/bookings; expect_status 503
expect_header 'Retry-After'

finish
