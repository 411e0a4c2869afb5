import Basics

/// Measures how long a Bazel command has given no sign of life: pure, times from the command's start.
///
/// A sign is what its client writes, an event, or work of its server that the kernel counts.
struct SignsOfLife {
  /// When the last sign was seen.
  private var last: Duration = .zero
  private var sample: (activity: ServerActivity, time: Duration)?
  /// Programs of the server that were there before the command: its workers.
  private var workers: Set<Int32>?

  /// The client wrote something, or an event was read.
  mutating func heard(at now: Duration) { last = now }

  /// Looked at from time to time, once a second or so.
  mutating func saw(_ activity: ServerActivity, at now: Duration) {
    let workers = self.workers ?? activity.programs
    self.workers = workers
    defer { sample = (activity, now) }
    guard let (before, time) = sample, before.server == activity.server else { return }
    // A program that it started for us runs: the kernel has nothing to say of whether that sleeps.
    let isRunning = !activity.programs.isSubset(of: workers)
    // Collecting garbage takes an idle server some hundredths of a second.
    let seconds = max((now - time).milliseconds, 1)
    let share = (activity.time - before.time) * 10 * 100 / seconds
    if isRunning || activity.written != before.written || share >= 10 { last = now }
  }

  func silence(at now: Duration) -> Duration { now - last }

  /// The server as it was last seen.
  var activity: ServerActivity? { sample?.activity }
}
