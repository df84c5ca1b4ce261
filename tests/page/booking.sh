#!/bin/bash
# tests/page/booking.sh - searching, ordering and cancelling by customers, managers and API clients, with valid and invalid requests.
# Payment is down (its socket is missing): requests that need it must be refused and leave nothing behind.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

at() { TZ=Asia/Seoul date -d "$1" +%Y-%m-%dT%H:00; }
order() { json POST /bookings '{"car_id":'"$1"',"starts_at":"'"$2"'","ends_at":"'"$3"'","card_id":'"$4${5+,$5}"'}'; }

begin booking
make_user ann customer
make_user bob customer
make_user mia manager
sql "INSERT INTO branch (branch_id, name, name_ko, region) VALUES (1, 'Gangnam <b>', '강남점', 'Seoul');
     INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev) VALUES
       (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1),
       (2, '34나5678', 'Ray <script>', 'mini', 4, 'petrol', 'automatic', 50000, 5000, 1, 'IN_SERVICE', 0, 0, 2),
       (3, '56다7890', 'Old', 'van', 3, 'diesel', 'manual', 80000, 8000, 1, 'RETIRED', 0, 0, 3);
     INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (11, 1, 'b1', 'Visa', '4242', 0), (12, 2, 'b2', 'Visa', '0002', 0);"
from=$(at '3 days 10:00') to=$(at '5 days 13:00')

test_that "the home page shows the search form"
get /; expect_status 200
expect_body 'name="from"'
expect_body "Gangnam &lt;b&gt;"
test_that "the home page is in Korean for a browser that prefers Korean"
lang=ko
get /; expect_body "예약 가능한 차량"
expect_body '<html lang="ko">'
expect_body 강남점
lang=en
test_that "a search shows available cars with their total price"
get "/cars?from=$from&to=$to"; expect_status 200
expect_body "₩207,000"
expect_body Avante
test_that "markup in the name of a car is escaped"
expect_body "Ray &lt;script&gt;"
expect_no_body "<script>"
test_that "a search does not show retired cars"
expect_no_body ">Old<"
test_that "JSON: a search returns the available cars with their total price, sorted as requested"
json GET "/cars?from=$from&to=$to&sort=-price"; expect_status 200
expect_js .n_free 2
expect_js '.cars[0].total_amount' 207000
expect_js '.cars[0].car_id' 1
expect_js .currency KRW
test_that "JSON: a search is filtered by body, seats and price"
json GET "/cars?from=$from&to=$to&body=mini"; expect_js .n_free 1
json GET "/cars?from=$from&to=$to&seats=5"; expect_js '.cars[0].car_id' 1
json GET "/cars?from=$from&to=$to&max_price=200000"; expect_js .n_free 1
test_that "JSON: a search without from and to is refused at both fields"
json GET /cars; expect_status 422
expect_js '.error.fields|keys|join(" ")' "from to"
for bad in "from=$to&to=$from" "from=2020-01-01T10:00&to=2020-01-02T10:00" "from=$from&to=$(at '1830 days 10:00')" "from=2027-02-31T10:00&to=$to" \
	"from=x&to=$to" "from=$from&to=%27%22%3E%3Cscript%3E" "from=$from" "from=${from%:00}:10&to=$to"; do
	test_that "JSON: a search with an invalid period is refused ($bad)"
	json GET "/cars?$bad"; expect_status 422
	expect_js .error.code invalid
	test_that "the page of a search with an invalid period marks the field and keeps the form ($bad)"
	get "/cars?$bad"; expect_status 422
	expect_body 'aria-invalid="true"'
	expect_no_body "<script>"
done
test_that "quotes in every search parameter get 422"
get "/cars?from=$from&to=$to&branch=%27&body=%22&fuel=%27--&seats=%22%3E&max_price=%27&sort=%27&page=%27"
expect_status 422
test_that "a page number far beyond the end of a search causes no server error"
get "/cars?from=$from&to=$to&page=499"; expect_no_body "Something went wrong"

test_that "a car's page has a calendar and the price"
get "/cars/1?from=$from&to=$to"; expect_status 200
expect_body "₩207,000"
expect_body 'class="month"'
test_that "JSON: a car is returned with its availability and price"
json GET "/cars/1?from=$from&to=$to"; expect_js .is_free true
expect_js .price.amount 207000
test_that "a car's page says what cancelling costs, with the date until which it is free"
get "/cars/1?from=$from&to=$to"; expect_body "Free cancellation until $(TZ=Asia/Seoul date -d "$from 1 day ago" '+%a %-d %b %Y, %H:%M')"
expect_body 'After that, 90% is refunded until the rental starts.'
test_that "JSON: a price has what cancelling costs"
json GET "/cars/1?from=$from&to=$to"; expect_js .price.cancellation.late_percent 90
expect_js .price.cancellation.free_until "$(TZ=Asia/Seoul date -d "$from 1 day ago" +%Y-%m-%dT%H:%M:00+09:00)"
test_that "the order form says above its button what cancelling costs"
as ann
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"; expect_body 'Free cancellation until'
test_that "the order form says in Korean what cancelling costs"
sql "UPDATE person SET lang = 'ko'"
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"; expect_body '까지 무료로 취소할 수 있습니다.'
sql "UPDATE person SET lang = 'en'"
forget
for id in 99 3 0 -1 x 1%27 99999999999999999999; do
	test_that "an unknown, retired or malformed car id is not found: $id"
	get "/cars/$id"; expect_status 404
done

test_that "the order form redirects a visitor to the sign-in page"
get "/bookings/new?car_id=1"; expect_status 303
expect_header "Location: /account/sign-in?next="
test_that "JSON: an order without a token gets 401"
order 1 "$from" "$to" 11; expect_status 401
as ann
test_that "an order while payment is down gets 503 (later) with Retry-After, and the car is available again"
order 1 "$from" "$to" 11; expect_status 503
expect_js .error.code later
expect_header "Retry-After:"
expect_sql "SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED'" 0
expect_sql "SELECT state || refund_state FROM booking" EXPIREDNONE
json GET "/cars?from=$from&to=$to"; expect_js .n_free 2
test_that "an order with another customer's card is refused at its field"
order 1 "$from" "$to" 12; expect_status 422
expect_js '.error.fields|keys|join(" ")' card_id
test_that "an order for an unknown car is refused at its field"
order 99 "$from" "$to" 11; expect_status 422
expect_js '.error.fields|keys|join(" ")' car_id
test_that "an order that starts in the past is refused at its field"
order 1 2020-01-01T10:00 "$to" 11; expect_status 422
expect_js '.error.fields|keys|join(" ")' starts_at
test_that "an order that starts on 31 February is refused at its field"
order 1 2027-02-31T10:00 "$to" 11; expect_status 422
expect_js '.error.fields|keys|join(" ")' starts_at
test_that "an order that ends before it starts is refused at its field"
order 1 "$to" "$from" 11; expect_status 422
expect_js '.error.fields|keys|join(" ")' ends_at
test_that "an order for five years is refused at its field"
order 1 "$from" "$(at '1830 days 10:00')" 11; expect_status 422
expect_js '.error.fields|keys|join(" ")' ends_at
test_that "an order with an unknown field is refused at that field"
order 1 "$from" "$to" 11 '"colour":"red"'; expect_status 422
expect_js '.error.fields|keys|join(" ")' colour
test_that "an order with malformed JSON gets 400"
json POST /bookings '{"car_id":'; expect_status 400
test_that "an order without fields is refused at each missing field"
json POST /bookings '{}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' "car_id card_id ends_at starts_at"
before=$(sql "SELECT COUNT(*) || ' ' || (SELECT COUNT(*) FROM event) FROM booking")
test_that "JSON: an order whose agreed amount is not the price gets 409 price_changed with the total, and nothing is written"
order 1 "$from" "$to" 11 '"agreed_amount":206999'; expect_status 409
expect_js .error.code price_changed
expect_js .error.details.total_amount 207000
expect_js .error.details.currency KRW
expect_js '.error.fields|keys|join(" ")' agreed_amount
expect_sql "SELECT COUNT(*) || ' ' || (SELECT COUNT(*) FROM event) FROM booking" "$before"
test_that "JSON: an order whose agreed amount is the price goes on to the charge"
order 1 "$from" "$to" 11 '"agreed_amount":207000'; expect_status 503
for wrong in '"x"' -1 1.5 true '[1]' '{"a":1}'; do
	test_that "JSON: a malformed agreed amount is refused at its field: $wrong"
	order 1 "$from" "$to" 11 '"agreed_amount":'"$wrong"; expect_status 422
done
test_that "refused orders leave only expired bookings"
expect_sql "SELECT COUNT(*) FROM booking WHERE state <> 'EXPIRED'" 0

# Orders for any car of a model, and for several cars at once.
sql "INSERT INTO car_model (model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price, state) VALUES
       (7, 'Kona <i>', 'suv', 5, 'petrol', 'automatic', 70000, 7000, 'ON_SALE'), (8, 'Gone', 'suv', 5, 'petrol', 'automatic', 70000, 7000, 'OFF_SALE');
     INSERT INTO car (car_id, plate, model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev)
       SELECT 20 + n, 'K' || n, 7, 'Kona', 'suv', 5, 'petrol', 'automatic', 70000, 7000, 1, CASE n WHEN 4 THEN 'OUT_OF_SERVICE' ELSE 'IN_SERVICE' END, 0, 0, 20 + n
       FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4);"
many() { json POST /bookings '{"model_id":'"$1"',"qty":'"$2"',"starts_at":"'"$from"'","ends_at":"'"$to"'","card_id":11'"${3+,$3}"'}'; }
hours="starts_at=$from&ends_at=$to"
forget
test_that "the list of models shows the number of available cars and the price of one, without models that are off sale"
get "/models?$hours"; expect_status 200
expect_body "Kona &lt;i&gt;"
expect_body "3 of 3 available"
expect_body "₩161,000"
expect_no_body "Gone"
expect_no_body "<i>"
test_that "the list of models is in Korean for a browser that prefers Korean"
lang=ko
get "/models?$hours"; expect_body "3대 중 3대 예약 가능"
expect_body "강남점"
lang=en
test_that "the list of models without a period shows the available cars of tomorrow"
get /models; expect_status 200
expect_body "3 of 3 available"
test_that "a model's page offers quantities up to the number of available cars"
get "/models/7?$hours"; expect_status 200
expect_body '<option value="3"'
expect_no_body '<option value="4"'
test_that "JSON: a model is returned with its available cars, the largest quantity, the price and the branches"
json GET "/models/7?$hours"; expect_js .model.n_free 3
expect_js .model.n_at_once 3
expect_js .price.amount 161000
expect_js '.model.branches[0].n_free' 3
test_that "an invalid period of a model search is refused at its field, and the page keeps the form"
json GET "/models?starts_at=$to&ends_at=$from"; expect_status 422
expect_js '.error.fields|keys|join(" ")' ends_at
get "/models/7?starts_at=x&ends_at=$to"; expect_status 422
expect_body 'aria-invalid="true"'
for id in 8 99 0 x 7%27; do
	test_that "an unknown or malformed model id or a model off sale is not found: $id"
	get "/models/$id"; expect_status 404
done
test_that "a search links to the model of a car with the number of available cars"
get "/cars?from=$from&to=$to&body=suv"; expect_body "3 available</a>"
as ann
test_that "an order for more cars than are available gets 409 out_of_stock"
many 7 4; expect_status 409
expect_js .error.code out_of_stock
for qty in 0 6 -1 '"x"' 1.5; do
	test_that "an order for an invalid number of cars is refused at its field: $qty"
	many 7 "$qty"; expect_status 422
	expect_js '.error.fields|keys|join(" ")' qty
done
test_that "an order for both a model and a car is refused at its field"
many 7 2 '"car_id":1'; expect_status 422
expect_js '.error.fields|keys|join(" ")' car_id
test_that "an order for a model that is off sale is refused at its field"
many 8 1; expect_status 422
expect_js '.error.fields|keys|join(" ")' model_id
test_that "an order at a branch without cars of the model gets 409 out_of_stock"
many 7 1 '"branch_id":9'; expect_status 409
expect_js .error.code out_of_stock
test_that "an order for several cars while payment is down gets 503 (later), and all of them are available again"
many 7 3; expect_status 503
expect_js .error.code later
expect_sql "SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED'" 0
json GET "/models/7?$hours"; expect_js .model.n_free 3

sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
       card_id, charge_id, held_at, hold_until, asked_at, paid_at, request_key, request_hash)
     VALUES ('MP-TEST0001', 1, 1, 'Avante', '12가3456', 'sedan', 1, 'Gangnam', 'CONFIRMED', $(date -d '+3 days 00:00' +%s), $(date -d '+5 days 00:00' +%s),
       180000, 16364, 'KRW', 11, 5, $(date +%s), 0, 1, $(date +%s), '', '');
     INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)
     VALUES (1, 'BOOKED', $(date -d '+3 days 00:00' +%s), $(date -d '+5 days 00:00' +%s), $(date -d '+5 days 01:00' +%s), (SELECT MAX(booking_id) FROM booking), 99);"
test_that "a customer can see their own booking"
json GET /bookings/MP-TEST0001; expect_status 200
expect_js .state CONFIRMED
expect_js .amount 180000
test_that "an order for a car that the customer has booked already gets 409 own_booking with its code"
order 1 "$from" "$to" 11; expect_status 409
expect_js .error.code own_booking
expect_js .error.details.code MP-TEST0001
as bob
test_that "an order for a car that another customer has booked gets 409 taken, and nothing about that booking"
order 1 "$from" "$to" 12; expect_status 409
expect_js .error.code taken
expect_no_body MP-
test_that "another customer's booking is not found"
json GET /bookings/MP-TEST0001; expect_status 404
test_that "another customer's booking cannot be cancelled"
json POST /bookings/MP-TEST0001/cancel '{}'; expect_status 404
test_that "the receipt of another customer's booking is not found"
json GET /bookings/MP-TEST0001/receipt; expect_status 404
test_that "the list of bookings redirects a customer"
json GET /bookings; expect_status 303
test_that "a customer cannot hand out a car"
json POST /bookings/MP-TEST0001/hand-out '{}'; expect_status 403
as mia
test_that "a manager's list has all bookings"
json GET /bookings; expect_status 200
expect_js '.bookings|map(.code)|contains(["MP-TEST0001"])' true
test_that "a manager finds a booking by its plate and state"
json GET "/bookings?q=12%EA%B0%803456&state=CONFIRMED"; expect_js .n_total 1
test_that "wildcards and quotes in a manager's search are taken literally"
json GET "/bookings?q=%27%25_%22"; expect_status 200
expect_js .n_total 0
test_that "handing out a car days before the booking starts gets 409"
json POST /bookings/MP-TEST0001/hand-out '{}'; expect_status 409
# Ben's booking is over and its car still out; Ann's next one begins. Both of car 2.
now=$(date +%s)
sql "INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount,
       currency, charge_id, held_at, hold_until) VALUES
       (90, 'MP-LATE0001', 2, 2, 'Ray', '34나5678', 'mini', 1, 'Gangnam', 'CONFIRMED', $((now - 90000)), $((now - 3000)), 1000, 0, 'KRW', 5, 1, 1),
       (91, 'MP-NEXT0001', 1, 2, 'Ray', '34나5678', 'mini', 1, 'Gangnam', 'CONFIRMED', $((now - 60)), $((now + 90000)), 1000, 0, 'KRW', 5, 1, 1);
     INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at) VALUES ('MP-LATE0001:1:2', 2, 'customer', 90, 2, $((now - 90000)));
     UPDATE booking SET state = 'OUT' WHERE booking_id = 90"
test_that "a car that another customer has is not handed out: 409 names the booking and until when it is due, and nothing changes"
json POST /bookings/MP-NEXT0001/hand-out '{}'; expect_status 409
expect_js .error.code car_in_use
expect_js .error.details.booking_code MP-LATE0001
expect_js .error.details.kind customer
expect_js .error.details.plate 34나5678
expect_js .error.details.due_at "$(TZ=Asia/Seoul date -d "@$((now - 3000))" +%Y-%m-%dT%H:%M:%S+09:00)"
expect_js '.error.message|contains("MP-LATE0001")' true
expect_sql "SELECT state FROM booking WHERE code LIKE 'MP-%0001' AND booking_id >= 90 ORDER BY booking_id" "OUT
CONFIRMED"
expect_sql "SELECT COUNT(*) FROM custody" 1
test_that "the booking's page says who has the car, with a link, and has no button to hand it over"
browse mia
get /bookings/MP-NEXT0001; expect_status 200
expect_body 'href="/bookings/MP-LATE0001"'
expect_body 'The car is still in use'
expect_no_body 'action="/bookings/MP-NEXT0001/hand-out"'
test_that "a form sent from an older page gets the same page with 409"
post /bookings/MP-NEXT0001/hand-out; expect_status 409
expect_body 'href="/bookings/MP-LATE0001"'
test_that "the customer's page does not say who has the car"
browse ann
get /bookings/MP-NEXT0001; expect_status 200
expect_no_body MP-LATE0001
as mia
test_that "after the return the next booking gets the car; both have a custody"
json POST /bookings/MP-LATE0001/take-back '{}'; expect_status 200
json POST /bookings/MP-NEXT0001/hand-out '{}'; expect_status 200
expect_js .state OUT
expect_sql "SELECT booking_id || ' ' || ended_by FROM custody ORDER BY custody_id" "90 returned
91 "
as ann
test_that "cancelling while payment is down gets 202: the refund is pending and the car is available again"
json POST /bookings/MP-TEST0001/cancel '{}'; expect_status 202
expect_js .state CANCEL_REQUESTED
expect_js .refund_due 180000
expect_js .kept_amount 180000 # not refunded yet
expect_sql "SELECT DISTINCT kind FROM slot" RELEASED
test_that "cancelling the same booking again gets the same answer"
json POST /bookings/MP-TEST0001/cancel '{}'; expect_status 202
forget

# More than one page of pending refunds; MP-STUCK125 is the newest, so it is on the second page.
sql "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
     INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
       held_at, hold_until, ended_at, refund_state) SELECT 'MP-STUCK' || (i + 100), 1, 1, 'Avante', '12가3456', 'sedan', 1, 'Gangnam', 'EXPIRED', 1800, 3600,
       1000, 91, 'KRW', 1, 1, 1000 + i, 'PENDING' FROM n"
test_that "a retried refund that is still pending is not reported as done, even if it is on the second page of the list"
make_user max manager
browse max
get '/bookings/stuck?done=MP-STUCK125'; expect_status 200
expect_body 'MP-STUCK101'
expect_body 'MP-STUCK125 was retried just now but is still pending'
sql "UPDATE booking SET refund_state = 'DONE' WHERE code = 'MP-STUCK125'"
get '/bookings/stuck?done=MP-STUCK125'; expect_body 'MP-STUCK125 is no longer pending'
test_that "the order form shows the number of cars and their total price"
get "/bookings/new?model_id=7&qty=2&$hours"; expect_status 200
expect_body "2 × Kona &lt;i&gt;"
expect_body "₩322,000"
expect_body 'name="qty" value="2"'
expect_body 'name="agreed_amount" value="322000"'
test_that "the order form of several cars of a model whose price has been doubled meanwhile gets 409 with the new total"
sql "UPDATE car_model SET daily_price = 140000, hourly_price = 14000 WHERE model_id = 7"
find "$VAR" -name payment.breaker -delete # a closed one refuses before the price is known
post /bookings model_id=7 qty=2 starts_at="$from" ends_at="$to" card_id=new terms_version=1 agreed_amount=322000; expect_status 409
expect_body 'The total is now ₩644,000'
expect_body 'name="agreed_amount" value="644000"'
expect_body 'name="qty" value="2"'
expect_sql "SELECT COUNT(*) FROM booking WHERE customer_id = $(user_id_of max)" 0
sql "UPDATE car_model SET daily_price = 70000, hourly_price = 7000 WHERE model_id = 7"
test_that "the order form for more cars than are available gets 409 with the reason"
get "/bookings/new?model_id=7&qty=4&$hours"; expect_status 409
expect_body "Not enough cars of this model"
test_that "the order form for an invalid number of cars gets 422 with the field marked"
get "/bookings/new?model_id=7&qty=6&$hours"; expect_status 422
expect_body 'id="e-qty"'
shown() { grep -o 'name="agreed_amount" value="[^"]*"' <<<"$body" | sed 's/.*value="\(.*\)"/\1/'; }
day=(starts_at="$(at '20 days 10:00')" ends_at="$(at '21 days 10:00')")
same_day="starts_at=$(at '20 days 10:00')&ends_at=$(at '21 days 10:00')"
test_that "a new card holds the car, and the same form sent again leads to the same payment"
find "$VAR" -name payment.breaker -delete
get "/bookings/new?car_id=2&$same_day"; expect_status 200
expect_body "Book and pay"
post /bookings car_id=2 "${day[@]}" card_id=new terms_version=1 agreed_amount="$(shown)" form_key=once; expect_status 303
payment=$location
post /bookings car_id=2 "${day[@]}" card_id=new terms_version=1 agreed_amount=50000 form_key=once; expect_status 303
expect_location "$payment"
expect_sql "SELECT COUNT(*) FROM booking WHERE customer_id = $(user_id_of max)" 1
held=$(sql "SELECT code FROM booking WHERE customer_id = $(user_id_of max)")
until=$(TZ=Asia/Seoul date -d "@$(sql "SELECT hold_until FROM booking WHERE code = '$held'")" +%H:%M)
test_that "the changed form, sent with the same key after Back, says until when the customer holds the car, links to that booking and has no pay button"
post /bookings car_id=2 starts_at="$(at '20 days 12:00')" ends_at="$(at '21 days 12:00')" card_id=new terms_version=1 agreed_amount=50000 form_key=once; expect_status 409
expect_body "You are holding this car until $until. Pay for it, or give it up."
expect_body "href=\"/bookings/$held\""
expect_body "Other cars available at that time"
expect_body "Change dates"
expect_no_body 'id="order-total"'
expect_body '<fieldset class="stack" disabled>'
test_that "the order form and the page of a car that the customer holds say so and link to the booking"
get "/bookings/new?car_id=2&$same_day"; expect_status 409
expect_body "You are holding this car until $until"
expect_no_body 'id="order-total"'
get "/cars/2?from=$(at '20 days 10:00')&to=$(at '21 days 10:00')"; expect_body "You are holding this car until $until"
expect_body "href=\"/bookings/$held\""
test_that "the changed form for another car is another order, however often it is sent"
post /bookings car_id=1 "${day[@]}" card_id=new terms_version=1 agreed_amount=90000 form_key=once; expect_status 303
post /bookings car_id=1 "${day[@]}" card_id=new terms_version=1 agreed_amount=90000 form_key=once; expect_status 303
expect_sql "SELECT COUNT(*) FROM booking WHERE customer_id = $(user_id_of max)" 2
test_that "JSON: an order for a car that the customer holds gets 409 own_hold with the code of the booking"
as max
json POST /bookings '{"car_id":2,"starts_at":"'"$(at '20 days 12:00')"'","ends_at":"'"$(at '21 days 12:00')"'","card_id":11}'; expect_status 409
expect_js .error.code own_hold
expect_js .error.details.code "$held"
expect_js '.error.details.hold_until | length' 25
test_that "JSON: a hold is given up by cancelling it, and its car is available again"
json POST "/bookings/$held/cancel" '{}'; expect_status 200
expect_js .state EXPIRED
expect_js .end_reason given_up
json GET "/cars/2?from=$(at '20 days 10:00')&to=$(at '21 days 10:00')"; expect_js .is_free true
json POST "/bookings/$held/cancel" '{}'; expect_status 409
expect_js .error.code not_cancellable
browse max
test_that "a page gives up a hold as well"
other=$(sql "SELECT code FROM booking WHERE customer_id = $(user_id_of max) AND state = 'HELD'")
get "/bookings/$other"; expect_body "/bookings/$other/cancel"
get "/bookings/$other/cancel"; expect_body "Nothing has been charged"
post "/bookings/$other/cancel"; expect_status 303
get "/bookings/new?car_id=1&$same_day"; expect_status 200
expect_body 'id="order-total"'
test_that "the form of a car that another customer has booked has no pay button, and offers other cars and dates"
sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
       card_id, charge_id, held_at, hold_until, asked_at, paid_at, request_key, request_hash)
     VALUES ('MP-TEST0002', 2, 1, 'Avante', '12가3456', 'sedan', 1, 'Gangnam', 'CONFIRMED', $(date -d '+20 days 00:00' +%s), $(date -d '+22 days 00:00' +%s),
       180000, 16364, 'KRW', 12, 6, $(date +%s), 0, 1, $(date +%s), '', '');
     INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)
     VALUES (1, 'BOOKED', $(date -d '+20 days 00:00' +%s), $(date -d '+22 days 00:00' +%s), $(date -d '+22 days 01:00' +%s), (SELECT MAX(booking_id) FROM booking), 999);"
get "/bookings/new?car_id=1&$same_day"; expect_status 409
expect_body "This car is already booked for these dates."
expect_body "Other cars available at that time"
expect_no_body 'id="order-total"'
expect_no_body MP-TEST0002
post /bookings car_id=1 "${day[@]}" card_id=new terms_version=1 agreed_amount=1 form_key=two; expect_status 409
expect_body "Another customer has just booked this car"
expect_no_body 'id="order-total"'
expect_no_body 'id="e-agreed_amount"'
test_that "cars, models and addresses are named in Korean on Korean pages and in English on English pages"
sql "UPDATE car SET name_ko = '현대 아반떼' WHERE car_id = 1; UPDATE car_model SET name_ko = '코나' WHERE model_id = 7;
	     UPDATE branch SET address = '396 Gangnam-daero', address_ko = '강남대로 396' WHERE branch_id = 1; UPDATE person SET lang = 'ko'"
bare="from=$(at '30 days 10:00')&to=$(at '31 days 10:00')"
get "/cars?$bare&sort=name"; expect_body '현대 아반떼'
expect_no_body '>Avante<'
get "/cars/1?$bare"; expect_body '<h1>현대 아반떼</h1>'
expect_body '강남대로 396'
expect_no_body '396 Gangnam'
get "/models/7?$hours"; expect_body '<h1>코나</h1>'
get "/bookings/new?car_id=1"; expect_body '현대 아반떼'
expect_body '강남대로 396'
sql "UPDATE person SET lang = 'en'"
get "/cars/1?$bare"; expect_body '<h1>Avante</h1>'
expect_body '396 Gangnam'
expect_no_body '강남대로'
expect_no_body '현대'
test_that "JSON: cars and models have their names in both languages"
json GET "/cars/1"; expect_js .car.name Avante
expect_js .car.name_ko '현대 아반떼'
expect_js .car.branch_address_ko '강남대로 396'
json GET "/models/7?$hours"; expect_js .model.name_ko '코나'
json GET "/cars?$bare"; expect_js '.cars | map(select(.car_id == 1))[0].name_ko' '현대 아반떼'
forget


# begun CODE CAR_ID SECONDS [STATE [no-slot]]: a booking of Ann that began so long ago, with its slot
begun() {
	local now
	now=$(date +%s)
	sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount,
	       currency, charge_id, held_at, hold_until) VALUES ('$1', 1, $2, 'Avante', '12가3456', 'sedan', 1, 'Gangnam', '${4-CONFIRMED}', $now - $3, $now - $3 + 90000,
	       90000, 8182, 'KRW', 1, 1, 1)"
	[[ -n ${5-} ]] || sql "INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev) SELECT car_id, 'BOOKED', starts_at, ends_at, ends_at, booking_id, 900000 + booking_id
	       FROM booking WHERE code = '$1'"
}
sql "DELETE FROM slot WHERE car_id IN (1, 2)"
begun MP-BEGUN001 1 1800; begun MP-BEGUN002 77 3700
starts=$(TZ=Asia/Seoul date -d "@$(sql "SELECT starts_at + 3600 FROM booking WHERE code = 'MP-BEGUN001'")" '+%a %-d %b %Y, %H:%M')
browse max
test_that "before the grace after its start has passed a booking has no no-show button, and the page says from when"
get /bookings/MP-BEGUN001; expect_no_body '/bookings/MP-BEGUN001/no-show'
expect_body "You can record this from $starts."
post /bookings/MP-BEGUN001/no-show; expect_status 409
expect_body "This booking can be recorded as not picked up from $starts."
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN001'" CONFIRMED
test_that "JSON: a no-show before the grace has passed gets 409 too_early"
as max; json POST /bookings/MP-BEGUN001/no-show '{}'; expect_status 409
expect_js .error.code too_early
test_that "no_show_grace_s sets how long the grace is"
MOTORPOOL_NO_SHOW_GRACE_S=1200 json POST /bookings/MP-BEGUN001/no-show '{}'; expect_status 200
expect_js .state NO_SHOW
test_that "while another customer has the car, a booking has no no-show button, and the page names the booking that has it"
sql "UPDATE slot SET kind = 'RELEASED' WHERE booking_id = (SELECT booking_id FROM booking WHERE code = 'MP-BEGUN002')"
begun MP-BEGUN003 77 200000 OUT
sql "UPDATE slot SET ends_at = starts_at + 3600, busy_until = starts_at + 3600 WHERE booking_id = (SELECT booking_id FROM booking WHERE code = 'MP-BEGUN003');
     UPDATE slot SET kind = 'BOOKED' WHERE booking_id = (SELECT booking_id FROM booking WHERE code = 'MP-BEGUN002');
     INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at) SELECT 'begun', 77, 'customer', booking_id, 1, starts_at FROM booking WHERE code = 'MP-BEGUN003'"
browse max
get /bookings/MP-BEGUN002; expect_no_body '/bookings/MP-BEGUN002/no-show'
expect_body 'href="/bookings/MP-BEGUN003"'
get /bookings/MP-BEGUN002/no-show; expect_status 409
as max; json POST /bookings/MP-BEGUN002/no-show '{}'; expect_status 409
expect_js .error.code car_out
expect_js '.error.message|contains("MP-BEGUN003")' true
test_that "while staff move the car, a booking is no no-show, and the message names the car"
sql "UPDATE custody SET to_at = from_at, ended_by = 'returned' WHERE key = 'begun';
     INSERT INTO custody (key, car_id, kind, user_id, from_at) VALUES ('moved', 77, 'staff', 3, $(date +%s) - 9000)"
json POST /bookings/MP-BEGUN002/no-show '{}'; expect_status 409
expect_js .error.code car_out
expect_js '.error.message|contains("12가3456")' true
sql "UPDATE custody SET to_at = from_at, ended_by = 'returned' WHERE key = 'moved'"
export MOTORPOOL_UNDO_WINDOW_S=600
test_that "from the grace after its start on, a booking's page leads to the question, which says what a no-show does"
browse max
get /bookings/MP-BEGUN002; expect_body 'href="/bookings/MP-BEGUN002/no-show"'
get /bookings/MP-BEGUN002/no-show; expect_status 200
expect_body 'Record as not picked up?'
expect_body 'You can undo it for 10 minutes'
expect_body '₩81,000 is refunded to the customer; ₩9,000 is kept.'
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN002'" CONFIRMED
test_that "a no-show can be undone for ten minutes: the car stays booked, nothing is refunded, and the page says until when"
post /bookings/MP-BEGUN002/no-show; expect_status 303
expect_sql "SELECT state, undo_until - ended_at, refund_due FROM booking WHERE code = 'MP-BEGUN002'" 'NO_SHOW|600|0'
expect_sql "SELECT kind FROM slot WHERE booking_id = (SELECT booking_id FROM booking WHERE code = 'MP-BEGUN002')" BOOKED
get /bookings/MP-BEGUN002; expect_body 'action="/bookings/MP-BEGUN002/no-show/undo"'
expect_body 'You can undo this until'
expect_body '(KST)'
test_that "a second click on the no-show leads to the same page; a program gets 409"
post /bookings/MP-BEGUN002/no-show; expect_status 303
get /bookings/MP-BEGUN002/no-show; expect_status 303
expect_sql "SELECT COUNT(*) FROM event WHERE subject_id = 'MP-BEGUN002' AND type = 'booking.no_show'" 1
as max; json POST /bookings/MP-BEGUN002/no-show '{}'; expect_status 409
expect_js .error.code wrong_state
test_that "the customer's page says until when to call, and has no button to undo it"
browse ann
get /bookings/MP-BEGUN002; expect_status 200
expect_body 'We have recorded that the car was not picked up.'
expect_no_body '/undo"'
post /bookings/MP-BEGUN002/no-show/undo; expect_status 403
test_that "undoing without the form's token is refused"
browse max
csrf=wrong post /bookings/MP-BEGUN002/no-show/undo; expect_status 403
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN002'" NO_SHOW
test_that "an undone no-show is confirmed again; a second click is harmless"
browse max
get /bookings/MP-BEGUN002
post /bookings/MP-BEGUN002/no-show/undo; expect_status 303
expect_sql "SELECT state, undo_until, end_reason FROM booking WHERE code = 'MP-BEGUN002'" 'CONFIRMED|0|'
post /bookings/MP-BEGUN002/no-show/undo; expect_status 303
as max; json POST /bookings/MP-BEGUN002/no-show/undo '{}'; expect_status 409
expect_js .error.code wrong_state
expect_sql "SELECT COUNT(*) FROM event WHERE subject_id = 'MP-BEGUN002' AND type = 'booking.no_show_undone'" 1
test_that "JSON: undo_until says until when; after that 409 undo_over, and nothing changes"
json POST /bookings/MP-BEGUN002/no-show '{}'; expect_status 200
expect_js '.undo_until|endswith("+09:00")' true
sql "UPDATE booking SET undo_until = $(date +%s) WHERE code = 'MP-BEGUN002'"
json POST /bookings/MP-BEGUN002/no-show/undo '{}'; expect_status 409
expect_js .error.code undo_over
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN002'" NO_SHOW
test_that "a return is asked for on its own page, and can be undone: the customer has the car as before"
begun MP-BEGUN004 78 7200
json POST /bookings/MP-BEGUN004/hand-out '{}'; expect_status 200
browse max
get /bookings/MP-BEGUN004; expect_body 'href="/bookings/MP-BEGUN004/take-back"'
get /bookings/MP-BEGUN004/take-back; expect_status 200
expect_body 'Car returned and checked?'
post /bookings/MP-BEGUN004/take-back; expect_status 303
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN004'" RETURNED
get /bookings/MP-BEGUN004; expect_body 'action="/bookings/MP-BEGUN004/take-back/undo"'
post /bookings/MP-BEGUN004/take-back; expect_status 303
post /bookings/MP-BEGUN004/take-back/undo; expect_status 303
post /bookings/MP-BEGUN004/take-back/undo; expect_status 303
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN004'" OUT
expect_sql "SELECT COUNT(*), SUM(to_at IS NULL) FROM custody WHERE car_id = 78" '1|1'
test_that "the next customer gets the returned car at once, and then its return cannot be undone: the page and JSON say why"
post /bookings/MP-BEGUN004/take-back; expect_status 303
begun MP-BEGUN005 78 60 CONFIRMED no-slot
as max; json POST /bookings/MP-BEGUN005/hand-out '{}'; expect_status 200
json POST /bookings/MP-BEGUN004/take-back/undo '{}'; expect_status 409
expect_js .error.code undo_refused
expect_js '.error.message|contains("MP-BEGUN005")' true
expect_sql "SELECT state FROM booking WHERE code = 'MP-BEGUN004'" RETURNED
browse max
get /bookings/MP-BEGUN004; expect_no_body 'take-back/undo"'
expect_body 'has been handed over for booking MP-BEGUN005 since'
test_that "the Korean page says the same"
lang=ko; sql "UPDATE person SET lang = 'ko'"
get /bookings/MP-BEGUN004; expect_body '예약 MP-BEGUN005 고객에게 인도되어 되돌릴 수 없습니다'
lang=en; sql "UPDATE person SET lang = 'en'"
test_that "with undo_window_s = 0 a return is completed at once"
export MOTORPOOL_UNDO_WINDOW_S=0
as max; json POST /bookings/MP-BEGUN005/take-back '{}'; expect_status 200
expect_js .state COMPLETED
expect_js .undo_until null
json POST /bookings/MP-BEGUN005/take-back/undo '{}'; expect_status 409
expect_js .error.code undo_over
forget

export MOTORPOOL_CURRENCY=USD
test_that "with USD a search and its prices are in dollars and cents"
get "/cars?$bare&max_price=500.00"; expect_status 200
expect_body '$500.00'
expect_body 'value="500.00"'
expect_no_body '$900.00'
get "/cars?$bare&max_price=%24900"; expect_body '$900.00'
get "/cars?$bare&max_price=100"; expect_body 'No available cars match your search'
test_that "with USD a search with a third decimal is refused at its field"
get "/cars?$bare&max_price=500.005"; expect_status 422
expect_body 'Please enter an amount with at most 2 decimals.'
expect_body 'value="500.005"'
test_that "JSON: with USD max_price is whole cents"
json GET "/cars?$bare&max_price=50000"; expect_js '[.cars[].total_amount]|max' 50000
expect_js .currency USD
json GET "/cars?$bare&max_price=500.00"; expect_status 422
test_that "with USD the Korean pages write the word behind the amount"
lang=ko; get "/cars?$bare"; expect_body '500.00달러'
lang=en
unset MOTORPOOL_CURRENCY

test_that "the order form of a visitor who is not signed in gets 401"
ask POST /bookings application/x-www-form-urlencoded "car_id=1"; expect_status 401
finish
