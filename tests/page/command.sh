#!/bin/bash
# command.sh - the motorpool command: what it does, prints and refuses. tests/story tests `motorpool run`.
. tests/page/lib.sh

SCRATCH=$(mktemp -d) || exit 1
trap 'rm -rf "$SCRATCH"' EXIT
VAR=$SCRATCH/var
export MOTORPOOL_ROOT=$PWD
unset MOTORPOOL_VAR PORT BIND

# motorpool ARGUMENTS… runs the command and sets $out, $err and $ended (the exit status)
motorpool() {
	"$BUILD/motorpool" "$@" --var "$VAR" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
	ended=$?
	out=$(<"$SCRATCH/out") err=$(<"$SCRATCH/err")
}
expect_end() { [[ $ended == "$1" ]] || bad "ended with $ended, not $1: $err"; }
expect_out() { grep -qF -- "$1" <<<"$out" || bad "did not print: $1"; }
expect_err() { grep -qF -- "$1" <<<"$err" || bad "did not say: $1 but: $err"; }

test_that "every command prints its usage with --help"
for command in run status demo migrate check replay reconcile backup restore rehearse pause resume redrive discard trace log user token render; do
	motorpool $command --help
	expect_end 0
	expect_out "usage: motorpool $command"
done

test_that "an unknown command exits with 2, is named in the error, and the known commands are listed"
motorpool frobnicate
expect_end 2
expect_err 'unknown command "frobnicate"'
expect_err migrate

test_that "a command without a database fails and names motorpool migrate"
motorpool token nobody@example.com
expect_end 1
expect_err 'motorpool migrate'

# --- log ---

test_that "log turns lighttpd's error lines into JSON log lines without the requested URLs"
printf '%s\n' '2026-11-21 10:00:00: (server.c.1704) server started (lighttpd/1.4.69)' '' \
	'2026-11-21 10:00:01: (gw_backend.c.960) all handlers for /fleet?token=secret on /fleet are down.' \
	'2026-11-21 10:00:02: (gw_backend.c.2) no response on socket: unix:/x for /a b?email=anna@example.com, closing connection' \
	'2026-11-21 10:00:03: something with /x?token=secret in it' $'odd "quotes"\t\x1b[31m\xff' \
	| "$BUILD/motorpool" log lighttpd 2>"$SCRATCH/said" >"$SCRATCH/out"
expect_same "$(jq -r '[.level, .program, .what, .text] | @json' "$SCRATCH/said")" '["info","lighttpd","server","(server.c.1704) server started (lighttpd/1.4.69)"]
["warn","lighttpd","server","(gw_backend.c.960) all handlers for "]
["warn","lighttpd","server","(gw_backend.c.2) no response on socket: unix:/x for "]
["warn","lighttpd","server","something with /x"]
["warn","lighttpd","server","odd \"quotes\"\t\u001b[31m�"]'
expect_same "$(grep -c 'secret\|anna' "$SCRATCH/said")" 0

test_that "log creates its file again if the file was renamed between two lines"
{ echo one; until [[ -s $SCRATCH/server.log ]]; do sleep 0.05; done; mv "$SCRATCH/server.log" "$SCRATCH/server.log.1"; echo two; } \
	| timeout 600 "$BUILD/motorpool" log lighttpd "$SCRATCH/server.log"
expect_same "$(jq -r .text "$SCRATCH/server.log.1" "$SCRATCH/server.log" | tr '\n' ' ')" "one two "

# --- migrate ---

test_that "migrate creates all databases with mode 600"
motorpool migrate
expect_end 0
expect_same "$(cd "$VAR" && stat -c '%a %n' -- *.db | tr '\n' ' ')" "600 motorpool.db 600 sandbox.db 600 view.db "

test_that "migrate changes nothing in databases of the current version"
before=$(md5sum "$VAR"/*.db)
motorpool migrate
expect_end 0
expect_same "$(md5sum "$VAR"/*.db)" "$before"

test_that "check finds no violation in empty databases"
motorpool check
expect_end 0
expect_out 'all invariants hold'

# older SQL: makes a database one version older than the current one, and a tree in which SQL is the migration to the current version
today=$(sed -n 's/^PRAGMA user_version = \([0-9]*\);$/\1/p' db/schema.sql) script=$(printf '%04d-a-note.sql' "$today")
older() {
	rm -rf "$SCRATCH/house" "$SCRATCH/old"
	mkdir -p "$SCRATCH/house/db/migrate" "$SCRATCH/old"
	cp motorpool.conf "$SCRATCH/house" && cp db/*.sql "$SCRATCH/house/db"
	sqlite3 "$SCRATCH/old/motorpool.db" ".read db/schema.sql" "PRAGMA user_version = $((today - 1))" "PRAGMA journal_mode = WAL" >/dev/null
	echo "$1" >"$SCRATCH/house/db/migrate/$script"
}
in_older() { MOTORPOOL_ROOT=$SCRATCH/house VAR=$SCRATCH/old motorpool "$@"; }
old_sql() { sqlite3 "$SCRATCH/old/motorpool.db" "$1"; }

test_that "migrate upgrades an older database with the scripts in db/migrate"
older "CREATE TABLE note (note_id INTEGER PRIMARY KEY) STRICT;"
in_older migrate
expect_end 0
expect_same "$(old_sql "SELECT name FROM sqlite_master WHERE name = 'note'") $(old_sql 'PRAGMA user_version')" "note $today"

test_that "a migration script that fails is rolled back completely"
older "CREATE TABLE note (note_id INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);"
in_older migrate
expect_end 1
expect_err 'no such table: nowhere'
expect_same "$(old_sql "SELECT COUNT(*) FROM sqlite_master WHERE name = 'note'") $(old_sql 'PRAGMA user_version')" "0 $((today - 1))"

test_that "a migration script that violates a foreign key is rolled back"
older "INSERT INTO user_role (user_id, role) VALUES (77, 'admin');"
in_older migrate
expect_end 1
expect_same "$(old_sql 'SELECT COUNT(*) FROM user_role')" 0

test_that "migrate fails and names a migration script that is missing"
older ""
rm "$SCRATCH/house/db/migrate/$script"
in_older migrate
expect_end 1
expect_err "db/migrate/${script%%-*}-*.sql is missing"

# The contents of a schema, independent of its layout and comments: columns, foreign keys, indexes, the definitions in each table
# (so every CHECK) sorted by their text, and the text of views, triggers and indexes.
schema_of() {
	sqlite3 "$1" "SELECT m.name, c.name, c.type, c.\"notnull\", COALESCE(c.dflt_value, '-'), c.pk FROM sqlite_master m, pragma_table_xinfo(m.name) c
	                WHERE m.type = 'table' ORDER BY 1, 2;
	              SELECT m.name, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 4, 5;
	              SELECT m.name, l.name, l.\"unique\", l.partial, i.name FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_info(l.name) i
	                WHERE m.type = 'table' AND l.origin = 'c' ORDER BY 1, 2, i.seqno"
	sqlite3 "$1" "SELECT sql || ';' FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL ORDER BY name" | definitions_of
	sqlite3 "$1" ".mode list" "SELECT name || ' ' || sql FROM sqlite_master WHERE type IN ('view', 'trigger', 'index') AND sql IS NOT NULL ORDER BY name" |
		sed 's/--.*//' | tr -s ' \t\n' ' '
}
# The columns and constraints of each CREATE TABLE, sorted, one per line. Commas inside parentheses do not separate them.
definitions_of() {
	perl -0777 -ne 's/--.*//g; tr/"//d; s/\s+/ /g; s/ ?([()]) ?/$1/g;
		for (split /;/) {
			my ($table, $inside, $end) = /CREATE TABLE (\w+)\((.*)\)([^()]*)$/ or next;
			my @one = ($end);
			push @one, $1 while $inside =~ /((?:[^(),]|(\((?:[^()]|(?2))*\)))+)/g;
			print map { "$table: $_\n" } sort map { s/^ | $//gr } @one;
		}'
}

# made_of_version N SQL: makes a database of version N from schema-1.sql and the scripts up to N, and runs SQL in it
made_of_version() {
	local version=$1 folder=$SCRATCH/of-version-$1 script
	mkdir -p "$folder"
	sqlite3 "$folder/motorpool.db" "PRAGMA journal_mode = WAL" ".read tests/page/schema-1.sql" >/dev/null
	for script in db/migrate/*.sql; do
		[[ $(basename "$script") > $(printf '%04d~' "$version") ]] || sqlite3 "$folder/motorpool.db" ".read $script"
	done
	sqlite3 "$folder/motorpool.db" "PRAGMA user_version = $version" "$2" >/dev/null
}
of_version() { sqlite3 -cmd 'PRAGMA foreign_keys = ON' "$SCRATCH/of-version-$1/motorpool.db" "$2" 2>&1; }
expect_schema_of_today() {
	schema_of "$SCRATCH/of-version-$1/motorpool.db" >"$SCRATCH/migrated"
	schema_of "$VAR/motorpool.db" >"$SCRATCH/new"
	difference=$(diff "$SCRATCH/migrated" "$SCRATCH/new") || bad "the schemas differ: $difference"
	[[ $(wc -l <"$SCRATCH/new") -gt 800 ]] || bad "the compared schema is too short"
	expect_same "$(of_version "$1" 'PRAGMA foreign_key_check; PRAGMA integrity_check; PRAGMA user_version' | tr '\n' ' ')" "ok $today "
}

test_that "migrate upgrades a database of version 1 to the same schema as a new one, and keeps its ledger"
made_of_version 1 "
	INSERT INTO charge (key, subject_id, user_id, amount, currency, state, requested_at) VALUES ('MP-OLD', 'MP-OLD', 7, 110000, 'KRW', 'APPROVED', 1);
	BEGIN; INSERT INTO ledger_line VALUES (1, 'card_clearing', 110000), (1, 'rental_income', -110000);
	INSERT INTO posting (posting_id, kind, charge_id, currency, posted_at) VALUES (1, 'capture', 1, 'KRW', 1); COMMIT"
VAR=$SCRATCH/of-version-1 motorpool migrate
expect_end 0
expect_schema_of_today 1
expect_same "$(of_version 1 'SELECT account, amount FROM ledger_line ORDER BY 1')" "card_clearing|110000
rental_income|-110000"
expect_same "$(of_version 1 'SELECT kind, subject_id, charge_id, payout_id FROM posting')" 'capture|MP-OLD|1|'
for table in ledger_account posting_kind payout_kind terms terms_version; do
	expect_same "$(of_version 1 "SELECT * FROM $table ORDER BY 1")" "$(sqlite3 "$VAR/motorpool.db" "SELECT * FROM $table ORDER BY 1")"
done

test_that "migrate upgrades a database of version 3 to the same schema as a new one, and keeps users, roles, licences, sessions and tokens"
made_of_version 3 "
	INSERT INTO user (user_id, email, name, phone, password_hash, created_at, updated_at) VALUES (7, 'kim@example.kr', '김하나', '010', 'x', 1, 2);
	INSERT INTO user (user_id, email, name, lang, password_hash, disabled, created_at, updated_at) VALUES (9, 'lee@example.kr', 'Lee', 'en', 'y', 1, 3, 4);
	INSERT INTO user_role VALUES (7, 'customer'), (7, 'manager'), (9, 'courier');
	INSERT INTO licence VALUES (7, '11-12', '2030-01-01', '1990-01-01');
	INSERT INTO session VALUES ('s7', 7, 1, 99), ('s9', 9, 1, 99);
	INSERT INTO api_token (token_hash, user_id, name, created_at) VALUES ('t7', 7, 'a script', 1);
	INSERT INTO branch (branch_id, name, name_ko, address) VALUES (1, 'Jamsil', '잠실점', '240 Olympic-ro · 올림픽로 240');
	INSERT INTO car_model (model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price) VALUES (4, 'Kia Ray', 'mini', 4, 'petrol', 'automatic', 2, 1);
	INSERT INTO car (car_id, plate, model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, created_at, updated_at, rev)
	VALUES (5, '12가 3456', 4, 'Kia Ray', 'mini', 4, 'petrol', 'automatic', 2, 1, 1, 0, 0, 1);
	INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, amount, vat_amount, currency,
	charge_id, held_at, hold_until) VALUES ('MP-OLD001', 7, 5, 'Kia Ray', '12가 3456', 'mini', 1, 'Jamsil', 'CONFIRMED', 1, 2, 2, 0, 'KRW', 1, 0, 0)"
before=$(of_version 3 'SELECT * FROM user; SELECT * FROM user_role; SELECT * FROM licence; SELECT * FROM session; SELECT * FROM api_token;
	SELECT * FROM v_user; SELECT * FROM v_role_holder; SELECT * FROM v_session; SELECT * FROM v_api_token')
MOTORPOOL_REFUND_FULL_BEFORE_S=7200 MOTORPOOL_REFUND_LATE_PERCENT=70 VAR=$SCRATCH/of-version-3 motorpool migrate
expect_end 0
expect_schema_of_today 3
expect_same "$(of_version 3 'SELECT user_id, email, name, phone, lang, password_hash, disabled, created_at, updated_at FROM person; SELECT * FROM user_role; SELECT * FROM licence; SELECT * FROM session; SELECT * FROM api_token;
	SELECT * FROM v_user; SELECT * FROM v_role_holder; SELECT * FROM v_session; SELECT * FROM v_api_token')" "$before"

test_that "accounts from a database of version 3 count as confirmed since they were created"
expect_same "$(of_version 3 'SELECT user_id, created_at, email_confirmed_at FROM person ORDER BY user_id')" "7|1|1
9|3|3"

test_that "cars, models and bookings from a database of version 3 have their name and an empty Korean name"
expect_same "$(of_version 3 "SELECT name, '[' || name_ko || ']', branch_address, '[' || branch_address_ko || ']' FROM v_car;
	SELECT name, '[' || name_ko || ']' FROM v_car_model; SELECT car_name, '[' || car_name_ko || ']', state FROM v_booking")" \
	"Kia Ray|[]|240 Olympic-ro · 올림픽로 240|[]
Kia Ray|[]
Kia Ray|[]|CONFIRMED"

test_that "a booking from a database of version 3 keeps the cancellation rule of the settings, with at least 90 % refunded"
expect_same "$(of_version 3 'SELECT cancel_full_before_s, cancel_grace_s, cancel_late_percent FROM booking')" '7200|1800|90'

test_that "a booking from a database of version 3 has accepted no terms, and version 1 of each document is in force"
expect_same "$(of_version 3 'SELECT terms_version FROM v_booking; SELECT kind, version, valid_from FROM terms_version ORDER BY kind')" '0
company|1|0
privacy|1|0
terms|1|0'

test_that "after the upgrade from version 3, a role without a person and deleting a person with a role are still refused"
[[ $(of_version 3 "INSERT INTO user_role VALUES (8, 'admin')") == *'FOREIGN KEY constraint failed'* ]] || bad "the role was inserted"
[[ $(of_version 3 "DELETE FROM person WHERE user_id = 9") == *'FOREIGN KEY constraint failed'* ]] || bad "the person was deleted"

test_that "migrate changes nothing in a database that was upgraded from version 3 before"
before=$(md5sum "$SCRATCH/of-version-3/"*.db)
VAR=$SCRATCH/of-version-3 motorpool migrate
expect_end 0
expect_same "$(md5sum "$SCRATCH/of-version-3/"*.db)" "$before"

# Of car 5: one returned; one returned late, when the next had it already; one OUT, overtaken; one OUT; one not begun. Of car 6: OUT since
# its start, since no event says when. 30 has two cars.
book_at() { echo "($1, 'MP-OLD0$1', $2, $3, 'Kia Ray', 'x', 'mini', 1, 'x', '$4', $5, $6, $7, 2, 0, 'KRW', 1, 0, 0, ${8-1})"; }
moved_at() { echo "('booking.$2', 'MP-OLD0$1', $3, $3, '{}', '$2', '$1$2')"; }
test_that "migrate gives the bookings of version 4 their custodies: overlapping ones are cut, of an OUT one as taken over"
made_of_version 4 "
	INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, ended_at, amount, vat_amount,
	currency, charge_id, held_at, hold_until, n_cars) VALUES $(book_at 10 7 5 COMPLETED 100 200 210), $(book_at 11 8 5 COMPLETED 300 400 460),
	$(book_at 12 9 5 OUT 450 600 0), $(book_at 13 7 5 OUT 700 800 0), $(book_at 14 7 5 CONFIRMED 900 950 0), $(book_at 20 7 6 OUT 500 600 0),
	$(book_at 21 7 6 COMPLETED 100 200 210), $(book_at 30 7 7 COMPLETED 100 200 190 2), $(book_at 40 7 9 CANCELLED 100 200 90);
	UPDATE booking SET cancel_asked_at = 1, cancel_asked_by = 7 WHERE booking_id = 14;
	INSERT INTO booking_car (booking_id, car_no, car_id, car_name, plate) VALUES (30, 2, 8, 'Kia Ray', 'y');
	INSERT INTO event (type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash) VALUES
	$(moved_at 10 handed_out 101), $(moved_at 10 returned 205), $(moved_at 11 handed_out 300), $(moved_at 11 returned 460), $(moved_at 12 handed_out 450),
	$(moved_at 13 handed_out 700), $(moved_at 30 handed_out 110), $(moved_at 30 returned 105)"
VAR=$SCRATCH/of-version-4 motorpool migrate
expect_end 0
expect_schema_of_today 4
expect_same "$(of_version 4 "SELECT booking_id, car_id, kind, user_id, from_at, to_at, ended_by FROM custody ORDER BY booking_id, car_id")" \
	"10|5|customer|7|101|205|returned
11|5|customer|8|300|450|taken_over
12|5|customer|9|450|700|taken_over
13|5|customer|7|700||
20|6|customer|7|500||
30|7|customer|7|110|110|returned
30|8|customer|7|110|110|returned"
expect_same "$(of_version 4 "SELECT kind, subject_id, since FROM v_stuck_booking WHERE kind = 'custody'")" "custody|MP-OLD012|700"

test_that "bookings of version 4 that were cancelled, or are to be, count as cancelled by or for their customer"
expect_same "$(of_version 4 "SELECT booking_id, cancel_by, cancel_reason, compensation_state FROM booking WHERE cancel_by <> ''")" "14|customer||NONE
40|customer||NONE"

test_that "no-shows and returns of version 5 are final: nothing can be undone, and nothing is refunded for them now"
made_of_version 5 "
	INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state, starts_at, ends_at, ended_at, amount, vat_amount,
	currency, charge_id, held_at, hold_until, n_cars) VALUES $(book_at 10 7 5 NO_SHOW 100 200 210), $(book_at 11 8 5 COMPLETED 300 400 460),
	$(book_at 12 9 6 RETURNED 450 600 610)"
VAR=$SCRATCH/of-version-5 motorpool migrate
expect_end 0
expect_schema_of_today 5
# the last one is completed by the first sweep
expect_same "$(of_version 5 "SELECT state, undo_until, refund_state, refund_due FROM booking ORDER BY booking_id")" "NO_SHOW|0|NONE|0
COMPLETED|0|NONE|0
RETURNED|1|NONE|0"
[[ $(of_version 5 "UPDATE booking SET state = 'CONFIRMED' WHERE booking_id = 10") == *booking_state* ]] || bad "an old no-show was undone"

test_that "migrate refuses a database with an unknown schema version"
older ""
for version in 0 -1; do
	old_sql "PRAGMA user_version = $version"
	in_older migrate
	expect_end 1
	expect_err "schema version $version is unknown: these programs know 1 to $today"
done

test_that "migrate refuses a database with a newer schema version"
older ""
old_sql 'PRAGMA user_version = 99'
in_older migrate
expect_end 1
expect_err 'newer than these programs'

test_that "migrate rebuilds read models of an older version"
sqlite3 "$VAR/view.db" 'PRAGMA user_version = 0'
motorpool migrate
expect_end 0
expect_same "$(sqlite3 "$VAR/view.db" 'PRAGMA user_version')" "$(sed -n "s/^PRAGMA user_version = \\([0-9]*\\);$/\\1/p" db/view.sql)"

# --- deploy: runs as root, with files that another user can write ---

test_that "deploy sends no signal to another process whose pid is in an old pid file"
sleep 60 & stranger=$!
echo "$stranger" >"$VAR/run/booking.pid"
motorpool deploy booking
expect_end 0
expect_out 'booking    is not running'
kill "$stranger" || bad "the other process was ended"
rm "$VAR/run/booking.pid"

test_that "deploy does not follow a symbolic link with the name of its lock file"
rm -f "$VAR/run/deploy.lock"; ln -s "$SCRATCH/elsewhere" "$VAR/run/deploy.lock"
motorpool deploy booking
expect_end 1
[[ ! -e $SCRATCH/elsewhere ]] || bad "the file that the link points to was created"
rm "$VAR/run/deploy.lock"

# --- pause, resume, redrive, discard ---

test_that "pause, resume, redrive and discard report what they did, refuse invalid requests, and are recorded as events"
log() { sqlite3 "$VAR/motorpool.db" "SELECT COALESCE(group_concat(type, ' '), '') FROM (SELECT type FROM event WHERE subject_id = 'ops:relay' ORDER BY event_id)"; }
motorpool pause fleet; expect_end 2
motorpool pause nobody 'a reason'; expect_end 1
expect_err 'unknown consumer'
motorpool pause fleet ''; expect_end 1
expect_err 'the reason must be'
motorpool pause fleet "$(printf 'x%.0s' {1..201})"; expect_end 1
motorpool pause fleet $'two\nlines'; expect_end 1
motorpool resume fleet; expect_end 1
expect_err 'not paused'
expect_same "$(log)" ''
motorpool pause fleet '점검 중'; expect_end 0
expect_out paused
motorpool pause fleet again; expect_end 1
expect_err 'already paused'
expect_same "$(sqlite3 "$VAR/motorpool.db" 'SELECT consumer, paused_by, reason FROM relay_pause')" 'fleet|0|점검 중'
motorpool resume fleet; expect_end 0
expect_same "$(sqlite3 "$VAR/motorpool.db" 'SELECT COUNT(*) FROM relay_pause')" 0
motorpool redrive fleet 4; expect_end 1
expect_err 'not pending'
motorpool discard fleet x 'a reason'; expect_end 2
sqlite3 "$VAR/motorpool.db" "INSERT INTO event_retry VALUES ('fleet', 1, 'ops:relay', 12, 0, 'boom', 1), ('booking', 2, 'ops:relay', 12, 0, 'bang', 1)"
sqlite3 "$VAR/view.db" "INSERT INTO event_retry VALUES ('mypage', 1, 'ops:relay', 12, 0, 'puff', 1), ('mypage', 2, 'ops:relay', 3, 9, 'not dead', 0)"
motorpool redrive; expect_end 0
expect_out '3 retried'
motorpool redrive fleet; expect_end 0
expect_out '0 retried'
motorpool discard fleet 1 'it can never be'; expect_end 0
motorpool discard fleet 1 'it can never be'; expect_end 1
expect_err 'not pending'
motorpool discard mypage 2 'neither this'; expect_end 0
expect_same "$(sqlite3 "$VAR/view.db" 'SELECT event_id, tries, dead FROM event_retry')" '1|0|0'
expect_same "$(log)" 'ops.paused ops.resumed ops.redriven ops.redriven ops.redriven ops.discarded ops.discarded'
expect_same "$(sqlite3 "$VAR/motorpool.db" "SELECT payload ->> 'error', payload ->> 'note' FROM event WHERE type = 'ops.discarded' LIMIT 1")" 'boom|it can never be'
sqlite3 "$VAR/view.db" 'DELETE FROM event_retry'; sqlite3 "$VAR/motorpool.db" 'DELETE FROM event_retry'
motorpool check; expect_end 0

# --- user and token ---

test_that "user add creates an account with the given roles and prints its password"
motorpool user add Anna@Example.com "Anna Kim" --role manager,admin
expect_end 0
expect_out 'password: '
expect_same "$(sqlite3 "$VAR/motorpool.db" "SELECT email || ' ' || roles FROM v_user")" "anna@example.com 36"

test_that "user add does not print a password given by --password"
motorpool user add ben@example.com Ben --password 'a long enough one'
expect_end 0
[[ $out == *password* ]] && bad "the password was printed"

test_that "user add without --role creates a customer"
expect_same "$(sqlite3 "$VAR/motorpool.db" "SELECT roles FROM v_user WHERE email = 'ben@example.com'")" 1

test_that "user add refuses an email that already has an account"
motorpool user add ben@example.com Benjamin
expect_end 1
expect_err 'already has an account'

test_that "user add refuses a weak password, an invalid email and an unknown role"
motorpool user add carl@example.com Carl --password short
expect_end 1
motorpool user add carl Carl
expect_end 1
motorpool user add carl@example.com Carl --role boss
expect_end 2
expect_err 'boss: unknown role'
expect_same "$(sqlite3 "$VAR/motorpool.db" "SELECT COUNT(*) FROM person")" 2

test_that "user role adds and removes roles"
motorpool user role ben@example.com +manager -customer
expect_end 0
expect_same "$(sqlite3 "$VAR/motorpool.db" "SELECT roles FROM v_user WHERE email = 'ben@example.com'")" 4

test_that "user role fails for an unknown user"
motorpool user role nobody@example.com +manager
expect_end 1

test_that "token prints only a token, and the API accepts it"
motorpool token anna@example.com
expect_end 0
expect_same "$(wc -l <"$SCRATCH/out")" 1
expect_same "$err" ""
use account
export MOTORPOOL_VAR=$VAR
bearer "$out"
json GET /account
expect_status 200
expect_js .email anna@example.com
unset MOTORPOOL_VAR

test_that "token fails for an unknown user and prints no token"
motorpool token nobody@example.com
expect_end 1
expect_same "$out" ""

test_that "user password prints a new password that replaces the old one"
before=$(sqlite3 "$VAR/motorpool.db" "SELECT password_hash FROM person WHERE email = 'ben@example.com'")
motorpool user password ben@example.com
expect_end 0
expect_out 'password: '
[[ $before != "$(sqlite3 "$VAR/motorpool.db" "SELECT password_hash FROM person WHERE email = 'ben@example.com'")" ]] || bad "the password has not changed"

# --- check, replay, status, demo, run: failures ---

test_that "check fails and names an invariant that does not hold"
sqlite3 "$VAR/motorpool.db" "INSERT INTO position (consumer, event_id, moved_at) VALUES ('fleet', 99, 1)"
motorpool check --quick
expect_end 1
expect_out 'FAILED        1  no consumer position is beyond the end of the log: fleet'
sqlite3 "$VAR/motorpool.db" "DELETE FROM position"

test_that "replay creates deleted read models again"
rm -f "$VAR"/view.db*
motorpool replay
expect_end 0
motorpool check
expect_end 0

test_that "status exits with 1 while the programs are not running"
motorpool status
expect_end 1
expect_out 'NOT READY'

test_that "demo refuses a state directory that already has a database"
motorpool demo
expect_end 1
expect_err 'already has a database'

test_that "run with a port that is in use fails and names the port"
timeout 900 perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK)); listen(S, 1);
	print((sockaddr_in(getsockname(S)))[0], "\n"); close(STDOUT); sleep 600' >"$SCRATCH/port" & holder=$!
until_true test -s "$SCRATCH/port"
port=$(<"$SCRATCH/port")
motorpool run --port "$port"
expect_end 1
expect_err "port $port is in use"
kill $holder 2>/dev/null

test_that "run with an invalid port exits with 2"
motorpool run --port 99999
expect_end 2

test_that "run is refused while another one uses the same state directory, and names its process and port"
exec {held}<>"$VAR/run/run.lock"
flock $held
echo "process 1, port 2" >"$VAR/run/run.lock"
motorpool run --port 20109
expect_end 1
expect_err 'already running on this state directory (process 1, port 2)'
exec {held}>&-

finish
