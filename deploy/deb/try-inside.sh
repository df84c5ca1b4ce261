#!/bin/bash
# try-inside.sh - started by try.sh in the minimal system: installs, uses, upgrades and purges the package.
cd /trial || exit 1
passed=0 failed=0
test_that() { what=$1; }
is() { if [[ $1 == "$2" ]]; then good; else bad "'$1' is not '$2'"; fi; }
good() { passed=$((passed + 1)); echo "ok - $what"; }
bad() { failed=$((failed + 1)); echo "not ok - $what"; echo "#   $1"; }
does() { if "$@" >out 2>&1 </dev/null; then good; else bad "$* ended with $?: $(tail -3 out)"; fi; }
until_true() { for _ in {1..100}; do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; return 1; }
fetch() { curl -sS -m 10 --cacert /etc/motorpool/tls/fullchain.pem --resolve cars.example:443:127.0.0.1 "$@"; }
status() { fetch -o /dev/null -w '%{http_code}' "$@"; }
pids=()
serve() {
	for name in $(ls /usr/lib/motorpool/current/bin | grep -vx -e relay -e fleet-photo); do
		setsid runuser -u motorpool -- /bin/sh -c "umask 027; exec /usr/lib/motorpool/current/bin/$name --serve /var/lib/motorpool" 2>>/trial/$name.log </dev/null &
	done
}

# in a kept system: remove what the previous run left
dpkg --purge motorpool >/dev/null 2>&1
rm -rf /var/lib/motorpool /var/backups/motorpool /etc/motorpool

test_that "the package installs with its dependencies"
does apt-get install -y -q --no-install-recommends ./old.deb

test_that "the state directory and the logs belong to motorpool and can be read by its group; the database and the backups cannot"
is "$(stat -c '%U %a' /var/lib/motorpool /var/lib/motorpool/motorpool.db /var/log/motorpool /var/backups/motorpool | tr '\n' ',')" \
	"motorpool 750,motorpool 600,motorpool 750,motorpool 700,"
test_that "www-data is in the group motorpool"
is "$(id -nG www-data)" "www-data motorpool"

test_that "root creates the first account without leaving files of root in the state directory"
motorpool user add anna@example.com "Anna Kim" --role admin --role manager --password 'correct horse battery' >out 2>&1 || bad "$(<out)"
is "$(find /var/lib/motorpool -user root ! -type l)" ""

test_that "the manual page is installed"
does test -s /usr/share/man/man8/motorpool.8.gz

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cars.example -addext subjectAltName=DNS:cars.example \
	-keyout /etc/motorpool/tls/privkey.pem -out /etc/motorpool/tls/fullchain.pem 2>/dev/null
printf '%s\n' 'base_url = https://cars.example' 'tls = yes' >>/etc/motorpool/motorpool.conf

test_that "the site is enabled, and lighttpd accepts it"
lighty-enable-mod motorpool >out 2>&1 || bad "$(<out)"
does lighttpd -tt -f /etc/lighttpd/lighttpd.conf

serve
lighttpd -D -f /etc/lighttpd/lighttpd.conf >lighttpd.out 2>&1 </dev/null & pids+=($!)
su -s /bin/sh motorpool -c "$(sed -n 's/^\* \* \* \* \* motorpool //p' /etc/cron.d/motorpool)" </dev/null &
ready() { for prefix in '' $(sed -n 's|^\t\t"\(/[a-z][a-z]*\)" => ((.*/run/[a-z]*\.sock.*|\1|p' /usr/lib/motorpool/current/deploy/lighttpd/routes.conf | grep -vx -e /view -e /metrics); do [[ $(status "https://cars.example$prefix/readyz") == 200 ]] || return 1; done; }

test_that "every program answers over HTTPS through Debian's lighttpd as www-data"
if until_true ready; then good; else bad "$(tail -n 2 lighttpd.out /trial/*.log)"; fi
test_that "motorpool status succeeds, with the relay started by the cron job"
until_true test -e /var/lib/motorpool/run/relay.alive
does motorpool status
test_that "the home page has a title"
is "$(fetch https://cars.example/ | grep -c '<title>')" 1
test_that "plain HTTP requests are redirected to HTTPS with the same path and query"
is "$(curl -s -o /dev/null -w '%{http_code} %{redirect_url}' http://127.0.0.1/cars?x=1)" "308 https://127.0.0.1/cars?x=1"
test_that "no program runs as root, and no file of the state or the logs belongs to root"
is "$(ps -o user= -C booking,payment,relay 2>/dev/null | sort -u; find /var/lib/motorpool /var/log/motorpool -user root ! -type l)" "$(command -v ps >/dev/null && echo motorpool)"

test_that "an upgrade switches to the new release and keeps the old one for a rollback"
apt-get install -y -q --no-install-recommends ./new.deb >out 2>&1 </dev/null || bad "$(tail -5 out)"
is "$(cd /usr/lib/motorpool && readlink current; ls releases | tr '\n' ' ')" "$(printf 'releases/1.0.1\n1.0.0.kept 1.0.1 ')"
test_that "an upgrade keeps the settings of this machine"
is "$(grep -c '^tls = yes' /etc/motorpool/motorpool.conf)" 1
for pid_file in /var/lib/motorpool/run/*.pid; do kill -HUP "$(head -1 "$pid_file")"; done
from_new() { [[ $(readlink "/proc/$(sed -n 's/ public//p' /var/lib/motorpool/run/booking.pid | tail -1)/exe") == */1.0.1/bin/booking ]]; }
test_that "after a reload the programs of the new release answer"
if until_true from_new && until_true ready; then good; else bad "the old release still answers"; fi
test_that "motorpool check finds no violation after the upgrade"
does motorpool check

for pid_file in /var/lib/motorpool/run/*.pid; do kill "$(head -1 "$pid_file")"; done
kill "${pids[@]}"
test_that "a purge removes the programs and the settings, and keeps the database"
dpkg --purge motorpool >out 2>&1 || bad "$(tail -5 out)"
is "$(ls -d /usr/lib/motorpool /usr/bin/motorpool /etc/motorpool/motorpool.conf /etc/cron.d/motorpool /etc/lighttpd/conf-enabled/60-motorpool.conf 2>/dev/null; ls /var/lib/motorpool/motorpool.db)" \
	/var/lib/motorpool/motorpool.db
test_that "lighttpd accepts its configuration after the purge"
does lighttpd -tt -f /etc/lighttpd/lighttpd.conf

echo "$passed passed, $failed failed"
((failed == 0))
