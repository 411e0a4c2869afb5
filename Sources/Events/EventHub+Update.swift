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
    guard let kind = Event.Kind(update, images: images, log: log) else { return }
    record(kind, cycle: cycle)
  }
}

extension Event.Kind {
  /// What is told of an update; `nil`: nothing.
  package init?(_ update: BuildUpdate, images: [String], log: String?) {
    switch update {
    case .lock(let holder, let waited):
      let holder = holder.map { Event.LockAwaited.Holder(pid: $0.pid, command: $0.command) }
      self = .lock(Event.LockAwaited(holder: holder, waitedMs: waited.milliseconds))
    case .cacheDiscarded(let option, let message, let cause):
      self = .cacheDiscarded(
        Event.CacheDiscarded(option: option, message: message, cause: cause))
    case .diagnostic(let diagnostic):
      var told = Event.Diagnosed(
        diagnostic, image: images.count == 1 ? images.first : nil,
        images: images.isEmpty ? nil : images)
      told.log = log
      self = .diagnostic(told)
    case .notice(let text): self = .degraded(reason: text)
    case .target, .profile, .version, .executionRoot, .actions, .progress, .retried, .message,
      .output, .printed:
      return nil
    }
  }
}
