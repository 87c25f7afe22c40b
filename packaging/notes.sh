#!/usr/bin/env bash
# notes.sh VERSION [CHANGELOG]: the changelog's section of a version, v1.2.3 or 1.2.3, which must be there. Of a snapshot,
# which has no section yet, what is unreleased.
set -euo pipefail
version=${1#v} changelog=${2:-$(dirname "${BASH_SOURCE[0]}")/../CHANGELOG.md}

if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-rc\.[0-9]+)?$ ]]; then
  version=Unreleased
fi
section=$(awk -v heading="## [$version]" '
  found && (/^## / || /^\[[^]]*\]: /) { exit }
  found { print }
  index($0, heading) == 1 { found = 1 }
  END { exit !found }
' "$changelog") || {
  echo "$changelog has no section $version" >&2
  exit 1
}
sed '/./,$!d' <<<"$section"
