/// Values of settings by their keys; a setting that is missing is not said.
struct SettingValues: Equatable, Sendable {
  private var values: [String: any Equatable & Sendable] = [:]

  /// Settings that are said.
  var count: Int { values.count }

  subscript<Value>(_ key: SettingKey<Value>) -> Value? {
    get {
      // Looked up first: a missing value cast to an optional type would be a value.
      guard let value = values[key.name] else { return nil }
      return value as? Value
    }
    set { values[key.name] = newValue }
  }

  /// These values first, the others where these say nothing.
  func over(_ lower: SettingValues) -> SettingValues {
    var merged = self
    merged.values.merge(lower.values) { own, _ in own }
    return merged
  }

  static func == (left: SettingValues, right: SettingValues) -> Bool {
    left.values.count == right.values.count
      && left.values.allSatisfy { name, value in right.has(value, as: name) }
  }

  private func has<Value: Equatable>(_ value: Value, as name: String) -> Bool {
    guard let own = values[name] else { return false }
    return (own as? Value) == value
  }
}
