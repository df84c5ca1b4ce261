#!/bin/bash
# payment.sh - the pages and the JSON APIs of payment and the sandbox, tested with the real programs, one request at a time. The card provider
# is unreachable here, so payment is tested while the provider is down; tests/story tests it with the provider.
. tests/page/lib.sh
begin payment
sqlite3 "$VAR/sandbox.db" ".read db/sandbox.sql" "PRAGMA journal_mode = WAL" >/dev/null
echo 'provider_url = http://127.0.0.1:1/sandbox' >"$VAR/motorpool.conf"

internal() { MOTORPOOL_INTERNAL=1 json "$@"; }
sandbox_sql() { sqlite3 -cmd '.timeout 60000' "$VAR/sandbox.db" "$1"; }

user_id=101 make_user hana customer
user_id=102 make_user duri customer
user_id=103 make_user boss manager
card() { sql "INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES ($1, $2, 'bk_$1', 'Visa', '4242', 1)"; }
charge_body() { printf '{"key":"%s","subject_id":"%s","customer_id":101,"card_id":%s,"payment_key":"","amount":%s,"vat_amount":0,"currency":"KRW","deadline_ms":610}' "$1" "$1" "$2" "${3-1000}"; }

# --- a customer's cards

test_that "without signing in, a browser is redirected to the sign-in page and a JSON request gets 401"
get /payments/cards
expect_status 303
expect_location '/account/sign-in?next=%2Fpayments%2Fcards'
json GET /payments/cards
expect_status 401

make_user nari customer
browse nari
nari=$(sql "SELECT $(user_id_of nari)")

test_that "the page of a customer without cards says so and has a form to add one"
get /payments/cards
expect_status 200
expect_body 'No saved cards yet'
expect_body 'action="/payments/cards/new"'

test_that "adding a card redirects to the provider's page with the customer's key"
post /payments/cards/new next=
expect_status 303
key=$(sql "SELECT customer_key FROM payer WHERE user_id = $nari")
expect_same "${location%%&*}" "http://localhost:8080/sandbox/card?customerKey=$key"
expect_same "${#key}" 32

test_that "adding a card with a wrong CSRF token is refused"
saved=$csrf; csrf=wrong; post /payments/cards/new next=; csrf=$saved
expect_status 403

test_that "after adding a card, the browser is redirected only to our own pages"
post /payments/cards/new next=//evil.example/x
expect_status 303
expect_same "$(grep -c evil <<<"$location")" 0
post /payments/cards/new next=/cars/12
expect_same "$(grep -c 'next%3D%252Fcars%252F12' <<<"$location")" 1

test_that "the return from the provider's page with a wrong customer key, or without one, gets 403"
get "/payments/cards/return?authKey=x&customerKey=somebody"
expect_status 403
get "/payments/cards/return?authKey=x"
expect_status 403

test_that "the return from the provider's page while the provider is down gets 503 with Retry-After, and saves no card"
get "/payments/cards/return?authKey=x&customerKey=$key"
expect_status 503
expect_header 'Retry-After: '
expect_body 'Your card was not saved'
expect_sql "SELECT COUNT(*) FROM card" 0

card 1 "$nari"; card 2 101

test_that "a customer sees only their own cards"
get /payments/cards
expect_status 200
expect_body 'Visa •••• 4242'
expect_body '/payments/cards/1/remove'
expect_no_body '/payments/cards/2/remove'

test_that "removing a card asks for confirmation first; removing it twice is no error"
get /payments/cards/1/remove
expect_status 200
expect_body 'Remove this card?'
post /payments/cards/1/remove
expect_status 303
expect_location '/payments/cards?removed=1'
post /payments/cards/1/remove
expect_status 303
get '/payments/cards?removed=1'
expect_body 'The card is removed.'
expect_body 'No saved cards yet'

test_that "another customer's card is not found and cannot be removed"
get /payments/cards/2/remove
expect_status 404
post /payments/cards/2/remove
expect_sql "SELECT removed_at FROM card WHERE card_id = 2" 0

test_that "JSON: cards are listed without their billing keys and can be removed; a removed card is not found"
as hana
json GET /payments/cards
expect_status 200
expect_js '.cards | length' 1
expect_js '.cards[0].card_id' 2
expect_js '.cards[0].last4' 4242
expect_js '.cards[0].billing_key' null
json DELETE /payments/cards/2
expect_status 204
expect_same "$body" ''
json DELETE /payments/cards/2
expect_status 404
expect_js '.error.code' not_found

test_that "JSON: adding a card without a card token or with an unknown field is refused at the field"
json POST /payments/cards '{}'
expect_status 422
expect_js '.error.fields | keys | join(",")' card_token
json POST /payments/cards '{"card_token":"tok_ok","number":"4242424242424242"}'
expect_status 422
expect_js '.error.fields | keys | join(",")' number
json POST /payments/cards '{"card_token":5}'
expect_status 422
json POST /payments/cards '{"card_token":"tok_ok"'
expect_status 400

test_that "JSON: adding a card while the provider is down gets 503 (later)"
json POST /payments/cards '{"card_token":"tok_ok"}'
expect_status 503
expect_js '.error.code' later
expect_header 'Retry-After: '

test_that "a customer who has twenty cards cannot add another one"
for i in $(seq 31 50); do card "$i" 102; done
as duri
json POST /payments/cards '{"card_token":"tok_ok"}'
expect_status 409
expect_js '.error.code' too_many_cards

# --- internal calls

test_that "the internal calls get 404 for public requests"
as boss
json POST /internal/charge "$(charge_body MP-PAGE001 31)"
expect_status 404
json GET /internal/charge/MP-PAGE001
expect_status 404

test_that "a charge while the provider is unreachable has the outcome later, also when it is repeated, and ends FAILED"
card 3 101
internal POST /internal/charge "$(charge_body MP-PAGE001 3)"
expect_status 200
expect_js .outcome later
expect_sql "SELECT state FROM charge WHERE key = 'MP-PAGE001'" FAILED
internal POST /internal/charge "$(charge_body MP-PAGE001 3)"
expect_status 200
expect_js .outcome later
internal GET /internal/charge/MP-PAGE001
expect_status 200
expect_js .outcome declined
expect_sql "SELECT type FROM event WHERE subject_id = 'MP-PAGE001'" payment.failed

test_that "a charge on another customer's card is declined"
internal POST /internal/charge "$(charge_body MP-PAGE002 31)"
expect_status 200
expect_js .outcome declined
expect_js .reason card_removed

test_that "another charge under a used key gets 422 key_reused"
internal POST /internal/charge "$(charge_body MP-PAGE002 31 2000)"
expect_status 422
expect_js .error.code key_reused

test_that "malformed and invalid charges are refused and not stored"
for sent in '' x '[]' '{}' '{"key":5}' "$(charge_body MP-PAGE003 3 -1)" "$(charge_body MP-PAGE003 3 1000000000000000000)" "$(charge_body "MP'--" 3)"; do
	internal POST /internal/charge "$sent"
	expect_status 422
done
expect_sql "SELECT COUNT(*) FROM charge WHERE key LIKE '%PAGE003%'" 0

test_that "voiding an unknown key closes it: a later charge under it is declined"
internal POST /internal/refund '{"key":"MP-PAGE004","refund_key":"MP-PAGE004-void","amount":0,"reason":""}'
expect_status 200
expect_js .outcome done
expect_js .refunded_amount 0
internal POST /internal/charge "$(charge_body MP-PAGE004 3)"
expect_status 200
expect_js .outcome declined
expect_js .reason void

test_that "a refund under an unknown key gets 409 no_charge, and one with an invalid refund key 422"
internal POST /internal/refund '{"key":"MP-PAGE005","refund_key":"MP-PAGE005-c","amount":100,"reason":""}'
expect_status 409
expect_js .error.code no_charge
internal POST /internal/refund '{"key":"MP-PAGE001","refund_key":"x y","amount":100,"reason":""}'
expect_status 422

test_that "the charge of an unknown key is not found"
internal GET /internal/charge/MP-NEVER01
expect_status 404

test_that "webhooks get 200 but are not trusted: they change no charge; one that is too large gets 413"
forget
for sent in '{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"MP-PAGE001","status":"DONE"}}' '{}' garbage '[[[['; do
	json POST /payments/webhook "$sent"
	expect_status 200
done
expect_sql "SELECT state FROM charge WHERE key = 'MP-PAGE001'" FAILED
json POST /payments/webhook "$(head -c 1100000 /dev/zero | tr '\0' x)"
expect_status 413

# --- managers

sql "INSERT INTO charge (charge_id, key, subject_id, user_id, card_id, amount, vat_amount, currency, state, payment_key, brand, last4, refunded_amount, requested_at, approved_at)
     VALUES (901, 'MP-SEEN001', 'MP-SEEN001', 101, 3, 110000, 10000, 'KRW', 'APPROVED', 'pk', 'Visa', '4242', 0, 1764000000, 1764000001),
            (902, 'MP-SEEN002', 'MP-SEEN002', 102, 31, 50000, 4545, 'KRW', 'UNKNOWN', '', 'Visa', '4242', 0, 1764086400, 0);
     INSERT INTO ledger_line VALUES (1, 'card_clearing', 110000), (1, 'rental_income', -100000), (1, 'vat_payable', -10000);
     INSERT INTO posting (posting_id, kind, subject_id, charge_id, currency, posted_at) VALUES (1, 'capture', 'MP-SEEN001', 901, 'KRW', 1764000001);"

test_that "only managers can see charges and the ledger"
as hana
for page in /payments /payments/901 /payments/ledger; do json GET $page; expect_status 403; done
forget; get /payments; expect_status 303

test_that "a manager sees the charges and their totals, without keys that were closed before a charge"
as boss
json GET /payments
expect_status 200
expect_js .captured 110000
expect_js .kept 110000
expect_js .currency KRW
expect_js '[.charges[].subject_id] | contains(["MP-SEEN001"])' true
expect_js '[.charges[].subject_id] | contains(["MP-PAGE004"])' false

test_that "charges can be searched by code, state and day, and sorted"
json GET '/payments?code=mp-seen001'
expect_js .n_total 1
expect_js '.charges[0].customer_name' 'A hana'
json GET '/payments?state=UNKNOWN'
expect_js .n_total 1
expect_js '.charges[0].charge_id' 902
json GET '/payments?from=2025-11-25&to=2025-11-25'
expect_js .n_total 1
expect_js '.charges[0].charge_id' 901
json GET '/payments?sort=-amount'
expect_js '.charges[0].charge_id' 901
json GET '/payments?sort=amount&code=MP-SEEN002'
expect_js '.charges[0].amount' 50000

test_that "an invalid filter of the charges is refused at its field"
json GET '/payments?from=2025-02-31'
expect_status 422
expect_js '.error.fields | keys | join(",")' from
json GET '/payments?from=2025-02-10&to=2025-02-01'
expect_status 422
json GET '/payments?state=PAID'
expect_status 422

test_that "a charge has its postings; an unknown or malformed charge id is not found"
json GET /payments/901
expect_status 200
expect_js .charge.state APPROVED
expect_js '.postings[0].lines | length' 3
expect_js '.charge.amount' 110000
for id in 999 0 -1 x 99999999999999999999; do json GET /payments/$id; expect_status 404; done

test_that "the ledger has the balances of the accounts and says that they sum to zero"
json GET /payments/ledger
expect_status 200
expect_js .sum 0
expect_js .is_balanced true
expect_js '.balances | length' 3

# --- payouts

payout_body() { printf '{"key":"%s","payee_id":%s,"subject_id":"MP-SEEN001","kind":"%s","amount":%s,"currency":"%s","way":"%s"}' "$1" "${2-101}" "${4-compensation}" "${3-5000}" "${5-KRW}" "${6-bank}"; }

test_that "a payout is assigned once for its key, with its posting and its event; another one under the key gets 422 key_reused"
as boss
json POST /internal/payouts "$(payout_body MP-SEEN001-c)"
expect_status 404
for i in 1 2; do
	internal POST /internal/payouts "$(payout_body MP-SEEN001-c)"
	expect_status 200
	expect_js .state ASSIGNED
	expect_js .payout_id 1
done
for other in "$(payout_body MP-SEEN001-c 102)" "$(payout_body MP-SEEN001-c 101 5001)"; do
	internal POST /internal/payouts "$other"
	expect_status 422
	expect_js .error.code key_reused
done
expect_sql "SELECT COUNT(*) FROM payout" 1
expect_sql "SELECT kind, subject_id, charge_id, payout_id FROM posting WHERE posting_id = 2" 'payout_due|MP-SEEN001||1'
expect_sql "SELECT account, amount FROM ledger_line WHERE posting_id = 2 ORDER BY account" 'compensation|5000
payouts_payable|-5000'
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'payout.assigned' AND subject_id = 'MP-SEEN001'" 1

test_that "malformed and invalid payouts are refused and not stored"
for sent in '' x '[]' '{}' "$(payout_body 'x y')" "$(payout_body K1 999)" "$(payout_body K1 101 0)" "$(payout_body K1 101 -5)" "$(payout_body K1 101 1000000000001)" \
	"$(payout_body K1 101 5000 gift)" "$(payout_body K1 101 5000 compensation USD)" "$(payout_body K1 101 5000 compensation KRW cash)" "$(payout_body K1 101 5000 compensation KRW card)"; do
	internal POST /internal/payouts "$sent"
	expect_status 422
done
expect_sql "SELECT COUNT(*) FROM payout" 1

test_that "a payout to a card is refused with what to do instead: what a card gets back is a refund"
internal POST /internal/payouts "$(payout_body K1 101 5000 compensation KRW card)"
expect_status 422
expect_js .error.code not_to_card
expect_body 'Pay this out by bank transfer.'

test_that "only managers can see payouts and close them"
as hana
for page in /payments/payouts /payments/payouts/1; do json GET $page; expect_status 403; done
json POST /payments/payouts/1/complete '{"reference":"x"}'
expect_status 403
expect_sql "SELECT state FROM payout" ASSIGNED

test_that "a manager completes a payout with the transfer's reference, once"
as boss
json GET /payments/payouts
expect_js .n_waiting 1
expect_js '.payouts[0].payee_name' 'A hana'
json POST /payments/payouts/1/complete '{}'
expect_status 422
expect_js '.error.fields | keys | join(",")' reference
for i in 1 2; do
	json POST /payments/payouts/1/complete '{"reference":"KB 2026-1130-77"}'
	expect_status 200
	expect_js .state COMPLETED
	expect_js .done_by_name 'A boss'
done
expect_sql "SELECT SUM(amount) FROM ledger_line WHERE account = 'bank'" -5000
expect_sql "SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = 'payouts_payable'" 0
expect_sql "SELECT COUNT(*), MAX(actor_id) FROM event WHERE type = 'payout.completed'" '1|103'
json POST /payments/payouts/1/complete '{"reference":"another"}'
expect_status 409
expect_js .error.code wrong_state
json POST /payments/payouts/1/fail '{"reason":"no account"}'
expect_status 409
json GET /payments/payouts/1
expect_js .payout.note 'KB 2026-1130-77'
expect_js '[.postings[].kind] | join(",")' payout_due,payout_paid

test_that "a payout that fails is reversed in the ledger"
internal POST /internal/payouts "$(payout_body MP-SEEN001-d 102 700)"
json POST /payments/payouts/2/fail '{"reason":"The account is closed"}'
expect_status 200
expect_js .state FAILED
expect_sql "SELECT SUM(amount) FROM ledger_line WHERE account = 'compensation'" 5000
expect_sql "SELECT SUM(amount) FROM ledger_line" 0
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'payout.failed' AND payload LIKE '%account is closed%'" 1
json GET '/payments/payouts?tab=failed'
expect_js .n_total 1
expect_js '.payouts[0].payout_id' 2
for id in 0 99 x; do json GET /payments/payouts/$id; expect_status 404; json POST /payments/payouts/$id/fail '{"reason":"x"}'; expect_status 404; done

test_that "the schema refuses another walk of a payout, another account, and a posting that is not about its row"
sql_fails "UPDATE payout SET state = 'ASSIGNED' WHERE payout_id = 1" || bad "it was opened again"
sql_fails "UPDATE payout SET note = 'y' WHERE payout_id = 2" || bad "a closed one was changed"
sql_fails "DELETE FROM payout" || bad "it was deleted"
sql_fails "INSERT INTO payout (key, payee_id, subject_id, kind, amount, currency, way, state, note, requested_at, done_at) VALUES ('k', 1, 's', 'compensation', 1, 'KRW', 'bank', 'COMPLETED', 'x', 1, 1)" || bad "it began completed"
posting_about() { echo "BEGIN; INSERT INTO ledger_line VALUES (77, 'compensation', 1), (77, 'bank', -1); INSERT INTO posting (posting_id, subject_id, currency, posted_at, kind, charge_id, refund_id, payout_id) VALUES (77, 's', 'KRW', 1, $1);"; }
pocket=$(posting_about "'payout_paid', NULL, NULL, 2" | sed 's/compensation/pocket/')
sql_fails "PRAGMA foreign_keys = ON; $pocket COMMIT" || bad "an unknown account was posted to"
sql "$(posting_about "'payout_paid', NULL, NULL, 2") ROLLBACK"
for about in "'capture', NULL, NULL, 2" "'payout_paid', 901, NULL, 2" "'payout_paid', NULL, NULL, NULL" "'refund_owed', 901, NULL, NULL" "'gift', 901, NULL, NULL"; do
	sql_fails "$(posting_about "$about") COMMIT" || bad "a posting about another row was written: $about"
done
for change in "UPDATE ledger_account SET type = 'asset'" "DELETE FROM posting_kind" "DELETE FROM payout_kind"; do sql_fails "$change" || bad "$change was made"; done

test_that "a refund made in the provider's dashboard needs attention until a manager closes it"
sql "INSERT INTO charge (charge_id, key, subject_id, user_id, card_id, amount, vat_amount, currency, state, payment_key, brand, last4, refunded_amount, requested_at, approved_at)
     VALUES (903, 'MP-SEEN003', 'MP-SEEN003', 101, 3, 9000, 818, 'KRW', 'CANCELLED', 'pk', 'Visa', '4242', 2000, 1764000000, 1764000001);
     INSERT INTO refund (refund_id, key, charge_id, amount, state, reason, requested_at, done_at, is_outside) VALUES (801, 'outside-t1', 903, 2000, 'DONE', 'by hand', 1764000100, 1764000100, 1)"
json GET /payments/903
expect_js '.refunds[0].is_outside' true
json GET /payments/903/resolve
expect_js .kind outside
expect_js .amount 2000
expect_js '[.ways[].way] | join(",")' seen
json POST /payments/903/resolve '{"way":"by_bank","reason":"x"}'
expect_status 422
json POST /payments/903/resolve '{"way":"seen","reason":"goodwill"}'
expect_status 200
expect_sql "SELECT COUNT(*) FROM v_stuck_charge WHERE kind = 'outside'" 0
json POST /payments/903/resolve '{"way":"seen","reason":"goodwill"}'
expect_status 409
sql_fails "UPDATE refund SET withheld = 1 WHERE refund_id = 801" || bad "a refund that is done was reduced"
sql_fails "INSERT INTO refund (key, charge_id, amount, state, reason, requested_at) VALUES ('k', 903, 7001, 'REQUESTED', '', 1)" || bad "more than is left was refunded"
sql_fails "INSERT INTO refund (key, charge_id, amount, withheld, state, reason, requested_at, is_outside) VALUES ('k', 903, 10, 1, 'DONE', '', 1, 1)" || bad "part of a refund made outside was withheld"

test_that "a webhook about a charged payment asks for a comparison, and is not believed"
json POST /payments/webhook '{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"MP-SEEN003","status":"CANCELED"}}'
expect_sql "SELECT compare_at > 0, refunded_amount FROM charge WHERE charge_id = 903" '1|2000'

make_user chief customer manager
browse chief

test_that "the pages of payouts show what is to be paid, keep what was typed and mark a missing reference"
internal POST /internal/payouts "$(payout_body MP-SEEN001-e 101 1234)"
get /payments/payouts
expect_status 200
expect_body '₩1,234'
expect_body 'href="/payments/payouts/3"'
get /payments/payouts/3
expect_status 200
expect_body 'name="reference"'
post /payments/payouts/3/complete reference=
expect_status 422
expect_body 'id="e-reference"'
post /payments/payouts/3/complete reference='<b>KB 7</b>'
expect_status 303
expect_location /payments/payouts/3
post /payments/payouts/3/complete reference='<b>KB 7</b>'
expect_status 303
get /payments/payouts/3
expect_body '&lt;b&gt;KB 7&lt;/b&gt;'
expect_no_body 'name="reference"'
post /payments/payouts/3/fail reason=late
expect_status 409
expect_body 'already been closed'
get /payments/payouts
expect_body 'No payouts to make'
expect_sql "SELECT COUNT(*) FROM posting WHERE payout_id = 3" 2

test_that "the pages of charges and the ledger describe states in words, escape the search and mark an invalid filter"
get /payments
expect_status 200
expect_body 'MP-SEEN001'
expect_body '₩110,000'
expect_body 'Waiting for the payment provider'
get '/payments?code=%3Cscript%3E%22%27'
expect_status 200
expect_no_body '<script>"'
expect_body '&lt;script&gt;'
get /payments/902
expect_status 200
expect_body 'We are waiting for the payment provider'
get /payments/ledger
expect_status 200
expect_body 'The ledger balances'
get '/payments?from=2025-02-31'
expect_status 422
expect_body 'id="e-from"'
expect_body 'value="2025-02-31"'

# --- the sandbox

use sandbox; forget
LINK='customerKey=cust&successUrl=http%3A%2F%2Flocalhost%3A8080%2Fpayments%2Fcards%2Freturn&failUrl=http%3A%2F%2Flocalhost%3A8080%2Fpayments%2Fcards'
fields() { post "$1" customerKey=cust successUrl=http://localhost:8080/payments/cards/return failUrl=http://localhost:8080/payments/cards "${@:2}"; }
pay_fields() { fields /sandbox/pay orderId=MP-TEST01 orderName=Car amount=207000 "$@"; }

test_that "the sandbox's card page has its form, a link back to the shop and the test cards"
get "/sandbox/card?$LINK"
expect_status 200
expect_body 'name="number"'
expect_body '4242 4242 4242 4242'
expect_body 'code=PAY_PROCESS_CANCELED'

test_that "the sandbox's card page with a return URL of another site gets 400"
for url in http%3A%2F%2Fevil.example%2F http%3A%2F%2Flocalhost%3A8080.evil.example%2F %2F%2Fevil.example javascript%3Aalert%281%29 ''; do
	get "/sandbox/card?customerKey=cust&successUrl=$url&failUrl=http%3A%2F%2Flocalhost%3A8080%2F"
	expect_status 400
done

test_that "invalid cards are refused at their field, and the form does not repeat the security code"
get "/sandbox/card?$LINK"
fields /sandbox/card number='4242 4242 4242 4241' expiry=12/40 cvc=731
expect_status 422
expect_body 'This card number is not valid'
expect_body 'value="4242 4242 4242 4241"'
expect_no_body 731
fields /sandbox/card number='4111 1111 1111 1111' expiry=12/40 cvc=123
expect_status 422
expect_body 'Please use one of the test cards below'
fields /sandbox/card number='4242 4242 4242 4242' expiry=12/20 cvc=123
expect_status 422
expect_body 'This card has expired'
fields /sandbox/card number='4242 4242 4242 4242' expiry=13/40 cvc=12
expect_status 422
expect_body 'id="e-expiry"'
expect_body 'id="e-cvc"'

test_that "saving a card redirects to the shop with a one-time key"
fields /sandbox/card number='4242-4242-4242-4242' expiry=12/40 cvc=123
expect_status 303
expect_same "${location%%authKey=*}" 'http://localhost:8080/payments/cards/return?'
expect_same "$(sandbox_sql 'SELECT COUNT(*) FROM auth')" 1

test_that "the card page helps the browser to fill in a card, with a number pad"
get "/sandbox/card?$LINK"
expect_body 'inputmode="numeric" autocomplete="cc-number"'
expect_body 'inputmode="numeric" autocomplete="cc-exp"'
expect_body 'inputmode="numeric" autocomplete="cc-csc"'
test_that "the month and year of a card can be typed in several ways"
for expiry in 1240 12/40 '12 / 2040' 12/2040 122040 12-40 1/40 ' 12/ 40 '; do
	fields /sandbox/card number='4242 4242 4242 4242' expiry="$expiry" cvc=123; expect_status 303
done
test_that "what is no month and year is refused at its field"
for expiry in 12 124 0040 1340 1/4 12/040 12//40 /40 12/ 12/20400 12/40x 'Dec 40' 140; do
	fields /sandbox/card number='4242 4242 4242 4242' expiry="$expiry" cvc=123; expect_status 422
	expect_body 'Please enter month and year'
done
test_that "a card that has expired is refused, with four digits of the year too"
for expiry in 1220 12/2020; do
	fields /sandbox/card number='4242 4242 4242 4242' expiry="$expiry" cvc=123; expect_status 422
	expect_body 'This card has expired'
done

test_that "with USD the payment page shows dollars, and the shop gets its cents back"
export MOTORPOOL_CURRENCY=USD
get "/sandbox/pay?$LINK&orderId=MP-USD001&orderName=Car&amount=4500"
expect_body '$45.00'
fields /sandbox/pay orderId=MP-USD001 orderName=Car amount=4500 number=4242424242424242 expiry=1240 cvc=123; expect_status 303
expect_same "$(grep -c 'orderId=MP-USD001&amount=4500$' <<<"$location")" 1
expect_same "$(sandbox_sql "SELECT currency FROM payment WHERE order_id = 'MP-USD001'")" USD
sandbox_sql "DELETE FROM payment WHERE order_id = 'MP-USD001'"
unset MOTORPOOL_CURRENCY

test_that "preparing a payment redirects to the shop with its order and amount, and charges nothing yet"
get "/sandbox/pay?$LINK&orderId=MP-TEST01&orderName=Car&amount=207000"
expect_status 200
expect_body '₩207,000'
pay_fields number=4242424242424242 expiry=12/40 cvc=123
expect_status 303
expect_same "$(grep -c 'orderId=MP-TEST01&amount=207000' <<<"$location")" 1
expect_same "$(sandbox_sql 'SELECT status FROM payment')" IN_PROGRESS

test_that "a payment page with an invalid amount gets 400"
for amount in 0 -1 1e9 99999999999999999999 x; do
	get "/sandbox/pay?$LINK&orderId=MP-TEST01&orderName=Car&amount=$amount"
	expect_status 400
done

test_that "the sandbox's dashboard is only for browsers on this machine"
get /sandbox/payments
expect_status 403
get /sandbox/payments/1
expect_status 403
post /sandbox/payments/1/refund amount=1
expect_status 403

test_that "a payment is refunded in the dashboard, in parts; a double click refunds once, and more than is left is refused at its field"
sandbox_sql "INSERT INTO payment (payment_id, payment_key, order_id, order_name, customer_key, card, amount, balance, currency, status, requested_at, approved_at)
	VALUES (70, 'pk_70', 'MP-DASH01', 'Car', 'cust', 0, 10000, 10000, 'KRW', 'DONE', 1764000000, 1764000000)"
address=127.0.0.1
get /sandbox/payments
expect_status 200
expect_body 'href="/sandbox/payments/70"'
get /sandbox/payments/70
expect_status 200
form_key=$(grep -o 'name="form_key" value="[^"]*"' <<<"$body" | head -1); form_key=${form_key#*value=\"}; form_key=${form_key%\"}
for i in 1 2; do
	post /sandbox/payments/70/refund amount=3,000 reason='by hand' form_key="$form_key"
	expect_status 303
	expect_location /sandbox/payments/70
done
expect_same "$(sandbox_sql 'SELECT balance, status FROM payment WHERE payment_id = 70')" '7000|PARTIAL_CANCELED'
post /sandbox/payments/70/refund amount=7001 form_key=another
expect_status 409
expect_body 'id="e-amount"'
expect_body 'value="7001"'
post /sandbox/payments/70/refund amount= form_key=another
expect_status 422
post /sandbox/payments/70/refund amount=7000 form_key=third
expect_status 303
get /sandbox/payments/70
expect_no_body 'name="amount"'
expect_body 'by hand'
expect_same "$(sandbox_sql 'SELECT balance, status FROM payment WHERE payment_id = 70')" '0|CANCELED'
for id in 0 71 x; do get /sandbox/payments/$id; expect_status 404; done
address=192.0.2.1

test_that "the sandbox's API requires its secret key"
json GET /sandbox/v1/payments/orders/MP-TEST01
expect_status 401
expect_js .code UNAUTHORIZED_KEY
export HTTP_AUTHORIZATION="Basic $(printf 'test_sk_wrong:' | base64 -w0)"
json GET /sandbox/v1/payments/orders/MP-TEST01
expect_status 401
export HTTP_AUTHORIZATION="Basic $(printf '%s:' "$(cat "$VAR/payment.key")" | base64 -w0)"
json GET /sandbox/v1/payments/orders/MP-TEST01
expect_status 200
expect_js .status IN_PROGRESS
expect_js .totalAmount 207000

test_that "the file of the secret key has the mode 600"
expect_same "$(stat -c %a "$VAR/payment.key")" 600

test_that "setting the sandbox's faults requires the secret key; unknown names and values out of range are refused"
json POST /sandbox/faults '{"slow_ms":5}'
expect_status 200
expect_js .slow_ms 5
json POST /sandbox/faults '{"slow_ms":-5}'
expect_status 422
json POST /sandbox/faults '{"explode":1}'
expect_status 422
unset HTTP_AUTHORIZATION
json POST /sandbox/faults '{"slow_ms":0}'
expect_status 401
json GET /sandbox/faults
expect_js .slow_ms 5

test_that "the form of the sandbox's faults can be used from this machine, and is read-only from elsewhere"
get /sandbox/faults
expect_status 200
expect_no_body 'name="slow_ms"'
address=127.0.0.1; get /sandbox/faults
expect_body 'name="slow_ms"'
expect_body 'value="5"'
post /sandbox/faults/form slow_ms=0 down=0
expect_status 303
address=192.0.2.1; post /sandbox/faults/form down=1
expect_status 403
expect_same "$(sandbox_sql "SELECT value FROM fault WHERE name = 'slow_ms'")" 0

finish
