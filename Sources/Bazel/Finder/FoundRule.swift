import Graph

/// A rule as the query for images tells it: its class, and what its attributes name.
struct FoundRule: Hashable {
  let label: Label
  /// The rule class, such as `oci_load`.
  let kind: String
  /// The attributes that the query asked for and the rule sets; a `select()` of one value is left out.
  private let attributes: [String: [String]]
  /// All targets that it reads, whatever the attribute.
  let inputs: [Label]
  /// The files that it declares by name.
  let outputs: [Label]

  /// - Returns: `nil` for what is no rule.
  init?(_ target: QueryStream.Target) {
    guard case .rule(let name, let kind, let inputs) = target.entry, let label = Label(name) else {
      return nil
    }
    self.label = label
    self.kind = kind
    attributes = target.attributes
    self.inputs = inputs.compactMap(Label.init)
    outputs = target.outputs.compactMap(Label.init)
  }

  func values(_ attribute: String) -> [String] { attributes[attribute] ?? [] }

  /// The value of an attribute that has one; `nil` where it is not set or empty.
  func text(_ attribute: String) -> String? {
    attributes[attribute]?.first.flatMap { $0.isEmpty ? nil : $0 }
  }

  func labels(_ attribute: String) -> [Label] { values(attribute).compactMap(Label.init) }

  func label(_ attribute: String) -> Label? { text(attribute).flatMap(Label.init) }

  var isTagged: Bool { values("tags").contains("watchbuild") }

  /// Its author does not want it found.
  var isHidden: Bool { values("tags").contains("no-watchbuild") }
}
