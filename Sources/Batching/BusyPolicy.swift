/// Decides what a change does to a build that runs.
package struct BusyPolicy: Hashable, Sendable {
  package enum Choice: String, Hashable, Sendable, CaseIterable {
    /// Interrupt the build if the change affects an image that it has not finished.
    case restart
    /// Let the build end, then build what changed.
    case queue
    /// Let the build end; what changed is owed, and built with the next batch.
    case ignore
  }

  /// So often in a row a build may be interrupted; then one is let finish.
  private static let patience = 2

  package let choice: Choice
  private var interruptions = 0

  package init(_ choice: Choice) { self.choice = choice }

  /// - Parameters:
  ///   - affected: Images that the change affects.
  ///   - unfinished: Images of the running build that are not done.
  /// - Returns: Whether to interrupt the build; counts it when so.
  package mutating func interrupts(affected: Set<String>, unfinished: Set<String>) -> Bool {
    guard choice == .restart, interruptions < Self.patience, !affected.isDisjoint(with: unfinished)
    else { return false }
    interruptions += 1
    return true
  }

  /// A build ended by itself.
  package mutating func buildFinished() { interruptions = 0 }
}
