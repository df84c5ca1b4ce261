#!/bin/bash
# try.sh PACKAGE.deb NEWER.deb - installs the package into a minimal Debian 12 (debootstrap, as root, about a minute), uses it, upgrades it
# and purges it. It has no systemd: try-inside.sh starts the programs itself, as the user of the units.
#
# CHROOT=dir keeps the minimal system for the next run. The last line is "N passed, N failed".
set -eu
package=$(realpath "$1") newer=$(realpath "$2")
(($(id -u) == 0)) || { echo "try.sh: needs root, for debootstrap and chroot" >&2; exit 1; }
keep=${CHROOT:-}
root=${CHROOT:-$(mktemp -d /var/tmp/motorpool-chroot.XXXXXX)}
trap '[[ -n $keep ]] || rm -rf --one-file-system "$root"' EXIT

if [[ ! -x $root/usr/bin/apt-get ]]; then
	mirror=$(grep -rhoE 'https?://[^ ]*debian.org/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ' || true)
	debootstrap --variant=minbase --include=ca-certificates,curl,openssl,adduser bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
		{ tail -5 "$root.log" >&2; exit 1; }
	rm -f "$root.log"
fi
mkdir -p "$root/trial"
cp "$package" "$root/trial/old.deb"
cp "$newer" "$root/trial/new.deb"
cp "$(dirname "$0")/try-inside.sh" "$root/trial/try.sh"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
inside=(/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
chroot "$root" "${inside[@]}" /bin/sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends --download-only /trial/old.deb' >"$root/trial/apt.log" 2>&1 </dev/null ||
	{ tail -5 "$root/trial/apt.log" >&2; exit 1; }
# own namespaces for processes, mounts and network: all processes end with the script, and no port of this machine is used
export PATH=$PATH:/usr/sbin:/sbin
unshare --mount --pid --net --fork --mount-proc="$root/proc" /bin/sh -c 'ip link set lo up; exec chroot "$@"' sh "$root" "${inside[@]}" /bin/bash /trial/try.sh
