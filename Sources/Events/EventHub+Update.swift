import Basics
package import Bazel

extension EventHub {
  /// Records what Bazel says beside the outcome of targets.
  ///
  /// - Parameters:
  ///   - update: Lock, cache, notices and diagnostics are told; targets and plain text are not.
  ///   - images: The images that a diagnostic holds up, where they are known.
  ///   - log: The file that holds what was printed, of a diagnostic.
  ///   - cycle: The cycle that the command ran in.
  package func record(
    _ update: BuildUpdate, images: [String] = [], log: String? = nil, cycle: Int? = nil
  ) {
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
      var told = Event.Diagnosed(
        diagnostic, image: images.count == 1 ? images.first : nil,
        images: images.isEmpty ? nil : images)
      told.log = log
      record(.diagnostic(told), cycle: cycle)
    case .notice(let text): record(.degraded(reason: text), cycle: cycle)
    case .target, .profile, .executionRoot, .actions, .progress, .retried, .message, .output,
      .printed:
      break
    }
  }
}
