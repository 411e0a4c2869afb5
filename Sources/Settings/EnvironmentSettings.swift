import Basics
import SystemPackage

/// The settings in environment variables: `WATCHBUILD_` and the option's name.
///
/// A variable that is set to nothing counts as not set.
struct EnvironmentSettings {
  var environment: [String: String]
  /// What relative paths are relative to.
  var directory: FilePath

  func layer() throws(Problem) -> SettingsLayer {
    var layer = SettingsLayer()
    for setting in SettingKeys.all { try setting.read(self, into: &layer.values) }
    return layer
  }

  /// `-C` and `-f`, which are needed before any file can be read.
  func path(_ name: String) -> FilePath? {
    text(of: name).map { directory.pushing(FilePath($0)) }
  }

  func value<Value>(
    of name: String, _ parse: (String) throws(InvalidValue) -> Value?
  ) throws(Problem) -> Value? {
    guard let text = text(of: name) else { return nil }
    do {
      return try parse(text)
    } catch {
      throw Problem(
        "environment variable \(name)=\(text): \(error)", hint: "correct it or unset it")
    }
  }

  /// - Returns: `nil` where it is not set, or set to nothing.
  func text(of name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
