/// Lets loads that wait for the same runtime go into it together, and only one lot at a time.
///
/// What comes while nothing is under way goes at once, alone. What comes meanwhile waits, and then
/// goes as one: so images that are done one by one are not held up, and those that pile up cost one
/// import. Containerd is slower with imports side by side than with one after the other.
actor LoadCombiner<Request: Sendable, Response: Sendable> {
  private enum Turn {
    /// All that waited, the one who is told first.
    case lead([Waiting])
    case done(Result<Response, any Error>)
  }

  private struct Waiting: Sendable {
    var request: Request
    var continuation: CheckedContinuation<Turn, Never>?
  }

  /// Of one lot: bounds its memory, and how much one failure takes with it.
  private let limit: Int
  private var isBusy = false
  private var waiting: [Waiting] = []

  init(limit: Int = 16) {
    self.limit = limit
  }

  /// Has a request answered, together with others that wait.
  ///
  /// A cancelled one that waits is answered when the lot before it has ended, which is cancelled
  /// with it: both are children of one cycle.
  ///
  /// - Parameter perform: Answers requests in their order; called by one of those who wait.
  func run(
    _ request: Request,
    _ perform: @Sendable ([Request]) async -> [Result<Response, any Error>]
  ) async throws -> Response {
    let turn: Turn
    if isBusy {
      turn = await withCheckedContinuation { continuation in
        waiting.append(Waiting(request: request, continuation: continuation))
      }
    } else {
      isBusy = true
      turn = .lead([Waiting(request: request, continuation: nil)])
    }
    switch turn {
    case .done(let result): return try result.get()
    case .lead(let lot):
      let results = await perform(lot.map(\.request))
      precondition(results.count == lot.count, "each request has its answer")
      for (other, result) in zip(lot, results).dropFirst() {
        other.continuation?.resume(returning: .done(result))
      }
      handOver()
      return try results[0].get()
    }
  }

  /// How many wait for the lot under way to end.
  var waitingCount: Int { waiting.count }

  private func handOver() {
    guard let first = waiting.first else {
      isBusy = false
      return
    }
    let lot = Array(waiting.prefix(limit))
    waiting.removeFirst(lot.count)
    first.continuation?.resume(returning: .lead(lot))
  }
}
