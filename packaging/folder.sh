#!/usr/bin/env bash
# `make folder`: what archives and images have, in the folder that is named. It runs from anywhere: Fluent Bit is started
# in it, or its command installs it somewhere else.
set -euo pipefail
folder=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

rm -rf "$folder"
mkdir -p "$folder"
install -m 644 "$(realpath "${BUILD:-build}")/in_wherobots_audit.so" LICENSE packaging/THIRD_PARTY_LICENSES "$folder"
install -m 755 "${BUILD:-build}/wherobots-audit" "$folder"
(cd conf && find . -type f -exec install -D -m 644 {} "$folder/conf/{}" \;)
sed -i 's|build/in_wherobots_audit\.so|./in_wherobots_audit.so|; s|of$|of|' "$folder"/conf/plugins.*
