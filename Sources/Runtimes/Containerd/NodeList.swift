import Processes

/// The containers that are the nodes of a cluster, as docker or podman has them now.
struct NodeList: Sendable {
  /// As errors call it.
  var runtime: String
  var kind: LocalCluster.Kind
  var cluster: String
  /// For `DOCKER_HOST` and the like; added to our own for their clients.
  var environment: [String: String]
  var runner: any CommandRunner
  var clock: any Clock<Duration> = ContinuousClock()

  /// A container that may be a node.
  private struct Container {
    var name: String
    var state: String
    /// As docker's client writes them: `a=b,c=d`.
    var labels: String
  }

  /// - Parameter engine: `docker` or `podman`.
  /// - Throws: `RuntimeError`; `CommandError` when its client is not there; `CancellationError`.
  func names(_ engine: String) async throws -> [String] {
    let label = kind.label(cluster)
    let containers =
      if engine == "docker", let answer = await askDocker(label) { answer } else {
        try await ask(engine, label)
      }
    return try containers.compactMap { container in
      guard kind.owns(container.labels, cluster) else { return nil }
      let role = kind.roleLabel.flatMap { LocalCluster.Kind.value(of: $0, in: container.labels) }
      if let role, !LocalCluster.Kind.roles.contains(role) { return nil }
      // Podman tells people since when: `Up 2 minutes ago`.
      guard container.state == "running" || container.state.hasPrefix("Up ") else {
        throw RuntimeError(
          runtime: runtime, kind: .refused, message: "node \(container.name) is not running",
          hint: "start it (\(engine) start \(container.name)), or remove it from the cluster")
      }
      return container.name
    }
  }

  /// Asks docker's socket, which answers in a millisecond where its client takes twenty.
  ///
  /// - Returns: `nil` when it does not: the client may know a way, and says what is wrong.
  private func askDocker(_ label: String) async -> [Container]? {
    guard let docker = try? await EngineConnection.open(environment: environment, runner: runner)
    else { return nil }
    let containers = try? await docker.client.containers("label", label)
    await docker.close()
    return containers?.map { container in
      let labels = (container.labels ?? [:]).map { "\($0)=\($1)" }.joined(separator: ",")
      return Container(name: container.name, state: container.state ?? "", labels: labels)
    }
  }

  private func answer(
    to command: Command, of engine: String
  ) async throws -> (exit: CommandExit, output: String, errors: String) {
    do {
      return try await Silence.limiting(to: .seconds(60), clock: clock) { [runner] in
        try await CommandAnswer.of(command, with: runner)
      }
    } catch let silence as Silence {
      throw RuntimeError(
        runtime: runtime, kind: .unreachable,
        message: "\(engine) does not list containers: \(silence)")
    }
  }

  private func ask(_ engine: String, _ label: String) async throws -> [Container] {
    let command = Command(
      engine,
      [
        "ps", "-a", "--filter", "label=\(label)", "--format", "{{.Names}}\t{{.State}}\t{{.Labels}}",
      ], environment: environment)
    let (exit, output, errors) = try await answer(to: command, of: engine)
    guard exit == .exited(0) else {
      throw RuntimeError(
        runtime: runtime, kind: .unreachable,
        message: "\(engine) does not list containers: \(Ctr.reason(errors) ?? "\(exit)")")
    }
    return output.split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Container(
        name: fields[0], state: fields.count > 1 ? fields[1] : "",
        labels: fields.count > 2 ? fields[2] : "")
    }
  }
}
