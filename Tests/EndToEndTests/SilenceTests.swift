import Basics
import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// Real runtimes that stop in the middle of a load, as behind a network that went away: each process
/// stays, takes what its socket holds, and says nothing.
///
/// From then on time passes thirty times as fast for the loads.
@Suite(.docker, .serialized, .timeLimit(.minutes(5)))
struct SilenceTests {
  /// A load is ended when the runtime stops in the middle of it, and the next one goes well.
  private func check(
    _ runtime: any ImageRuntime, then again: any ImageRuntime, clock: QuickClock,
    stop: (Int32) throws -> Void
  ) async throws {
    signal(SIGPIPE, SIG_IGN)
    try await withScratchDirectory { directory in
      let image = TestImage(layers: [
        TestImage.layer(
          "silence", TestImage.filling(64 << 20, seed: "\(UInt64.random(in: 0...9999))"))
      ])
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/silence:dev"))
      let progress = LoadProgress()
      let hasEnded = Mutex(false)
      let load = Task {
        defer { hasEnded.withLock { $0 = true } }
        return try await LoadProgress.$current.withValue(progress) {
          try await runtime.load(archive, as: reference)
        }
      }
      while progress.count.sent < 4 << 20, !hasEnded.withLock(\.self) {
        try await ContinuousClock().pause(for: .milliseconds(1))
      }
      try stop(SIGSTOP)
      clock.hurry()
      let result = await load.result
      try stop(SIGCONT)
      let error = #expect(throws: RuntimeError.self) { try result.get() }
      #expect(error?.kind == .unreachable)
      #expect(
        error?.message.contains("not a word from it for ") == true, "\(String(describing: error))")
      #expect(try await again.load(archive, as: reference).isChanged)
    }
  }

  private func stopping(
    _ programs: Set<String>, in directory: FilePath
  ) throws -> (Int32) throws -> Void {
    let ids = try LoadHarness.Crash.processes(programs, in: directory)
    return { number in for id in ids { kill(id, number) } }
  }

  @Test func `a load into a docker that stops is ended`() async throws {
    let daemon = try await DockerDaemon()
    let clock = QuickClock(factor: 30)
    let quick = EngineClient(.unix(daemon.socket), clock: clock)
    let client = EngineClient(.unix(daemon.socket))
    try await check(
      DockerEngine(quick), then: DockerEngine(client), clock: clock,
      stop: stopping(["dockerd"], in: daemon.socket.removingLastComponent()))
    await quick.shutdown()
    await client.shutdown()
    try await daemon.stop()
  }

  @Test(.enabled(if: Runtimes.isExpected("podman"), "needs podman, run as root"))
  func `a load into a podman that stops is ended`() async throws {
    let daemon = try await Runtimes.makePodman()
    let socket = daemon.directory.appending("podman.sock")
    let clock = QuickClock(factor: 30)
    let quick = EngineClient(.unix(socket), runtime: "podman", clock: clock)
    let client = EngineClient(.unix(socket), runtime: "podman")
    try await check(
      DockerEngine(quick), then: DockerEngine(client), clock: clock,
      stop: stopping(["podman"], in: daemon.directory))
    await quick.shutdown()
    await client.shutdown()
    try await daemon.stop()
  }

  @Test(.enabled(if: Runtimes.isExpected("containerd"), "needs containerd, run as root"))
  func `a load into a containerd that stops is ended`() async throws {
    let daemon = try await Runtimes.makeContainerd()
    let socket = daemon.directory.appending("containerd.sock")
    let clock = QuickClock(factor: 30)
    func runtime(_ clock: any Clock<Duration>) -> Containerd {
      Containerd(namespace: "lab", address: socket, runner: SubprocessRunner(), clock: clock)
    }
    try await check(
      runtime(clock), then: runtime(ContinuousClock()), clock: clock,
      stop: stopping(["containerd"], in: daemon.directory))
    try await daemon.stop()
  }

  @Test func `a load into a node whose containerd stops is ended`() async throws {
    let cluster = try await ClusterNodes(.kind, cluster: "silence")
    func runtime(_ clock: any Clock<Duration>) -> LocalCluster {
      LocalCluster(
        .kind, cluster: cluster.cluster, environment: ["DOCKER_HOST": cluster.docker.host],
        runner: SubprocessRunner(), clock: clock)
    }
    let clock = QuickClock(factor: 30)
    let (quick, again) = (runtime(clock), runtime(ContinuousClock()))
    await quick.prepare()
    // From outside: a step into the node would take as long as the load.
    let containerd = try #require(
      cluster.processes(in: cluster.nodes[0]).lazy.compactMap { line -> pid_t? in
        let fields = line.split(separator: " ")
        return fields.count > 1 && fields[1].hasSuffix("containerd") ? pid_t(fields[0]) : nil
      }.first)
    try await check(quick, then: again, clock: clock) { kill(containerd, $0) }
    await quick.shutdown()
    await again.shutdown()
    try cluster.stop()
  }

  @Test(.enabled(if: Tool.isRequired || Tool.exists("docker-registry"), "needs docker-registry"))
  func `a load into a registry that stops is ended`() async throws {
    let registry = try await TestRegistry()
    func runtime(_ clock: any Clock<Duration>) throws -> Registry {
      Registry(
        try #require(RegistryAddress(registry.host)), environment: [:], certificates: [],
        runner: SubprocessRunner(), clock: clock)
    }
    let clock = QuickClock(factor: 30)
    let (quick, again) = (try runtime(clock), try runtime(ContinuousClock()))
    try await check(
      quick, then: again, clock: clock,
      stop: stopping(["docker-registry"], in: registry.daemon.directory))
    await quick.shutdown()
    await again.shutdown()
    try await registry.daemon.stop()
  }
}
