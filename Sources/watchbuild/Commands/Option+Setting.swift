import ArgumentParser
import Settings
import SystemPackage

/// Options of settings: what the help says and how the value is read follows from the setting's key.
extension Option {
  /// - Parameter setting: A setting whose value needs no directory to be understood.
  init<Choice: Equatable & Sendable>(
    setting path: KeyPath<SettingKeys, SettingKey<Choice>>, completion: CompletionKind? = nil
  ) where Value == Choice? {
    let key = SettingKeys()[keyPath: path]
    self.init(
      help: ArgumentHelp(setting: key), completion: completion,
      transform: { try key.parse($0, relativeTo: "") })
  }

  /// - Parameter setting: A setting of which the parser itself knows the values.
  init<Choice: ExpressibleByArgument & CaseIterable & Equatable & Sendable>(
    setting path: KeyPath<SettingKeys, SettingKey<Choice>>
  ) where Value == Choice? {
    self.init(help: ArgumentHelp(setting: SettingKeys()[keyPath: path]))
  }
}

extension ArgumentHelp {
  init<Value>(setting key: SettingKey<Value>) {
    self.init("\(key.help)", valueName: key.valueName.isEmpty ? nil : key.valueName)
  }

  init<Value>(setting path: KeyPath<SettingKeys, SettingKey<Value>>) {
    self.init(setting: SettingKeys()[keyPath: path])
  }
}
