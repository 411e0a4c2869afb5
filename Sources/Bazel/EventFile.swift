import Basics
import Glibc
import SystemPackage

/// The file that Bazel's server writes a build's events to, read by us while it grows.
///
/// A regular file of our own: the server opens the path in its own process, so that `/dev/fd/N`
/// would be one of its files, and a pipe that nobody reads would stop it.
struct EventFile: Sendable {
  private let directory: OpenDirectory
  private let descriptor: FileDescriptor
  private var offset: Int64 = 0
  /// The file's beginning, which names the run of the command: it is begun anew in place when
  /// Bazel runs the command again, and may have grown past `offset` before we look.
  private var head: [UInt8] = []
  /// Kept, because most reads find nothing new.
  private var buffer = [UInt8](repeating: 0, count: 256 << 10)

  /// One build at a time in one process, but `build` may run beside `dev`.
  static var ownName: String { "build-events-\(getpid()).json" }

  /// Makes the file anew; what is left of an earlier build is removed.
  ///
  /// - Throws: `BazelError` when the directory can't be made or written.
  init(in scratch: PrivateDirectory) throws {
    do {
      directory = try scratch.open()
      Self.removeStale(in: directory)
      directory.remove(Self.ownName)
      descriptor = try directory.open(
        Self.ownName, .readOnly, options: [.create, .exclusiveCreate])
    } catch {
      throw BazelError(cannotWrite: scratch.path.appending(Self.ownName), error)
    }
  }

  /// Removes what processes left in a directory that ended without doing so themselves.
  static func removeStale(in directory: OpenDirectory) {
    for name in directory.names {
      let kinds = ["build-events-", "build-profile-"]
      guard let kind = kinds.first(where: name.hasPrefix), name.hasSuffix(".json"),
        let process = Int32(name.dropFirst(kind.count).dropLast(5)), kill(process, 0) != 0,
        errno == ESRCH
      else { continue }
      directory.remove(name)
    }
  }

  enum Reading: Equatable {
    /// Bytes that have been added, at most 256 KiB; empty when there are none.
    case more(ArraySlice<UInt8>)
    /// The file was cut and begun anew: it is read from its start from now on.
    case restarted
  }

  /// Reads the bytes that were added since the last call.
  mutating func readMore() -> Reading {
    let bytes = read(from: offset)
    if bytes.isEmpty {
      guard isShorter else { return .more([]) }
      (offset, head) = (0, [])
      return .restarted
    }
    if offset < Self.headLength {
      // While the head itself is being read the file may be begun anew as well.
      guard beginsWith(head) else { return restart() }
      head += bytes.prefix(Self.headLength - Int(offset))
    } else if !beginsWith(head) {
      return restart()
    }
    offset += Int64(bytes.count)
    return .more(bytes)
  }

  /// The first event's ID lies within: it stands behind the patterns that were asked for.
  private static let headLength = 64 << 10

  private mutating func restart() -> Reading {
    (offset, head) = (0, [])
    return .restarted
  }

  private var isShorter: Bool {
    var status = stat()
    return fstat(descriptor.rawValue, &status) == 0 && status.st_size < offset
  }

  private func beginsWith(_ head: [UInt8]) -> Bool {
    guard !head.isEmpty else { return true }
    let now = [UInt8](unsafeUninitializedCapacity: head.count) { buffer, count in
      // What can't be read is no new beginning.
      count =
        (try? descriptor.read(
          fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    return now == head
  }

  private mutating func read(from offset: Int64) -> ArraySlice<UInt8> {
    let count = buffer.withUnsafeMutableBytes { buffer in
      // A regular file that can't be read has no more for us; the build's end settles what is open.
      (try? descriptor.read(fromAbsoluteOffset: offset, into: buffer)) ?? 0
    }
    return buffer.prefix(count)
  }

  /// Closes and removes the file.
  func remove() {
    // Nothing was written through this descriptor that closing it could lose.
    try? descriptor.close()
    directory.remove(Self.ownName)
  }
}
