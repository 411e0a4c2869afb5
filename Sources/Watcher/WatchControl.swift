import CInotifyTools
import Glibc
import Synchronization

/// The way to the watching thread: requests, and a bell that wakes it.
final class WatchControl: Sendable {
  enum Request: Sendable {
    case update(WatchScope, CheckedContinuation<WatchSummary, Never>)
    case synchronize(CheckedContinuation<Bool, Never>)
    case mark(WatchMark, CheckedContinuation<Bool, Never>)
  }

  private struct State {
    var requests: [Request] = []
    var summary: WatchSummary?
    var awaitingReady: [CheckedContinuation<WatchSummary, Never>] = []
    var awaitingEnd: [CheckedContinuation<Void, Never>] = []
    var awaitingRequest: CheckedContinuation<Void, Never>?
    var hasEnded = false
  }

  private let state = Mutex(State())
  private let stopping = Atomic<Bool>(false)
  /// An eventfd. Closed only when nobody can ring it any more.
  let bell: Int32

  init() throws(WatchError) {
    bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard bell >= 0 else { throw .noDescriptor }
  }

  deinit { close(bell) }

  // MARK: Called from anywhere

  func ready() async -> WatchSummary {
    await withCheckedContinuation { continuation in
      let summary = state.withLock { state in
        if let summary = state.summary { return summary as WatchSummary? }
        if state.hasEnded { return WatchSummary(directories: 0, files: 0) }
        state.awaitingReady.append(continuation)
        return nil
      }
      if let summary { continuation.resume(returning: summary) }
    }
  }

  func update(_ scope: WatchScope) async -> WatchSummary {
    await withCheckedContinuation { continuation in
      if !send(.update(scope, continuation)) {
        continuation.resume(returning: WatchSummary(directories: 0, files: 0))
      }
    }
  }

  /// - Returns: `false` when the thread has ended.
  func synchronize() async -> Bool {
    await withCheckedContinuation { continuation in
      if !send(.synchronize(continuation)) { continuation.resume(returning: false) }
    }
  }

  /// - Returns: `false` when the thread has ended.
  func mark(_ mark: WatchMark) async -> Bool {
    await withCheckedContinuation { continuation in
      if !send(.mark(mark, continuation)) { continuation.resume(returning: false) }
    }
  }

  func stop() async {
    requestStop()
    await withCheckedContinuation { continuation in
      let hasEnded = state.withLock { state in
        if !state.hasEnded { state.awaitingEnd.append(continuation) }
        return state.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
  }

  func requestStop() {
    stopping.store(true, ordering: .releasing)
    ring()
  }

  func ring() {
    eventfd_write(bell, 1)
    let waiting = state.withLock { state in
      defer { state.awaitingRequest = nil }
      return state.awaitingRequest
    }
    waiting?.resume()
  }

  private func send(_ request: Request) -> Bool {
    let isSent = state.withLock { state in
      if !state.hasEnded { state.requests.append(request) }
      return !state.hasEnded
    }
    if isSent { ring() }
    return isSent
  }

  // MARK: Called by the thread

  var isStopping: Bool { stopping.load(ordering: .acquiring) }

  func takeRequests() -> [Request] {
    var count: eventfd_t = 0
    eventfd_read(bell, &count)
    return state.withLock { state in
      defer { state.requests = [] }
      return state.requests
    }
  }

  /// Waits without a thread for what `poll` on the bell waits for with one.
  func awaitRequest() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if !state.requests.isEmpty || isStopping || Task.isCancelled { return true }
          state.awaitingRequest = continuation
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      let waiting = state.withLock { state in
        defer { state.awaitingRequest = nil }
        return state.awaitingRequest
      }
      waiting?.resume()
    }
  }

  func becomeReady(_ summary: WatchSummary) {
    let waiting = state.withLock { state in
      state.summary = summary
      defer { state.awaitingReady = [] }
      return state.awaitingReady
    }
    for continuation in waiting { continuation.resume(returning: summary) }
  }

  func end() {
    let (state, summary) = state.withLock { state in
      state.hasEnded = true
      defer {
        state.requests = []
        state.awaitingReady = []
        state.awaitingEnd = []
      }
      return (state, state.summary ?? WatchSummary(directories: 0, files: 0))
    }
    for continuation in state.awaitingReady { continuation.resume(returning: summary) }
    for request in state.requests {
      switch request {
      case .update(_, let continuation): continuation.resume(returning: summary)
      case .synchronize(let continuation), .mark(_, let continuation):
        continuation.resume(returning: false)
      }
    }
    for continuation in state.awaitingEnd { continuation.resume() }
  }
}
