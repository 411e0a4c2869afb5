package import Graph

/// The output of one action of a build.
package struct ActionOutput: Hashable, Sendable {
  /// The target that the action belongs to, where Bazel names it.
  package var target: Label?
  /// The action, in a few words.
  package var title: String
  /// Whole, without colours and without what Debian's sandbox says of itself.
  package var text: String
  package var isFailure: Bool

  package init(target: Label?, title: String, text: String, isFailure: Bool) {
    self.target = target
    self.title = title
    self.text = text
    self.isFailure = isFailure
  }
}
