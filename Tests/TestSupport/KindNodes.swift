import Glibc
import SystemPackage

/// Containers that look like the nodes of a kind cluster to whoever finds them as kind does: by their
/// labels, with a containerd inside that is reached through `docker exec`. No Kubernetes in them.
package struct KindNodes: Sendable {
  package let docker: DockerDaemon
  package let cluster: String
  package let nodes: [String]

  /// Starts two nodes in the daemon that the tests of this process share; they end with it.
  package static func shared() async throws -> KindNodes { try await starting.value }

  // No child of the test that comes first: it outlives that test, and ends with the process.
  private static let starting = Task { try await KindNodes(cluster: "lab") }

  private init(cluster: String) async throws {
    docker = try await .shared()
    self.cluster = cluster
    nodes = ["\(cluster)-control-plane", "\(cluster)-worker"]
    try await withScratchDirectory { [docker] directory in
      try Tool.run(
        "bash", ["-c", Self.imageScript, "bash", docker.host, directory.appending("root").string])
    }
    for (node, role) in zip(nodes, ["control-plane", "worker"]) {
      try Tool.run("bash", ["-c", Self.nodeScript, "bash", docker.host, node, cluster, role])
    }
    // Beside the nodes, and none of them.
    try Tool.run(
      "docker",
      [
        "-H", docker.host, "create", "--name", "\(cluster)-balancer", "--network", "none",
        "--label", "io.x-k8s.kind.cluster=\(cluster)",
        "--label", "io.x-k8s.kind.role=external-load-balancer", Self.image,
      ])
  }

  /// Runs a program inside a node.
  @discardableResult
  package func run(_ node: String, _ arguments: [String]) throws -> String {
    try Tool.run("docker", ["-H", docker.host, "exec", node] + arguments)
  }

  private static let image = "watchbuild-test/node:1"

  /// The node's root file system: this machine's containerd and its client, a shell, and the
  /// libraries that they are linked with.
  private static let imageScript = #"""
    set -eu
    host=$1 root=$2
    mkdir -p "$root"/{usr/bin,usr/lib,lib,lib64,etc/containerd,tmp,run,var,proc,sys,dev,root}
    ln -s usr/bin "$root/bin"; ln -s usr/bin "$root/sbin"; ln -s bin "$root/usr/sbin"
    for program in containerd ctr runc containerd-shim-runc-v2 sh sleep cat; do
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
    tar -C "$root" --numeric-owner -c . |
      docker -H "$host" import -c 'CMD ["/usr/bin/containerd"]' - \#(image) >/dev/null
    """#

  /// As kind runs a node, as far as this machine lets it: without CAP_SYS_RESOURCE no container can be
  /// privileged, so all else is asked for.
  private static let nodeScript = #"""
    set -eu
    host=$1 node=$2 cluster=$3 role=$4
    bounding=$(while read -r key value; do if [ "$key" = CapBnd: ]; then echo "$value"; fi; done \
      </proc/self/status)
    if (( 16#$bounding >> 24 & 1 )); then rights=(--privileged)
    else
      rights=(--cap-add=ALL --cap-drop=SYS_RESOURCE --security-opt=seccomp=unconfined
        --security-opt=apparmor=unconfined --security-opt=systempaths=unconfined)
    fi
    docker -H "$host" run -d "${rights[@]}" --network none --hostname "$node" --name "$node" \
      --label "io.x-k8s.kind.cluster=$cluster" --label "io.x-k8s.kind.role=$role" \
      --tmpfs /tmp --tmpfs /run --volume /var \#(image) >/dev/null
    for _ in {1..150}; do
      docker -H "$host" exec "$node" ctr version >/dev/null 2>&1 && exit
      sleep 0.2
    done
    echo "containerd did not start in $node" >&2; docker -H "$host" logs --tail 20 "$node" >&2; exit 1
    """#
}
