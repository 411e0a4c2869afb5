import Basics
import Graph
import Images
import Processes
import Runtimes
import Synchronization
import SystemPackage

/// Has docker compose, of either version, or podman-compose make one service's containers anew.
///
/// Where the new ones end or turn unhealthy, others like the old ones take their places.
struct ComposeRollout: RestartingRollout {
  let kind = "compose"
  let service: String
  /// None: those that compose finds by itself.
  let files: [FilePath]
  let project: String?
  let directory: FilePath
  /// Asked what runs.
  let engines: [EngineClient]
  let rule: RolloutRule
  let runner: any CommandRunner
  let clock: any Clock<Duration>
  var programs = ComposePrograms()

  var target: String { "compose \(service)" + (project.map { " of \($0)" } ?? "") }
  // Two at once in one project get into each other's way.
  var lane: String { "compose \(project ?? "") \(files.map(\.string).joined(separator: " "))" }

  func running() async throws -> (engine: EngineClient, containers: [String])? {
    guard let engine = engines.first else { return nil }
    return (engine, try await standing(in: engine))
  }

  /// The service's containers. Their labels tell them at once; compose itself takes a while, and is asked only where
  /// the labels name none.
  private func standing(in engine: EngineClient) async throws -> [String] {
    let place = files.first?.removingLastComponent() ?? directory
    let labelled = try await engine.containers(labelled: "com.docker.compose.service", service)
      .filter { container in
        if let project { return container.labels["com.docker.compose.project"]?.string == project }
        return container.labels["com.docker.compose.project.working_dir"]?.string == place.string
      }.map(\.id)
    return labelled.isEmpty ? try await containers(try await program(engine)) : labelled
  }

  func roll(_ image: RolledImage, isForced: Bool) async throws -> RolloutResult {
    guard let engine = engines.first else {
      throw RolloutError(
        "images are loaded into no engine that has containers", hint: "use --load docker or podman")
    }
    let compose = try await program(engine)
    guard let wanted = try await engine.image(image.reference.description)?.id else {
      throw RolloutError("\(engine.runtime) has no image \(image.reference)")
    }
    let before = try await standing(in: engine)
    var isOlder = before.isEmpty || isForced
    for id in before where try await !runs(id, wanted, in: engine) { isOlder = true }
    let isLive = rule.verification == .live
    guard isOlder else {
      if isLive { try await check(before, wanted, image, in: engine) }
      return RolloutResult(isChanged: false, isLive: isLive)
    }
    var specs: [ContainerSpec] = []
    for id in before {
      if let spec = try await engine.containerSpec(id), spec.state.isRunning { specs.append(spec) }
    }
    try await run(compose, compose.up)
    do {
      if isLive { try await check(try await containers(compose), wanted, image, in: engine) }
    } catch let error as RolloutError {
      try await restore(specs, in: engine)
      throw error
    }
    return RolloutResult(isChanged: true, isLive: isLive)
  }

  /// Puts the containers that compose has replaced back in their places.
  private func restore(_ specs: [ContainerSpec], in engine: EngineClient) async throws {
    for spec in specs {
      try await engine.removeContainer(spec.name)
      try await engine.make(spec.name, like: spec, from: spec.image)
      try await engine.start(spec.name)
    }
  }

  /// All containers run the image, and are well.
  private func check(
    _ ids: [String], _ wanted: Digest, _ image: RolledImage, in engine: EngineClient
  ) async throws {
    guard !ids.isEmpty else {
      throw RolloutError(
        "compose has made no container of the service", hint: "see 'docker compose ps'")
    }
    for id in ids {
      let container = try await engine.container(id)
      if let found = container?["Image"]?.string, !found.hasSuffix(wanted.hexadecimal) {
        let name = container?["Config"]?["Image"]?.string ?? "another"
        throw RolloutError(
          "its container runs \(name), which is not \(image.reference) as it was loaded",
          hint:
            "write 'image: \(image.reference)' at the service, and neither 'build' nor 'pull_policy: always'"
        )
      }
    }
    let watch = ContainerWatch(engine: engine, rule: rule, clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for id in ids { group.addTask { try await watch.watch(id) { Task.isCancelled } } }
      try await group.waitForAll()
    }
  }

  private func runs(_ id: String, _ wanted: Digest, in engine: EngineClient) async throws -> Bool {
    guard let container = try await engine.container(id) else { return false }
    return container["Image"]?.string?.hasSuffix(wanted.hexadecimal) == true
      && ContainerState(container).isRunning
  }

  // MARK: Compose

  private func program(_ engine: EngineClient) async throws -> ComposeProgram {
    if let known = programs.known(for: engine.runtime) { return known }
    let all: [ComposeProgram] = engine.runtime == "podman" ? [.podman] : [.second, .first]
    for program in all {
      let version = Command(program.words[0], program.words.dropFirst() + ["version"])
      do {
        if try await CommandAnswer.of(version, with: runner).exit == .exited(0) {
          programs.found(program, for: engine.runtime)
          return program
        }
      } catch is CommandError {
        // It is not there; the next may be.
      }
    }
    throw RolloutError(
      "there is no \(all.map { $0.words.joined(separator: " ") }.joined(separator: " or "))",
      hint: "install one of them, or use 'rollout: {container: NAME}'")
  }

  private func containers(_ compose: ComposeProgram) async throws -> [String] {
    let output = try await run(compose, ["ps", "-q", service])
    return output.split(whereSeparator: \.isNewline).map(String.init).filter { line in
      line.count >= 12 && line.allSatisfy(\.isHexDigit)
    }
  }

  @discardableResult
  private func run(_ compose: ComposeProgram, _ arguments: [String]) async throws -> String {
    var words = compose.words + files.flatMap { ["-f", $0.string] }
    if let project { words += ["-p", project] }
    words += arguments == compose.up ? arguments + [service] : arguments
    let command = Command(words[0], Array(words.dropFirst()), in: directory)
    let answer = try await CommandAnswer.of(command, with: runner)
    guard answer.exit == .exited(0) else {
      let lines = answer.errors.split(whereSeparator: \.isNewline).map(String.init)
      throw RolloutError(
        "'\(words.joined(separator: " "))' failed", hint: "does it work in \(directory)?",
        log: lines.suffix(20))
    }
    return answer.output
  }
}

/// Which compose program there is, asked once a run: one in Python takes half a second to say it.
final class ComposePrograms: Sendable {
  private let programs = Mutex<[String: ComposeProgram]>([:])

  func known(for runtime: String) -> ComposeProgram? { programs.withLock { $0[runtime] } }

  func found(_ program: ComposeProgram, for runtime: String) {
    programs.withLock { $0[runtime] = program }
  }
}

/// A program that speaks compose.
enum ComposeProgram: Hashable, Sendable {
  /// `docker compose`, since 2021.
  case second
  /// `docker-compose`, in Python.
  case first
  case podman

  var words: [String] {
    switch self {
    case .second: ["docker", "compose"]
    case .first: ["docker-compose"]
    case .podman: ["podman-compose"]
    }
  }

  /// Makes the containers of a service anew, and of no other. What compose itself takes for a change is not relied
  /// on: it has missed an image that kept its name.
  var up: [String] {
    switch self {
    // Nothing is to be pulled over what was loaded.
    case .second: ["up", "-d", "--no-deps", "--no-build", "--force-recreate", "--pull", "never"]
    case .first: ["up", "-d", "--no-deps", "--no-build", "--force-recreate"]
    case .podman: ["up", "-d", "--no-deps", "--no-build", "--force-recreate"]
    }
  }
}
