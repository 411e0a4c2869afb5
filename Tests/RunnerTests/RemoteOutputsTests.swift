import FoundationEssentials
import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Events
@testable import Processes
@testable import Runner

/// Cycles with a Bazel that leaves images in a remote cache, or whose remote service fails.
struct RemoteOutputsTests {
  private let directory: TemporaryDirectory
  private let clock = ManualClock()
  private let log = EventHub(now: { Date(timeIntervalSince1970: 0) })

  private var degraded: [String] {
    log.recorded.compactMap { if case .degraded(let reason) = $0.kind { reason } else { nil } }
  }

  init() throws { directory = try TemporaryDirectory() }

  private var tar: FilePath { directory.path.appending("i.tar") }

  /// What brings the image here.
  enum Bringing: Sendable { case endOfCommand, inPieces, topLevel, all, nothing }

  private func bazel(_ bringing: Bringing) -> ScriptedRunner {
    let (tar, clock) = (tar, clock)
    let image = TestImage(layers: [TestImage.layer("a", "b")], tags: ["i:dev"]).dockerArchive()
    return ScriptedRunner { command, _ in
      let download = command.arguments.last { $0.hasPrefix("--remote_download_outputs=") }
      let options =
        ["--disk_cache=/c", "--remote_download_minimal"] + [download].compactMap(\.self)
      let list = options.map { "\"\($0)\"" }.joined(separator: ",")
      let come =
        switch bringing {
        case .endOfCommand, .inPieces: true
        case .topLevel: download?.hasSuffix("=toplevel") == true
        case .all: download?.hasSuffix("=all") == true
        case .nothing: false
        }
      try command.writeEvents([
        #"{"id":{"optionsParsed":{}},"optionsParsed":{"cmdLine":[\#(list)],"explicitCmdLine":[]}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"success":true,"outputGroup":[{"name":"default","inlineFiles":[{"name":"i.tar","uri":"file://\#(tar)"}]}]}}"#,
        #"{"id":{"buildToolLogs":{}},"lastMessage":true,"buildToolLogs":{}}"#,
      ])
      if come {
        if bringing == .inPieces { try tar.write(Array(image.prefix(image.count / 2))) }
        // After its event has been read.
        await clock.waitForSleepers(1)
        clock.advance(by: .milliseconds(10))
        await clock.waitForSleepers(1)
        try tar.write(image)
      }
      return .exited(0)
    }
  }

  private func build(
    with runner: ScriptedRunner, history: BuildHistory = BuildHistory()
  ) async throws -> CycleOutcome {
    let label = try #require(Label("//a:i"))
    let (scratch, clock) = (directory.path, clock)
    let setup = BuildSetup(
      images: [ImageTarget(name: "i", label: label, key: BatchKey(workspace: "/w"))], runtimes: [],
      bazel: { workspace in
        Bazel(workspace: workspace, runner: runner, clock: clock, scratch: scratch)
      })
    return try await BuildLoop(log: log, clock: clock).once(
      with: setup, history: history)
  }

  private func options(of runner: ScriptedRunner) -> [String?] {
    runner.commands.map { $0.arguments.last { $0.hasPrefix("--remote_download_outputs=") } }
  }

  @Test(arguments: [
    (Bringing.endOfCommand, [nil]), (.inPieces, [nil]),
    (.topLevel, [nil, "--remote_download_outputs=toplevel"]),
    (
      .all,
      [nil, "--remote_download_outputs=toplevel", "--remote_download_outputs=all"]
    ),
  ])
  func `an image that was left elsewhere is brought here`(
    bringing: Bringing, commands: [String?]
  ) async throws {
    let runner = bazel(bringing)
    let outcome = try await build(with: runner)
    #expect(outcome.current == ["i"])
    #expect(options(of: runner) == commands)
  }

  @Test func `what one cycle has taught the next knows`() async throws {
    let history = BuildHistory()
    _ = try await build(with: bazel(.all), history: history)
    try tar.withPlatformString { guard unlink($0) == 0 else { throw Errno(rawValue: errno) } }
    let runner = bazel(.topLevel)
    let outcome = try await build(with: runner, history: history)
    #expect(outcome.current == ["i"])
    #expect(options(of: runner) == ["--remote_download_outputs=toplevel"])
  }

  @Test func `an image that does not come is no fault of its own`() async throws {
    let outcome = try await build(with: bazel(.nothing))
    #expect(outcome.troubled == ["i"])
    let errors = log.recorded.compactMap {
      if case .image(let image) = $0.kind { image.error } else { nil }
    }
    #expect(
      errors == [
        "Bazel left i.tar in the remote cache (--remote_download_minimal in .bazelrc); watchbuild "
          + "needs it here"
      ])
  }

  @Test func `a service that fails is told once, with how many images wait`() async throws {
    let runner = ScriptedRunner { command, output in
      output(
        .standardError(
          Array("ERROR: Failed to query remote execution capabilities: UNAVAILABLE: io\n".utf8)))
      return .exited(34)
    }
    let outcome = try await build(with: runner)
    #expect(outcome.troubled == ["i"])
    let problem = "the remote service does not answer (UNAVAILABLE: io)"
    let told = degraded
    #expect(told == ["\(problem); 1 image waits for it"])
    #expect(
      outcome.waitingTexts(retriedAfter: .seconds(4))
        == ["\(problem); 1 image waits for it, tried again in 4 s"])
  }

  @Test func `what a cache has lost twice is told with the way out`() async throws {
    let history = BuildHistory()
    let runner = ScriptedRunner { command, output in
      output(.standardError(Array("ERROR: x failed: (Exit 34): Missing digest: 077b/1\n".utf8)))
      return .exited(39)
    }
    for _ in 0..<2 { _ = try await build(with: runner, history: history) }
    let told = degraded
    let lost = "the remote cache no longer has what the build needs (Missing digest: 077b/1)"
    #expect(
      told == [
        "\(lost); 1 image waits for it",
        "\(lost), again: run 'bazel clean', so that Bazel makes it anew; 1 image waits for it",
      ])
  }
}
