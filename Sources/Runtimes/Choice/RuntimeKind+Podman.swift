import Glibc
import Processes
import SystemPackage

extension RuntimeKind {
  /// The service that is set up, else one of our own, which starts when it is needed.
  static let podman = RuntimeKind(
    "podman",
    answers: Answer(rank: 2) { finder, _ in
      guard let podman = try await finder.answeringPodman() else { return nil }
      if !finder.has("podman") { finder.add(podman) }
      return "podman"
    }, remedy: { _ in "see whether 'podman info' works, or install podman" }
  ) { _, finder in
    guard !finder.has("podman") else { return }
    finder.add(try await finder.podman())
  }
}

extension RuntimeChoice {
  package static let podman = RuntimeChoice(.podman)
}

/// A connection to podman, and the service of our own behind it.
private struct Podman {
  let client: EngineClient
  /// `nil`: somebody else's.
  let service: PodmanService?
}

extension RuntimeFinder {
  fileprivate mutating func add(_ podman: Podman) {
    add(DockerEngine(podman.client, service: podman.service)) {
      await podman.client.shutdown()
      await podman.service?.stop()
    }
  }

  /// Podman as `auto` wants it: there and working, or not at all.
  fileprivate func answeringPodman() async throws -> Podman? {
    guard
      value("CONTAINER_HOST") != nil
        || ExecutablePath.find("podman", in: environment["PATH"] ?? "") != nil
    else { return nil }
    do {
      let podman = try await podman()
      do {
        try await podman.service?.start(for: podman.client)
        try await podman.client.ping()
        return podman
      } catch {
        await podman.client.shutdown()
        await podman.service?.stop()
        throw error
      }
    } catch is RuntimeError {
      return nil
    }
  }

  fileprivate func podman() async throws -> Podman {
    if let host = value("CONTAINER_HOST") {
      return Podman(
        client: EngineClient(try Self.podmanEndpoint(host), runtime: "podman"), service: nil)
    }
    let parent = SocketDirectory.parent(environment: environment)
    let usual = geteuid() == 0 ? FilePath("/run") : parent
    let client = EngineClient(
      .unix(usual.appending("podman").appending("podman.sock")), runtime: "podman")
    do {
      try await client.ping()
      return Podman(client: client, service: nil)
    } catch {
      await client.shutdown()
      if error is CancellationError { throw error }
    }
    let service = PodmanService(in: parent, runner: runner)
    return Podman(client: EngineClient(service.endpoint, runtime: "podman"), service: service)
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
}
