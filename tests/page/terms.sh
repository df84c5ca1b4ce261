#!/bin/bash
# tests/page/terms.sh - the firm's terms, privacy policy and company information: read by everyone, published by admins, accepted with an order.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

at() { TZ=Asia/Seoul date -d "$1" +%Y-%m-%dT%H:00; }
begin booking
make_user ada admin
make_user eve admin
make_user ann customer
make_user mia manager
sql "INSERT INTO branch (branch_id, name, name_ko, region) VALUES (1, 'Gangnam', '강남점', 'Seoul');
     INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service, created_at, updated_at, rev) VALUES
       (1, '12가3456', 'Avante', 'sedan', 5, 'petrol', 'automatic', 90000, 9000, 1, 'IN_SERVICE', 0, 0, 1);
     INSERT INTO card (card_id, user_id, billing_key, brand, last4, created_at) VALUES (11, $(user_id_of ann), 'b1', 'Visa', '4242', 0);"
from=$(at '3 days 10:00') to=$(at '4 days 10:00')
counts="SELECT (SELECT COUNT(*) FROM terms_version) || ' ' || (SELECT COUNT(*) FROM event)"
typed() { grep -o "name=\"$1\" value=\"[^\"]*\"" <<<"$body" | sed 's/.*value="\(.*\)"/\1/'; }

# --- for everyone ---

for kind in terms privacy company; do
	test_that "a visitor reads /$kind, laid out with headings and lists"
	get "/$kind"; expect_status 200
	expect_body '<h2>'
	expect_body '<ul><li>'
	expect_body 'Version 1'
	expect_no_body 'Publish a new version'
	test_that "JSON: /$kind has both languages and the list of versions"
	json GET "/$kind"; expect_status 200
	expect_js .kind "$kind"
	expect_js '[.version, .version_in_force, .valid_from, (.versions | length)] | tojson' '[1,1,null,1]'
	expect_js '(.text | length > 300) and (.text_ko | test("[가-힣]"))' true
done
test_that "the documents are in the page's language"
lang=ko
get /terms; expect_body '이용약관'
expect_body '<h2>1. 적용 범위</h2>'
expect_no_body 'What these terms cover'
lang=en
test_that "every page links to the three documents at its end, error pages too"
for page in / /cars /account/sign-in /no-such; do
	get "$page"
	for kind in terms privacy company; do expect_body "href=\"/$kind\""; done
done
for version in 2 0 -1 x 99999999999999999999; do
	test_that "a version that does not exist is not found: $version"
	get "/terms?version=$version"; expect_status 404
	json GET "/terms?version=$version"; expect_status 404
done

# --- publishing: roles ---

test_that "a visitor is led to the sign-in page, and a customer or a manager has no access to the form"
get /terms/edit; expect_status 303
for who in ann mia; do
	as $who
	get /terms/edit; expect_status 403
	json POST /terms/edit '{"kind":"terms","text":"x","text_ko":"x"}'; expect_status 403
done
test_that "nothing was published"
expect_sql "$counts" "3 0"

browse ada
test_that "an admin finds the form beside the document, filled with the newest version"
get /company; expect_body 'href="/terms/edit?kind=company"'
get '/terms/edit?kind=company'; expect_status 200
expect_body '상호: 미등록'
expect_body 'Business name: not entered'
expect_body 'name="version" value="1"'
get '/terms/edit?kind=house'; expect_status 404
test_that "the form without its CSRF token is refused"
ask POST /terms/edit application/x-www-form-urlencoded 'kind=company&text=x&text_ko=x'; expect_status 403
test_that "empty texts are marked, in each language, and what was typed is kept"
get '/terms/edit?kind=company'
post /terms/edit kind=company version=1 text='Only English' text_ko=' '; expect_status 422
expect_body 'id="e-text_ko"'
expect_body '>Only English</textarea>'
test_that "a time that has passed is marked"
post /terms/edit kind=company version=1 text=a text_ko=b valid_from=2020-01-01T10:00; expect_status 422
expect_body 'id="e-valid_from"'
test_that "a text of 40,000 characters is accepted with the line ends of a browser, a longer one is marked"
lines=$(printf 'xxxxxxxxxxxxxxxxxxx%%0D%%0A%.0s' {1..2000})
long_form() { ask POST /terms/edit application/x-www-form-urlencoded "csrf=$csrf&kind=company&version=1&preview=1&text=a&text_ko=$1"; }
long_form "$lines"; expect_status 200
long_form "${lines}x"; expect_status 422
expect_body 'at most 40000 characters'
test_that "a body beyond the limit is refused"
MOTORPOOL_MAX_BODY_BYTES=2000 post /terms/edit kind=company version=1 text="$(printf 'x%.0s' {1..2000})" text_ko=b; expect_status 413
test_that "an unchanged text is refused with a sentence"
json GET /company; texts=("$(js .text)" "$(js .text_ko)")
post /terms/edit kind=company version=1 text="${texts[0]}" text_ko="${texts[1]//$'\n'/$'\r\n'}"; expect_status 422
expect_body 'The text has not changed'
test_that "until now nothing was published"
expect_sql "$counts" "3 0"

# --- publishing: preview, once, meanwhile ---

text=$'# Operator <b>\n\nExample & Sons\n\n- <script>alert(1)</script>\n- {{csrf}}'
test_that "the preview shows both texts laid out and escaped, and publishes nothing"
post /terms/edit kind=company version=1 preview=1 text="$text" text_ko=$'# 사업자\n\n한국 <i>렌트카</i>'; expect_status 200
expect_body 'Preview: nothing has been published yet'
expect_body '<h2>Operator &lt;b&gt;</h2>'
expect_body '<li>&lt;script&gt;alert(1)&lt;/script&gt;</li><li>{{csrf}}</li>'
expect_body '<p>한국 &lt;i&gt;렌트카&lt;/i&gt;</p>'
expect_no_body '<script>alert'
expect_sql "$counts" "3 0"
test_that "a version is published, and a double click publishes once"
fields=(kind=company version=1 "text=$text" "text_ko=$text" form_key=one)
post /terms/edit "${fields[@]}"; expect_status 303
expect_location '/company?version=2&done=published'
post /terms/edit "${fields[@]}"; expect_status 303
expect_location '/company?version=2&done=published'
expect_sql "$counts" "4 1"
expect_sql "SELECT type || subject_id || payload || actor_id FROM event" "booking.terms_publishedterms:company{\"kind\":\"company\",\"version\":2}$(sql "SELECT $(user_id_of ada)")"
test_that "the published text is escaped on its page, in force at once, and the old version says so"
get '/company?version=2&done=published'; expect_status 200
expect_body 'The new version has been published.'
expect_body '&lt;script&gt;alert(1)'
expect_no_body '<script>alert'
expect_no_body 'no longer in force'
get '/company?version=1'; expect_body 'This version is no longer in force.'
expect_body 'Business name: not entered'
json GET /company; expect_js '[.version, .version_in_force, (.versions | map(.version))] | tojson' '[2,2,[2,1]]'
test_that "a version published meanwhile gets 409, keeps what was typed, and then becomes the next"
browse eve
get '/terms/edit?kind=company'
post /terms/edit kind=company version=1 text='What Eve typed' text_ko='이브의 글'; expect_status 409
expect_body 'Version 2 was published in the meantime.'
expect_body '>What Eve typed</textarea>'
expect_body '>이브의 글</textarea>'
expect_body 'href="/company?version=2"'
expect_same "$(typed version)" 2
expect_sql "$counts" "4 1"
post /terms/edit kind=company version="$(typed version)" text='What Eve typed' text_ko='이브의 글'; expect_location '/company?version=3&done=published'
test_that "a form with a mistake keeps the version it was made from"
post /terms/edit kind=company version=1 text='' text_ko=b; expect_status 422
expect_same "$(typed version)" 1

as ada
test_that "JSON: a version is published with 201 and Location, and again with 200"
change='{"kind":"terms","text":"# Two\r\n\r\nNew ","text_ko":"# 둘","version":1}'
json POST /terms/edit "$change"; expect_status 201
expect_header 'Location: /terms?version=2'
expect_js '[.kind, .version, .text] | tojson' '["terms",2,"# Two\n\nNew"]'
json POST /terms/edit "$change"; expect_status 200
expect_js .version 2
test_that "JSON: refusals have their codes, and nothing is published"
before=$(sql "$counts")
json POST /terms/edit '{"kind":"terms","text":"Other","text_ko":"b","version":1}'; expect_status 409
expect_js .error.code changed
json POST /terms/edit '{"kind":"terms","text":"# Two\n\nNew","text_ko":"# 둘"}'; expect_status 422
expect_js .error.code unchanged
json POST /terms/edit '{"kind":"house"}'; expect_status 422
expect_js '.error.fields | keys | join(" ")' 'kind text text_ko'
json POST /terms/edit '{"kind":"terms","text":"a","text_ko":"b","preview":1}'; expect_status 422
expect_sql "$counts" "$before"
test_that "a version that is valid later is announced, and not in force before"
json POST /terms/edit '{"kind":"privacy","text":"Later","text_ko":"나중","valid_from":"'"$(at '9 days 10:00')"'"}'; expect_status 201
expect_js '[.version, .version_in_force] | tojson' '[2,1]'
forget
get /privacy; expect_body 'Version 2 applies from'
expect_no_body '<p>Later</p>'
get '/privacy?version=2'; expect_body 'This version does not apply yet.'
expect_body '<p>Later</p>'

# --- accepted with an order (payment is down: an accepted order goes on to the charge, and gets 503) ---

as ann
order() { json POST /bookings '{"car_id":1,"starts_at":"'"$from"'","ends_at":"'"$to"'","card_id":11'"${1+,$1}"'}'; }
form=(car_id=1 starts_at="$from" ends_at="$to" card_id=11)
test_that "the order form names the terms in force beside its button, and sends their version"
browse ann
get "/bookings/new?car_id=1&starts_at=$from&ends_at=$to"; expect_body 'By booking you accept the <a href="/terms?version=2">terms (version 2)</a>.'
expect_same "$(typed terms_version)" 2
before=$(sql "SELECT COUNT(*) FROM booking")
for shown in 'terms_version=1' 'terms_version='; do
	test_that "the form with other terms or none gets 409, names the new ones, and holds nothing: $shown"
	post /bookings "${form[@]}" agreed_amount=90000 "$shown"; expect_status 409
	expect_body 'Our terms have changed. Nothing was booked or charged.'
	expect_body 'Version 2 of our terms now applies.'
	expect_body 'href="#f-terms_version"'
	expect_no_body 'id="e-agreed_amount"'
	expect_same "$(typed terms_version)" 2
	expect_sql "SELECT COUNT(*) FROM booking" "$before"
done
test_that "if the price has changed too, the form says both at once"
post /bookings "${form[@]}" agreed_amount=1 terms_version=1; expect_status 409
expect_body 'id="e-terms_version"'
expect_body 'id="e-agreed_amount"'
test_that "the form again, with the terms it names, goes on to the charge and records them"
post /bookings "${form[@]}" agreed_amount="$(typed agreed_amount)" terms_version="$(typed terms_version)"; expect_status 503
expect_sql "SELECT MAX(terms_version) || COUNT(*) FROM booking" "21"
as ann
test_that "JSON: an order with other terms gets 409 terms_changed with the version in force"
for other in 1 3; do
	order "\"terms_version\":$other"; expect_status 409
	expect_js .error.code terms_changed
	expect_js '.error.details | [.terms_version, .total_amount, .currency] | tojson' '[2,90000,"KRW"]'
	expect_js '.error.fields | keys | join(" ")' terms_version
done
test_that "JSON: an order with the terms in force, or without any, records those in force"
order '"terms_version":2'; expect_status 503
order; expect_status 503
expect_sql "SELECT MIN(terms_version) || COUNT(*) FROM booking" "23"
for wrong in '"x"' 0 -1 1.5 true; do
	test_that "JSON: a malformed version is refused at its field: $wrong"
	order "\"terms_version\":$wrong"; expect_status 422
	expect_js '.error.fields | keys | join(" ")' terms_version
done
test_that "a booking shows the version it accepted, also after the terms have changed"
code=$(sql "SELECT code FROM booking LIMIT 1")
sql "INSERT INTO terms_version VALUES ('terms', 3, 'c', 'c', 9, 9, 1)"
json GET "/bookings/$code"; expect_js .terms_version 2
browse ann
get "/bookings/$code"; expect_body 'href="/terms?version=2"'
test_that "a booking from before there were terms names none"
sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency, held_at, hold_until)
	SELECT 'MP-BEFORE', customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency, held_at, hold_until FROM booking LIMIT 1"
get /bookings/MP-BEFORE; expect_status 200
expect_no_body '/terms?version='
finish
