extension Event {
  /// What is being done; told at most once a second while something runs.
  package struct Activity: EventFields {
    package static let type = "activity"

    package enum Phase: String, Sendable, Encodable {
      case start, query, lock, build, load, rollout
    }

    package struct Running: Sendable, Encodable {
      /// In words: an action and its target, or an image and its runtime.
      package var what: String
      /// For so long already.
      package var ms: Int

      package init(what: String, ms: Int) {
        self.what = what
        self.ms = ms
      }
    }

    /// What the loop is at.
    package var phase: Phase
    /// How many actions, or images, of `total` are done.
    package var done: Int
    /// How many there are, as far as is known: 0 before that.
    package var total: Int
    /// What runs now, the longest first; at most 10.
    package var running: [Running]
    /// Saved paths that wait for the next batch; at most 10.
    package var queued: [String]
    /// Since the cycle, or what runs outside one, began.
    package var elapsedMs: Int
    /// How long the latest cycles of this kind took, by their median; left out before there was one.
    package var usualMs: Int?

    package init(
      phase: Phase, done: Int, total: Int, running: [Running], queued: [String], elapsedMs: Int,
      usualMs: Int? = nil
    ) {
      self.phase = phase
      self.done = done
      self.total = total
      self.running = running
      self.queued = queued
      self.elapsedMs = elapsedMs
      self.usualMs = usualMs
    }
  }
}
