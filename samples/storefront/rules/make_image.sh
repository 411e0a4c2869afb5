#!/bin/bash
# make_image.sh OUT TAG CMD_JSON [LAYER_TAR LAYER_DIGEST]...: the docker-archive tar of an image, layers from the bottom up.
set -euo pipefail
out=$1 tag=$2 cmd=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
members=() diff_ids='' layers=''
while (($#)); do
  read -r digest <"$2"
  # A link, which tar follows below, saves copying a base of some MB for every image.
  if [[ ! -e $work/$digest.tar ]]; then
    ln -s "$PWD/$1" "$work/$digest.tar"
    members+=("$digest.tar")
  fi
  diff_ids+="${diff_ids:+,}\"sha256:$digest\""
  layers+="${layers:+,}\"$digest.tar\""
  shift 2
done

printf '{"architecture":"amd64","config":{"Cmd":%s},"created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}' \
  "$cmd" "$diff_ids" >"$work/config.json"
config=$(sha256sum <"$work/config.json" | cut -d ' ' -f 1)
mv "$work/config.json" "$work/$config.json"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":[%s]}]' "$config" "$tag" "$layers" >"$work/manifest.json"

tar --format=ustar --dereference --hard-dereference --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 \
  -C "$work" -cf "$out" "$config.json" "${members[@]}" manifest.json
