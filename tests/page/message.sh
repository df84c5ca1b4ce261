#!/bin/bash
# message.sh - the pages and the JSON API of message, tested with the real program, one request at a time. This test inserts the messages;
# tests/unit/test_message.c tests how they are written.
. tests/page/lib.sh
begin message

message() { # ID WHO TITLE STATE EMAIL
	sql "INSERT INTO message (message_id, event_id, recipient_id, kind, subject_id, lang, title, body, link, in_inbox, email, state, created_at, settled_at)
	     VALUES ($1, $1, $2, 'booking_confirmed', 'MP-AAAA000$1', 'en', '$3', 'Hello,' || char(10) || char(10) || 'first <b>line</b>' || char(10) || 'second line', '/my/bookings/MP-AAAA000$1', 1, '$5', '$4', 1795222800, 1795222800)"
}
user_id=101 make_user hana customer
user_id=102 make_user duri customer
user_id=103 make_user boss manager
message 1 101 'For Hana' SENT hana@example.com
message 2 102 'For Duri' SENT duri@example.com
message 3 101 'Given up' DEAD hana@example.com
sql "INSERT INTO message_try VALUES (3, 1, 1795222800, 'REFUSED', '550 <no> such user')"

test_that "without signing in, a browser is redirected to the sign-in page and a JSON request gets 401"
get /messages
expect_status 303
expect_location '/account/sign-in?next=%2Fmessages'
json GET /messages
expect_status 401

test_that "users see only their own messages, newest first"
as hana; json GET /messages
expect_status 200
expect_js .n_total 2
expect_js .n_unread 2
expect_js '.messages[0].title' 'Given up'
expect_js '.messages[1].is_unread' true
json GET /messages/2
expect_status 404
json POST /messages/2/read
expect_status 404
expect_sql "SELECT read_at FROM message WHERE message_id = 2" 0

test_that "getting a message does not mark it as read; marking it as read twice is no error"
json GET /messages/1
expect_status 200
expect_js .read_at null
expect_js .kind booking_confirmed
json POST /messages/1/read
expect_status 200
expect_js .is_unread false
json POST /messages/1/read
expect_status 200
json GET '/messages?unread=1'
expect_js '.messages | length' 1

test_that "POST /messages/read marks all messages of the user as read, and no others"
json POST /messages/read
expect_status 200
expect_js .n_unread 0
expect_sql "SELECT COUNT(*) FROM message WHERE read_at = 0" 1

make_user nari customer
browse nari
nari=$(sql "SELECT $(user_id_of nari)")

test_that "an empty inbox says that there are no messages"
get /messages
expect_status 200
expect_body 'No messages yet'

message 4 "$nari" 'Hello <script>' SENT nari@example.com

test_that "the menu has the number of unread messages; opening one by its form marks it as read"
get /messages
expect_status 200
expect_body '<span class="badge">1</span>'
expect_body 'action="/messages/4/read"'
expect_body 'Hello &lt;script&gt;'
post /messages/4/read
expect_status 303
expect_location /messages/4
get /messages
expect_no_body '<span class="badge">'
expect_body 'href="/messages/4"'

test_that "a message's page shows its text line by line, escaped, with a link to its subject"
get /messages/4
expect_status 200
expect_body '<span>first &lt;b&gt;line&lt;/b&gt;</span><span>second line</span>'
expect_body 'href="/my/bookings/MP-AAAA0004"'

test_that "marking messages as read with a wrong CSRF token is refused"
saved=$csrf; csrf=wrong; post /messages/read; csrf=$saved
expect_status 403

test_that "notification preferences are saved; refund messages always stay in the inbox; a topic the user does not have is refused"
get /messages/preferences
expect_status 200
expect_body 'name="delivery_email"'
expect_no_body 'name="work_inbox"'
post /messages/preferences delivery_inbox=1 booking_email=1
expect_status 303
expect_sql "SELECT inbox || email FROM message_preference WHERE user_id = $nari AND topic = 'delivery'" 10
expect_sql "SELECT inbox || email FROM message_preference WHERE user_id = $nari AND topic = 'refund'" 10
as hana; json POST /messages/preferences '{"work_inbox":true}'
expect_status 422

test_that "only managers can see the mail log and send mail again"
json GET /messages/log
expect_status 403
json POST /messages/3/resend
expect_status 403
as boss; json GET '/messages/log?state=DEAD'
expect_status 200
expect_js .n_total 1
expect_js '.messages[0].reply' '550 <no> such user'
expect_js '.messages[0].recipient_name' 'A hana'
json GET '/messages/log?about=mp-aaaa0002'
expect_js .n_total 1
json GET '/messages/log?state=nonsense'
expect_status 422
json GET /messages/log/3
expect_js '.tries[0].outcome' REFUSED
expect_js .message.can_resend true

test_that "a dead mail can be sent again once, and the event has the actor"
json POST /messages/3/resend
expect_status 200
expect_js .message.state QUEUED
json POST /messages/3/resend
expect_status 409
expect_js .error.code wrong_state
expect_sql "SELECT actor_id FROM v_audit WHERE type = 'message.resent' AND subject_id = 'message:3'" 103
json POST /messages/99/resend
expect_status 404

test_that "the mail directory is shown only to admins, with decoded mails, and no other files can be opened"
user_id=204 make_user root admin
mkdir "$VAR/mail"
printf 'From: a@b.kr\r\nTo: =?UTF-8?B?6rmA?=\r\n <k@b.kr>\r\nSubject: =?UTF-8?B?7JiI7JW9?=\r\nDate: Sat, 21 Nov 2026 14:00:00 +0000\r\nMessage-ID: <m@b.kr>\r\nContent-Language: ko\r\n\r\n7JWI64WV\r\n' >"$VAR/mail/7.eml"
echo secret >"$VAR/mail/other.txt"; ln -s "$VAR/secret.key" "$VAR/mail/8.eml"
use ops; as boss; json GET /ops/mail
expect_status 403
as root; json GET /ops/mail
expect_status 200
expect_js '.letters | length' 1
expect_js '.letters[0].subject' 예약
expect_js '.letters[0].to' '김 <k@b.kr>'
json GET /ops/mail/7
expect_js .body 안녕
for name in 8 9 ..%2Fsecret.key other.txt; do json GET "/ops/mail/$name"; expect_status 404; done

finish
