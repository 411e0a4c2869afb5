#!/bin/bash
# make_image.sh GREETING PROGRAM_HEX OUT: writes the docker-archive tar of an image of one layer.
# The same input gives the same bytes on every machine, so the image's ID changes exactly when its content does.
set -euo pipefail
export LC_ALL=C
greeting=$1 program=$2 out=$PWD/$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/image"
cat "$greeting" >"$work/root/greeting.txt"
# Comments and blanks go; each pair of digits becomes one byte.
printf "$(sed 's/#.*//' "$program" | tr -d ' \n' | sed 's/../\\x&/g')" >"$work/root/bin/show"
chmod 755 "$work/root" "$work/root/bin" "$work/root/bin/show"
chmod 644 "$work/root/greeting.txt"

archive() { # DIRECTORY MEMBER...
  tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$@" -cf -
}
digest() { sha256sum | cut -d ' ' -f 1; }

archive "$work/root" bin greeting.txt >"$work/layer.tar"
layer=$(digest <"$work/layer.tar")
mv "$work/layer.tar" "$work/image/$layer.tar"
printf '{"architecture":"amd64","config":{"Cmd":["/bin/show","/greeting.txt"]},"created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$layer" >"$work/config.json"
config=$(digest <"$work/config.json")
mv "$work/config.json" "$work/image/$config.json"
printf '[{"Config":"%s.json","RepoTags":["hello:dev"],"Layers":["%s.tar"]}]' \
  "$config" "$layer" >"$work/image/manifest.json"
archive "$work/image" "$config.json" "$layer.tar" manifest.json >"$out"
