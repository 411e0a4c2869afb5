import Glibc
import SystemPackage

/// A directory for a socket of ours, in which nobody else can put one, and which nobody else enters.
///
/// Whoever owns the directory of a socket decides who answers at it: so it is made by us, under a
/// name that nobody guesses, and looked at before anything is put there.
struct SocketDirectory: Hashable, Sendable {
  let path: FilePath

  /// Why a directory is not ours alone.
  struct Unsafe: Error, Hashable, CustomStringConvertible {
    let description: String
  }

  /// - Parameters:
  ///   - name: What it is for, such as `podman`.
  ///   - parent: The first place for sockets of ours that there is.
  init(for name: String, in parent: FilePath) {
    path = parent.appending("watchbuild-\(name)-\(SecureNumber.hexadecimal(bytes: 8))")
  }

  /// Makes it, or sees that it is still the one that was made.
  ///
  /// - Throws: `Errno` when it can't be made; `Unsafe`.
  func make() throws {
    try Self.checkParent(path.removingLastComponent())
    if mkdir(path.string, 0o700) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
    try Self.check(path)
  }

  /// Removes it with its socket.
  func remove(_ socket: FilePath) {
    _ = unlink(socket.string)
    _ = rmdir(path.string)
  }

  /// Where sockets of ours go: `XDG_RUNTIME_DIR`, else the user's own below `/run/user`, where it is
  /// there and ours; else `/tmp`.
  static func parent(environment: [String: String]) -> FilePath {
    let given = environment["XDG_RUNTIME_DIR"].flatMap { $0.isEmpty ? nil : FilePath($0) }
    let usual = FilePath("/run/user/\(geteuid())")
    return [given, usual].compactMap(\.self).first(where: isOurs) ?? "/tmp"
  }

  /// Tells whether a directory is ours, and nobody else's to write to.
  static func isOurs(_ path: FilePath) -> Bool {
    do {
      try check(path, forbidden: 0o022)
      return path.isAbsolute
    } catch {
      return false
    }
  }

  private static func check(_ path: FilePath, forbidden: mode_t = 0o077) throws {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw Unsafe(description: "\(path) is no directory")
    }
    guard status.st_uid == geteuid() else {
      throw Unsafe(description: "\(path) belongs to another user")
    }
    guard status.st_mode & forbidden == 0 else {
      throw Unsafe(description: "\(path) is open to other users")
    }
  }

  /// In a directory where everybody may write, only the sticky bit keeps others from taking ours away.
  private static func checkParent(_ path: FilePath) throws {
    var status = stat()
    guard stat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw Unsafe(description: "\(path) belongs to another user")
    }
    guard status.st_mode & 0o022 == 0 || status.st_mode & mode_t(S_ISVTX) != 0 else {
      throw Unsafe(description: "in \(path) others may take away what is ours")
    }
  }
}
