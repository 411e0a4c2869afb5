import CInotifyTools
import Glibc
import SystemPackage

/// libinotifytools, as far as it can be trusted.
///
/// The library keeps all state in static variables: there is one of it per process, and after
/// `init` one thread calls it. Six of its functions are used. Not used, because they lose watches,
/// corrupt memory or block: recursive watching, anything that renames watches, its filters, its
/// `printf` family, `next_event`, and removal by name.
/// Source: src/libinotifytools/src/inotifytools.c of 3.22.6.0
struct InotifyTools: DirectoryNotifier {
  /// inotify's own, found by looking, for the library does not give it away.
  private(set) var descriptor: Int32
  /// The kernel counts watch descriptors up, so the next one is known beforehand.
  private var lastWatch: Int32 = 0
  private var ownsWorkingDirectory = false
  /// The working directory is one that is watched.
  private var isAway = false
  /// Watches that the kernel has dropped and the library has not.
  var deadWatches = 0
  private static let mask =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR
    | IN_DONT_FOLLOW | IN_EXCL_UNLINK

  init() throws(WatchError) {
    let before = Self.instances()
    guard inotifytools_initialize() != 0 else {
      let error = inotifytools_error()
      guard error == EMFILE else { throw .unavailable(Errno(rawValue: error)) }
      // Both a full descriptor table and too many instances are EMFILE.
      let probe = dup(STDERR_FILENO)
      guard probe >= 0 else { throw .noDescriptor }
      Glibc.close(probe)
      throw .tooManyInstances(limit: InotifyLimits.current.maxUserInstances)
    }
    // The library selects on the descriptor, and select aborts the process from 1024 on.
    guard let descriptor = Self.instances().subtracting(before).first, descriptor < 1024 else {
      inotifytools_cleanup()
      throw .noDescriptor
    }
    // Else Bazel's server would inherit it and keep the watches alive long after us.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
  }

  /// The instances that programs which we start would inherit.
  ///
  /// The library's is one until we change that. Those that other threads open and close meanwhile
  /// are none, and a number that one of them had a moment ago may be the library's now.
  private static func instances() -> Set<Int32> {
    var found: Set<Int32> = []
    _ = DirectoryListing.read("/proc/self/fd") { directory, name, _ in
      name.withMemoryRebound(to: CChar.self) { text in
        var target = [CChar](repeating: 0, count: 64)
        guard let start = text.baseAddress,
          readlinkat(directory, start, &target, target.count - 1) > 0,
          strcmp(target, "anon_inode:inotify") == 0
        else { return }
        let descriptor = Int32(atol(start))
        // -1, where it was closed just now, has all bits set.
        if fcntl(descriptor, F_GETFD) & FD_CLOEXEC == 0 { found.insert(descriptor) }
      }
    }
    return found
  }

  // MARK: Watches

  /// Gives the calling thread a working directory of its own, so that it can be moved about.
  ///
  /// Not every container lets it; then every watch costs the library two more walks along its path.
  mutating func claimWorkingDirectory() {
    // 0x200 is CLONE_FS. Source: linux/sched.h
    ownsWorkingDirectory = unshare(0x200) == 0
  }

  mutating func watch(
    _ path: UnsafePointer<CChar>, _ directory: Int32, isAnchor: Bool
  ) -> WatchOutcome {
    // To the library every directory is `.`: it looks each up twice and keeps its name, and has
    // little to look for and to keep. It is also the very directory that was opened.
    if ownsWorkingDirectory, fchdir(directory) == 0 {
      isAway = true
      return ".".withCString { watch($0, isAnchor: isAnchor) }
    }
    return watch(path, isAnchor: isAnchor)
  }

  private mutating func watch(_ path: UnsafePointer<CChar>, isAnchor: Bool) -> WatchOutcome {
    guard descriptor >= 0 else { return .failed(EMFILE) }
    let mask = isAnchor ? Self.mask | IN_DELETE_SELF | IN_MOVE_SELF : Self.mask
    guard inotifytools_watch_file(path, Int32(bitPattern: UInt32(mask))) != 0 else {
      let error = inotifytools_error()
      // The kernel takes a number before it finds that the limit is reached.
      if error == ENOSPC { lastWatch += 1 }
      return .failed(error == 0 ? ENOENT : error)
    }
    if names(lastWatch + 1, path) {
      lastWatch += 1
      return .watched(lastWatch)
    }
    // The library does not say which watch the directory has; the kernel does when asked again.
    let watch = inotify_add_watch(descriptor, path, UInt32(bitPattern: mask))
    guard watch >= 0 else { return .failed(errno) }
    if watch > lastWatch, names(watch, path) {
      lastWatch = watch
      return .watched(watch)
    }
    return .alreadyWatched(watch)
  }

  mutating func unwatch(_ watch: Int32) {
    // Not by the library's own function: where the kernel was faster it prints to stderr and keeps
    // its entry anyway.
    inotify_rm_watch(descriptor, watch)
    deadWatches += 1
  }

  /// To be called when the events read so far have been acted on.
  mutating func rest() {
    guard isAway else { return }
    // A working directory keeps its file system from being unmounted.
    isAway = chdir("/") != 0
  }

  /// Tells whether the library holds `watch` under this path (it appends a slash).
  private func names(_ watch: Int32, _ path: UnsafePointer<CChar>) -> Bool {
    guard let name = inotifytools_filename_from_wd(watch) else { return false }
    let length = strlen(path)
    guard strncmp(name, path, length) == 0 else { return false }
    return name[length] == 0 || (name[length] == CChar(UInt8(ascii: "/")) && name[length + 1] == 0)
  }

  /// Source: Documentation/filesystems/proc.rst, 3.8 /proc/<pid>/fdinfo/<fd>
  func forEachWatch(_ body: (_ watch: Int32, _ inode: UInt64) -> Void) {
    guard descriptor >= 0, let file = fopen("/proc/self/fdinfo/\(descriptor)", "re") else { return }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      // inotify wd:HEX ino:HEX …
      let fields = line.prefix { $0 != 0 }.split(separator: CChar(UInt8(ascii: " ")))
      guard fields.count >= 3, fields[0].elementsEqual("inotify".utf8.map(CChar.init)),
        let watch = Self.hexadecimal(fields[1], after: 3),
        let inode = Self.hexadecimal(fields[2], after: 4)
      else { continue }
      body(Int32(truncatingIfNeeded: watch), inode)
    }
  }

  private static func hexadecimal(_ field: ArraySlice<CChar>, after prefix: Int) -> UInt64? {
    UInt64(String(decoding: field.dropFirst(prefix).map(UInt8.init), as: UTF8.self), radix: 16)
  }

  // MARK: Events

  /// The next event, if one is there; good until the next call.
  ///
  /// One at a time: asked for more, the library spins until that many bytes are queued.
  func next() -> RawEvent? {
    guard descriptor >= 0, let event = inotifytools_next_events(0, 1) else { return nil }
    let header = UnsafeRawPointer(event)
    let start = (header + MemoryLayout<inotify_event>.size).assumingMemoryBound(to: CChar.self)
    let length = event.pointee.len == 0 ? 0 : strnlen(start, Int(event.pointee.len))
    return RawEvent(
      watch: event.pointee.wd, mask: event.pointee.mask,
      name: UnsafeBufferPointer(
        start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: length),
      size: MemoryLayout<inotify_event>.size + Int(event.pointee.len))
  }

  /// Bytes of events in the kernel's queue. What the library has read already is not among them.
  var queuedBytes: Int {
    var bytes: Int32 = 0
    return ioctl(descriptor, UInt(FIONREAD), &bytes) == 0 ? Int(bytes) : 0
  }

  /// The most that the library reads at once.
  static let bufferSize = 65_536

  /// Throws away all events and all watches, and begins anew.
  mutating func restart() throws(WatchError) {
    close()
    // Until it succeeds there is nothing that could be called.
    descriptor = -1
    var fresh = try InotifyTools()
    (fresh.ownsWorkingDirectory, fresh.isAway) = (ownsWorkingDirectory, isAway)
    self = fresh
  }

  /// Gives everything back. The library must not be called again before `init`.
  func close() {
    guard descriptor >= 0 else { return }
    discardEvents()
    inotifytools_cleanup()
  }

  /// The library's buffer outlives `cleanup`: what is left there would be reported under the names
  /// of the next instance. The kernel's queue goes first, so that the library can't refill it.
  private func discardEvents() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 8)
    defer { buffer.deallocate() }
    repeat {
      while queuedBytes > 0, read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
    } while inotifytools_next_events(0, 1) != nil
  }
}

/// One event as the kernel made it.
struct RawEvent {
  var watch: Int32
  var mask: UInt32
  /// Points into the library's buffer; empty for events of the directory itself.
  var name: UnsafeBufferPointer<UInt8>
  /// Bytes that it took in the queue.
  var size: Int

  func has(_ bits: Int32) -> Bool { mask & UInt32(bitPattern: bits) != 0 }
}
