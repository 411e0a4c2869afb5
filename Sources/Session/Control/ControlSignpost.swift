import Glibc
package import SystemPackage

/// Leads clients to a socket that lies elsewhere: those that have another `XDG_RUNTIME_DIR` than `dev`, or none, as
/// a cron job or a coding agent's shell has. It is a file in the state directory with the socket's path.
struct ControlSignpost: Hashable, Sendable {
  private let file: FilePath
  private let target: ControlPlace

  /// A path of the system, and a newline.
  private static let limit = Int(PATH_MAX) + 1

  private static func file(beside place: ControlPlace) -> FilePath {
    place.directory.appending("\(place.name).path")
  }

  /// Puts it up, in place of one that another run has left.
  ///
  /// - Parameters:
  ///   - place: Where clients look; its directory is made if it is missing.
  ///   - target: The socket.
  /// - Returns: `nil` where it can't be put up: the socket serves all the same.
  static func put(beside place: ControlPlace, to target: ControlPlace) -> ControlSignpost? {
    guard mkdir(place.directory.string, 0o700) == 0 || errno == EEXIST else { return nil }
    let file = file(beside: place)
    let text = Array("\(target.path)\n".utf8)
    let beside = "\(file).new"
    unlink(beside)
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    let isWritten = write(descriptor, text, text.count) == text.count
    close(descriptor)
    guard isWritten, rename(beside, file.string) == 0 else {
      unlink(beside)
      return nil
    }
    return ControlSignpost(file: file, target: target)
  }

  /// - Returns: Where the signpost at a place leads; `nil`: there is none of our user's.
  static func read(beside place: ControlPlace) -> ControlPlace? {
    let descriptor = open(file(beside: place).string, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o022 == 0
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count > 1, bytes[count - 1] == 10 else { return nil }
    let path = FilePath(String(decoding: bytes[..<(count - 1)], as: UTF8.self))
    guard path.isAbsolute, let name = path.lastComponent else { return nil }
    return ControlPlace(directory: path.removingLastComponent(), name: name.string)
  }

  /// Takes it down, if it still leads there.
  func remove() {
    let place = ControlPlace(
      directory: file.removingLastComponent(),
      name: String((file.lastComponent?.string ?? "").dropLast(".path".count)))
    guard Self.read(beside: place) == target else { return }
    unlink(file.string)
  }
}

extension ControlPlace {
  /// Where a client looks: the places of its own environment, and the one that a `dev` with another has told.
  ///
  /// - Parameters: As for `places`.
  package static func reachable(
    for workspace: FilePath, state: FilePath, environment: [String: String]
  ) -> [ControlPlace] {
    let places = places(for: workspace, state: state, environment: environment)
    return places + [places.last.flatMap(ControlSignpost.read)].compactMap(\.self)
  }
}
