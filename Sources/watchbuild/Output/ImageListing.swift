import Basics
import Graph
import Runner

/// The line of `watchbuild images` for each image.
struct ImageListing: Encodable {
  struct State: Encodable {
    var current: Bool
    /// Why it is owed.
    var reason: String?

    init(_ standing: ImageStanding) {
      switch standing {
      case .current: current = true
      case .owed(let reason):
        current = false
        self.reason = reason
      }
    }
  }

  struct Image: Encodable {
    struct Product: Encodable {
      var target: String
      var outputGroup: String?
    }

    var name: String
    var target: String
    /// The names that it has in the runtimes; left out where only its build can tell.
    var refs: [String]?
    /// Why it is an image.
    var why: String
    /// `layout`, `sparseLayout` or `archive`.
    var form: String
    var builds: [Product]
    /// The same forms, in the order in which they are tried where the first is of no use.
    var otherwise: [String]
    /// Left out where it can't be told without Bazel, or no `dev` has run.
    var state: State?
  }

  let images: [Image]

  /// - Parameter states: How they stand, by their names, as far as is known.
  init(_ targets: [ImageTarget], states: [String: ImageStanding]) {
    images = targets.map { target in
      let way = target.source.ways[0]
      return Image(
        name: target.name, target: target.label.description, refs: target.expectedNames,
        why: Self.why(target.origin), form: way.form.rawValue,
        builds: way.products.map {
          .init(target: $0.label.description, outputGroup: $0.outputGroup)
        },
        otherwise: target.source.ways.dropFirst().map(\.form.rawValue),
        state: states[target.name].map(State.init))
    }
  }

  private static func why(_ origin: ImageTarget.Origin) -> String {
    switch origin {
    case .configured: "configured"
    case .named: "named"
    case .kind(let kind): "rule \(kind)"
    case .tag: "tag watchbuild"
    case .query: "query"
    }
  }

  /// A line for each image, with what is made for it below.
  var lines: [String] {
    let width = images.map(\.name.count).max() ?? 0
    return images.flatMap { image in
      let name = image.name + String(repeating: " ", count: width - image.name.count)
      let names = image.refs.map { $0.joined(separator: ", ") } ?? "named by its build"
      let indent = String(repeating: " ", count: width + 2)
      return [
        "\(name)  \(image.target) → \(names)",
        "\(indent)\(image.why); \(Self.built(image))" + (image.state.map(Self.text) ?? ""),
      ].map(Terminal.escaped)
    }
  }

  private static func built(_ image: Image) -> String {
    let what =
      switch image.form {
      case "layout": "layout"
      case "sparseLayout": "layout without base layers"
      default: "archive"
      }
    let products = image.builds.map { product in
      product.target + (product.outputGroup.map { " (\($0))" } ?? "")
    }
    return "\(what) from \(products.joined(separator: ", "))"
  }

  private static func text(_ state: State) -> String {
    state.current ? "; current" : "; owed" + (state.reason.map { ": \($0)" } ?? "")
  }
}
