#!/bin/bash
# tests/page/extras.sh - bookings with delivery and equipment, as customers and API clients order, see and cancel them. Payment, review and
# delivery are down (their sockets are missing): requests that need them must be refused and leave nothing behind.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

at() { TZ=Asia/Seoul date -d "$1" +%Y-%m-%dT%H:00; }
order() { json POST /bookings '{"car_id":1,"starts_at":"'"$from"'","ends_at":"'"$to"'","card_id":11,'"$1"'}'; }
shown() { grep -o 'name="agreed_amount" value="[^"]*"' <<<"$body" | sed 's/.*value="\(.*\)"/\1/'; }
nothing_is_left() {
	expect_sql "SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED'" 0
	expect_sql "SELECT COUNT(*) FROM booking WHERE state <> 'EXPIRED'" 0
}
bad_field() { expect_status 422; expect_js '.error.fields|keys|join(" ")' "$1"; }

begin booking
make_user ann customer
make_user bob customer
sql "INSERT INTO branch (branch_id, name, name_ko, region, phone) VALUES (1, 'Gangnam', '강남점', 'Seoul', '02-555-0101');
     INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev) VALUES
       (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1);
     INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (11, 1, 'b1', 'Visa', '4242', 0);
     INSERT INTO item (item_id, name, name_ko, category, daily_price, is_offered, created_at, updated_at) VALUES
       (1, 'Child seat <b>', '카시트', 'child_seat', 5000, 1, 0, 0), (2, 'Tent', '텐트', 'camping', 20000, 1, 0, 0),
       (3, 'Sled', '썰매', 'winter', 9000, 0, 0, 0), (4, 'Roof box', '루프박스', 'other', 12000, 1, 0, 0);
     INSERT INTO stock_entry (item_id, kind, quantity, balance, entered_at) VALUES (1, 'receive', 5, 5, 0), (2, 'receive', 4, 4, 0), (3, 'receive', 1, 1, 0);"
from=$(at '3 days 10:00') to=$(at '5 days 10:00')
as ann

test_that "an order with extras while payment is down gets 503 (later), and holds neither the car nor equipment"
order '"delivery":{"address":"Teheran-ro 1","zone":"city","place":"lobby","collect":true},"equipment":[{"item_id":1,"qty":2}]'
expect_status 503
expect_js .error.code later
nothing_is_left
test_that "an order with extras is stored with a price line for each of them"
expect_sql "SELECT group_concat(rule || ' ' || quantity || '×' || unit_amount, ', ') FROM (SELECT * FROM booking_line ORDER BY line_no)" \
	"daily 2×90000, delivery 1×25000, collection 1×25000, equipment 4×5000"
expect_sql "SELECT zone || place || collects || (window_to - window_from) FROM booking_delivery" citylobby17200
expect_sql "SELECT amount FROM booking" 250000

test_that "a delivery without an address is refused"
order '"delivery":{"zone":"city"}'
bad_field delivery.address
test_that "a delivery without a zone is refused"
order '"delivery":{"address":"x"}'
bad_field delivery.zone
test_that "a delivery to an unknown zone is refused"
order '"delivery":{"address":"x","zone":"moon"}'
bad_field delivery.zone
test_that "a delivery window that starts before the rental is refused"
order '"delivery":{"address":"x","zone":"city","window_from":"'"$(at '3 days 09:00')"'"}'
bad_field delivery.window_from
test_that "a delivery window that ends after the rental is refused"
order '"delivery":{"address":"x","zone":"city","window_from":"'"$(at '5 days 09:00')"'"}'
bad_field delivery.window_from
test_that "a delivery window that does not start on a half hour is refused"
order '"delivery":{"address":"x","zone":"city","window_from":"'"${from%:00}:10"'"}'
bad_field delivery.window_from
test_that "a delivery that is a string is refused"
order '"delivery":"yes"'
bad_field delivery
test_that "a delivery with an unknown field is refused"
order '"delivery":{"address":"x","zone":"city","colour":"red"}'
bad_field delivery.colour
test_that "a delivery address with a line break is refused"
order '"delivery":{"address":"a\nb","zone":"city"}'
bad_field delivery.address
test_that "a delivery of null and an empty list of equipment are accepted as no extras"
order '"delivery":null,"equipment":[]'; expect_status 503

test_that "an order of more units than are available gets 409 out_of_stock and names the item"
order '"equipment":[{"item_id":1,"qty":6}]'; expect_status 409
expect_js .error.code out_of_stock
expect_js '.error.fields|keys|join(" ")' equipment.0.qty
expect_body 'Child seat'
test_that "the quantities of an item that is listed twice are added"
order '"equipment":[{"item_id":1,"qty":3},{"item_id":1,"qty":3}]'; expect_status 409
expect_js '.error.fields|keys|join(" ")' equipment.1.qty
test_that "an item that is not offered is refused"
order '"equipment":[{"item_id":1,"qty":1},{"item_id":3,"qty":1}]'
bad_field equipment.1.item_id
test_that "an unknown item is refused"
order '"equipment":[{"item_id":99,"qty":1}]'
bad_field equipment.0.item_id
for qty in 0 -1 51 1.5 '"x"' null '[1]'; do
	test_that "an invalid quantity is refused: $qty"
	order '"equipment":[{"item_id":1,"qty":'"$qty"'}]'; expect_status 422
done
test_that "a quantity without an item is refused"
order '"equipment":[{"qty":1}]'
bad_field equipment.0.item_id
test_that "equipment that is not a list is refused"
order '"equipment":3'
bad_field equipment
test_that "more than ten entries of equipment are refused"
order '"equipment":['"$(for i in {1..11}; do printf '{"item_id":1,"qty":1}%s' "$([[ $i -lt 11 ]] && echo ,)"; done)"']'; bad_field equipment.10.qty
test_that "refused orders with extras leave no reserved slot and only expired bookings"
nothing_is_left
test_that "an order of a sync item while review is down gets 503 (later), and nothing is charged or held"
order '"equipment":[{"item_id":2,"qty":1}]'; expect_status 503
expect_js .error.code later
expect_header "Retry-After:"
expect_body "approved first"
nothing_is_left; expect_sql "SELECT end_reason FROM booking ORDER BY booking_id DESC LIMIT 1" review_later

# A paid booking with delivery and equipment.
sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
       card_id, charge_id, held_at, hold_until, asked_at, paid_at)
     VALUES ('MP-TEST0001', 1, 1, 'Avante', '12가3456', 'sedan', 1, 'Gangnam', 'CONFIRMED', $(date -d '+3 days 00:00' +%s), $(date -d '+5 days 00:00' +%s),
       225000, 20455, 'KRW', 11, 5, $(date +%s), 0, 1, $(date +%s));
     INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)
     SELECT 1, 'BOOKED', starts_at, ends_at, ends_at + 3600, booking_id, 99 FROM booking WHERE code = 'MP-TEST0001';
     INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount, label, label_ko)
     SELECT booking_id, 1, 'daily', 1, 'day', 2, 90000, 180000, '', '' FROM booking WHERE code = 'MP-TEST0001' UNION ALL
     SELECT booking_id, 2, 'delivery', 1, 'trip', 1, 25000, 25000, 'Greater city', '시내 외곽' FROM booking WHERE code = 'MP-TEST0001' UNION ALL
     SELECT booking_id, 3, 'equipment', 1, 'piece_day', 4, 5000, 20000, 'Child seat <b>', '카시트' FROM booking WHERE code = 'MP-TEST0001';
     INSERT INTO booking_extra (booking_id, line_no, kind, ref_id, quantity, amount)
     SELECT booking_id, 2, 'delivery', 0, 1, 25000 FROM booking WHERE code = 'MP-TEST0001' UNION ALL
     SELECT booking_id, 3, 'equipment', 1, 2, 20000 FROM booking WHERE code = 'MP-TEST0001';
     INSERT INTO booking_delivery (booking_id, zone, address, window_from, window_to)
     SELECT booking_id, 'city', 'Teheran-ro <1>', starts_at, starts_at + 7200 FROM booking WHERE code = 'MP-TEST0001'
     "
test_that "JSON: a booking has its delivery, extras and price lines"
json GET /bookings/MP-TEST0001; expect_status 200
expect_js .delivery.address "Teheran-ro <1>"
expect_js '.extras|map(.kind + " " + .state)|join(", ")' "delivery BOOKED, equipment BOOKED"
expect_js '.lines[2].label' "Child seat <b>"
test_that "JSON: the delivery window of a booking is the one that a manager set for the job"
sql "INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id, requested_at, scheduled_at)
     VALUES ('MP-TEST0001', 'delivery', 'SCHEDULED', 1, 1893456000, 1893463200, 9, 1, 1)"
json GET /bookings/MP-TEST0001; expect_status 200
expect_js .delivery.window_from 2030-01-01T09:00:00+09:00
expect_js .delivery.window_to 2030-01-01T11:00:00+09:00
sql "DROP TRIGGER delivery_never_goes; DELETE FROM delivery"
test_that "cancelling while delivery is down gets 503 (later) and changes nothing"
json POST /bookings/MP-TEST0001/cancel '{}'; expect_status 503
expect_js .error.code later
expect_header "Retry-After:"
expect_sql "SELECT state || cancel_asked_at FROM booking WHERE code = 'MP-TEST0001'" CONFIRMED0
expect_sql "SELECT COUNT(*) FROM event WHERE type LIKE 'booking.cancel%'" 0
as bob
test_that "another customer cannot see a booking with delivery"
json GET /bookings/MP-TEST0001; expect_status 404
forget

make_user max customer
browse max
sql "DROP TRIGGER booking_is_frozen; UPDATE booking SET customer_id = $(user_id_of max) WHERE code = 'MP-TEST0001';
     INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (12, $(user_id_of max), 'b2', 'Visa', '4242', 0)"
test_that "a booking's page shows the delivery address, the zone and the extras"
get /bookings/MP-TEST0001; expect_status 200
expect_body "Teheran-ro &lt;1&gt;"
expect_body "Child seat &lt;b&gt;"
expect_body "A courier delivers the car"
expect_body "Greater city"
test_that "a booking's receipt shows the extras and the total"
get /bookings/MP-TEST0001/receipt; expect_status 200
expect_body "Child seat &lt;b&gt;"
expect_body "₩225,000"
sql "UPDATE booking_extra SET state = 'ENDED', end_reason = 'not in May', ended_at = 1, refund_due = amount, refund_state = 'DONE', refunded_amount = amount WHERE line_no = 3"
test_that "a cancelled extra is shown with its reason and refund, and reduces the refund of a cancellation"
get /bookings/MP-TEST0001; expect_body "Not available; ₩20,000 refunded"
expect_body "not in May"
get /bookings/MP-TEST0001/receipt; expect_body "−₩20,000"
expect_body "Total after refund"
expect_body "₩205,000"
expect_body "₩18,637" # 20,455 without the 1,818 of the refund, as in payment's ledger
expect_no_body "₩20,455"
get /bookings/MP-TEST0001/cancel; expect_body "Already refunded"
expect_body "₩205,000"
sql "UPDATE booking SET cancel_asked_at = 5, cancel_asked_by = customer_id WHERE code = 'MP-TEST0001'"
test_that "a booking that is being cancelled says so, and has no link or page to cancel it again"
get /bookings/MP-TEST0001; expect_body "Your cancellation is being processed"
expect_no_body "/cancel\""
get /bookings/MP-TEST0001/cancel; expect_status 303

sql "UPDATE booking SET state = 'CANCEL_REQUESTED' WHERE code = 'MP-TEST0001';
     UPDATE booking SET cancel_asked_at = 0, state = 'CANCELLED', end_reason = 'customer', ended_at = 7, refund_due = 143500, refunded_amount = 143500, refund_state = 'DONE' WHERE code = 'MP-TEST0001'"
test_that "the extras of a cancelled booking say what became of them and of their money, and the receipt what was kept"
get /bookings/MP-TEST0001; expect_body "Cancelled with the booking."
expect_body "₩17,500 of the refund is for this."
expect_body "Not available; ₩20,000 refunded"
expect_body "Total after refund: ₩61,500, of which VAT ₩5,591"
get /bookings/MP-TEST0001/receipt; expect_body "−₩163,500"
expect_body "₩61,500"
expect_body "₩17,500 of the refund is for this."
for address in "" /receipt /cancel; do
	test_that "JSON: a cancelled booking has what was kept, and its extras have ended with their share of the refund (${address:-the booking})"
	get "/bookings/MP-TEST0001$address"
	ask GET "/bookings/MP-TEST0001$address" '' '' application/json; expect_status 200
	expect_js .kept_amount 61500
	expect_js .kept_vat_amount 5591
	expect_js '.extras[0] | [.state, .end_reason, .refund_state, .refund_due, .refund_share] | join(" ")' "ENDED booking_cancelled DONE 0 17500"
	expect_js '.extras[1] | [.state, .end_reason, .refund_state, .refund_due, .refund_share] | join(" ")' "ENDED not in May DONE 20000 0"
done

from=$(at '9 days 10:00') to=$(at '11 days 10:00')
form=(car_id=1 "starts_at=$from" "ends_at=$to" card_id=12 terms_version=1)
test_that "the order form has the zones with their fees, and the offered items with the number left"
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"; expect_status 200
expect_body "Greater city · ₩25,000"
expect_body "Child seat &lt;b&gt;"
expect_body "5 left"
expect_body "none left for these dates"
expect_no_body Sled
test_that "updating the order form shows the price with the chosen extras and books nothing"
post /bookings "${form[@]}" update=1 delivery.wanted=1 delivery.zone=city equipment.0.item_id=2 equipment.0.qty=0 equipment.1.item_id=1 equipment.1.qty=2
expect_status 200
expect_body "₩225,000"
expect_no_body 'aria-invalid="true"'
expect_body '<option value="2" selected>'
expect_sql "SELECT COUNT(*) FROM booking WHERE customer_id = $(user_id_of max)" 1
test_that "the new total counts the equipment even while the delivery has no zone yet"
post /bookings "${form[@]}" update=1 delivery.wanted=1 equipment.0.item_id=1 equipment.0.qty=2
expect_status 200
expect_body "₩200,000"
test_that "submitting the order form without an address marks the field and keeps the typed values"
post /bookings "${form[@]}" delivery.wanted=1 delivery.zone=city delivery.place='gate <3>' equipment.0.item_id=1 equipment.0.qty=1
expect_status 422
expect_body 'id="e-delivery.address"'
expect_body 'gate &lt;3&gt;'
expect_body '<option value="city" selected>'
test_that "an address in the order form without the delivery checkbox orders no delivery"
post /bookings "${form[@]}" agreed_amount=180000 delivery.address=x delivery.zone=moon
expect_status 503
expect_sql "SELECT COUNT(*) FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id WHERE b.code <> 'MP-TEST0001'" 1
test_that "the order form for more units than are available gets 409 and marks the field with the number available"
post /bookings "${form[@]}" equipment.0.item_id=1 equipment.0.qty=9
expect_status 409
expect_body "only 5 available"
expect_body 'aria-invalid="true"'
extras=(delivery.wanted=1 delivery.address=x delivery.zone=city equipment.0.item_id=1 equipment.0.qty=1)
counts="SELECT (SELECT COUNT(*) FROM booking) || ' ' || (SELECT COUNT(*) FROM event) || ' ' || (SELECT COUNT(*) FROM slot)"
before=$(sql "$counts")
test_that "extras ticked in the order form without a new price get 409: the form again with them and the new total, and nothing is booked or charged"
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"
price=$(shown)
post /bookings "${form[@]}" agreed_amount="$price" "${extras[@]}"; expect_status 409
expect_body "The total is now ₩215,000. Please check it and pay again."
expect_body 'Book and pay ₩215,000'
expect_body 'name="agreed_amount" value="215000"'
expect_body '<option value="city" selected>'
expect_body '<option value="1" selected>'
expect_body 'name="delivery.wanted" value="1" checked'
expect_sql "$counts" "$before"
test_that "the order form with the new total goes on to the charge"
post /bookings "${form[@]}" agreed_amount="$(shown)" "${extras[@]}"; expect_status 503
expect_body "your card was not charged"
before=$(sql "$counts")
test_that "the order form without the total that it showed gets 409 with it"
post /bookings "${form[@]}"; expect_status 409
expect_body 'id="e-agreed_amount"'
expect_body 'name="agreed_amount" value="180000"'
expect_sql "$counts" "$before"
for wrong in x -5 1.5 99999999999999999999; do
	test_that "the order form with a malformed total is refused, and shows the right one: $wrong"
	post /bookings "${form[@]}" agreed_amount="$wrong"; expect_status 422
	expect_body 'name="agreed_amount" value="180000"'
done
test_that "updating the order form puts the new total into it"
post /bookings "${form[@]}" update=1 agreed_amount=180000 "${extras[@]}"; expect_status 200
expect_body 'name="agreed_amount" value="215000"'
expect_no_body 'id="e-agreed_amount"'
test_that "the order form says in Korean that the total has changed"
lang=ko
sql "UPDATE person SET lang = 'ko'"
post /bookings "${form[@]}" agreed_amount=180000 "${extras[@]}"; expect_status 409
expect_body "총액이 215,000원으로 바뀌었습니다"
lang=en
sql "UPDATE person SET lang = 'en'"
test_that "the order form is in Korean for a user whose language is Korean"
lang=ko
sql "UPDATE person SET lang = 'ko'"
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"; expect_body "시내 외곽"
expect_body 카시트
expect_body "5개 남음"
finish
