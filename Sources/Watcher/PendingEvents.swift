import SystemPackage

/// Events that wait for their reader; changes of one path become one.
///
/// A file that came and went in between leaves both changes: a build may have taken it in.
struct PendingEvents {
  private var events: [WatchEvent] = []
  private var positions: [PathKey: Int] = [:]
  var count: Int { events.count }

  init() {}

  var isEmpty: Bool { count == 0 }

  mutating func add(_ event: WatchEvent) {
    guard case .changed(let change) = event else {
      // What changes after a mark must not be told before it.
      if case .marked = event { positions = [:] }
      append(event)
      return
    }
    let key = PathKey(change.path)
    guard let position = positions[key], case .changed(let earlier) = events[position]
    else {
      positions[key] = events.count
      append(event)
      return
    }
    if let kind = Self.combine(earlier.kind, change.kind) {
      events[position] = .changed(FileChange(path: change.path, kind: kind, isRepeated: true))
    } else {
      positions[key] = events.count
      append(event)
    }
  }

  /// All that waits, in the order in which paths first changed.
  mutating func take() -> [WatchEvent] {
    defer { self = PendingEvents() }
    return events
  }

  private mutating func append(_ event: WatchEvent) {
    events.append(event)
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
