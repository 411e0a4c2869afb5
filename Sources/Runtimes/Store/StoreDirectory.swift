import Basics
import Glibc
import Images
import SystemPackage

/// The files of an image layout on disk: every one appears whole, or not at all.
///
/// Nothing is flushed to the disk itself: what a power failure takes is seen by its size at the next
/// load, and written again from the build's output.
struct StoreDirectory {
  let path: FilePath

  /// Creates the layout, or accepts one that is there.
  ///
  /// - Throws: `StoreError.occupied` when the directory holds something else.
  func prepare() async throws {
    try createDirectories(path)
    // The file that says what the directory is comes first, and only one process writes it.
    if try size(of: path.appending(OCILayout.layoutName)) == nil {
      try await locked {
        if try size(of: path.appending(OCILayout.layoutName)) != nil { return }
        if try !isEmpty() { throw StoreError.occupied }
        try replace(OCILayout.layoutName, with: OCILayout.layout)
      }
    }
    try createDirectories(path.appending("blobs/sha256"))
  }

  func contains(_ digest: Digest, size: Int64) throws -> Bool {
    try self.size(of: path.appending(OCILayout.blobName(digest))) == size
  }

  /// - Returns: `nil` when there is no such file.
  func read(_ name: String) throws -> [UInt8]? {
    do throws(Errno) {
      guard case .file(let file) = try ArchiveFile.open(path.appending(name)) else {
        throw .isDirectory
      }
      guard file.size <= ArchiveMembers.jsonLimit else { throw .fileTooLarge }
      return try file.bytes(at: 0, count: Int(file.size))
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  /// Writes small content under a fixed name or as a blob.
  func replace(_ name: String, with bytes: [UInt8]) throws {
    try write { descriptor in
      _ = try descriptor.writeAll(bytes)
      return name
    }
  }

  /// Copies a blob in, hashing what is written.
  ///
  /// - Parameter unpacked: The digest of what gzip'ed content unpacks to.
  /// - Returns: The digest, which is the blob's name from now on.
  /// - Throws: `StoreError.digest` before the blob has a name, when it is not the one expected;
  ///   `ImageArchiveError` when it does not unpack to what it should.
  func add(_ blob: Blob, expecting expected: Digest?, unpacked: Digest? = nil) throws -> Digest {
    var digest: Digest?
    let content = unpacked.map { _ in UnpackedDigest() }
    try write { descriptor in
      var hash = SHA256()
      try blob.read { chunk in
        try Task.checkCancellation()
        hash.update(chunk)
        do {
          try content?.add(chunk)
        } catch {
          throw blob.unpacksToOther(unpacked ?? Digest(of: []), nil)
        }
        try descriptor.writeAll(chunk)
      }
      let actual = Digest(finished: hash.finalize())
      if let expected, expected != actual {
        throw StoreError.digest(expected: expected, actual: actual)
      }
      if let unpacked {
        // Content that ends too early has no digest.
        let found = try? content?.finish()
        guard found == unpacked else { throw blob.unpacksToOther(unpacked, found) }
      }
      digest = actual
      return OCILayout.blobName(actual)
    }
    guard let digest else { preconditionFailure("a blob was written without a digest") }
    return digest
  }

  /// Removes a blob, which need not be there.
  func remove(_ digest: Digest) throws {
    let result = unlink(path.appending(OCILayout.blobName(digest)).string)
    if result != 0, errno != ENOENT { throw Errno(rawValue: errno) }
  }

  /// Runs `body` while no other process, and no other task, runs its own here.
  ///
  /// - Throws: `LockTimeout` when another one does so all the time; what `body` throws.
  func locked<Value>(_ body: () throws -> Value) async throws -> Value {
    try await DirectoryLock.locked(OpenDirectory(anybodys: path)) { _ in try body() }
  }

  /// Writes a file and gives it the name that `body` returns, in one step.
  private func write(_ body: (FileDescriptor) throws -> String) throws {
    try FileReplacement.write(
      in: OpenDirectory(anybodys: path),
      permissions: [.ownerReadWrite, .groupRead, .otherRead], body)
  }

  private func size(of path: FilePath) throws -> Int64? {
    do {
      let stat = try path.stat()
      return stat.type == .regular ? stat.size : nil
    } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
      return nil
    }
  }

  private func isEmpty() throws -> Bool {
    guard let stream = opendir(path.string) else {
      let error = Errno(rawValue: errno)
      if error == .noSuchFileOrDirectory { return true }
      throw error
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      // In place: an entry is as long as its name, and a copy of all 256 bytes would read past the
      // last one of the listing.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(FileReplacement.prefix), name != ".", name != ".." { return false }
    }
    return true
  }

  private func createDirectories(_ path: FilePath) throws {
    if mkdir(path.string, 0o777) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, !path.removingLastComponent().isEmpty else {
      throw Errno(rawValue: errno)
    }
    try createDirectories(path.removingLastComponent())
    // Another process may have made it meanwhile.
    if mkdir(path.string, 0o777) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
  }
}

/// Why an image layout can't take an image.
enum StoreError: Error, Hashable {
  /// The directory is neither empty nor an image layout.
  case occupied
  case damagedIndex(String)
  /// Blobs went away while others were written, again and again.
  case disturbed
  case digest(expected: Digest, actual: Digest)
}
