import SystemPackage

/// A lock on a directory, held by one process and one task at a time: it leaves no file behind and no
/// stale state.
///
/// Any process that may read the directory can hold it, so it is not waited for without end.
package enum DirectoryLock {
  /// Longer than any work under it takes.
  private static let patience = 10_000

  /// - Parameters:
  ///   - directory: Closed with the last reference, which gives up the lock.
  ///   - clock: Between tries.
  ///   - body: What to do under the lock.
  /// - Throws: `LockTimeout` when another holds it all the time; `CancellationError`; what `body`
  ///   throws.
  package static func locked<Value>(
    _ directory: OpenDirectory, clock: some Clock<Duration> = ContinuousClock(),
    _ body: (OpenDirectory) throws -> Value
  ) async throws -> Value {
    var waited = 0
    var pause = 1
    while try !directory.lock() {
      guard waited < patience else { throw LockTimeout(path: directory.path) }
      // Not by waiting in the kernel: no thread could do anything else, nor could Ctrl-C end it.
      try await clock.pause(for: .milliseconds(pause))
      waited += pause
      pause = min(pause * 2, 50)
    }
    return try body(directory)
  }
}

/// Another process holds a lock for longer than any work of ours takes.
package struct LockTimeout: Error, Hashable, CustomStringConvertible {
  var path: FilePath

  package var description: String {
    "another process has held the lock of \(path) for 10 s; 'fuser -v \(path)' names it"
  }
}
