#!/bin/bash
# check_routes.sh OUT FILE...: gathers the routes of the files in OUT, without comments and blank lines.
# A line is 'METHOD /path text'. The first that is not ends the build, with its place as a compiler would give it.
set -euo pipefail
out=$1
shift

awk '
  /^[ \t]*(#|$)/ { next }
  !/^(GET|POST|PUT|DELETE) \/[^ ]* / {
    printf "%s:%d:1: error: expected \"METHOD /path text\", found \"%s\"\n", FILENAME, FNR, $0 >"/dev/stderr"
    exit 1
  }
  { print }
' "$@" >"$out"
