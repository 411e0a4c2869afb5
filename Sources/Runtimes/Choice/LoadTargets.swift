package import Images
package import Processes
package import SystemPackage

/// The runtimes of a run, and what their choice has to be explained by.
package struct LoadTargets: Sendable {
  /// Each image goes to all of them. Empty: build only.
  package let runtimes: [any ImageRuntime]
  /// For people, one line each.
  package let notes: [String]
  /// Brings layers of base images here that a build has left in a registry; `nil`: there is nowhere to keep them.
  package let fetchLayer: LayerSupply.Fetch?
  private let closers: [@Sendable () async -> Void]

  /// Decides where images go; only for `auto` are runtimes asked whether they answer.
  ///
  /// - Parameters:
  ///   - choices: No choice is `auto`.
  ///   - store: The directory of the image store that comes with watchbuild.
  ///   - environment: For `DOCKER_HOST`, `CONTAINER_HOST`, `CONTAINERD_ADDRESS`, `KUBECONFIG`, `PATH`
  ///     and the like.
  ///   - runner: Runs podman, `ctr` and the client that enters nodes.
  /// - Returns: The runtimes, to be shut down by the caller.
  /// - Throws: `RuntimeError` when an engine was asked for at an address that we can't speak to;
  ///   `RuntimeChoiceError`; `CancellationError`.
  package static func resolve(
    _ choices: [RuntimeChoice], store: FilePath, environment: [String: String],
    runner: any CommandRunner = SubprocessRunner()
  ) async throws -> LoadTargets {
    if choices.contains(.none) {
      guard choices.allSatisfy({ $0 == .none }) else { throw RuntimeChoiceError.contradiction }
      return LoadTargets(runtimes: [], notes: [], fetchLayer: nil, closers: [])
    }
    var finder = RuntimeFinder(store: store, environment: environment, runner: runner)
    do {
      for choice in choices.isEmpty ? [.auto] : choices { try await finder.add(choice) }
    } catch {
      for close in finder.closers { await close() }
      throw error
    }
    guard let fetcher = LayerFetcher(environment: environment, runner: runner) else {
      return LoadTargets(
        runtimes: finder.runtimes, notes: finder.notes, fetchLayer: nil, closers: finder.closers)
    }
    let fetch: LayerSupply.Fetch = { try await fetcher.fetch($0, size: $1, from: $2) }
    let close: @Sendable () async -> Void = { await fetcher.shutdown() }
    return LoadTargets(
      runtimes: finder.runtimes, notes: finder.notes, fetchLayer: fetch,
      closers: finder.closers + [close])
  }

  /// Closes connections, and ends what was started. To be called once, when no load is under way.
  package func shutdown() async {
    for close in closers { await close() }
  }
}
