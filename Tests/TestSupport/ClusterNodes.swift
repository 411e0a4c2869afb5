package import Runner
import SystemPackage
import Watcher

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
      try Tool.run(
        "bash",
        ["-c", Self.nodeScript, "bash", docker.host, member.name, kind.rawValue] + labels)
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

  private static let image = "watchbuild-test/node:1"

  private static func makeImage() async throws {
    let docker = try await DockerDaemon.shared()
    try await withScratchDirectory { directory in
      try Tool.run(
        "bash", ["-c", imageScript, "bash", docker.host, directory.appending("root").string])
    }
  }

  /// The node's root file system: this machine's containerd and its client, a shell, and the
  /// libraries that they are linked with.
  ///
  /// As in a node of k3s, one of k3d's has containerd at an address that only its own `ctr` knows,
  /// no `containerd` in its path, and busybox for a shell.
  private static let imageScript = #"""
    set -eu
    host=$1 root=$2
    mkdir -p "$root"/{usr/bin,usr/lib,lib,lib64,etc/containerd,tmp,run,var,proc,sys,dev,root,k3s}
    ln -s usr/bin "$root/bin"; ln -s usr/bin "$root/sbin"; ln -s bin "$root/usr/sbin"
    for program in containerd ctr runc containerd-shim-runc-v2 sh sleep cat rm mv ln chmod busybox; do
      path=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $program)
      cp -L "$path" "$root/usr/bin/$program"
      { ldd "$path" 2>/dev/null || true; } | grep -oE '/[^ ]+\.so[^ ]*' | while read -r library; do
        mkdir -p "$root${library%/*}"; cp -Ln "$library" "$root$library"
      done
    done
    cat >"$root/etc/containerd/config.toml" <<'TOML'
    version = 2
    [plugins."io.containerd.grpc.v1.cri"]
      stream_server_port = "0"
    [plugins."io.containerd.grpc.v1.cri".containerd]
      discard_unpacked_layers = true
      snapshotter = "overlayfs"
    TOML
    cat >"$root/init" <<'SH'
    options=
    if [ "$1" = k3d ]; then
      PATH=/k3s:$PATH
      socket=/run/k3s/containerd/containerd.sock
      options="--address $socket --state /run/k3s/containerd --root /var/lib/rancher/k3s/agent/containerd"
      if [ -e /bin/containerd ]; then
        mv /bin/containerd /bin/ctr /k3s
        ln -sf busybox /bin/sh
        echo '#!/bin/sh' >/bin/ctr
        echo "exec /k3s/ctr --address $socket \"\$@\"" >>/bin/ctr
        chmod 755 /bin/ctr
      fi
    fi
    trap 'kill "$child"; wait "$child"; exit' TERM
    while :; do
      while [ -e /run/hold ]; do sleep 0.05; done
      containerd $options &
      child=$!
      echo $child >/run/containerd.pid
      wait $child
    done
    SH
    tar -C "$root" --numeric-owner -c . |
      docker -H "$host" import - \#(image) >/dev/null
    """#

  /// As kind runs a node, as far as this machine lets it: without CAP_SYS_RESOURCE no container can be
  /// privileged, so all else is asked for, and the control groups are this machine's.
  private static let nodeScript = #"""
    set -eu
    host=$1 node=$2 kind=$3
    shift 3
    bounding=$(while read -r key value; do if [ "$key" = CapBnd: ]; then echo "$value"; fi; done \
      </proc/self/status)
    if (( 16#$bounding >> 24 & 1 )); then rights=(--privileged)
    else
      rights=(--cap-add=ALL --cap-drop=SYS_RESOURCE --security-opt=seccomp=unconfined
        --security-opt=apparmor=unconfined --security-opt=systempaths=unconfined
        --volume=/sys/fs/cgroup:/sys/fs/cgroup)
    fi
    docker -H "$host" run -d "${rights[@]}" --network none --hostname "$node" --name "$node" "$@" \
      --tmpfs /tmp --tmpfs /run --volume /var \#(image) sh /init "$kind" >/dev/null
    for _ in {1..300}; do
      docker -H "$host" exec "$node" ctr version >/dev/null 2>&1 && exit
      sleep 0.1
    done
    echo "containerd did not start in $node" >&2; docker -H "$host" logs --tail 20 "$node" >&2; exit 1
    """#
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
