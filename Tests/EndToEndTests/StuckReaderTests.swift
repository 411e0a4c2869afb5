import Basics
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

/// What becomes of `dev` and `build` when their output can't be written, and of signals that somebody
/// has ignored for them.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .bazelServer(BadImages.files))
struct StuckReaderTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(BazelServer.workspace) }

  private func start(
    _ arguments: String..., under script: String
  ) throws -> WatchbuildProcess {
    try workspace.start(
      arguments + ["--load", "oci:\(workspace.home)/stuck-images", "//tars:good"], under: script)
  }

  /// Waits until a cycle of this process has been kept on disk: its output tells nobody.
  private func keptCycle(_ number: Int, of dev: WatchbuildProcess) async throws {
    let name = "run-\(dev.id)/cycle-\(number).json"
    for _ in 0..<12_000 {
      let found = try? Tool.run("find", [workspace.state.string, "-path", "*/\(name)"])
      if found?.isEmpty == false { return }
      try #require(dev.isRunning, "\(dev.errors)")
      // A real process is waited for: there is no clock to move.
      try await ContinuousClock().pause(for: .milliseconds(20))
    }
    Issue.record("no cycle \(number): \(dev.errors)")
  }

  /// Has what it writes go into a pipe that is full, and that nobody reads.
  private func full(_ redirections: String) -> String {
    """
    mkfifo '\(workspace.home)/full'
    exec 3<>'\(workspace.home)/full'
    rm '\(workspace.home)/full'
    head -c 65536 /dev/zero >&3
    exec "$@" \(redirections)
    """
  }

  @Test(arguments: [
    ("json", ">&3", SIGINT), ("json", ">&3", SIGTERM), ("json", ">&3", SIGHUP),
    ("plain", "2>&3", SIGINT), ("plain", ">&3 2>&3", SIGTERM),
  ])
  func `a reader that stops reading stops neither the loop nor a signal`(
    output: String, redirections: String, signal: Int32
  ) async throws {
    let dev = try start("dev", "--output", output, under: full(redirections))
    try await keptCycle(1, of: dev)
    dev.signal(signal)
    #expect(try await dev.exit(seconds: 20) == 130)
    #expect(try workspace.leftovers() == "")
  }

  @Test func `a reader that never reads does not keep build from its end`() async throws {
    let build = try start("build", "--output", "json", under: full(">&3"))
    #expect(try await build.exit(seconds: 120) == 0)
  }

  @Test func `output on a full disk is a failure, and says so`() async throws {
    let build = try start("build", "--output", "json", under: #"exec "$@" >/dev/full"#)
    #expect(try await build.exit() == 1)
    #expect(build.errors.contains("can't write the output: No space left on device"))
  }

  @Test func `a reader that has gone ends it as SIGPIPE would`() async throws {
    let build = try start(
      "build", "--output", "json", under: #"{ "$@"; echo $? >&2; } | head -c 1 >/dev/null"#)
    #expect(try await build.exit() == 0)
    #expect(build.errors == "141\n")
  }

  // MARK: Ignored signals

  @Test(arguments: [("HUP", SIGHUP), ("INT", SIGINT)])
  func `a signal that was ignored at the start stays ignored`(
    name: String, number: Int32
  ) async throws {
    let dev = try start("dev", "--output", "json", under: #"trap '' \#(name); exec "$@""#)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    dev.signal(number)
    dev.signal(number)
    let start = dev.last
    try workspace.write("tars/salt.txt", name)
    defer { workspace.remove("tars/salt.txt") }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    #expect(!dev.events.contains { $0.type == "stopping" })
    dev.signal(SIGTERM)
    #expect(try await dev.exit(seconds: 30) == 130)
  }
}
