/// A validator for what the schema of events uses of JSON Schema 2020-12; anything else in it is an error.
package struct JSONSchema: Sendable {
  /// With the definitions that `$ref` names.
  package let root: JSONValue

  package init(root: JSONValue) { self.root = root }

  private static let annotations: Set = ["$schema", "$defs", "title", "description", "format"]

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
    case "pattern": matches(value.text, rule.text) ? [] : ["\(place) has another form: \(value)"]
    case "required":
      rule.items.compactMap(\.text).filter { value[$0] == nil }.map { "\(place).\($0) is missing" }
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
