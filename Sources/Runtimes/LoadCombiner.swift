import Synchronization

/// Lets loads that wait for the same runtime go into it together, and only one lot at a time.
///
/// A request that comes while nothing is under way goes at once, alone. Those that come meanwhile wait, and then
/// go as one: so images that are done one by one are not held up, and those that pile up cost one
/// import. Containerd is slower with imports side by side than with one after the other.
final class LoadCombiner<Request: Sendable, Reply: Sendable>: Sendable {
  typealias Perform = @Sendable ([Request]) async -> [Result<Reply, any Error>]

  private struct Member: Sendable {
    var id: Int
    var request: Request
    var perform: Perform
    var continuation: CheckedContinuation<Reply, any Error>
  }

  /// Requests that go together, and who still wants an answer.
  private struct Lot: Sendable {
    var wanting: Set<Int>
    var task: Task<Void, Never>?
  }

  private struct State {
    var nextID = 0
    var waiting: [Member] = []
    var lot: Lot?
    /// Cancelled before they came to wait.
    var cancelled: Set<Int> = []
  }

  /// Requests of one lot at most: it bounds the memory, and how much one failure takes with it.
  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int = 16) {
    self.limit = limit
  }

  /// Has a request answered, together with others that wait.
  ///
  /// Cancelled while it waits, it leaves. Cancelled while its lot is under way, it has its answer
  /// with the others: the lot is cancelled when nobody in it wants an answer any more.
  ///
  /// - Parameter perform: Answers requests in their order.
  func run(_ request: Request, _ perform: @escaping Perform) async throws -> Reply {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    defer { state.withLock { _ = $0.cancelled.remove(id) } }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if state.cancelled.remove(id) != nil { return true }
          state.waiting.append(
            Member(id: id, request: request, perform: perform, continuation: continuation))
          startLot(&state)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// The number of requests that wait for the lot under way to end.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Starts the next lot, unless one is under way or nobody waits.
  private func startLot(_ state: inout State) {
    guard state.lot == nil, let first = state.waiting.first else { return }
    let members = Array(state.waiting.prefix(limit))
    state.waiting.removeFirst(members.count)
    state.lot = Lot(wanting: Set(members.map(\.id)))
    // No child of one who waits, whose cancelling would end what others wait for. It is cancelled
    // when all of them are, and all of them wait for it.
    state.lot?.task = Task {
      let results = await first.perform(members.map(\.request))
      precondition(results.count == members.count, "each request has its answer")
      self.state.withLock { state in
        state.lot = nil
        startLot(&state)
      }
      for (member, result) in zip(members, results) { member.continuation.resume(with: result) }
    }
  }

  private func cancel(_ id: Int) {
    let leaving: Member? = state.withLock { state in
      if let index = state.waiting.firstIndex(where: { $0.id == id }) {
        return state.waiting.remove(at: index)
      }
      guard state.lot?.wanting.remove(id) != nil else {
        state.cancelled.insert(id)
        return nil
      }
      if state.lot?.wanting.isEmpty == true { state.lot?.task?.cancel() }
      return nil
    }
    leaving?.continuation.resume(throwing: CancellationError())
  }
}
