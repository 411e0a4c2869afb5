import Basics
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// Loading into the nodes of local clusters: two containers each that stand for them.
///
/// One load after the other, as in the command: what a load that is no longer under way has left in a
/// node is told by the process that it was of.
@Suite(.docker, .serialized)
struct KindLoadTests {
  private func runtime(_ cluster: ClusterNodes) -> LocalCluster {
    LocalCluster(
      cluster.kind, cluster: cluster.cluster, environment: ["DOCKER_HOST": cluster.docker.host],
      runner: SubprocessRunner())
  }

  private func harness(_ cluster: ClusterNodes) -> LoadHarness {
    harness(cluster.nodes.map { ContainerdView(cluster, $0) }) { runtime(cluster) }
  }

  /// Of both nodes, which must agree.
  private func harness(
    _ views: [ContainerdView], makeRuntime: @escaping @Sendable () -> LocalCluster
  ) -> LoadHarness {
    LoadHarness(
      makeRuntime: makeRuntime,
      held: { name in
        let held = try views.map { try $0.held(name) }
        #expect(Set(held).count == 1, "the nodes differ")
        return held[0]
      }, remove: { name in for view in views { try view.remove(name) } },
      run: { name in
        let printed = try views.map { try $0.run(name) }
        #expect(Set(printed).count == 1, "the nodes differ")
        return printed[0]
      })
  }

  /// Without those that add nothing to what the same loader does in a containerd, or whose sums are
  /// of one place: a step into a node is slow.
  private static let scenarios = (LoadScenario.all + LoadScenario.running).filter {
    ![
      "top layer changed, seen by a new run", "configuration changed", "tar of several images",
      "layers there already without gzip", "layers there already without zstd",
      "five at once over one base", "runs from compressed layers over others that are not",
    ].contains($0.testDescription)
  }

  @Test(arguments: scenarios)
  func `every node holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    try await scenario.run(harness(.shared(.kind)))
  }

  @Test(arguments: [LocalCluster.Kind.k3d, .minikube])
  func `nodes of k3d and minikube are found by their labels and run what was loaded`(
    kind: LocalCluster.Kind
  ) async throws {
    let cluster = try await ClusterNodes.shared(kind)
    try await LoadScenario.running[0].run(harness(cluster))
    for node in cluster.nodes {
      #expect(try await lasting { try ContainerdView(cluster, node).temporaryNames() } == [])
    }
  }

  @Test func `nodes that podman runs are found, and run what was loaded`() async throws {
    let cluster = try await PodmanCluster("lab")
    let views = cluster.nodes.map { node in
      ContainerdView { try cluster.run(node, ["ctr", "--namespace", "k8s.io"] + $0) }
    }
    let environment = cluster.environment.merging(["DOCKER_HOST": "unix:///no.sock"]) { $1 }
    let harness = harness(views) {
      LocalCluster(
        .kind, cluster: cluster.cluster, environment: environment, runner: SubprocessRunner())
    }
    let result: Result<Void, any Error>
    do {
      try await LoadScenario.cancelled.run(harness)
      result = .success(try await LoadScenario.running[0].run(harness))
    } catch { result = .failure(error) }
    try await cluster.stop()
    try result.get()
  }

  @Test func `a node that crashes in mid-load comes back with whole images`() async throws {
    let cluster = try await ClusterNodes(.kind, cluster: "crash")
    let result: Result<Void, any Error>
    do {
      try await crash(cluster)
      result = .success(try await leave(cluster))
    } catch { result = .failure(error) }
    try cluster.stop()
    try result.get()
  }

  private func crash(_ cluster: ClusterNodes) async throws {
    let (node, other) = (cluster.nodes[0], cluster.nodes[1])
    let view = ContainerdView(cluster, node)
    var harness = LoadHarness(
      makeRuntime: { runtime(cluster) }, held: { try view.held($0) },
      remove: { try view.remove($0) }, run: { try view.run($0) },
      temporaryNames: { try view.temporaryNames() })
    harness.crash = LoadHarness.Crash(
      arm: { { try cluster.killContainerd(node) } },
      start: { try await cluster.startContainerd(node) })
    for scenario in LoadScenario.crashes { try await scenario.run(harness) }
    // The whole node goes, as with `docker restart`.
    harness.crash = LoadHarness.Crash(
      arm: { { try cluster.kill(node) } }, start: { try await cluster.start(node) })
    try await LoadScenario.machineCrash.run(harness)
    for name in [node, other] {
      #expect(try await lasting { try ContainerdView(cluster, name).temporaryNames() } == [])
    }
    for scenario in LoadScenario.crashes + [.machineCrash] {
      let name = scenario.reference
      #expect(try view.held(name) == ContainerdView(cluster, other).held(name))
    }
  }

  /// Shells stand ready in the nodes until they are left, or forgotten.
  private func leave(_ cluster: ClusterNodes) async throws {
    func shells() throws -> [Int] {
      try cluster.nodes.map { try cluster.processes(in: $0).count { $0.contains("watchbuild-") } }
    }
    func waitUntilNone() async throws {
      var count = 0
      while try shells() != [0, 0], count < 200 {
        try await ContinuousClock().pause(for: .milliseconds(50))
        count += 1
      }
      #expect(count < 200, "shells are left in the nodes")
    }
    try await waitUntilNone()
    let left = runtime(cluster)
    await left.prepare()
    #expect(try shells() == [1, 1])
    await left.shutdown()
    try await waitUntilNone()
    try await runtime(cluster).check()
    try await waitUntilNone()
  }

  @Test func `a node that lost the image is loaded again, the other is left alone`() async throws {
    let cluster = try await ClusterNodes.shared(.kind)
    let image = TestImage(layers: [
      TestImage.layer("lost-base", TestImage.filling(200_000, seed: "lost")),
      TestImage.layer("lost-app", "app"),
    ])
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/lost:dev"))
      let first = try await runtime(cluster).load(archive, as: reference)
      #expect(first.bytesSent > 400_000)
      try ContainerdView(cluster, cluster.nodes[1]).remove("lab/lost:dev")
      let second = try await runtime(cluster).load(archive, as: reference)
      #expect(second.isChanged)
      #expect(second.bytesSent < 300_000)
      for node in cluster.nodes {
        #expect(try ContainerdView(cluster, node).held("lab/lost:dev") == image.id)
      }
    }
  }

  @Test func `a cluster that is not there is said to be so`() async throws {
    let docker = try await DockerDaemon.shared()
    let absent = LocalCluster(
      .kind, cluster: "absent", engines: ["docker"], environment: ["DOCKER_HOST": docker.host],
      runner: SubprocessRunner())
    #expect(await !absent.isAvailable())
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(TestImage(layers: [TestImage.layer("a", "b")]).dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/absent:dev"))
      let error = await #expect(throws: RuntimeError.self) {
        try await absent.load(archive, as: reference)
      }
      #expect(
        error?.description
          == "no running nodes of the kind cluster 'absent' were found; "
          + "create it, or name another: --load kind:CLUSTER")
    }
  }
}

extension ContainerdView {
  /// What Kubernetes sees in a node.
  init(_ cluster: ClusterNodes, _ node: String) {
    self.init { try cluster.run(node, ["ctr", "--namespace", "k8s.io"] + $0) }
  }
}
