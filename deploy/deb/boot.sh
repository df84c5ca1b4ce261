#!/bin/bash
# boot.sh CHROOT - boots a copy of the system that try.sh keeps (CHROOT=dir) in a container with its own systemd, and runs booted.sh there,
# which tests the package: units, restrictions, cron, upgrade. Needs root and systemd-nspawn; takes two minutes.
set -eu
from=$(realpath "$1")
root=$(mktemp -d /var/tmp/motorpool-booted.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
cp -a "$from/." "$root"
rm -f "$root/usr/sbin/policy-rc.d"
rm -rf "$root/var/lib/motorpool" "$root/etc/motorpool"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -q --no-install-recommends systemd systemd-sysv dbus logrotate >"$root/trial/apt.log" 2>&1 </dev/null || { tail -5 "$root/trial/apt.log" >&2; exit 1; }
cp "$(dirname "$0")/booted.sh" "$root/trial/booted.sh"
cat >"$root/etc/systemd/system/trial.service" <<'END'
[Unit]
After=lighttpd.service cron.service
[Service]
Type=oneshot
ExecStart=/bin/bash -c '/bin/bash /trial/booted.sh >/trial/booted.out 2>&1; systemctl poweroff'
[Install]
WantedBy=multi-user.target
END
ln -sf ../trial.service "$root/etc/systemd/system/multi-user.target.wants/trial.service"
timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network -b -D "$root" --console=pipe >"$root/trial/boot.log" 2>&1 </dev/null || true
cat "$root/trial/booted.out" || { cat "$root/trial/boot.log" >&2; exit 1; }
tail -n 1 "$root/trial/booted.out" | grep -q ' 0 failed$'
