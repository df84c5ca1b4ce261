#!/bin/bash
# tests/page/firm.sh - what managers give back: a booking cancelled by the firm, a part of a price. Payment is down (its socket is missing): what is
# owed is in booking's rows and follows.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

begin booking
make_user ann customer
make_user mia manager
make_user max manager customer
sql "INSERT INTO branch (branch_id, name, name_ko, region) VALUES (1, 'Gangnam', '강남점', 'Seoul');
     INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev)
     VALUES (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 49000, 4900, 1, 'IN_SERVICE', 0, 0, 1)"
now=$(date +%s) car=0
# booked CODE STATE CUSTOMER START [SLOT] makes a paid booking of a day, START seconds from now, 49,000 with 4,455 of VAT.
booked() {
	sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency, charge_id,
	     held_at, hold_until, paid_at, ended_at)
	     VALUES ('$1', $(user_id_of "$3"), $((++car)), 'Avante', '12가3456', 'sedan', 1, 'Gangnam', '$2', $now + $4, $now + $4 + 86400, 49000, 4455,
	     'KRW', 1, 1, 1, 1, 1);
	     INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount)
	     SELECT booking_id, 1, 'daily', 1, 'day', 1, 49000, 49000 FROM booking WHERE code = '$1';
	     INSERT INTO slot (car_id, kind, starts_at, ends_at, busy_until, booking_id, rev)
	     SELECT car_id, '${5-RELEASED}', starts_at, ends_at, ends_at, booking_id, booking_id FROM booking WHERE code = '$1'"
}
state_of() { sql "SELECT state, cancel_by, cancel_reason, refund_due, compensation_due, compensation_state FROM booking WHERE code = '$1'"; }

booked MP-FIRM001 CONFIRMED ann 18000 BOOKED
test_that "a manager who cancels 5 hours before sees both: the customer's terms, and everything back with a compensation on the company's side"
browse mia
get /bookings/MP-FIRM001/cancel; expect_status 200
expect_body 'If the customer cancels'
expect_body 'Cancel and refund ₩44,100'
expect_body 'If we have to cancel'
expect_body '<dd><b class="sum">₩49,000</b></dd>'
expect_body '<dd><b class="sum">₩4,900</b></dd>'
expect_body 'Cancel on our side and refund ₩49,000'
test_that "the page is in Korean for a manager who reads Korean"
sql "UPDATE person SET lang = 'ko' WHERE user_id = $(user_id_of mia)"
get /bookings/MP-FIRM001/cancel; expect_body '회사 사정으로 취소하고 49,000원 환불'
expect_body '차량 파손 또는 고장'
sql "UPDATE person SET lang = 'en' WHERE user_id = $(user_id_of mia)"
test_that "without a reason or words to the customer the form comes back with what was typed, and nothing has changed"
get /bookings/MP-FIRM001/cancel
post /bookings/MP-FIRM001/cancel by=firm reason= note='The <b>gearbox</b> failed.'; expect_status 422
expect_body 'href="#f-reason"'
expect_body 'The &lt;b&gt;gearbox&lt;/b&gt; failed.'
post /bookings/MP-FIRM001/cancel by=firm reason=car_broken note=; expect_status 422
expect_body 'href="#f-note"'
expect_body '<option value="car_broken" selected>'
post /bookings/MP-FIRM001/cancel by=firm reason=weather note=x; expect_status 422
post /bookings/MP-FIRM001/cancel by=firm reason=other note="$(printf 'x%.0s' {1..501})"; expect_status 422
post /bookings/MP-FIRM001/cancel by=owner; expect_status 422
expect_same "$(state_of MP-FIRM001)" 'CONFIRMED|||0|0|NONE'
test_that "a customer sees no such form, and cannot cancel on the company's side"
browse ann
get /bookings/MP-FIRM001/cancel; expect_body 'Your refund'
expect_no_body 'If we have to cancel'
as ann
json POST /bookings/MP-FIRM001/cancel '{"by":"firm","reason":"other","note":"x"}'; expect_status 403
expect_same "$(state_of MP-FIRM001)" 'CONFIRMED|||0|0|NONE'
test_that "a manager cancels on the company's side: everything is owed back with the compensation, while payment is down"
browse mia
get /bookings/MP-FIRM001/cancel
post /bookings/MP-FIRM001/cancel by=firm reason=car_broken note='The gearbox failed.'; expect_status 303
expect_location /bookings/MP-FIRM001
expect_same "$(state_of MP-FIRM001)" 'CANCEL_REQUESTED|firm|car_broken|49000|4900|PENDING'
test_that "the customer reads why, in our words too, and what comes beyond the refund"
browse ann
get /bookings/MP-FIRM001; expect_body 'We are sorry: we had to cancel this booking.'
expect_body 'Reason: The car is damaged or out of order.'
expect_body 'Our branch writes: The gearbox failed.'
expect_body 'we transfer ₩4,900 to your bank account as compensation'
test_that "JSON: a booking says who cancelled it, why, and the compensation"
as ann
json GET /bookings/MP-FIRM001
expect_js .cancel_by firm
expect_js .cancel_reason car_broken
expect_js .cancel_note 'The gearbox failed.'
expect_js .compensation_due 4900
expect_js .compensation_state PENDING

test_that "JSON: after its start a booking that was never handed over is cancelled on the company's side alone"
booked MP-FIRM002 CONFIRMED ann -7200 BOOKED
as mia
json POST /bookings/MP-FIRM002/cancel '{}'; expect_status 409
expect_js .error.code not_cancellable
json POST /bookings/MP-FIRM002/cancel '{"by":"firm","reason":"car_late","note":"It is still out."}'; expect_status 202
expect_js .refund_due 49000
expect_js .compensation_due 4900
test_that "the page of such a booking has that form alone"
booked MP-FIRM003 CONFIRMED ann -7200
browse mia
get /bookings/MP-FIRM003; expect_body 'Cancel on our side'
get /bookings/MP-FIRM003/cancel; expect_body 'If we have to cancel'
expect_no_body 'If the customer cancels'
expect_no_body 'This booking cannot be cancelled'
test_that "the settings decide on the compensation: with 0 percent there is none, and the page says so"
MOTORPOOL_FIRM_COMPENSATION_PERCENT=0 get /bookings/MP-FIRM003/cancel; expect_body '<dd>None</dd>'
MOTORPOOL_FIRM_COMPENSATION_PERCENT=0 MOTORPOOL_FIRM_COMPENSATION_MIN=30000 get /bookings/MP-FIRM003/cancel; expect_body '₩30,000'
test_that "managers cannot decide about money for their own bookings"
booked MP-FIRM004 CONFIRMED max -7200
as max
json POST /bookings/MP-FIRM004/cancel '{"by":"firm","reason":"other","note":"x"}'; expect_status 403
expect_js .error.code own_booking
json POST /bookings/MP-FIRM004/refund '{"amount":1,"reason":"other","note":"x"}'; expect_status 403
get /bookings/MP-FIRM004/refund; expect_status 403
browse max
get /bookings/MP-FIRM004/cancel; expect_no_body 'If we have to cancel'

test_that "a booking whose car others still have is listed with what to do, and its page says so"
sql "INSERT INTO custody (key, car_id, kind, user_id, from_at) SELECT 'x', car_id, 'staff', $(user_id_of max), 1 FROM booking WHERE code = 'MP-FIRM003'"
browse mia
get '/bookings/stuck?kind=no_car'; expect_body '/bookings/MP-FIRM003/cancel'
expect_body 'Car not back for this booking'
expect_no_body '/bookings/MP-FIRM003/retry'
get /bookings/MP-FIRM003; expect_body 'The car is not back for this booking'
as mia
json GET '/bookings/stuck?kind=no_car'; expect_js '.stuck|map(select(.subject_id == "MP-FIRM003"))[0].cancel_url' /bookings/MP-FIRM003/cancel
sql "UPDATE custody SET to_at = 2, ended_by = 'returned'"

# --- a part of the price

booked MP-PART001 COMPLETED ann -172800
test_that "a manager sees how much of a booking can still be refunded"
browse mia
get /bookings/MP-PART001; expect_body '/bookings/MP-PART001/refund'
get /bookings/MP-PART001/refund; expect_status 200
expect_body '<dd><b class="sum">₩49,000</b></dd>'
test_that "an amount beyond it, a missing reason and missing words are refused, with what was typed"
post /bookings/MP-PART001/refund amount=49001 reason=car_fault note='No heating.'; expect_status 409
expect_body 'Only ₩49,000 of this booking is left to refund.'
expect_body 'value="49001"'
expect_body 'No heating.</textarea>'
get /bookings/MP-PART001/refund
post /bookings/MP-PART001/refund amount=0 reason=car_fault note=x; expect_status 422
post /bookings/MP-PART001/refund amount=1000 reason= note=x; expect_status 422
post /bookings/MP-PART001/refund amount=1000 reason=car_fault note=; expect_status 422
expect_sql "SELECT COUNT(*) FROM part_refund" 0
test_that "the same form sent twice refunds once"
key=$(grep -o 'name="form_key" value="[^"]*"' <<<"$body" | head -1); key=${key#*value=\"}; key=${key%\"}
for i in 1 2; do post /bookings/MP-PART001/refund form_key="$key" amount=10,000 reason=car_fault note='No heating.'; expect_status 303; done
expect_sql "SELECT refund_no, amount, reason, note, asked_by = $(user_id_of mia), refund_state FROM part_refund" '1|10000|car_fault|No heating.|1|PENDING'
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'booking.refund_granted'" 1
test_that "the form sent again with another amount is refused"
post /bookings/MP-PART001/refund form_key="$key" amount=20000 reason=car_fault note='No heating.'; expect_status 422
test_that "JSON: a part is refunded with 202 while payment is down, once for its key"
as mia
for i in 1 2; do idempotency_key=k2 json POST /bookings/MP-PART001/refund '{"amount":4000,"reason":"goodwill","note":"Sorry."}'; expect_status 202; done
expect_js '.refunds|length' 2
expect_js '.refunds[1].amount' 4000
expect_js '.refunds[1].reason' goodwill
expect_js '.refunds[1].refund_state' PENDING
json GET /bookings/MP-PART001/refund; expect_js .left 35000
test_that "JSON: too much, a wrong state and unknown fields are refused"
json POST /bookings/MP-PART001/refund '{"amount":35001,"reason":"other","note":"x"}'; expect_status 409
expect_js .error.code too_much
booked MP-PART002 CONFIRMED ann 86400
json POST /bookings/MP-PART002/refund '{"amount":1,"reason":"other","note":"x"}'; expect_status 409
expect_js .error.code wrong_state
json POST /bookings/MP-PART001/refund '{"amount":1,"reason":"other","note":"x","to":"bank"}'; expect_status 422
test_that "a customer cannot refund themselves"
as ann
json POST /bookings/MP-PART001/refund '{"amount":1,"reason":"other","note":"x"}'; expect_status 403
browse ann
get /bookings/MP-PART001; expect_no_body '/bookings/MP-PART001/refund'
test_that "page, receipt and JSON agree on what is kept once the parts are refunded, with its VAT"
sql "UPDATE part_refund SET refund_state = 'DONE'"
as ann
json GET /bookings/MP-PART001; expect_js .kept_amount 35000
expect_js .kept_vat_amount 3182
browse ann
get /bookings/MP-PART001; expect_body 'Total after refund: ₩35,000, of which VAT ₩3,182'
expect_body 'No heating.'
expect_no_body 'A mia'
get /bookings/MP-PART001/receipt; expect_body '₩35,000'
expect_body '₩3,182'
expect_body '−₩14,000'
test_that "what was refunded in the provider's dashboard is not kept either, on page and receipt"
sql "INSERT INTO charge (charge_id, key, subject_id, user_id, amount, vat_amount, currency, state, requested_at) VALUES (1, 'MP-PART001', 'MP-PART001', $(user_id_of ann), 49000, 4455, 'KRW', 'APPROVED', 1);
     INSERT INTO refund (key, charge_id, amount, state, requested_at, done_at, is_outside) VALUES ('outside-x', 1, 5000, 'DONE', 1, 1, 1)"
get /bookings/MP-PART001/receipt; expect_body '−₩19,000'
expect_body '₩30,000'
as mia
json GET /bookings/MP-PART001/refund; expect_js .left 30000
finish
