#!/bin/bash
# backup.sh - backup, restore and rehearse on a small state folder that is not in use: what is in the file, what is refused, what
# is left behind. The same beside people who book is tests/story/backup.test.mjs.
. tests/page/lib.sh

SCRATCH=$(mktemp -d) || exit 1
trap 'rm -rf "$SCRATCH"' EXIT
VAR=$SCRATCH/var TO=$SCRATCH/to
mkdir "$TO"
export MOTORPOOL_ROOT=$PWD
unset MOTORPOOL_VAR PORT BIND
SEED=${SEED:-$RANDOM}
echo "# SEED=$SEED"

# motorpool ARGUMENTS…: fills $out, $err and $ended
motorpool() {
	"$BUILD/motorpool" "$@" --var "$VAR" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
	ended=$?
	out=$(<"$SCRATCH/out") err=$(<"$SCRATCH/err")
}
expect_end() { [[ $ended == "$1" ]] || bad "ended with $ended, not $1: $err"; }
expect_out() { grep -qF -- "$1" <<<"$out" || bad "did not print: $1 but: $out"; }
expect_err() { grep -qF -- "$1" <<<"$err" || bad "did not say: $1 but: $err"; }
here() { sqlite3 "$VAR/$1.db" "$2"; }
members() { tar tf "$1" | sort | tr '\n' ' '; }
last_proof() { here motorpool "SELECT payload FROM event WHERE type = 'ops.rehearsed' ORDER BY event_id DESC LIMIT 1" | jq -r "$1"; }

motorpool migrate
motorpool user add anna@example.com Anna --password 'a long enough one'
motorpool pause fleet 'so that there is an event'
motorpool resume fleet
mkdir -p "$VAR/photos"
head -c 70000 /dev/urandom >"$VAR/photos/0a1b.jpg"
mkdir -p -m 700 "$VAR/handover"
head -c 9000 /dev/urandom >"$VAR/handover/0a1b.jpg"            # of the same name: another folder's
echo 'vat_percent = 12' >"$VAR/motorpool.conf"
echo 'sk_test_1' >"$VAR/payment.key"
chmod 600 "$VAR/payment.key"

# --- backup ---

test_that "a backup is a plain tar of all that is needed, its owner's alone, and says what was in it"
motorpool backup "$TO/a.tar"
expect_end 0
expect_out "$TO/a.tar"
expect_same "$(members "$TO/a.tar")" "B2SUMS handover/0a1b.jpg manifest.json motorpool.conf motorpool.db payment.key photos/0a1b.jpg sandbox.db secret.key "
expect_same "$(stat -c %a "$TO/a.tar")" 600
expect_err '0 bookings, 2 events, 2 photos'

test_that "others can look through it: tar takes it apart, b2sum finds each member whole"
mkdir "$SCRATCH/apart"
tar xf "$TO/a.tar" -C "$SCRATCH/apart" && (cd "$SCRATCH/apart" && b2sum --quiet -c B2SUMS) || bad "it does not"
expect_same "$(sqlite3 "file:$SCRATCH/apart/motorpool.db?immutable=1" 'PRAGMA integrity_check; SELECT email FROM person' | tr '\n' ' ')" "ok anna@example.com "

test_that "nothing else is left in the folder"
expect_same "$(ls -A "$TO")" a.tar

test_that "a backup overwrites nothing"
before=$(md5sum <"$TO/a.tar")
motorpool backup "$TO/a.tar"
expect_end 1
expect_err 'already exists'
expect_same "$(md5sum <"$TO/a.tar")" "$before"

test_that "a disk too small for it is told with figures, and nothing is begun"
motorpool backup "$TO/b.tar" --leave 1000000000
expect_end 1
expect_err 'MiB free, but'
expect_err 'plus 1000000000 that must remain free'
expect_same "$(ls -A "$TO")" a.tar

test_that "two backups into one folder do not meet"
exec {held}<"$TO"
flock $held
motorpool backup "$TO/b.tar"
expect_end 1
expect_err 'another backup is being written'
exec {held}<&-

test_that "a folder that is not there is named"
motorpool backup "$SCRATCH/nowhere/b.tar"
expect_end 1
expect_err 'nowhere: No such file'

test_that "one that was killed leaves no file of its name, and the next cleans up after it"
mkdir "$TO/motorpool-backup.part" && echo half >"$TO/motorpool-backup.part/whole.tar"
motorpool backup "$TO/b.tar"
expect_end 0
expect_same "$(ls -A "$TO" | tr '\n' ' ')" "a.tar b.tar "

test_that "into a folder each gets a name of its own, and the newest stay"
mkdir "$SCRATCH/many"
for day in 01 02 03; do echo old >"$SCRATCH/many/motorpool-202001${day}T000000Z.tar"; done
echo mine >"$SCRATCH/many/other.tar"
motorpool backup --into "$SCRATCH/many" --keep 2
expect_end 0
expect_err '2 older backups removed'
expect_same "$(ls "$SCRATCH/many" | sed 's/-2[1-9].*Z/-NOW/; s/-202[1-9].*Z/-NOW/' | tr '\n' ' ')" "motorpool-20200103T000000Z.tar motorpool-NOW.tar other.tar "

test_that "it is asked for properly or not at all"
motorpool backup
expect_end 2
motorpool backup x --keep 3
expect_end 2
motorpool backup --into "$SCRATCH/many" --keep 0
expect_end 2

# --- restore ---

test_that "a backup becomes a state folder: databases, photos, settings and keys, readable by their owner"
VAR=$SCRATCH/new motorpool restore "$TO/a.tar"
expect_end 0
expect_out '0 bookings, 2 events, 2 photos'
expect_same "$(cd "$SCRATCH/new" && stat -c '%a %n' -- *.db *.key | tr '\n' ' ')" "600 motorpool.db 600 sandbox.db 600 view.db 600 payment.key 600 secret.key "
cmp "$VAR/secret.key" "$SCRATCH/new/secret.key" && cmp "$VAR/photos/0a1b.jpg" "$SCRATCH/new/photos/0a1b.jpg" && cmp "$VAR/handover/0a1b.jpg" "$SCRATCH/new/handover/0a1b.jpg" || bad "they differ"
expect_same "$(cat "$SCRATCH/new/motorpool.conf")" 'vat_percent = 12'
VAR=$SCRATCH/new motorpool check
expect_end 0

test_that "its people sign in with the passwords they had"
export MOTORPOOL_VAR=$SCRATCH/new
use account
get /account/sign-in
post /account/sign-in email=anna@example.com 'password=a long enough one'
expect_status 303
unset MOTORPOOL_VAR

test_that "a business that is there is not overwritten"
before=$(md5sum "$SCRATCH/new/motorpool.db")
VAR=$SCRATCH/new motorpool restore "$TO/a.tar"
expect_end 1
expect_err 'use --replace to move it aside'
expect_same "$(md5sum "$SCRATCH/new/motorpool.db")" "$before"

test_that "with --replace it is moved aside, whole"
VAR=$SCRATCH/new motorpool user add late@example.com Late --password 'a long enough one'
VAR=$SCRATCH/new motorpool restore "$TO/a.tar" --replace
expect_end 0
expect_same "$(sqlite3 "$SCRATCH/new/motorpool.db" 'SELECT COUNT(*) FROM person')" 1
aside=("$SCRATCH"/new/before-restore-*)
expect_same "$(sqlite3 "${aside[0]}/motorpool.db" 'SELECT COUNT(*) FROM person')" 2
[[ -e ${aside[0]}/photos/0a1b.jpg && -e ${aside[0]}/secret.key ]] || bad "not all of it"

test_that "settings that lie elsewhere are this machine's own, and stay"
mkdir "$SCRATCH/etc" && echo 'vat_percent = 7' >"$SCRATCH/etc/motorpool.conf"
mkdir "$SCRATCH/linked" && ln -s "$SCRATCH/etc/motorpool.conf" "$SCRATCH/linked/motorpool.conf"
VAR=$SCRATCH/linked motorpool restore "$TO/a.tar"
expect_end 0
expect_same "$(cat "$SCRATCH/linked/motorpool.conf" "$SCRATCH/linked/motorpool.conf.restored")" $'vat_percent = 7\nvat_percent = 12'

test_that "… and go into a backup as well"
VAR=$SCRATCH/linked motorpool backup "$TO/linked.tar"
expect_end 0
expect_same "$(tar xOf "$TO/linked.tar" motorpool.conf)" 'vat_percent = 7'

test_that "while motorpool runs, or a program alone, nothing is changed"
exec {held}<>"$SCRATCH/new/run/run.lock"
flock $held
VAR=$SCRATCH/new motorpool restore "$TO/a.tar" --replace
expect_end 1
expect_err 'nothing was changed: motorpool is running'
exec {held}>&-
cp "$(command -v sleep)" "$SCRATCH/booking"
"$SCRATCH/booking" 900 & holder=$!
until_true grep -qx booking "/proc/$holder/comm"
echo $holder >"$SCRATCH/new/run/booking.pid"
VAR=$SCRATCH/new motorpool restore "$TO/a.tar" --replace
expect_end 1
expect_err "booking is running on this state directory (process $holder)"
kill $holder 2>/dev/null
rm "$SCRATCH/new/run/booking.pid"

test_that "killed at any moment, a restore is done again and is whole; what was there before is kept"
VAR=$SCRATCH/cut motorpool restore "$TO/a.tar"
VAR=$SCRATCH/cut motorpool user add early@example.com Early --password 'a long enough one'
killed=0
for ms in 10 20 30 40 50 60 80 100 130 170; do
	{ timeout -s KILL "0.$(printf %03d $ms)" "$BUILD/motorpool" restore "$TO/a.tar" --replace --var "$SCRATCH/cut"; } </dev/null >/dev/null 2>&1 || killed=$((killed + 1))
done 2>/dev/null
((killed > 0)) || bad "none was killed"
VAR=$SCRATCH/cut motorpool restore "$TO/a.tar" --replace
expect_end 0
VAR=$SCRATCH/cut motorpool check
expect_end 0
expect_same "$(sqlite3 "$SCRATCH/cut/motorpool.db" 'SELECT email FROM person')" anna@example.com
found=0
for file in "$SCRATCH"/cut/before-restore-*/motorpool.db; do
	[[ $(sqlite3 "$file" "SELECT COUNT(*) FROM person WHERE email = 'early@example.com'") == 1 ]] && found=1
done
((found)) || bad "the business that was there is gone"
expect_same "$(ls -A "$SCRATCH/cut" | grep -c part)" 0

test_that "killed while what was there moved aside, it goes on: a database is not parted from its write-ahead log"
VAR=$SCRATCH/parted motorpool restore "$TO/a.tar"
VAR=$SCRATCH/parted motorpool user add early@example.com Early --password 'a long enough one'
[[ -s $SCRATCH/parted/motorpool.db-wal ]] || bad "there is no write-ahead log to be parted from"
mkdir "$SCRATCH/parted/before-restore.part"
mv "$SCRATCH/parted/motorpool.db" "$SCRATCH/parted/before-restore.part"
VAR=$SCRATCH/parted motorpool restore "$TO/a.tar"
expect_end 0
expect_same "$(sqlite3 "$SCRATCH"/parted/before-restore-2*/motorpool.db 'SELECT COUNT(*) FROM person')" 2
expect_same "$(sqlite3 "$SCRATCH/parted/motorpool.db" 'SELECT COUNT(*) FROM person') $(ls -A "$SCRATCH/parted" | grep -c part)" "1 0"

# --- what is no backup ---

refused() {
	rm -rf "$SCRATCH/none"
	VAR=$SCRATCH/none motorpool restore "$1"
	[[ $ended == 1 ]] || bad "$2: ended with $ended: $err"
	[[ ! -e $SCRATCH/none/motorpool.db ]] || bad "$2: something was put in place"
	[[ ! -e $SCRATCH/none/restore.part ]] || bad "$2: something was left behind"
}

test_that "foreign files are refused: nothing, words, a tar of something else, a database"
: >"$SCRATCH/f"; refused "$SCRATCH/f" empty
expect_err 'not a complete backup'
echo "a letter" >"$SCRATCH/f"; refused "$SCRATCH/f" words
tar cf "$SCRATCH/f" -C "$PWD" Makefile; refused "$SCRATCH/f" tar
refused "$VAR/motorpool.db" database
refused "$SCRATCH/not-there" missing
expect_err 'No such file'

test_that "a file that was cut off anywhere is refused"
size=$(stat -c %s "$TO/a.tar")
for at in 1 511 512 100000 $((size / 2)) $((size - 1025)) $((size - 1024)) $((size - 512)) $((size - 1)); do
	head -c "$at" "$TO/a.tar" >"$SCRATCH/f"
	refused "$SCRATCH/f" "cut off at $at"
done

test_that "so is one with something behind its end"
{ cat "$TO/a.tar"; printf x; } >"$SCRATCH/f"
refused "$SCRATCH/f" longer

test_that "a single changed bit is noticed: in each header, in the checksums, in the padding, and anywhere else"
mapfile -t places < <(perl -e 'srand shift; open my $f, "<", shift; binmode $f; local $/; $_ = <$f>; my $at = 0;
	while (substr($_, $at, 1) ne "\0") { print $at + int rand 512, "\n"; my $n = oct substr($_, $at + 124, 11);
		print $at + 512 + $n, "\n" if $n % 512; $at += 512 + $n + (-$n & 511); }
	print int rand length, "\n" for 1 .. 12; print length() - 1, "\n"' "$SEED" "$TO/a.tar")
((${#places[@]} > 25)) || bad "only ${#places[@]} places"
for at in "${places[@]}"; do
	perl -e 'open my $f, "+<", $ARGV[0]; binmode $f; seek $f, $ARGV[1], 0; read $f, my $c, 1; seek $f, $ARGV[1], 0; print $f chr(ord($c) ^ 1 << $ARGV[1] % 8)' \
		"$(cp "$TO/a.tar" "$SCRATCH/f" && echo "$SCRATCH/f")" "$at"
	refused "$SCRATCH/f" "bit $((at % 8)) of byte $at"
done

# made again with right checksums, as an attacker would
forge() {
	rm -rf "$SCRATCH/forged" && mkdir "$SCRATCH/forged" && tar xf "$TO/a.tar" -C "$SCRATCH/forged"
	(cd "$SCRATCH/forged" && eval "$1" && names=$(grep -o '[^ ]*$' B2SUMS) && b2sum $names >B2SUMS \
		&& tar --format=ustar --mode=600 --owner=0 --group=0 -cf "$SCRATCH/f" $names B2SUMS)
	# GNU tar fills up to ten kilobytes, and stores an owner: ours ends with two empty blocks and has no owner
	perl -0777 -i -pe 's/\0+\z//; $_ .= "\0" x (-length($_) % 512) . "\0" x 1024' "$SCRATCH/f"
}

test_that "a log whose end was cut off does not fit its manifest, right checksums or not"
forge 'sqlite3 motorpool.db "PRAGMA journal_mode = DELETE; DROP TRIGGER event_never_goes; DELETE FROM event WHERE event_id = 2" >/dev/null'
refused "$SCRATCH/f" "cut log"
expect_err 'the manifest does not match the contents'

test_that "one of newer programs is refused in so many words"
forge "sed -i 's/\"schema_version\":[0-9]*/\"schema_version\":99/' manifest.json"
refused "$SCRATCH/f" newer
expect_err 'a newer version of the programs'

test_that "put together again unchanged it is taken: the forger is no reason of its own"
forge true
VAR=$SCRATCH/unchanged motorpool restore "$SCRATCH/f"
expect_end 0

# --- rehearse ---

test_that "a rehearsal restores, checks and compares, and its proof is an event"
motorpool rehearse "$TO/a.tar"
expect_end 0
expect_out 'the backup can be restored: 0 bookings, 2 events'
expect_same "$(last_proof '"\(.ok) \(.backup) \(.n_events) \(.n_bookings) \(.failures) \(.said)"')" "true a.tar 2 0 0 "
expect_same "$(here motorpool "SELECT subject_id FROM event WHERE type = 'ops.rehearsed'")" ops:backup

test_that "without a file one is made for it; nothing of it stays"
motorpool rehearse
expect_end 0
expect_same "$(last_proof '"\(.ok) \(.backup)"')" "true fresh"
expect_same "$(ls -A "$VAR" | grep -c part)" 0

test_that "the newest of a folder is taken; a folder without any is a failure that is kept"
motorpool rehearse --newest "$SCRATCH/many"
expect_end 0
expect_same "$(last_proof .backup)" "$(cd "$SCRATCH/many" && ls motorpool-*.tar | tail -1)"
motorpool rehearse --newest "$TO"
expect_end 1
expect_same "$(last_proof '"\(.ok) \(.failures) \(.said)"')" "false 1 no backup in $TO"

test_that "a damaged backup fails its rehearsal, and that is kept too"
head -c 100000 "$TO/a.tar" >"$SCRATCH/f"
motorpool rehearse "$SCRATCH/f"
expect_end 1
expect_err 'the restore test FAILED'
expect_same "$(last_proof '"\(.ok) \(.backup)"')" "false f"

test_that "an invariant that does not hold in the backup fails it, by name"
here motorpool "INSERT INTO position (consumer, event_id, moved_at) VALUES ('fleet', 99, 1)"
motorpool backup "$TO/wrong.tar"
here motorpool "DELETE FROM position WHERE consumer = 'fleet'"
motorpool rehearse "$TO/wrong.tar"
expect_end 1
expect_same "$(last_proof .said)" "no consumer position is beyond the end of the log: fleet"

test_that "a row of the read models in use that no event has made fails it"
sqlite3 "$VAR/view.db" "INSERT INTO view_car (car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko, service, updated_at, event_id) VALUES (7, '12가 3456', 'x', '', 'ev', 1, 'y', '', 'IN_SERVICE', 0, 0)"
motorpool rehearse "$TO/a.tar"
expect_end 1
expect_err 'view_car 7: a replay does not make it'
sqlite3 "$VAR/view.db" "DELETE FROM view_car"

test_that "the console tells of the last one"
use ops
export MOTORPOOL_VAR=$VAR
motorpool user role anna@example.com +admin
motorpool token anna@example.com
bearer "$out"
get /ops
expect_status 200
expect_js '"\(.proof.ok) \(.proof.backup) \(.proof.failures)"' "false a.tar 1"
motorpool rehearse "$TO/a.tar"
get /ops
expect_js '"\(.proof.ok) \(.proof.backup) \(.proof.failures)"' "true a.tar 0"
unset MOTORPOOL_VAR

test_that "so does a log in use that is not the backup's"
here motorpool "DROP TRIGGER event_never_changes; UPDATE event SET hash = 'x' || hash WHERE event_id = 2"
motorpool rehearse "$TO/a.tar"
expect_end 1
expect_err 'the current event log is not the one the backup was made from'

finish
