#!/usr/bin/env bash
# `make release`: an archive, the packages and a bill of materials of each binary, for one processor. The same commit, Go
# and C compiler make the same bytes in every folder and at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

build=${BUILD:-build} dist=${BUILD:-build}/dist version=${VERSION#v}
GOARCH=${GOARCH:-$(go env GOARCH)}
name=wherobots-audit_${version}_linux_$GOARCH
for binary in in_wherobots_audit.so wherobots-audit; do
  grep -aqF "$VERSION" "$build/$binary" || {
    echo "$build/$binary is of another version than $VERSION: make clean" >&2
    exit 1
  }
done
rm -rf "$dist"
mkdir -p "$dist"
for package in "$build"/packages/*; do
  cp "$package" "$dist/$(basename "$package" | tr '~' '-')" # GitHub renames what has a ~, and the list would not
done

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp -r "$build/image" "$folder/$name"
cp -r docs README.md CHANGELOG.md packaging/wherobots-audit.1 "$folder/$name"
tar --create --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --directory="$folder" "$name" | gzip -9n >"$dist/$name.tar.gz"

# Read from the binaries, so that they say what is linked. The tool says its own hash: -trimpath makes that the same, too.
# The modules are here, and were compared with go.sum when they were compiled, so no registry and no checksum database is asked: whether
# they know this module depends on the day.
env -u GOARCH -u CC CGO_ENABLED=0 GOFLAGS=-trimpath GOBIN="$folder" go install "${CYCLONEDX:?is set by the Makefile}"
bill() { # BINARY NAME
  GOPROXY=off GOSUMDB=off "$folder/cyclonedx-gomod" bin -json -std -licenses -noserial -notimestamp -version "$VERSION" \
    -output "$dist/$2.cdx.json" "$build/$1" 2>"$folder/$1.log" || { cat "$folder/$1.log" >&2 && return 1; }
}
bill in_wherobots_audit.so "in_wherobots_audit_${version}_linux_$GOARCH" & other=$!
bill wherobots-audit "$name"
wait $other
ls "$dist"/*
