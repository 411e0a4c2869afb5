#!/bin/bash
# make_image.sh BINARY TAG OUT: writes the docker-archive tar of an image whose one layer is a static binary, /service.
# The same input gives the same bytes on every machine, so the image's ID changes exactly when its content does.
set -euo pipefail
export LC_ALL=C
binary=$1 tag=$2 out=$PWD/$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root" "$work/image"
cp "$binary" "$work/root/service"

archive() { # DIRECTORY MEMBER...
  tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$@" -cf -
}
digest() { sha256sum | cut -d ' ' -f 1; }

chmod 755 "$work/root" "$work/root/service"
archive "$work/root" service >"$work/layer.tar"
layer=$(digest <"$work/layer.tar")
mv "$work/layer.tar" "$work/image/$layer.tar"
printf '{"architecture":"amd64","config":{"Cmd":["/service"]},"created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$layer" >"$work/config.json"
config=$(digest <"$work/config.json")
mv "$work/config.json" "$work/image/$config.json"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s.tar"]}]' "$config" "$tag" "$layer" >"$work/image/manifest.json"
archive "$work/image" "$config.json" "$layer.tar" manifest.json >"$out"
