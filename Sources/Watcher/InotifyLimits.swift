import CInotifyTools
import Glibc
package import SystemPackage

/// The kernel's limits on inotify, and how to raise them.
package struct InotifyLimits: Sendable, Hashable {
  /// Watches per user over all processes.
  package var maxUserWatches: Int?
  /// Watches in this user namespace, such as that of a rootless container.
  package var maxNamespaceWatches: Int?
  package var maxUserInstances: Int?
  /// Events that wait to be read, per instance; one more is an overflow.
  package var maxQueuedEvents: Int?

  /// Read anew from `/proc/sys`. `nil` where the kernel does not say.
  package static var current: InotifyLimits {
    InotifyLimits(
      maxUserWatches: read("fs/inotify/max_user_watches"),
      maxNamespaceWatches: read("user/max_inotify_watches"),
      maxUserInstances: read("fs/inotify/max_user_instances"),
      maxQueuedEvents: read("fs/inotify/max_queued_events"))
  }

  /// The command that raises the number of watches to a power of two that leaves room.
  package static func sysctl(forWatches needed: Int) -> String {
    "sudo sysctl fs.inotify.max_user_watches=\(enough(forWatches: needed))"
  }

  /// A power of two that leaves room.
  package static func enough(forWatches needed: Int) -> Int {
    var value = 524_288
    while value < needed * 2 { value *= 2 }
    return value
  }

  private static func read(_ name: String) -> Int? {
    guard let file = fopen("/proc/sys/\(name)", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    return atol(line)
  }
}

/// Tells file systems apart by whether they tell of changes that others make to them.
package enum FileSystemKind {
  /// The file system's name where inotify does not see all changes; `nil` where it does.
  ///
  /// Network, cluster and pass-through file systems report only what is changed through this very
  /// mount. Source: linux/magic.h; NFS, SMB, 9p (WSL's /mnt/c), Ceph, AFS, vboxsf, FUSE (sshfs, …)
  package static func withoutNotification(at path: FilePath) -> String? {
    var status = statfs()
    guard path.withPlatformString({ statfs($0, &status) }) == 0 else { return nil }
    return names[UInt32(truncatingIfNeeded: status.f_type)]
  }

  /// The same of an open file or directory.
  static func withoutNotification(at descriptor: Int32) -> String? {
    var status = statfs()
    guard fstatfs(descriptor, &status) == 0 else { return nil }
    return names[UInt32(truncatingIfNeeded: status.f_type)]
  }

  /// Tells whether mounts of a kind, as `/proc/self/mountinfo` names it, need a closer look.
  static func isDoubtful(_ kind: String) -> Bool {
    let base = kind.prefix { $0 != "." }
    return doubtful.contains(String(base))
  }

  private static let names: [UInt32: String] = [
    0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x0102_1997: "9p",
    0x00C3_6400: "ceph", 0x5346_414F: "afs", 0x6B41_4653: "afs", 0x786F_4256: "vboxsf",
    0x6573_5546: "fuse", 0x7375_7245: "coda", 0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs",
    0x1983_0326: "beegfs", 0x0116_1970: "gfs2", 0x7461_636F: "ocfs2", 0x2003_0528: "orangefs",
    0xBACB_ACBC: "vmhgfs", 0x7C7C_6673: "prl_fs",
  ]

  private static let doubtful: Set<String> = [
    "nfs", "nfs4", "smbfs", "smb3", "cifs", "9p", "ceph", "afs", "vboxsf", "fuse", "fuseblk",
    "virtiofs", "coda", "lustre", "gpfs", "beegfs", "gfs2", "ocfs2", "pvfs2", "orangefs", "vmhgfs",
    "prl_fs",
  ]
}
