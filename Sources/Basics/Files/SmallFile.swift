import Glibc
package import SystemPackage

/// Reads small files whole, whatever may lie in their place: a pipe that nobody writes to, a device,
/// or more than memory holds is refused without waiting and without reading it.
package enum SmallFile {
  /// Why there is no content.
  package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case notRegular
    case tooLarge(limit: Int)
    case unreadable(Errno)

    package var description: String {
      switch self {
      case .notRegular: "it is no regular file"
      case .tooLarge(let limit): "it is larger than \(limit >> 10) KiB"
      case .unreadable(let error): "\(error)"
      }
    }
  }

  /// All of a file.
  ///
  /// - Parameters:
  ///   - limit: In bytes; a larger file is refused before it is read.
  ///   - followsLink: `false`: a symbolic link in the last place is refused.
  package static func read(
    _ path: FilePath, limit: Int, followsLink: Bool = true
  ) throws(Refusal) -> [UInt8] {
    try withFile(path, followsLink: followsLink) { descriptor, size throws(Refusal) in
      guard size <= limit else { throw .tooLarge(limit: limit) }
      let bytes = try bytes(of: descriptor, limit: limit + 1, expected: size)
      // One that grows, or that tells no size, as the kernel's own.
      guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
      return bytes
    }
  }

  /// A file's first bytes; `nil` where it can't be read.
  package static func start(of path: FilePath, limit: Int) -> [UInt8]? {
    // Callers do without: the content is a detail of a message, or one of several sources.
    try? withFile(path, followsLink: true) { descriptor, size throws(Refusal) in
      try bytes(of: descriptor, limit: limit, expected: min(size, limit))
    }
  }

  /// A file's text, of bytes that are no UTF-8 the replacement character; `nil` where it can't be read.
  package static func text(of path: FilePath, limit: Int) -> String? {
    // As above.
    (try? read(path, limit: limit)).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func withFile<Content>(
    _ path: FilePath, followsLink: Bool,
    _ body: (_ descriptor: Int32, _ size: Int) throws(Refusal) -> Content
  ) throws(Refusal) -> Content {
    // Opening a pipe waits for its writer, a device may wait for anything.
    let options = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLink ? 0 : O_NOFOLLOW)
    let descriptor = path.withPlatformString { open($0, options) }
    guard descriptor >= 0 else { throw .unreadable(Errno(rawValue: errno)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(Errno(rawValue: errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
    return try body(descriptor, Int(status.st_size))
  }

  private static func bytes(
    of descriptor: Int32, limit: Int, expected: Int
  ) throws(Refusal) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(expected)
    while bytes.count < limit {
      var error: Int32 = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
        let read = Glibc.read(
          descriptor, buffer.baseAddress, min(buffer.count, limit - bytes.count))
        if read < 0 { error = errno }
        count = max(read, 0)
      }
      if error == EINTR { continue }
      guard error == 0 else { throw .unreadable(Errno(rawValue: error)) }
      guard !chunk.isEmpty else { break }
      bytes += chunk
    }
    return bytes
  }
}
