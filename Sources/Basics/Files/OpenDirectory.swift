package import Glibc
package import SystemPackage

/// A directory that was checked when it was opened, and stays the same one whatever happens to its path.
///
/// Names are one file each, without slashes. No symbolic link is followed, and a file that belongs
/// to another user, or that has another name elsewhere, is refused.
package final class OpenDirectory: Sendable {
  /// Where it was opened: for messages, and for programs that are given a path.
  package let path: FilePath
  private let descriptor: FileDescriptor
  /// Nobody else gets into it, so that what is in it can't have been changed by others, whatever
  /// its permissions.
  private let isClosed: Bool

  private init(_ descriptor: Int32, path: FilePath, isClosed: Bool) throws {
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    self.descriptor = FileDescriptor(rawValue: descriptor)
    self.path = path
    self.isClosed = isClosed
  }

  deinit {
    // Nothing was written through it, so closing has nothing to report.
    try? descriptor.close()
  }

  /// A directory of whomsoever, links followed.
  package convenience init(anybodys path: FilePath) throws {
    try self.init(
      Glibc.open(path.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path: path, isClosed: false)
  }

  // MARK: Directories

  /// A directory in this one that is ours alone.
  ///
  /// - Parameters:
  ///   - isMaking: It is made where it is missing.
  ///   - isTightening: Where only its own permissions would let others write, who can't get here,
  ///     they are taken away. A generous umask gives such permissions.
  /// - Throws: `UntrustedFile`; `Errno`.
  package func directory(
    _ name: String, isMaking: Bool, isTightening: Bool = true
  ) throws -> OpenDirectory {
    if isMaking, mkdirat(descriptor.rawValue, name, 0o700) != 0, errno != EEXIST {
      // What is there tells more than why nothing can be made beside it.
      let error = Errno(rawValue: errno)
      guard try status(of: name) != nil else { throw error }
    }
    // Looked at before it is opened: one of another user can't be.
    guard let found = try status(of: name) else { throw Errno.noSuchFileOrDirectory }
    let isTightened = isTightening && isClosed && found.isWritableByOthers
    try check(found, name, .directory(anyMode: isTightened))
    let opened = try OpenDirectory(
      openat(descriptor.rawValue, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
      path: path.appending(name), isClosed: isClosed || found.st_mode & 0o077 == 0)
    let file = opened.descriptor.rawValue
    if isTightened, fchmod(file, found.st_mode & 0o755) != 0 { throw Errno(rawValue: errno) }
    // It may be another one by now.
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Errno(rawValue: errno) }
    try check(status, name, .directory(anyMode: false))
    return opened
  }

  /// Looks at everything in it, so many levels deep.
  ///
  /// - Throws: `UntrustedFile`; `Errno`.
  package func inspect(levels: Int) throws {
    for name in names {
      // What has just been removed is no danger.
      guard let found = try status(of: name) else { continue }
      if found.st_mode & S_IFMT == S_IFDIR {
        let below = try directory(name, isMaking: false)
        if levels > 1 { try below.inspect(levels: levels - 1) }
      } else if found.st_mode & S_IFMT != S_IFSOCK {
        try check(found, name, .file(isWritten: false))
      }
    }
  }

  /// The names in it, without `.` and `..`; none where it can't be read.
  package var names: [String] {
    var names: [String] = []
    DirectoryEntries.forEach(in: descriptor) { name, _ in names.append(String(cString: name)) }
    return names
  }

  // MARK: Files

  /// - Returns: The first bytes of a file; `nil` when there is none.
  /// - Throws: `UntrustedFile`; `Errno`.
  package func start(of name: String, count: Int) throws -> [UInt8]? {
    try withFile(name) { try Self.bytes(of: $0, count: count) }
  }

  /// - Returns: What a file holds; `nil` when there is none.
  /// - Throws: `UntrustedFile`; `Errno`, `.fileTooLarge` when there is more than `limit` bytes.
  package func read(_ name: String, limit: Int) throws -> [UInt8]? {
    try withFile(name) { file in
      let size = Int(try file.stat().size)
      guard size <= limit else { throw Errno.fileTooLarge }
      return try Self.bytes(of: file, count: size)
    }
  }

  private func withFile<Content>(
    _ name: String, _ body: (FileDescriptor) throws -> Content
  ) throws -> Content? {
    let file: FileDescriptor
    do {
      file = try open(name, .readOnly)
    } catch Errno.noSuchFileOrDirectory {
      return nil
    }
    return try file.closeAfter { try body(file) }
  }

  private static func bytes(of file: FileDescriptor, count size: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
        let read = try file.read(into: UnsafeMutableRawBufferPointer(rest))
        if read == 0 { break }
        count += read
      }
    }
  }

  /// Opens a file of ours; with `.create` it is made, for its owner alone.
  ///
  /// - Throws: `UntrustedFile`; `Errno`.
  package func open(
    _ name: String, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = []
  ) throws -> FileDescriptor {
    // Without O_NONBLOCK, opening a pipe would wait for its other end.
    let kind = Kind.file(isWritten: mode != .readOnly)
    let flags = mode.rawValue | options.rawValue | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
    let opened = openat(descriptor.rawValue, name, flags, 0o600)
    guard opened >= 0 else {
      let error = Errno(rawValue: errno)
      // A link, or what another user lets nobody open: say so rather than how the kernel put it.
      if let found = try status(of: name) { try check(found, name, kind) }
      throw error
    }
    let file = FileDescriptor(rawValue: opened)
    do {
      var status = stat()
      guard fstat(opened, &status) == 0 else { throw Errno(rawValue: errno) }
      try check(status, name, kind)
    } catch {
      // The reason that matters is the one in hand.
      try? file.close()
      throw error
    }
    return file
  }

  /// Writes a file anew, in one step: whoever reads it finds the old one or the new one.
  ///
  /// - Throws: `Errno`.
  package func replace(_ name: String, with bytes: some Sequence<UInt8>) throws {
    try FileReplacement.write(in: self, permissions: .ownerReadWrite) { file in
      _ = try file.writeAll(bytes)
      return name
    }
  }

  /// - Returns: A new file; `nil` where there is one of the name.
  package func create(_ name: String, _ permissions: FilePermissions) throws -> FileDescriptor? {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let file = openat(descriptor.rawValue, name, flags, permissions.rawValue)
    if file >= 0 { return FileDescriptor(rawValue: file) }
    guard errno == EEXIST else { throw Errno(rawValue: errno) }
    return nil
  }

  /// - Parameter name: Below this directory; a file that has it goes.
  package func rename(_ file: String, to name: String) throws {
    guard renameat(descriptor.rawValue, file, descriptor.rawValue, name) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  /// Moves a file here; where one of its name is, that one goes.
  ///
  /// - Throws: `Errno`.
  package func move(_ file: FilePath, to name: String) throws {
    guard renameat(AT_FDCWD, file.string, descriptor.rawValue, name) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  /// Removes a file or an empty directory. What can't be removed stays.
  package func remove(_ name: String) {
    guard unlinkat(descriptor.rawValue, name, 0) != 0, errno == EISDIR else { return }
    unlinkat(descriptor.rawValue, name, AT_REMOVEDIR)
  }

  /// The type of the file there, a link itself; `nil` when nothing lies there.
  package func status(of name: String) throws -> stat? {
    var status = stat()
    if fstatat(descriptor.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    guard errno == ENOENT else { throw Errno(rawValue: errno) }
    return nil
  }

  /// Takes the lock of the directory itself, without waiting.
  ///
  /// - Returns: `false` when another process or task holds it.
  func lock() throws -> Bool {
    if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK || errno == EINTR else { throw Errno(rawValue: errno) }
    return false
  }

  // MARK: Trust

  private enum Kind {
    case directory(anyMode: Bool)
    case file(isWritten: Bool)
  }

  private func check(_ status: stat, _ name: String, _ kind: Kind) throws {
    func refuse(_ reason: UntrustedFile.Reason) throws {
      throw UntrustedFile(path: path.appending(name), reason: reason)
    }
    let type = status.st_mode & S_IFMT
    if type == S_IFLNK { try refuse(.symbolicLink) }
    if status.st_uid != geteuid() { try refuse(.owner(status.st_uid)) }
    switch kind {
    case .directory(let anyMode):
      guard type == S_IFDIR else { throw Errno.notDirectory }
      if !anyMode, status.isWritableByOthers { try refuse(.writable(status.st_mode & 0o7777)) }
    case .file(let isWritten):
      if type != S_IFREG { try refuse(.notAFile) }
      if !isClosed, status.isWritableByOthers { try refuse(.writable(status.st_mode & 0o7777)) }
      // What is written would stand there too.
      if isWritten, status.st_nlink > 1 { try refuse(.hardLink) }
    }
  }
}

extension stat {
  fileprivate var isWritableByOthers: Bool { st_mode & 0o022 != 0 }
}
