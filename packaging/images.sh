#!/usr/bin/env bash
# The images of a release, for its workflow.
#
#   images.sh build                  makes both of this processor's archive in build/dist, into build/images.tar
#   images.sh publish REPOSITORY     makes one image of those of all processors in build/images/*/, pushes it as
#                                    REPOSITORY:1.2.3 and REPOSITORY:1.2.3-plugin, and signs it; prints full=DIGEST and
#                                    plugin=DIGEST
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
docker=${DOCKER:-docker} full=audit:full plugin=audit:plugin

build() {
  local prebuilt=build/prebuilt folder=build/prebuilt/src/build/image # as in the stage `build` of the Dockerfile
  rm -rf "$prebuilt"
  mkdir -p "$folder" "$prebuilt/state/var/lib/fluent-bit"
  tar -xzf build/dist/wherobots-audit_*.tar.gz --strip-components=1 -C "$folder"
  make docker PREBUILT="$prebuilt" IMAGE="$full" DOCKER="$docker"
  $docker build -f Dockerfile.plugin -t "$plugin" "$folder"
  $docker save -o build/images.tar "$full" "$plugin"
}

publish() { # REPOSITORY
  local repository=$1 kind archive name tag digest
  for kind in full plugin; do
    tag=$repository:${VERSION#v} parts=()
    [[ $kind == full ]] || tag+=-$kind
    for archive in build/images/*/images.tar; do
      $docker load --quiet -i "$archive" >&2
      name=$tag-$($docker image inspect --format '{{.Architecture}}' "audit:$kind")
      $docker tag "audit:$kind" "$name"
      $docker push --quiet "$name" >&2
      parts+=("$name")
    done
    $docker buildx imagetools create --tag "$tag" "${parts[@]}" >&2
    digest=$($docker buildx imagetools inspect --format '{{json .Manifest}}' "$tag" | jq -er .digest)
    cosign sign --yes "$repository@$digest" >&2
    echo "$kind=$digest"
  done
}

"$@"
