import FoundationEssentials

/// Any JSON, for tests that compare documents.
package enum JSONValue: Equatable, Decodable, Sendable {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case number(Double)
  case boolean(Bool)
  case null

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package static func parse(_ bytes: some Sequence<UInt8>) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
  }

  package subscript(name: String) -> JSONValue? {
    if case .object(let fields) = self { fields[name] } else { nil }
  }

  package var fields: [String: JSONValue] {
    if case .object(let fields) = self { fields } else { [:] }
  }
  package var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
  package var text: String? { if case .string(let text) = self { text } else { nil } }
  package var number: Double? { if case .number(let number) = self { number } else { nil } }

  /// All fields by their paths, such as `changes[].path`; a list of objects is `changes[]`.
  package func paths(_ prefix: String = "") -> Set<String> {
    var paths: Set<String> = []
    for (name, value) in fields {
      let objects = value.items.filter { !$0.fields.isEmpty }
      let path = prefix + name + (objects.isEmpty ? "" : "[]")
      paths.insert(path)
      paths.formUnion(value.paths(path + "."))
      for object in objects { paths.formUnion(object.paths(path + ".")) }
    }
    return paths
  }
}
