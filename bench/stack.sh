# stack - the programs and a lighttpd in a temporary folder, started as `motorpool run` starts them: parents with
# their workers, the relay, the web server in its own session. Sourced by bench.sh; ROOT, BUILD and WORK are set.
#
#	stack_start NAME PORT FILL-OPTIONS…     payment: $PAYMENT (default $BUILD/bin/payment) · preloaded: $PRELOAD
#	stack_stop NAME

N_WORKERS=${N_WORKERS:-}                # "": the value in motorpool.conf
stack_var() { echo "$WORK/$1"; }

stack_conf() {
	cat <<-END
		base_url = http://127.0.0.1:$1
		provider_url = http://127.0.0.1:$1/sandbox
		provider_public_url = http://127.0.0.1:$1/sandbox
	END
	[ -z "$N_WORKERS" ] || printf 'n_workers_min = %s\nn_workers_max = %s\n' "$N_WORKERS" "$N_WORKERS"
	[ -z "${N_INTERNAL:-}" ] || echo "n_internal_workers = $N_INTERNAL"
}

# run NAME PROGRAM ARGUMENTS… in the background; its pid goes to NAME/pids
stack_run() {
	run_var=$(stack_var "$1"); run_log=$run_var/log.$(basename "$2")
	shift
	MOTORPOOL_ROOT=$ROOT LD_PRELOAD=$PRELOAD "$@" </dev/null >>"$run_log" 2>&1 &
	echo $! >>"$run_var/pids"
}

stack_wait() {
	for _ in $(seq 200); do
		curl -fs -m 2 -o /dev/null "http://127.0.0.1:$1/readyz" && return 0
		sleep 0.05
	done
	echo "the programs on port $1 are not ready: see $2/log.*" >&2
	return 1
}

stack_start() {
	var=$(stack_var "$1"); name=$1; port=$2
	shift 2
	if curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/"; then
		echo "port $port is in use: choose others with BENCH_PORT" >&2
		return 1
	fi
	mkdir -p "$var/run" "$var/log" "$var/tmp" "$var/cache" "$var/photos"
	: >"$var/pids"
	stack_conf "$port" >"$var/motorpool.conf"
	[ $# -eq 0 ] || "$BUILD/bench/fill" "$var" "$@" || return 1
	stack_run "$name" "$BUILD/bin/sandbox" --serve "$var"
	stack_run "$name" "$BUILD/bin/booking" --serve "$var"
	stack_run "$name" "${PAYMENT:-$BUILD/bin/payment}" --serve "$var"
	[ -n "${NO_RELAY:-}" ] || stack_run "$name" "$BUILD/bin/relay" "$var" --for 3600
	PRELOAD='' ROOT=$ROOT BIN=$BUILD/bin VAR=$var BIND=127.0.0.1 PORT=$port ALSO=127.0.0.1:$port stack_run "$name" setsid --wait \
		"$(command -v lighttpd || echo /usr/sbin/lighttpd)" -D -f "$ROOT/bench/lighttpd.conf"
	stack_wait "$port" "$var"
}

# Ends the processes of stack_start by pid; setsid does not pass signals on, so its child gets one too.
stack_stop() {
	var=$(stack_var "$1")
	[ -f "$var/pids" ] || return 0
	for pid in $(cat "$var/pids"); do
		for child in $(ps -o pid= --ppid "$pid"); do
			[ "$(ps -o comm= -p "$child")" != lighttpd ] || kill "$child" 2>/dev/null
		done
		kill "$pid" 2>/dev/null
	done
	for pid in $(cat "$var/pids"); do
		for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
	done
	rm -f "$var/pids"
}

# Waits until the relay has delivered all events, so that they do not disturb the next measurement.
stack_quiet() {
	db=$(stack_var "$1")/motorpool.db
	view=$(stack_var "$1")/view.db
	for _ in $(seq 600); do
		lag=$(sqlite3 -readonly "$db" "SELECT COALESCE((SELECT MAX(event_id) FROM event), 0) - COALESCE((SELECT MIN(event_id) FROM position), 0)" 2>/dev/null)
		seen=$(sqlite3 -readonly "$view" "SELECT COALESCE(MIN(event_id), 0) FROM position" 2>/dev/null)
		last=$(sqlite3 -readonly "$db" "SELECT COALESCE(MAX(event_id), 0) FROM event" 2>/dev/null)
		[ "${lag:-1}" -gt 0 ] || [ "${seen:-0}" -lt "${last:-0}" ] || return 0
		sleep 0.1
	done
}
