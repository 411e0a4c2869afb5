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
    let directory = directory
    for name in ["WATCHBUILD_BAZEL", "BAZEL"] where layer.bazelCommand == nil {
      layer.bazelCommand = try value(of: name) { text throws(InvalidValue) in
        try SettingText.program(text, relativeTo: directory)
      }
    }
    layer.trigger = try value(of: "WATCHBUILD_TRIGGER", SettingText.trigger)
    layer.pollInterval = try value(of: "WATCHBUILD_POLL_INTERVAL", SettingText.pollInterval)
    layer.debounce = try value(of: "WATCHBUILD_DEBOUNCE", SettingText.duration)
    layer.maxDelay = try value(of: "WATCHBUILD_MAX_DELAY", SettingText.duration)
    layer.onBusyUpdate = try value(of: "WATCHBUILD_ON_BUSY_UPDATE", SettingText.choice)
    layer.buildConcurrency = try value(
      of: "WATCHBUILD_BUILD_CONCURRENCY", SettingText.buildConcurrency)
    layer.keepsGoing = try value(of: "WATCHBUILD_KEEP_GOING", SettingText.boolean)
    layer.loadTargets = try value(of: "WATCHBUILD_LOAD") { text throws(InvalidValue) in
      let names = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
      return try LoadTargetText.parse(list: names, relativeTo: directory)
    }
    layer.loadJobs = try value(of: "WATCHBUILD_LOAD_JOBS", SettingText.loadJobs)
    layer.isPostponed = try value(of: "WATCHBUILD_POSTPONE", SettingText.boolean)
    layer.output = try value(of: "WATCHBUILD_OUTPUT", SettingText.choice)
    layer.events = try value(of: "WATCHBUILD_EVENTS") { text throws(InvalidValue) in
      try SettingText.events(text, relativeTo: directory)
    }
    layer.waitsForLock = try value(of: "WATCHBUILD_NO_WAIT_FOR_LOCK", SettingText.boolean)
      .map { !$0 }
    layer.color = try value(of: "WATCHBUILD_COLOR", SettingText.choice)
    let isQuiet = try value(of: "WATCHBUILD_QUIET", SettingText.boolean) ?? false
    let isVerbose = try value(of: "WATCHBUILD_VERBOSE", SettingText.boolean) ?? false
    if isQuiet || isVerbose { layer.verbosity = isVerbose ? .verbose : .quiet }
    return layer
  }

  /// `-C` and `-f`, which are needed before any file can be read.
  func path(_ name: String) -> FilePath? {
    text(of: name).map { directory.pushing(FilePath($0)) }
  }

  private func value<Value>(
    of name: String, _ parse: (String) throws(InvalidValue) -> Value
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
