import Graph
import SystemPackage
import Testing

/// Two images, each of one source: //a:image ← a/x, //b:image ← b/x.
struct TwoImages {
  let targets: [ImageTarget]

  init() throws {
    targets = try ["a", "b"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
  }

  /// Their graph.
  ///
  /// - Parameter more: What else Bazel tells of.
  func index(with more: [QueryEntry] = []) -> TargetIndex {
    var builder = TargetIndex.Builder(workspace: "/w")
    for name in ["a", "b"] {
      builder.add(.rule(name: "//\(name):image", kind: "image", inputs: ["//\(name):x"]))
      builder.add(.sourceFile(name: "//\(name):x", loads: []))
      builder.add(.sourceFile(name: "//\(name):BUILD", loads: []))
    }
    for entry in more { builder.add(entry) }
    return builder.build(images: targets)
  }
}
