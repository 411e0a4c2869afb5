/// The exit codes of watchbuild. The numbers are a promise to scripts.
///
/// Thrown by a command whose outcome has been told already, so that nothing more is printed.
package enum ExitStatus: Int32, Error, Sendable, CaseIterable {
  case ok = 0
  case buildFailed = 1
  case usage = 2
  case loadFailed = 3
  case rolloutFailed = 4
  /// No `dev` runs for this workspace, or another one does.
  case otherDev = 5
  /// Another command holds Bazel's lock, and `--no-wait-for-lock` was given. Bazel's own number.
  case lockHeld = 9
  case timedOut = 124
  case interrupted = 130
}
