import SystemPackage

extension RuntimeKind {
  /// The engine that docker's own client would speak to. `doctor` has a check of its own for it.
  static let docker = RuntimeKind(
    "docker",
    answers: Answer(rank: 1) { finder, problems in
      do {
        let docker = try await EngineConnection.open(
          environment: finder.environment, runner: finder.runner)
        do {
          try await docker.client.ping()
        } catch {
          await docker.close()
          throw error
        }
        if finder.has("docker") { await docker.close() } else { finder.addDocker(docker) }
        return "docker"
      } catch let error as RuntimeError {
        problems.append(error.message)
        return nil
      }
    }
  ) { _, finder in
    guard !finder.has("docker") else { return }
    finder.addDocker(
      try await EngineConnection.open(environment: finder.environment, runner: finder.runner))
  }
}

extension RuntimeChoice {
  package static let docker = RuntimeChoice(.docker)
}

extension RuntimeFinder {
  fileprivate mutating func addDocker(_ docker: EngineConnection) {
    add(DockerEngine(docker.client)) { await docker.close() }
  }
}
