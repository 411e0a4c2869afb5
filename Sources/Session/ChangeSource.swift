package import Watcher

/// Where a session hears of changes: the watcher with all that it watches.
package protocol ChangeSource: Sendable {
  /// Hands on what happens, in its order, until the watcher stops or the task is cancelled.
  func events(_ receive: @Sendable ([WatchEvent]) -> Void) async

  /// Puts a mark into the events behind every change made before the call.
  func mark(_ mark: WatchMark) async
}
