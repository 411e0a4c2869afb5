import Batching
import Synchronization

/// Collects a query's entries, which come from the reader's task.
///
/// Bounded by the size of the build graph, which the index holds anyway.
final class EntryBuffer: Sendable {
  private let entries = Mutex<[QueryEntry]>([])

  func append(_ entry: QueryEntry) { entries.withLock { $0.append(entry) } }

  func take() -> [QueryEntry] {
    entries.withLock { entries in
      defer { entries = [] }
      return entries
    }
  }
}
