#!/bin/bash
# contexts.sh - checks that every program is listed in all the places that docs/adding-a-context.md names.
. tests/page/lib.sh

listed() { tr -s ' \n' '\n' | sed '/^$/d' | sort -u | tr '\n' ' '; }
programs=$(ls cgi-bin/*/main.c | cut -d/ -f2 | listed)
reacting=$(sed -n 's/^\t{ "\([a-z]*\)",.*\.reacts = true.*/\1/p' domain/contexts.c | listed)

test_that "domain/contexts.c lists exactly the programs in cgi-bin"
expect_same "$(sed -n 's/^\t{ "\([a-z]*\)",.*/\1/p' domain/contexts.c | listed)" "$programs"

test_that "lighttpd routes the URL prefix of each program in domain/contexts.c to that program"
while read -r name prefix; do
	grep -q "^"$'\t\t'"\"${prefix:-/}\" => (( \"socket\" => var.VAR + \"/run/$name.sock\"" deploy/lighttpd/routes.conf || bad "${prefix:-/} is not routed to $name"
	grep -q "\.prefix = \"$prefix\"" "cgi-bin/$name/main.c" || bad "cgi-bin/$name/main.c does not have the prefix $prefix"
done < <(sed -n 's/^\t{ "\([a-z]*\)", *"\([^"]*\)".*/\1 \2/p' domain/contexts.c)

test_that "the relay has a consumer for exactly the contexts that react to events, and its first comment describes each"
expect_same "$(sed -n '/^extern const struct consumer/,/;/p' relay/main.c | grep -o '[a-z]*_consumer' | sed 's/_consumer//' | listed)" "$reacting"
for name in $reacting; do grep -q "^ \*"$'\t'"$name " relay/main.c || bad "the first comment of relay/main.c does not describe $name"; done

test_that "each table of the schema has one owner"
owners() { perl -0777 -ne 'print join(" ", map { s/"\s*"//gr =~ s/"//gr } /\.owns = ("[a-z_ ]*"(?:\s*"[a-z_ ]*")*)/g), "\n"' cgi-bin/*/*.c | tr -s ' ' '\n' | grep -vx -e position -e event_retry | sort; }
expect_same "$(owners | uniq -d)" ""
for table in $(sed -n 's/^CREATE TABLE \([a-z_]*\) .*/\1/p' db/schema.sql | grep -vx -e event -e position -e event_retry); do
	owners | grep -qx "$table" || bad "no context owns $table"
done

test_that "each program has documented events and calls, Korean translations, unit tests and page tests"
for name in $programs; do
	[[ -e locale/ko/$name.po ]] || bad "locale/ko/$name.po is missing"
	[[ -e tests/unit/test_$name.c || $name == ops ]] || bad "tests/unit/test_$name.c is missing"
	[[ -e tests/page/$name.sh || $name == sandbox ]] || bad "tests/page/$name.sh is missing"
	grep -q "\.internal = true" "cgi-bin/$name/main.c" && ! grep -qE "^## $name(,| )" docs/calls.md && [[ $name != sandbox ]] && bad "docs/calls.md does not describe $name"
done
for type in $(grep -rhoE '"(booking|payment|payout|car|delivery|equipment|stock|review|message|ops)\.[a-z_]+"' cgi-bin cli --include=*.c | tr -d '"' | grep -v -e '\.\(h\|key\|po\)$' -e '^delivery\.\(wanted\|address\|zone\|place\|window_from\|collect\)$' | sort -u); do
	grep -q "$type\b" docs/events.md || bad "docs/events.md does not describe $type"
done

finish
