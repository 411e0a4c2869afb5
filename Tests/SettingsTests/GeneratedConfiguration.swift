import TestSupport

/// Makes configurations from a schema's own examples, and mistakes in them; the same for a seed.
struct GeneratedConfiguration: RandomNumberGenerator {
  let schema: JSONValue
  private var state: UInt64
  /// Makes names that no two images may share.
  private var count = 0

  init(_ schema: JSONValue, seed: UInt64) {
    self.schema = schema
    state = seed
  }

  // Source: https://prng.di.unimi.it/splitmix64.c
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  private mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &self) < percent
  }

  /// A value that the schema admits, without names that must be those of other values.
  mutating func value() -> JSONValue { value(schema) }

  private mutating func value(_ rule: JSONValue) -> JSONValue {
    if let name = rule["$ref"]?.text?.split(separator: "/").last {
      let target = schema["$defs"]?[String(name)] ?? .null
      let made = value(target)
      return name == "image" ? distinct(made) : made
    }
    if let choices = rule["oneOf"]?.items, let choice = choices.randomElement(using: &self) {
      return value(choice)
    }
    if let choices = rule["enum"]?.items, let choice = choices.randomElement(using: &self) {
      return choice
    }
    switch rule["type"]?.text {
    case "object": return object(rule)
    case "array":
      let least = Int(rule["minItems"]?.number ?? 0)
      let item = rule["items"] ?? .null
      return .array((0..<Int.random(in: least...2, using: &self)).map { _ in value(item) })
    case "boolean": return .boolean(chance(50))
    default: return rule["examples"]?.items.randomElement(using: &self) ?? .null
    }
  }

  private mutating func object(_ rule: JSONValue) -> JSONValue {
    let required = rule["required"]?.items.compactMap(\.text) ?? []
    var fields: [String: JSONValue] = [:]
    // Sorted, because a dictionary's order is another in each run.
    for (name, part) in (rule["properties"]?.fields ?? [:]).sorted(by: { $0.key < $1.key })
    where required.contains(name) || chance(60) {
      fields[name] = value(part)
    }
    for (name, others) in rule["dependentRequired"]?.fields ?? [:]
    where others.items.compactMap(\.text).contains(where: { fields[$0] == nil }) {
      fields[name] = nil
    }
    if let others = rule["additionalProperties"], others != .boolean(false) {
      for name in ["podman", "ci"] where chance(40) { fields[name] = value(others) }
    }
    // These name images, which a mistake elsewhere may take away.
    for name in ["requires", "images"] where required != [] && fields[name] != nil {
      fields[name] = .array([])
    }
    return .object(fields)
  }

  /// The image with names that no other has.
  private mutating func distinct(_ image: JSONValue) -> JSONValue {
    count += 1
    var fields = image.fields
    fields["target"] = .string("//services/s\(count)")
    if fields["name"] != nil { fields["name"] = .string("image\(count)") }
    if let reference = fields["ref"] {
      let text = JSONValue.string("registry.local/r\(count):dev")
      fields["ref"] = reference.text == nil ? .array([text]) : text
    }
    return .object(fields)
  }

  // MARK: Mistakes

  /// The value with one thing changed somewhere, which mostly makes it wrong.
  mutating func changed(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(var fields) where !fields.isEmpty && chance(75):
      guard let name = fields.keys.sorted().randomElement(using: &self) else { return value }
      fields[name] = fields[name].map { changed($0) }
      return .object(fields)
    case .array(var items) where !items.isEmpty && chance(75):
      let place = Int.random(in: items.indices, using: &self)
      items[place] = changed(items[place])
      return .array(items)
    case .object(var fields) where chance(70):
      if chance(50), let name = fields.keys.sorted().randomElement(using: &self) {
        fields[name] = nil
      } else {
        fields["zzz"] = .number(1)
      }
      return .object(fields)
    case .number where chance(50): return .number(-1)
    default:
      let others: [JSONValue] = [
        .string("? ?"), .number(3), .boolean(true), .array([]), .object([:]),
      ]
      return others.randomElement(using: &self) ?? .null
    }
  }
}

extension JSONValue {
  /// As JSON, which is YAML too.
  var json: String {
    switch self {
    case .object(let fields):
      "{"
        + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value.json)" }
        .joined(separator: ", ") + "}"
    case .array(let items): "[" + items.map(\.json).joined(separator: ", ") + "]"
    case .string(let text):
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    case .number(let number): "\(Int(number))"
    case .boolean(let value): "\(value)"
    case .null: "null"
    }
  }
}
