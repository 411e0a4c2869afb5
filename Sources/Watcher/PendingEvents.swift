import SystemPackage

/// Events that wait for their reader; changes of one path become one.
///
/// A file that came and went in between leaves nothing. So there are never more changes here than
/// paths that exist or existed when the reader last looked.
struct PendingEvents {
  private var events: [WatchEvent?] = []
  private var positions: [Key: Int] = [:]
  private(set) var count = 0

  /// Hashes the bytes at once; the path's own hash goes one by one.
  private struct Key: Hashable {
    let path: FilePath
    init(_ path: FilePath) { self.path = path }

    func hash(into hasher: inout Hasher) {
      path.withPlatformString {
        hasher.combine(bytes: UnsafeRawBufferPointer(start: $0, count: path.length))
      }
    }
  }

  init() {}

  var isEmpty: Bool { count == 0 }

  mutating func add(_ event: WatchEvent) {
    guard case .changed(let change) = event else {
      append(event)
      return
    }
    let key = Key(change.path)
    guard let position = positions[key], case .changed(let earlier)? = events[position]
    else {
      positions[key] = events.count
      append(event)
      return
    }
    if let kind = Self.combine(earlier.kind, change.kind) {
      events[position] = .changed(FileChange(path: change.path, kind: kind))
    } else {
      events[position] = nil
      positions[key] = nil
      count -= 1
    }
  }

  /// All that waits, in the order in which paths first changed.
  mutating func take() -> [WatchEvent] {
    defer { self = PendingEvents() }
    return events.compactMap { $0 }
  }

  private mutating func append(_ event: WatchEvent) {
    events.append(event)
    count += 1
  }

  private static func combine(
    _ earlier: FileChange.Kind, _ later: FileChange.Kind
  ) -> FileChange.Kind? {
    switch (earlier, later) {
    case (.created, .deleted): nil
    case (.created, _): .created
    case (.deleted, .deleted), (.modified, .deleted): .deleted
    case (.deleted, _), (.modified, _): .modified
    }
  }
}
