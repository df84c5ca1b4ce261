#!/bin/bash
# contexts.sh - every program is named wherever programs are listed, as docs/adding-a-context.md asks.
. tests/page/lib.sh

listed() { tr -s ' \n' '\n' | sed '/^$/d' | sort -u | tr '\n' ' '; }
programs=$(ls cgi-bin/*/main.c | cut -d/ -f2 | listed)
reacting=$(sed -n 's/^\t{ "\([a-z]*\)",.*\.reacts = true.*/\1/p' domain/contexts.c | listed)

test_that "the table of programs names those there are"
expect_same "$(sed -n 's/^\t{ "\([a-z]*\)",.*/\1/p' domain/contexts.c | listed)" "$programs"

test_that "lighttpd has an address for each, and it is the one the table says"
while read -r name prefix; do
	grep -q "^"$'\t\t'"\"${prefix:-/}\" => (( \"socket\" => var.VAR + \"/run/$name.sock\"" deploy/lighttpd/routes.conf || bad "${prefix:-/} does not lead to $name"
	grep -q "\.prefix = \"$prefix\"" "cgi-bin/$name/main.c" || bad "$name does not know its prefix $prefix"
done < <(sed -n 's/^\t{ "\([a-z]*\)", *"\([^"]*\)".*/\1 \2/p' domain/contexts.c)

test_that "the relay works for each that reacts to events, and says on its first screen what about"
expect_same "$(sed -n '/^extern const struct consumer/,/;/p' relay/main.c | grep -o '[a-z]*_consumer' | sed 's/_consumer//' | listed)" "$reacting"
for name in $reacting; do grep -q "^ \*"$'\t'"$name " relay/main.c || bad "nothing about $name"; done

test_that "each table of the schema has one owner"
owners() { grep -hoE '\.owns = "[a-z_ ]*"' cgi-bin/*/*.c | sed 's/.*"\(.*\)"/\1/' | tr -s ' ' '\n' | grep -vx -e position -e event_retry | sort; }
expect_same "$(owners | uniq -d)" ""
for table in $(sed -n 's/^CREATE TABLE \([a-z_]*\) .*/\1/p' db/schema.sql | grep -vx -e event -e position -e event_retry); do
	owners | grep -qx "$table" || bad "no context owns $table"
done

test_that "each has its events and calls written down, its words in Korean, its pages and its tests"
for name in $programs; do
	[[ -e locale/ko/$name.po ]] || bad "locale/ko/$name.po is missing"
	[[ -e tests/unit/test_$name.c || $name == ops ]] || bad "tests/unit/test_$name.c is missing"
	[[ -e tests/page/$name.sh || $name == sandbox ]] || bad "tests/page/$name.sh is missing"
	grep -q "\.internal = true" "cgi-bin/$name/main.c" && ! grep -qE "^## $name(,| )" docs/calls.md && [[ $name != sandbox ]] && bad "docs/calls.md says nothing of $name"
done
for type in $(grep -rhoE '"(booking|payment|car|delivery|equipment|stock|review|message|ops)\.[a-z_]+"' cgi-bin cli --include=*.c | tr -d '"' | grep -v -e '\.\(h\|key\|po\)$' -e '^delivery\.\(wanted\|address\|zone\|place\|window_from\|collect\)$' | sort -u); do
	grep -q "$type\b" docs/events.md || bad "docs/events.md says nothing of $type"
done

finish
