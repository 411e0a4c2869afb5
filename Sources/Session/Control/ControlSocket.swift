import Basics
import Glibc
import Synchronization
package import SystemPackage

/// The listening end of the control socket.
///
/// A socket that a dead process left is taken over; one that somebody answers is left alone.
package final class ControlSocket: Sendable {
  /// Why there is no socket.
  package enum Failure: Error, Hashable, CustomStringConvertible {
    /// Another process answers there; its ID, where it can be told.
    case living(FilePath, process: Int32?)
    /// Something that is not ours, or is no socket, is in the way.
    case unsafe(String)
    case system(FilePath, Errno)

    package var description: String {
      switch self {
      case .living(let path, let process):
        "another process\(process.map { " (pid \($0))" } ?? "") answers at \(path)"
      case .unsafe(let text): text
      case .system(let path, let error): "\(path): \(error)"
      }
    }
  }

  package let place: ControlPlace
  /// Listens; whoever serves it closes it.
  let descriptor: Int32
  private let directory: Int32
  /// Tells the socket's file from another of the same name.
  private let identity: Identity
  private let signpost: ControlSignpost?

  private struct Identity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    /// When it was made: the number may be used again.
    var seconds: Int
    var nanoseconds: Int
  }

  private init(
    _ place: ControlPlace, descriptor: Int32, directory: Int32, identity: Identity,
    signpost: ControlSignpost?
  ) {
    self.place = place
    self.descriptor = descriptor
    self.directory = directory
    self.identity = identity
    self.signpost = signpost
  }

  deinit { close(directory) }

  /// Makes the socket, and its directory where it is missing.
  ///
  /// - Parameters:
  ///   - place: Where it is made.
  ///   - other: Where clients look, too: they are led from there.
  ///   - clock: Told of waiting.
  /// - Throws: `Failure`; `CancellationError`.
  package static func listen(
    at place: ControlPlace, signpostAt other: ControlPlace? = nil,
    clock: some Clock<Duration> = ContinuousClock()
  ) async throws -> ControlSocket {
    let directory = try open(place.directory)
    do {
      // One at a time: of two that find a dead socket, one must not remove what the other has just made.
      var tries = 0
      while flock(directory, LOCK_EX | LOCK_NB) != 0 {
        guard errno == EWOULDBLOCK, tries < 500 else {
          throw Failure.system(place.directory, Errno(rawValue: errno))
        }
        tries += 1
        try await clock.pause(for: .milliseconds(10))
      }
      defer { flock(directory, LOCK_UN) }
      return try bind(place, in: directory, signpostAt: other)
    } catch {
      close(directory)
      throw error
    }
  }

  /// Removes the socket's file, if it is still the one that was made.
  package func remove() {
    signpost?.remove()
    guard Self.identity(of: place.name, in: directory) == identity else { return }
    unlinkat(directory, place.name, 0)
  }

  // MARK: The directory

  /// A directory of our user alone, made where it is missing.
  private static func open(_ path: FilePath) throws -> Int32 {
    if mkdir(path.string, 0o700) != 0, errno != EEXIST {
      throw Failure.system(path, Errno(rawValue: errno))
    }
    let directory = Glibc.open(path.string, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else { throw Failure.system(path, Errno(rawValue: errno)) }
    var status = stat()
    guard fstat(directory, &status) == 0, status.st_uid == geteuid() else {
      close(directory)
      throw Failure.unsafe("\(path) belongs to another user")
    }
    if status.st_mode & 0o7777 != 0o700 { fchmod(directory, 0o700) }
    return directory
  }

  // MARK: The socket

  private static func bind(
    _ place: ControlPlace, in directory: Int32, signpostAt other: ControlPlace?
  ) throws -> ControlSocket {
    let socket = try make(place)
    do {
      if UnixAddress.with(place.name, in: directory, { Glibc.bind(socket, $0, $1) }) != 0 {
        guard errno == EADDRINUSE else { throw Failure.system(place.path, Errno(rawValue: errno)) }
        try clear(place, in: directory)
        guard UnixAddress.with(place.name, in: directory, { Glibc.bind(socket, $0, $1) }) == 0
        else { throw Failure.system(place.path, Errno(rawValue: errno)) }
      }
      guard fchmodat(directory, place.name, 0o600, 0) == 0, Glibc.listen(socket, 128) == 0,
        let identity = identity(of: place.name, in: directory)
      else { throw Failure.system(place.path, Errno(rawValue: errno)) }
      return ControlSocket(
        place, descriptor: socket, directory: directory, identity: identity,
        signpost: other.flatMap { $0 == place ? nil : .put(beside: $0, to: place) })
    } catch {
      close(socket)
      throw error
    }
  }

  /// Removes what a dead process has left.
  ///
  /// - Throws: `Failure` where somebody lives there, or it is no socket.
  private static func clear(_ place: ControlPlace, in directory: Int32) throws {
    var status = stat()
    guard fstatat(directory, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw Failure.unsafe("\(place.path) is in the way, and is no socket; remove it")
    }
    let probe = try make(place)
    defer { close(probe) }
    let isRefused =
      UnixAddress.with(place.name, in: directory) { connect(probe, $0, $1) } != 0
      && errno == ECONNREFUSED
    guard isRefused else {
      let process = PeerIdentity.of(probe)?.process ?? 0
      throw Failure.living(place.path, process: process > 0 ? process : nil)
    }
    unlinkat(directory, place.name, 0)
  }

  private static func make(_ place: ControlPlace) throws -> Int32 {
    let type = [SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK].reduce(0) { $0 | $1.rawValue }
    let socket = Glibc.socket(AF_UNIX, Int32(type), 0)
    guard socket >= 0 else { throw Failure.system(place.path, Errno(rawValue: errno)) }
    return socket
  }

  private static func identity(of name: String, in directory: Int32) -> Identity? {
    var status = stat()
    guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    return Identity(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
  }
}
