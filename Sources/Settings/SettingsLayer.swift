/// What one source of settings says: the options, the environment, or the file.
///
/// Every property of `SettingKeys` is a property of it, `nil` where this source says nothing and the next one is asked.
@dynamicMemberLookup
package struct SettingsLayer: Equatable, Sendable {
  var values = SettingValues()

  package init() {}

  package subscript<Value>(dynamicMember path: KeyPath<SettingKeys, SettingKey<Value>>) -> Value? {
    get { values[SettingKeys()[keyPath: path]] }
    set { values[SettingKeys()[keyPath: path]] = newValue }
  }

  /// A setting that may be nothing: no source can say that it is.
  package subscript<Value>(dynamicMember path: KeyPath<SettingKeys, SettingKey<Value?>>) -> Value? {
    get { values[SettingKeys()[keyPath: path]] ?? nil }
    set { values[SettingKeys()[keyPath: path]] = newValue.map { .some($0) } }
  }

  /// This source first, the other where this says nothing.
  package func over(_ lower: SettingsLayer) -> SettingsLayer {
    var merged = self
    merged.values = values.over(lower.values)
    return merged
  }
}
