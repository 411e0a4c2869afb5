package import SystemPackage

/// A regular file that stays open, and readable as it was, while anything refers to it.
///
/// Bazel unlinks an output before it makes it anew. Whoever holds the descriptor still reads the
/// file that the build reported. Reads carry their offset, so tasks may share one.
package final class ArchiveFile: Sendable {
  /// Where it was opened: for messages only, never opened again.
  package let path: FilePath
  /// In bytes, when it was opened.
  package let size: Int64
  private let descriptor: FileDescriptor

  /// Takes ownership of the descriptor.
  package init(_ descriptor: FileDescriptor, size: Int64, path: FilePath) {
    self.descriptor = descriptor
    self.size = size
    self.path = path
  }

  deinit {
    // Nothing was written through it, so closing has nothing to report.
    try? descriptor.close()
  }

  /// Reads until the buffer is full or the file ends.
  ///
  /// - Returns: How many bytes were read; fewer than asked for only at the file's end.
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = try pread(at: offset + Int64(filled), into: rest)
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Reads up to `count` bytes, all of them unless the file ends.
  package func bytes(at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
    var failure: Errno?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(Errno) {
        filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  private func pread(
    at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Errno) -> Int {
    do {
      return try descriptor.read(fromAbsoluteOffset: offset, into: buffer)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}

/// A stretch of an open file: a layer, a configuration.
package struct Blob: Sendable {
  package let file: ArchiveFile
  package let offset: Int64
  package let size: Int64

  package init(file: ArchiveFile, offset: Int64, size: Int64) {
    self.file = file
    self.offset = offset
    self.size = size
  }
}

extension ArchiveFile {
  /// The kind of file that a path turned out to be.
  package enum Opened {
    case file(ArchiveFile)
    case directory
    /// A device, pipe or socket.
    case other
  }

  package static func open(_ path: FilePath) throws(Errno) -> Opened {
    do throws(Errno) {
      return try openOnce(path)
    } catch .tooManyOpenFiles {
      guard OpenFileLimit.raise() else { throw .tooManyOpenFiles }
      return try openOnce(path)
    }
  }

  private static func openOnce(_ path: FilePath) throws(Errno) -> Opened {
    do {
      // Without O_NONBLOCK, opening a pipe would wait for its writer.
      let descriptor = try FileDescriptor.open(
        path, .readOnly, options: [.closeOnExec, .nonBlocking])
      let stat: Stat
      do {
        stat = try descriptor.stat()
      } catch {
        // The reason that matters is the one in hand.
        try? descriptor.close()
        throw error
      }
      if stat.type == .regular {
        return .file(ArchiveFile(descriptor, size: stat.size, path: path))
      }
      try descriptor.close()
      return stat.type == .directory ? .directory : .other
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}
