#!/bin/bash
# tests/page/equipment.sh - equipment items, orders and stock, as managers, employees, customers and API clients use them, with review.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

relay() { "$BUILD/bin/relay" "$VAR" --once 2>>"$VAR/log"; }
at() { TZ=Asia/Seoul date -d "$1" +%Y-%m-%dT%H:00; }        # at '+2 days 10:00'
soon=$(at '+3 days 10:00') later=$(at '+4 days 10:00') last=$(at '+5 days 10:00')
id_of() { sql "SELECT order_id FROM equipment_order WHERE code = '$1'"; }
form_key() { grep -o 'name="form_key" value="[^"]*"' <<<"$body" | head -1 | sed 's/.*value="\(.*\)"/\1/'; }

item() { json POST /equipment/items "{\"name\":\"$1\",\"category\":\"$2\",\"daily_price\":${3-5000},\"stock\":${4-10}${5:+,$5}}"; }
order() { json POST /equipment/orders "{\"item_id\":$1,\"qty\":$2,\"starts_at\":\"${3-$soon}\",\"ends_at\":\"${4-$later}\"}"; }

begin equipment
make_user manager manager
make_user employee employee
make_user customer customer
make_user colleague employee
lang=en

# --- items

forget
test_that "a request without a token is refused"
json GET /equipment/items; expect_status 401
as customer
test_that "a customer cannot see or add items"
json GET /equipment/items; expect_status 403
item Tent camping; expect_status 403
as employee
test_that "an employee cannot add items"
item Tent camping; expect_status 403
as manager
test_that "a manager adds an item with its stock"
item 'Snow chains' winter 5000 10 '"name_ko":"스노체인","low_stock":3'; expect_status 201
expect_js .item_id 1
expect_js .stock 10
expect_js .free_now 10
expect_js .is_sync false
expect_header 'Location: /equipment/items/1'
test_that "adding the same item again returns the existing one"
item 'Snow chains' winter 5000 10 '"name_ko":"스노체인","low_stock":3'; expect_status 201
expect_js .item_id 1
expect_js .stock 10
test_that "adding another item with the same name gets 409 name_taken"
item 'Snow chains' winter 9000; expect_status 409
expect_js .error.code name_taken
test_that "an item with an unknown category is refused at its field"
item Boat boats; expect_status 422
expect_js '.error.fields|keys|join(" ")' category
test_that "an item with a negative price or a fractional stock is refused"
item Boat other -1; expect_status 422
item Boat other 1 0.5; expect_status 422
test_that "an item of a sync category has is_sync"
item Tent camping 30000 5; expect_status 201
expect_js .is_sync true
test_that "an item has its stock, and the units available now and on each of the next 14 days"
json GET /equipment/items/1; expect_status 200
expect_js .stock 10
expect_js .free_now 10
expect_js '.days|length' 14
expect_js '[.days[].n_free]|unique|join(" ")' 10
test_that "an unknown item is not found"
json GET /equipment/items/99; expect_status 404
json GET /equipment/items/x; expect_status 404
test_that "the item list has all items"
json GET /equipment/items; expect_js .n_total 2
expect_js '[.items[].name]|join(" ")' 'Tent Snow chains'

# --- orders without a car

as customer
test_that "a customer cannot order equipment without a car"
order 1 1; expect_status 403
as employee
test_that "an employee's order is accepted"
order 1 2; expect_status 201
expect_js .state ORDERED
expect_js .amount 10000
expect_js .currency KRW
expect_header 'Location: /equipment/orders/1'
code=$(js .code)
test_that "the code of an order without a car begins with EQ-"
expect_same "${code:0:3}" EQ-
test_that "an order that is not approved yet does not change the stock"
json GET /equipment/items/1; expect_js .stock 10
test_that "review approves a small order by rule, and its units are taken out of the stock"
relay
json GET /equipment/orders/1; expect_js .state APPROVED
expect_js .taken 2
json GET /equipment/items/1; expect_js .stock 8
test_that "an order is found by its code as well as by its id"
json GET "/equipment/orders/$code"; expect_status 200
expect_js .order_id 1
test_that "cancelling an order returns its units to the stock"
json POST /equipment/orders/1/cancel '{}'; expect_status 200
expect_js .state CANCELLED
json GET /equipment/items/1; expect_js .stock 10
test_that "cancelling the same order again changes nothing"
json POST /equipment/orders/1/cancel '{}'; expect_status 200
json GET /equipment/items/1; expect_js .stock 10
test_that "the review case of a cancelled order is cancelled"
relay; expect_sql "SELECT state FROM review_case WHERE key = '$code'" CANCELLED
test_that "an order of more units than are available gets 409 out_of_stock and writes nothing"
order 1 11; expect_status 409
expect_js .error.code out_of_stock
expect_sql 'SELECT COUNT(*) FROM equipment_order' 1
test_that "an order with invalid fields is refused at those fields"
order 1 0; expect_status 422
expect_js '.error.fields|keys|join(" ")' qty
order 1 1 "$later" "$soon"; expect_status 422
expect_js '.error.fields|keys|join(" ")' ends_at
order 1 1 2020-01-01T10:00 "$soon"; expect_status 422
order 99 1; expect_status 422
idempotency_key=one-key
test_that "the same order again under the same idempotency key returns the first one"
order 1 1; expect_status 201; first=$(js .code)
order 1 1; expect_status 201
expect_js .code "$first"
test_that "another order under a used idempotency key gets 422 key_reused"
order 1 2; expect_status 422
expect_js .error.code key_reused
idempotency_key=
test_that "an employee cannot see, cancel or list another employee's orders"
as colleague; json GET "/equipment/orders/$first"; expect_status 404
json POST "/equipment/orders/$first/cancel" '{}'; expect_status 404
json GET /equipment/orders; expect_js .n_total 0
test_that "a manager can see all orders"
as manager; json GET "/equipment/orders/$first"; expect_status 200
json GET /equipment/orders; expect_js .n_total 2
test_that "a large order stays ORDERED until a reviewer decides"
as employee; order 1 5; expect_status 201; big=$(js .code)
relay; json GET "/equipment/orders/$big"; expect_js .state ORDERED
case_id=$(sql "SELECT case_id FROM review_case WHERE key = '$big'")
test_that "an order that a reviewer rejected is REJECTED with the reason"
use review; as manager; json POST "/reviews/$case_id/reject" '{"reason":"Four are enough"}'; expect_status 200
relay; use equipment; as employee; json GET "/equipment/orders/$big"; expect_js .state REJECTED
expect_js .end_reason 'Four are enough'

# --- orders that review must approve first, while review is down (like FX-6 in docs/promises.md, without the other programs)

idempotency_key=tent-key
test_that "a sync order while review is down gets 503 (later), is cancelled and leaves its units available"
order 2 2; expect_status 503
expect_js .error.code later
expect_header 'Retry-After: '
expect_sql "SELECT state || end_reason FROM equipment_order WHERE item_id = 2" CANCELLEDlater
json GET /equipment/items/2; expect_js .stock 5
expect_js .free_now 5
test_that "a sync order that was refused while review is down writes no event"
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'equipment.ordered' AND payload LIKE '%Tent%'" 0
idempotency_key=
for i in 1 2 3 4 5 6; do order 2 3; done
test_that "refused sync orders reserve no units"
expect_status 503
json GET /equipment/items/2; expect_js .free_today 5

# --- with a booking

as manager
paid() { # CODE LINE ITEM QTY: writes the booking.paid event, as booking does
	sql "INSERT INTO event (type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash) VALUES ('booking.paid', '$1', 0, 0, 1, 1,
		'{\"code\":\"$1\",\"customer_id\":3,\"currency\":\"KRW\",\"starts_at\":\"${soon}:00+09:00\",\"ends_at\":\"${later}:00+09:00\",\"extras\":[{\"line_no\":$2,\"kind\":\"equipment\",\"ref_id\":$3,\"quantity\":$4,\"amount\":$((5000 * $4))}]}', '', '$RANDOM$RANDOM')"
}
test_that "the equipment of a paid booking becomes an order of its customer"
paid MP-PAGE1111 2 1 2; relay; as customer; json GET /equipment/orders/MP-PAGE1111-2; expect_status 200
expect_js .state APPROVED; expect_js .booking_code MP-PAGE1111
json GET /equipment/orders; expect_js .n_total 1
test_that "a customer can cancel the equipment of a booking before the booking starts"
json POST /equipment/orders/MP-PAGE1111-2/cancel '{}'; expect_status 200; expect_js .state CANCELLED
expect_sql "SELECT payload ->> 'by' FROM event WHERE type = 'equipment.cancelled' ORDER BY event_id DESC LIMIT 1" customer

# --- the stock ledger, handing out, taking back

as manager
stock() { json POST /equipment/items/1/stock "{\"kind\":\"$1\",\"quantity\":$2${3:+,\"note\":\"$3\"}}"; }
test_that "a manager enters received units"
stock receive 5; expect_status 200
expect_js .item.owned 15
expect_js '.entries[0].kind' receive
test_that "a loss or an adjustment without a note is refused at its field"
stock loss 1; expect_status 422
expect_js '.error.fields|keys|join(" ")' note
stock adjust -1; expect_status 422
test_that "a loss and an adjustment with a note change the number of owned units"
stock loss 1 torn; expect_status 200
expect_js .item.owned 14
stock adjust -4 counted; expect_js .item.owned 10
test_that "a loss of more than the stock is refused"
stock loss 100 all; expect_status 409
expect_js .error.code too_few
test_that "entries of the kinds order and return cannot be made by hand"
stock order -1 x; expect_status 422
stock return 1 x; expect_status 422
test_that "an employee cannot change or see the stock ledger"
as employee; stock receive 5; expect_status 403
json GET /equipment/items/1/stock; expect_status 403
as employee
order 1 2 "$(at '+1 hour')" "$(at '+26 hours')"; out=$(js .code); relay
test_that "an employee cannot hand out an order"
json POST "/equipment/orders/$out/hand-out" '{}'; expect_status 403
as manager
test_that "a manager can hand out an order early if its units are available until it starts"
json POST "/equipment/orders/$out/hand-out" '{}'; expect_status 200
expect_js .state HANDED_OUT
test_that "handing out the same order again is accepted"
json POST "/equipment/orders/$out/hand-out" '{}'; expect_status 200
test_that "an order that was handed out cannot be cancelled"
json POST "/equipment/orders/$out/cancel" '{}'; expect_status 409
expect_js .error.code not_cancellable
test_that "taking back an order with more lost units than it has is refused"
json POST "/equipment/orders/$out/take-back" '{"lost":3}'; expect_status 422
test_that "taking back an order with one lost unit reduces the number of owned units by one"
json POST "/equipment/orders/$out/take-back" '{"lost":1}'; expect_status 200
expect_js .state RETURNED
expect_js .lost 1
json POST "/equipment/orders/$out/take-back" '{"lost":1}'; expect_status 200
json GET /equipment/items/1; expect_js .owned 9
test_that "a returned order cannot be taken back with other numbers, or handed out again"
json POST "/equipment/orders/$out/take-back" '{"lost":0}'; expect_status 409
json POST "/equipment/orders/$out/hand-out" '{}'; expect_status 409
test_that "the order list is filtered by view, state and code"
json GET '/equipment/orders?view=late'; expect_js .n_total 0
json GET '/equipment/orders?view=out'; expect_js .n_total 0
json GET '/equipment/orders?view=waiting'; expect_js .n_total 0
json GET '/equipment/orders?state=RETURNED'; expect_js .n_total 1
json GET "/equipment/orders?q=$out"; expect_js .n_total 1

# --- the same in a browser

browse manager
for page in '' /items /items/1 /items/new /items/1/edit /items/1/stock /orders /orders/new '/orders/new?item_id=1' '/orders?view=late' '/orders?item_id=1' "/orders/$out" "/orders/$first/cancel" "/orders/$out/cancel"; do
	test_that "/equipment$page is shown"
	get "/equipment$page"; expect_status 200
	expect_body '</html>'
done
lang=ko
browse manager
sql "UPDATE person SET lang = 'ko' WHERE email = 'manager@example.com'"
browse manager
for page in '' /items/1 /items/1/stock /orders "/orders/$out"; do
	test_that "/equipment$page is shown in Korean"
	get "/equipment$page"; expect_status 200
	expect_body 'lang="ko"'
	expect_body '스노체인'
done
lang=en
sql "UPDATE person SET lang = 'en' WHERE email = 'manager@example.com'"
browse manager
test_that "invalid fields of the item form are marked, and the typed values stay, escaped"
get /equipment/items/new; post /equipment/items name='<b>' category= daily_price=x; expect_status 422
expect_body 'value="&lt;b&gt;"'
expect_body 'id="e-category"'
expect_body 'id="e-daily_price"'
expect_no_body '<b>"'
test_that "the item form with a wrong CSRF token is refused and adds nothing"
get /equipment/items/new; csrf=wrong; post /equipment/items name=Boat category=other daily_price=1; expect_status 403
expect_sql "SELECT COUNT(*) FROM item WHERE name = 'Boat'" 0
test_that "submitting the item form twice adds one item"
get /equipment/items/new; post /equipment/items name=Cooler category=other daily_price=3,000 stock=4 low_stock=
expect_status 303
added=$location; post /equipment/items name=Cooler category=other daily_price=3,000 stock=4 low_stock=
expect_location "$added"
expect_sql "SELECT COUNT(*) FROM item WHERE name = 'Cooler'" 1
get "$added"; expect_body 'The item was added.'
test_that "a change of an item based on an old version gets 409, with a message, and is not saved"
get /equipment/items/3/edit; post /equipment/items/3 name=Cooler category=other daily_price=4000 version=old
expect_status 409
expect_body 'Another user has changed'
expect_sql 'SELECT daily_price FROM item WHERE item_id = 3' 3000
test_that "an item that is no longer offered cannot be ordered"
get /equipment/items/3; post /equipment/items/3/offer; expect_location '/equipment/items/3?done=stopped'
get /equipment/orders/new; expect_no_body Cooler
post /equipment/orders item_id=3 qty=1 starts_at="$soon" ends_at="$later"; expect_status 422
test_that "submitting the stock form twice makes one entry"
get /equipment/items/3/stock; key=$(form_key)
post /equipment/items/3/stock kind=receive quantity=6 note= form_key="$key"; expect_status 303
post /equipment/items/3/stock kind=receive quantity=6 note= form_key="$key"; expect_status 303
get /equipment/items/3/stock; expect_sql 'SELECT SUM(quantity) FROM stock_entry WHERE item_id = 3' 10
test_that "an unknown view or filter of the order list is ignored"
get '/equipment/orders?view=%27&state=x&item_id=4711&page=999'; expect_status 200
test_that "markup in a search is escaped"
get '/equipment/orders?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E'; expect_status 200
expect_no_body '<script>alert'

browse employee
test_that "an employee sees the items without links to the stock ledger or to add an item"
get /equipment; expect_status 200
expect_body 'Snow chains'
expect_no_body '/stock'
expect_no_body 'Add an item'
get /equipment/items/1; expect_status 200
expect_no_body '/stock'
test_that "submitting the order form twice places one order"
get '/equipment/orders/new?item_id=1'; expect_body '<option value="1" selected>'
key=$(form_key); post /equipment/orders item_id=1 qty=1 starts_at="$later" ends_at="$last" form_key="$key"
expect_status 303
placed=$location; post /equipment/orders item_id=1 qty=1 starts_at="$later" ends_at="$last" form_key="$key"
expect_location "$placed"
get "$placed"; expect_body 'The order was placed.'
expect_body 'Waiting for approval'
test_that "the order form for more units than are available gets 409 with the reason and keeps the quantity"
get /equipment/orders/new; post /equipment/orders item_id=1 qty=99 starts_at="$later" ends_at="$last"; expect_status 409
expect_body 'available in that period'
expect_body 'value="99"'
test_that "the order form for a sync item while review is down gets 503 and says that nothing was ordered"
get /equipment/orders/new; post /equipment/orders item_id=2 qty=1 starts_at="$later" ends_at="$last"; expect_status 503
expect_body 'Nothing was ordered'
expect_header 'Retry-After'
test_that "the page of a rejected order shows the reason"
get "/equipment/orders/$big"; expect_status 200
expect_body 'Four are enough'
test_that "cancelling an order asks for confirmation first"
get "${placed%\?*}/cancel"; expect_status 200
expect_body 'Cancel this order?'
post "${placed%\?*}/cancel"; expect_status 303
get "$location"; expect_body 'The order was cancelled.'
browse customer
test_that "a customer's start page of equipment is the list of their own orders"
get /equipment; expect_status 303
expect_location /equipment/orders
get /equipment/orders; expect_status 200
expect_body MP-PAGE1111-2
expect_no_body "$out"
test_that "another user's order is not found"
get "/equipment/orders/$out"; expect_status 404
get "/equipment/orders/$out/cancel"; expect_status 404
export MOTORPOOL_CURRENCY=USD
browse manager
test_that "with USD an item's price is typed and shown in dollars"
get /equipment/items/new; post /equipment/items name=Roof category=other daily_price='$4.5' stock=4 low_stock=; expect_status 303
expect_sql "SELECT daily_price FROM item WHERE name = 'Roof'" 450
id=$(sql "SELECT item_id FROM item WHERE name = 'Roof'")
get "/equipment/items/$id"; expect_body '$4.50'
get "/equipment/items/$id/edit"; expect_body 'name="daily_price" type="text" value="4.50"'
test_that "with USD an item's third decimal is refused at its field, and the form keeps what was typed"
get /equipment/items/new; post /equipment/items name=Tarp category=other daily_price=4.505 stock=4 low_stock=; expect_status 422
expect_body 'Please enter an amount with at most 2 decimals.'
expect_body 'value="4.505"'
test_that "with USD an item that costs nothing has the price 0.00 in its form"
sql "UPDATE item SET daily_price = 0 WHERE item_id = $id"
get "/equipment/items/$id/edit"; expect_body 'name="daily_price" type="text" value="0.00"'
test_that "JSON: with USD an item's price is whole cents"
as manager; item Tarp other 450; expect_js .daily_price 450
item Tarps other '"4.50"'; expect_status 422
unset MOTORPOOL_CURRENCY

test_that "no request has logged an error"
expect_same "$(grep -c '"level":"error"' "$VAR/log")" 0

finish
