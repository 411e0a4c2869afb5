/// Lines that make an editor, or a coding agent, work with watchbuild.
struct EditorSnippet: Hashable, Sendable {
  /// The same text's file below `samples/editors`.
  var sample: String
  var text: String
}
