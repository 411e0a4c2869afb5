import Basics
import Images
import Synchronization
import SystemPackage

/// A file that takes a layer's bytes as they come, hashes them, and takes no more than there should be.
final class IncomingLayer: Sendable {
  private struct State {
    var hash = SHA256()
    var size: Int64 = 0
    var isOpen = true
  }

  private let descriptor: FileDescriptor
  private let size: Int64
  private let state = Mutex(State())

  /// Takes ownership of the descriptor.
  init(_ descriptor: FileDescriptor, size: Int64) {
    self.descriptor = descriptor
    self.size = size
  }

  deinit { close() }

  /// - Throws: `LayerCache.Mismatch`; `Errno`.
  func add(_ bytes: [UInt8]) throws {
    try state.withLock { state in
      state.size += Int64(bytes.count)
      guard state.size <= size else { throw LayerCache.Mismatch() }
      state.hash.update(bytes)
      _ = try descriptor.writeAll(bytes)
    }
  }

  /// Closes the file.
  ///
  /// - Returns: The digest of what came.
  func finish() throws -> Digest {
    try state.withLock { state in
      state.isOpen = false
      try descriptor.close()
      return Digest(finished: state.hash.finalize())
    }
  }

  /// Closes the file, whatever is in it.
  func close() {
    state.withLock { state in
      guard state.isOpen else { return }
      state.isOpen = false
      // It is given up.
      try? descriptor.close()
    }
  }
}

/// Numbers of a process, each given once.
final class Numbers: Sendable {
  private let last = Atomic<Int>(0)

  func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
