#!/bin/sh
# build.sh TREE VERSION HOUSE TO - builds the Debian package TO from TREE, the result of `make install DESTDIR=TREE PREFIX=/usr`.
# DEB_MAIL is the maintainer's address; DEB_COMPRESS=none builds faster, for tests.
#
# Needs only dpkg-dev. The dependencies are determined from the programs (dpkg-shlibdeps).
set -eu
tree=$1 version=$2 house=$3 to=$4
from=$(dirname "$0")
mail=${DEB_MAIL:-maintainers@motorpool.invalid}
doc=$tree/usr/share/doc/motorpool
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" '+%a, %d %b %Y %H:%M:%S +0000')
fill() { sed -e "s|@VERSION@|$version|g" -e "s|@HOUSE@|$house|g" -e "s|@DATE@|$date|g" -e "s|@MAIL@|$mail|g"; }

# --- adapt the tree to Debian's policy
rm "$tree$house/current"                        # created by postinst: otherwise an upgrade would switch too early
find "$tree$house/releases/$version" -type f -perm -u+x ! -name '*.sh' -exec strip --strip-unneeded --remove-section=.comment {} +
gzip -9n "$tree/usr/share/man/man8/motorpool.8"
install -m 644 "$from/copyright" "$doc/copyright"
fill <"$from/changelog" | gzip -9n >"$doc/changelog.gz"
install -d "$tree/usr/share/lintian/overrides"
install -m 644 "$from/lintian" "$tree/usr/share/lintian/overrides/motorpool"

# --- dependencies: dpkg-shlibdeps must run in a source package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
fill <"$from/control" >"$work/debian/control"
programs=$(find "$tree$house/releases/$version" -maxdepth 2 -type f -perm -u+x ! -name '*.sh')
# shellcheck disable=SC2086
needs=$(cd "$work" && dpkg-shlibdeps -O $programs 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$needs" ] || { echo "build.sh: dpkg-shlibdeps found nothing" >&2; exit 1; }

# --- the package's own files
install -d "$tree/DEBIAN"
sed -e "1,/^\$/d" -e "s|\${shlibs:Depends}|$needs|" -e "s|^Architecture: any|Architecture: $(dpkg --print-architecture)|" "$work/debian/control" >"$work/binary"
{
	sed -n '/^Package:/p' "$work/binary"
	echo "Version: $version"
	sed -n 's/^\(Section\|Priority\|Maintainer\):/&/p' "$work/debian/control"
	echo "Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)"
	sed '/^Package:/d' "$work/binary"
} >"$tree/DEBIAN/control"
for script in postinst prerm postrm; do
	fill <"$from/$script" >"$tree/DEBIAN/$script"
	chmod 755 "$tree/DEBIAN/$script"
done
(cd "$tree" && find etc -type f -printf '/%p\n' | sort) >"$tree/DEBIAN/conffiles"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Z"${DEB_COMPRESS:-xz}" --build "$tree" "$to" >/dev/null
echo "$to"
