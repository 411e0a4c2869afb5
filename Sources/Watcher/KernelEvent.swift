import CInotifyTools
package import SystemPackage

/// One event as the kernel told it, for those who look for a save that did nothing.
package struct KernelEvent: Sendable {
  /// Such as `CLOSE_WRITE`, as inotify(7) names them.
  package var bits: [String]
  /// `nil`: of a watch that is held no longer.
  package var path: FilePath?

  init(_ event: RawEvent, directory: [UInt8]?) {
    bits = Self.names.filter { event.has($0.bit) }.map(\.name)
    path = directory.map { directory in
      let name = event.name.isEmpty ? [] : [UInt8(ascii: "/")] + Array(event.name)
      return FilePath(bytes: directory + name)
    }
  }

  private static let names: [(bit: Int32, name: String)] = [
    (IN_CREATE, "CREATE"), (IN_CLOSE_WRITE, "CLOSE_WRITE"), (IN_DELETE, "DELETE"),
    (IN_MOVED_FROM, "MOVED_FROM"), (IN_MOVED_TO, "MOVED_TO"), (IN_ATTRIB, "ATTRIB"),
    (IN_DELETE_SELF, "DELETE_SELF"), (IN_MOVE_SELF, "MOVE_SELF"), (IN_IGNORED, "IGNORED"),
    (IN_UNMOUNT, "UNMOUNT"), (IN_Q_OVERFLOW, "Q_OVERFLOW"), (Int32(IN_ISDIR), "ISDIR"),
  ]
}
