import Basics
import Glibc
import Settings
import SystemPackage
import Watcher

/// Checks whether the kernel lets us watch a workspace of this size.
///
/// A user has a limit in all, and one in each user namespace, such as that of a rootless container; the lower counts.
/// Source: https://man7.org/linux/man-pages/man7/inotify.7.html ("/proc interfaces"),
/// https://man7.org/linux/man-pages/man7/namespaces.7.html ("/proc/sys/user")
struct InotifyCheck: Equatable, Sendable {
  /// `fs.inotify.max_user_watches`, for all programs of the user together; `nil`: not readable.
  var watches: Int?
  /// `user.max_inotify_watches`, of this user namespace.
  var namespaceWatches: Int?
  /// `fs.inotify.max_queued_events`.
  var queuedEvents: Int?
  /// Why no instance can be made.
  var failure: Errno?
  /// Directories in the workspace.
  var directories: Int

  /// Reads the limits, and tries whether one more instance can be had.
  static func read(directories: Int) -> InotifyCheck {
    let descriptor = inotify_init1(Int32(IN_CLOEXEC))
    let failure = descriptor < 0 ? Errno(rawValue: errno) : nil
    if descriptor >= 0 { close(descriptor) }
    let limits = InotifyLimits.current
    return InotifyCheck(
      watches: limits.maxUserWatches, namespaceWatches: limits.maxNamespaceWatches,
      queuedEvents: limits.maxQueuedEvents, failure: failure, directories: directories)
  }

  var findings: [Finding] { [instances, watched, queue].compactMap(\.self) }

  private var instances: Finding? {
    guard let failure else { return nil }
    let remedy =
      failure == .tooManyOpenFiles
      ? Self.sysctl("fs.inotify.max_user_instances", 1024) : "use --trigger poll"
    return Finding("inotify", .error, "no inotify instance can be had: \(failure)", remedy: remedy)
  }

  private var watched: Finding {
    let needed = Quantity.text(directories, "directory", plural: "directories")
    guard var watches else {
      return Finding(
        "inotify", .warn, "the limits in /proc/sys/fs/inotify can't be read",
        remedy: "use --trigger poll if changes are not seen")
    }
    var setting = "fs.inotify.max_user_watches"
    if let namespaceWatches, namespaceWatches < watches {
      watches = namespaceWatches
      setting = "user.max_inotify_watches"
    }
    let message = "\(watches) watches for \(needed)"
    // Editors and other watchers of the same user share the limit.
    guard directories > watches / 5 * 4 else { return Finding("inotify", .ok, message) }
    let enough = InotifyLimits.enough(forWatches: directories)
    let result =
      directories > watches ? "; what goes beyond is polled" : ", shared with the user's editors"
    return Finding(
      "inotify", .warn, message + result, remedy: Self.sysctl(setting, enough))
  }

  private var queue: Finding? {
    guard let queuedEvents, queuedEvents < 4096 else { return nil }
    return Finding(
      "inotify", .warn, "only \(queuedEvents) events are queued, so bursts cost a rescan",
      remedy: Self.sysctl("fs.inotify.max_queued_events", 16384))
  }

  private static func sysctl(_ name: String, _ value: Int) -> String {
    "sudo sysctl \(name)=\(value) (to keep it, write that setting to "
      + "/etc/sysctl.d/60-inotify.conf)"
  }
}
