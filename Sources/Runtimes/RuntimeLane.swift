import Basics
import Glibc
import Images
import SystemPackage

/// Keeps what is removed from a runtime apart from what is loaded into it: any number of loads at
/// once, or one removal, of all processes that share a state directory.
///
/// A removal that looked whether an image is needed, and a load that saw it there, would each be
/// right, and the image gone.
package struct RuntimeLane: Sendable {
  /// So often a load asks for its turn: for half a minute.
  private static let patience = 1500

  private let path: FilePath
  private let clock: any Clock<Duration>

  init(_ runtime: String, in directory: FilePath, clock: any Clock<Duration> = ContinuousClock()) {
    path = directory.appending("lane-\(Digest(of: runtime.utf8).hexadecimal.prefix(16))")
    self.clock = clock
  }

  /// Runs a load.
  ///
  /// - Throws: What `load` throws; `CancellationError`.
  package func sharing<Value>(_ load: () async throws -> Value) async throws -> Value {
    try await locked(LOCK_SH, load)
  }

  /// Runs a removal, when no load is under way.
  ///
  /// - Throws: What `removal` throws; `CancellationError`.
  func alone<Value>(_ removal: () async throws -> Value) async throws -> Value {
    try await locked(LOCK_EX, removal)
  }

  private func locked<Value>(
    _ operation: Int32, _ body: () async throws -> Value
  ) async throws -> Value {
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor.open(
        path, .readOnly, options: [.create, .closeOnExec, .noFollow],
        permissions: .ownerReadWrite)
    } catch {
      // The state directory is gone, or full: what is loaded matters more than what is removed.
      if operation == LOCK_SH { return try await body() }
      throw error
    }
    do {
      var tries = 0
      while flock(descriptor.rawValue, operation | LOCK_NB) != 0 {
        guard errno == EWOULDBLOCK || errno == EINTR else { throw Errno(rawValue: errno) }
        tries += 1
        // A removal that hangs keeps nobody's image out.
        if operation == LOCK_SH, tries > Self.patience { break }
        // A poll: waiting in the call itself would hold a thread.
        try await clock.pause(for: .milliseconds(20))
      }
      let value = try await body()
      // Closing is the end of the lock, and has nothing to report.
      try? descriptor.close()
      return value
    } catch {
      try? descriptor.close()
      throw error
    }
  }
}
