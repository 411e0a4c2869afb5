/// Measures how long Bazel's lock has been waited for, and decides when to say so: pure, times from the start.
struct LockWait {
  /// Who was last seen to hold it.
  private(set) var holder: LockHolder?
  private var start: Duration?
  private var lastSaid: Duration = .zero
  private var ended: Duration = .zero

  /// All the time waited, the current wait included.
  func total(at now: Duration) -> Duration { ended + (start.map { now - $0 } ?? .zero) }

  var isWaiting: Bool { start != nil }

  /// Another command was found to hold the lock.
  mutating func begin(_ holder: LockHolder?, at now: Duration) -> BuildUpdate {
    self.holder = holder ?? (isWaiting ? self.holder : nil)
    start = start ?? now
    return say(at: now)
  }

  /// Says so again each second.
  mutating func tick(at now: Duration) -> BuildUpdate? {
    guard isWaiting, now - lastSaid >= .seconds(1) else { return nil }
    return say(at: now)
  }

  /// Bazel has gone on.
  mutating func end(at now: Duration) -> BuildUpdate? {
    guard let start else { return nil }
    let update = say(at: now)
    ended += now - start
    self.start = nil
    return update
  }

  private mutating func say(at now: Duration) -> BuildUpdate {
    lastSaid = now
    return .lock(holder: holder, waited: total(at: now))
  }
}
