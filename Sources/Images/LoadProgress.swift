import Synchronization

/// Counts how far a load has got: written where bytes go out, read by who tells of it.
package final class LoadProgress: Sendable {
  /// The progress of the load that the current task is part of.
  @TaskLocal package static var current: LoadProgress?

  package struct Count: Hashable, Sendable {
    /// Bytes handed to the runtime.
    package var sent: Int64 = 0
    /// Bytes that came from the runtime meanwhile, where they are counted.
    package var received: Int64 = 0
    /// Bytes of all streams begun so far.
    package var total: Int64 = 0
    /// Bytes of those sent that the next load need not send again, should this one end early.
    package var kept: Int64 = 0
    package var layersSent = 0
    package var layersTotal = 0
  }

  private let state = Mutex(Count())

  package init() {}

  package var count: Count { state.withLock { $0 } }

  func begin(_ length: Int64, layers: Int) {
    state.withLock {
      $0.total += length
      $0.layersTotal += layers
    }
  }

  func add(_ bytes: Int, layers: Int) {
    state.withLock {
      $0.sent += Int64(bytes)
      $0.layersSent += layers
    }
  }

  package func receive(_ bytes: Int) { state.withLock { $0.received += Int64(bytes) } }

  package func keep(_ bytes: Int64) { state.withLock { $0.kept += bytes } }
}
