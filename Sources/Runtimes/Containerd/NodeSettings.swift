import Processes

/// The settings of a node that matter for images.
struct NodeSettings: Hashable, Sendable {
  /// That Kubernetes uses there; `nil`: containerd's default.
  var snapshotter: String?
  /// The program that runs containers, where it is not containerd.
  var otherRuntime: String?

  private static let script = #"""
    containerd config dump 2>/dev/null
    echo --
    if [ -r /var/lib/kubelet/kubeadm-flags.env ]; then cat /var/lib/kubelet/kubeadm-flags.env; fi
    """#

  init(of ctr: Ctr) async throws {
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
      "plugins.\"io.containerd.grpc.v1.cri\".containerd",
      "plugins.\"io.containerd.cri.v1.images\"",
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
