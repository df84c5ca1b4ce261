#!/bin/bash
# metrics.sh - /metrics, and the alert rules that use it, checked by promtool.
. tests/page/lib.sh
begin ops
export PATH=$PATH:$PWD/build/tools
PROM=deploy/prometheus

scrape() { forget; bearer "$1"; use ops; get /metrics; }
promtool_is() { # ARGUMENTS: fails with the output of promtool if promtool fails
	local said
	command -v promtool >/dev/null || { bad "promtool is not installed (run tests/install)"; return; }
	said=$(promtool "$@" 2>&1 </dev/stdin) || bad "$said"
}
motorpool() { "$BUILD/motorpool" "$@" --var "$VAR" 2>>"$VAR/log"; }

key=$(motorpool token --metrics)

test_that "/metrics requires the scraper's key or an admin's token"
scrape "$key"; expect_status 200
scrape "x$key"; expect_status 401
scrape "${key%?}"; expect_status 401
forget; get /metrics; expect_status 401
motorpool user add root@example.kr Root --role admin --password 'paper horse lamp river' >/dev/null
motorpool user add kim@example.kr Kim --role manager --password 'paper horse lamp river' >/dev/null
scrape "$(motorpool token root@example.kr)"; expect_status 200
scrape "$(motorpool token kim@example.kr)"; expect_status 401

test_that "the scraper's key gives no access to other pages"
bearer "$key"; get /ops; expect_status 401
get /ops/events; expect_status 401

test_that "/metrics is in Prometheus' text format, and promtool reports no problem"
scrape "$key"
[[ $headers == *'text/plain; version=0.0.4'* ]] || bad "$headers"
promtool_is check metrics <<<"$body"

test_that "/metrics has the lag, dead letters, overdue refunds and pauses of consumers, and the state of the programs and the relay"
sql "INSERT INTO event (type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash) VALUES ('booking.paid', 'MP-1', 1, strftime('%s', 'now') - 90, '{}', '', 'a')"
sql "INSERT INTO event_retry VALUES ('fleet', 1, 'MP-1', 12, 0, 'broken', 1)"
sql "INSERT INTO relay_pause VALUES ('booking', 1, 0, 'a test')"
scrape "$key"
expect_body 'motorpool_consumer_lag_events{consumer="booking"} 1'
[[ $(sed -n 's/^motorpool_consumer_lag_seconds{consumer="booking"} //p' <<<"$body") -ge 90 ]] || bad "lag in seconds"
expect_body 'motorpool_dead_letters{consumer="fleet"} 1'
expect_body 'motorpool_consumer_paused{consumer="booking"} 1'
expect_body 'motorpool_consumer_paused{consumer="fleet"} 0'
expect_body 'motorpool_stuck{kind="refund"} 0'
expect_body 'motorpool_relay_silent_seconds -1'
expect_body 'motorpool_up{program="booking"} 0'

test_that "/metrics has no names, booking codes or email addresses"
grep -E 'MP-|example|Kim' <<<"$body" && bad "there is personal data"

test_that "every metric that an alert rule uses is in /metrics"
for name in $(grep -oE 'motorpool_[a-z_]+' $PROM/motorpool.rules.yml | sort -u); do
	grep -qE "^# TYPE $name " <<<"$body" || bad "$name"
done

test_that "each alert fires when it should, and not otherwise"
promtool_is check rules $PROM/motorpool.rules.yml </dev/null
(cd $PROM && promtool test rules motorpool.test.yml >"$VAR/rules" 2>&1) || bad "$(cat "$VAR/rules")"

test_that "the tests of the alert rules fail if a rule is changed"
mkdir "$VAR/prom"; cp $PROM/*.yml "$VAR/prom"
sed -i 's/motorpool_dead_letters > 0/motorpool_dead_letters > 9/' "$VAR/prom/motorpool.rules.yml"
(cd "$VAR/prom" && promtool test rules motorpool.test.yml >/dev/null 2>&1) && bad "the change was not detected"

test_that "every alert has a section in docs/operate.md"
for name in $(sed -n 's/.*- alert: //p' $PROM/motorpool.rules.yml | sort -u); do
	grep -q "^###* .*$name" docs/operate.md || bad "$name"
done

finish
