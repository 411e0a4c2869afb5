import Glibc
package import SystemPackage

/// A directory of our user alone, below one that may be shared, as `/tmp` is.
///
/// It is checked each time it is opened, with every directory on the way from `base`: what another
/// user has planted there, or could change, is refused and never followed. Where it is missing it
/// is made, so that whoever works in it also survives its removal. Files in it are reached through
/// the open directory.
package struct PrivateDirectory: Hashable, Sendable {
  /// Made where it is missing, and not checked.
  package let base: FilePath
  /// From `base` downwards.
  package let names: [String]

  /// - Parameters:
  ///   - base: A directory that may belong to anybody.
  ///   - names: One directory each, without slashes; at least one.
  package init(below base: FilePath, _ names: String...) {
    self.init(base: base, names: names)
  }

  private init(base: FilePath, names: [String]) {
    self.base = base
    self.names = names
  }

  package var path: FilePath { names.reduce(base) { $0.appending($1) } }

  package func appending(_ name: String) -> PrivateDirectory {
    PrivateDirectory(base: base, names: names + [name])
  }

  /// Opens it, and makes what is missing of it.
  ///
  /// - Throws: `UntrustedFile`; `Errno`.
  package func open() throws -> OpenDirectory {
    try Self.make(base)
    return try walk(isMaking: true)
  }

  /// Opens it where it is there.
  ///
  /// - Returns: `nil` where it is not.
  /// - Throws: `UntrustedFile`; `Errno`.
  package func openExisting() throws -> OpenDirectory? {
    do {
      return try walk(isMaking: false)
    } catch Errno.noSuchFileOrDirectory {
      return nil
    }
  }

  private func walk(isMaking: Bool) throws -> OpenDirectory {
    var directory = try OpenDirectory(anybodys: base)
    for name in names {
      directory = try directory.directory(name, isMaking: isMaking, isTightening: false)
    }
    return directory
  }

  /// Makes a directory and those above it, for their owner alone.
  private static func make(_ path: FilePath) throws {
    guard mkdir(path.string, 0o700) != 0, errno != EEXIST else { return }
    let error = Errno(rawValue: errno)
    let parent = path.removingLastComponent()
    guard error == .noSuchFileOrDirectory, !parent.isEmpty, parent != path else { throw error }
    try make(parent)
    if mkdir(path.string, 0o700) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
  }
}

/// Something that another user made, or may change.
package struct UntrustedFile: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    case symbolicLink
    /// It has other names, which may be anywhere.
    case hardLink
    case notAFile
    case owner(UInt32)
    /// The permissions let others write.
    case writable(UInt32)
  }

  package var path: FilePath
  package var reason: Reason

  package init(path: FilePath, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  package var description: String {
    switch reason {
    case .symbolicLink: "\(path) is a symbolic link"
    case .hardLink: "\(path) has another name elsewhere"
    case .notAFile: "\(path) is no regular file"
    case .owner(let user): "\(path) belongs to another user (uid \(user), we are \(geteuid()))"
    case .writable(let mode): "\(path) may be written by others (mode \(String(mode, radix: 8)))"
    }
  }
}
