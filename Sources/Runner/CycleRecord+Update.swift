import Batching

extension CycleRecord {
  /// Tells what Bazel says beside the outcome of targets.
  func tell(_ update: BuildUpdate, images: [ImageTarget]) {
    switch update {
    case .lock(let holder, let waited):
      record(
        .lock(
          Event.LockAwaited(
            holder: holder.map { .init(pid: $0.pid, command: $0.command) },
            waitedMs: waited.milliseconds)))
    case .cacheDiscarded(let option, let message):
      record(.cacheDiscarded(Event.CacheDiscarded(option: option, message: message)))
    case .diagnostic(let diagnostic):
      let image = images.first { $0.label == diagnostic.target }
      record(.diagnostic(Event.Diagnosed(diagnostic, image: image?.name)))
    case .target, .progress, .message:
      break
    }
  }
}
