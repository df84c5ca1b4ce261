#!/bin/sh
# state.sh - the user and the folders motorpool needs on a machine; `make install` and the Debian package run it as root. What is there
# already stays as it is; doing it again does no harm.
#
#	@VAR@          the databases, keys, photos and sockets: motorpool's, its group may look in
#	@VAR@/log      a link to the logs of cron's jobs
#	@VAR@/motorpool.conf   a link to this machine's settings
set -eu
var=@VAR@ log=@LOG@ etc=@ETC@/motorpool backups=/var/backups/motorpool

id motorpool >/dev/null 2>&1 ||
	adduser --system --group --quiet --home "$var" --no-create-home --gecos "motorpool car rental" motorpool
# lighttpd's user connects to the programs' sockets and reads the photos
if id www-data >/dev/null 2>&1 && ! id -nG www-data | grep -qw motorpool; then
	adduser --quiet www-data motorpool
fi

folder() { [ -d "$2" ] || install -d -o motorpool -g motorpool -m "$1" "$2"; }
folder 0750 "$var"
folder 0750 "$var/run"
folder 0750 "$var/photos"
folder 0700 "$var/handover"
folder 0750 "$log"
folder 0700 "$backups"
[ -e "$var/log" ] || ln -s "$log" "$var/log"
[ -e "$var/motorpool.conf" ] || [ -L "$var/motorpool.conf" ] || ln -s "$etc/motorpool.conf" "$var/motorpool.conf"
[ -d "$etc/tls" ] || install -d -m 0700 "$etc/tls"
