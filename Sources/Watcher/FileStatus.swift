import Glibc
import SystemPackage

/// The part of `lstat`'s answer that tells one content from another.
struct FileStatus {
  var isDirectory: Bool
  var isExecutable: Bool
  var inode: UInt64
  var device: UInt64
  /// Nanoseconds since 1970. The kernel sets it at every change of content, name or mode, and no
  /// program can set it back.
  var changed: Int64
  /// A hash of size, modification and change times, inode, kind and permissions.
  var fingerprint: UInt64

  /// - Returns: `nil` when there is nothing that can be read there; `errno` says why.
  init?(at path: UnsafePointer<CChar>) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The same of where the path leads, if it is a symbolic link.
  init?(following path: UnsafePointer<CChar>) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Asks for the status of a name, with a NUL behind it, in the directory that the descriptor is of.
  init?(of name: UnsafeBufferPointer<UInt8>, in directory: Int32) {
    var status = stat()
    let error = name.withMemoryRebound(to: CChar.self) { text in
      text.baseAddress.map { fstatat(directory, $0, &status, AT_SYMLINK_NOFOLLOW) }
    }
    guard error == 0 else { return nil }
    self.init(status)
  }

  /// - Parameter descriptor: Of the file itself.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Tells one file or directory from another, but for one case in four thousand million.
  var identity: UInt32 { Self.identity(ofInode: inode) }

  /// Never 0. Without the device, which the kernel does not tell alike everywhere.
  static func identity(ofInode inode: UInt64) -> UInt32 {
    var hash: UInt64 = 0
    mix(&hash, inode)
    return max(1, UInt32(truncatingIfNeeded: hash))
  }

  private init(_ status: stat) {
    isDirectory = status.st_mode & S_IFMT == S_IFDIR
    isExecutable = status.st_mode & 0o111 != 0
    inode = UInt64(status.st_ino)
    device = UInt64(status.st_dev)
    changed = Self.nanoseconds(status.st_ctim)
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    let parts = (
      UInt64(bitPattern: Int64(status.st_size)),
      UInt64(bitPattern: Self.nanoseconds(status.st_mtim)), UInt64(bitPattern: changed),
      inode, UInt64(status.st_mode)
    )
    Self.mix(&hash, parts.0)
    Self.mix(&hash, parts.1)
    Self.mix(&hash, parts.2)
    Self.mix(&hash, parts.3)
    Self.mix(&hash, parts.4)
    fingerprint = hash
  }

  /// The finaliser of SplitMix64: every bit of the input moves half of the output's.
  private static func mix(_ hash: inout UInt64, _ value: UInt64) {
    hash = (hash ^ value) &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    hash ^= hash >> 31
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// The clock that the kernel stamps files with, and whether it has been set back.
enum KernelTime {
  /// Nanoseconds since 1970, in steps of one timer tick, as file systems see it.
  static var now: Int64 { read(CLOCK_REALTIME_COARSE) }

  /// Nanoseconds since boot, sleep included.
  static var sinceBoot: Int64 { read(CLOCK_BOOTTIME) }

  /// The distance of wall clock and time since boot: it shrinks when somebody sets the clock back.
  static var offset: Int64 { read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME) }

  /// Tells whether a file whose change time is `changed` may have changed at `moment` or later.
  ///
  /// A change time without a fraction comes from a file system that keeps whole seconds.
  static func isChange(_ changed: Int64, atOrAfter moment: Int64) -> Bool {
    guard changed % 1_000_000_000 == 0 else { return changed >= moment }
    return changed / 1_000_000_000 >= moment / 1_000_000_000 - 1
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension FileStatus {
  init?(at path: FilePath) {
    guard let status = path.withPlatformString({ FileStatus(at: $0) }) else { return nil }
    self = status
  }
}
