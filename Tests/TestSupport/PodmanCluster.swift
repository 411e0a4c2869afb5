import Glibc
import SystemPackage

/// Two nodes of a kind cluster that podman runs, in a store of their own; they end with this process.
///
/// Like those of `ClusterNodes`: found by their labels, with a containerd inside, and no Kubernetes.
package struct PodmanCluster: Sendable {
  package let cluster: String
  package let nodes: [String]
  private let daemon: TestDaemon

  /// For podman's client, which then knows these nodes.
  package var environment: [String: String] { Self.environment(in: daemon.directory) }

  package init(_ cluster: String) async throws {
    self.cluster = cluster
    nodes = ["control-plane", "worker"].map { "\(cluster)-\($0)" }
    let script = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .appending("Servers").appending("cluster-node").string
    daemon = try await TestDaemon { directory in
      _ = try Runtimes.podmanStorage(in: directory)
      // Locks in shared memory would be those of all podmans of this machine.
      try directory.appending("containers.conf").write(
        Array(
          """
          [engine]
          cgroup_manager = "cgroupfs"
          events_logger = "file"
          lock_type = "file"
          tmp_dir = "\(directory)/tmp"

          """.utf8))
      let variables = Self.environment(in: directory).map { "\($0)=\($1)" }.sorted()
      return ["env"] + variables
        + [script, "hold", cluster, "\(directory)/node", "\(directory)/ready"]
    } isReady: {
      access($0.appending("ready").string, F_OK) == 0
    }
  }

  private static func environment(in directory: FilePath) -> [String: String] {
    [
      "CONTAINERS_CONF": "\(directory)/containers.conf",
      "CONTAINERS_STORAGE_CONF": "\(directory)/storage.conf",
    ]
  }

  /// Removes the nodes.
  package func stop() async throws { try await daemon.stop() }

  /// Runs a program inside a node.
  @discardableResult
  package func run(_ node: String, _ arguments: [String]) throws -> String {
    let variables = environment.map { "\($0)=\($1)" }
    return try Tool.run("env", variables + ["podman", "exec", node] + arguments)
  }
}
