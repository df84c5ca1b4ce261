#!/bin/bash
# account.sh - the pages and the JSON API of account, tested with the real program, one request at a time.
. tests/page/lib.sh
begin account

PASSWORD='paper horse lamp river'
new='application/x-www-form-urlencoded'

sign_in() { forget; get /account/sign-in; post /account/sign-in email="$1" password="${2-$PASSWORD}"; }
api() { forget; json POST /account/sign-in "{\"email\":\"$1\",\"password\":\"${2-$PASSWORD}\"}"; bearer "$(js .token)"; }
make_admin() { sql "INSERT INTO user_role SELECT user_id, 'admin' FROM person WHERE email = '$1'"; }
calm() { sql 'DELETE FROM sign_in_throttle'; }

# --- sign up

test_that "a sign-up makes no account, signs nobody in, and says to check the mail"
sign_up hana@example.kr 김하나 lang=ko next='/bookings/new?car_id=7&note=%EA%B0%80'
expect_status 202
expect_header 'Cache-Control: no-store'
expect_body hana@example.kr
expect_sql 'SELECT COUNT(*) FROM person' 0
expect_sql 'SELECT COUNT(*) FROM session' 0
expect_same "${cookie[mp_session]-none}" none

test_that "opening the link writes nothing, so a program that checks mails does no harm"
answer=$body link=$(link_on_page)
for once in 1 2; do
	get "$link"
	expect_status 200
	expect_header 'Cache-Control: no-store'
	expect_body hana@example.kr
done
expect_sql 'SELECT COUNT(*) FROM person' 0

test_that "the link makes the account; the customer is signed in, has the chosen language and goes on with the booking"
body=$answer; follow_link
expect_status 303
expect_location '/bookings/new?car_id=7&note=%EA%B0%80'
expect_sql "SELECT role FROM user_role" customer
expect_sql "SELECT email_confirmed_at > 0 FROM person" 1
expect_same "${cookie[mp_lang]}" ko
get /account
expect_status 200
expect_body 'hana@example.kr'
expect_body '김하나'

test_that "the browser that has used the link goes on when it opens it again; another one is told that it is over"
get "$link"
expect_status 303
expect_location '/bookings/new?car_id=7&note=%EA%B0%80'
forget; get "$link"
expect_status 410
expect_body '/account/forgot'
post /account/confirm token="${link#*=}"
expect_status 410
expect_same "${cookie[mp_session]-none}" none
for path in /account/confirm /account/reset '/account/confirm?token=' '/account/reset?token=x' "/account/reset?token=${link#*=}"; do get "$path"; expect_status 410; done

test_that "the password is stored as an argon2id hash, and of tokens only a hash"
sign_in hana@example.kr
expect_sql "SELECT substr(password_hash, 1, 10) FROM person" '$argon2id$'
expect_sql "SELECT COUNT(*) FROM session WHERE token_hash = '${cookie[mp_session]}'" 0
expect_sql "SELECT COUNT(*) FROM session WHERE length(token_hash) <> 64" 0
expect_sql "SELECT COUNT(*) FROM mail_link WHERE token_hash = '${link#*=}' OR seed = '${link#*=}' OR length(token_hash) <> 64" 0

test_that "submitting the same forms twice creates one account, and the second click on the link is signed in too"
forget; get /account/sign-up; page_csrf=$csrf; anon=${cookie[mp_anon]}
post /account/sign-up name=Twice email=twice@example.kr password="$PASSWORD" lang=en form_key=the-form
first=$(link_on_page)
cookie=([mp_anon]=$anon); csrf=$page_csrf
post /account/sign-up name=Twice email=twice@example.kr password="$PASSWORD" lang=en form_key=the-form
expect_status 202
expect_same "$(link_on_page)" "$first"
get "$first"; page_csrf=$csrf
for once in 1 2; do
	cookie=([mp_anon]=$anon); csrf=$page_csrf
	post /account/confirm token="${first#*=}" form_key=the-link
	expect_status 303
	[[ -n ${cookie[mp_session]-} ]] || bad 'no session'
done
expect_sql "SELECT COUNT(*) FROM person WHERE email = 'twice@example.kr'" 1

# without_links: the answer without what belongs to one request, and without test mode's link
without_links() { sed 's/value="[^"]*"//; s/[0-9A-Za-z_-]\{16,\}//g; /<section class="panel stack" aria-labelledby="test">/,/<\/section>/d' <<<"$body"; }

test_that "a registered email gets the same answer as any other, and no second account"
calm; sign_up somebody@example.kr 'New Person'; other=$(without_links | sed s/somebody@/hana@/)
sign_up hana@example.kr 'New Person'
expect_status 202
expect_same "$(without_links)" "$other"
sign_up HANA@Example.KR X
expect_status 202
expect_sql "SELECT COUNT(*) FROM person WHERE email = 'hana@example.kr'" 1
expect_sql "SELECT COUNT(*) FROM mail_link WHERE purpose = 'known' AND email = '' AND name = ''" 2

test_that "of several sign-ups with one address the first link makes the account, and the others are over"
sign_up late@example.kr Late; answer=$body
sign_up late@example.kr Late password='another good password'; follow_link
expect_status 303
forget; body=$answer; follow_link
expect_status 410
sign_in late@example.kr 'another good password'; expect_status 303

test_that "an address that has got an account meanwhile is sent to sign in"
sign_up meanwhile@example.kr Early; answer=$body
sql "INSERT INTO person (email, name, password_hash, created_at, updated_at) VALUES ('meanwhile@example.kr', 'M', 'x', 0, 0)"
body=$answer; follow_link
expect_status 409
expect_body 'You already have an account'
expect_body 'class="btn" href="/account/sign-in"'

test_that "a password that is too short, too common or the same as the email is refused at its field"
get /account/sign-up
post /account/sign-up name=A email=a@example.kr password=short lang=en
expect_status 422
expect_body 'id="e-password"'
expect_body 'href="#f-password"'
post /account/sign-up name=A email=a@example.kr password=QWERTYuiop lang=en
expect_status 422
expect_body 'too common'
post /account/sign-up name=A email=long.name@example.kr password=long.name@example.kr lang=en
expect_status 422
expect_body 'not your email'

test_that "invalid fields of the sign-up form are marked and nothing is stored"
before=$(sql 'SELECT COUNT(*) FROM person')
post /account/sign-up name= email=nonsense password="$PASSWORD" phone='call me' lang=fr
expect_status 422
for field in name email phone lang; do expect_body "id=\"e-$field\""; done
expect_body 'value="nonsense"'
post /account/sign-up name=A email=b@example.kr password="$PASSWORD" lang=en is_admin=1
expect_status 422
expect_body 'not supported'
post /account/sign-up name="$(printf 'x%.0s' {1..81})" email=b@example.kr password="$PASSWORD" lang=en
expect_status 422
expect_sql 'SELECT COUNT(*) FROM person' "$before"

test_that "markup in a name is escaped"
sign_up_and_confirm mark@example.kr '<script>alert(1)</script>"'"'"
get /account
expect_body '&lt;script&gt;'
expect_no_body '<script>alert'

test_that "a form with a wrong CSRF token is refused"
forget; get /account/sign-up; csrf=wrong
post /account/sign-up name=A email=c@example.kr password="$PASSWORD" lang=en
expect_status 403
expect_sql "SELECT COUNT(*) FROM person WHERE email = 'c@example.kr'" 0

test_that "a NUL byte, invalid UTF-8 or a thousand fields get 400"
get /account/sign-in
ask POST /account/sign-in "$new" 'email=a%00b'; expect_status 400
ask POST /account/sign-in "$new" 'email=%ff%fe'; expect_status 400
ask POST /account/sign-in "$new" "$(printf 'f%s=1&' {1..1000})"; expect_status 400

# --- sign in

test_that "signing in redirects to the page in next"
calm; forget; get '/account/sign-in?next=%2Fbookings%2Fnew%3Fcar_id%3D7'
expect_body 'value="/bookings/new?car_id=7"'
post /account/sign-in email=hana@example.kr password="$PASSWORD" next='/bookings/new?car_id=7'
expect_status 303
expect_location '/bookings/new?car_id=7'

test_that "signing in never redirects to another site or back to the sign-in page"
for next in //evil.example https://evil.example '/\evil.example' /account/sign-in; do
	forget; get "/account/sign-in?next=$(encode "$next")"
	post /account/sign-in email=hana@example.kr password="$PASSWORD" next="$next"
	expect_location /
done

test_that "signing in starts a session with a new token and ends the old one"
sign_in hana@example.kr; old=${cookie[mp_session]}
sessions=$(sql 'SELECT COUNT(*) FROM session')
post /account/sign-in email=hana@example.kr password="$PASSWORD"
get /account; post /account/sign-in email=hana@example.kr password="$PASSWORD"
expect_status 303
[[ ${cookie[mp_session]} != "$old" ]] || bad 'the token stayed'
expect_sql 'SELECT COUNT(*) FROM session' "$sessions"

test_that "an unknown email, a wrong password and a disabled account get the same answer"
calm; sql "UPDATE person SET disabled = 1 WHERE email = 'twice@example.kr'"
strip() { sed -e 's/value="[^"]*"//g' -e 's/<code>[^<]*//' <<<"$body"; }
sign_in hana@example.kr 'not this one'; wrong=$(strip); expect_status 401
sign_in unknown@example.kr 'not this one'; expect_status 401
expect_same "$(strip)" "$wrong"
sign_in twice@example.kr; expect_status 401
expect_same "$(strip)" "$wrong"

test_that "after five wrong passwords for an email, sign-in gets 429 with Retry-After, whether the account exists or not"
for email in hana@example.kr unknown2@example.kr; do
	calm
	for i in 1 2 3 4 5; do sign_in $email 'not this one'; expect_status 401; done
	sign_in $email; expect_status 429
	expect_header 'Retry-After: 1'
	expect_body 'Too many attempts. Please wait a minute'
	forget; json POST /account/sign-in "{\"email\":\"$email\",\"password\":\"$PASSWORD\"}"
	expect_status 429
	expect_js .error.code too_many
	expect_js '.error.message[:17]' 'Too many attempts'
	sql "UPDATE sign_in_throttle SET closed_until = closed_until + 600"
	sign_in $email; expect_body 'in 11 minutes'
done

test_that "a locked account does not lock other accounts, and is unlocked after a time"
sign_up_and_confirm other@example.kr 김하나; sign_in other@example.kr; expect_status 303
sql "UPDATE sign_in_throttle SET closed_until = 1"
sign_in hana@example.kr; expect_status 303

test_that "many failed sign-ins from one address lock that address and no other"
calm
for i in {1..30}; do forget; json POST /account/sign-in "{\"email\":\"u$i@example.kr\",\"password\":\"wrong wrong wrong\"}"; done
expect_status 401
sign_in hana@example.kr; expect_status 429
address=198.51.100.7 sign_in hana@example.kr; expect_status 303
calm

test_that "after signing out, the old session cookie is refused"
sign_in hana@example.kr; get /account; kept=${cookie[mp_session]} seen=${cookie[mp_seen]}
post /account/sign-out; expect_status 303
get /account; expect_status 303
expect_location '/account/sign-in?next=%2Faccount'
cookie=([mp_session]=$kept [mp_seen]=$seen); get /account; expect_status 303

test_that "an expired session is refused"
sign_in hana@example.kr; sql 'UPDATE session SET expires_at = 1'
get /account; expect_status 303

# --- language

test_that "a visitor who is not signed in can switch the language and is redirected to the same page, never to another site"
forget; get '/account/sign-in?next=%2Fcars'
post /account/language lang=ko back='/account/sign-in?next=%2Fcars'
expect_status 303
expect_location '/account/sign-in?next=%2Fcars'
expect_header 'mp_lang=ko'
expect_header 'Max-Age=31536000'
post /account/language lang=xx back=/
expect_status 422
post /account/language lang=en back=//evil.example
expect_location /

test_that "the language of a signed-in user is stored in the profile"
sign_in hana@example.kr; get /account; post /account/language lang=en back=/account
expect_location /account
expect_sql "SELECT lang FROM person WHERE email = 'hana@example.kr'" en

# --- profile and licence

test_that "the profile is saved; invalid values are refused and stay in the form"
get /account/profile; expect_body 'value="김하나"'
post /account/profile name='Kim Hana' phone='010-1234-5678' lang=en; expect_location '/account?done=saved'
get '/account?done=saved'; expect_body 'Your changes have been saved'
expect_body '010-1234-5678'
post /account/profile name='' phone='<script>' lang=en; expect_status 422
expect_body 'value="&lt;script&gt;"'

test_that "a licence with an impossible date, an expired one or one of a minor is refused; a valid one is saved and can be removed"
get /account/licence
post /account/licence number=11-23-456789-01 expires_on=2031-02-31 born_on=1990-01-01; expect_status 422
expect_body 'id="e-expires_on"'
post /account/licence number=11-23-456789-01 expires_on=2020-01-01 born_on=1990-01-01; expect_status 422
expect_body 'has expired'
post /account/licence number=11-23-456789-01 expires_on=9999-01-01 born_on=1990-01-01; expect_status 422
post /account/licence number=11-23-456789-01 expires_on=2035-01-01 born_on=2015-01-01; expect_status 422
expect_body 'at least 18'
post /account/licence number=11-23-456789-01 expires_on=2035-01-01 born_on=2999-01-01; expect_status 422
expect_body 'id="e-born_on"'
post /account/licence number='<script>' expires_on=2035-01-01 born_on=1990-01-01; expect_status 422
expect_body 'id="e-number"'
expect_sql 'SELECT COUNT(*) FROM licence' 0
post /account/licence number=11-23-456789-01 expires_on=2035-01-01 born_on=1990-01-01; expect_location '/account?done=licence'
get /account; expect_body 11-23-456789-01
get /account/licence; post /account/licence/remove; expect_location '/account?done=licence-removed'
expect_sql 'SELECT COUNT(*) FROM licence' 0

# --- password and sessions

test_that "changing the password requires the current one and ends all other sessions of the user"
sign_in hana@example.kr; there=${cookie[mp_session]} there_seen=${cookie[mp_seen]}
api hana@example.kr; program_token=$token
sign_in hana@example.kr; get /account/password
post /account/password current_password='not this one' new_password='green window seven boats'
expect_status 422
expect_body 'id="e-current_password"'
post /account/password current_password="$PASSWORD" new_password=short; expect_status 422
expect_body 'id="e-new_password"'
post /account/password current_password="$PASSWORD" new_password='green window seven boats'; expect_location '/account?done=password'
post /account/password current_password="$PASSWORD" new_password='green window seven boats'; expect_status 303
get /account; expect_status 200
here=${cookie[mp_session]} here_seen=${cookie[mp_seen]}
cookie=([mp_session]=$there [mp_seen]=$there_seen); get /account; expect_status 303
forget; bearer "$program_token"; json GET /account; expect_status 401
sign_in hana@example.kr; expect_status 401
sign_in hana@example.kr 'green window seven boats'; expect_status 303

test_that "signing out everywhere ends all sessions of the user, the current one included"
get /account/sessions; expect_status 200
expect_body 'this browser'
post /account/sessions/end; expect_location '/account/sign-in?done=everywhere'
cookie=([mp_session]=$here [mp_seen]=$here_seen); get /account; expect_status 303
expect_sql "SELECT COUNT(*) FROM session JOIN person USING (user_id) WHERE email = 'hana@example.kr'" 0

# --- tokens

test_that "an API token is shown only when it is created; submitting the form twice creates one; a revoked token is refused"
sign_in other@example.kr; get /account/tokens
post /account/tokens name=Calendar form_key=abc123; expect_status 200
expect_body 'Copy it now'
made=$(grep -o 'id="token">[^<]*' <<<"$body" | sed 's/.*>//')
post /account/tokens name=Calendar form_key=abc123; expect_body "id=\"token\">$made<"
expect_sql "SELECT COUNT(*) FROM api_token WHERE name = 'Calendar'" 1
get /account/tokens; expect_body Calendar
expect_no_body "$made"
page=$csrf; kept=("${cookie[mp_session]}" "${cookie[mp_seen]}")
forget
bearer "$made"
json GET /account; expect_status 200
expect_js .email other@example.kr
forget; cookie=([mp_session]=${kept[0]} [mp_seen]=${kept[1]}); csrf=$page
id=$(sql "SELECT token_id FROM api_token WHERE name = 'Calendar'")
post "/account/tokens/$id/revoke"; expect_location '/account/tokens?done=revoked'
post /account/tokens name=Calendar form_key=abc123; expect_status 409
forget; bearer "$made"; json GET /account; expect_status 401

test_that "a user cannot revoke another user's token"
api other@example.kr; id=$(sql 'SELECT MAX(token_id) FROM api_token')
api mark@example.kr; json DELETE "/account/tokens/$id"; expect_status 404
json DELETE /account/tokens/abc; expect_status 404
expect_sql "SELECT revoked_at FROM api_token WHERE token_id = $id" 0

# --- JSON

# token_mailed N: the token of the mail with the Nth link, derived as message derives it: only its hash is in the table, so the test swaps it
token_mailed() { sql "UPDATE mail_link SET token_hash = '$(printf %s "known-token-of-link-$1" | b2sum -l 256 | cut -d' ' -f1)' WHERE link_id = $1"; echo "known-token-of-link-$1"; }
last_link() { sql 'SELECT MAX(link_id) FROM mail_link'; }

test_that "JSON: a client signs up, confirms and signs in without a CSRF token, and gets a token and no cookie"
forget; json POST /account/sign-up "{\"email\":\"robot@example.kr\",\"name\":\"Robot\",\"password\":\"$PASSWORD\",\"phone\":\"02-123-4567\",\"lang\":\"en\"}"
expect_status 202
expect_js tojson '{"status":"check_mail"}'
expect_sql "SELECT COUNT(*) FROM person WHERE email = 'robot@example.kr'" 0
json POST /account/confirm "{\"token\":\"$(token_mailed "$(last_link)")\"}"
expect_status 201
expect_js .email robot@example.kr
expect_js .name Robot
expect_js '.user_id | type' number
expect_same "${#cookie[@]}" 0
json POST /account/sign-in "{\"email\":\"robot@example.kr\",\"password\":\"$PASSWORD\"}"
expect_status 200
expect_js '.roles | tojson' '["customer"]'
expect_js '.token | length' 32
bearer "$(js .token)"
json GET /account
expect_js .lang en
expect_js '.licence' null
expect_js .phone 02-123-4567

test_that "JSON: signing up with a registered email gets the same answer, whatever the password"
forget
for password in "$PASSWORD" 'something else here'; do
	json POST /account/sign-up "{\"email\":\"robot@example.kr\",\"name\":\"Robot\",\"password\":\"$password\"}"
	expect_status 202
	expect_js tojson '{"status":"check_mail"}'
done
expect_sql "SELECT COUNT(*) FROM person WHERE email = 'robot@example.kr'" 1

test_that "JSON: a forgotten password is answered alike for any address, and its token sets a new one, once"
calm
for email in nobody@example.kr robot@example.kr; do
	json POST /account/forgot "{\"email\":\"$email\"}"
	expect_status 202
	expect_js tojson '{"status":"check_mail"}'
done
reset=$(token_mailed "$(last_link)")
json POST /account/reset "{\"token\":\"$reset\",\"new_password\":\"short\"}"; expect_status 422
expect_js '.error.fields | keys | tojson' '["new_password"]'
json POST /account/reset "{\"token\":\"$reset\",\"new_password\":\"$PASSWORD\"}"; expect_status 204
json POST /account/reset "{\"token\":\"$reset\",\"new_password\":\"$PASSWORD\"}"; expect_status 410
expect_js .error.code link_over
json POST /account/confirm '{"token":"x"}'; expect_status 410
json POST /account/confirm '{}'; expect_status 422
json POST /account/reset '{}'; expect_status 422
json POST /account/forgot '{}'; expect_status 422

test_that "JSON: invalid and unknown fields get 422 with their names; malformed JSON gets 400"
json POST /account/sign-up '{"email":"x","name":"","password":"123","surname":"y"}'
expect_status 422
expect_js .error.code invalid
expect_js '.error.fields | keys | tojson' '["email","name","password","surname"]'
json POST /account/sign-up '{"email":'; expect_status 400
json POST /account/sign-up '{"email":["a"],"name":5,"password":{"a":1}}'; expect_status 422
json POST /account/sign-up '[]'; expect_status 400

test_that "JSON: PUT /account replaces the profile, and the licence only if it is sent"
calm; api robot@example.kr
json PUT /account '{"name":"Robo","phone":"02-999-9999","number":"AB 123456","expires_on":"2035-05-05","born_on":"1980-05-05"}'
expect_status 200
expect_js .name Robo
expect_js .licence.expires_on 2035-05-05
json PUT /account '{"name":"Robo","number":"AB 123456","expires_on":"2020-05-05","born_on":"1980-05-05"}'
expect_status 422
expect_js '.error.fields | keys | tojson' '["expires_on"]'
json PUT /account '{"name":"Robo"}'; expect_js .licence.number 'AB 123456'

test_that "JSON: changing the password ends the user's other sessions; signing out ends the current one"
api robot@example.kr; first=$token; api robot@example.kr
json POST /account/password "{\"current_password\":\"$PASSWORD\",\"new_password\":\"a red robot in the rain\"}"; expect_status 204
json GET /account; expect_status 200
token=$first json GET /account; expect_status 401
json POST /account/password "{\"current_password\":\"a red robot in the rain\",\"new_password\":\"$PASSWORD\"}"; expect_status 204
json POST /account/sign-out; expect_status 204
json GET /account; expect_status 401
api robot@example.kr

test_that "JSON: GET of a page that is only a form gets 404"
for path in /account/password /account/sign-in /account/sign-up /account/forgot /account/confirm /account/reset; do
	json GET $path; expect_status 404
	expect_js .error.code not_found
done

test_that "JSON: API tokens are created, listed without their secret, and revoked"
api robot@example.kr
json POST /account/tokens '{"name":"cron"}'; expect_status 201
expect_js .name cron
made=$(js .token)
id=$(js .token_id)
json GET /account/tokens; expect_no_body "$made"
expect_js '.tokens[0].name' cron
json DELETE "/account/tokens/$id"; expect_status 204
bearer "$made"
json GET /account; expect_status 401
expect_js .error.code unauthorized

# --- a forgotten password

test_that "a forgotten password: the sign-in page leads to the form, and every address gets the same answer"
calm; forget; get '/account/sign-in?next=%2Fbookings%2Fnew%3Fcar_id%3D7'
expect_body 'href="/account/forgot?next=%2Fbookings%2Fnew%3Fcar_id%3D7"'
get '/account/forgot?next=%2Fbookings%2Fnew%3Fcar_id%3D7'
expect_body 'value="/bookings/new?car_id=7"'
post /account/forgot email=nobody@example.kr next='/bookings/new?car_id=7'
expect_status 202
unknown=$(without_links | sed s/nobody@/mark@/)
post /account/forgot email=mark@example.kr next='/bookings/new?car_id=7'
expect_status 202
expect_same "$(without_links)" "$unknown"
answer=$body link=$(link_on_page)
post /account/forgot email=nonsense; expect_status 422
expect_body 'id="e-email"'
expect_body 'value="nonsense"'

test_that "the new password is checked and the link kept; it ends all sessions and tokens, signs in and goes on"
api mark@example.kr; json POST /account/tokens '{"name":"mine"}'; made=$(js .token); old=$token
sign_in mark@example.kr; session=${cookie[mp_session]} seen=${cookie[mp_seen]}
forget; get "$link"; expect_status 200
expect_header 'Cache-Control: no-store'
post /account/reset token="${link#*=}" new_password=short; expect_status 422
expect_body 'id="e-new_password"'
expect_body "value=\"${link#*=}\""
post /account/reset token="${link#*=}" new_password='a brand new sentence'; expect_status 303
expect_location '/bookings/new?car_id=7'
get /account; expect_status 200
expect_body mark@example.kr
for each in "$made" "$old"; do forget; bearer "$each"; json GET /account; expect_status 401; done
forget; cookie=([mp_session]=$session [mp_seen]=$seen); get /account; expect_status 303
sign_in mark@example.kr; expect_status 401
sign_in mark@example.kr 'a brand new sentence'; expect_status 303
forget; get "$link"; expect_status 410
post /account/reset token="${link#*=}" new_password='yet another sentence'; expect_status 410

test_that "a link that has expired, and one of a disabled account, do nothing"
forget; get /account/forgot; post /account/forgot email=mark@example.kr; answer=$body link=$(link_on_page)
sql "UPDATE mail_link SET created_at = created_at - 1800, expires_at = expires_at - 1800 WHERE link_id = $(last_link)"
get "$link"; expect_status 410
post /account/reset token="${link#*=}" new_password='yet another sentence'; expect_status 410
get /account/forgot; post /account/forgot email=mark@example.kr; link=$(link_on_page)
sql "UPDATE person SET disabled = 1 WHERE email = 'mark@example.kr'"
get "$link"; post /account/reset token="${link#*=}" new_password='yet another sentence'; expect_status 410
get /account/forgot; post /account/forgot email=mark@example.kr; expect_status 202
expect_same "$(link_on_page)" ''
sql "UPDATE person SET disabled = 0 WHERE email = 'mark@example.kr'"

test_that "six mails to one address in a row are too many, known or not; the form keeps what was typed"
calm
for email in nobody@example.kr mark@example.kr; do
	for i in {1..5}; do post /account/forgot email=$email; expect_status 202; done
	post /account/forgot email=$email; expect_status 429
	expect_header 'Retry-After: 1'
	expect_body "value=\"$email\""
done
calm

test_that "the link is shown in test mode only, only while mail goes into the folder, and never that of staff"
sql "INSERT INTO user_role SELECT user_id, 'manager' FROM person WHERE email = 'mark@example.kr'"
get /account/forgot; post /account/forgot email=mark@example.kr; expect_status 202
expect_same "$(link_on_page)" ''
sign_up mark@example.kr Mark; expect_same "$(link_on_page)" ''
sql "DELETE FROM user_role WHERE role = 'manager'"
for setting in MOTORPOOL_SANDBOX=no MOTORPOOL_MAIL_URL=smtp://127.0.0.1:9; do
	export "${setting?}"
	sign_up shown@example.kr Shown; expect_status 202
	expect_no_body 'token='
	get /account/forgot; post /account/forgot email=mark@example.kr; expect_status 202
	expect_no_body 'token='
	unset "${setting%%=*}"
done
sign_up shown@example.kr Shown; [[ -n $(link_on_page) ]] || bad 'no link'
json POST /account/sign-up "{\"email\":\"shown2@example.kr\",\"name\":\"Robot\",\"password\":\"$PASSWORD\"}"
expect_js tojson '{"status":"check_mail"}'
calm

# --- admins

test_that "only an admin can list users and change roles"
api robot@example.kr; json GET /account/users; expect_status 403
json POST /account/users/1/roles '{"role":"admin","given":true}'; expect_status 403
forget; json GET /account/users; expect_status 401
forget; get /account/users; expect_status 303

make_admin other@example.kr
test_that "an admin can search, filter and sort users"
sign_in other@example.kr
get '/account/users?q=HANA'; expect_status 200
expect_body hana@example.kr
expect_no_body robot@example.kr
get '/account/users?q=%25'; expect_body 'No users found'
get '/account/users?role=admin'; expect_body other@example.kr
expect_no_body robot@example.kr
get '/account/users?role=king'; expect_status 422
get "/account/users?q=$(printf 'x%.0s' {1..101})"; expect_status 422
get "/account/users?q=$(encode "'; DROP TABLE person; --")"; expect_status 200
api other@example.kr
json GET '/account/users?sort=email'; expect_status 200
expect_js '.users[0].email' hana@example.kr
json GET '/account/users?sort=-email'; expect_js '.users[0].email' twice@example.kr
json GET '/account/users?sort=nonsense&page=999'; expect_status 200
expect_js .page 1

test_that "an admin sends a person the link to set a new password, without seeing it"
mark=$(sql "SELECT user_id FROM person WHERE email = 'mark@example.kr'")
sign_in other@example.kr; get "/account/users/$mark"; expect_body "action=\"/account/users/$mark/reset\""
post "/account/users/$mark/reset"; expect_status 303
expect_location "/account/users/$mark?done=reset"
get "$location"; expect_body 'sending this person a link'
expect_no_body 'token='
expect_sql "SELECT user_id FROM mail_link WHERE link_id = $(last_link)" "$mark"
expect_sql "SELECT actor_id FROM event ORDER BY event_id DESC LIMIT 1" "$(sql "SELECT user_id FROM person WHERE email = 'other@example.kr'")"
api other@example.kr
json POST "/account/users/$mark/reset"; expect_status 202
expect_js .status check_mail
json POST /account/users/999/reset; expect_status 404
json POST "/account/users/$mark/disable"
json POST "/account/users/$mark/reset"; expect_status 409
expect_js .error.code disabled
json POST "/account/users/$mark/enable"
api robot@example.kr; json POST "/account/users/$mark/reset"; expect_status 403
api other@example.kr

test_that "an admin adds and removes a role; adding it twice is allowed; unknown roles and users are refused"
hana=$(sql "SELECT user_id FROM person WHERE email = 'hana@example.kr'")
json POST "/account/users/$hana/roles" '{"role":"manager","given":true}'; expect_status 200
expect_js '.roles | tojson' '["customer","manager"]'
json POST "/account/users/$hana/roles" '{"role":"manager","given":true}'; expect_status 200
json POST "/account/users/$hana/roles" '{"role":"manager","given":false}'; expect_js '.roles | tojson' '["customer"]'
json POST "/account/users/$hana/roles" '{"role":"king","given":true}'; expect_status 422
json POST "/account/users/$hana/roles" '{"role":"manager"}'; expect_status 422
json POST /account/users/99999/roles '{"role":"manager","given":true}'; expect_status 404
json POST /account/users/abc/roles '{"role":"manager","given":true}'; expect_status 404
json GET /account/users/99999; expect_status 404

test_that "an admin cannot remove their own admin role or disable their own account"
me=$(sql "SELECT user_id FROM person WHERE email = 'other@example.kr'")
json POST "/account/users/$me/roles" '{"role":"admin","given":false}'; expect_status 409
json POST "/account/users/$me/disable"; expect_status 409
sign_in other@example.kr; get "/account/users/$me"; expect_status 200
post "/account/users/$me/roles" role=admin given=0; expect_status 409
expect_body 'You cannot remove your own admin role'

test_that "disabling an account refuses its API tokens and sign-ins at once; enabling it allows its API tokens, but not its old session"
api hana@example.kr 'green window seven boats'; hana_token=$token
json POST /account/tokens '{"name":"mine"}'; mine=$(js .token)
sign_in other@example.kr; get "/account/users/$hana"
post "/account/users/$hana/disable"; expect_location "/account/users/$hana?done=disabled"
keep=("${cookie[mp_session]}" "${cookie[mp_seen]}"); page=$csrf
forget; bearer "$mine"; json GET /account; expect_status 401
sign_in hana@example.kr 'green window seven boats'; expect_status 401
forget; cookie=([mp_session]=${keep[0]} [mp_seen]=${keep[1]}); csrf=$page
post "/account/users/$hana/enable"; expect_status 303
forget; bearer "$mine"; json GET /account; expect_status 200
bearer "$hana_token"; json GET /account; expect_status 401

test_that "unknown pages get 404, wrong methods 405 and wrong content types 415; markup in queries is escaped; no error is logged"
sign_in other@example.kr
get /account/nowhere; expect_status 404
ask PUT /account/users; expect_status 405
ask POST /account/sign-in text/plain hello; expect_status 415
for path in /account /account/profile /account/licence /account/password /account/sessions /account/tokens /account/users "/account/users/$me"; do
	get "$path?page=%27%22%3Cscript%3E&sort=%27%22&q=%27%22%3C&done=%27%22%3Cscript%3E"; expect_status 200
	expect_no_body '<script>'
done
expect_same "$(grep -c '"level":"error"' "$VAR/log")" 0

finish
