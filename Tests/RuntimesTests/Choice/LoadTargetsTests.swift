import SystemPackage
import TestSupport
import Testing

@testable import Processes
@testable import Runtimes

@Suite struct LoadTargetsTests {
  private func resolve(
    _ choices: [RuntimeChoice], runner: any CommandRunner = ScriptedRunner(),
    _ environment: [String: String]
  ) async throws -> (names: [String], notes: [String]) {
    let targets = try await LoadTargets.resolve(
      choices, store: "/state/images", environment: environment, runner: runner)
    await targets.shutdown()
    return (targets.runtimes.map(\.name), targets.notes)
  }

  @Test func `auto is docker where docker answers`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "OK") }) { engine in
      let found = try await resolve([.auto], ["DOCKER_HOST": "unix://\(engine.socket)"])
      #expect(found.names == ["docker"])
      #expect(found.notes.isEmpty)
    }
  }

  @Test(arguments: [[RuntimeChoice.auto], []])
  func `auto is the store where docker does not answer, and says why`(
    choices: [RuntimeChoice]
  )
    async throws
  {
    let found = try await resolve(choices, ["DOCKER_HOST": "unix:///nowhere/docker.sock"])
    #expect(found.names == ["oci:/state/images"])
    #expect(
      found.notes == [
        "docker does not answer at unix:///nowhere/docker.sock: no such file or directory; "
          + "loading into the image store /state/images"
      ])
  }

  @Test func `docker is taken at its word, before it runs`() async throws {
    let found = try await resolve([.docker], ["DOCKER_HOST": "unix:///nowhere/docker.sock"])
    #expect(found.names == ["docker"])
  }

  @Test(arguments: [
    (
      "ssh://me@host/run/podman.sock", "; watchbuild reaches podman by a socket or by TCP; forward "
    ),
    ("podman.sock", "; give unix:///PATH or tcp://HOST:PORT"),
  ])
  func `a podman that can't be reached says what is supported`(host: String, hint: String) async {
    let error = await #expect(throws: RuntimeError.self) {
      try await resolve([.podman], ["CONTAINER_HOST": host])
    }
    #expect(
      error?.description.hasPrefix("CONTAINER_HOST=\(host) is not supported\(hint)") == true,
      "\(String(describing: error))")
  }

  @Test func `a docker context that is not there is told, and auto goes on`() async throws {
    let environment = ["DOCKER_CONFIG": "/nowhere", "DOCKER_CONTEXT": "gone"]
    await #expect(throws: RuntimeError.self) { try await resolve([.docker], environment) }
    let found = try await resolve([.auto], environment)
    #expect(found.names == ["oci:/state/images"])
    #expect(found.notes.first?.hasPrefix("there is no docker context 'gone', ") == true)
  }

  @Test func `several targets are kept, each once`() async throws {
    let found = try await resolve(
      [.store("/b"), .docker, .store("/b"), .auto],
      ["DOCKER_HOST": "unix:///nowhere/docker.sock"])
    #expect(found.names == ["oci:/b", "docker", "oci:/state/images"])
  }

  @Test func `none is none, and nothing beside it`() async throws {
    #expect(try await resolve([.none], [:]).names.isEmpty)
    await #expect(throws: RuntimeChoiceError.contradiction) {
      try await resolve([.none, .store("/b")], [:])
    }
  }

  @Test func `a local cluster is named, and what is done instead`() async throws {
    try await withScratchDirectory { directory in
      let config = directory.appending("config")
      try config.write(Array("apiVersion: v1\ncurrent-context: \"kind-dev\"\n".utf8))
      let found = try await resolve(
        [.auto], runner: ScriptedRunner(),
        ["DOCKER_HOST": "unix:///nowhere/docker.sock", "KUBECONFIG": "/none:\(config)"])
      #expect(found.names == ["oci:/state/images"])
      #expect(
        found.notes.first
          == "the current kube context is kind-dev, but no running nodes of the kind cluster 'dev' "
          + "were found; loading into the image store /state/images")
    }
  }

  @Test(arguments: [
    (LocalCluster.Kind.kind, ["KIND_CLUSTER_NAME": "own"], "kind:own"),
    (.kind, ["KIND_CLUSTER_NAME": ""], "kind:kind"),
    (.minikube, ["MINIKUBE_PROFILE": "own"], "minikube:own"),
    (.k3d, ["KIND_CLUSTER_NAME": "own"], "k3d:k3s-default"),
  ])
  func `without a name a cluster is the one that its tool would take`(
    kind: LocalCluster.Kind, environment: [String: String], name: String
  ) async throws {
    let environment = environment.merging(["KUBECONFIG": "/dev/null"]) { $1 }
    #expect(try await resolve([.cluster(kind, nil)], environment).names == [name])
    #expect(
      try await resolve([.cluster(kind, "named")], environment).names == ["\(kind.rawValue):named"])
  }

  @Test(arguments: [
    ("current-context: kind-dev\n", "kind-dev", true),
    ("a: b\ncurrent-context: 'k3d-x'\n", "k3d-x", true),
    ("current-context: minikube", "minikube", true),
    ("current-context: prod\n", "prod", false),
    ("  current-context: nested\n", nil, false),
    ("current-context: \"\"\n", nil, false),
    ("", nil, false),
  ])
  func `the current context is read from a kubeconfig`(text: String, name: String?, isLocal: Bool) {
    let context = KubeContext.currentContext(in: text).map { KubeContext(name: $0) }
    #expect(context?.name == name)
    #expect((context?.cluster != nil) == isLocal)
  }
}
