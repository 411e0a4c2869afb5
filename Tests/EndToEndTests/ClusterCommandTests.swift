import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

extension CommandTests {
  /// `watchbuild build --load` into the nodes of local clusters.
  @Suite(.docker)
  struct ClusterCommandTests {
    private let storefront: Storefront

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    private func build(
      _ docker: DockerDaemon, _ target: String, _ environment: [String: String] = [:],
      images: [String] = []
    ) async throws -> CommandRun {
      try await storefront.workspace.run(
        ["build", "--load", target, "--output", "json"] + images, docker: docker.host,
        environment: environment)
    }

    private func expectBuilt(_ cluster: ClusterNodes) throws {
      let built = try storefront.builtImages()
      for node in cluster.nodes {
        for (image, id) in built {
          let held = try ContainerdView(cluster, node).held("storefront/\(image):dev")
          #expect(held?.description == id, "\(image) in \(node)")
        }
      }
    }

    @Test(arguments: [LocalCluster.Kind.k3d, .minikube])
    func `a build reaches every node, and a save sends what it changed`(
      kind: LocalCluster.Kind
    ) async throws {
      let cluster = try await ClusterNodes.shared(kind)
      let target = "\(kind.rawValue):\(cluster.cluster)"
      let first = try await build(cluster.docker, target)
      #expect(first.exit == 0)
      #expect(first.images("loaded") == Set(Storefront.images))
      #expect(Set(first.events.compactMap(\.runtime)) == [target])
      try expectBuilt(cluster)

      let second = try await build(cluster.docker, target)
      #expect(second.images("unchanged") == Set(Storefront.images))
      #expect(second.events.compactMap(\.bytesSent).reduce(0, +) == 0)

      try await storefront.editing("services/cart/src/cart.routes") {
        $0 += "GET /cart/\(kind.rawValue) A kettle on every node.\n"
      } _: {
        let third = try await build(cluster.docker, target)
        #expect(third.images("loaded") == ["cart"])
        #expect(third.events.first { $0.status == "loaded" }?.layersSent == 1)
        try expectBuilt(cluster)
      }
    }

    @Test func `kind's own variables choose the cluster and what its nodes run in`() async throws {
      let cluster = try await ClusterNodes.shared(.kind)
      let chosen = try await build(
        cluster.docker, "kind",
        ["KIND_CLUSTER_NAME": cluster.cluster, "KIND_EXPERIMENTAL_PROVIDER": "docker"])
      #expect(chosen.exit == 0)
      #expect(Set(chosen.events.compactMap(\.runtime)) == ["kind:\(cluster.cluster)"])
      try expectBuilt(cluster)
      try await withScratchDirectory { directory in
        let storage = try Runtimes.podmanStorage(in: directory)
        let elsewhere = try await build(
          cluster.docker, "kind:\(cluster.cluster)",
          [
            "KIND_EXPERIMENTAL_PROVIDER": "podman", "CONTAINERS_STORAGE_CONF": storage.string,
          ], images: ["cart"])
        #expect(elsewhere.exit == 3)
        #expect(
          elsewhere.error(of: "cart").hasPrefix(
            "no running nodes of the kind cluster '\(cluster.cluster)' were found"))
      }
    }

    @Test func `a cluster that is not there is an error of the image`() async throws {
      let docker = try await DockerDaemon.shared()
      for kind in ["kind", "k3d", "minikube"] {
        let run = try await build(
          docker, "\(kind):absent", ["KIND_EXPERIMENTAL_PROVIDER": "docker"], images: ["cart"])
        #expect(run.exit == 3)
        let error = run.error(of: "cart")
        #expect(error.hasPrefix("no running nodes of the \(kind) cluster 'absent' were found"))
        #expect(error.hasSuffix("; create it, or name another: --load \(kind):CLUSTER"))
      }
    }

    @Test func `a node that is stopped is named, with how to start it`() async throws {
      let docker = try await DockerDaemon.shared()
      try await ClusterNodes.stopped(
        "halted-control-plane",
        labels: ["io.x-k8s.kind.cluster=halted", "io.x-k8s.kind.role=control-plane"], in: docker)
      let run = try await build(docker, "kind:halted", images: ["cart"])
      #expect(run.exit == 3)
      #expect(
        run.error(of: "cart")
          == "node halted-control-plane is not running; start it (docker start "
          + "halted-control-plane), or remove it from the cluster")
    }
  }
}
