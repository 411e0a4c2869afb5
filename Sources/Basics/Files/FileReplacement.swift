import Glibc
import Synchronization
package import SystemPackage

/// Writes a file beside its place, then moves it there in one step: it appears whole, or not at all.
package enum FileReplacement {
  /// The beginning of the names of files that are being written.
  package static let prefix = ".watchbuild-"

  private static let counter = Atomic<Int>(0)

  /// - Parameters:
  ///   - directory: Where the file is written, and what its name is relative to.
  ///   - permissions: The file's.
  ///   - body: Writes the file and gives its name, which may depend on what was written.
  /// - Throws: `Errno`; what `body` throws. Nothing is left behind.
  package static func write(
    in directory: OpenDirectory, permissions: FilePermissions,
    _ body: (FileDescriptor) throws -> String
  ) throws {
    let (file, temporary) = try create(in: directory, permissions)
    do {
      let name = try file.closeAfter { try body(file) }
      try directory.rename(temporary, to: name)
    } catch {
      // What matters is why it failed; the rest of the file may be gone already.
      directory.remove(temporary)
      throw error
    }
  }

  /// A file that was not there before, so that nobody has chosen where it leads.
  private static func create(
    in directory: OpenDirectory, _ permissions: FilePermissions
  ) throws -> (FileDescriptor, name: String) {
    while true {
      let number = counter.add(1, ordering: .relaxed).newValue
      let name = "\(prefix)\(getpid())-\(number)-\(UInt32.random(in: 0...UInt32.max))"
      if let file = try directory.create(name, permissions) { return (file, name) }
    }
  }
}
