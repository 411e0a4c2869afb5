package import Basics
import Glibc
import Images
import SystemPackage

/// Layers that were fetched from registries, in files named by their digest, the least used of which go
/// when there are too many.
package struct LayerCache: Sendable {
  private let directory: PrivateDirectory
  /// The size of all files together, in bytes.
  private let limit: Int64

  /// - Parameter directory: Made when the first layer is fetched.
  package init(in directory: PrivateDirectory, limit: Int64 = 10 << 30) {
    self.directory = directory
    self.limit = limit
  }

  /// A layer that was fetched before.
  ///
  /// - Returns: `nil` when it is not there, or is not what it should be.
  func blob(_ digest: Digest, size: Int64) async throws -> Blob? {
    guard let directory = try directory.openExisting() else { return nil }
    let name = String(digest.hexadecimal)
    let descriptor: FileDescriptor
    do {
      descriptor = try directory.open(name, .readOnly)
    } catch Errno.noSuchFileOrDirectory {
      return nil
    }
    let file = ArchiveFile(
      descriptor, size: try descriptor.stat().size, path: directory.path.appending(name))
    let blob = Blob(file: file, offset: 0, size: file.size)
    guard file.size == size, try await blob.digest() == digest else {
      directory.remove(name)
      return nil
    }
    // It has been used just now.
    futimens(descriptor.rawValue, nil)
    return blob
  }

  /// Takes a layer in, once its digest has shown that it is the one.
  ///
  /// - Parameter fetch: Given what takes the pieces of the layer.
  /// - Throws: `Mismatch` when it is another; `Errno`; what `fetch` throws.
  func add(
    _ digest: Digest, size: Int64,
    _ fetch: (_ receive: @escaping RegistryClient.Receiver) async throws -> Void
  ) async throws {
    let directory = try directory.open()
    makeRoom(for: size, in: directory)
    let name = ".fetching-\(TemporaryName(number: Self.numbers.next()).text)"
    guard let descriptor = try directory.create(name, .ownerReadWrite) else {
      throw Errno.fileExists
    }
    let file = IncomingLayer(descriptor, size: size)
    do {
      try await fetch { try file.add($0) }
      let actual = try file.finish()
      guard actual == digest else { throw Mismatch(actual: actual) }
      try directory.rename(name, to: String(digest.hexadecimal))
    } catch {
      file.close()
      directory.remove(name)
      throw error
    }
  }

  /// A registry gave something other than was asked for.
  struct Mismatch: Error {
    /// `nil`: it was longer than it should be.
    var actual: Digest?
  }

  private static let numbers = Numbers()

  /// Removes what a killed process left, and then the least used layers until there is room.
  private func makeRoom(for size: Int64, in directory: OpenDirectory) {
    var files: [(name: String, size: Int64, used: Int64)] = []
    for name in directory.names {
      // What has just been removed takes no room.
      guard let status = try? directory.status(of: name) else { continue }
      if name.hasPrefix(".") {
        let rest = name.dropFirst(".fetching-".count)
        if TemporaryName(rest)?.isAbandoned() != false { directory.remove(name) }
      } else {
        files.append((name, Int64(status.st_size), Int64(status.st_mtim.tv_sec)))
      }
    }
    var total = files.reduce(size) { $0 + $1.size }
    for file in files.sorted(by: { $0.used < $1.used }) where total > limit {
      directory.remove(file.name)
      total -= file.size
    }
  }
}
