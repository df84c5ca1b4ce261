#!/bin/sh
# bench - measures the product and, in the same run, what this machine can do at best (docs/speed.md explains the figures).
#
#	make bench            all of it, about seven minutes and 4 GiB of temporary disk
#	make bench-quick      less of each, about a minute
#
# Every figure is the median of ROUNDS short loads. The loads of one table take turns, so that other work on the machine affects
# all of them equally. Only the ratios can be compared with another machine's. Nothing here passes or fails.
#
# The state is in a folder below TMPDIR (/tmp) that is removed at the end. BENCH_PORT: the first of five ports (default 18390).
set -u
MODE=${1:-full}
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(cd "${BUILD:-$ROOT/build}" && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/mp-bench.XXXXXX") || exit 1
PORT0=${BENCH_PORT:-18390}
OUT=$WORK/out
PRELOAD=''
export LC_ALL=C.UTF-8
cd "$ROOT" || exit 1
. bench/stack.sh

for tool in wrk curl sqlite3 lighttpd; do
	PATH=$PATH:/usr/sbin command -v $tool >/dev/null || { echo "bench needs $tool: make bench-deps" >&2; exit 1; }
done
PATH=$PATH:/usr/sbin

if [ "$MODE" = quick ]; then
	ROUNDS=1; SECONDS_EACH=1; SMALL=10000; MIDDLE=200000; LARGE=1000000; MIDDLE_NAME='200 k'; LARGE_NAME='1 M'
else
	ROUNDS=${ROUNDS:-3}; SECONDS_EACH=${SECONDS_EACH:-3}; SMALL=10000; MIDDLE=1000000; LARGE=5000000; MIDDLE_NAME='1 M'; LARGE_NAME='5 M'
fi

end() {
	for s in main s1 s2 s3 instant slow; do stack_stop $s; done
	rm -rf "$WORK"
}
trap 'exit 130' INT TERM HUP PIPE
trap end EXIT

# --- measuring ------------------------------------------------------------------------------------------------------------

# note TABLE LINE RESULT-LINE: "RESULT per_second p50 p99 failed"
note() {
	echo "$1|$2|$(echo "$3" | sed -n 's/.*RESULT //p' | tail -1)" >>"$OUT"
}

# load PORT CONNECTIONS SCRIPT ARGUMENT
load() {
	timeout $((SECONDS_EACH + 20)) wrk -t1 -c"$2" -d"${SECONDS_EACH}s" --timeout 10s -s "bench/$3.lua" "http://127.0.0.1:$1" -- "$4" </dev/null 2>&1 | grep RESULT
}

# The number of the first booking of a run: each run books intervals that no earlier run has used. (The counter is a file because
# the runs are in subshells.)
first() {
	n=$(cat "$WORK/first" 2>/dev/null || echo 0)
	echo $((n + 20000)) >"$WORK/first"
	echo "$n"
}

# book STACK PORT CONNECTIONS, then quiet
book() {
	load "$2" "$3" book "$(first)"
	stack_quiet "$1"
}

# bare PROCESSES busy|queue
bare() {
	timeout $((SECONDS_EACH + 20)) "$BUILD/bench/bare" "$WORK/bare/motorpool.db" "$1" "$SECONDS_EACH" "$(first)" "$2" </dev/null | grep RESULT
}

# table NAME UNIT BASE: lines in the order they came, medians, ratio to the line named BASE of the same connections ("c=16 …")
table() {
	awk -F'|' -v want="$1" -v unit="$2" -v base="$3" '
		function median(list,   n, v, i, j, t) {
			n = split(list, v, " ")
			for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
			return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
		}
		$1 == want {
			split($3, r, " ")
			if (!($2 in rate)) line[++n] = $2
			rate[$2] = rate[$2] " " r[1]; p50[$2] = p50[$2] " " r[2]; p99[$2] = p99[$2] " " r[3]; failed[$2] += r[4]
		}
		END {
			printf "%-58s %11s %9s %9s %7s %7s\n", "", unit, "p50 ms", "p99 ms", "failed", "ratio"
			for (i = 1; i <= n; i++) {
				l = line[i]
				split(l, word, " ")
				b = word[1] " " base
				ratio = (b in rate) && median(rate[b]) > 0 ? sprintf("%6.2f", median(rate[l]) / median(rate[b])) : ""
				printf "%-58s %11.0f %9.2f %9.2f %7d %7s\n", l, median(rate[l]), median(p50[l]), median(p99[l]), failed[l], ratio
			}
		}' "$OUT"
}

say() { printf '\n%s\n' "$*"; }
doing() { printf '… %s\n' "$*" >&2; }

# --- (a) and (b): the search page -----------------------------------------------------------------------------------------------

search_path() {
	echo "/cars?from=$(date -d '+5 days' +%F)T10:00&to=$(date -d '+6 days' +%F)T10:00"
}

# The current page, with its header lines, as a file and in the memory of a FastCGI program.
make_references() {
	var=$(stack_var main)
	curl -fs -m 5 -D "$var/head" -o "$var/page.html" "http://127.0.0.1:$PORT0$(search_path)" || return 1
	{ printf 'Status: 200 OK\r\n'; grep -v -i -e '^HTTP/' -e '^Date:' -e '^Accept-Ranges:' -e '^Connection:' "$var/head"; cat "$var/page.html"; } >"$var/answer"
	n=$(grep -c public "$var/run/booking.pid")
	stack_run main "$BUILD/bench/memory" "$var/run/memory.sock" "$n" "$var/answer"
	sleep 0.3
	curl -fs -m 5 -o "$var/again.html" "http://127.0.0.1:$PORT0/bench/memory" && cmp -s "$var/again.html" "$var/page.html"
}

# Not measured: a program's first searches read the whole calendar.
warm_up() {
	load "$1" 16 search /cars >/dev/null
}

measure_search() {
	warm_up $PORT0
	for _ in $(seq $ROUNDS); do
		for c in 1 16 64; do
			note a "c=$c static file" "$(load $PORT0 $c search /bench/page.html)"
			note a "c=$c FastCGI from memory" "$(load $PORT0 $c search /bench/memory)"
			note a "c=$c search page" "$(load $PORT0 $c search /cars)"
		done
	done
}

measure_history() {
	stack_start s1 $((PORT0 + 1)) --cars 1000 --past $SMALL --coming 20000 --customers 100 || return 1
	stack_start s2 $((PORT0 + 2)) --cars 1000 --past $MIDDLE --coming 20000 --customers 100 || return 1
	stack_start s3 $((PORT0 + 3)) --cars 1000 --past $LARGE --coming 20000 --customers 100 || return 1
	for i in 1 2 3; do warm_up $((PORT0 + i)); done
	for _ in $(seq $ROUNDS); do
		note b "c=16 10 k past bookings" "$(load $((PORT0 + 1)) 16 search /cars)"
		note b "c=16 $MIDDLE_NAME past bookings" "$(load $((PORT0 + 2)) 16 search /cars)"
		note b "c=16 $LARGE_NAME past bookings" "$(load $((PORT0 + 3)) 16 search /cars)"
	done
	for s in s1 s2 s3; do
		stack_stop $s
		rm -rf "$(stack_var $s)"
	done
}

# --- (c) and (d): bookings --------------------------------------------------------------------------------------------------------

BIG='--cars 1000 --past 80000 --coming 20000 --customers 20000 --sandbox'

measure_bookings() {
	PAYMENT=$BUILD/bench/payment stack_start instant $((PORT0 + 1)) $BIG || return 1
	mkdir -p "$WORK/bare" && "$BUILD/bench/fill" "$WORK/bare" $BIG || return 1
	for _ in $(seq $ROUNDS); do
		for c in 1 16 64; do
			note c "c=$c bare SQLite, 1 process" "$(bare 1 queue)"
			[ $c = 1 ] || note c "c=$c bare SQLite, $c processes, queue" "$(bare $c queue)"
			[ $c = 1 ] || note c "c=$c bare SQLite, $c processes, busy handler" "$(bare $c busy)"
			note c "c=$c booking, provider answers at once" "$(book instant $((PORT0 + 1)) $c)"
			note c "c=$c booking, sandbox provider over HTTP" "$(book main $PORT0 $c)"
		done
	done
	stack_stop instant
	rm -rf "$WORK/instant"
}

measure_slow_disk() {
	export SLOWSYNC_US=2000
	PRELOAD=$BUILD/bench/slowsync.so
	PAYMENT=$BUILD/bench/payment stack_start slow $((PORT0 + 1)) $BIG || return 1
	for _ in $(seq $ROUNDS); do
		export LD_PRELOAD=$PRELOAD
		note d "c=32 plain FULL, 32 processes, our queue" "$(bare 32 queue)"
		note d "c=32 plain FULL, 32 processes, busy handler" "$(bare 32 busy)"
		unset LD_PRELOAD
		note d "c=32 booking, provider answers at once" "$(book slow $((PORT0 + 1)) 32)"
	done
	PRELOAD=''
	stack_stop slow
}

# --- all of it ----------------------------------------------------------------------------------------------------------------------

doing "starting with 1,000 cars and 100,000 bookings"
stack_start main $PORT0 $BIG || exit 1
make_references || { echo "the FastCGI program that answers from memory does not return the page" >&2; exit 1; }
doing "(a) search"; measure_search
doing "(b) search, by history"; measure_history
doing "(c) bookings"; measure_bookings
doing "(d) bookings on a slow disk"; measure_slow_disk

say "(a) the search page ($(wc -c <"$WORK/main/page.html") bytes): 20 of the available cars of 1,000, 100,000 bookings. Aim: 0.75 of FastCGI from memory"
table a requests/s "FastCGI from memory"
say "(b) the same by the number of past bookings. Aim: flat"
table b requests/s "10 k past bookings"
say "(c) bookings, each durable when answered. Aim: 0.50 of bare SQLite, p99 at most 10 ms at c=64"
table c bookings/s "bare SQLite, 1 process"
say "(d) bookings, every sync 2 ms slower. Aim: 10 of plain FULL at c=32"
table d bookings/s "plain FULL, 32 processes, our queue"
