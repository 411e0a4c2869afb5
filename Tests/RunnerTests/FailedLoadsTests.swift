import FoundationEssentials
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Events
@testable import Images
@testable import Runner
@testable import Runtimes

/// Which runtimes a failed load is of, and which of them it waits for.
@Suite struct FailedLoadsTests {
  /// Can be reached, or not, or never says.
  private struct AskedRuntime: ImageRuntime {
    enum Answer { case yes, no, silence }

    var name: String
    var answer: Answer

    func isAvailable() async -> Bool {
      if answer == .silence {
        // Until it is cancelled.
        for await _ in AsyncStream<Never>.makeStream().stream {}
      }
      return answer == .yes
    }

    func load(
      _ archive: ImageArchive, as references: [ImageReference]
    ) async throws -> LoadResult {
      throw CancellationError()
    }
  }

  private func setup(_ runtimes: [AskedRuntime]) -> BuildSetup {
    let bazel: @Sendable (FilePath) -> Bazel = { workspace in
      Bazel(
        workspace: workspace, runner: ScriptedRunner(), clock: ManualClock(), scratch: "/nowhere")
    }
    return BuildSetup(images: [], runtimes: runtimes, bazel: bazel)
  }

  @Test func `an image that some runtimes did not take names them`() throws {
    let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
    let record = CycleRecord(number: 1, log: log)
    let label = try #require(Label("//app:image"))
    let image = ImageTarget(name: "app", label: label, key: BatchKey(workspace: "/w"))
    let reference = try #require(ImageReference("lab/app:dev"))
    let result = LoadResult(
      isChanged: true, id: Digest(of: []), bytesSent: 0, layersSent: 0, layersTotal: 0)
    record.begin(["app"])
    record.built(
      image, ms: 0,
      steps: [
        .load(into: "docker"), .load(into: "oci:/images"), .load(into: "registry:localhost:5000"),
      ])
    record.failedLoad(image, "down", as: [reference], runtime: "docker")
    record.loaded(image, result, as: [reference], runtime: "oci:/images", ms: 0)
    record.failedLoad(image, "down", as: [reference], runtime: "registry:localhost:5000")
    let outcome = record.end(totalMs: 0, indexes: [])
    #expect(outcome.failedLoads == ["app": ["docker", "registry:localhost:5000"]])
    #expect(outcome.current.isEmpty)
  }

  @Test func `only those that are named are asked`() async {
    let setup = setup([
      AskedRuntime(name: "docker", answer: .yes), AskedRuntime(name: "podman", answer: .no),
      AskedRuntime(name: "registry", answer: .silence),
    ])
    #expect(await setup.availableRuntimes(among: ["docker", "podman"]) == ["docker"])
    #expect(await setup.availableRuntimes(among: [], clock: ManualClock()) == [])
  }

  @Test func `one that does not answer in time keeps no other from being known`() async {
    let clock = ManualClock()
    let setup = setup([
      AskedRuntime(name: "registry", answer: .silence), AskedRuntime(name: "docker", answer: .yes),
    ])
    async let available = setup.availableRuntimes(
      among: ["registry", "docker"], within: .seconds(10), clock: clock)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(10))
    #expect(await available == ["docker"])
  }
}
