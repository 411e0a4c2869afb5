extension Event {
  /// Another command holds Bazel's lock; told when noticed, each second, and at the end.
  package struct LockAwaited: EventFields {
    package static let type = "lock"

    package struct Holder: Sendable, Encodable {
      /// The process.
      package var pid: Int
      /// Its command line, where it can be read.
      package var command: String?

      package init(pid: Int, command: String? = nil) {
        self.pid = pid
        self.command = command
      }
    }

    /// Who holds it, where it is known.
    package var holder: Holder?
    /// For so long already.
    package var waitedMs: Int

    package init(holder: Holder? = nil, waitedMs: Int) {
      self.holder = holder
      self.waitedMs = waitedMs
    }
  }
}
