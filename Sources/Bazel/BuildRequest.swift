package import Graph

/// What one `bazel build` is to make.
package struct BuildRequest: Hashable, Sendable {
  package var targets: [Label]
  /// The batch key's options: the same in every cycle, or Bazel discards its analysis cache.
  package var options: [String]
  /// Built besides the default outputs.
  package var outputGroups: [String]
  package var keepsGoing: Bool
  /// `false`: end with exit code 9 when another command holds Bazel's lock.
  package var waitsForLock: Bool
  /// Bazel's server is to go by its own watch of the workspace instead of looking at every file.
  package var watches = false

  package init(
    targets: [Label], options: [String] = [], outputGroups: [String] = [], keepsGoing: Bool = true,
    waitsForLock: Bool = true
  ) {
    self.targets = targets
    self.options = options
    self.outputGroups = outputGroups
    self.keepsGoing = keepsGoing
    self.waitsForLock = waitsForLock
  }
}
