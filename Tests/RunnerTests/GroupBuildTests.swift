import FoundationEssentials
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Events
@testable import Processes
@testable import Runner

/// One build of one image, with a scripted Bazel.
struct GroupBuildTests {
  private let directory: TemporaryDirectory
  private let log = EventHub(now: { Date(timeIntervalSince1970: 0) })

  init() throws { directory = try TemporaryDirectory() }

  private func build(
    _ source: ImageSource, with runner: ScriptedRunner, activity: ActivityBoard? = nil
  ) async throws -> CycleOutcome {
    let clock = ManualClock()
    let scratch = directory.path
    var setup = BuildSetup(
      images: [
        ImageTarget(
          name: "i", label: source.ways[0].image.label, source: source,
          key: BatchKey(workspace: "/w"))
      ], runtimes: [],
      bazel: { workspace in
        Bazel(workspace: workspace, runner: runner, clock: clock, scratch: scratch)
      })
    setup.activity = activity
    return try await BuildLoop(log: log, clock: clock).once(with: setup)
  }

  @Test func `a command line that Bazel does not accept is told as such`() async throws {
    let label = try #require(Label("//a:i"))
    let runner = ScriptedRunner { _, output in
      output(.standardError(Array("ERROR: --foo :: Unrecognized option: --foo\n".utf8)))
      return .exited(2)
    }
    #expect(try await build(ImageSource(archiveOf: label), with: runner).isRefused)
    let other = ScriptedRunner { _, _ in .exited(1) }
    #expect(try await !build(ImageSource(archiveOf: label), with: other).isRefused)
  }

  @Test func `Bazel's version is told to whoever asks for the state`() async throws {
    let label = try #require(Label("//a:i"))
    let runner = ScriptedRunner { command, _ in
      try command.writeEvents([
        #"{"id":{"started":{}},"started":{"uuid":"1","buildToolVersion":"8.4.2"}}"#,
        #"{"id":{"buildFinished":{}},"finished":{},"lastMessage":true}"#,
      ])
      return .exited(1)
    }
    let activity = ActivityBoard(clock: ManualClock())
    _ = try await build(ImageSource(archiveOf: label), with: runner, activity: activity)
    #expect(activity.bazelVersion == "8.4.2")
  }

  @Test func `an image whose layout is of no use is built once more, as a tar`() async throws {
    let label = try #require(Label("//a:i"))
    let (layout, tar) = (directory.appending("gone"), directory.appending("i.tar"))
    try tar.write(
      TestImage(layers: [TestImage.layer("a", "b")], tags: ["i:dev"]).dockerArchive())
    let runner = ScriptedRunner { command, _ in
      let isTar = command.arguments.contains {
        $0.hasPrefix("--output_groups=") && $0.contains("tarball")
      }
      let (group, file) = isTar ? ("tarball", tar) : ("default", layout)
      try command.writeEvents([
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"success":true,"outputGroup":[{"name":"\#(group)","inlineFiles":[{"name":"i","uri":"file://\#(file)"}]}]}}"#,
        #"{"id":{"buildFinished":{}},"finished":{},"lastMessage":true}"#,
      ])
      return .exited(0)
    }
    let source = ImageSource(
      .init(.layout, .init(label)), orElse: [.init(.archive, .init(label, outputGroup: "tarball"))])
    let outcome = try await build(source, with: runner)
    #expect(runner.commands.count == 2)
    #expect(outcome.current == ["i"])
  }
}
