import Basics

/// The `profiles` of a configuration file: named parts that are merged over the rest.
///
/// Keys and values are merged key by key; a list, text or number takes the place of what the rest says.
struct ConfigurationProfiles {
  private static let key = "profiles"
  /// Each is read over the rest, which must not take forever.
  private static let maximumCount = 100

  /// The file without its profiles.
  private let rest: YAMLNode?
  /// In the order of the file.
  private(set) var all: [(name: String, node: YAMLNode)] = []
  /// Mistakes of the profiles themselves.
  private(set) var mistakes: [(message: String, node: YAMLNode, hint: String?)] = []

  init(of root: YAMLNode?) {
    guard let root, case .mapping(let pairs) = root.content else {
      rest = root
      return
    }
    var others = root
    others.content = .mapping(pairs.filter { $0.key.scalarText != Self.key })
    rest = others
    for pair in pairs where pair.key.scalarText == Self.key { read(pair.value) }
  }

  private mutating func read(_ node: YAMLNode) {
    if case .null = node.content { return }
    guard case .mapping(let pairs) = node.content else {
      mistakes.append(
        ("expected profiles by name, found \(node.kind)", node, "write 'profiles: {NAME: {…}}'"))
      return
    }
    guard pairs.count <= Self.maximumCount else {
      mistakes.append(("more than \(Self.maximumCount) profiles", node, "remove some"))
      return
    }
    for (key, value) in pairs {
      guard let name = key.scalarText, !name.isEmpty else {
        mistakes.append(("expected the name of a profile, found \(key.kind)", key, nil))
        continue
      }
      switch value.content {
      case .null: all.append((name, value))
      case .mapping(let inner):
        if let nested = inner.first(where: { $0.key.scalarText == Self.key }) {
          mistakes.append(("a profile has no profiles of its own", nested.key, "remove them"))
        }
        var own = value
        own.content = .mapping(inner.filter { $0.key.scalarText != Self.key })
        all.append((name, own))
      default:
        mistakes.append(("expected keys and values, found \(value.kind)", value, nil))
      }
    }
  }

  var names: [String] { all.map(\.name) }

  /// The file's values with a profile over them.
  ///
  /// - Parameter name: `nil`: none.
  func merged(_ name: String?) -> YAMLNode? {
    guard let name, let node = all.first(where: { $0.name == name })?.node else { return rest }
    return rest.map { node.over($0) } ?? node
  }
}

extension YAMLNode {
  /// This value where it says something, the other where it does not.
  ///
  /// Every value keeps its own line, so that a mistake is told where it stands.
  func over(_ lower: YAMLNode) -> YAMLNode {
    if case .null = content { return lower }
    guard case .mapping(let own) = content, case .mapping(var merged) = lower.content else {
      return self
    }
    for (key, value) in own {
      let place = merged.firstIndex { $0.key.scalarText == key.scalarText }
      if let place, key.scalarText != nil {
        let under = merged[place].value
        merged[place] = (key, value.over(under))
      } else {
        merged.append((key, value))
      }
    }
    var result = self
    result.content = .mapping(merged)
    return result
  }
}
