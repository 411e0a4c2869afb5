import Glibc
import SystemPackage

/// Standard output or standard error, written whole or not at all.
///
/// Writing to a pipe whose reader has gone raises SIGPIPE, which `main` ignores, so that it is an
/// error here like any other.
struct OutputStream: Sendable {
  static let standardOutput = OutputStream(descriptor: .standardOutput)
  static let standardError = OutputStream(descriptor: .standardError)

  var descriptor: FileDescriptor

  /// - Throws: `OutputClosed` when nobody reads any more or the disk is full.
  func write(_ bytes: [UInt8]) throws(OutputClosed) {
    var written = 0
    while written < bytes.count {
      do {
        written += try bytes.withUnsafeBytes { buffer in
          try descriptor.write(UnsafeRawBufferPointer(rebasing: buffer[written...]))
        }
      } catch Errno.resourceTemporarilyUnavailable {
        // Another program made our terminal or pipe non-blocking; it is shared with us.
        var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waiting, 1, 1000)
      } catch {
        throw OutputClosed(reason: "\(error)")
      }
    }
  }

  func write(lines: [String]) throws(OutputClosed) {
    guard !lines.isEmpty else { return }
    try write(Array((lines.joined(separator: "\n") + "\n").utf8))
  }
}

/// Nobody reads what is written any more.
struct OutputClosed: Error, CustomStringConvertible {
  var reason: String
  var description: String { "the output was closed: \(reason)" }
}
