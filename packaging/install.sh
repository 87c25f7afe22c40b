#!/usr/bin/env bash
# `make install`: copies what was built. Nothing is started, and no file that is there already and may have been edited
# is replaced: the new one is put beside it as *.new.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build} prefix=${PREFIX:-/usr/local} etc=${SYSCONFDIR:-/etc}/fluent-bit/wherobots dest=${DESTDIR:-}
library=$prefix/lib/fluent-bit
source=https://github.com/wherobots/in_wherobots_audit/blob/main/
share=$prefix/share/wherobots-audit

put() { install -D -m "$1" "$2" "$dest$3"; }

# As in a checkout, but with the paths of the installation.
installed() {
  sed -e "s|build/in_wherobots_audit\.so|$library/in_wherobots_audit.so|" \
    -e "s|-c conf/|-c $etc/|" \
    -e "s|\bconf/plugins|$etc/plugins|g" \
    "$1"
}

# Links beyond the folder of a document lead to the repository.
linked() {
  sed -i -e "s|](\.\./\.\./|]($source|g" -e "s|](\.\./|](${source}conf/|g" "$1"
}

# Users edit configurations.
configuration() {
  local to=$dest$etc/$(basename "$2") new
  new=$(mktemp)
  installed "$2" >"$new"
  if [[ -e $to ]] && ! cmp -s "$new" "$to"; then
    echo "$to is there already; the new one is $to.new" >&2
    to=$to.new
  fi
  install -D -m "$1" "$new" "$to"
  rm "$new"
}

put 644 "$build/in_wherobots_audit.so" "$library/in_wherobots_audit.so"
put 755 "$build/wherobots-audit" "$prefix/bin/wherobots-audit"
put 644 packaging/THIRD_PARTY_LICENSES "$prefix/share/doc/wherobots-audit/THIRD_PARTY_LICENSES"
put 644 packaging/wherobots-audit.1 "$prefix/share/man/man1/wherobots-audit.1"

for file in conf/*.yaml conf/*.conf conf/*.schema.json; do configuration 644 "$file"; done
configuration 600 packaging/environment

for folder in conf/*/; do
  [[ $folder == conf/container/ ]] || find "$folder" -type f -printf '%P\n' | while read -r file; do
    put 644 "$folder$file" "$share/$(basename "$folder")/$file"
    [[ $file != *.md ]] || linked "$dest$share/$(basename "$folder")/$file"
  done
done

unit=$(mktemp)
sed -e "s|@etc@|$etc|g" -e "s|@prefix@|$prefix|g" packaging/wherobots-audit.service >"$unit"
put 644 "$unit" "$prefix/lib/systemd/system/wherobots-audit.service"
rm "$unit"
