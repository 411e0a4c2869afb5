import Settings
import SystemPackage

/// Checks whether the workspace's file system tells the kernel of its changes.
enum FileSystemCheck {
  /// Changes made on another machine, or by the file system's own server, are not reported.
  private static let blind: Set<String> = [
    "9p", "afs", "ceph", "cifs", "fuseblk", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs",
  ]

  static func finding(for directory: FilePath) -> Finding {
    // Without /proc the kind is unknown, which is what an empty table says.
    let bytes = (try? Disk.read("/proc/self/mountinfo", limit: 4 << 20)) ?? []
    return finding(for: directory, mounts: String(decoding: bytes, as: UTF8.self))
  }

  /// - Parameters:
  ///   - directory: Absolute, symbolic links resolved.
  ///   - mounts: What `/proc/self/mountinfo` says.
  /// - Returns: The kind of file system, with a warning where changes may go unseen.
  static func finding(for directory: FilePath, mounts: String) -> Finding {
    guard let kind = kind(of: directory, mounts: mounts) else {
      return Finding("file system", .warn, "its kind can't be told")
    }
    guard blind.contains(kind) || kind.hasPrefix("fuse.") else {
      return Finding("file system", .ok, kind)
    }
    return Finding(
      "file system", .warn, "\(kind) does not report changes made elsewhere",
      remedy: "use --trigger poll if you edit from another machine or outside the container")
  }

  /// The kind of the innermost mount; of two on the same point, the later covers the earlier.
  ///
  /// Source: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
  private static func kind(of directory: FilePath, mounts: String) -> String? {
    var innermost: (depth: Int, kind: String)?
    for line in mounts.split(separator: "\n") {
      let halves = line.split(separator: " - ", maxSplits: 1)
      let fields = halves.first?.split(separator: " ") ?? []
      guard halves.count == 2, fields.count > 4,
        let kind = halves[1].split(separator: " ").first
      else { continue }
      let point = FilePath(unescaped(fields[4]))
      let depth = point.components.count
      if directory.starts(with: point), depth >= innermost?.depth ?? 0 {
        innermost = (depth, String(kind))
      }
    }
    return innermost?.kind
  }

  /// Spaces and the like are written in octal: `\040`.
  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), let value = UInt8(String(Substring(digits)), radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(digits.count)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
