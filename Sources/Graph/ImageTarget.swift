/// An image that watchbuild keeps up to date: what to build, how, and what to call the result.
package struct ImageTarget: Hashable, Sendable {
  /// How people and scripts name it; unique among the images of a run.
  package var name: String
  package var label: Label
  /// The output group that holds the tar, where it is not a default output.
  package var outputGroup: String?
  /// The reference that the runtime is to know it by; `nil`: the tag inside the archive, else
  /// `NAME:dev`.
  package var reference: String?
  /// Which images may share one build.
  package var key: BatchKey
  /// Names of the images that must be loaded before this one is built.
  package var requires: [String]
  /// Nobody named it: Bazel found it by its kind, a tag or a query.
  package var isFound = false

  package init(
    name: String, label: Label, outputGroup: String? = nil, reference: String? = nil,
    key: BatchKey, requires: [String] = []
  ) {
    self.name = name
    self.label = label
    self.outputGroup = outputGroup
    self.reference = reference
    self.key = key
    self.requires = requires
  }
}
