#!/bin/sh
# state.sh - creates the user and the directories that motorpool needs; run as root by `make install` and by the Debian package.
# Existing ones are kept; it can be run again.
#
#	@VAR@          the databases, keys, photos and sockets: owned by motorpool, readable by its group
#	@VAR@/log      a link to the logs of the cron jobs
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
