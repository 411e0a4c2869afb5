package import Graph

/// A place in a source file and what a compiler, or Bazel, says is wrong there.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  package enum Severity: String, Hashable, Sendable, Codable { case error, warning, note }

  /// The target whose action said it, where that is known.
  package var target: Label?
  /// Relative to the workspace where the file lies in it, else absolute.
  package var file: String
  /// From 1.
  package var line: Int
  /// From 1.
  package var column: Int?
  package var severity: Severity
  package var message: String
  /// Some lines as the compiler wrote them, where they tell more than the message.
  package var snippet: String?
  /// So many more of the same action were cut off behind this one.
  package var omitted: Int?

  package init(
    target: Label? = nil, file: String, line: Int, column: Int? = nil, severity: Severity,
    message: String
  ) {
    self.target = target
    self.file = file
    self.line = line
    self.column = column
    self.severity = severity
    self.message = message
  }

  /// As compilers write it.
  package var description: String {
    "\(file):\(line)\(column.map { ":\($0)" } ?? ""): \(severity.rawValue): \(message)"
  }
}
