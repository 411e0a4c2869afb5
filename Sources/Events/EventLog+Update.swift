import Basics
package import Bazel

extension EventLog {
  /// Records what Bazel says beside the outcome of targets.
  ///
  /// - Parameters:
  ///   - update: Lock, cache, notices and diagnostics are told; targets and plain text are not.
  ///   - image: The image that a diagnostic belongs to, where it is one.
  ///   - cycle: The cycle that the command ran in.
  package func record(_ update: BuildUpdate, image: String? = nil, cycle: Int? = nil) {
    switch update {
    case .lock(let holder, let waited):
      let holder = holder.map { Event.LockAwaited.Holder(pid: $0.pid, command: $0.command) }
      record(
        .lock(Event.LockAwaited(holder: holder, waitedMs: waited.milliseconds)), cycle: cycle)
    case .cacheDiscarded(let option, let message, let cause):
      record(
        .cacheDiscarded(Event.CacheDiscarded(option: option, message: message, cause: cause)),
        cycle: cycle)
    case .diagnostic(let diagnostic):
      record(.diagnostic(Event.Diagnosed(diagnostic, image: image)), cycle: cycle)
    case .notice(let text): record(.degraded(reason: text), cycle: cycle)
    case .target, .profile, .executionRoot, .actions, .progress, .retried, .message:
      break
    }
  }
}
