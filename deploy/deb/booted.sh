#!/bin/bash
# booted.sh - started by boot.sh in a freshly booted Debian: tests the package under systemd, with all restrictions of the units.
cd /trial || exit 1
export DEBIAN_FRONTEND=noninteractive
passed=0 failed=0
test_that() { what=$1; }
is() { if [[ $1 == "$2" ]]; then good; else bad "'$1' is not '$2'"; fi; }
good() { passed=$((passed + 1)); echo "ok - $what"; }
bad() { failed=$((failed + 1)); echo "not ok - $what"; echo "#   $1"; }
does() { if "$@" >out 2>&1 </dev/null; then good; else bad "$* ended with $?: $(tail -3 out)"; fi; }
until_true() { for _ in {1..200}; do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; return 1; }
status() { curl -sS -m 5 --cacert /etc/motorpool/tls/fullchain.pem --resolve cars.example:443:127.0.0.1 -o /dev/null -w '%{http_code}' "https://cars.example$1"; }
ready() { for prefix in '' /account /payments /fleet /my /ops; do [[ $(status $prefix/readyz) == 200 ]] || return 1; done; }
programs() { ls /usr/lib/motorpool/current/bin | grep -vx -e relay -e fleet-photo; }
states() { systemctl show -p ActiveState --value $(programs | sed 's/.*/motorpool@&.service/') | grep . | sort | uniq -c | tr -s ' \n' ' '; }
main_of() { systemctl show -p MainPID --value "motorpool@$1"; }
runs_from() { [[ $(readlink "/proc/$(sed -n 's/ public//p' /var/lib/motorpool/run/booking.pid | tail -1)/exe") == */$1/bin/booking ]]; }

test_that "installing the package starts all programs"
dpkg -i old.deb >out 2>&1 || bad "$(tail -3 out)"
is "$(states)$(systemctl is-enabled motorpool.target)" " 11 active enabled"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cars.example -addext subjectAltName=DNS:cars.example \
	-keyout /etc/motorpool/tls/privkey.pem -out /etc/motorpool/tls/fullchain.pem 2>/dev/null
printf '%s\n' 'base_url = https://cars.example' 'tls = yes' >>/etc/motorpool/motorpool.conf
test_that "a reload with new settings succeeds"
does systemctl reload 'motorpool@*'
lighty-enable-mod motorpool >out 2>&1
systemctl restart lighttpd
test_that "every program answers over HTTPS with the restrictions of its unit"
if until_true ready; then good; else bad "$(journalctl --no-pager -n 5 -o cat -u 'motorpool@*')"; fi
test_that "cookies are Secure and have the prefix __Host-"
is "$(curl -sS -m 5 -k --resolve cars.example:443:127.0.0.1 -D - -o /dev/null https://cars.example/account/sign-in | grep -ci '^set-cookie: __Host-.*Secure')" 1

motorpool user add anna@example.com "Anna Kim" --role admin --role manager --role customer --password 'correct horse battery' >out 2>&1
token=$(motorpool token anna@example.com)
# api METHOD PATH [JSON]: prints the response, then its status
api() {
	curl -sS -m 10 -k --resolve cars.example:443:127.0.0.1 -X "$1" -H "Authorization: Bearer $token" -H 'Accept: application/json' -w '\n%{http_code}' \
		${3+-H 'Content-Type: application/json' -d "$3"} "https://cars.example$2"
}
field() { grep -o "\"$1\":\"\?[^,\"}]*" | head -1 | sed 's/.*:"\?//'; }

test_that "a manager adds a car"
is "$(api POST /fleet/cars '{"plate":"12가 3456","name":"Ioniq 5","body":"ev","seats":5,"fuel":"electric","gearbox":"automatic","daily_price":90000,"hourly_price":9000}' | tail -1)" 201
test_that "an uploaded photo is converted by the separate photo program"
base64 -d >photo.png <<<iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAALklEQVQIHWP8zwAFCQxGCgwMcMTCqGUkD+PD1IBoFgZtZC6CzcKgheAgs0jXAQCtwQON9fSXiwAAAABJRU5ErkJggg==
is "$(curl -sS -m 10 -k --resolve cars.example:443:127.0.0.1 -H "Authorization: Bearer $token" -H 'Accept: application/json' -o out -w '%{http_code}' \
	-F 'photo=@photo.png;type=image/png' https://cars.example/fleet/cars/1/photo)" 200
test_that "lighttpd serves the photo"
is "$(status "$(field photo_url <out)")" 200
test_that "a card is saved and a booking paid: payment reaches the card provider from its unit"
card_id=$(api POST /payments/cards '{"card_token":"tok_ok"}' | field card_id)
day() { date -u -d "+$1 days" +%Y-%m-%dT10:00; }
is "$(api POST /bookings "{\"car_id\":1,\"starts_at\":\"$(day 3)\",\"ends_at\":\"$(day 4)\",\"card_id\":$card_id}" | tail -1)" 201

test_that "cron starts the relay within a minute, and motorpool status succeeds"
for _ in {1..75}; do motorpool status >out 2>&1 && break; sleep 1; done
does motorpool status

confirmed() { api GET /bookings | grep -q '"state":"CONFIRMED"'; }
test_that "the relay that cron started confirms the booking"
if until_true confirmed; then good; else bad "$(api GET /bookings)"; fi

test_that "the programs in their units and the relay that cron started share one write lock"
is "$(cat /proc/[0-9]*/maps 2>/dev/null | grep -o '[0-9]* */[^ ]*/run/motorpool\.lock.*' | sort -u | wc -l)" 1

test_that "a killed parent process is started again, and its program answers meanwhile"
before=$(main_of booking)
kill -9 "$before"
n_bad=0
for _ in {1..40}; do [[ $(status /healthz) == 200 ]] || n_bad=$((n_bad + 1)); sleep 0.05; done
until_true ready
[[ $(main_of booking) != "$before" ]] || bad "it was not started again"
is "$n_bad of 40 failed" "0 of 40 failed"

test_that "an upgrade switches the running programs to the new release"
dpkg -i new.deb >out 2>&1 || bad "$(tail -5 out)"
if until_true runs_from 1.0.1 && until_true ready; then good; else bad "the old release still runs: $(readlink /usr/lib/motorpool/current)"; fi

test_that "with sandbox = no, the sandbox is not started"
echo 'sandbox = no' >>/etc/motorpool/motorpool.conf
systemctl restart motorpool.target
until_true ready
is "$(states)" " 10 active 1 inactive "
test_that "no program logged an error or a denied operation"
is "$(journalctl --no-pager -o cat -u 'motorpool@*' | grep -E '"level":"error"|denied|not permitted' | head -3)" ""
test_that "motorpool check finds no violation"
does motorpool check

test_that "a purge stops all programs, and keeps the database and lighttpd running"
dpkg --purge motorpool >out 2>&1 || bad "$(tail -5 out)"
is "$(systemctl list-units --no-legend 'motorpool*' | wc -l) $(systemctl is-active lighttpd) $(ls /var/lib/motorpool/motorpool.db)" "0 active /var/lib/motorpool/motorpool.db"

echo "$passed passed, $failed failed"
