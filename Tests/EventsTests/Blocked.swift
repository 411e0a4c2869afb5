import Glibc
import SystemPackage

/// Blocks a thread as a full pipe does, until a test lets it go.
final class Blocked: Sendable {
  private let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)

  init() throws { pipe = try FileDescriptor.pipe(options: .closeOnExec) }

  deinit { try? pipe.readEnd.close() }

  func wait() {
    var byte: UInt8 = 0
    _ = Glibc.read(pipe.readEnd.rawValue, &byte, 1)
  }

  /// Lets one call of `wait` return.
  func step() { _ = try? pipe.writeEnd.writeAll([1]) }

  /// Lets all return, for ever.
  func release() { try? pipe.writeEnd.close() }
}
