import Settings
import SystemPackage

/// Finds the processes that hold `flock` locks, as the kernel lists them.
///
/// Source: proc_locks(5): `1: FLOCK  ADVISORY  WRITE 708 00:13:16 0 EOF`, the device in hexadecimal
/// and the inode in decimal digits.
struct FileLocks {
  var lines: [Substring]

  init(_ text: String) { lines = text.split(separator: "\n") }

  static var current: FileLocks {
    // Without the list nobody is named.
    let bytes = try? Disk.read("/proc/locks", limit: 1 << 20)
    return FileLocks(String(decoding: bytes ?? [], as: UTF8.self))
  }

  /// - Returns: The process that holds a lock on a file; `nil` where it can't be told.
  func holder(of file: Stat) -> Int32? {
    // Numbered within its file system alone, and there may be several, as with overlays.
    let inode = "\(file.inode.rawValue)"
    var found: Set<Int32> = []
    for line in lines {
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[1] == "FLOCK",
        fields[5].split(separator: ":").last == inode[...],
        let process = Int32(fields[4]), process > 0
      else { continue }
      found.insert(process)
    }
    return found.count == 1 ? found.first : nil
  }
}
