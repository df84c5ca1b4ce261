#!/bin/sh
# deps.sh PACKAGE… - installs the Debian packages that are missing; returns at once if all are installed.
#
# Debian would start lighttpd when it is installed; this is prevented, since only the programs' own instance is needed.
set -eu

missing=
there=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "$@" 2>/dev/null || true)"
for package; do
	case $there in *" $package=installed "*) ;; *) missing="$missing $package" ;; esac
done
[ -z "$missing" ] && exit 0

root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "These packages are missing; please install them as root: apt-get install$missing" >&2; exit 1; }
	root=sudo
fi
echo "Installing:$missing"

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$root rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
fi
log=$(mktemp)
apt() { DEBIAN_FRONTEND=noninteractive $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null; }
# the package lists may be old or missing: update them if the first attempt fails
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing || { apt update && apt install -y --no-install-recommends $missing; } || {
	cat "$log" >&2
	exit 1
}
rm -f "$log"
