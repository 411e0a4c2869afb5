package import Batching

extension EventLog {
  /// Records what Bazel says beside the outcome of targets.
  ///
  /// - Parameters:
  ///   - update: Lock, cache and diagnostics are told; targets and plain text are not.
  ///   - images: To name the image that a diagnostic belongs to.
  ///   - cycle: The cycle that the command ran in.
  package func record(_ update: BuildUpdate, images: [ImageTarget] = [], cycle: Int? = nil) {
    switch update {
    case .lock(let holder, let waited):
      let holder = holder.map { Event.LockAwaited.Holder(pid: $0.pid, command: $0.command) }
      record(
        .lock(Event.LockAwaited(holder: holder, waitedMs: waited.milliseconds)), cycle: cycle)
    case .cacheDiscarded(let option, let message):
      record(
        .cacheDiscarded(Event.CacheDiscarded(option: option, message: message)), cycle: cycle)
    case .diagnostic(let diagnostic):
      let image = images.first { $0.label == diagnostic.target }
      record(.diagnostic(Event.Diagnosed(diagnostic, image: image?.name)), cycle: cycle)
    case .target, .progress, .message:
      break
    }
  }
}
