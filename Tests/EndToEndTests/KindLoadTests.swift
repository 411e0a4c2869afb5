import Runner
import SystemPackage
import TestSupport
import Testing

/// Loading into the nodes of a kind cluster: two containers that stand for them.
@Suite(.docker)
struct KindLoadTests {
  private func view(_ cluster: KindNodes, _ node: String) -> ContainerdView {
    ContainerdView { try cluster.run(node, ["ctr", "--namespace", "k8s.io"] + $0) }
  }

  private func runtime(_ cluster: KindNodes) -> LocalCluster {
    LocalCluster(
      .kind, cluster: cluster.cluster, environment: ["DOCKER_HOST": cluster.docker.host],
      runner: SubprocessRunner())
  }

  private static let scenarios = LoadScenario.all.filter {
    [
      "first load", "unchanged", "base pruned in between", "gzipped layer",
      "layer that is not what it claims to be", "cancelled on the way",
    ].contains($0.testDescription)
  }

  @Test(arguments: scenarios)
  func `every node holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    let cluster = try await KindNodes.shared()
    let views = cluster.nodes.map { view(cluster, $0) }
    try await scenario.run(
      LoadHarness(
        makeRuntime: { runtime(cluster) },
        held: { name in
          let held = try views.map { try $0.held(name) }
          #expect(Set(held).count == 1, "the nodes differ")
          return held[0]
        }, remove: { name in for view in views { try view.remove(name) } }))
  }

  @Test func `a node that lost the image is loaded again, the other is left alone`() async throws {
    let cluster = try await KindNodes.shared()
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
      try view(cluster, cluster.nodes[1]).remove("lab/lost:dev")
      let second = try await runtime(cluster).load(archive, as: reference)
      #expect(second.isChanged)
      #expect(second.bytesSent < 300_000)
      for node in cluster.nodes {
        #expect(try view(cluster, node).held("lab/lost:dev") == image.id)
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
