package import Basics
import Graph
import Images

/// The images that a Tiltfile has plainly built by Bazel.
///
/// They are those of `custom_build` and `local_resource` whose command is `bazel build` or `bazel run` of one target.
/// Nothing is evaluated.
///
/// Source: https://docs.tilt.dev/api.html
package struct TiltFile: ForeignFile, Equatable, Sendable {
  package static let name = "Tiltfile"

  package private(set) var images: [InitialConfiguration.Image] = []
  package private(set) var left: [String] = []

  package init(_ text: String, file: String) throws(Problem) {
    for call in StarlarkCalls(text).calls { take(call) }
    guard !images.isEmpty else {
      throw Problem(
        "no custom_build and no local_resource of \(file) is plainly 'bazel build' or 'bazel run' of one target",
        hint: "run 'watchbuild init' without --from, which looks for image targets")
    }
  }

  private mutating func take(_ call: StarlarkCalls.Call) {
    switch call.function {
    case "custom_build": image(call, name: call.argument(0, "ref"), isReference: true)
    case "local_resource": image(call, name: call.argument(0, "name"), isReference: false)
    default: left.append("line \(call.line): \(call.function)")
    }
  }

  private mutating func image(
    _ call: StarlarkCalls.Call, name: StarlarkCalls.Value?, isReference: Bool
  ) {
    let command = call.argument(1, isReference ? "command" : "cmd")
    guard case .text(let name) = name, let target = Self.target(command) else {
      left.append(
        "line \(call.line): \(call.function): its command is not plainly 'bazel build' or 'bazel run' of one target"
      )
      return
    }
    guard !images.contains(where: { $0.target == target }) else { return }
    var image = InitialConfiguration.Image(name: unusedName(for: name), target: target)
    if isReference {
      guard let reference = ImageReference(name) else {
        left.append("line \(call.line): custom_build: '\(name)' is no image reference")
        return
      }
      image.ref = reference.description
    }
    images.append(image)
  }

  /// The one label that a command builds or runs.
  private static func target(_ command: StarlarkCalls.Value?) -> String? {
    let words: [String]
    switch command {
    case .text(let text): words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    case .list(let list): words = list
    case .other, nil: return nil
    }
    guard let place = words.firstIndex(where: { ["build", "run"].contains($0) }), place > 0,
      ["bazel", "bazelisk"].contains(words[place - 1].split(separator: "/").last.map(String.init))
    else { return nil }
    // What runs afterwards, such as docker tag, has no place here; labels in it are none of Bazel's.
    let own = words[(place + 1)...].prefix { !["&&", "||", ";", "|", "--"].contains($0) }
    let labels = own.filter { $0.hasPrefix("//") || $0.hasPrefix("@") }.compactMap { Label($0) }
    guard labels.count == 1 else { return nil }
    return labels[0].description
  }
}
