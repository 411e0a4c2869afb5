import Batching
import Testing

@testable import Runner

@Suite struct CycleProgressTests {
  private let docker = DeliveryStep.load(into: "docker")
  private let compose = DeliveryStep.rollout(of: "compose web")
  private var progress = CycleProgress()

  init() { progress.begin(["api", "web"]) }

  @Test mutating func `an image is current when its last step is done`() {
    progress.built("api", steps: [docker, compose])
    #expect(progress.stage(of: "api") == .built)
    progress.done(docker, of: "api")
    #expect(progress.stage(of: "api") == .loaded)
    #expect(progress.current.isEmpty)
    progress.done(compose, of: "api")
    #expect(progress.current == ["api"])
    #expect(progress.unfinished == ["web"])
  }

  @Test mutating func `an image without any step is current once it is built`() {
    progress.built("api", steps: [])
    #expect(progress.current == ["api"])
  }

  @Test mutating func `a step of several images of one target is done once for each`() {
    progress.built("api", steps: [docker, docker])
    progress.done(docker, of: "api")
    #expect(progress.current.isEmpty)
    progress.done(docker, of: "api")
    #expect(progress.current == ["api"])
  }

  @Test mutating func `failed steps are told by kind, and a step that ends later mends nothing`() {
    let podman = DeliveryStep.load(into: "podman")
    progress.built("api", steps: [docker, podman, compose])
    progress.failed(docker, of: "api", isRetried: true)
    progress.failed(compose, of: "api", isRetried: false)
    progress.done(podman, of: "api")

    var outcome = CycleOutcome()
    progress.tell(&outcome)
    #expect(outcome.failedLoads == ["api": ["docker"]])
    #expect(outcome.failedRollouts["api"]?.isRetried == false)
    #expect(progress.failed == ["api"])
    #expect(outcome.unfinished == ["web"])
  }

  @Test mutating func `a build that had no chance is no failure of its images`() {
    progress["api"] = .failedBuild
    progress["web"] = .heldUp
    progress.excuse(["api", "web"])
    var outcome = CycleOutcome()
    progress.tell(&outcome)
    #expect(outcome.failedBuilds.isEmpty)
    #expect(outcome.troubled == ["api"])
    #expect(outcome.heldUp == ["web"])
    #expect(progress.stage(of: "api") == nil)
  }
}
