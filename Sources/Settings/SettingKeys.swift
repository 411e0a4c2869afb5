/// The settings that there are: a property for each, in the file of its section, and its line in `all`.
package struct SettingKeys: Sendable {
  /// In the order in which the configuration is printed.
  static let all: [KnownSetting] = [
    KnownSetting(\.bazelCommand),
    KnownSetting(\.startupOptions),
    KnownSetting(\.bazelOptions),
    KnownSetting(\.watchesInBazel),
    KnownSetting(\.trigger),
    KnownSetting(\.pollInterval),
    KnownSetting(\.ignore),
    KnownSetting(\.debounce),
    KnownSetting(\.maxDelay),
    KnownSetting(\.onBusyUpdate),
    KnownSetting(\.buildConcurrency),
    KnownSetting(\.keepsGoing),
    KnownSetting(\.loadTargets),
    KnownSetting(\.loadJobs),
    KnownSetting(\.pruneKeep),
    KnownSetting(\.pruneOlderThan),
    KnownSetting(\.isPostponed),
    KnownSetting(\.waitsForLock),
    KnownSetting(\.output),
    KnownSetting(\.events),
    KnownSetting(\.dashboard),
    KnownSetting(\.bell),
    KnownSetting(\.clears),
    KnownSetting(\.color),
    KnownSetting(\.verbosity),
  ]

  /// The sections of the file that are settings alone, in the order of `all`.
  static let sections: [String] = all.reduce(into: []) { names, setting in
    if let section = setting.place?.section, !names.contains(section) { names.append(section) }
  }

  /// Each setting as it is where no source says anything.
  static let defaults: SettingValues = all.reduce(into: SettingValues()) { $1.reset(&$0) }

  package init() {}

  static func settings(of section: String) -> [(key: String, setting: KnownSetting)] {
    all.compactMap { setting in
      guard let place = setting.place, place.section == section else { return nil }
      return (place.key, setting)
    }
  }
}
