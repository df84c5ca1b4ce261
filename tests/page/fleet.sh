#!/bin/bash
# tests/page/fleet.sh - the pages and the JSON API of fleet, with valid and invalid requests.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

car() { # car PLATE [more JSON members]
	json POST /fleet/cars '{"plate":"'"$1"'","name":"Kia Ray","body":"mini","seats":4,"fuel":"petrol","gearbox":"automatic","daily_price":50000,"hourly_price":5000'"${2:+,$2}"'}'
}

# The bookings concerned, as the question on the page has them.
seen() { sed -n 's/.*name="seen" value="\([^"]*\)".*/\1/p' <<<"$body" | head -1; }

begin fleet
export MOTORPOOL_UNDO_WINDOW_S=0 # retired at once; page/retire has the window
make_user manager manager
make_user customer customer
lang=en

test_that "a request without a token is refused"
car "1 A"; expect_status 401
as customer
test_that "a customer cannot add a car"
car "1 A"; expect_status 403
test_that "a customer cannot see the car list"
json GET /fleet/cars; expect_status 403
as manager

test_that "adding the first car creates the first branch"
car "12가  3456"; expect_status 201
expect_js .plate "12가 3456"
expect_js .branch_name "Main branch"
expect_js .status AVAILABLE
expect_js .car_id 1
expect_header "Location: /fleet/cars/1"
expect_js .daily_price 50000
test_that "adding a car writes a car.registered event with the documented payload"
expect_sql "SELECT type || ' ' || subject_id || ' ' || actor_id FROM event" "car.registered car:1 1"
expect_same "$(sql "SELECT payload FROM event" | jq -c '[.plate,.body,.seats,.daily_price,.branch_name,.service]')" '["12가 3456","mini",4,50000,"Main branch","IN_SERVICE"]'
test_that "adding a car with the plate of another one gets 409 plate_taken"
car "12가 3456"; expect_status 409
expect_js .error.code plate_taken
expect_js '.error.fields.plate|length>0' true
expect_sql "SELECT COUNT(*) FROM car" 1
test_that "a manager can see a car"
json GET /fleet/cars/1; expect_status 200
expect_js .plate "12가 3456"
expect_js .photo_url null
test_that "an unknown car is not found"
json GET /fleet/cars/99; expect_status 404
test_that "a malformed car id is not found"
json GET "/fleet/cars/1%27--"; expect_status 404

test_that "adding a car without fields is refused at each missing field"
json POST /fleet/cars '{}'; expect_status 422
expect_js .error.code invalid
expect_js '.error.fields|keys|join(" ")' "body daily_price fuel gearbox hourly_price name plate seats"
for price in -1 0 1000000000000000000 100000001 1.5 '"1e9"' true '"<b>"'; do
	test_that "a price of $price is refused at its field"
	json POST /fleet/cars '{"plate":"2","name":"x","body":"mini","seats":4,"fuel":"petrol","gearbox":"manual","daily_price":'"$price"',"hourly_price":5000}'
	expect_status 422
	expect_js '.error.fields|keys|join(" ")' daily_price
done
for seats in 0 16 -3; do
	test_that "a car with $seats seats is refused at its field"
	json POST /fleet/cars '{"plate":"2","name":"x","body":"mini","seats":'$seats',"fuel":"petrol","gearbox":"manual","daily_price":5,"hourly_price":5}'
	expect_status 422
	expect_js '.error.fields|keys|join(" ")' seats
done
test_that "an unknown body and an unknown fuel are refused at their fields"
json POST /fleet/cars '{"plate":"2","name":"x","body":"tank","seats":4,"fuel":"coal","gearbox":"manual","daily_price":5,"hourly_price":5}'
expect_status 422
expect_js '.error.fields|keys|join(" ")' "body fuel"
test_that "a plate of 10 kB is refused"
car "$(head -c 10000 /dev/zero | tr '\0' A)"; expect_status 422
expect_js '.error.fields|keys|join(" ")' plate
test_that "a plate of 21 characters is refused"
car 가나다라마바사아자차카타파하1234567; expect_status 422
test_that "a plate of 20 characters is accepted"
car 가나다라마바사아자차카타파하123456; expect_status 201
test_that "a control character in a plate gets 400"
car 'A\u0007B'; expect_status 400
test_that "a NUL byte in a plate gets 400"
car 'A\u0000B'; expect_status 400
test_that "adding a car with an unknown field is refused at that field"
car 5 '"colour":"red"'; expect_status 422
expect_js '.error.fields|keys|join(" ")' colour
test_that "adding a car to an unknown branch is refused at its field"
car 5 '"branch_id":77'; expect_status 422
expect_js '.error.fields|keys|join(" ")' branch_id
test_that "adding a car of an unknown model is refused at its field"
car 5 '"model_id":77'; expect_status 422
expect_js '.error.fields|keys|join(" ")' model_id
test_that "refused cars are not stored"
expect_sql "SELECT COUNT(*) FROM car" 2

full='"name":"Kia Ray","body":"mini","seats":4,"fuel":"petrol","gearbox":"automatic","hourly_price":5000'
test_that "changing a car saves the change and writes one event"
json PUT /fleet/cars/1 '{"plate":"12가 3456","daily_price":60000,'"$full"'}'; expect_status 200
expect_js .daily_price 60000
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.modified'" 1
test_that "the same change of a car again writes no event"
json PUT /fleet/cars/1 '{"plate":"12가 3456","daily_price":60000,'"$full"'}'; expect_status 200
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.modified'" 1
test_that "a change of a car based on an old rev gets 409 changed"
json PUT /fleet/cars/1 '{"plate":"12가 3456","daily_price":70000,"rev":1,'"$full"'}'; expect_status 409
expect_js .error.code changed
expect_sql "SELECT daily_price FROM car WHERE car_id = 1" 60000
test_that "changing a plate to that of another car gets 409 plate_taken"
json PUT /fleet/cars/2 '{"plate":"12가 3456","daily_price":60000,'"$full"'}'; expect_status 409
expect_js .error.code plate_taken
test_that "PUT accepts all the members of a car that GET returns"
json GET /fleet/cars/1
given=$(jq -c '.daily_price = 61000' <<<"$body")
json PUT /fleet/cars/1 "$given"; expect_status 200
expect_js .daily_price 61000
test_that "PUT can take a car out of service"
json PUT /fleet/cars/1 '{"plate":"12가 3456","daily_price":60000,"service":"OUT_OF_SERVICE",'"$full"'}'
expect_status 200
expect_js .status OUT_OF_SERVICE
test_that "POST can put a car back into service"
json POST /fleet/cars/1/service '{"service":"IN_SERVICE"}'; expect_status 200
expect_js .status AVAILABLE
test_that "every change of a car gives it a higher rev"
expect_sql "SELECT (SELECT rev FROM car WHERE car_id = 1) > (SELECT rev FROM car WHERE car_id = 2)" 1

test_that "a car that was never booked is deleted"
json DELETE /fleet/cars/2; expect_status 200
expect_js .deleted true
expect_js .car_id 2
expect_sql "SELECT COUNT(*) FROM car WHERE car_id = 2" 0
test_that "a deleted car is not found"
json DELETE /fleet/cars/2; expect_status 404
test_that "the id of a deleted car is not used again"
car 3; expect_js .car_id 3
test_that "the rev of a deleted car is not used again"
expect_sql "SELECT rev > (SELECT MAX(event_id) FROM event WHERE type = 'car.deleted') FROM car WHERE car_id = 3" 1

now=$(date +%s)
booked() { # CODE CAR_ID STARTS ENDS STATE
	sql "INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount,
	     currency, charge_id, held_at, hold_until) VALUES ('$1', 2, $2, 'x', 'x', 'mini', 1, 'x', 'PAID', $3, $4, 1, 0, 'KRW', 1, 0, 0);
	     INSERT INTO reservation VALUES ('$1', $2, $3, $4, '$5', 0);"
}
car 4 >/dev/null; car 5; car 6; car 7; car 8
booked MP-AAAAAAAA 4 $((now - 3600)) $((now + 3600)) RESERVED
booked MP-BBBBBBBB 5 $((now - 9000)) $((now - 3600)) OUT
booked MP-CCCCCCCC 6 $((now + 1800)) $((now + 9000)) RESERVED
booked MP-DDDDDDDD 7 $((now + 7200)) $((now + 9000)) RESERVED
booked MP-EEEEEEEE 8 $((now - 3600)) $((now + 9000)) RELEASED
test_that "a car is RENTED while its reservation runs"
json GET /fleet/cars/4; expect_js .status RENTED
test_that "a car that was not returned in time is still RENTED"
json GET /fleet/cars/5; expect_js .status RENTED
test_that "a car is RENTED while it is prepared, half an hour before the reservation starts"
json GET /fleet/cars/6; expect_js .status RENTED
test_that "a car whose reservation starts in two hours is AVAILABLE"
json GET /fleet/cars/7; expect_js .status AVAILABLE
test_that "a car whose reservation was released is AVAILABLE"
json GET /fleet/cars/8; expect_js .status AVAILABLE
test_that "the car list can be filtered by the status RENTED and sorted by plate"
json GET "/fleet/cars?status=RENTED&sort=-plate"; expect_status 200
expect_js '[.cars[].car_id]|@csv' 6,5,4
expect_js .n_total 3
test_that "a rented car that is taken out of service has the status OUT_OF_SERVICE"
json POST /fleet/cars/4/service '{"service":"OUT_OF_SERVICE","confirm":true}'; expect_js .status OUT_OF_SERVICE

test_that "deleting a car that was booked retires it instead"
json DELETE /fleet/cars/4 '{"confirm":true}'; expect_status 200
expect_js .status RETIRED
expect_js .deleted false
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.retired' AND subject_id = 'car:4'" 1
test_that "deleting a retired car changes nothing"
json DELETE /fleet/cars/4; expect_status 200
expect_js .status RETIRED
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.retired' AND subject_id = 'car:4'" 1
test_that "a retired car cannot be put back into service"
json POST /fleet/cars/4/service '{"service":"IN_SERVICE"}'; expect_status 409
expect_js .error.code retired
test_that "the car list has no retired cars"
json GET /fleet/cars; expect_js '[.cars[].car_id]|index(4)' null
test_that "the car list filtered by the status RETIRED has the retired cars"
json GET "/fleet/cars?status=RETIRED"; expect_js '[.cars[].car_id]|@csv' 4
test_that "an unknown filter value of the car list is refused"
json GET "/fleet/cars?body=tank&status=%27"; expect_status 422
test_that "a percent sign in a search is taken literally"
json GET "/fleet/cars?q=%25"; expect_js .n_total 0
test_that "a search finds part of a plate"
json GET "/fleet/cars?q=%EA%B0%80%203"; expect_js .n_total 1
test_that "a search finds part of a name in any case"
json GET "/fleet/cars?q=kIa%20r&body=mini&branch_id=1"; expect_js '.n_total > 3' true

model='"body":"sedan","seats":5,"fuel":"hybrid","gearbox":"automatic","daily_price":80000,"hourly_price":8000'
test_that "a model is added"
json POST /fleet/models '{"name":"Avante",'"$model"'}'; expect_status 201
expect_js .model_id 1
expect_header "Location: /fleet/models/1"
test_that "adding a model with the name of another one gets 409 name_taken"
json POST /fleet/models '{"name":"Avante",'"$model"'}'; expect_status 409
expect_js .error.code name_taken
car 20 '"model_id":1'; car 21 '"model_id":1'
test_that "changing a model with also_cars changes the prices of its cars"
json PUT /fleet/models/1 '{"name":"Avante","also_cars":true,'"$model"'}'; expect_status 200
expect_js .n_cars 2
expect_sql "SELECT GROUP_CONCAT(daily_price) FROM car WHERE model_id = 1" 80000,80000
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.modified' AND payload LIKE '%80000%'" 2
test_that "a model has a Korean name, and new cars of the model get it"
json PUT /fleet/models/1 '{"name":"Avante","name_ko":"현대 아반떼",'"$model"'}'; expect_js .name_ko "현대 아반떼"
json POST /fleet/cars '{"plate":"22","name":"Avante","model_id":1,'"$model"'}'; expect_status 201
expect_js .name_ko "현대 아반떼"
expect_js .model_name_ko "현대 아반떼"
expect_sql "SELECT payload ->> 'name_ko' FROM event ORDER BY event_id DESC LIMIT 1" "현대 아반떼"
test_that "a change without name_ko keeps the Korean name, and an empty name_ko removes it"
json PUT /fleet/models/1 '{"name":"Avante",'"$model"'}'; expect_js .name_ko "현대 아반떼"
json GET "/fleet/cars?q=22"
id=$(js '.cars[0].car_id')
json PUT "/fleet/cars/$id" '{"plate":"22","name":"Avante",'"$model"'}'; expect_js .name_ko "현대 아반떼"
json PUT "/fleet/cars/$id" '{"plate":"22","name":"Avante","name_ko":"",'"$model"'}'; expect_js .name_ko ""
json PUT "/fleet/cars/$id" '{"plate":"22","name":"Avante","name_ko":"아반떼 N",'"$model"'}'
expect_js .name_ko "아반떼 N"
test_that "a search finds part of a Korean name"
json GET "/fleet/cars?q=$(encode '반떼 n')"; expect_js .n_total 1
expect_js '.cars[0].plate' 22
test_that "a discontinued model takes no new cars"
json POST /fleet/models/1/state '{"state":"OFF_SALE"}'; expect_js .state OFF_SALE
car 22 '"model_id":1'; expect_status 422
test_that "the model list has all models"
json GET /fleet/models; expect_js '[.models[].name]|@csv' '"Avante"'

test_that "a branch is added"
json POST /fleet/branches '{"name":"Jeju Airport","name_ko":"제주공항점","region":"Jeju"}'; expect_status 201
expect_js .branch_id 2
test_that "adding a branch with the name of another one gets 409 name_taken"
json POST /fleet/branches '{"name":"Jeju Airport"}'; expect_status 409
expect_js .error.code name_taken
car 30 '"branch_id":2'
test_that "renaming a branch writes a car.modified event for each of its cars"
json PUT /fleet/branches/2 '{"name":"Jeju","name_ko":"제주공항점","region":"Jeju"}'; expect_status 200
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.modified' AND payload LIKE '%\"Jeju\"%'" 1
test_that "a branch has a Korean address, and a change without it keeps it"
json PUT /fleet/branches/2 '{"name":"Jeju","name_ko":"제주공항점","address":"2 Gonghang-ro","address_ko":"공항로 2"}'
expect_js .address_ko "공항로 2"
json PUT /fleet/branches/2 '{"name":"Jeju","name_ko":"제주공항점","address":"2 Gonghang-ro"}'
expect_js .address_ko "공항로 2"
test_that "a closed branch takes no new cars"
json POST /fleet/branches/2/close '{}'; expect_js .is_open false
car 31 '"branch_id":2'; expect_status 422
test_that "the branch list has all branches"
json GET /fleet/branches; expect_js '[.branches[].name]|length' 2

test_that "a photo that is not an image is refused at its field"
ask POST /fleet/cars/3/photo 'multipart/form-data; boundary=x' $'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nhello\r\n--x--\r\n' application/json
expect_status 422
expect_js '.error.fields|keys|join(" ")' photo
test_that "a missing photo is refused at its field"
ask POST /fleet/cars/3/photo 'multipart/form-data; boundary=x' $'--x\r\nContent-Disposition: form-data; name="photo"; filename=""\r\n\r\n\r\n--x--\r\n' application/json
expect_status 422
expect_js '.error.fields|keys|join(" ")' photo

# send_photo CAR_ID BASE64: sends the photo from a file, since a shell variable cannot hold NUL bytes
send_photo() {
	{ printf -- '--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'; base64 -d <<<"$2"; printf '\r\n--x--\r\n'; } >"$VAR/sent"
	env REQUEST_METHOD=POST SCRIPT_NAME="/fleet/cars/$1/photo" CONTENT_TYPE='multipart/form-data; boundary=x' CONTENT_LENGTH="$(stat -c %s "$VAR/sent")" \
		HTTP_ACCEPT=application/json HTTP_AUTHORIZATION="Bearer $token" "$program" <"$VAR/sent" >"$VAR/answer" 2>>"$VAR/log"
	status=$(sed -n 's/^Status: \([0-9]*\).*/\1/p' "$VAR/answer") body=$(sed '1,/^\r$/d' "$VAR/answer")
}
png=iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAALklEQVQIHWP8zwAFCQxGCgwMcMTCqGUkD+PD1IBoFgZtZC6CzcKgheAgs0jXAQCtwQON9fSXiwAAAABJRU5ErkJggg==
photos() { find "$VAR/photos" -type f | wc -l; }

test_that "an uploaded photo is converted to JPEG, and the car has its URL"
send_photo 3 $png; expect_status 200
expect_js '.photo_url|test("^/photos/[0-9a-f]{64}.jpg$")' true
expect_same "$(head -c 3 "$VAR/photos/$(js .photo_url | sed 's|.*/||')" | od -An -tx1)" ' ff d8 ff'
expect_same "$(photos)" 1
test_that "the same photo of two cars is stored once"
send_photo 7 $png; expect_status 200
expect_same "$(photos)" 1
test_that "a photo is deleted when it is removed from the last car that has it"
json POST /fleet/cars/7/photo/remove '{}'; expect_status 200
expect_js .photo_url null
expect_same "$(photos)" 1
json POST /fleet/cars/3/photo/remove '{}'; expect_same "$(photos)" 0
test_that "a truncated photo is refused"
send_photo 3 "$(base64 -d <<<$png | head -c 60 | base64 -w0)"; expect_status 422
expect_same "$(photos)" 0
test_that "a photo for an unknown car gets 404 and is not stored"
send_photo 99 $png; expect_status 404
expect_same "$(photos)" 0
test_that "when the photo program cannot run, the answer is 503 and nothing changes"
MOTORPOOL_FLEET_PHOTO=/nonexistent send_photo 3 $png; expect_status 503
expect_js .error.code later

# --- who had a car

# The newest car: with a customer on 1 Dec 2025 from 10:00:20 to 12:00, then with a courier, who has it still.
kept=$(sql 'SELECT MAX(car_id) FROM car') noon=$(TZ=Asia/Seoul date -d '2025-12-01 12:00' +%s)
seen='.error.code // [.holder.user_name // "nobody", .holder.kind, .holder.booking_code] | tostring'
had() { json GET "/fleet/cars/$kept/custody?at=$1"; }
as manager
test_that "a car that was never handed out has nobody, now and then"
json GET /fleet/cars/$kept/custody; expect_status 200
expect_js .holder null
expect_js .n_total 0
sql "INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
       charge_id, held_at, hold_until) VALUES (70, 'MP-HADIT001', $(user_id_of customer), $kept, 'Ray', 'x', 'mini', 1, 'x', 'COMPLETED', 1, 2, 1, 0, 'KRW', 1, 0, 0);
     INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at, to_at, ended_by) VALUES
       ('a', $kept, 'customer', 70, $(user_id_of customer), $((noon - 7180)), $noon, 'returned'), ('b', $kept, 'staff', NULL, $(user_id_of manager), $noon, NULL, '')"
test_that "JSON: who had a car is said for a minute, half-open, with the booking"
had 2025-12-01T09:59; expect_js .holder null
had 2025-12-01T10:00; expect_js "$seen" '["A customer","customer","MP-HADIT001"]'
had 2025-12-01T11:59; expect_js "$seen" '["A customer","customer","MP-HADIT001"]'
had 2025-12-01T12:00; expect_js "$seen" '["A manager","staff",""]'
test_that "JSON: without a time it answers for now, with everyone who had the car, newest first"
json GET /fleet/cars/$kept/custody; expect_js "$seen" '["A manager","staff",""]'
expect_js .n_total 2
expect_js '.custodies|map(.kind)|join(" ")' "staff customer"
expect_js '.custodies[0].to_at' null
test_that "JSON: a time that does not exist is refused"
had 2025-02-31T10:00; expect_status 422
expect_js '.error.fields|keys|join(" ")' at
test_that "an unknown car has no custody page, and a customer cannot see any"
json GET /fleet/cars/999/custody; expect_status 404
as customer
json GET /fleet/cars/$kept/custody; expect_status 403
test_that "more than a page of them is shown in pages"
as manager
sql "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at, to_at, ended_by)
     SELECT 'n' || i, $kept, 'customer', 70, $(user_id_of customer), i * 10, i * 10 + 5, 'returned' FROM n"
json GET "/fleet/cars/$kept/custody?page=2"; expect_js .n_total 32
expect_js '.custodies|length > 0' true
test_that "the page says who had the car then, with a link to the booking"
browse manager
get "/fleet/cars/$kept/custody?at=2025-12-01T10:30"; expect_status 200
expect_body 'A customer'
expect_body 'href="/bookings/MP-HADIT001"'
expect_body 'value="2025-12-01T10:30"'
test_that "the page keeps a time that does not exist and says so"
get "/fleet/cars/$kept/custody?at=2025-02-31T10:30"; expect_status 422
expect_body 'aria-invalid="true"'
test_that "the car's page leads to it"
get /fleet/cars/$kept; expect_body "href=\"/fleet/cars/$kept/custody\""

# --- the same in a browser

browse manager
form=(name='Kia Ray' body=mini seats=4 fuel=petrol gearbox=automatic daily_price=50,000 hourly_price=5000 branch_id=1)

test_that "/fleet redirects to the car list"
get /fleet; expect_status 303
expect_location /fleet/cars
get /fleet/cars; expect_status 200
expect_body 'href="/fleet/cars/1"'
expect_body '12가 3456'
test_that "the headings of the car list sort it in both directions"
expect_body 'href="/fleet/cars?sort=plate"'
get '/fleet/cars?sort=plate'; expect_body 'href="/fleet/cars?sort=-plate"'
test_that "the car list marks the heading by which it is sorted"
get '/fleet/cars?sort=-daily_price&q=x'; expect_status 200
get '/fleet/cars?sort=-daily_price'; expect_body 'aria-sort="descending"'
test_that "an unknown sort order of the car list is ignored"
get '/fleet/cars?sort=%3Bdrop&page=99999999'; expect_status 200
test_that "an invalid filter of the car list is marked"
get '/fleet/cars?body=tank'; expect_status 422
expect_body 'id="e-body"'
test_that "markup in a search is escaped"
get '/fleet/cars?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E'; expect_status 200
expect_no_body '<script>alert'
expect_body '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'

test_that "the car form with a wrong CSRF token is refused and adds nothing"
get /fleet/cars/new
csrf=wrong
post /fleet/cars plate='9 CSRF' "${form[@]}"; expect_status 403
expect_sql "SELECT COUNT(*) FROM car WHERE plate = '9 CSRF'" 0
test_that "choosing a model fills in the car form without JavaScript"
sql "UPDATE car_model SET state = 'ON_SALE'"
get '/fleet/cars/new?model_id=1'; expect_status 200
expect_body 'value="Avante"'
expect_body '<option value="sedan" selected>'
expect_body 'name="model_id" value="1"'
test_that "a model fills in the Korean name; names and addresses are shown in the language of the page"
expect_body 'value="현대 아반떼"'
sql "UPDATE person SET lang = 'ko'"
get '/fleet/cars?sort=name'; expect_status 200
expect_body '아반떼 N'
get "/fleet/cars?model_id=1"; expect_body '현대 아반떼'
get /fleet/branches; expect_body '공항로 2'
expect_no_body 'Gonghang'
sql "UPDATE person SET lang = 'en'"
get /fleet/branches; expect_body '2 Gonghang-ro'
expect_no_body '공항로'
get '/fleet/cars?sort=name'; expect_no_body '아반떼'
test_that "invalid fields of the car form are marked, and the typed values stay, escaped"
get /fleet/cars/new
post /fleet/cars plate='<script>1' name='"quoted" & <b>' body=tank seats=99 fuel=petrol gearbox=manual daily_price=-1 hourly_price=1e9 branch_id=1
expect_status 422
for field in body seats daily_price hourly_price; do expect_body "id=\"e-$field\""; done
expect_body 'href="#f-seats"'
expect_body 'value="&quot;quoted&quot; &amp; &lt;b&gt;"'
expect_body 'value="-1"'
expect_no_body '<script>1'
test_that "the car form adds a car and shows its page"
post /fleet/cars plate='33나 4444' "${form[@]}"; expect_status 303
added=$location
get "$added"; expect_status 200
expect_body 'The car was added.'
expect_body '#car-mini'
test_that "submitting the car form twice adds one car"
post /fleet/cars plate='33나  4444' "${form[@]}"; expect_status 303
expect_location "$added"
expect_sql "SELECT COUNT(*) FROM car WHERE plate = '33나 4444'" 1
test_that "the car form with the plate of another car gets 409 and marks the plate"
post /fleet/cars plate='33나 4444' "${form[@]}" seats_=1; expect_status 422
post /fleet/cars plate='33나 4444' name=Other body=mini seats=4 fuel=petrol gearbox=automatic daily_price=1 hourly_price=1 branch_id=1
expect_status 409
expect_body 'id="e-plate"'
expect_body 'value="Other"'

id=${added%\?*} id=${id##*/}
rev=$(sql "SELECT rev FROM car WHERE car_id = $id")
test_that "the edit form saves a change of a car"
get "/fleet/cars/$id/edit"; expect_body "name=\"rev\" value=\"$rev\""
post "/fleet/cars/$id" plate='33나 4444' "${form[@]}" daily_price_=0 rev="$rev"; expect_status 422
post "/fleet/cars/$id" plate='33나 5555' "${form[@]}" rev="$rev"; expect_status 303
expect_location "/fleet/cars/$id?done=saved"
test_that "submitting the edit form twice is no error"
post "/fleet/cars/$id" plate='33나 5555' "${form[@]}" rev="$rev"; expect_status 303
expect_location "/fleet/cars/$id?done=saved"
test_that "the edit form based on an old rev gets 409 and shows both the saved and the typed plate"
post "/fleet/cars/$id" plate='33나 6666' "${form[@]}" rev="$rev"; expect_status 409
expect_body '33나 5555'
expect_body '33나 6666'
expect_body "name=\"rev\" value=\"$(sql "SELECT rev FROM car WHERE car_id = $id")\""
expect_sql "SELECT plate FROM car WHERE car_id = $id" '33나 5555'
test_that "the edit form submitted again with the current rev overwrites the other change"
post "/fleet/cars/$id" plate='33나 6666' "${form[@]}" rev="$(sql "SELECT rev FROM car WHERE car_id = $id")"
expect_status 303
expect_sql "SELECT plate FROM car WHERE car_id = $id" '33나 6666'
test_that "a car's history is listed newest first"
get "/fleet/cars/$id"; expect_status 200
expect_body 'A manager'
expect_same "$(grep -o '<b>The car [a-z ]*</b>' <<<"$body" | tr '\n' ' ')" '<b>The car details were changed</b> <b>The car details were changed</b> <b>The car was added to the fleet</b> '
said() { sql "INSERT INTO event (type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash) VALUES ('$1', 'MP-PAST0001', 0, 0, 1, 1, '$2', '$1', '$1')"; }
said booking.paid '{}'; said equipment.approved '{"quantity":2,"item_name":"Child seat","item_name_ko":"카시트"}'; said delivery.delivered '{"direction":"collection"}'
sql "INSERT INTO reservation VALUES ('MP-PAST0001', $id, 1, 2, 'ENDED', 2)"
test_that "a car's history groups the events of a booking and describes them in the language of the page"
get "/fleet/cars/$id"; expect_body '<summary>3 events</summary>'
expect_body '<b>The equipment order was approved</b><br><span class="muted">2 × Child seat</span>'
expect_body '<b>The car was collected</b>'
expect_no_body 'equipment.approved'
sql "UPDATE person SET lang = 'ko'"
get "/fleet/cars/$id"; expect_body '<b>장비 주문이 승인되었습니다</b><br><span class="muted">2 × 카시트</span>'
expect_no_body 'delivery.delivered'
sql "DELETE FROM reservation WHERE car_id = $id; UPDATE person SET lang = 'en'"
test_that "a car's calendar with an invalid month is no error"
get "/fleet/cars/$id?month=9999-99"; expect_status 200
get "/fleet/cars/$id?month=%27"; expect_status 200
get "/fleet/cars/$id?month=$(date +%Y)-01"; expect_status 200
test_that "deleting a car asks for confirmation first"
get "/fleet/cars/$id/delete"; expect_status 200
expect_body 'Delete this car?'
test_that "a GET of the delete page deletes nothing"
expect_sql "SELECT COUNT(*) FROM car WHERE car_id = $id" 1
test_that "a POST to the delete page deletes the car"
post "/fleet/cars/$id/delete"; expect_status 303
expect_location '/fleet/cars?done=deleted'
test_that "deleting the same car twice redirects to the same page"
post "/fleet/cars/$id/delete"; expect_status 303
expect_location '/fleet/cars?done=deleted'
test_that "deleting a car that never existed gets 404"
post /fleet/cars/4711/delete; expect_status 404
test_that "the delete page of a booked car offers to retire it instead"
get /fleet/cars/5/delete; expect_status 200
expect_body 'Retire instead'
get /fleet/cars/5/retire; expect_body 'Retire this car?'
test_that "retiring a car twice writes one event"
post /fleet/cars/5/retire; expect_status 303
post /fleet/cars/5/retire; expect_status 303
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'car.retired' AND subject_id = 'car:5'" 1
test_that "the edit form of a retired car gets 409"
get /fleet/cars/5/edit; expect_status 409
test_that "a form takes a car out of service, and the car's page shows the number of its upcoming bookings"
get /fleet/cars/6/service; expect_status 200
post /fleet/cars/6/service service=OUT_OF_SERVICE seen="$(seen)"; expect_location '/fleet/cars/6?done=out'
get '/fleet/cars/6?done=out'; expect_body 'has 1 upcoming booking'

test_that "submitting the form of a model or a branch twice is no error, and adds one model"
post /fleet/models name=Ray body=mini seats=4 fuel=petrol gearbox=automatic daily_price=50000 hourly_price=5000
expect_status 303
post /fleet/models name=Ray body=mini seats=4 fuel=petrol gearbox=automatic daily_price=50000 hourly_price=5000
expect_status 303
post /fleet/branches name=Mapo; expect_status 303
post /fleet/branches name=Mapo; expect_status 303
expect_sql "SELECT COUNT(*) FROM car_model WHERE name = 'Ray'" 1
test_that "the branch form with the name of another branch gets 409 and marks the name"
post /fleet/branches name=Mapo phone=1; expect_status 409
expect_body 'id="e-name"'
test_that "a change of a branch based on an old version gets 409 and is not saved"
post /fleet/branches/1 name='Head office' version=old; expect_status 409
expect_sql "SELECT name FROM branch WHERE branch_id = 1" 'Main branch'
for page in models models/1 models/new branches branches/1 branches/new branches/1/close cars/1/photo; do
	test_that "/fleet/$page is shown"
	get "/fleet/$page"; expect_status 200
	expect_body '</html>'
done
test_that "the page of an unknown model or branch is not found"
get /fleet/models/77; expect_status 404
get /fleet/branches/x; expect_status 404

# --- a currency with decimals

form=(name=Ioniq name_ko= body=sedan seats=5 fuel=electric gearbox=automatic model_id= branch_id=1)
price_of() { sql "SELECT daily_price || ' ' || hourly_price FROM car WHERE plate = '$1'"; }
export MOTORPOOL_CURRENCY=USD
lang=en; browse manager
sql "UPDATE person SET lang = 'en' WHERE email = 'manager@example.com'"
browse manager
test_that "with USD a typed price is in dollars, with or without cents, groups and sign"
get /fleet/cars/new; expect_body '(USD)'
expect_body 'inputmode="decimal"'
post /fleet/cars plate='USD 1' "${form[@]}" daily_price=45 hourly_price=4.50; expect_status 303
expect_same "$(price_of 'USD 1')" '4500 450'
get /fleet/cars/new; post /fleet/cars plate='USD 2' "${form[@]}" daily_price='$1,234.50' hourly_price='45.5 USD'; expect_status 303
expect_same "$(price_of 'USD 2')" '123450 4550'
test_that "with USD the edit form has the prices as they are typed, and saving it unchanged changes nothing"
id=$(sql "SELECT car_id FROM car WHERE plate = 'USD 2'")
get "/fleet/cars/$id/edit"; expect_body 'name="daily_price" type="text" value="1234.50"'
expect_body 'name="hourly_price" type="text" value="45.50"'
post "/fleet/cars/$id" plate='USD 2' "${form[@]}" daily_price=1234.50 hourly_price=45.50; expect_status 303
expect_same "$(price_of 'USD 2')" '123450 4550'
get "/fleet/cars/$id"; expect_body '$1,234.50'
test_that "with USD a third decimal is refused at its field, and the form keeps what was typed"
get /fleet/cars/new; post /fleet/cars plate='USD 3' "${form[@]}" daily_price=45.505 hourly_price='€5'; expect_status 422
expect_body 'Please enter an amount with at most 2 decimals.'
expect_body 'value="45.505"'
expect_body 'Please enter an amount, such as $450.00.'
expect_body 'value="€5"'
expect_same "$(price_of 'USD 3')" ''
test_that "with USD the least and the largest price are named in dollars"
post /fleet/cars plate='USD 3' "${form[@]}" daily_price=0 hourly_price=1000000.01; expect_status 422
expect_body 'Please enter an amount from $0.01 to $1,000,000.00.'
expect_body 'id="e-daily_price"'
expect_body 'id="e-hourly_price"'
test_that "with USD a model's prices are typed in dollars too"
get /fleet/models/new; post /fleet/models name='USD model' name_ko= body=sedan seats=5 fuel=electric gearbox=automatic daily_price=60.25 hourly_price=6
expect_status 303
expect_sql "SELECT daily_price || ' ' || hourly_price FROM car_model WHERE name = 'USD model'" '6025 600'
id=$(sql "SELECT model_id FROM car_model WHERE name = 'USD model'")
get "/fleet/models/$id"; expect_body 'value="60.25"'
get "/fleet/cars/new?model_id=$id"; expect_body 'value="60.25"'
test_that "with USD two managers' prices are compared in dollars, in Korean with their word"
sql "UPDATE person SET lang = 'ko' WHERE email = 'manager@example.com'"; lang=ko; browse manager
id=$(sql "SELECT car_id FROM car WHERE plate = 'USD 1'")
get "/fleet/cars/$id"; expect_body '45.00달러'
post "/fleet/cars/$id" plate='USD 1' "${form[@]}" daily_price=46 hourly_price=4.50 rev=1; expect_status 409
expect_body '46.00달러'
sql "UPDATE person SET lang = 'en' WHERE email = 'manager@example.com'"; lang=en
test_that "JSON: with USD prices are whole cents"
as manager
car 'USD 4' '"model_id":0'; expect_js .daily_price 50000
json PUT "/fleet/cars/$(js .car_id)" '{"plate":"USD 4","daily_price":"45.00",'"$full"'}'; expect_status 422
expect_js '.error.fields|keys|join(" ")' daily_price
for code in KRW JPY; do
	export MOTORPOOL_CURRENCY=$code
	test_that "with $code decimals are refused at their field"
	browse manager; get /fleet/cars/new; post /fleet/cars plate="$code 1" "${form[@]}" daily_price=45000.50 hourly_price=4,500; expect_status 422
	expect_body 'Please enter an amount without decimals.'
	expect_body 'value="45000.50"'
	expect_no_body 'id="e-hourly_price"'
done
test_that "with KWD a price has three decimals"
export MOTORPOOL_CURRENCY=KWD
get /fleet/cars/new; post /fleet/cars plate='KWD 1' "${form[@]}" daily_price=12.345 hourly_price=1.5; expect_status 303
expect_same "$(price_of 'KWD 1')" '12345 1500'
get "$location"; expect_body 'KWD 12.345'
test_that "a currency that does not exist stops the program with the name of the setting"
export MOTORPOOL_CURRENCY=XYZ
get /fleet/cars/new; expect_same "$status" ''
expect_same "$(grep -c 'currency from the environment must be the ISO 4217 code' "$VAR/log" | sed 's/^[1-9].*/some/')" some
unset MOTORPOOL_CURRENCY

finish
