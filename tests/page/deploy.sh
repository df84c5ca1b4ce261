#!/bin/bash
# deploy.sh - an installed motorpool: which files `make install` creates, and that the programs run from there, behind Debian's lighttpd with
# TLS. systemd starts nothing here; its tools only check the units.
. tests/page/lib.sh

SCRATCH=$(mktemp -d /tmp/motorpool-deploy.XXXXXX) || exit 1
HOUSE=$SCRATCH/usr/lib/motorpool VAR=$SCRATCH/var UNITS=$SCRATCH/usr/lib/systemd/system
pids=()
stop_all() { ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; pids=(); }
trap 'stop_all; rm -rf "$SCRATCH"' EXIT
unset MOTORPOOL_ROOT MOTORPOOL_VAR VAR_DIR PORT BIND
export -n VAR

free_port() {
	perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK)); print((sockaddr_in(getsockname(S)))[0])'
}
# Calls make with the options of this build: files newer than their objects would be compiled with other options otherwise.
sanitized=$(grep -q __asan_init "$BUILD/motorpool" && echo 1)
in_make() { make BUILD="$BUILD" SAN="$sanitized" "$@" >"$SCRATCH/make" 2>&1 </dev/null || bad "make $*: $(tail -3 "$SCRATCH/make")"; }
here=(PREFIX="$SCRATCH/usr" SYSCONFDIR="$SCRATCH/etc" STATEDIR="$VAR" LOGDIR="$SCRATCH/log" VERSION=1.0.0)
motorpool() { "$SCRATCH/usr/bin/motorpool" "$@" >"$SCRATCH/out" 2>&1 </dev/null; }

# --- installed files ---

test_that "make install with DESTDIR creates a package tree without a state directory and without files that others can write"
in_make install DESTDIR="$SCRATCH/package" PREFIX=/usr VERSION=9.9.9
expect_same "$(cd "$SCRATCH/package" && readlink usr/lib/motorpool/current usr/bin/motorpool usr/lib/motorpool/releases/9.9.9/var | tr '\n' ' ')" "releases/9.9.9 ../lib/motorpool/current/motorpool /var/lib/motorpool "
expect_same "$(cd "$SCRATCH/package" && find . -type d -name var; find "$SCRATCH/package" ! -type l -perm /022)" ""

test_that "no installed file contains the path of the build, or a placeholder such as @VAR@ that was not replaced"
expect_same "$(grep -rIlE "@[A-Z]+@|$PWD|$SCRATCH" "$SCRATCH/package")" ""

test_that "after installation to other directories, the unit and the cron file have those paths"
in_make install-release install-system "${here[@]}"
ln -s releases/1.0.0 "$HOUSE/current"
grep -q "^ExecStart=$HOUSE/current/bin/%i --serve $VAR\$" "$UNITS/motorpool@.service" || bad "the unit has another path"
grep -q "$HOUSE/current/bin/relay $VAR 2>> $SCRATCH/log/relay.log" "$SCRATCH/etc/cron.d/motorpool" || bad "the cron file has another path"

test_that "make install keeps an existing motorpool.conf"
echo "# ours" >"$SCRATCH/etc/motorpool/motorpool.conf"
in_make install-system "${here[@]}"
expect_same "$(<"$SCRATCH/etc/motorpool/motorpool.conf")" "# ours"

test_that "the manual page has sections for the commands, and man reports no warnings"
for command in run status migrate check user; do grep -q "^\.SS $command\$" "$SCRATCH/usr/share/man/man8/motorpool.8" || bad "there is no section $command"; done
if command -v man >/dev/null; then expect_same "$(man --warnings -l "$SCRATCH/usr/share/man/man8/motorpool.8" 2>&1 >/dev/null)" ""; fi

test_that "docs/operate.md has a section for each alert, and no link to a missing section"
alarms='RelaySilent RelayLag BreakerOpen StuckMoney DeadLetters DiskFilling ErrorBudget RestoreNotProven WalLong'
[[ -e deploy/prometheus/motorpool.rules.yml ]] && alarms+=" $(sed -n 's/^ *- alert: *//p' deploy/prometheus/motorpool.rules.yml)"
for alarm in $alarms; do grep -q "^### $alarm\$" docs/operate.md || bad "there is no section $alarm"; done
anchors=$(sed -n 's/^##* //p' docs/operate.md | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-')
for link in $(grep -oE '\]\(#[^)]*' docs/operate.md | cut -c4-); do grep -qx -- "$link" <<<"$anchors" || bad "#$link"; done

# --- the command ---

test_that "the installed command finds its state directory without an option, and migrate creates the database there"
motorpool migrate || bad "$(<"$SCRATCH/out")"
[[ -f $VAR/motorpool.db ]] || bad "there is no database in $VAR"

test_that "the command started by root creates its files as the owner of the state directory"
if ((EUID == 0)); then
	rm -rf "$VAR" && install -d -o nobody -m 750 "$VAR" && chmod 755 "$SCRATCH"
	motorpool migrate || bad "$(<"$SCRATCH/out")"
	expect_same "$(find "$VAR" -user root)" ""
	expect_same "$(stat -c '%U %a' "$VAR/motorpool.db")" "nobody 600"
	rm -rf "$VAR" && motorpool migrate
else
	echo "# SKIPPED: this test needs root"
fi

test_that "the command and the programs refuse to start with an https base_url and tls = no"
mkdir -p "$SCRATCH/log" && ln -sf "$SCRATCH/etc/motorpool/motorpool.conf" "$VAR/motorpool.conf"
echo "base_url = https://cars.example" >"$SCRATCH/etc/motorpool/motorpool.conf"
motorpool check && bad "motorpool check accepted the settings"
grep -q 'tls = no' "$SCRATCH/out" || bad "said: $(<"$SCRATCH/out")"
timeout 600 "$HOUSE/current/bin/account" --serve "$VAR" >"$SCRATCH/out" 2>&1 && bad "account accepted the settings"
grep -q 'tls = no' "$SCRATCH/out" || bad "account said: $(<"$SCRATCH/out")"

test_that "an installed program answers in Korean"
printf '%s\n' "base_url = https://cars.example" "tls = yes" >"$SCRATCH/etc/motorpool/motorpool.conf"
export MOTORPOOL_VAR=$VAR
BUILD=$HOUSE/current use account
lang=ko get /account/sign-in
unset MOTORPOOL_VAR
expect_status 200
expect_body '로그인'

test_that "the Debian package has its dependencies, valid scripts, all files of /etc as conffiles, and only files owned by root"
if command -v dpkg-shlibdeps >/dev/null; then
	cp -R "$SCRATCH/package" "$SCRATCH/deb" && mkdir -p "$SCRATCH/deb/etc/motorpool"
	DEB_COMPRESS=none sh deploy/deb/build.sh "$SCRATCH/deb" 9.9.9 /usr/lib/motorpool "$SCRATCH/motorpool.deb" >"$SCRATCH/out" 2>&1 || bad "$(<"$SCRATCH/out")"
	dpkg-deb -f "$SCRATCH/motorpool.deb" Depends | grep -q 'libsqlite3-0.*lighttpd-mod-openssl' || bad "its dependencies are: $(dpkg-deb -f "$SCRATCH/motorpool.deb" Depends)"
	for script in postinst prerm postrm; do sh -n "$SCRATCH/deb/DEBIAN/$script" || bad "$script"; done
	expect_same "$(sort "$SCRATCH/deb/DEBIAN/conffiles")" "$(cd "$SCRATCH/deb" && find etc -type f | sed 's|^|/|' | sort)"
	expect_same "$(dpkg-deb -c "$SCRATCH/motorpool.deb" | awk '$2 != "root/root"')" ""
	expect_same "$(dpkg-deb -c "$SCRATCH/motorpool.deb" | grep -c 'motorpool/current$')" 0
else
	bad "dpkg-dev is not installed"
fi

# --- cron, logrotate, systemd ---

test_that "the cron file has valid lines and commands, and ends with a newline"
while IFS= read -r line; do
	[[ $line =~ ^(#.*|[A-Z]+=.*)?$ ]] && continue
	[[ $line =~ ^([-0-9*/,]+[[:space:]]+){5}motorpool[[:space:]]+([^%]+)$ ]] || bad "not a job: $line"
	sh -n -c "${BASH_REMATCH[2]}" || bad "not a command: $line"
done <"$SCRATCH/etc/cron.d/motorpool"
[[ $(tail -c1 "$SCRATCH/etc/cron.d/motorpool") == '' ]] || bad "cron ignores a last line without a newline"

test_that "the cron job starts the relay, and succeeds without output when motorpool is not installed any more"
job=$(sed -n 's/^\* \* \* \* \* motorpool //p' "$SCRATCH/etc/cron.d/motorpool")
timeout -k 10 600 sh -c "$job" </dev/null & pids=($!)
until_true test -e "$VAR/run/relay.alive" || bad "the relay wrote no heartbeat: $(tail -3 "$SCRATCH/log/relay.log")"
stop_all
expect_same "$(sh -c "${job//current/gone}" 2>&1) $?" " 0"

test_that "logrotate accepts its configuration, rotates a log and creates an empty one with mode 640"
sed "s/^\tsu .*//; s/motorpool motorpool/$(id -un) $(id -gn)/" "$SCRATCH/etc/logrotate.d/motorpool" >"$SCRATCH/rotate" && chmod 600 "$SCRATCH/rotate"
if command -v logrotate >/dev/null || [[ -x /usr/sbin/logrotate ]]; then
	PATH=$PATH:/usr/sbin logrotate -d -s "$SCRATCH/rotated" "$SCRATCH/rotate" >"$SCRATCH/out" 2>&1 || bad "$(<"$SCRATCH/out")"
	grep -i '^error' "$SCRATCH/out" && bad "logrotate: $(grep -i '^error' "$SCRATCH/out")"
	echo "said before" >"$SCRATCH/log/relay.log"
	PATH=$PATH:/usr/sbin logrotate -f -s "$SCRATCH/rotated" "$SCRATCH/rotate" 2>"$SCRATCH/out" || bad "$(<"$SCRATCH/out")"
	expect_same "$(cat "$SCRATCH/log/relay.log.1") $(stat -c %s,%a "$SCRATCH/log/relay.log")" "said before 0,640"
else
	bad "logrotate is not installed"
fi

units=($(ls cgi-bin/*/main.c | cut -d/ -f2))
exposure() { systemd-analyze security --offline=true --no-pager "$1" 2>&1 | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p'; }
if command -v systemd-analyze >/dev/null; then
	test_that "systemd-analyze verify reports nothing about the units"
	for unit in motorpool.target "${units[@]/#/motorpool@}"; do
		[[ $unit == *.target ]] || unit+=.service
		expect_same "$(cd "$UNITS" && systemd-analyze verify --man=no "./$unit" 2>&1 | grep -i motorpool)" ""
	done

	test_that "systemd-analyze security rates the exposure of each program at 2.0 or less"
	for unit in "${units[@]}"; do
		is=$(cd "$UNITS" && exposure "./motorpool@$unit.service")
		[[ -n $is ]] && awk -v is="$is" 'BEGIN { exit !(is <= 2.0) }' || bad "$unit: $is"
		echo "# $unit: exposure $is"
	done

	test_that "no unit sets ProcSubset: without the boot id, programs would not share the write lock with cron's relay"
	expect_same "$(grep -h '^ProcSubset=' "$UNITS"/motorpool@*.service "$UNITS"/motorpool@*/*.conf)" ""

	test_that "systemd-analyze security rates the exposure of a unit without its restrictions above 2.0"
	mkdir "$SCRATCH/units" && sed -E '/^(Protect|Private|Restrict|Capability|NoNew|SystemCall)/d' "$UNITS/motorpool@.service" >"$SCRATCH/units/motorpool@.service"
	awk -v is="$(cd "$SCRATCH/units" && exposure ./motorpool@fleet.service)" 'BEGIN { exit !(is > 2.0) }' || bad "its exposure is 2.0 or less"
else
	echo "# SKIPPED: the units were not checked, since systemd-analyze is not installed"
fi

# --- Debian's lighttpd with our site ---

lighttpd=$(PATH=$PATH:/usr/sbin command -v lighttpd)
http=$(free_port) https=$(free_port) local=$(free_port)
site=$SCRATCH/etc/lighttpd/conf-available/60-motorpool.conf
mkdir -p "$SCRATCH/etc/motorpool/tls" "$SCRATCH/etc/lighttpd/conf-enabled" "$SCRATCH/www/.well-known/acme-challenge" "$SCRATCH/cache"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cars.example -addext subjectAltName=DNS:cars.example \
	-keyout "$SCRATCH/etc/motorpool/tls/privkey.pem" -out "$SCRATCH/etc/motorpool/tls/fullchain.pem" 2>/dev/null
sed -e "s/:443\"/:$https\"/; s/use-ipv6.pl 443\"/use-ipv6.pl $https\"/; s/127.0.0.1:8080/127.0.0.1:$local/; s|/var/cache/lighttpd|$SCRATCH/cache|; s|/var/log/lighttpd|$SCRATCH|" \
	"$site" >"$SCRATCH/etc/lighttpd/conf-enabled/60-motorpool.conf"
# use-ipv6.pl opens IPv6 with TLS only for port 443; this test uses IPv4
sed -i '/use-ipv6/d' "$SCRATCH/etc/lighttpd/conf-enabled/60-motorpool.conf"
sed -e "s|/etc/lighttpd/conf-enabled|$SCRATCH/etc/lighttpd/conf-enabled|; s|/var/www/html|$SCRATCH/www|; s|/var/cache/lighttpd/uploads|$SCRATCH/cache|" \
	-e "s|/var/log/lighttpd|$SCRATCH|; s|/run/lighttpd.pid|$SCRATCH/lighttpd.pid|; /^server.\(user\|group\)name/d; s/= 80\$/= $http/" \
	/etc/lighttpd/lighttpd.conf >"$SCRATCH/lighttpd.conf"

test_that "lighttpd accepts the configuration of motorpool run, and Debian's configuration with our site"
ROOT=$HOUSE/current BIN=$HOUSE/current/bin VAR=$VAR BIND=127.0.0.1 PORT=$local ALSO=127.0.0.1:$local "$lighttpd" -tt -f "$HOUSE/current/lighttpd.conf" >"$SCRATCH/out" 2>&1 || bad "$(<"$SCRATCH/out")"
"$lighttpd" -tt -f "$SCRATCH/lighttpd.conf" >"$SCRATCH/out" 2>&1 || bad "$(<"$SCRATCH/out")"
expect_same "$(<"$SCRATCH/out")" ""

printf '%s\n' "base_url = https://cars.example:$https" "tls = yes" "n_workers_min = 1" "n_workers_max = 1" "n_internal_workers = 1" >"$SCRATCH/etc/motorpool/motorpool.conf"
for name in booking account; do
	"$HOUSE/current/bin/$name" --serve "$VAR" 2>>"$SCRATCH/log/$name.log" </dev/null &
	pids+=($!)
done
setsid "$lighttpd" -D -f "$SCRATCH/lighttpd.conf" >"$SCRATCH/lighttpd.out" 2>&1 </dev/null &
pids+=($!)
fetch() {
	headers=$(curl -sS -m 10 --cacert "$SCRATCH/etc/motorpool/tls/fullchain.pem" --resolve "cars.example:$https:127.0.0.1" -D - -o "$SCRATCH/body" "$@" 2>&1 | tr -d '\r')
	body=$(<"$SCRATCH/body") status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' <<<"$headers")
}
is_there() { fetch "https://cars.example:$https$1" && [[ $status == 200 ]]; }

test_that "a page is served over HTTPS, with one HSTS header"
until_true is_there /readyz && until_true is_there /account/readyz || bad "$(tail -2 "$SCRATCH/lighttpd.out" "$SCRATCH/error.log" "$SCRATCH/log/booking.log")"
fetch "https://cars.example:$https/account/sign-in"
expect_status 200
expect_header 'strict-transport-security: max-age=31536000'
expect_same "$(grep -ci '^strict-transport' <<<"$headers")" 1

test_that "every cookie is Secure and has the prefix __Host-"
expect_header 'set-cookie: __Host-'
expect_same "$(grep -i '^set-cookie:' <<<"$headers" | grep -viE '^set-cookie: __Host-[^;]*;.*Secure')" ""

test_that "static files have their content type and a CSP header, and a 503 has Retry-After; a path outside the photos gets 404"
fetch "https://cars.example:$https/static/motorpool.css"
expect_status 200
expect_header 'content-type: text/css; charset=utf-8'
expect_header "content-security-policy: default-src 'none'"
fetch "https://cars.example:$https/fleet?token=typed-secret"
expect_status 503
expect_header 'retry-after: 5'
fetch "https://cars.example:$https/photos/../motorpool.db"
expect_status 404

test_that "both lighttpd's access log and the program's log have a request id"
line_of() { jq -r 'select(.what == "'"$2"'") | .request' "$1" | grep -q '^[A-Za-z0-9_-]\{16\}$'; }
logged() { line_of "$SCRATCH/motorpool.log" access && line_of "$SCRATCH/log/account.log" answer; }
until_true logged || bad "$(tail -n 1 "$SCRATCH/motorpool.log")"

test_that "plain HTTP requests are redirected to HTTPS with the same path and query"
fetch "http://127.0.0.1:$http/cars?from=2027-01-01&to=2027-01-02"
expect_status 308
expect_header "location: https://127.0.0.1:$http/cars?from=2027-01-01&to=2027-01-02"
fetch "http://127.0.0.1:$http/"
expect_status 308

test_that "an ACME challenge is answered over plain HTTP, and no other file is"
echo proof >"$SCRATCH/www/.well-known/acme-challenge/tok_en-1"
echo other >"$SCRATCH/www/index.html"
fetch "http://127.0.0.1:$http/.well-known/acme-challenge/tok_en-1"
expect_status 200
expect_body proof
fetch "http://127.0.0.1:$http/index.html"
expect_status 308

test_that "requests from this machine over plain HTTP are allowed, on a port that listens only on 127.0.0.1"
fetch "http://127.0.0.1:$local/healthz"
expect_status 200
expect_same "$(awk -v port="$(printf :%04X "$local")" 'substr($2, length($2) - 4) == port && $4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6)" "$(printf 0100007F:%04X "$local")"

test_that "TLS 1.1 and weak ciphers are refused, and TLS 1.2 with a strong cipher is accepted"
for weak in -tls1_1 "-tls1_2 -cipher AES128-SHA" "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA"; do
	# shellcheck disable=SC2086
	openssl s_client -connect "127.0.0.1:$https" $weak </dev/null 2>&1 | grep -q 'Cipher is [A-Z]*[^(]*-' && bad "$weak is accepted"
done
openssl s_client -connect "127.0.0.1:$https" -tls1_2 </dev/null 2>&1 | grep -q 'Cipher is ECDHE-ECDSA-' || bad "TLS 1.2 is refused"

# --- a new release ---

test_that "after the link is switched and a SIGHUP is sent, the program and the templates of the new release are used"
cp -R "$HOUSE/releases/1.0.0" "$HOUSE/releases/1.0.1"
sed -i 's/<title>/<title>Release 1.0.1: /' "$HOUSE/releases/1.0.1/templates/layout.mustache"
ln -s releases/1.0.1 "$HOUSE/current.new" && mv -T "$HOUSE/current.new" "$HOUSE/current"
fetch "https://cars.example:$https/account/sign-in"
expect_no_body 'Release 1.0.1'
kill -HUP "${pids[1]}"
is_new() { fetch "https://cars.example:$https/account/sign-in" && [[ $body == *'Release 1.0.1'* ]]; }
until_true is_new || bad "the old pages are still served: $(tail -3 "$SCRATCH/log/account.log")"
expect_same "$(readlink -f "/proc/$(sed -n 's/ public//p' "$VAR/run/account.pid" | tail -1)/exe")" "$HOUSE/releases/1.0.1/bin/account"
stop_all

test_that "lighttpd's access and error logs are in our JSON format, and no log has a query string"
for log in motorpool.log motorpool-error.log; do
	jq -es 'length > 0 and all(.program == "lighttpd" and .what and .level)' "$SCRATCH/$log" >/dev/null || bad "$log: $(tail -2 "$SCRATCH/$log")"
done
jq -es 'any(.status == 503) and any(.request != "-" and .status == 200)' "$SCRATCH/motorpool.log" >/dev/null || bad "there is no line for a response"
expect_same "$(grep -l typed-secret "$SCRATCH"/*.log "$SCRATCH"/log/*)" ""

test_that "make uninstall removes the programs and keeps the state and the settings"
in_make uninstall "${here[@]}"
expect_same "$(cd "$SCRATCH" && find usr etc -type f | sort | tr '\n' ' ')" "etc/motorpool/motorpool.conf etc/motorpool/tls/fullchain.pem etc/motorpool/tls/privkey.pem "
[[ -f $VAR/motorpool.db ]] || bad "the database was removed"

finish
