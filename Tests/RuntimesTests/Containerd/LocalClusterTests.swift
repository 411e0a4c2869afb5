import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

@Suite struct LocalClusterTests {
  @Test(arguments: [
    (
      #"""
      version = 2
      [plugins."io.containerd.grpc.v1.cri"]
        snapshotter = "wrong"
        [plugins."io.containerd.grpc.v1.cri".containerd]
          discard_unpacked_layers = true
          snapshotter = "fuse-overlayfs"
      """#, "fuse-overlayfs"
    ),
    ("[plugins.'io.containerd.cri.v1.images']\n  snapshotter = 'native'\n", "native"),
    ("[plugins.\"io.containerd.cri.v1.images\"]\n snapshotter = \"\"\n", nil), ("", nil),
  ])
  func `the snapshotter is the one of the CRI plugin`(text: String, snapshotter: String?) {
    #expect(NodeSettings(text + "\n--\n").snapshotter == snapshotter)
  }

  @Test(arguments: [
    (
      "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///var/run/cri-dockerd.sock\"",
      "docker"
    ),
    ("KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/crio/crio.sock\"", "CRI-O"),
    ("KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd.sock\"", nil),
  ])
  func `a node that runs its containers otherwise is known`(flags: String, runtime: String?) {
    #expect(NodeSettings("--\n\(flags)\n").otherRuntime == runtime)
  }

  /// Loads into a cluster whose engines answer as the script says.
  private func error(
    _ kind: LocalCluster.Kind = .kind, _ script: @escaping ScriptedRunner.Script
  ) async throws -> RuntimeError? {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(TestImage(layers: [TestImage.layer("a", "b")]).dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/app:dev"))
      let cluster = LocalCluster(
        kind, cluster: "dev", environment: ["DOCKER_HOST": "unix://\(directory)/no.sock"],
        runner: ScriptedRunner(script))
      return await #expect(throws: RuntimeError.self) {
        try await cluster.load(archive, as: reference)
      }
    }
  }

  @Test func `a node that is stopped is told, and nothing is loaded`() async throws {
    let error = try await error { command, output in
      if command.arguments.first == "ps" {
        output(
          .standardOutput(
            Array("dev-worker\texited\tio.x-k8s.kind.role=worker,a=b\n".utf8)))
      }
      return .exited(0)
    }
    #expect(
      error?.description
        == "node dev-worker is not running; "
        + "start it (docker start dev-worker), or remove it from the cluster")
  }

  @Test func `a minikube with docker inside is told what to do instead`() async throws {
    let error = try await error(.minikube) { command, output in
      let text =
        command.arguments.first == "ps"
        ? "minikube\trunning\tname.minikube.sigs.k8s.io=dev\n" : "--\nX=\"unix:///cri-dockerd\"\n"
      output(.standardOutput(Array(text.utf8)))
      return .exited(0)
    }
    #expect(error?.message == "node minikube runs its containers with docker, not with containerd")
    #expect(
      error?.hint == "run 'eval $(minikube -p dev docker-env)' and choose --load docker")
  }

  @Test(arguments: [
    ("dev", true), ("dev-m02", true), ("dev-m12", true), ("dev-mail", false), ("dev-m", false),
    ("dev-m2x", false), ("other", false), ("device", false),
  ])
  func `minikube's further nodes are found by their names`(
    label: String, isNode: Bool
  ) async throws {
    let error = try await error(.minikube) { command, output in
      if command.arguments.first == "ps" {
        #expect(command.arguments.contains("label=name.minikube.sigs.k8s.io"))
        let labels = "a=b,name.minikube.sigs.k8s.io=\(label),mode.minikube.sigs.k8s.io=x"
        output(.standardOutput(Array("\(label)\texited\t\(labels)\n".utf8)))
      }
      return .exited(0)
    }
    #expect(
      error?.message
        == (isNode
          ? "node \(label) is not running"
          : "no running nodes of the minikube cluster 'dev' were found"))
  }

  @Test func `without docker and podman the reason is told`() async throws {
    let error = try await error { command, _ in throw CommandError.notFound(command.executable) }
    #expect(
      error?.message
        == "no running nodes of the kind cluster 'dev' were found: "
        + "docker: not found in PATH; install it or give its path")
  }
}
