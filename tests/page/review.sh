#!/bin/bash
# tests/page/review.sh - review cases: how programs open and cancel them, and how reviewers see and decide them.
cd "$(dirname "$0")/../.." && . tests/page/lib.sh || exit 1

internal() { MOTORPOOL_INTERNAL=1 json "$@"; }
relay() { "$BUILD/bin/relay" "$VAR" --once 2>>"$VAR/log"; }

open_case() { # KEY QUANTITY AMOUNT [APPLICANT]
	internal POST /internal/cases "{\"key\":\"$1\",\"kind\":\"equipment\",\"subject_id\":\"MP-AAAA1111\",\"applicant_id\":${4-4},\"title\":\"$2 × Tent & pegs\",\"title_ko\":\"텐트 $2개\",\"category\":\"camping\",\"quantity\":$2,\"amount\":$3,\"currency\":\"KRW\"}"
}

begin review
make_user manager manager
make_user examiner examiner
make_user customer customer
make_user employee employee
make_user both manager examiner
lang=en

# --- internal calls

test_that "a small order is approved at once by rule"
open_case EQ-SMALL1 4 200000; expect_status 200
expect_js .outcome approved
expect_js .case_id 1
expect_js .reason ''

test_that "a large order is queued; opening a case again under the same key returns the same case"
open_case EQ-LARGE1 5 200000; expect_js .outcome queued
expect_js .case_id 2
open_case EQ-LARGE1 5 200000; expect_js .outcome queued
expect_js .case_id 2
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'review.assigned'" 1

test_that "another order under a used key gets 422 key_reused"
open_case EQ-LARGE1 6 200000; expect_status 422
expect_js .error.code key_reused

test_that "a case without an applicant, or with an invalid kind or key, is refused and not stored"
for body in '{}' 'nonsense' '{"key":"EQ-X","kind":"equipment","subject_id":"s","title":"t","quantity":1}' \
	'{"key":"EQ-X","kind":"horse","subject_id":"s","applicant_id":4,"title":"t","quantity":1}' \
	'{"key":"EQ X","kind":"equipment","subject_id":"s","applicant_id":4,"title":"t","quantity":1}'; do
	internal POST /internal/cases "$body"; expect_status 422
done
expect_sql "SELECT COUNT(*) FROM review_case" 2

test_that "a cancelled case stays cancelled, also one that was cancelled before it was opened"
open_case EQ-GONE01 9 1; internal POST /internal/cases/EQ-GONE01/cancel '{"reason":"order_cancelled"}'
expect_js .outcome cancelled
open_case EQ-GONE01 9 1; expect_js .outcome cancelled
internal POST /internal/cases/EQ-NEVER1/cancel '{"reason":"timeout"}'; expect_js .outcome cancelled
open_case EQ-NEVER1 9 1; expect_js .outcome cancelled
expect_sql "SELECT COUNT(*) FROM review_case WHERE state = 'ASSIGNED'" 1

test_that "the internal calls that open and cancel cases get 404 for public requests"
as both; json POST /internal/cases '{}'; expect_status 404
json POST /internal/cases/EQ-LARGE1/cancel '{"reason":""}'; expect_status 404

# --- access

test_that "only managers and examiners can see and decide cases"
forget
get /reviews; expect_status 303
expect_header 'Location: /account/sign-in'
json GET /reviews; expect_status 401
for who in customer employee; do
	as $who
	json GET /reviews; expect_status 403
	json GET /reviews/2; expect_status 403
	json POST /reviews/2/approve '{}'; expect_status 403
done

test_that "managers and examiners see waiting cases first, without cases cancelled before they were opened"
for who in manager examiner; do
	as $who
	json GET /reviews; expect_status 200
	expect_js '.reviews | length' 3
	expect_js '.reviews[0].key' EQ-LARGE1
	expect_js '.reviews[0].state' ASSIGNED
	expect_js .n_waiting 1
	expect_js .n_total 3
	expect_js '.reviews[0].applicant_name' 'A employee'
done
json GET '/reviews?tab=waiting'; expect_js '.reviews | length' 1
json GET '/reviews?tab=decided'; expect_js '.reviews | length' 2

test_that "a case's page has the reason why it waits, in the language of the user, and escapes the title"
browse manager
get /reviews/2; expect_status 200
expect_body '5 × Tent &amp; pegs'
expect_body 'More than 4 units'
expect_body '<dd>Camping</dd>'
expect_body 'Approve'
sql "UPDATE person SET lang = 'ko'"
get /reviews/2; expect_body '텐트 5개'
expect_body '4개 초과'
get /reviews; expect_body '>텐트 5개</a>'
expect_body '심사 대기'
expect_body '신청 시각'
expect_no_body '가입일'
sql "UPDATE person SET lang = 'en'"
as manager
json GET /reviews/2; expect_js .key EQ-LARGE1
expect_js .quantity 5
expect_js .amount 200000
expect_js .currency KRW

test_that "unknown and malformed case ids are not found"
for id in 0 99 x -1 99999999999999999999 1%27; do json GET "/reviews/$id"; expect_status 404; done
json POST /reviews/99/approve '{}'; expect_status 404

# --- deciding

test_that "a rejection without a reason gets 422 and changes nothing"
as manager
json POST /reviews/2/reject '{}'; expect_status 422
expect_js '.error.fields.reason | length > 0' true
json POST /reviews/2/reject '{"reason":"  "}'; expect_status 422
json GET /reviews/2; expect_js .state ASSIGNED

test_that "a rejection with an unknown field or a reason that is too long is refused"
json POST /reviews/2/reject '{"reason":"no","why":"x"}'; expect_status 422
json POST /reviews/2/reject "{\"reason\":\"$(printf 'x%.0s' {1..301})\"}"; expect_status 422

test_that "a case is rejected with a reason once; any other decision afterwards gets 409 wrong_state"
json POST /reviews/2/reject '{"reason":"All tents are wet."}'; expect_status 200
expect_js .state REJECTED
expect_js .reason 'All tents are wet.'
json POST /reviews/2/reject '{"reason":"All tents are wet."}'; expect_status 200
json POST /reviews/2/approve '{}'; expect_status 409
expect_js .error.code wrong_state
as examiner; json POST /reviews/2/reject '{"reason":"mine"}'; expect_status 409
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'review.rejected'" 1
expect_same "$(sql "SELECT payload FROM event WHERE type = 'review.rejected'" | jq -c '[.key,.kind,.applicant_id,.reviewer_id,.rule,.note]')" \
	'["EQ-LARGE1","equipment",4,1,"","All tents are wet."]'

test_that "applicants cannot decide their own case"
open_case EQ-OWN001 9 1 5; id=$(js .case_id)
browse both
get "/reviews/$id"; expect_body 'another reviewer must decide'
expect_no_body '/approve'
post "/reviews/$id/approve" reason=; expect_status 403
expect_body 'another reviewer must decide'
as both
json POST "/reviews/$id/approve" '{}'; expect_status 403
expect_js .error.code own_case
json POST "/reviews/$id/reject" '{"reason":"no"}'; expect_status 403
as examiner
json POST "/reviews/$id/approve" '{}'; expect_status 200
expect_js .state APPROVED
expect_js .reviewer_name 'A examiner'

# --- in a browser: cookies, CSRF, forms

test_that "a form without the CSRF token is refused; with it a case can be decided, but only once"
open_case EQ-FORM01 9 250000; id=$(js .case_id)
browse manager; ask POST "/reviews/$id/approve" application/x-www-form-urlencoded 'reason='; expect_status 403
get "/reviews/$id"; expect_body 'Value above ₩200,000'
post "/reviews/$id/reject" reason=; expect_status 422
expect_body 'aria-invalid="true"'
post "/reviews/$id/approve" reason= form_key=abc; expect_status 303
expect_location "/reviews/$id"
post "/reviews/$id/approve" reason= form_key=abc; expect_status 303
get "/reviews/$id"; expect_body 'Approved'
expect_body 'A manager'
expect_no_body 'formaction'
post "/reviews/$id/reject" reason=late; expect_status 409
expect_body 'already been decided'
expect_sql "SELECT COUNT(*) FROM event WHERE type = 'review.approved' AND payload LIKE '%EQ-FORM01%'" 1

test_that "an empty queue says so; a long queue is paged; invalid parameters are ignored"
get '/reviews?tab=waiting'; expect_status 200
expect_body 'No requests waiting'
for i in $(seq 21); do open_case "EQ-MANY$(printf %02d "$i")" 9 "$i" >/dev/null; done
as manager
json GET '/reviews?tab=waiting'; expect_js '.reviews | length' 20
expect_js .n_pages 2
expect_js '.reviews[0].key' EQ-MANY01
json GET '/reviews?tab=waiting&page=2'; expect_js '.reviews | length' 1
expect_js '.reviews[0].key' EQ-MANY21
for p in 'tab=x' 'page=9999' 'page=-1' 'page=x'; do get "/reviews?$p"; expect_status 200; done

test_that "DELETE of a case and POST to the list get 405"
as manager; json DELETE /reviews/2; expect_status 405
json POST /reviews '{}'; expect_status 405

finish
