#!/usr/bin/env bash
# `make packages`: what `make install` copies, as .deb and .rpm, by nfpm. Their names follow the version and the processor.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build}
root=$build/package # nfpm.yaml reads it from here
out=$build/packages
rm -rf "$root" "$out"
mkdir -p "$out"
BUILD=$build DESTDIR=$root PREFIX=/usr SYSCONFDIR=/etc packaging/install.sh

# v1.2.3 → 1.2.3, v1.2.3-rc.1 → 1.2.3~rc.1, v1.2.3-4-gabcdef → 1.2.3+4.gabcdef; a version without tags is older than any.
PACKAGE_VERSION=$(sed -E 's/^v([0-9])/\1/; s/-([0-9]+)-g/+\1.g/; s/-dirty$/.dirty/; s/-/~/g; /^[0-9]+\.[0-9]+/!s/^/0.0.0~/' \
  <<<"$VERSION")
: "${SOURCE_DATE_EPOCH:?is set by the Makefile}"
GOARCH=${GOARCH:-$(go env GOARCH)}
export PACKAGE_VERSION GOARCH ROOT=$root

doc=$root/usr/share/doc/wherobots-audit
mkdir -p "$doc" "$root/usr/share/lintian/overrides"
gzip -9n "$root"/usr/share/man/man1/*.1
install -m 644 packaging/lintian-overrides "$root/usr/share/lintian/overrides/wherobots-audit"
install -m 644 packaging/copyright "$doc/copyright"
{
  printf 'wherobots-audit (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n' "$PACKAGE_VERSION"
  printf ' -- %s  %s\n' "$(sed -n 's/^maintainer: //p' packaging/nfpm.yaml)" "$(date -uR -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$doc/changelog.Debian.gz"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
chmod 644 "$doc"/*
find "$root" -type d -exec chmod 755 {} +
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

# GOARCH is that of what is packed, not of the packer.
config=$(mktemp --suffix .yaml)
trap 'rm "$config"' EXIT
sed "s|@root@|$root|g" packaging/nfpm.yaml >"$config"
for format in deb rpm; do
  env -u GOARCH -u CC ARCH="$GOARCH" GOFLAGS= ${NFPM:?is set by the Makefile} package --config "$config" --packager "$format" --target "$out/" >&2
done
ls "$out"/*
