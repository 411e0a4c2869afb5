package import Bazel
import Graph

extension Event {
  /// A compiler or Bazel complains of a place in a file.
  package struct Diagnosed: EventFields {
    package static let type = "diagnostic"

    /// The image that it holds up, where it is one.
    package var image: String?
    /// All images of the cycle that it holds up, where they are known.
    package var images: [String]?
    /// The label of the rule whose action said it.
    package var target: String?
    /// Relative to the workspace where it lies in it.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1.
    package var column: Int?
    /// How bad it is.
    package var severity: Diagnostic.Severity
    /// What is wrong; it may have several lines.
    package var message: String
    /// About ten lines as the compiler wrote them, with excerpt and caret.
    package var snippet: String?
    /// The file that holds all that the action printed.
    package var log: String?
    /// So many more of the same action are not told.
    package var omitted: Int?

    /// - Parameters:
    ///   - diagnostic: What a compiler or Bazel says.
    ///   - image: The image that it holds up, where it is one.
    ///   - images: All images that it holds up, where they are known.
    package init(_ diagnostic: Diagnostic, image: String?, images: [String]? = nil) {
      self.image = image
      self.images = images
      target = diagnostic.target?.description
      file = diagnostic.file
      line = diagnostic.line
      column = diagnostic.column
      severity = diagnostic.severity
      message = diagnostic.message
      snippet = diagnostic.snippet
      omitted = diagnostic.omitted
    }
  }
}
