import Basics
import Batching

/// Reads the programs that run at the stages of a cycle.
extension ConfigurationReader {
  mutating func hooks(_ node: YAMLNode) -> Hooks {
    let values = mapping(node, keys: Hook.Stage.allCases.map(\.rawValue))
    var hooks = Hooks()
    for stage in Hook.Stage.allCases {
      guard let node = values[stage.rawValue] else { continue }
      guard case .sequence(let elements) = node.content else {
        refuse(
          "expected a list of hooks, found \(node.kind)", at: node,
          hint: "write [{ run: [program, argument] }]")
        continue
      }
      hooks.byStage[stage] = elements.compactMap { hook($0) }
    }
    return hooks
  }

  private mutating func hook(_ node: YAMLNode) -> Hook? {
    let values = mapping(node, keys: ["run", "images", "timeout"])
    let images = list(values["images"]) { text throws(InvalidValue) in text }
    let timeout = value(values["timeout"], Self.timeout)
    guard case .mapping = node.content else { return nil }
    guard values["run"] != nil else {
      refuse("the hook has no 'run'", at: node, hint: "add 'run: [program, argument]'")
      return nil
    }
    return command(values["run"]).map {
      Hook($0, images: Set(images), timeout: timeout ?? .seconds(60))
    }
  }

  /// Every image that a hook names is one of the file, where the file names all.
  mutating func checkHooks(_ node: YAMLNode?, _ configuration: Configuration) {
    guard let node else { return }
    var names: Set<String> = []
    for entry in configuration.images {
      // What a query finds is not known yet.
      guard case .target(let image) = entry else { return }
      names.insert(image.name)
    }
    let named = configuration.hooks.byStage.values.joined().reduce(into: Set<String>()) {
      $0.formUnion($1.images)
    }
    for name in named.subtracting(names).sorted() {
      refuse(
        "a hook is for '\(name)', which is no image of this file"
          + Suggestion.text(for: name, among: names.sorted()), at: node)
    }
  }
}
