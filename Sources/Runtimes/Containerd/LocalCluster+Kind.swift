extension LocalCluster {
  /// Who made the cluster, and how its nodes are known among other containers.
  package enum Kind: String, Sendable {
    case kind, k3d, minikube

    package var defaultCluster: String {
      switch self {
      case .kind: "kind"
      case .k3d: "k3s-default"
      case .minikube: "minikube"
      }
    }

    /// The label that all nodes of a cluster have, as `ps --filter label=` takes it.
    ///
    /// Source: kind pkg/cluster/constants, k3d pkg/types, minikube pkg/drivers/kic/oci
    func label(_ cluster: String) -> String {
      switch self {
      case .kind: "io.x-k8s.kind.cluster=\(cluster)"
      case .k3d: "k3d.cluster=\(cluster)"
      // Every node after the first has its own name there: `PROFILE-m02`.
      case .minikube: Self.profileLabel
      }
    }

    /// Tells whether a container that was found by its label is of this cluster.
    func owns(_ labels: String, _ cluster: String) -> Bool {
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
    static func value(of label: String, in labels: String) -> String? {
      guard let range = labels.firstRange(of: label) else { return nil }
      return String(
        labels[range.upperBound...].dropFirst().prefix { $0 != "," && $0 != " " && $0 != "]" })
    }

    /// The label that tells a node from a load balancer or registry beside it.
    var roleLabel: String? {
      switch self {
      case .kind: "io.x-k8s.kind.role"
      case .k3d: "k3d.role"
      case .minikube: nil
      }
    }

    static let roles: Set<String> = ["control-plane", "worker", "server", "agent"]
  }
}
