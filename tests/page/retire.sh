#!/bin/bash
# tests/page/retire.sh - a car that leaves service, is retired or moves while it is booked: who is asked, what can be undone, and what the
# counter then does with its bookings.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

# The bookings concerned, as the question on the page has them.
seen() { sed -n 's/.*name="seen" value="\([^"]*\)".*/\1/p' <<<"$body" | head -1; }
# CODE CAR_ID STARTS ENDS STATE [N_CARS]
booked() {
	sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, branch_name_ko, state, starts_at, ends_at,
	       amount, vat_amount, currency, charge_id, held_at, hold_until, paid_at, n_cars, model_id)
	     VALUES ('$1', (SELECT user_id FROM person WHERE email = 'ann@example.com'), $2, 'Ray', '$2 가', 'mini', 1, 'Gangnam', '강남점', '$5', $3, $4, 1000, 0,
	       'KRW', 1, 1, 1, 1, ${6:-1}, ${7:-0});"
}
n_events() { expect_sql "SELECT COUNT(*) FROM event WHERE type = '$1'" "$2"; }

begin fleet
export MOTORPOOL_UNDO_WINDOW_S=600
make_user mia manager
make_user ann customer
make_user leo courier
sql "INSERT INTO branch (branch_id, name, name_ko, region, address, phone) VALUES (1, 'Gangnam', '강남점', 'Seoul', '', ''), (2, 'Mapo', '마포점', 'Seoul', 'Mapo-daero 1', '02-1');
     INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev)
     SELECT n, n || ' 가', 'Ray', 'mini', 5, 'petrol', 'automatic', 50000, 5000, 1, 'IN_SERVICE', 0, 0, n
       FROM (WITH RECURSIVE v_c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM v_c WHERE n < 12) SELECT n FROM v_c)"
now=$(($(date +%s) / 1800 * 1800))

# --- retiring and its undo

as mia
test_that "a car without bookings is retired at once from the list, and for good only after the time to undo it"
json POST /fleet/cars/1/retire '{}'; expect_status 200
expect_js .service OUT_OF_SERVICE
expect_js '.retire_at|.[0:4]' "$(date +%Y)"
expect_sql "SELECT retire_at > $(date +%s) + 500 AND retire_at < $(date +%s) + 700 FROM car WHERE car_id = 1" 1
n_events car.retired 0
test_that "retiring it again changes nothing"
was=$(js .retire_at)
json POST /fleet/cars/1/retire '{}'; expect_status 200
expect_js .retire_at "$was"
n_events car.modified 1
test_that "its page shows until when it can be undone, with the button"
browse mia
get /fleet/cars/1; expect_body 'This car is being retired'
expect_body 'action="/fleet/cars/1/retire/undo"'
expect_no_body 'value="IN_SERVICE"'
test_that "in Korean too"
sql "UPDATE person SET lang = 'ko' WHERE email = 'mia@example.com'"; lang=ko; browse mia; get /fleet/cars/1; expect_body '폐차·매각 처리 중인 차량입니다'
sql "UPDATE person SET lang = 'en' WHERE email = 'mia@example.com'"; lang=en
test_that "a customer and a courier cannot undo it"
as ann; json POST /fleet/cars/1/retire/undo '{}'; expect_status 403
as leo; json POST /fleet/cars/1/retire/undo '{}'; expect_status 403
test_that "a form without the token of its page undoes nothing"
browse mia; get /fleet/cars/1; csrf=wrong; post /fleet/cars/1/retire/undo; expect_status 403
expect_sql "SELECT retire_at > 0 FROM car WHERE car_id = 1" 1
test_that "undone, it has its service again; undoing it twice is harmless"
get /fleet/cars/1; post /fleet/cars/1/retire/undo; expect_location '/fleet/cars/1?done=kept'
post /fleet/cars/1/retire/undo; expect_location '/fleet/cars/1?done=kept'
as mia; json GET /fleet/cars/1; expect_js .service IN_SERVICE
expect_js .retire_at null
test_that "a car that was in the workshop is there again"
json POST /fleet/cars/2/service '{"service":"OUT_OF_SERVICE"}'; expect_status 200
json POST /fleet/cars/2/retire '{}'; expect_status 200
json POST /fleet/cars/2/retire/undo '{}'; expect_js .service OUT_OF_SERVICE
test_that "putting it back into service ends the retiring too"
json POST /fleet/cars/2/retire '{}'; expect_status 200
json POST /fleet/cars/2/service '{"service":"IN_SERVICE"}'; expect_status 200
expect_js .retire_at null
expect_sql "SELECT retire_by || service_before FROM car WHERE car_id = 2" 0
test_that "when the time is over it cannot be undone, even before the sweep"
json POST /fleet/cars/2/retire '{}'; expect_status 200
sql "UPDATE car SET retire_at = $(date +%s) - 1 WHERE car_id = 2"
json POST /fleet/cars/2/retire/undo '{}'; expect_status 409
expect_js .error.code too_late
test_that "PUT with service RETIRED begins it too, and keeps the other changes"
full='"name":"Ray","body":"mini","seats":4,"fuel":"petrol","gearbox":"automatic","hourly_price":5000'
json PUT /fleet/cars/3 '{"plate":"3 가","daily_price":61000,"service":"RETIRED",'"$full"'}'; expect_status 200
expect_js .service OUT_OF_SERVICE
expect_js .daily_price 61000
expect_js '.retire_at != null' true
test_that "a change of its price meanwhile keeps it"
json PUT /fleet/cars/3 '{"plate":"3 가","daily_price":62000,'"$full"'}'; expect_status 200
expect_js '.retire_at != null' true
test_that "a car does not begin to be retired while a customer has it: 409 names the booking"
booked MP-OUT00001 4 $((now - 7200)) $((now + 7200)) CONFIRMED
sql "INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at) SELECT 'k4', 4, 'customer', booking_id, customer_id, $now FROM booking WHERE code = 'MP-OUT00001';
     UPDATE booking SET state = 'OUT' WHERE code = 'MP-OUT00001'"
json POST /fleet/cars/4/retire '{"confirm":true}'; expect_status 409
expect_js .error.code car_in_use
expect_js .error.details.booking_code MP-OUT00001
json DELETE /fleet/cars/4 '{"confirm":true}'; expect_status 409
json PUT /fleet/cars/4 '{"plate":"4 가","daily_price":61000,"service":"RETIRED","confirm":true,'"$full"'}'; expect_status 409
expect_js .error.code car_in_use
expect_sql "SELECT service || daily_price FROM car WHERE car_id = 4" IN_SERVICE50000
test_that "nor while a courier has it"
sql "INSERT INTO custody (key, car_id, kind, user_id, from_at) VALUES ('k5', 5, 'staff', 3, $now)"
json POST /fleet/cars/5/retire '{}'; expect_status 409
expect_js .error.details.kind staff
test_that "the schema refuses it too"
sql_fails "UPDATE car SET service = 'RETIRED' WHERE car_id = 4" || bad "it was retired"
sql_fails "UPDATE car SET service = 'OUT_OF_SERVICE', retire_at = 5, service_before = 'IN_SERVICE' WHERE car_id = 5" || bad "it began"
test_that "the page says who has it and has no button"
browse mia; get /fleet/cars/4/retire; expect_status 200
expect_body 'This car cannot be retired now'
expect_body MP-OUT00001
expect_no_body 'Retire the car'

# --- the bookings concerned

as mia
booked MP-SOON0001 6 $((now + 86400)) $((now + 90000)) CONFIRMED
booked MP-PAST0001 6 $((now - 90000)) $((now - 86400)) CONFIRMED
booked MP-GONE0001 6 $((now + 186400)) $((now + 190000)) CANCELLED
booked MP-MANY0001 7 $((now + 286400)) $((now + 290000)) CONFIRMED 2 1
sql "INSERT INTO booking_car SELECT booking_id, 2, 6, 'Ray', '', '6 가' FROM booking WHERE code = 'MP-MANY0001'"
for way in retire service delete put move; do
	test_that "a program gets the bookings concerned before a car leaves ($way), and nothing changes"
	case $way in
	retire) json POST /fleet/cars/6/retire '{}' ;;
	service) json POST /fleet/cars/6/service '{"service":"OUT_OF_SERVICE"}' ;;
	delete) json DELETE /fleet/cars/6 ;;
	put) json PUT /fleet/cars/6 '{"plate":"6 가","daily_price":50000,"service":"OUT_OF_SERVICE",'"$full"'}' ;;
	move) json PUT /fleet/cars/6 '{"plate":"6 가","daily_price":50000,"branch_id":2,'"$full"'}' ;;
	esac
	expect_status 409
	expect_js .error.code bookings_concerned
	expect_js '.error.details.bookings|map(.code)|join(" ")' "MP-SOON0001 MP-MANY0001"
	expect_js '.error.details.bookings[0].customer_name' "A ann"
	expect_js .error.details.n_total 2
	expect_sql "SELECT service || branch_id || retire_at FROM car WHERE car_id = 6" IN_SERVICE10
done
test_that "confirm: false is no confirmation"
json POST /fleet/cars/6/retire '{"confirm":false}'; expect_status 409
test_that "the question lists them, and a form without having seen them gets the question with 409"
browse mia
get /fleet/cars/6/retire; expect_body MP-SOON0001
expect_no_body MP-PAST0001
post /fleet/cars/6/retire; expect_status 409
expect_body 'Nothing has changed yet'
get /fleet/cars/6/service; expect_body MP-MANY0001
token_seen=$(seen)
test_that "a booking made between the question and the answer brings the question again"
booked MP-MEAN0001 6 $((now + 386400)) $((now + 390000)) PAID
post /fleet/cars/6/service service=OUT_OF_SERVICE seen="$token_seen"; expect_status 409
expect_body MP-MEAN0001
expect_sql "SELECT service FROM car WHERE car_id = 6" IN_SERVICE
test_that "one that was cancelled and another one made at once are noticed too"
token_seen=$(seen)
sql "UPDATE booking SET state = 'CANCEL_REQUESTED' WHERE code = 'MP-MEAN0001'"
booked MP-MEAN0002 6 $((now + 386400)) $((now + 390000)) PAID
post /fleet/cars/6/service service=OUT_OF_SERVICE seen="$token_seen"; expect_status 409
test_that "confirmed as shown, the car is out of service"
post /fleet/cars/6/service service=OUT_OF_SERVICE seen="$(seen)"; expect_location '/fleet/cars/6?done=out'
test_that "a program may send seen instead of confirm"
as mia
json POST /fleet/cars/6/service '{"service":"IN_SERVICE"}'; expect_status 200
json POST /fleet/cars/6/retire '{"seen":"1-1"}'; expect_status 409
json POST /fleet/cars/6/retire '{"seen":"'"$(js .error.details.seen)"'"}'; expect_status 200
json POST /fleet/cars/6/retire/undo '{}'; expect_status 200
test_that "with more than 20 bookings the first 20 are listed, with the number of the others"
for i in {10..32}; do booked "MP-LONG00$i" 8 $((now + i * 86400)) $((now + i * 86400 + 3600)) CONFIRMED; done
json POST /fleet/cars/8/retire '{}'; expect_js '.error.details.bookings|length' 20
expect_js .error.details.n_total 23
expect_js .error.details.n_more 3
browse mia; get /fleet/cars/8/retire; expect_body 'and 3 more, later'
test_that "the form that moves a car shows the bookings, keeps what was typed, and moves it when sent again"
form=(name=Ray name_ko= body=mini seats=5 fuel=petrol gearbox=automatic daily_price=55000 hourly_price=5000 model_id=0)
get /fleet/cars/7/edit; post /fleet/cars/7 plate='7 가' "${form[@]}" branch_id=2; expect_status 409
expect_body MP-MANY0001
expect_body 'value="55000"'
expect_sql "SELECT branch_id || ' ' || daily_price FROM car WHERE car_id = 7" '1 50000'
post /fleet/cars/7 plate='7 가' "${form[@]}" branch_id=2 seen="$(seen)"; expect_status 303
expect_sql "SELECT branch_id || ' ' || daily_price FROM car WHERE car_id = 7" '2 55000'
test_that "moving it back concerns no booking"
get /fleet/cars/7/edit; post /fleet/cars/7 plate='7 가' "${form[@]}" branch_id=1; expect_status 303

# --- at the counter

use booking
as mia
booked MP-HAND0001 9 $((now - 1800)) $((now + 90000)) CONFIRMED
booked MP-HAND0002 10 $((now - 1800)) $((now + 90000)) CONFIRMED 2 1
sql "INSERT INTO booking_car SELECT booking_id, 2, 11, 'Ray', '', '11 가' FROM booking WHERE code = 'MP-HAND0002';
     UPDATE car SET service = 'OUT_OF_SERVICE', service_at = $((now - 600)) WHERE car_id IN (9, 11)"
test_that "a car that is not in service is not handed out: 409 says which, and nothing changes"
json POST /bookings/MP-HAND0001/hand-out '{}'; expect_status 409
expect_js .error.code car_out_of_service
expect_js .error.details.plate '9 가'
expect_js .error.details.service OUT_OF_SERVICE
expect_sql "SELECT state FROM booking WHERE code = 'MP-HAND0001'" CONFIRMED
test_that "nor are the others of the same booking"
json POST /bookings/MP-HAND0002/hand-out '{}'; expect_status 409
expect_js .error.details.plate '11 가'
expect_sql "SELECT COUNT(*) FROM custody" 2
test_that "nor one that is being retired, or is retired"
sql "UPDATE car SET retire_at = $((now + 6000)), service_before = 'IN_SERVICE' WHERE car_id = 9"
json POST /bookings/MP-HAND0001/hand-out '{}'; expect_js .error.code car_out_of_service
sql "UPDATE car SET service = 'RETIRED', retire_at = 0, service_before = '' WHERE car_id = 11"
json POST /bookings/MP-HAND0002/hand-out '{}'; expect_js .error.details.service RETIRED
test_that "the manager's page of the booking says what to do, without a button to hand it over; a form from before gets it with 409"
browse mia
get /bookings/MP-HAND0001; expect_body 'The car 9 가 is not in service'
expect_no_body 'action="/bookings/MP-HAND0001/hand-out"'
post /bookings/MP-HAND0001/hand-out; expect_status 409
expect_body 'The car 9 가 is not in service'
test_that "the customer is not told yet"
browse ann; get /bookings/MP-HAND0001; expect_status 200
expect_no_body 'not in service'
as mia
test_that "such bookings need attention, with what to do, and nothing to retry"
json GET '/bookings/stuck?kind=car_gone'
expect_js '[.stuck[]|select(.subject_id=="MP-HAND0001")|.kind,.last_error,.try_url,.resolve_url]|map(tostring)|join(" ")' 'car_gone out_of_service null null'
expect_js '[.stuck[]|select(.subject_id=="MP-HAND0002")|.last_error]|join(" ")' retired
browse mia; get '/bookings/stuck?kind=car_gone'; expect_body 'Put it back into service in time'
test_that "in service again, it is handed out and needs no attention"
as mia
sql "UPDATE car SET service = 'IN_SERVICE', retire_at = 0, service_before = '' WHERE car_id = 9"
json GET '/bookings/stuck?kind=car_gone'; expect_js '.stuck|map(.subject_id)|index("MP-HAND0001")' null
json POST /bookings/MP-HAND0001/hand-out '{}'; expect_status 200
test_that "no no-show of a customer whose car is not in service"
json POST /bookings/MP-HAND0002/no-show '{}'; expect_status 409

# --- handed over at the new branch

booked MP-MOVE0001 12 $((now + 3600)) $((now + 90000)) CONFIRMED
sql "UPDATE car SET branch_id = 2, service_at = $((now - 600)) WHERE car_id = 12"
test_that "a booking whose car was moved needs attention"
json GET '/bookings/stuck?kind=car_gone'
expect_js '[.stuck[]|select(.subject_id=="MP-MOVE0001")|.last_error]|join(" ")' moved
test_that "a booking cannot be moved to where its car is not"
json POST /bookings/MP-MOVE0001/move '{"branch_id":1}'; expect_status 409
expect_js .error.code car_elsewhere
json POST /bookings/MP-MOVE0001/move '{"branch_id":77}'; expect_status 409
json POST /bookings/MP-MOVE0001/move '{}'; expect_status 422
test_that "a customer cannot move it"
as ann; json POST /bookings/MP-MOVE0001/move '{"branch_id":2}'; expect_status 403
test_that "the question names both branches; the answer changes the booking, once, with one event"
browse mia
get /bookings/MP-MOVE0001; expect_body 'href="/bookings/MP-MOVE0001/move"'
get /bookings/MP-MOVE0001/move; expect_body 'Hand over at Mapo?'
expect_body 'Mapo-daero 1'
post /bookings/MP-MOVE0001/move branch_id=2; expect_location /bookings/MP-MOVE0001
post /bookings/MP-MOVE0001/move branch_id=2; expect_location /bookings/MP-MOVE0001
n_events booking.moved 1
expect_sql "SELECT branch_id || branch_name || branch_name_ko FROM booking WHERE code = 'MP-MOVE0001'" '2Mapo마포점'
test_that "then it needs no attention, and its JSON names the new branch"
as mia
json GET '/bookings/stuck?kind=car_gone'; expect_js '.stuck|map(.subject_id)|index("MP-MOVE0001")' null
json GET /bookings/MP-MOVE0001; expect_js '"\(.branch_id) \(.branch_name)"' '2 Mapo'
test_that "a booking that has ended is not moved"
json POST /bookings/MP-GONE0001/move '{"branch_id":2}'; expect_status 409
expect_js .error.code wrong_state

finish
