/// The wait before something that failed is tried again: longer each time, with a bound.
package struct Backoff: Hashable, Sendable {
  private let first: Duration
  private let longest: Duration
  private var following: Duration

  package init(from first: Duration = .seconds(1), to longest: Duration = .seconds(30)) {
    self.first = first
    self.longest = longest
    following = first
  }

  /// The next wait; each is twice the one before.
  package mutating func next() -> Duration {
    defer { following = min(following * 2, longest) }
    return following
  }

  /// It went well.
  package mutating func reset() { following = first }
}
