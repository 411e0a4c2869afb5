import Batching
import Runner
import Synchronization

/// Requests on their way through the watcher's stream to the loop, and those who wait for their answers.
final class RequestDesk: Sendable {
  private struct State {
    var last = 0
    /// Those that the watcher's stream has not brought yet.
    var demands: [Int: Request.Demand] = [:]
    var askers: [Int: AsyncStream<Answer>.Continuation] = [:]
    var departed: Set<Int> = []
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Takes in a request that nobody waits for.
  ///
  /// - Returns: Its number; `nil` after the session's end.
  func post(_ demand: Request.Demand) -> Int? {
    state.withLock { state in
      guard !state.isClosed else { return nil }
      state.last += 1
      state.demands[state.last] = demand
      return state.last
    }
  }

  /// Takes in a request whose answer comes in the stream, which has no second element.
  ///
  /// - Returns: `nil` after the session's end.
  func ask(_ demand: Request.Demand) -> (id: Int, answers: AsyncStream<Answer>)? {
    let (answers, asker) = AsyncStream.makeStream(of: Answer.self)
    guard let id = post(demand) else { return nil }
    let isClosed = state.withLock { state in
      if !state.isClosed { state.askers[id] = asker }
      return state.isClosed
    }
    return isClosed ? nil : (id, answers)
  }

  /// The request that a mark in the watcher's stream stands for.
  func take(_ id: Int) -> Request? {
    state.withLock { state in
      state.demands.removeValue(forKey: id).map { Request(id: id, demand: $0) }
    }
  }

  func answer(_ id: Int, _ answer: Answer) {
    let asker = state.withLock { $0.askers.removeValue(forKey: id) }
    asker?.yield(answer)
    asker?.finish()
  }

  /// Whoever asked waits no longer. Does nothing once there was an answer.
  func leave(_ id: Int) {
    state.withLock { state in
      guard state.askers.removeValue(forKey: id) != nil else { return }
      state.departed.insert(id)
    }
  }

  /// Those who have left since the last call.
  func departed() -> Set<Int> {
    state.withLock { state in
      defer { state.departed = [] }
      return state.departed
    }
  }

  /// Tells everybody that the session ends.
  func close() {
    let askers = state.withLock { state in
      state.isClosed = true
      defer {
        state.askers = [:]
        state.demands = [:]
      }
      return state.askers.values
    }
    for asker in askers {
      asker.yield(.verdict(Verdict(.stopping)))
      asker.finish()
    }
  }
}
