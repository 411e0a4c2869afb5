#!/bin/bash
# make_layer.sh TAR DIGEST DIRECTORY MODE FILE...: a layer with the files side by side in DIRECTORY, and its SHA-256.
set -euo pipefail
tar=$1 digest=$2 directory=$3 mode=$4
shift 4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$directory"
# Bazel's inputs are symbolic links; the layer gets what they point to.
cp -L "$@" "$work/$directory/"
find "$work" -type d -exec chmod 0755 {} +
find "$work" -type f -exec chmod "$mode" {} +

tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
  -C "$work" -cf "$tar" "${directory%%/*}"
sha256sum <"$tar" | cut -d ' ' -f 1 >"$digest"
