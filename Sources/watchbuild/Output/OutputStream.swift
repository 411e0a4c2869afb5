import Basics
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

  /// Opens `/dev/null` for those of the three standard descriptors that we were started without.
  ///
  /// Else the next file or socket that we open would get that number, and our lines.
  static func reserveStandardDescriptors() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is the one that is missing. It must not close.
      _ = open("/dev/null", O_RDWR)
    }
  }

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
        throw OutputClosed(reason: error as? Errno ?? .ioError)
      }
    }
  }

  /// Writes JSON and a newline, with nothing in it that a terminal would act on.
  ///
  /// - Throws: `OutputClosed`.
  func write(json bytes: some Sequence<UInt8>) throws(OutputClosed) {
    try write(UnsafeText.escaped(json: Array(bytes)) + [UInt8(ascii: "\n")])
  }

  /// Writes a last message, for which it does not wait without end: nobody may be reading.
  func write(last text: String, newline: Bool = true) {
    var rest = Array((text + (newline ? "\n" : "")).utf8)[...]
    while !rest.isEmpty {
      var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
      guard poll(&waiting, 1, 2000) == 1 else { return }
      // So many bytes fit into a pipe that can be written to at all; source: pipe(7).
      let count = rest.prefix(Int(PIPE_BUF)).withUnsafeBytes {
        Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count)
      }
      // Where the message itself can't be written there is nobody left to tell.
      guard count > 0 || errno == EAGAIN || errno == EINTR else { return }
      rest = rest.dropFirst(max(count, 0))
    }
  }

  func write(lines: [String]) throws(OutputClosed) {
    guard !lines.isEmpty else { return }
    try write(Array((lines.joined(separator: "\n") + "\n").utf8))
  }
}

/// Nothing more can be written.
struct OutputClosed: Error, Equatable, CustomStringConvertible {
  var reason: Errno

  var description: String { "\(reason)" }

  /// The reader had enough, as `head` has.
  var isReaderGone: Bool { reason == .brokenPipe }
}
