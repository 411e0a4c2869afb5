package import Basics
import SystemPackage

/// Reads the values of settings from text: one way for options, environment and file.
package enum SettingText {
  package static func trigger(_ text: String) throws(InvalidValue) -> Trigger {
    try choice(text)
  }

  static func choice<Choice>(_ text: String) throws(InvalidValue) -> Choice
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let choice = Choice(rawValue: text) else {
      let choices = Choice.allCases.map(\.rawValue)
      throw InvalidValue(
        "'\(text)' is none of \(choices.joined(separator: ", "))"
          + Suggestion.text(for: text, among: choices))
    }
    return choice
  }

  package static func duration(_ text: String) throws(InvalidValue) -> Duration {
    try DurationText.parse(text)
  }

  package static func pollInterval(_ text: String) throws(InvalidValue) -> Duration {
    let interval = try DurationText.parse(text)
    guard interval >= .milliseconds(10) else {
      throw InvalidValue("polling more often than each 10ms would only keep the disk busy")
    }
    return interval
  }

  package static func boolean(_ text: String) throws(InvalidValue) -> Bool {
    switch text.lowercased() {
    case "1", "true", "yes", "on": return true
    case "0", "false", "no", "off": return false
    default: throw InvalidValue("'\(text)' is neither true nor false; write 1 or 0")
    }
  }

  package static func buildConcurrency(_ text: String) throws(InvalidValue) -> Int {
    guard let count = Int(text), (0...100_000).contains(count) else {
      throw InvalidValue("write a number of images, or 0 for no limit")
    }
    return count
  }

  package static func loadJobs(_ text: String) throws(InvalidValue) -> Int {
    guard let count = Int(text), (1...256).contains(count) else {
      throw InvalidValue("write a number from 1 to 256")
    }
    return count
  }

  package static func pruneKeep(_ text: String) throws(InvalidValue) -> Int {
    guard let count = Int(text), (0...10_000).contains(count) else {
      throw InvalidValue("write a number of images to keep of each name")
    }
    return count
  }

  /// A glob pattern of files.
  static func pattern(_ text: String) throws(InvalidValue) -> String {
    guard !text.isEmpty else { throw InvalidValue("an empty pattern matches nothing") }
    return text
  }

  /// A program: a name to be looked up in `PATH`, or a path made absolute.
  @Sendable static func program(
    _ text: String, relativeTo base: FilePath
  ) throws(InvalidValue) -> String {
    guard !text.isEmpty else { throw InvalidValue("name a program, such as bazel or bazelisk") }
    guard text.contains("/") else { return text }
    return base.pushing(FilePath(text)).lexicallyNormalized().string
  }

  /// A word of Bazel's options: an option, or the value of the one before it (`-c opt`).
  package static func bazelOption(_ text: String) throws(InvalidValue) -> String {
    guard !text.isEmpty, text != "-", text != "--" else {
      throw InvalidValue("'\(text)' is no option; write one such as --config=dev")
    }
    guard !text.hasPrefix("//"), !text.hasPrefix("@") else {
      throw InvalidValue("'\(text)' is a target, not an option; name images under 'images'")
    }
    return text
  }
}
