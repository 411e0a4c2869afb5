import Glibc

/// Tells that something was mounted or unmounted, wherever it was.
///
/// The kernel says so to whoever polls the list of mounts for `POLLPRI`.
/// Source: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
final class MountNotice {
  /// -1 where there is no `/proc`.
  let descriptor: Int32

  init() { descriptor = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC) }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The question for `poll`.
  var request: pollfd { pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0) }

  static func isChange(_ answer: pollfd) -> Bool {
    answer.revents & Int16(POLLPRI | POLLERR) != 0
  }

  /// True if there was a change since `poll` was last asked. That, too, asks it.
  var isChanged: Bool {
    var request = request
    return descriptor >= 0 && poll(&request, 1, 0) > 0 && Self.isChange(request)
  }

  /// The mounts as they are now; `nil` where they can't be read.
  func read() -> MountTable? {
    guard descriptor >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else { return nil }
    var text: [UInt8] = []
    while true {
      let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { text.append(contentsOf: buffer.prefix(count)) }
        return count
      }
      if count == 0 { return MountTable(text: text) }
      if count < 0, errno != EINTR { return nil }
    }
  }
}
