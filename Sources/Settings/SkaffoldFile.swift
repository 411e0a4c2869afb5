package import Basics
import Graph
import Images

/// Takes over a part of a `skaffold.yaml`: the artifacts that Bazel builds.
package struct SkaffoldFile: ForeignFile, Equatable, Sendable {
  package static let name = "skaffold.yaml"

  package private(set) var images: [InitialConfiguration.Image] = []
  package private(set) var left: [String] = []

  package init(_ text: String, file: String) throws(Problem) {
    let root = try YAMLDocument(parsing: text, file: file).root
    guard root?["apiVersion"]?.scalarText?.hasPrefix("skaffold/") == true else {
      throw Problem(
        "\(file) is no skaffold.yaml: its apiVersion is not skaffold's",
        hint: "pass a skaffold.yaml to --from")
    }
    leave(root, but: ["apiVersion", "kind", "metadata", "build"], in: "")
    let build = root?["build"]
    leave(build, but: ["artifacts"], in: "build.")
    if case .sequence(let artifacts) = build?["artifacts"]?.content {
      for artifact in artifacts { take(artifact) }
    }
    guard !images.isEmpty else {
      throw Problem(
        "Bazel builds no artifact of \(file)",
        hint: "run 'watchbuild init' without --from, which looks for image targets")
    }
  }

  private mutating func take(_ artifact: YAMLNode) {
    let name = artifact["image"]?.scalarText ?? "line \(artifact.line)"
    guard let bazel = artifact["bazel"], let target = bazel["target"]?.scalarText else {
      left.append("artifact \(name): Bazel does not build it")
      return
    }
    guard let label = Label(target) else {
      left.append("artifact \(name): '\(target)' is no label such as //services/api:image.tar")
      return
    }
    guard let reference = ImageReference(name) else {
      left.append("artifact \(name): this is no image reference")
      return
    }
    var image = InitialConfiguration.Image(name: unusedName(for: name), target: label.description)
    image.ref = reference.description
    if case .sequence(let options) = bazel["args"]?.content, !options.isEmpty {
      image.options = options.compactMap(\.scalarText)
    }
    images.append(image)
    leave(artifact, but: ["image", "bazel", "context"], in: "artifact \(name): ")
    leave(bazel, but: ["target", "args"], in: "artifact \(name): bazel.")
  }

  private mutating func leave(_ node: YAMLNode?, but taken: Set<String>, in place: String) {
    guard case .mapping(let pairs) = node?.content else { return }
    for pair in pairs {
      guard let key = pair.key.scalarText, !taken.contains(key) else { continue }
      left.append(place + key)
    }
  }
}

extension YAMLNode {
  /// The value of a key; `nil` where there is none, or this is no mapping.
  subscript(key: String) -> YAMLNode? {
    guard case .mapping(let pairs) = content else { return nil }
    return pairs.first { $0.key.scalarText == key }?.value
  }
}
