import Glibc
import SystemPackage

/// A tar that is compressed as a whole: unpacked beside the build, so that its layers can be read one by one.
enum CompressedArchive {
  /// More than any image; bounds what a hostile archive fills the disk with. In bytes.
  static let limit: Int64 = 32 << 30

  /// Unpacks gzip into a file that has no name, and is gone when nobody reads it any more.
  ///
  /// - Parameter limit: The largest size accepted, in bytes.
  /// - Throws: `ImageArchiveError`.
  static func unpacked(
    _ file: ArchiveFile, limit: Int64 = limit
  ) throws(ImageArchiveError) -> ArchiveFile {
    do {
      let descriptor = try namelessFile()
      do {
        let size = try unpack(file, into: descriptor, limit: limit)
        return ArchiveFile(descriptor, size: size, path: file.path)
      } catch {
        // The reason that matters is the one in hand.
        try? descriptor.close()
        throw error
      }
    } catch let error as ImageArchiveError {
      throw error
    } catch is Inflation.Damaged {
      throw ImageArchiveError(path: file.path, reason: .damaged("gzip"))
    } catch {
      throw ImageArchiveError(path: file.path, reason: .noSpace(error as? Errno ?? .ioError))
    }
  }

  private static func unpack(
    _ file: ArchiveFile, into descriptor: FileDescriptor, limit: Int64
  ) throws -> Int64 {
    let inflation = Inflation()
    let blob = Blob(file: file, offset: 0, size: file.size)
    var position: Int64 = 0
    var size: Int64 = 0
    while position < blob.size {
      let count = Int(min(Int64(ImageStream.chunkSize), blob.size - position))
      try inflation.add(try blob.read(at: position, count: count)) { chunk in
        size += Int64(chunk.count)
        guard size <= limit else {
          throw ImageArchiveError(path: file.path, reason: .tooLarge(size, limit: limit))
        }
        _ = try descriptor.writeAll(chunk)
      }
      position += Int64(count)
    }
    guard inflation.isComplete else { throw Inflation.Damaged() }
    return size
  }

  /// In `TMPDIR`, else `/var/tmp`: `/tmp` may lie in memory.
  private static func namelessFile() throws -> FileDescriptor {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let number = String(UInt64.random(in: 0 ... .max), radix: 36)
    let path = FilePath(directory.isEmpty ? "/var/tmp" : directory)
      .appending(".watchbuild-\(getpid())-\(number)")
    // Nobody else's file: it must not be there before.
    let descriptor = try FileDescriptor.open(
      path, .readWrite, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
      permissions: .ownerReadWrite)
    unlink(path.string)
    return descriptor
  }
}
