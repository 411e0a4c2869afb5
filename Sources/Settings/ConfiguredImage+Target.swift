import Basics
import Graph

/// What becomes of an image that somebody named, once Bazel has told of its rule.
extension ConfiguredImage {
  /// True if it takes Bazel to know what is to be built. A file is a tar, and of an output group nothing more is to be
  /// known.
  var asksForKind: Bool { outputGroup == nil && !label.isArchive }

  /// Decides what is to be built for it.
  ///
  /// - Parameter found: What Bazel has told of its label; `nil`: nothing.
  /// - Throws: When it can't be loaded from what it is to be loaded from.
  func source(knowing found: FoundImage?) throws(Problem) -> ImageSource {
    guard outputGroup == nil, let known = found?.source, known != ImageSource(archiveOf: label)
    else {
      let form: ImageSource.Way.Form = from == .layout ? .layout : .archive
      return ImageSource(.init(form, .init(label, outputGroup: outputGroup)), choice: from)
    }
    if let source = known.limited(to: from) { return source }
    throw Problem(
      "image '\(name)' is to be loaded from a \(from.rawValue), but \(label) makes none",
      hint: "leave out its 'from', or name another 'target'")
  }

  /// The image of a run.
  func target(_ source: ImageSource, settings: Settings) -> ImageTarget {
    var target = ImageTarget(
      name: name, label: label, source: source, references: references,
      key: BatchKey(
        workspace: workspace ?? settings.workspace, options: settings.bazelOptions + options,
        platform: platform),
      requires: requires)
    target.rollout = rollout
    target.origin = isNamed ? .named : .configured
    return target
  }
}

extension FoundImage {
  var origin: ImageTarget.Origin {
    switch reason {
    case .kind(let kind): .kind(kind)
    case .tag: .tag
    case .named: .named
    case .query: .query
    }
  }
}
