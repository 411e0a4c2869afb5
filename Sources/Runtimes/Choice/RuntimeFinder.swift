import Glibc
import Processes
import SystemPackage

/// Makes runtimes of choices, each once.
struct RuntimeFinder {
  let store: FilePath
  let environment: [String: String]
  let runner: any CommandRunner

  private(set) var runtimes: [any ImageRuntime] = []
  private(set) var notes: [String] = []
  private(set) var closers: [@Sendable () async -> Void] = []

  init(store: FilePath, environment: [String: String], runner: any CommandRunner) {
    self.store = store
    self.environment = environment
    self.runner = runner
  }

  mutating func add(_ choice: RuntimeChoice) async throws {
    switch choice {
    case .none: break
    case .store(let directory): add(ImageStore(directory))
    case .docker:
      guard !has("docker") else { return }
      addDocker(try await EngineConnection.open(environment: environment, runner: runner))
    case .podman:
      guard !has("podman") else { return }
      try await addPodman()
    case .containerd(let namespace, let address):
      add(
        Containerd(
          namespace: namespace ?? value("CONTAINERD_NAMESPACE") ?? "default",
          address: address ?? value("CONTAINERD_ADDRESS").map { FilePath($0) },
          snapshotter: value("CONTAINERD_SNAPSHOTTER"), runner: runner))
    case .cluster(let kind, let name):
      addCluster(cluster(kind, name ?? usualCluster(of: kind)))
    case .registry(let address): addRegistry(address)
    case .auto: try await addAutomatic()
    }
  }

  /// The cluster that kubectl means, else docker, else podman, else the store.
  private mutating func addAutomatic() async throws {
    var problems: [String] = []
    if let context = KubeContext.current(environment: environment), let found = context.cluster {
      let cluster = cluster(found.kind, found.name)
      do {
        try await cluster.check()
        return addCluster(cluster)
      } catch let error as RuntimeError {
        await cluster.shutdown()
        problems.append("the current kube context is \(context.name), but \(error.message)")
      }
    }
    if try await addDocker(noting: &problems) { return note(problems, "docker") }
    if let podman = try await answeringPodman() {
      if !has("podman") { addEngine(podman.client, podman.service) }
      return note(problems, "podman")
    }
    add(ImageStore(store))
    note(problems, "the image store \(store)")
  }

  /// - Returns: Whether docker answers.
  private mutating func addDocker(noting problems: inout [String]) async throws -> Bool {
    do {
      let docker = try await EngineConnection.open(environment: environment, runner: runner)
      do {
        try await docker.client.ping()
      } catch {
        await docker.close()
        throw error
      }
      if has("docker") {
        await docker.close()
      } else {
        addDocker(docker)
      }
      return true
    } catch let error as RuntimeError {
      problems.append(error.message)
      return false
    }
  }

  /// Podman as `auto` wants it: there and working, or not at all.
  private func answeringPodman() async throws -> (client: EngineClient, service: PodmanService?)? {
    guard
      value("CONTAINER_HOST") != nil
        || ExecutablePath.find("podman", in: environment["PATH"] ?? "") != nil
    else { return nil }
    do {
      let (client, service) = try await podman()
      do {
        try await service?.start(for: client)
        try await client.ping()
        return (client, service)
      } catch {
        await client.shutdown()
        await service?.stop()
        throw error
      }
    } catch is RuntimeError {
      return nil
    }
  }

  private mutating func addPodman() async throws {
    let (client, service) = try await podman()
    addEngine(client, service)
  }

  /// The service that is set up, else one of our own, which starts when it is needed.
  private func podman() async throws -> (client: EngineClient, service: PodmanService?) {
    if let host = value("CONTAINER_HOST") {
      return (EngineClient(try Self.podmanEndpoint(host), runtime: "podman"), nil)
    }
    let parent = SocketDirectory.parent(environment: environment)
    let usual = geteuid() == 0 ? FilePath("/run") : parent
    let client = EngineClient(
      .unix(usual.appending("podman").appending("podman.sock")), runtime: "podman")
    do {
      try await client.ping()
      return (client, nil)
    } catch {
      await client.shutdown()
      if error is CancellationError { throw error }
    }
    let service = PodmanService(in: parent, runner: runner)
    return (EngineClient(service.endpoint, runtime: "podman"), service)
  }

  private static func podmanEndpoint(_ host: String) throws(RuntimeError) -> EngineEndpoint {
    let hint: String
    switch EngineEndpoint(host) {
    case .ssh:
      hint =
        "watchbuild reaches podman by a socket or by TCP; forward the one over there "
        + "(ssh -NL /tmp/podman.sock:/run/user/1000/podman/podman.sock HOST) and give "
        + "unix:///tmp/podman.sock"
    case nil: hint = "give unix:///PATH or tcp://HOST:PORT"
    case let endpoint?: return endpoint
    }
    throw RuntimeError(
      runtime: "podman", kind: .unreachable, message: "CONTAINER_HOST=\(host) is not supported",
      hint: hint)
  }

  private mutating func addDocker(_ docker: EngineConnection) {
    runtimes.append(DockerEngine(docker.client))
    closers.append { await docker.close() }
  }

  private mutating func addEngine(_ client: EngineClient, _ service: PodmanService? = nil) {
    runtimes.append(DockerEngine(client, service: service))
    closers.append {
      await client.shutdown()
      await service?.stop()
    }
  }

  private mutating func addRegistry(_ address: RegistryAddress) {
    let registry = Registry(
      address, environment: environment,
      certificates: RegistryCertificates.directories(environment), runner: runner)
    guard !has(registry.name) else { return }
    runtimes.append(registry)
    closers.append { await registry.shutdown() }
  }

  private mutating func addCluster(_ cluster: LocalCluster) {
    guard !has(cluster.name) else { return }
    runtimes.append(cluster)
    closers.append { await cluster.shutdown() }
  }

  private mutating func add(_ runtime: any ImageRuntime) {
    if !has(runtime.name) { runtimes.append(runtime) }
  }

  private func has(_ name: String) -> Bool { runtimes.contains { $0.name == name } }

  private mutating func note(_ problems: [String], _ place: String) {
    notes += problems.map { "\($0); loading into \(place)" }
  }

  /// The cluster that its tool would take, or kubectl.
  private func usualCluster(of kind: LocalCluster.Kind) -> String {
    let current = KubeContext.current(environment: environment)?.cluster
    let own =
      switch kind {
      case .kind: value("KIND_CLUSTER_NAME")
      case .minikube: value("MINIKUBE_PROFILE")
      case .k3d: nil as String?
      }
    return own ?? (current?.kind == kind ? current?.name : nil) ?? kind.defaultCluster
  }

  private func cluster(_ kind: LocalCluster.Kind, _ name: String) -> LocalCluster {
    // As kind itself chooses.
    let engine = kind == .kind ? value("KIND_EXPERIMENTAL_PROVIDER") : nil
    return LocalCluster(
      kind, cluster: name, engines: engine.map { [$0] } ?? ["docker", "podman"],
      environment: environment, runner: runner)
  }

  private func value(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
