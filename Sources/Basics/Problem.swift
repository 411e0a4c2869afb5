/// A mistake that the user reads: what happened, where, and what to do about it.
package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
  /// A place in a file.
  package struct Location: Hashable, Sendable, CustomStringConvertible {
    /// As the user would type it: relative to the working directory where that is shorter.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int?

    package init(file: String, line: Int, column: Int? = nil) {
      self.file = file
      self.line = line
      self.column = column
    }

    package var description: String {
      Terminal.escaped(file) + ":\(line)" + (column.map { ":\($0)" } ?? "")
    }
  }

  package var message: String
  package var location: Location?
  /// The remedy.
  package var hint: String?
  package var status: ExitStatus
  /// Bazel could not answer; nothing that the user configured is at fault.
  package var isBazels = false
  /// Another try may do without any change.
  package var isTransient = false
  /// More mistakes of the same file, so that one run shows them all.
  package var others: [Problem] = []

  package init(
    _ message: String, at location: Location? = nil, hint: String? = nil,
    status: ExitStatus = .usage
  ) {
    self.message = message
    self.location = location
    self.hint = hint
    self.status = status
  }

  /// One line for each mistake, as GNU tools and problem matchers have it.
  package var description: String {
    let place = location?.description ?? "watchbuild"
    let advice = hint.map { "; \($0)" } ?? ""
    let line = "\(place): error: " + Terminal.escaped(message + advice)
    return ([line] + others.map(\.description)).joined(separator: "\n")
  }
}
