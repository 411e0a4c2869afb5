import Basics
import Bazel
package import Events
import Synchronization
import Watcher

/// Shows the work of a run, put together from its events and Bazel's words beside them. Any task may add.
package final class ActivityBoard: Sendable {
  private let state = Mutex(ActivityState())
  private let version = Mutex<String?>(nil)
  private let elapsed: @Sendable () -> Duration
  /// Something has changed; the newest word of it is enough.
  private let news: AsyncStream<Void>
  private let bell: AsyncStream<Void>.Continuation

  package init(clock: some Clock<Duration>) {
    elapsed = clock.stopwatch()
    (news, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Takes a line of Bazel's progress.
  package func add(progress line: String) { change { $0.add(progress: line, at: $1) } }

  /// Takes Bazel's version, which each build tells.
  func tell(version: String) { self.version.withLock { $0 = version } }

  /// Bazel's version, as the latest build told it.
  package var bazelVersion: String? { version.withLock { $0 } }

  /// Bazel's build has ended; loads may still run.
  func buildEnded() { change { state, _ in state.buildEnded() } }

  /// Runs a question to Bazel that belongs to no cycle.
  package func reading<Success>(_ question: () async throws -> Success) async rethrows -> Success {
    change { $0.reading(true, at: $1) }
    defer { change { $0.reading(false, at: $1) } }
    return try await question()
  }

  /// A file was saved.
  package func saved(_ path: String) { change { state, _ in state.saved(path) } }

  /// How long a cycle of an earlier run took.
  package func remember(_ ms: Int, cause: String) {
    change { state, _ in state.remember(ms, of: ActivityState.kind(of: cause)) }
  }

  private func change(_ change: (inout ActivityState, Duration) -> Void) {
    let now = elapsed()
    state.withLock { change(&$0, now) }
    bell.yield()
  }

  /// Follows the events of a hub, and records each second what is being done, until the task is cancelled.
  ///
  /// - Parameter clock: Told by its seconds.
  package func tell<C: Clock<Duration>>(_ hub: EventHub, clock: C) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for await reading in hub.events(since: 0) {
          guard case .event(let event) = reading else { continue }
          self.change { $0.add(event, at: $1) }
        }
      }
      group.addTask { await self.tellWhileBusy(hub, clock: clock) }
    }
  }

  private func tellWhileBusy<C: Clock<Duration>>(_ hub: EventHub, clock: C) async {
    var changes = news.makeAsyncIterator()
    while !Task.isCancelled {
      // At rest there is nothing to wake up for.
      guard state.withLock(\.isBusy) else {
        guard await changes.next() != nil else { return }
        continue
      }
      guard (try? await clock.pause(for: .seconds(1))) != nil else { return }
      let now = elapsed()
      let (activity, cycle) = state.withLock { ($0.activity(at: now), $0.cycle) }
      if let activity { hub.record(.activity(activity), cycle: cycle) }
    }
  }
}
