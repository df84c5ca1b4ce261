#!/bin/sh
# deps.sh PACKAGE… - installs the Debian packages that are missing; does nothing, and quickly, when all are there.
#
# Debian starts a web server of its own when lighttpd is installed. Nobody asked for that one, so it is told not to.
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
# the lists may be old or missing: fetched when the first try fails
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing || { apt update && apt install -y --no-install-recommends $missing; } || {
	cat "$log" >&2
	exit 1
}
rm -f "$log"
