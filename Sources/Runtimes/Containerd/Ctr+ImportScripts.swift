extension Ctr {
  /// Brings in what is read.
  ///
  /// Should containerd go in the middle of it, `ctr` may wait for ever (seen of 1.6). So it is seen to
  /// now and then that containerd is there, and that its sockets are those which it had.
  private static let bring = #"""
    sockets() {
      ls -il "${address:-/run/containerd/containerd.sock}" /run/k3s/containerd/containerd.sock
    }
    # Ends a child for certain, which has to be waited for: one that has only just been forked swallows
    # a signal that we catch, so it is sent until nobody is there any more. By a child's child: a trap may
    # run this between another start and its "$!".
    end() {
      ( (while kill "$1"; do sleep 0.05; done) </dev/null >/dev/null 2>&1 3<&- &)
    }
    bring() {
      import= isInterrupted=
      trap 'isInterrupted=yes; [ -z "$import" ] || end "$import"' INT TERM HUP
      exec 3<&0
      ctr ${address:+--address "$address"} --namespace "$namespace" images import \
        --all-platforms ${snapshotter:+--snapshotter "$snapshotter"} - <&3 3<&- >&2 &
      import=$!
      exec 3<&-
      [ -z "$isInterrupted" ] || end "$import"
      (
        exec </dev/null >/dev/null 2>&1
        pause=
        trap 'kill $pause; exit 0' TERM
        before=$(sockets)
        while sleep "${watchbuild_guard_seconds:-10}" & pause=$!; wait "$pause"; do
          [ "$(sockets)" = "$before" ] || break
          ctr ${address:+--address "$address"} version & pause=$!
          wait "$pause" || break
        done
        # What happened is told by the status: nobody may end this one first.
        trap '' TERM
        kill "$import"
        exit 9
      ) &
      guard=$!
      # A signal that is caught ends the wait, not yet the import.
      while wait "$import"; status=$?; kill -0 "$import" 2>/dev/null; do :; done
      end "$guard"
      # The shell itself tells of a child that a signal has ended.
      while wait "$guard" 2>/dev/null; guarded=$?; kill -0 "$guard" 2>/dev/null; do :; done
      [ "$guarded" -ne 9 ] || echo "ctr: containerd went away in the middle of it" >&2
    }

    """#

  /// As `importScript`, without what follows the import.
  static let bareImportScript = preamble + bring + #"bring; exit "$status""#

  /// The tag moves only when the image is there, unpacked, and the one that was meant: an import
  /// may fail with the name moved already, or store what it could not unpack without an error.
  static let importScript =
    preamble + bring + #"""
      bring
      temporary=
      for value; do
        case "$temporary " in *" $value "*) continue ;; esac
        case $value in docker.io/watchbuild/loading:*) temporary="$temporary $value" ;; esac
      done
      check $temporary
      there=
      while [ $# -gt 0 ]; do
        case "$there " in
          *" $1 "*) ;;
          *) if holds "$1"; then there="$there $1"; fi ;;
        esac
        # The old name goes before the new comes: an interrupt in between would leave none.
        if holds "$1" "$3" true; then
          (trap '' INT TERM HUP; c images tag --force "$1" "$2") >&2 && echo "$2"
        fi
        shift 3
      done
      [ -z "$there" ] || c images rm $there >&2
      exit $status
      """#
}
