import CInotifyTools
import Glibc
import SystemPackage

/// Tells when an anchor's path may have come to lead elsewhere.
///
/// The anchor's own watch does not: while another program stands in a directory, its removal is told
/// to nobody but its parent, and it knows nothing of its parents' renaming. So all directories above
/// the anchors are watched for names that come and go, by an inotify instance of its own: one
/// directory may be above one anchor and be another.
final class Ancestry {
  /// To be polled for `POLLIN`; -1 where there is no instance left.
  let descriptor: Int32
  /// Every way to an anchor is watched. Else somebody has to look from time to time.
  private(set) var isWhole = false
  /// When something was last read that does not matter; nanoseconds since boot.
  private(set) var lastNeedless: Int64 = 0
  /// By watch: the names in the directory that are on a way.
  private var names: [Int32: Set<[UInt8]>] = [:]

  private static let mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR
  private static let bufferSize = 65_536

  init() { descriptor = inotify_init1(Int32(IN_CLOEXEC)) }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Watches the ways to these paths, and no others.
  ///
  /// From the top down, so that what changes on a way meanwhile is told by a directory that is
  /// watched already.
  func watch(_ anchors: some Sequence<[UInt8]>) {
    guard descriptor >= 0 else { return }
    isWhole = true
    var watched: [Int32: Set<[UInt8]>] = [:]
    for (path, next) in Self.ways(to: anchors) {
      let watch = FilePath(bytes: path).withPlatformString { path in
        // Where a link leads, and over what, is not on the way.
        if Self.isLink(path) { isWhole = false }
        return next.isEmpty ? 0 : inotify_add_watch(descriptor, path, UInt32(Self.mask))
      }
      if watch > 0 {
        watched[watch, default: []].formUnion(next)
      } else if watch < 0, errno != ENOENT, errno != ENOTDIR {
        isWhole = false
      }
    }
    for watch in names.keys where watched[watch] == nil { inotify_rm_watch(descriptor, watch) }
    names = watched
  }

  /// The directories above the paths, from the top down, each with the names in it that lead on;
  /// and the paths themselves.
  private static func ways(
    to paths: some Sequence<[UInt8]>
  ) -> [(path: [UInt8], next: Set<[UInt8]>)] {
    let slash = UInt8(ascii: "/")
    var ways: [[UInt8]: Set<[UInt8]>] = [:]
    for path in paths {
      var directory = path[...]
      ways[path, default: []] = ways[path] ?? []
      while let last = directory.lastIndex(of: slash) {
        let name = Array(directory[(last + 1)...])
        directory = directory[..<last]
        let parent = directory.isEmpty ? [slash] : Array(directory)
        if !ways[parent, default: []].insert(name).inserted { break }
      }
    }
    return ways.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0, $1) }
  }

  /// Reads all that is there.
  ///
  /// - Returns: Whether a name on a way has come or gone, or a directory above has.
  func readEvents() -> Bool {
    guard descriptor >= 0 else { return false }
    var (isConcerned, isNeedless) = (false, false)
    withUnsafeTemporaryAllocation(byteCount: Self.bufferSize, alignment: 8) { buffer in
      while isReadable {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var rest = UnsafeRawBufferPointer(rebasing: buffer.prefix(count))[...]
        while let event = rest.popEvent() {
          let isOnWay =
            event.name.isEmpty
            ? names[event.watch] != nil : names[event.watch]?.contains(event.name) == true
          if isOnWay || event.hasOverflowed { isConcerned = true } else { isNeedless = true }
        }
      }
    }
    if isNeedless, !isConcerned { lastNeedless = KernelTime.sinceBoot }
    return isConcerned
  }

  private var isReadable: Bool {
    var bytes: Int32 = 0
    return ioctl(descriptor, UInt(FIONREAD), &bytes) == 0 && bytes > 0
  }

  private static func isLink(_ path: UnsafePointer<CChar>) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// Takes the first of the events that the kernel has written one behind the other.
  fileprivate mutating func popEvent() -> (watch: Int32, hasOverflowed: Bool, name: [UInt8])? {
    let header = MemoryLayout<inotify_event>.size
    guard count >= header else { return nil }
    let event = UnsafeRawBufferPointer(rebasing: self)
    let length = Int(event.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    let mask = event.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    removeFirst(Swift.min(count, header + length))
    return (
      event.loadUnaligned(as: Int32.self), mask & UInt32(IN_Q_OVERFLOW) != 0,
      event[header...].prefix(length).prefix { $0 != 0 }.map { $0 }
    )
  }
}
