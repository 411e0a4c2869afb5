/// An image that watchbuild keeps up to date: what to build, how, and what to call the result.
package struct ImageTarget: Hashable, Sendable {
  /// The name for people and scripts; unique among the images of a run.
  package var name: String
  /// The target that stands for the image, a loader for instance. What is built for it tells `source`.
  package var label: Label
  /// The targets that Bazel is to build for it, and the way to read them.
  package var source: ImageSource
  /// The configured references that the runtime is to know it by; none: the names that the target gives it, else
  /// `NAME:dev`.
  package var references: [String]
  /// Images with the same key may share one build.
  package var key: BatchKey
  /// Names of the images that must be loaded before this one is built.
  package var requires: [String]
  /// The way to restart what runs it; `nil`: it is loaded, and nothing is restarted.
  package var rollout: RolloutTarget?
  /// Nobody named it: Bazel found it by its kind, a tag or a query.
  package var isFound = false
  /// Why it is an image of the run.
  package var origin = Origin.named

  package enum Origin: Hashable, Sendable {
    /// It stands in the configuration.
    case configured
    /// Its label was given.
    case named
    /// Its rule is of a class that makes or loads images.
    case kind(String)
    /// It is tagged `watchbuild`.
    case tag
    /// A query of the configuration has answered with it.
    case query
  }

  /// - Parameters:
  ///   - source: What is built; `nil`: the label itself, and the archive among its outputs.
  ///   - outputGroup: The label's output group that holds the archive, where there is no `source`.
  package init(
    name: String, label: Label, source: ImageSource? = nil, outputGroup: String? = nil,
    references: [String] = [], key: BatchKey, requires: [String] = []
  ) {
    self.name = name
    self.label = label
    self.source = source ?? ImageSource(archiveOf: label, outputGroup: outputGroup)
    self.references = references
    self.key = key
    self.requires = requires
  }

  /// Its names in the runtimes as far as they are known before it is built; `nil`: they are not.
  package var expectedNames: [String]? {
    if !references.isEmpty { return references }
    return source.names.map { $0.isEmpty ? ["\(name.lowercased()):dev"] : $0 }
  }
}
