import Glibc
import SystemPackage

/// A lock that says whose it is, as Mercurial and Sapling have them: a symbolic link that leads
/// nowhere, or a file where there are no links, with `HOST:PID` or `HOST/NAMESPACE:PID` in it.
///
/// One that a killed command has left behind is not held: those programs break it, too.
/// Source: mercurial/lock.py
struct OwnedLock {
  private let path: FilePath

  init(_ path: FilePath) { self.path = path }

  var isHeld: Bool {
    guard FileStatus(at: path) != nil else { return false }
    let owner = SmallFile.link(at: path) ?? SmallFile.text(of: path)
    let parts = owner.split(separator: ":", maxSplits: 1)
    // Who can't be asked is taken at his word.
    guard parts.count == 2, let process = pid_t(parts[1].prefix { $0.isNumber }), process > 0,
      Self.here.contains(String(parts[0]))
    else { return true }
    return kill(process, 0) == 0 || errno != ESRCH
  }

  /// The names of this machine: processes of another have other numbers.
  private static var here: Set<String> {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return [] }
    let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    var status = stat()
    guard stat("/proc/self/ns/pid", &status) == 0 else { return [host] }
    return [host, "\(host)/\(String(status.st_ino, radix: 16))"]
  }
}

/// A lock file that is locked as long as its process lives, as Jujutsu has them.
///
/// Source: https://docs.rs/jj-lib, `lock::FileLock`
enum FlockedFile {
  static func isHeld(_ path: FilePath) -> Bool {
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
    let descriptor = path.withPlatformString { open($0, flags) }
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Shared, and given back at once: nobody who waits for it notices.
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}

/// Reads the files of one line that version control keeps.
enum SmallFile {
  /// The file's first bytes; empty where there is none, or something else than a regular file.
  static func text(of path: FilePath) -> String {
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC
    let descriptor = path.withPlatformString { open($0, flags) }
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX) + 16, alignment: 1) { buffer in
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }

  /// Where a symbolic link leads; `nil` where it is none.
  static func link(at path: FilePath) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = path.withPlatformString { readlink($0, start, buffer.count) }
      guard count > 0 else { return nil }
      return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self)
    }
  }
}
