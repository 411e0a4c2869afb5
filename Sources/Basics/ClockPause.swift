extension Clock where Duration == Swift.Duration {
  /// Waits for a time, or until the task is cancelled.
  ///
  /// In place of the standard library's `sleep(for:)`, which is compiled into its caller and which
  /// Swift 6.2 and 6.3 compile so that a cancelled sleep may corrupt the task's memory
  /// (swiftlang/swift#86204). `sleep(until:tolerance:)` is not.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first.
  package func pause(for duration: Duration) async throws {
    try await sleep(until: now.advanced(by: duration), tolerance: nil)
  }
}
