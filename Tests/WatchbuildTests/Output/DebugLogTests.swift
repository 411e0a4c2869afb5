import Logging
import Testing

@testable import Basics
@testable import watchbuild

@Suite struct DebugLogTests {
  @Test(
    arguments: [
      (["dev"], nil), (["dev", "-v"], nil), (["dev", "-vv"], .debug),
      (["-v", "dev", "--verbose"], .debug),
      (["dev", "-v", "--", "-vv"], nil),
    ] as [([String], Logger.Level?)])
  func `-v twice asks for it`(arguments: [String], level: Logger.Level?) throws {
    #expect(try DebugLog.level(arguments: arguments, environment: [:]) == level)
  }

  @Test func `the environment asks for it, and a level that is none is refused`() throws {
    #expect(try DebugLog.level(arguments: [], environment: ["WATCHBUILD_LOG": "trace"]) == .trace)
    #expect(throws: Problem.self) {
      try DebugLog.level(arguments: [], environment: ["WATCHBUILD_LOG": "loud"])
    }
  }
}
