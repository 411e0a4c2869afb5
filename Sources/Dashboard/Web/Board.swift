import Basics
import Events
import Session
import Synchronization

/// What all open pages show. Follows the events of a run, and tells each page when to look again.
///
/// A page is told of the newest state and never of a single event, so that nothing is kept for one that does not
/// read: the next time it is given all that differs from what it has seen.
final class Board: Sendable {
  private struct State {
    var board = BoardState()
    var surroundings = Surroundings()
    var bells: [Int: AsyncStream<Void>.Continuation] = [:]
    var last = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let sources: DashboardSources

  init(_ sources: DashboardSources) { self.sources = sources }

  /// Follows the run until the task is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await reading in self.sources.hub.events(since: 0) {
          let event = reading.event(at: self.sources.now())
          self.state.withLock { $0.board.add(event) }
          self.ring()
        }
      }
      // The loop's status tells of itself by no event, nor do disks.
      group.addTask {
        var seconds = 0
        while (try? await self.sources.clock.pause(for: .seconds(1))) != nil {
          guard self.hasReaders else { continue }
          if seconds % 5 == 0 { await self.look() }
          seconds += 1
          self.ring()
        }
      }
    }
  }

  /// Ends all streams.
  func close() {
    let bells = state.withLock { state in
      state.isClosed = true
      defer { state.bells = [:] }
      return state.bells.values
    }
    for bell in bells { bell.finish() }
  }

  var page: Page {
    let (board, surroundings) = state.withLock { ($0.board, $0.surroundings) }
    return board.page(sources.status(), surroundings)
  }

  // MARK: Pages

  private var hasReaders: Bool { state.withLock { !$0.bells.isEmpty } }

  /// Something rings in it when there may be news; it ends with the run.
  ///
  /// - Returns: With the number for `leave`.
  func listen() async -> (bells: AsyncStream<Void>, id: Int) {
    await look()
    let (bells, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let (id, isClosed) = state.withLock { state in
      state.last += 1
      if !state.isClosed { state.bells[state.last] = bell }
      return (state.last, state.isClosed)
    }
    if isClosed { bell.finish() }
    return (bells, id)
  }

  func leave(_ id: Int) { state.withLock { $0.bells[id] = nil } }

  private func look() async {
    let surroundings = await sources.look()
    state.withLock { $0.surroundings = surroundings }
  }

  private func ring() {
    for bell in state.withLock({ Array($0.bells.values) }) { bell.yield() }
  }
}
