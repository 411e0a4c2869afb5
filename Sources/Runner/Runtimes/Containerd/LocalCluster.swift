/// A Kubernetes cluster whose nodes are containers on this machine: kind, k3d, minikube.
///
/// Each node has a containerd of its own, which is given the images as `ctr` would be there. All
/// nodes are loaded side by side, each by one lot at a time.
package final class LocalCluster: ImageRuntime {
  package enum Kind: String, Sendable {
    case kind, k3d, minikube

    package var defaultCluster: String {
      switch self {
      case .kind: "kind"
      case .k3d: "k3s-default"
      case .minikube: "minikube"
      }
    }

    /// What the labels of a cluster's nodes have in common, as `ps --filter label=` takes it.
    ///
    /// Source: kind pkg/cluster/constants, k3d pkg/types, minikube pkg/drivers/kic/oci
    fileprivate func label(_ cluster: String) -> String {
      switch self {
      case .kind: "io.x-k8s.kind.cluster=\(cluster)"
      case .k3d: "k3d.cluster=\(cluster)"
      // Every node after the first has its own name there: `PROFILE-m02`.
      case .minikube: Self.profileLabel
      }
    }

    /// Whether a container that was found by its label is of this cluster.
    fileprivate func owns(_ labels: String, _ cluster: String) -> Bool {
      guard self == .minikube, let name = Self.value(of: Self.profileLabel, in: labels) else {
        return true
      }
      if name == cluster { return true }
      guard name.hasPrefix("\(cluster)-m") else { return false }
      let number = name.dropFirst(cluster.count + 2)
      return number.count > 1 && number.allSatisfy { ("0"..."9").contains($0) }
    }

    private static let profileLabel = "name.minikube.sigs.k8s.io"

    /// Docker writes labels as `a=b,c=d`, podman also as `map[a:b c:d]`.
    fileprivate static func value(of label: String, in labels: String) -> String? {
      guard let range = labels.firstRange(of: label) else { return nil }
      return String(
        labels[range.upperBound...].dropFirst().prefix { $0 != "," && $0 != " " && $0 != "]" })
    }

    /// What tells a node from a load balancer or registry beside it.
    fileprivate var roleLabel: String? {
      switch self {
      case .kind: "io.x-k8s.kind.role"
      case .k3d: "k3d.role"
      case .minikube: nil
      }
    }

    fileprivate static let roles: Set<String> = ["control-plane", "worker", "server", "agent"]
  }

  package let name: String
  private let kind: Kind
  private let cluster: String
  private let engines: [String]
  /// Added to our own for the client, such as `DOCKER_HOST`.
  private let environment: [String: String]
  private let runner: any CommandRunner
  private let combiner = LoadCombiner<LayoutLoad, LoadResult>()
  private let nodes = NodeCache()

  /// - Parameters:
  ///   - engines: The command-line clients to look for nodes with, `docker` or `podman`, in order.
  package init(
    _ kind: Kind, cluster: String, engines: [String] = ["docker", "podman"],
    environment: [String: String] = [:], runner: any CommandRunner
  ) {
    name = "\(kind.rawValue):\(cluster)"
    self.kind = kind
    self.cluster = cluster
    self.engines = engines
    self.environment = environment
    self.runner = runner
  }

  package var combinesLoads: Bool { true }

  package func isAvailable() async -> Bool {
    // Only whether, not why: the next load tells.
    (try? await check()) != nil
  }

  /// - Throws: `RuntimeError` that says why no node can be loaded into; `CancellationError`.
  func check() async throws {
    _ = try await findNodes()
  }

  package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    var all: [Removal] = []
    for node in try await findNodes() {
      all.append(try await node.ctr.remove(image, isDryRun: isDryRun))
    }
    // Where one node keeps it, it is to be asked again.
    for removal in all {
      if case .kept = removal { return removal }
    }
    return all.contains(.removed) ? Removal.removed : Removal.absent
  }

  package func load(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    let load = LayoutLoad(image: try await LayoutImage(archive), reference: reference)
    return try await combiner.run(load) { await self.load($0) }
  }

  private func load(_ loads: [LayoutLoad]) async -> [Result<LoadResult, any Error>] {
    do {
      let loaders = try await findNodes()
      let answers = await withTaskGroup(of: [Result<LoadResult, any Error>].self) { group in
        for loader in loaders { group.addTask { await loader.load(loads) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      return loads.indices.map { index in Self.merged(answers.map { $0[index] }) }
    } catch {
      return loads.map { _ in .failure(error) }
    }
  }

  /// One image on all nodes: there when it is on each of them.
  private static func merged(
    _ results: [Result<LoadResult, any Error>]
  ) -> Result<LoadResult, any Error> {
    Result {
      // Of failures, the first is told; it names its node.
      let all = try results.map { try $0.get() }
      return all.dropFirst().reduce(into: all[0]) { sum, result in
        sum.isChanged = sum.isChanged || result.isChanged
        sum.bytesSent += result.bytesSent
        sum.layersSent = max(sum.layersSent, result.layersSent)
      }
    }
  }

  /// The nodes of the cluster now: one may have been added.
  private func findNodes() async throws -> [CtrLoader] {
    var problem: String?
    for engine in engines {
      do {
        let names = try await list(with: engine)
        if names.isEmpty { continue }
        return try await withThrowingTaskGroup(of: CtrLoader.self) { group in
          for name in names { group.addTask { try await self.loader(engine, name) } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
      } catch let error as CommandError {
        problem = problem ?? "\(error)"
      } catch let error as RuntimeError where error.kind == .unreachable {
        problem = problem ?? error.message
      }
    }
    throw RuntimeError(
      runtime: name, kind: .unreachable,
      message: "no running nodes of the \(kind.rawValue) cluster '\(cluster)' were found"
        + (problem.map { ": \($0)" } ?? ""),
      hint: "create it, or name another: --load \(kind.rawValue):CLUSTER")
  }

  private func list(with engine: String) async throws -> [String] {
    let command = Command(
      engine,
      [
        "ps", "-a", "--filter", "label=\(kind.label(cluster))", "--format",
        "{{.Names}}\t{{.State}}\t{{.Labels}}",
      ], environment: environment)
    let (exit, output, errors) = try await CommandAnswer.of(command, with: runner)
    guard exit == .exited(0) else {
      throw RuntimeError(
        runtime: name, kind: .unreachable,
        message: "\(engine) does not list containers: \(Ctr.reason(errors) ?? "\(exit)")")
    }
    return try output.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if fields.count > 2 {
        guard kind.owns(fields[2], cluster) else { return nil }
        let role = kind.roleLabel.flatMap { Kind.value(of: $0, in: fields[2]) }
        if let role, !Kind.roles.contains(role) { return nil }
      }
      guard fields.count > 1, fields[1] == "running" else {
        throw RuntimeError(
          runtime: name, kind: .refused, message: "node \(fields[0]) is not running",
          hint: "start it (\(engine) start \(fields[0])), or remove it from the cluster")
      }
      return fields[0]
    }
  }

  private func loader(_ engine: String, _ node: String) async throws -> CtrLoader {
    var ctr = Ctr(
      place: "node \(node)", entrance: [engine, "exec", "-i", node], namespace: "k8s.io",
      environment: environment, runner: runner)
    let settings: NodeSettings
    if let known = await nodes.settings[node] {
      settings = known
    } else {
      settings = try await NodeSettings(of: ctr)
      await nodes.remember(settings, of: node)
    }
    if let other = settings.otherRuntime {
      throw RuntimeError(
        runtime: name, kind: .refused,
        message: "node \(node) runs its containers with \(other), not with containerd",
        hint: kind == .minikube && other == "docker"
          ? "run 'eval $(minikube -p \(cluster) docker-env)' and choose --load docker"
          : "create the cluster with containerd")
    }
    ctr.snapshotter = settings.snapshotter
    return CtrLoader(ctr: ctr)
  }
}

/// What was asked of nodes once: it takes a node's restart to change.
private actor NodeCache {
  private(set) var settings: [String: NodeSettings] = [:]

  func remember(_ new: NodeSettings, of node: String) { settings[node] = new }
}

/// How a node is set up, as far as images are concerned.
struct NodeSettings: Hashable, Sendable {
  /// That Kubernetes uses there; `nil`: containerd's default.
  var snapshotter: String?
  /// What runs containers, where it is not containerd.
  var otherRuntime: String?

  private static let script = #"""
    containerd config dump 2>/dev/null
    echo --
    if [ -r /var/lib/kubelet/kubeadm-flags.env ]; then cat /var/lib/kubelet/kubeadm-flags.env; fi
    """#

  fileprivate init(of ctr: Ctr) async throws {
    let (exit, output, errors) = try await ctr.run(Self.script)
    guard exit == .exited(0) else { throw ctr.unreachable(exit, errors) }
    self.init(output)
  }

  /// - Parameter text: What `containerd config dump` says, and after `--` kubeadm's flags.
  init(_ text: String) {
    let halves = text.split(separator: "--\n", maxSplits: 1, omittingEmptySubsequences: false)
    snapshotter = Self.snapshotter(inConfiguration: halves[0])
    let flags = halves.count > 1 ? halves[1] : ""
    otherRuntime =
      flags.contains("cri-dockerd") ? "docker" : flags.contains("crio") ? "CRI-O" : nil
  }

  /// The value in the section of the CRI plugin, of which there are two names.
  ///
  /// Source: https://github.com/containerd/containerd/blob/main/docs/cri/config.md
  private static func snapshotter(inConfiguration text: Substring) -> String? {
    let sections = [
      #"plugins."io.containerd.grpc.v1.cri".containerd"#,
      #"plugins."io.containerd.cri.v1.images""#,
    ]
    var isInside = false
    for line in text.split(separator: "\n") {
      let line = line.drop { $0 == " " }
      if line.hasPrefix("[") {
        // Newer versions write single quotes.
        let name = line.dropFirst().prefix { $0 != "]" }
        let section = String(name.map { $0 == "'" ? "\"" : $0 })
        isInside = sections.contains(section)
      } else if isInside, line.hasPrefix("snapshotter ") || line.hasPrefix("snapshotter=") {
        let value = line.drop { $0 != "=" }.dropFirst()
          .filter { $0 != " " && $0 != "\"" && $0 != "'" }
        return value.isEmpty ? nil : value
      }
    }
    return nil
  }
}
