import Synchronization

/// Notices when two are inside at once.
final class Counter: Sendable {
  struct TwoAtOnce: Error {}

  private let inside = Atomic(0)

  func enter() throws {
    let (_, count) = inside.add(1, ordering: .sequentiallyConsistent)
    guard count == 1 else { throw TwoAtOnce() }
  }

  func leave() { inside.subtract(1, ordering: .sequentiallyConsistent) }
}
