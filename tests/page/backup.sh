#!/bin/bash
# backup.sh - backup, restore and rehearse with a small state directory that is not in use: what a backup contains, which files are refused,
# which files remain after a failure. tests/story/backup.test.mjs tests them while customers are booking.
. tests/page/lib.sh

SCRATCH=$(mktemp -d) || exit 1
trap 'rm -rf "$SCRATCH"' EXIT
VAR=$SCRATCH/var TO=$SCRATCH/to
mkdir "$TO"
export MOTORPOOL_ROOT=$PWD
unset MOTORPOOL_VAR PORT BIND
SEED=${SEED:-$RANDOM}
echo "# SEED=$SEED"

# motorpool ARGUMENTS… runs the command and sets $out, $err and $ended (the exit status)
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
head -c 9000 /dev/urandom >"$VAR/handover/0a1b.jpg"            # the same name in another directory
echo 'vat_percent = 12' >"$VAR/motorpool.conf"
echo 'sk_test_1' >"$VAR/payment.key"
chmod 600 "$VAR/payment.key"

# --- backup ---

test_that "backup writes a tar file with mode 600 that has the databases (without the read models), photos, settings and keys, and reports the counts"
motorpool backup "$TO/a.tar"
expect_end 0
expect_out "$TO/a.tar"
expect_same "$(members "$TO/a.tar")" "B2SUMS handover/0a1b.jpg manifest.json motorpool.conf motorpool.db payment.key photos/0a1b.jpg sandbox.db secret.key "
expect_same "$(stat -c %a "$TO/a.tar")" 600
expect_err '0 bookings, 2 events, 2 photos'

test_that "tar can unpack a backup, and b2sum can verify each member"
mkdir "$SCRATCH/apart"
tar xf "$TO/a.tar" -C "$SCRATCH/apart" && (cd "$SCRATCH/apart" && b2sum --quiet -c B2SUMS) || bad "tar or b2sum failed"
expect_same "$(sqlite3 "file:$SCRATCH/apart/motorpool.db?immutable=1" 'PRAGMA integrity_check; SELECT email FROM person' | tr '\n' ' ')" "ok anna@example.com "

test_that "backup leaves no temporary files in the target directory"
expect_same "$(ls -A "$TO")" a.tar

test_that "backup to an existing file is refused and leaves the file unchanged"
before=$(md5sum <"$TO/a.tar")
motorpool backup "$TO/a.tar"
expect_end 1
expect_err 'already exists'
expect_same "$(md5sum <"$TO/a.tar")" "$before"

test_that "backup is refused, with the figures, if too little disk space would remain free; no file is created"
motorpool backup "$TO/b.tar" --leave 1000000000
expect_end 1
expect_err 'MiB free, but'
expect_err 'plus 1000000000 that must remain free'
expect_same "$(ls -A "$TO")" a.tar

test_that "backup is refused while another one writes to the same directory"
exec {held}<"$TO"
flock $held
motorpool backup "$TO/b.tar"
expect_end 1
expect_err 'another backup is being written'
exec {held}<&-

test_that "backup to a missing directory fails and names the directory"
motorpool backup "$SCRATCH/nowhere/b.tar"
expect_end 1
expect_err 'nowhere: No such file'

test_that "backup removes the unfinished files of a backup that was killed"
mkdir "$TO/motorpool-backup.part" && echo half >"$TO/motorpool-backup.part/whole.tar"
motorpool backup "$TO/b.tar"
expect_end 0
expect_same "$(ls -A "$TO" | tr '\n' ' ')" "a.tar b.tar "

test_that "backup --into names the file by the time, keeps the newest --keep backups and deletes no other files"
mkdir "$SCRATCH/many"
for day in 01 02 03; do echo old >"$SCRATCH/many/motorpool-202001${day}T000000Z.tar"; done
echo mine >"$SCRATCH/many/other.tar"
motorpool backup --into "$SCRATCH/many" --keep 2
expect_end 0
expect_err '2 older backups removed'
expect_same "$(ls "$SCRATCH/many" | sed 's/-2[1-9].*Z/-NOW/; s/-202[1-9].*Z/-NOW/' | tr '\n' ' ')" "motorpool-20200103T000000Z.tar motorpool-NOW.tar other.tar "

test_that "backup with missing or invalid arguments exits with 2"
motorpool backup
expect_end 2
motorpool backup x --keep 3
expect_end 2
motorpool backup --into "$SCRATCH/many" --keep 0
expect_end 2

# --- restore ---

test_that "restore creates a state directory from a backup: photos and settings, and databases and keys with mode 600"
VAR=$SCRATCH/new motorpool restore "$TO/a.tar"
expect_end 0
expect_out '0 bookings, 2 events, 2 photos'
expect_same "$(cd "$SCRATCH/new" && stat -c '%a %n' -- *.db *.key | tr '\n' ' ')" "600 motorpool.db 600 sandbox.db 600 view.db 600 payment.key 600 secret.key "
cmp "$VAR/secret.key" "$SCRATCH/new/secret.key" && cmp "$VAR/photos/0a1b.jpg" "$SCRATCH/new/photos/0a1b.jpg" && cmp "$VAR/handover/0a1b.jpg" "$SCRATCH/new/handover/0a1b.jpg" || bad "the restored files differ"
expect_same "$(cat "$SCRATCH/new/motorpool.conf")" 'vat_percent = 12'
VAR=$SCRATCH/new motorpool check
expect_end 0

test_that "users of a restored backup can sign in with their passwords"
export MOTORPOOL_VAR=$SCRATCH/new
use account
get /account/sign-in
post /account/sign-in email=anna@example.com 'password=a long enough one'
expect_status 303
unset MOTORPOOL_VAR

test_that "restore without --replace refuses to overwrite existing data"
before=$(md5sum "$SCRATCH/new/motorpool.db")
VAR=$SCRATCH/new motorpool restore "$TO/a.tar"
expect_end 1
expect_err 'use --replace to move it aside'
expect_same "$(md5sum "$SCRATCH/new/motorpool.db")" "$before"

test_that "restore --replace moves the existing database, photos and keys to before-restore-*"
VAR=$SCRATCH/new motorpool user add late@example.com Late --password 'a long enough one'
VAR=$SCRATCH/new motorpool restore "$TO/a.tar" --replace
expect_end 0
expect_same "$(sqlite3 "$SCRATCH/new/motorpool.db" 'SELECT COUNT(*) FROM person')" 1
aside=("$SCRATCH"/new/before-restore-*)
expect_same "$(sqlite3 "${aside[0]}/motorpool.db" 'SELECT COUNT(*) FROM person')" 2
[[ -e ${aside[0]}/photos/0a1b.jpg && -e ${aside[0]}/secret.key ]] || bad "the photo or the key was not moved"

test_that "restore keeps a motorpool.conf that is a link, and writes the restored one to motorpool.conf.restored"
mkdir "$SCRATCH/etc" && echo 'vat_percent = 7' >"$SCRATCH/etc/motorpool.conf"
mkdir "$SCRATCH/linked" && ln -s "$SCRATCH/etc/motorpool.conf" "$SCRATCH/linked/motorpool.conf"
VAR=$SCRATCH/linked motorpool restore "$TO/a.tar"
expect_end 0
expect_same "$(cat "$SCRATCH/linked/motorpool.conf" "$SCRATCH/linked/motorpool.conf.restored")" $'vat_percent = 7\nvat_percent = 12'

test_that "backup includes the file that a linked motorpool.conf points to"
VAR=$SCRATCH/linked motorpool backup "$TO/linked.tar"
expect_end 0
expect_same "$(tar xOf "$TO/linked.tar" motorpool.conf)" 'vat_percent = 7'

test_that "restore is refused while motorpool or a single program runs on the state directory"
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

test_that "after restore was killed at any moment, running it again completes it, and the previous data is kept"
VAR=$SCRATCH/cut motorpool restore "$TO/a.tar"
VAR=$SCRATCH/cut motorpool user add early@example.com Early --password 'a long enough one'
killed=0
for ms in 10 20 30 40 50 60 80 100 130 170; do
	{ timeout -s KILL "0.$(printf %03d $ms)" "$BUILD/motorpool" restore "$TO/a.tar" --replace --var "$SCRATCH/cut"; } </dev/null >/dev/null 2>&1 || killed=$((killed + 1))
done 2>/dev/null
((killed > 0)) || bad "no restore was killed"
VAR=$SCRATCH/cut motorpool restore "$TO/a.tar" --replace
expect_end 0
VAR=$SCRATCH/cut motorpool check
expect_end 0
expect_same "$(sqlite3 "$SCRATCH/cut/motorpool.db" 'SELECT email FROM person')" anna@example.com
found=0
for file in "$SCRATCH"/cut/before-restore-*/motorpool.db; do
	[[ $(sqlite3 "$file" "SELECT COUNT(*) FROM person WHERE email = 'early@example.com'") == 1 ]] && found=1
done
((found)) || bad "the previous database is missing"
expect_same "$(ls -A "$SCRATCH/cut" | grep -c part)" 0

test_that "restore continues one that was killed while moving the previous database, and keeps it together with its write-ahead log"
VAR=$SCRATCH/parted motorpool restore "$TO/a.tar"
VAR=$SCRATCH/parted motorpool user add early@example.com Early --password 'a long enough one'
[[ -s $SCRATCH/parted/motorpool.db-wal ]] || bad "the test needs a write-ahead log, and there is none"
mkdir "$SCRATCH/parted/before-restore.part"
mv "$SCRATCH/parted/motorpool.db" "$SCRATCH/parted/before-restore.part"
VAR=$SCRATCH/parted motorpool restore "$TO/a.tar"
expect_end 0
expect_same "$(sqlite3 "$SCRATCH"/parted/before-restore-2*/motorpool.db 'SELECT COUNT(*) FROM person')" 2
expect_same "$(sqlite3 "$SCRATCH/parted/motorpool.db" 'SELECT COUNT(*) FROM person') $(ls -A "$SCRATCH/parted" | grep -c part)" "1 0"

# --- files that are not valid backups ---

refused() {
	rm -rf "$SCRATCH/none"
	VAR=$SCRATCH/none motorpool restore "$1"
	[[ $ended == 1 ]] || bad "$2: ended with $ended: $err"
	[[ ! -e $SCRATCH/none/motorpool.db ]] || bad "$2: a database was restored"
	[[ ! -e $SCRATCH/none/restore.part ]] || bad "$2: restore.part was left behind"
}

test_that "restore refuses files that are not backups: an empty file, text, another tar file, a database, a missing file"
: >"$SCRATCH/f"; refused "$SCRATCH/f" empty
expect_err 'not a complete backup'
echo "a letter" >"$SCRATCH/f"; refused "$SCRATCH/f" words
tar cf "$SCRATCH/f" -C "$PWD" Makefile; refused "$SCRATCH/f" tar
refused "$VAR/motorpool.db" database
refused "$SCRATCH/not-there" missing
expect_err 'No such file'

test_that "a backup truncated at any point is refused"
size=$(stat -c %s "$TO/a.tar")
for at in 1 511 512 100000 $((size / 2)) $((size - 1025)) $((size - 1024)) $((size - 512)) $((size - 1)); do
	head -c "$at" "$TO/a.tar" >"$SCRATCH/f"
	refused "$SCRATCH/f" "cut off at $at"
done

test_that "a backup with trailing data is refused"
{ cat "$TO/a.tar"; printf x; } >"$SCRATCH/f"
refused "$SCRATCH/f" longer

test_that "a backup with one changed bit is refused: in any header, the checksums, the padding and at random positions"
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

# forge COMMAND: repacks the backup after COMMAND has changed its members, with valid checksums, as an attacker would
forge() {
	rm -rf "$SCRATCH/forged" && mkdir "$SCRATCH/forged" && tar xf "$TO/a.tar" -C "$SCRATCH/forged"
	(cd "$SCRATCH/forged" && eval "$1" && names=$(grep -o '[^ ]*$' B2SUMS) && b2sum $names >B2SUMS \
		&& tar --format=ustar --mode=600 --owner=0 --group=0 -cf "$SCRATCH/f" $names B2SUMS)
	# GNU tar pads the file to 10 KiB and stores an owner; our backups end with two empty blocks and have no owner
	perl -0777 -i -pe 's/\0+\z//; $_ .= "\0" x (-length($_) % 512) . "\0" x 1024' "$SCRATCH/f"
}

test_that "a backup with a truncated event log is refused because of its manifest, even if its checksums are valid"
forge 'sqlite3 motorpool.db "PRAGMA journal_mode = DELETE; DROP TRIGGER event_never_goes; DELETE FROM event WHERE event_id = 2" >/dev/null'
refused "$SCRATCH/f" "cut log"
expect_err 'the manifest does not match the contents'

test_that "a backup with a newer schema version is refused with that reason"
forge "sed -i 's/\"schema_version\":[0-9]*/\"schema_version\":99/' manifest.json"
refused "$SCRATCH/f" newer
expect_err 'a newer version of the programs'

test_that "a backup that was repacked without changes is restored, so repacking alone is no reason for a refusal"
forge true
VAR=$SCRATCH/unchanged motorpool restore "$SCRATCH/f"
expect_end 0

# --- rehearse ---

test_that "rehearse restores a backup, checks it and records the result in an event"
motorpool rehearse "$TO/a.tar"
expect_end 0
expect_out 'the backup can be restored: 0 bookings, 2 events'
expect_same "$(last_proof '"\(.ok) \(.backup) \(.n_events) \(.n_bookings) \(.failures) \(.said)"')" "true a.tar 2 0 0 "
expect_same "$(here motorpool "SELECT subject_id FROM event WHERE type = 'ops.rehearsed'")" ops:backup

test_that "rehearse without a file makes a backup for the test and leaves no files behind"
motorpool rehearse
expect_end 0
expect_same "$(last_proof '"\(.ok) \(.backup)"')" "true fresh"
expect_same "$(ls -A "$VAR" | grep -c part)" 0

test_that "rehearse --newest tests the newest backup of a directory; a directory without a backup is recorded as a failure"
motorpool rehearse --newest "$SCRATCH/many"
expect_end 0
expect_same "$(last_proof .backup)" "$(cd "$SCRATCH/many" && ls motorpool-*.tar | tail -1)"
motorpool rehearse --newest "$TO"
expect_end 1
expect_same "$(last_proof '"\(.ok) \(.failures) \(.said)"')" "false 1 no backup in $TO"

test_that "rehearse of a damaged backup fails, and the failure is recorded"
head -c 100000 "$TO/a.tar" >"$SCRATCH/f"
motorpool rehearse "$SCRATCH/f"
expect_end 1
expect_err 'the restore test FAILED'
expect_same "$(last_proof '"\(.ok) \(.backup)"')" "false f"

test_that "rehearse fails and records the name of an invariant that does not hold in the backup"
here motorpool "INSERT INTO position (consumer, event_id, moved_at) VALUES ('fleet', 99, 1)"
motorpool backup "$TO/wrong.tar"
here motorpool "DELETE FROM position WHERE consumer = 'fleet'"
motorpool rehearse "$TO/wrong.tar"
expect_end 1
expect_same "$(last_proof .said)" "no consumer position is beyond the end of the log: fleet"

test_that "rehearse fails if the read models in use have a row that no event explains"
sqlite3 "$VAR/view.db" "INSERT INTO view_car (car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko, service, updated_at, event_id) VALUES (7, '12가 3456', 'x', '', 'ev', 1, 'y', '', 'IN_SERVICE', 0, 0)"
motorpool rehearse "$TO/a.tar"
expect_end 1
expect_err 'view_car 7: a replay does not make it'
sqlite3 "$VAR/view.db" "DELETE FROM view_car"

test_that "/ops shows the result of the last restore test"
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

test_that "rehearse fails if the current event log is not the one the backup was made from"
here motorpool "DROP TRIGGER event_never_changes; UPDATE event SET hash = 'x' || hash WHERE event_id = 2"
motorpool rehearse "$TO/a.tar"
expect_end 1
expect_err 'the current event log is not the one the backup was made from'

finish
