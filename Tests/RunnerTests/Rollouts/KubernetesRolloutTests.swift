import Basics
import Graph
import Images
import Processes
import Synchronization
import TestSupport
import Testing

@testable import Runner

/// kubectl is scripted here, with answers as kubectl gives them.
@Suite struct KubernetesRolloutTests {
  private static let id = Digest(of: Array("image".utf8))
  private static let tag = "lab/api:wb-\(id.hexadecimal.prefix(12))"

  private func image(_ runtime: String = "kind:dev") throws -> RolledImage {
    RolledImage(
      name: "api", references: [try #require(ImageReference("lab/api:dev"))],
      configDigest: Self.id, loaded: [runtime: Self.id])
  }

  private static func deployment(_ image: String, policy: String = "IfNotPresent") -> String {
    """
    {"kind":"Deployment","spec":{"selector":{"matchLabels":{"app":"api","tier":"web"}},"template":{"spec":{
      "containers":[{"name":"side","image":"lab/side:1"},
        {"name":"app","image":"\(image)","imagePullPolicy":"\(policy)"}]}}}}
    """
  }

  private static func pod(_ image: String, _ status: String, deleted: Bool = false) -> String {
    """
    {"kind":"Pod","metadata":{"name":"api-1"\(deleted ? #","deletionTimestamp":"x""# : "")},
     "spec":{"containers":[{"name":"app","image":"\(image)"}]},
     "status":{"containerStatuses":[{"name":"app",\(status)}]}}
    """
  }

  private static let ready = #""ready":true,"state":{"running":{}}"#

  private func rollout(_ runner: ScriptedRunner, container: String? = nil) -> KubernetesRollout {
    KubernetesRollout(
      resource: "deployment/api", container: container, namespace: "dev", context: nil,
      rule: RolloutRule(timeout: .seconds(3)), runner: runner, clock: QuickClock(factor: 100))
  }

  /// Answers questions for the workload with `workload`, and for its pods with the next of `pods`, the last again
  /// and again.
  private func runner(_ workload: String, pods: [String] = [], logs: String = "") -> ScriptedRunner
  {
    let asked = Mutex(0)
    return ScriptedRunner { command, output in
      let arguments = command.arguments
      if arguments.contains("pods") {
        let index = asked.withLock { asked in
          defer { asked += 1 }
          return min(asked, pods.count - 1)
        }
        output(.standardOutput(Array(#"{"kind":"List","items":[\#(pods[index])]}"#.utf8)))
      } else if arguments.contains("logs") {
        output(.standardOutput(Array(logs.utf8)))
      } else if arguments.contains("get") {
        output(.standardOutput(Array(workload.utf8)))
      }
      return .exited(0)
    }
  }

  private func words(_ runner: ScriptedRunner) -> [String] {
    runner.commands.map { $0.argv.joined(separator: " ") }
  }

  @Test func `the workload is given the content tag, and its pods are waited for`() async throws {
    let runner = runner(
      Self.deployment("lab/api:dev"),
      pods: [
        Self.pod("lab/api:dev", Self.ready),
        [
          Self.pod("lab/api:dev", Self.ready, deleted: true), Self.pod(Self.tag, Self.ready),
        ].joined(separator: ","),
      ])
    let result = try await rollout(runner).roll(try image())
    #expect(result == RolloutResult(isChanged: true, isLive: true))
    #expect(
      words(runner).prefix(3) == [
        "kubectl -n dev get deployment/api -o json --request-timeout=30s",
        "kubectl -n dev set image deployment/api app=\(Self.tag) --request-timeout=30s",
        "kubectl -n dev get pods -l app=api,tier=web -o json --request-timeout=30s",
      ])
  }

  @Test func `a workload that has the image is only looked at`() async throws {
    let runner = runner(Self.deployment(Self.tag), pods: [Self.pod(Self.tag, Self.ready)])
    let result = try await rollout(runner).roll(try image())
    #expect(result == RolloutResult(isChanged: false, isLive: true))
    #expect(!words(runner).contains { $0.contains("set image") })
  }

  @Test func `a policy that would have the nodes pull is told before anything is changed`()
    async throws
  {
    let runner = runner(Self.deployment("lab/api:latest", policy: "Always"))
    let error = await #expect(throws: RolloutError.self) {
      try await rollout(runner).roll(try image())
    }
    #expect(error?.hint == "write 'imagePullPolicy: IfNotPresent' at the container, and apply it")
    #expect(runner.commands.count == 1)
  }

  @Test func `what a registry holds may always be pulled`() async throws {
    let runner = runner(
      Self.deployment("lab/api:latest", policy: "Always"), pods: [Self.pod(Self.tag, Self.ready)])
    #expect(try await rollout(runner).roll(try image("registry:localhost:5000")).isChanged)
  }

  @Test func `a crash loop is told with the last words, and only another image mends it`()
    async throws
  {
    let runner = runner(
      Self.deployment("lab/api:dev"),
      pods: [
        Self.pod(
          Self.tag,
          #""ready":false,"restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}}"#
        )
      ], logs: "no database\n")
    let error = await #expect(throws: RolloutError.self) {
      try await rollout(runner).roll(try image())
    }
    #expect(error?.message == "pod api-1: CrashLoopBackOff: back-off")
    #expect(error?.log == ["no database"])
    #expect(error?.isOfImage == true)
  }

  @Test func `an image that the node does not find is told with the remedy`() async throws {
    let runner = runner(
      Self.deployment("lab/api:dev"),
      pods: [Self.pod(Self.tag, #""ready":false,"state":{"waiting":{"reason":"ErrImagePull"}}"#)])
    let error = await #expect(throws: RolloutError.self) {
      try await rollout(runner).roll(try image())
    }
    #expect(error?.hint?.contains("is it loaded into this very cluster") == true)
    #expect(error?.isOfImage == false)
  }

  @Test func `pods that never get ready end in time`() async throws {
    let runner = runner(
      Self.deployment("lab/api:dev"),
      pods: [Self.pod(Self.tag, #""ready":false,"state":{"running":{}}"#)])
    let error = await #expect(throws: RolloutError.self) {
      try await rollout(runner).roll(try image())
    }
    #expect(error?.message.hasPrefix("not every pod is ready with \(Self.tag)") == true)
  }

  @Test func `which container has the image is told, or asked for`() throws {
    let json = try JSON.decode(JSON.self, from: Array(Self.deployment("other/x:1").utf8))
    let workload = KubernetesWorkload(json)
    let reference = try #require(ImageReference("lab/api:dev"))
    #expect(try workload.container(named: "side", for: reference).image == "lab/side:1")
    let unknown = #expect(throws: RolloutError.self) {
      try workload.container(named: "nosuch", for: reference)
    }
    #expect(unknown?.hint == "there are: side, app")
    #expect(throws: RolloutError.self) { try workload.container(named: nil, for: reference) }
    let full = try JSON.decode(
      JSON.self, from: Array(Self.deployment("docker.io/lab/api@sha256:0").utf8))
    #expect(throws: RolloutError.self) {
      try KubernetesWorkload(full).container(named: nil, for: reference)
    }
    let named = try JSON.decode(
      JSON.self, from: Array(Self.deployment("docker.io/lab/api:7").utf8))
    #expect(try KubernetesWorkload(named).container(named: nil, for: reference).name == "app")
  }
}
