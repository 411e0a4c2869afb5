import ArgumentParser
import SystemPackage
import Testing

@testable import Basics
@testable import watchbuild

struct EndingTests {
  private func ending(_ arguments: String...) throws -> Ending {
    let error = try #require(throws: (any Error).self) {
      var command = try Watchbuild.parseAsRoot(arguments)
      try command.run()
    }
    return Ending.of(error)
  }

  @Test func `the version is printed to standard output`() throws {
    #expect(try ending("--version") == Ending(status: 0, standardOutput: watchbuildVersion))
  }

  @Test(arguments: ["--help", "-h", "help"])
  func `help is printed to standard output`(_ argument: String) throws {
    let ending = try ending(argument)
    #expect(ending.status == 0)
    #expect(ending.standardError == nil)
    #expect(ending.standardOutput?.contains("USAGE: watchbuild") == true)
  }

  @Test func `help says how the sources of settings go before each other`() throws {
    #expect(try ending("--help").standardOutput?.contains("WATCHBUILD_DEBOUNCE") == true)
  }

  @Test func `a usage error ends with 2 and says where help is`() throws {
    let ending = try ending("doctor", "--jsn")
    #expect(ending.status == 2)
    #expect(
      ending.standardError == """
        watchbuild: error: Unknown option '--jsn'. Did you mean '--json'?
        See 'watchbuild doctor --help' for more information.
        """)
    #expect(ending.standardOutput == nil)
  }

  @Test(arguments: ["buidl", "--bogus"])
  func `an unknown word ends with 2`(_ argument: String) throws {
    #expect(try ending(argument).status == 2)
  }

  @Test func `a usage error can't drive the terminal`() throws {
    #expect(try ending("--\u{1B}[31m").standardError?.contains("\u{1B}") == false)
  }

  @Test func `a problem ends with its own status`() {
    let problem = Problem("x", status: .otherDev)
    #expect(Ending.of(problem) == Ending(status: 5, standardError: "watchbuild: error: x"))
  }

  @Test func `an outcome that was told already is not told again`() {
    #expect(Ending.of(ExitStatus.buildFailed) == Ending(status: 1))
  }

  @Test func `a reader that had enough ends a command as SIGPIPE would`() {
    #expect(Ending.of(OutputClosed(reason: .brokenPipe)) == Ending(status: 141))
  }

  @Test func `a full disk is a failure`() {
    let ending = Ending.of(OutputClosed(reason: .noSpace))
    #expect(ending.status == 1)
    #expect(ending.standardError?.contains("No space left on device") == true)
  }

  @Test func `an interruption ends with 130`() {
    #expect(Ending.of(CancellationError()) == Ending(status: 130))
  }

  @Test func `exit codes are a promise`() {
    #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 9, 124, 130])
  }
}
