import Testing

@testable import Basics
@testable import watchbuild

struct CommandNamesTests {
  private func problem(_ line: String) -> String? {
    do throws(Problem) {
      try CommandNames.check(
        line.split(separator: " ").map(String.init), of: Watchbuild.configuration)
      return nil
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    (
      "dve",
      "watchbuild: error: there is no command 'dve' (did you mean 'dev'?); see 'watchbuild --help'"
    ),
    (
      "config prnt -q",
      "watchbuild: error: there is no command 'config prnt' (did you mean 'print'?); "
        + "see 'watchbuild config --help'"
    ),
    ("frobnicate", "watchbuild: error: there is no command 'frobnicate'; see 'watchbuild --help'"),
  ])
  func `a misspelt command is told`(line: String, message: String) {
    #expect(problem(line) == message)
  }

  @Test(arguments: ["dev dve", "config print", "config", "", "--help", "help dev", "build //a:b"])
  func `what names a command is let through`(line: String) {
    #expect(problem(line) == nil)
  }
}
