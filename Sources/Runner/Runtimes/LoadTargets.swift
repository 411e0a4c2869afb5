package import SystemPackage

/// The runtimes of a run, and what their choice has to be explained by.
package struct LoadTargets: Sendable {
  /// Each image goes to all of them. Empty: build only.
  package let runtimes: [any ImageRuntime]
  /// For people, one line each.
  package let notes: [String]
  private let client: EngineClient?

  /// Decides where images go; only for `auto` is an engine asked whether it answers.
  ///
  /// - Parameters:
  ///   - choices: No choice is `auto`.
  ///   - store: The directory of the image store that comes with watchbuild.
  ///   - environment: For `DOCKER_HOST`, `KUBECONFIG` and `HOME`.
  /// - Throws: `RuntimeError` when docker was asked for at an address that we can't speak to;
  ///   `RuntimeChoiceError`; `CancellationError`.
  package static func resolve(
    _ choices: [RuntimeChoice], store: FilePath, environment: [String: String]
  ) async throws -> LoadTargets {
    if choices.contains(.none) {
      guard choices.allSatisfy({ $0 == .none }) else { throw RuntimeChoiceError.contradiction }
      return LoadTargets(runtimes: [], notes: [], client: nil)
    }
    var notes: [String] = []
    var directories: [FilePath] = []
    var client: EngineClient?
    for choice in choices.isEmpty ? [.auto] : choices {
      switch choice {
      case .none: break
      case .store(let directory): directories.append(directory)
      case .docker:
        if client == nil { client = EngineClient(try EngineEndpoint(environment: environment)) }
      case .auto:
        let found = try await automatic(environment)
        if client == nil {
          client = found.client
        } else {
          await found.client?.shutdown()
        }
        if found.client == nil { directories.append(store) }
        notes += found.notes(store)
      }
    }
    var runtimes: [any ImageRuntime] = client.map { [DockerEngine($0)] } ?? []
    for (index, directory) in directories.enumerated()
    where !directories[..<index].contains(directory) {
      runtimes.append(ImageStore(directory))
    }
    return LoadTargets(runtimes: runtimes, notes: notes, client: client)
  }

  /// Closes connections to engines. To be called once, when no load is under way.
  package func shutdown() async {
    await client?.shutdown()
  }

  private static func automatic(_ environment: [String: String]) async throws -> Automatic {
    let context = KubeContext.current(environment: environment)
    var found = Automatic(cluster: context?.isLocalCluster == true ? context : nil)
    do {
      let client = EngineClient(try EngineEndpoint(environment: environment))
      do {
        try await client.ping()
        found.client = client
      } catch {
        await client.shutdown()
        throw error
      }
    } catch let error as RuntimeError {
      found.problem = error
    }
    return found
  }

  /// What `auto` found.
  private struct Automatic {
    var cluster: KubeContext?
    var client: EngineClient?
    var problem: RuntimeError?

    func notes(_ store: FilePath) -> [String] {
      let place = client == nil ? "the image store \(store)" : "docker"
      var notes: [String] = []
      if let cluster {
        notes.append(
          "the current kube context is \(cluster.name), but images can't be loaded into clusters "
            + "yet; loading into \(place)")
      }
      if let problem { notes.append("\(problem.message); loading into \(place)") }
      return notes
    }
  }
}
