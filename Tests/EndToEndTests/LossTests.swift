import Basics
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// Images that another hand takes away from real runtimes, whose own tools do it.
@Suite(.docker, .serialized)
struct LossTests {
  /// A runtime that holds two images of ours, and what the other hand does there.
  private struct Scene: Sendable {
    var runtime: any ImageRuntime
    var directory: FilePath
    /// `lab/lost:dev`, which another hand removes.
    var lost: ImageReference
    /// `lab/moved:dev`, which another hand gives to the image of `lab/lost:dev`.
    var moved: ImageReference

    func load(_ content: String, as reference: ImageReference) async throws -> Digest {
      let image = TestImage(layers: [TestImage.layer("lost", content)])
      let path = directory.appending("image.tar")
      try Tool.run("rm", ["-f", path.string])
      try path.write(image.dockerArchive())
      return try await runtime.load(ImageArchive.open(path), as: reference).id
    }

    func loadBoth() async throws -> [ImageReference: Digest] {
      [
        lost: try await load("one", as: lost), moved: try await load("two", as: moved),
      ]
    }
  }

  private final class Told: Sendable {
    private let losses = Mutex<[LostImage]>([])
    var all: [LostImage] { losses.withLock { $0 } }

    /// To be cancelled and awaited.
    func watching(_ runtime: any ImageRuntime, _ held: HeldImages) -> Task<Void, Never> {
      let watch = LossWatch(runtime, held: held, clock: ContinuousClock())
      return Task { await watch.run { lost in self.losses.withLock { $0 += lost } } }
    }
  }

  private func holding(
    _ runtime: any ImageRuntime, _ body: (Scene) async throws -> Void
  ) async throws {
    signal(SIGPIPE, SIG_IGN)
    try await withScratchDirectory { directory in
      try await body(
        Scene(
          runtime: runtime, directory: directory,
          lost: try #require(ImageReference("lab/lost:dev")),
          moved: try #require(ImageReference("lab/moved:dev"))))
    }
  }

  /// One look shows both losses, and none once they are mended.
  private func check(
    _ runtime: any ImageRuntime, move: () throws -> Void, remove: () throws -> Void
  ) async throws {
    try await holding(runtime) { scene in
      let held = try await scene.loadBoth()
      #expect(try await runtime.losses(among: held) == [:])
      try move()
      #expect(try await runtime.losses(among: held) == [scene.moved: .replaced])
      try remove()
      #expect(
        try await runtime.losses(among: held) == [scene.moved: .replaced, scene.lost: .removed])
      #expect(try await scene.loadBoth() == held)
      #expect(try await runtime.losses(among: held) == [:])
    }
  }

  /// Both losses are told of by themselves, within seconds, and none of our own doing.
  private func checkEvents(
    _ runtime: any ImageRuntime, move: () throws -> Void, remove: () throws -> Void
  ) async throws {
    try await holding(runtime) { scene in
      let held = HeldImages()
      let told = Told()
      let watching = told.watching(runtime, held)
      func load() async throws {
        held.forget(["lost", "moved"])
        for (reference, id) in try await scene.loadBoth() {
          held.hold(
            reference == scene.lost ? "lost" : "moved", id, as: [reference], in: runtime.name)
        }
      }
      func wait(for count: Int) async throws {
        for _ in 0..<1000 where told.all.count < count {
          try await ContinuousClock().pause(for: .milliseconds(10))
        }
      }
      try await load()
      // Its own events and its own look pass without a word.
      try await wait(for: 1_000)
      #expect(told.all.isEmpty)
      try move()
      try await wait(for: 1)
      try remove()
      try await wait(for: 2)
      #expect(told.all.map(\.image) == ["moved", "lost"])
      #expect(told.all.map(\.loss) == [.replaced, .removed])
      watching.cancel()
      await watching.value
    }
  }

  private func docker(
    _ daemon: DockerDaemon,
    _ body: (DockerEngine, _ run: ([String]) throws -> Void) async throws
      -> Void
  ) async throws {
    let client = EngineClient(.unix(daemon.socket))
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await body(DockerEngine(client)) { try Tool.run("docker", ["-H", daemon.host] + $0) })
    } catch {
      result = .failure(error)
    }
    await client.shutdown()
    try result.get()
  }

  @Test func `docker tells of what another hand takes away`() async throws {
    try await docker(.shared()) { engine, run in
      try await check(
        engine, move: { try run(["tag", "lab/lost:dev", "lab/moved:dev"]) },
        remove: { try run(["rmi", "lab/lost:dev"]) })
      try await checkEvents(
        engine, move: { try run(["tag", "lab/lost:dev", "lab/moved:dev"]) },
        remove: { try run(["rmi", "lab/lost:dev"]) })
    }
  }

  @Test(.enabled(if: NewerDocker.isExpected, Comment(rawValue: NewerDocker.requirement)))
  func `so does docker with its images in containerd`() async throws {
    try await docker(NewerDocker.shared()) { engine, run in
      try await check(
        engine, move: { try run(["tag", "lab/lost:dev", "lab/moved:dev"]) },
        remove: { try run(["rmi", "lab/lost:dev"]) })
      try await checkEvents(
        engine, move: { try run(["tag", "lab/lost:dev", "lab/moved:dev"]) },
        remove: { try run(["rmi", "lab/lost:dev"]) })
    }
  }

  @Test func `a docker that is started anew is followed again`() async throws {
    let daemon = try await DockerDaemon()
    try await docker(daemon) { engine, run in
      try await holding(engine) { scene in
        let held = HeldImages()
        let told = Told()
        let watching = told.watching(engine, held)
        let id = try await scene.load("one", as: scene.lost)
        held.hold("lost", id, as: [scene.lost], in: "docker")
        try await daemon.pause()
        try await daemon.resume()
        try run(["rmi", "lab/lost:dev"])
        for _ in 0..<3000 where told.all.isEmpty {
          try await ContinuousClock().pause(for: .milliseconds(10))
        }
        #expect(told.all.map(\.image) == ["lost"])
        watching.cancel()
        await watching.value
      }
    }
    try await daemon.stop()
  }

  @Test(.enabled(if: Runtimes.isExpected("podman"), "needs podman, run as root"))
  func `podman tells of what another hand takes away`() async throws {
    let daemon = try await Runtimes.podman()
    let client = EngineClient(
      .unix(daemon.directory.appending("podman.sock")), runtime: "podman")
    func run(_ arguments: [String]) throws {
      try Tool.run(
        "env",
        [
          "CONTAINERS_STORAGE_CONF=\(daemon.directory)/storage.conf", "podman", "--tmpdir",
          "\(daemon.directory)/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
        ] + arguments)
    }
    let engine = DockerEngine(client)
    let result: Result<Void, any Error>
    do {
      for check in [check, checkEvents] {
        try await check(
          engine, { try run(["tag", "localhost/lab/lost:dev", "localhost/lab/moved:dev"]) },
          { try run(["rmi", "localhost/lab/lost:dev"]) })
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await client.shutdown()
    try result.get()
  }

  @Test(.enabled(if: Runtimes.isExpected("containerd"), "needs containerd, run as root"))
  func `a look shows what is gone from containerd`() async throws {
    let socket = try await Runtimes.containerd().directory.appending("containerd.sock")
    func ctr(_ arguments: String...) throws {
      try Tool.run(
        "ctr", ["--address", socket.string, "--namespace", "losses", "images"] + arguments)
    }
    try await check(
      Containerd(namespace: "losses", address: socket, runner: SubprocessRunner()),
      move: { try ctr("tag", "--force", "docker.io/lab/lost:dev", "docker.io/lab/moved:dev") },
      remove: { try ctr("rm", "docker.io/lab/lost:dev") })
  }

  @Test func `a look shows what is gone from one node of a cluster`() async throws {
    let cluster = try await ClusterNodes.shared(.kind)
    let runtime = LocalCluster(
      .kind, cluster: cluster.cluster, environment: ["DOCKER_HOST": cluster.docker.host],
      runner: SubprocessRunner())
    func ctr(_ arguments: String...) throws {
      try cluster.run(cluster.nodes[1], ["ctr", "--namespace", "k8s.io", "images"] + arguments)
    }
    try await check(
      runtime,
      move: { try ctr("tag", "--force", "docker.io/lab/lost:dev", "docker.io/lab/moved:dev") },
      remove: { try ctr("rm", "docker.io/lab/lost:dev") })
    await runtime.shutdown()
  }

  @Test func `a look shows what is gone from the image store`() async throws {
    try await withScratchDirectory { directory in
      let store = directory.appending("images")
      try await holding(ImageStore(store)) { scene in
        let held = try await scene.loadBoth()
        #expect(try await scene.runtime.losses(among: held) == [:])
        // A layer, the index, all of it.
        for path in ["blobs/sha256/\(TestImage.layerDigest("one"))", "index.json", ""] {
          try Tool.run("rm", ["-r", store.pushing(FilePath(path)).string])
          let losses = try await scene.runtime.losses(among: held)
          #expect(losses[scene.lost] == .removed)
          #expect(losses.count == (path.hasPrefix("blobs") ? 1 : 2))
          #expect(try await scene.loadBoth() == held)
          #expect(try await scene.runtime.losses(among: held) == [:])
        }
        _ = try await scene.load("one", as: scene.moved)
        #expect(try await scene.runtime.losses(among: held) == [scene.moved: .replaced])
      }
    }
  }
}

extension TestImage {
  fileprivate static func layerDigest(_ content: String) -> Substring {
    Digest(of: layer("lost", content)).hexadecimal
  }
}
