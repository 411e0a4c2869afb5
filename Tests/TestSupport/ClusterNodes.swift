import Basics
package import Runtimes
import SystemPackage

/// Containers that look like the nodes of a local Kubernetes cluster to whoever finds them by the
/// labels that kind, k3d or minikube gives them, with a containerd inside that is reached through
/// `docker exec`. No Kubernetes in them.
package struct ClusterNodes: Sendable {
  package let docker: DockerDaemon
  package let kind: LocalCluster.Kind
  package let cluster: String
  package let nodes: [String]

  /// Two nodes of that kind in the daemon that the tests of this process share; they end with it.
  package static func shared(_ kind: LocalCluster.Kind) async throws -> ClusterNodes {
    switch kind {
    case .kind: try await startingKind.value
    case .k3d: try await startingK3d.value
    case .minikube: try await startingMinikube.value
    }
  }

  // No children of the test that comes first: they outlive it, and end with the process.
  private static let startingKind = Task { try await ClusterNodes(.kind, cluster: "lab") }
  private static let startingK3d = Task { try await ClusterNodes(.k3d, cluster: "lab") }
  private static let startingMinikube = Task { try await ClusterNodes(.minikube, cluster: "lab") }
  private static let makingImage = Task { try await makeImage() }

  /// Starts nodes of a test's own, to be ended by `stop()`.
  package init(_ kind: LocalCluster.Kind, cluster: String) async throws {
    docker = try await .shared()
    self.kind = kind
    self.cluster = cluster
    let members = kind.members(of: cluster)
    nodes = members.map(\.name)
    try await Self.makingImage.value
    for member in members {
      let labels = member.labels.flatMap { ["--label", $0] }
      try Tool.run(Self.script, ["run", docker.host, member.name, kind.rawValue] + labels)
    }
    // Beside the nodes, and none of them.
    if let balancer = kind.balancer(of: cluster) {
      let labels = balancer.labels.flatMap { ["--label", $0] }
      try Tool.run(
        "docker",
        ["-H", docker.host, "create", "--name", balancer.name, "--network", "none"] + labels
          + [Self.image, "sh"])
    }
  }

  /// Removes the nodes.
  package func stop() throws {
    let balancer = kind.balancer(of: cluster).map { [$0.name] } ?? []
    try Tool.run("docker", ["-H", docker.host, "rm", "-fv"] + nodes + balancer)
  }

  /// A container of that name and these labels that has ended.
  package static func stopped(
    _ name: String, labels: [String], in docker: DockerDaemon
  ) async throws {
    try await makingImage.value
    let labels = labels.flatMap { ["--label", $0] }
    // One of an earlier test, which need not be there.
    _ = try? Tool.run("docker", ["-H", docker.host, "rm", "-f", name])
    try Tool.run(
      "docker",
      ["-H", docker.host, "run", "--name", name, "--network", "none"] + labels
        + [image, "sh", "-c", ":"])
  }

  /// Runs a program inside a node.
  @discardableResult
  package func run(_ node: String, _ arguments: [String]) throws -> String {
    try Tool.run("docker", ["-H", docker.host, "exec", node] + arguments)
  }

  /// The command lines of what runs in a node.
  package func processes(in node: String) throws -> [Substring] {
    try Tool.run("docker", ["-H", docker.host, "top", node, "-eo", "pid,args"])
      .split(separator: "\n").dropFirst().map { $0 }
  }

  /// Ends a node's containerd as a crash would, and keeps it from being started again.
  package func killContainerd(_ node: String) throws {
    try run(node, ["sh", "-c", ": >/run/hold; kill -9 \"$(cat /run/containerd.pid)\""])
  }

  package func startContainerd(_ node: String) async throws {
    try run(node, ["rm", "/run/hold"])
    try await waitUntilItServes(node)
  }

  /// Ends a node and all that runs in it, as a crash of the machine would.
  package func kill(_ node: String) throws {
    try Tool.run("docker", ["-H", docker.host, "kill", node])
  }

  package func start(_ node: String) async throws {
    try Tool.run("docker", ["-H", docker.host, "start", node])
    try await waitUntilItServes(node)
  }

  private func waitUntilItServes(_ node: String) async throws {
    for _ in 0..<300 {
      // A poll: until it serves, the client fails.
      if (try? run(node, ["ctr", "version"])) != nil { return }
      try await ContinuousClock().pause(for: .milliseconds(50))
    }
    try run(node, ["ctr", "version"])
  }

  /// As the script names it.
  private static let image = "watchbuild-test/node:1"

  private static let script = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .appending("Servers").appending("cluster-node").string

  private static func makeImage() async throws {
    let docker = try await DockerDaemon.shared()
    try await withScratchDirectory { directory in
      try Tool.run(script, ["image", docker.host, directory.appending("root").string])
    }
  }

}

extension LocalCluster.Kind {
  /// The containers of a cluster of two nodes.
  fileprivate func members(of cluster: String) -> [(name: String, labels: [String])] {
    switch self {
    case .kind:
      ["control-plane", "worker"].map { role in
        ("\(cluster)-\(role)", ["io.x-k8s.kind.cluster=\(cluster)", "io.x-k8s.kind.role=\(role)"])
      }
    case .k3d:
      ["server", "agent"].map { role in
        (
          "k3d-\(cluster)-\(role)-0",
          [
            "app=k3d", "k3d.cluster=\(cluster)", "k3d.cluster.network=k3d-\(cluster)",
            "k3d.role=\(role)",
          ]
        )
      }
    // Every node after the first has its own name in the label.
    case .minikube:
      [cluster, "\(cluster)-m02"].map { name in
        (
          name,
          [
            "created_by.minikube.sigs.k8s.io=true", "mode.minikube.sigs.k8s.io=\(name)",
            "name.minikube.sigs.k8s.io=\(name)", "role.minikube.sigs.k8s.io=",
          ]
        )
      }
    }
  }

  fileprivate func balancer(of cluster: String) -> (name: String, labels: [String])? {
    switch self {
    case .kind:
      (
        "\(cluster)-external-load-balancer",
        ["io.x-k8s.kind.cluster=\(cluster)", "io.x-k8s.kind.role=external-load-balancer"]
      )
    case .k3d:
      (
        "k3d-\(cluster)-serverlb",
        ["app=k3d", "k3d.cluster=\(cluster)", "k3d.role=loadbalancer"]
      )
    case .minikube: nil
    }
  }
}
