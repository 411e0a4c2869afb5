import Glibc
import SystemPackage

/// How many directories a workspace has: as many watches may be needed.
enum DirectoryCount {
  /// Past this the exact number says nothing more.
  private static let limit = 2_000_000

  /// Counts without following symbolic links, and without `.git`, `.hg` and their like.
  static func of(_ root: FilePath) -> Int {
    var count = 0
    var pending = [root]
    while let directory = pending.popLast(), count < limit {
      count += 1
      guard let stream = directory.withPlatformString({ opendir($0) }) else { continue }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        guard let name = directoryName(entry, in: directory) else { continue }
        pending.append(directory.appending(name))
      }
    }
    return count
  }

  private static func directoryName(
    _ entry: UnsafeMutablePointer<dirent>, in directory: FilePath
  ) -> FilePath.Component? {
    let kind = Int(entry.pointee.d_type)
    guard kind == Int(DT_DIR) || kind == Int(DT_UNKNOWN) else { return nil }
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CInterop.PlatformChar.self, capacity: 256) {
        FilePath.Component(platformString: $0)
      }
    }
    guard let name, name.kind == .regular, ![".git", ".hg", ".svn"].contains(name.string) else {
      return nil
    }
    if kind == Int(DT_DIR) { return name }
    // Some file systems do not say; what can't be asked for is not counted.
    let type = try? directory.appending(name).stat(followTargetSymlink: false).type
    return type == .directory ? name : nil
  }
}
