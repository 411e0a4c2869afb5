/// A mistake that the user reads: what happened, where, and what to do about it.
struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
  /// A place in a file.
  struct Location: Hashable, Sendable, CustomStringConvertible {
    /// As the user would type it: relative to the working directory where that is shorter.
    var file: String
    /// From 1.
    var line: Int
    /// From 1, in Unicode scalars.
    var column: Int?

    var description: String {
      Terminal.escaped(file) + ":\(line)" + (column.map { ":\($0)" } ?? "")
    }
  }

  var message: String
  var location: Location?
  /// What to do.
  var hint: String?
  var status: ExitStatus
  /// Bazel could not answer; nothing that the user configured is at fault.
  var isBazels = false
  /// Another try may do without any change.
  var isTransient = false
  /// More mistakes of the same file, so that one run shows them all.
  var others: [Problem] = []

  init(
    _ message: String, at location: Location? = nil, hint: String? = nil,
    status: ExitStatus = .usage
  ) {
    self.message = message
    self.location = location
    self.hint = hint
    self.status = status
  }

  /// One line for each mistake, as GNU tools and problem matchers have it.
  var description: String {
    let place = location?.description ?? "watchbuild"
    let advice = hint.map { "; \($0)" } ?? ""
    let line = "\(place): error: " + Terminal.escaped(message + advice)
    return ([line] + others.map(\.description)).joined(separator: "\n")
  }
}
