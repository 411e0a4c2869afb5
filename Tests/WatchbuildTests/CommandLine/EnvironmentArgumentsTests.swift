import SystemPackage
import Testing

@testable import Basics
@testable import Settings
@testable import watchbuild

struct EnvironmentArgumentsTests {
  private func arguments(_ line: String, _ environment: [String: String]) throws -> String {
    let words = line.split(separator: " ").map(String.init)
    return try EnvironmentArguments(
      environment: environment, commands: { try CommandTree(of: Watchbuild.self) }
    ).added(to: words).joined(separator: " ")
  }

  @Test(arguments: [
    ("prune", ["WATCHBUILD_DRY_RUN": "1"], "prune --dry-run"),
    ("prune", ["WATCHBUILD_DRY_RUN": "no"], "prune"),
    ("prune", ["WATCHBUILD_DRY_RUN": ""], "prune"),
    ("prune --keep 1", ["WATCHBUILD_KEEP": "3"], "prune --keep 1"),
    ("prune --keep=1", ["WATCHBUILD_KEEP": "3"], "prune --keep=1"),
    ("prune -q", ["WATCHBUILD_OLDER_THAN": "1h"], "prune -q --older-than 1h"),
    ("doctor", ["WATCHBUILD_KEEP": "3"], "doctor"),
    ("config print", ["WATCHBUILD_JSON": "1"], "config print --json"),
    (
      "build api -- -c opt", ["WATCHBUILD_AFFECTED_BY": "a.go,b.go"],
      "build api --affected-by a.go --affected-by b.go -- -c opt"
    ),
    ("dev", ["WATCHBUILD_DEBOUNCE": "1s", "WATCHBUILD_IMAGES": "api"], "dev"),
    ("dev --help", ["WATCHBUILD_TRIGER": "poll"], "dev --help"),
  ])
  func `a variable stands for its option`(
    line: String, environment: [String: String], expected: String
  ) throws {
    #expect(try arguments(line, environment) == expected)
  }

  @Test(arguments: [
    ("WATCHBUILD_TRIGER", "did you mean 'WATCHBUILD_TRIGGER'?"),
    ("WATCHBUILD_DRYRUN", "did you mean 'WATCHBUILD_DRY_RUN'?"),
    ("WATCHBUILD_OUTPUTS", "did you mean 'WATCHBUILD_OUTPUT'?"),
    ("WATCHBUILD_LOGS", "did you mean 'WATCHBUILD_LOG'?"),
    ("WATCHBUILD_SOMETHING_ELSE", "unknown environment variable WATCHBUILD_SOMETHING_ELSE; "),
  ])
  func `a misspelt variable is refused`(name: String, message: String) throws {
    let problem = #expect(throws: Problem.self) { try arguments("dev", [name: "1"]) }
    #expect(problem?.description.contains(message) == true)
    #expect(problem?.status == .usage)
  }

  @Test func `a flag's variable has to be true or false`() {
    let problem = #expect(throws: Problem.self) {
      try arguments("prune", ["WATCHBUILD_DRY_RUN": "perhaps"])
    }
    #expect(problem?.message.contains("WATCHBUILD_DRY_RUN=perhaps") == true)
  }

  /// Read before the settings are, each with a test of its own.
  private static let early: Set = [
    "WATCHBUILD_DIRECTORY", "WATCHBUILD_FILE", "WATCHBUILD_LOG", "WATCHBUILD_PROFILE_NAME",
  ]

  @Test(arguments: EnvironmentNames.settings.subtracting(early).sorted())
  func `every variable called a setting is read as one`(name: String) {
    let isRead = ["1", "nonsense"].contains { value in
      // A value that is refused was read.
      let layer = try? EnvironmentSettings(environment: [name: value], directory: "/").layer()
      return layer != SettingsLayer()
    }
    #expect(isRead)
  }

  @Test func `every option of every command is an option of the tree`() throws {
    let names = try CommandTree(of: Watchbuild.self).allOptions.flatMap(\.longNames)
    for name in ["--trigger", "--affected-by", "--why", "--json", "--trace", "--older-than"] {
      #expect(names.contains(name))
    }
  }
}
