/// A validator for what our schemas use of JSON Schema 2020-12; anything else in it is an error.
package struct JSONSchema: Sendable {
  /// With the definitions that `$ref` names.
  package let root: JSONValue

  package init(root: JSONValue) { self.root = root }

  private static let annotations: Set = [
    "$schema", "$defs", "title", "description", "format", "examples",
  ]

  /// - Returns: What is wrong, each with its place; none: the value is valid.
  package func errors(in value: JSONValue) -> [String] { errors(value, root, at: "$") }

  private func errors(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    schema.fields.flatMap { keyword, rule in
      errors(value, keyword, rule, schema, at: place)
    }
  }

  private func errors(
    _ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: JSONValue, at place: String
  ) -> [String] {
    switch keyword {
    case _ where Self.annotations.contains(keyword): []
    case "type": isOfType(value, rule.text) ? [] : ["\(place) is no \(rule.text ?? "?"): \(value)"]
    case "const": value == rule ? [] : ["\(place) is not \(rule)"]
    case "enum": rule.items.contains(value) ? [] : ["\(place) is none of \(rule.items)"]
    case "minimum": (value.number ?? 0) >= (rule.number ?? 0) ? [] : ["\(place) is too small"]
    case "maximum": (value.number ?? 0) <= (rule.number ?? 0) ? [] : ["\(place) is too large"]
    case "minLength":
      Double(value.text?.count ?? 0) >= (rule.number ?? 0) ? [] : ["\(place) is too short"]
    case "minItems": Double(value.items.count) >= (rule.number ?? 0) ? [] : ["\(place) has too few"]
    case "oneOf":
      rule.items.count { errors(value, $0, at: place).isEmpty } == 1
        ? [] : ["\(place) is not just one of \(rule.items.count)"]
    case "additionalProperties":
      value.fields.keys.filter { schema["properties"]?[$0] == nil }.flatMap { name in
        rule == .boolean(false)
          ? ["\(place).\(name) is unknown"]
          : errors(value[name] ?? .null, rule, at: "\(place).\(name)")
      }
    case "pattern": matches(value.text, rule.text) ? [] : ["\(place) has another form: \(value)"]
    case "required":
      rule.items.compactMap(\.text).filter { value[$0] == nil }.map { "\(place).\($0) is missing" }
    case "dependentRequired":
      rule.fields.filter { value[$0.key] != nil }.flatMap { name, others in
        others.items.compactMap(\.text).filter { value[$0] == nil }.map {
          "\(place).\(name) needs \($0)"
        }
      }
    case "properties":
      rule.fields.flatMap { name, rule in
        value[name].map { errors($0, rule, at: "\(place).\(name)") } ?? []
      }
    case "items": value.items.flatMap { errors($0, rule, at: "\(place)[]") }
    case "allOf": rule.items.flatMap { errors(value, $0, at: place) }
    case "if":
      if errors(value, rule, at: place).isEmpty, let then = schema["then"] {
        errors(value, then, at: place)
      } else {
        []
      }
    case "then": []
    case "$ref":
      if let name = rule.text?.split(separator: "/").last, let target = root["$defs"]?[String(name)]
      {
        errors(value, target, at: place)
      } else {
        ["\(place): there is no \(rule)"]
      }
    default: ["the schema has the keyword \(keyword), which this validator does not know"]
    }
  }

  private func isOfType(_ value: JSONValue, _ type: String?) -> Bool {
    switch (value, type) {
    case (.object, "object"), (.array, "array"), (.string, "string"), (.boolean, "boolean"): true
    case (.number(let number), "integer"): number == number.rounded()
    case (.number, "number"): true
    default: false
    }
  }

  private func matches(_ text: String?, _ pattern: String?) -> Bool {
    guard let text, let pattern, let expression = try? Regex(pattern) else { return false }
    return text.firstMatch(of: expression) != nil
  }

  /// All fields that a schema describes, by their paths: see `JSONValue.paths`.
  package func paths(of schema: JSONValue, _ prefix: String = "") -> Set<String> {
    var paths: Set<String> = []
    for (name, rule) in schema["properties"]?.fields ?? [:] {
      let objects = rule["items"]?["properties"]
      let path = prefix + name + (objects == nil ? "" : "[]")
      paths.insert(path)
      paths.formUnion(self.paths(of: rule, path + "."))
      if let items = rule["items"] { paths.formUnion(self.paths(of: items, path + ".")) }
    }
    return paths
  }
}
