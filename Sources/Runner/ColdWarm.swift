package import Bazel
import Graph
import Processes

/// What Bazel's in-memory cache is worth: the first build after `bazel shutdown` against the same
/// build again.
package struct ColdWarm: Sendable {
  package struct Measured: Hashable, Sendable, Codable {
    package var cold: BazelPhases
    package var warm: BazelPhases

    package init(cold: BazelPhases, warm: BazelPhases) {
      self.cold = cold
      self.warm = warm
    }
  }

  /// The builds did not come to what was to be measured.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// The next step, for people.
  package enum Step: String, Sendable {
    case upToDate = "building, so that nothing is left to be made"
    case shutdown = "shutting the server down"
    case cold = "building with a new server"
    case warm = "building again"
  }

  private let setup: BuildSetup

  package init(_ setup: BuildSetup) { self.setup = setup }

  /// Builds all images, ends the servers of their workspaces, and builds all twice more.
  ///
  /// Nothing is loaded. The outputs are there at the start of both measured builds, so that they
  /// differ by what the server has in memory alone.
  ///
  /// - Parameters:
  ///   - step: Told of each step as it begins.
  ///   - update: Told of what Bazel says.
  /// - Throws: `Failure`; `BazelError`; `CommandError`; `CancellationError`.
  package func measure(
    step: @escaping @Sendable (Step) -> Void,
    update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> Measured {
    step(.upToDate)
    _ = try await build(update)
    step(.shutdown)
    for workspace in Set(setup.images.map(\.key.workspace)) {
      try await setup.bazel(workspace).shutdown(update: update)
    }
    step(.cold)
    let cold = try await build(update)
    step(.warm)
    return Measured(cold: cold, warm: try await build(update))
  }

  private func build(
    _ update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> BazelPhases {
    let plan = Plan(
      owed: Set(setup.images.map(\.name)), images: setup.images,
      buildConcurrency: setup.buildConcurrency)
    let requests = plan.stages.joined().flatMap { group in
      group.images.map { PlannedImage(image: $0, way: $0.source.ways[0]) }.compatible
        .map { (group.key, BuildRequest($0.map(\.way), key: group.key, setup: setup)) }
    }
    var sum = BazelPhases()
    for (key, request) in requests {
      let (updates, feed) = AsyncStream.makeStream(of: BuildUpdate.self)
      async let result = {
        defer { feed.finish() }
        return try await setup.bazel(key.workspace).build(request) { feed.yield($0) }
      }()
      var profile: BazelProfile?
      for await told in updates {
        if case .profile(let found) = told { profile = found } else { update(told) }
      }
      let ended = try await result
      profile?.remove()
      guard ended.exitCode == 0 else {
        throw Failure(
          description: ended.problem ?? "the build fails, so there is nothing to compare")
      }
      guard let phases = profile?.phases else {
        throw Failure(description: "Bazel left no profile that can be read")
      }
      sum = sum + phases
    }
    return sum
  }
}

extension Bazel {
  /// Ends the workspace's server, once it has nothing to do.
  ///
  /// - Throws: `BazelError` when it does not end; `CommandError`; `CancellationError`.
  package func shutdown(
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws {
    let command = Command(executable, startupOptions + ["shutdown"], in: workspace)
    let (exit, output) = try await run(command, update: update, standardOutput: { _ in })
    guard exit == .exited(0) else {
      throw BazelError(
        exitCode: exit.code,
        problem: BazelExit.problem(exit, output, isBuildComplete: false)
          ?? output.problem ?? "bazel shutdown failed and did not say why")
    }
  }
}
