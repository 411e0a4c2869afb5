import ArgumentParser
import SystemPackage
import Testing

@testable import Settings

struct EnvironmentSettingsTests {
  /// Tested elsewhere: they are needed before the other settings can be read.
  private static let early: Set<String> = ["--directory", "--file", "--help", "--profile-name"]

  @Test func `every option has a variable named after it`() {
    let help = TestCommand.helpMessage(columns: 200)
    let words = help.split { !($0.isLetter || $0 == "-") }
    let options = Set(words.filter { $0.hasPrefix("--") && $0.count > 2 }.map(String.init))
    let tested = Set(SettingsTests.rows.map(\.variable.name)).union([
      // One row stands for both.
      "WATCHBUILD_QUIET"
    ])

    let missing = options.subtracting(Self.early).filter { option in
      let name = option.drop { $0 == "-" }.uppercased().replacing("-", with: "_")
      let positive = name == "NO_KEEP_GOING" ? "KEEP_GOING" : name
      return !tested.contains("WATCHBUILD_\(positive)")
    }
    #expect(missing.isEmpty)
    #expect(options.count > 15)
  }

  @Test func `a variable set to nothing counts as not set`() throws {
    let settings = EnvironmentSettings(
      environment: ["WATCHBUILD_DEBOUNCE": "", "BAZEL": "", "WATCHBUILD_LOAD": ""], directory: "/")
    #expect(try settings.layer() == SettingsLayer())
  }

  @Test func `our own variable for bazel goes before the common one`() throws {
    let settings = EnvironmentSettings(
      environment: ["WATCHBUILD_BAZEL": "one", "BAZEL": "two"], directory: "/")
    #expect(try settings.layer().bazelCommand == "one")
  }
}
