import Basics
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// Removing superseded images from real containerds, here and in the nodes of a cluster.
struct ContainerdPruneTests {
  /// Versions of an image, loaded one after the other, and what is written down of them.
  private struct Stage {
    var runtime: any ImageRuntime
    var directory: FilePath
    var ledger: Ledger

    init(_ runtime: any ImageRuntime, in directory: FilePath) {
      self.runtime = runtime
      self.directory = directory
      ledger = Ledger(in: directory, now: { Date(timeIntervalSince1970: 100_000) })
    }

    /// - Parameter isOurs: Whether it is written down.
    /// - Returns: The image, and by which digest containerd knows it.
    func load(
      _ version: String, as name: String, isOurs: Bool = true
    ) async throws -> (image: TestImage, digest: Digest) {
      let image = try TestImage.runnable([version])
      let path = directory.appending("image.tar")
      try Tool.run("rm", ["-f", path.string])
      try path.write(image.dockerArchive())
      let reference = try #require(ImageReference(name))
      let result = try await runtime.load(try ImageArchive.open(path), as: reference)
      if isOurs {
        try await ledger.append([
          Ledger.Entry(
            runtime: runtime.name, reference: reference.description, id: result.id.description,
            time: 1)
        ])
      }
      return (image, result.id)
    }

    func prune(isDryRun: Bool = false) async throws -> [Digest: Removal] {
      let rule = PruneRule(keep: 0, olderThan: .seconds(1))
      let outcomes = try await Pruning(rule, ledger: ledger).run(in: runtime, isDryRun: isDryRun)
      return Dictionary(uniqueKeysWithValues: outcomes.map { ($0.image.id, $0.removal) })
    }
  }

  @Test(
    .enabled(
      if: Runtimes.isExpected("containerd"),
      "needs containerd (apt-get install containerd), as root"))
  func `containerd keeps what has another name, and what others loaded`() async throws {
    let daemon = try await Runtimes.containerd()
    let socket = daemon.directory.appending("containerd.sock")
    let view = ContainerdView { arguments in
      try Tool.run("ctr", ["--address", socket.string, "--namespace", "lab-prune"] + arguments)
    }
    let runtime = Containerd(
      namespace: "lab-prune", address: socket, runner: SubprocessRunner())
    try await withScratchDirectory { directory in
      let stage = Stage(runtime, in: directory)
      func tag(_ name: String) throws {
        _ = try view.ctr(["images", "tag", "docker.io/lab/pruned:dev", name])
      }
      let theirs = try await stage.load("theirs", as: "lab/pruned:dev", isOurs: false)
      try tag("docker.io/lab/theirs:dev")
      let named = try await stage.load("named", as: "lab/pruned:dev")
      try tag("docker.io/lab/kept:dev")
      // As Kubernetes names an image by its ID, and nothing else does.
      let doomed = try await stage.load("doomed", as: "lab/pruned:dev")
      try tag(doomed.image.id.description)
      let nameless = try await stage.load("nameless", as: "lab/pruned:dev")
      let current = try await stage.load("current", as: "lab/pruned:dev")

      let before = try view.names()
      let expected: [Digest: Removal] = [
        named.digest: .kept("it is also called docker.io/lab/kept:dev"), doomed.digest: .removed,
        nameless.digest: .absent,
      ]
      #expect(try await stage.prune(isDryRun: true) == expected)
      #expect(try view.names() == before)
      #expect(try await stage.prune() == expected)
      #expect(try view.names() == before.subtracting([doomed.image.id.description]))
      #expect(try view.held("lab/pruned:dev") == current.image.id)
      #expect(try view.held("lab/kept:dev") == named.image.id)
      #expect(try view.held("lab/theirs:dev") == theirs.image.id)
      #expect(try view.run("lab/kept:dev") == "named")
      // What is gone is asked for no more.
      #expect(try await stage.prune() == expected.filter { $0.key == named.digest })
    }
  }

  private func waitForName(_ id: Digest, in view: ContainerdView) async throws {
    for _ in 0..<300 {
      if try view.names().contains(id.description) { return }
      try await ContinuousClock().pause(for: .milliseconds(100))
    }
    #expect(try view.names().contains(id.description), "Kubernetes's part did not see the image")
  }

  @Test(.docker)
  func `a cluster's nodes lose what was superseded, and nothing that runs`() async throws {
    let cluster = try await ClusterNodes(.kind, cluster: "prune")
    let result: Result<Void, any Error>
    do { result = .success(try await prune(cluster)) } catch { result = .failure(error) }
    try cluster.stop()
    try result.get()
  }

  private func prune(_ cluster: ClusterNodes) async throws {
    let views = cluster.nodes.map { ContainerdView(cluster, $0) }
    let runtime = LocalCluster(
      .kind, cluster: cluster.cluster, environment: ["DOCKER_HOST": cluster.docker.host],
      runner: SubprocessRunner())
    try await withScratchDirectory { directory in
      let stage = Stage(runtime, in: directory)
      // Kubernetes itself names them by their IDs, a little later.
      func load(
        _ version: String, as name: String, isOurs: Bool = true
      ) async throws -> (
        image: TestImage, digest: Digest
      ) {
        let loaded = try await stage.load(version, as: name, isOurs: isOurs)
        for view in views { try await waitForName(loaded.image.id, in: view) }
        return loaded
      }
      let theirs = try await load("their node image", as: "lab/nodeprune:dev", isOurs: false)
      let doomed = try await load("doomed on nodes", as: "lab/nodeprune:dev")
      let named = try await load("named on nodes", as: "lab/nodeprune:dev")
      // On one node of the two.
      _ = try views[1].ctr([
        "images", "tag", "docker.io/lab/nodeprune:dev", "docker.io/lab/nodekept:dev",
      ])
      let current = try await load("current on nodes", as: "lab/nodeprune:dev")
      let running = try await load("running on nodes", as: "lab/noderuns:dev")
      _ = try views[0].ctr([
        "run", "-d", "--cgroup", "", "docker.io/lab/noderuns:dev", "prune-sleeper", "/bin/busybox",
        "sleep", "600",
      ])
      _ = try await load("newer than what runs", as: "lab/noderuns:dev")

      let before = try views.map { try $0.names() }
      let expected: [Digest: Removal] = [
        doomed.digest: .removed,
        named.digest: .kept("it is also called docker.io/lab/nodekept:dev"),
        running.digest: .kept("container prune-sleepe may use it"),
      ]
      #expect(try await stage.prune(isDryRun: true) == expected)
      for (view, names) in zip(views, before) {
        #expect(names.subtracting(try view.names()) == [])
      }
      #expect(try await stage.prune() == expected)
      for view in views {
        let names = try view.names()
        #expect(!names.contains(doomed.image.id.description))
        #expect(names.contains(theirs.image.id.description), "not loaded by us")
        #expect(try view.held("lab/nodeprune:dev") == current.image.id)
      }
      #expect(try views[0].names().contains(running.image.id.description))
      #expect(try views[1].held("lab/nodekept:dev") == named.image.id)
      #expect(try views[0].ctr(["tasks", "ls"]).contains("RUNNING"))
    }
  }
}
