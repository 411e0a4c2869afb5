package import Images
package import Processes

/// A Kubernetes cluster whose nodes are containers on this machine: kind, k3d, minikube.
///
/// Each node has a containerd of its own, which is given the images as `ctr` would be there. All
/// nodes are loaded side by side, each by one lot at a time.
package final class LocalCluster: ImageRuntime {
  package let name: String
  private let kind: Kind
  private let cluster: String
  private let engines: [String]
  private let environment: [String: String]
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>
  private let combiner = LoadCombiner<LayoutLoad, LoadResult>()
  private let list: NodeList
  private let nodes = NodeCache()

  /// - Parameters:
  ///   - engines: What to look for nodes in, `docker` or `podman`, in order.
  ///   - environment: For `DOCKER_HOST` and the like; added to our own for their clients.
  package init(
    _ kind: Kind, cluster: String, engines: [String] = ["docker", "podman"],
    environment: [String: String] = [:], runner: any CommandRunner,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.clock = clock
    name = "\(kind.rawValue):\(cluster)"
    list = NodeList(
      runtime: name, kind: kind, cluster: cluster, environment: environment, runner: runner,
      clock: clock)
    self.kind = kind
    self.cluster = cluster
    self.engines = engines
    self.environment = environment
    self.runner = runner
  }

  package var combinesLoads: Bool { true }

  package func isAvailable() async -> Bool {
    // Only whether, not why: the next load tells.
    (try? await check()) != nil
  }

  package func prepare() async {
    // What is wrong is told by the load.
    if await !nodes.areReady { try? await check() }
  }

  /// - Throws: `RuntimeError` that says why no node can be loaded into; `CancellationError`.
  func check() async throws {
    _ = try await findNodes()
  }

  /// Leaves the nodes; to be called once, when no load is under way.
  package func shutdown() async {
    await nodes.keep([])
  }

  package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    var all: [Removal] = []
    for node in try await findNodes() {
      all.append(try await node.ctr.remove(image, isDryRun: isDryRun))
    }
    // Where one node keeps it, it is to be asked again.
    for removal in all {
      if case .kept = removal { return removal }
    }
    return all.contains(.removed) ? Removal.removed : Removal.absent
  }

  package var lossNotice: LossNotice { .looks }

  /// An image that one node lacks is lost: a pod may be started on any. So a new node gets all.
  package func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    let nodes = try await findNodes()
    return try await withThrowingTaskGroup(of: [ImageReference: ImageLoss].self) { group in
      for node in nodes { group.addTask { try await node.ctr.losses(among: held) } }
      return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }
  }

  package func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    let image = try await LayoutImage(archive, manifest: .accepted)
    let load = LayoutLoad(image: image, references: references)
    return try await combiner.run(load) { await self.load($0) }
  }

  private func load(_ loads: [LayoutLoad]) async -> [Result<LoadResult, any Error>] {
    // The nodes of last time are loaded into while it is asked which there are now.
    let known = await nodes.all
    async let found = findNodes()
    var answers = await Self.answers(known, to: loads)
    do {
      let found = try await found
      let others = found.filter { answers[$0.ctr.place] == nil }
      answers.merge(await Self.answers(others, to: loads)) { $1 }
      let all = found.compactMap { answers[$0.ctr.place] }
      return loads.indices.map { index in Self.merged(all.map { $0[index] }) }
    } catch {
      return loads.map { _ in .failure(error) }
    }
  }

  private typealias Answers = [String: [Result<LoadResult, any Error>]]

  /// Asks each node, and keeps the answers by its place.
  private static func answers(_ nodes: [CtrLoader], to loads: [LayoutLoad]) async -> Answers {
    await withTaskGroup(of: Answers.self) { group in
      for node in nodes { group.addTask { [node.ctr.place: await node.load(loads)] } }
      return await group.reduce(into: [:]) { $0.merge($1) { $1 } }
    }
  }

  /// One image on all nodes: there when it is on each of them.
  private static func merged(
    _ results: [Result<LoadResult, any Error>]
  ) -> Result<LoadResult, any Error> {
    Result {
      // Of failures, the first is told; it names its node.
      let all = try results.map { try $0.get() }
      return all.dropFirst().reduce(into: all[0]) { sum, result in
        sum.isChanged = sum.isChanged || result.isChanged
        sum.bytesSent += result.bytesSent
        sum.layersSent = max(sum.layersSent, result.layersSent)
      }
    }
  }

  /// The nodes of the cluster now: one may have been added.
  private func findNodes() async throws -> [CtrLoader] {
    var problem: String?
    for engine in engines {
      do {
        let names = try await list.names(engine)
        if names.isEmpty { continue }
        return try await withThrowingTaskGroup(of: CtrLoader.self) { group in
          for name in names { group.addTask { try await self.loader(engine, name) } }
          let found = try await group.reduce(into: []) { $0.append($1) }
          await nodes.keep(found)
          return found
        }
      } catch let error as CommandError {
        problem = problem ?? "\(error)"
      } catch let error as RuntimeError where error.kind == .unreachable {
        problem = problem ?? error.message
      }
    }
    throw RuntimeError(
      runtime: name, kind: .unreachable,
      message: "no running nodes of the \(kind.rawValue) cluster '\(cluster)' were found"
        + (problem.map { ": \($0)" } ?? ""),
      hint: "create it, or name another: --load \(kind.rawValue):CLUSTER")
  }

  private func loader(_ engine: String, _ node: String) async throws -> CtrLoader {
    var ctr = Ctr(place: "node \(node)", namespace: "k8s.io", runner: runner, clock: clock)
    if let known = await nodes.loader(ctr.place) { return known }
    ctr.shell = NodeShell(
      entrance: [engine, "exec", "-i", node], environment: environment, runner: runner)
    let settings = try await NodeSettings(of: ctr)
    if let other = settings.otherRuntime {
      throw RuntimeError(
        runtime: name, kind: .refused,
        message: "node \(node) runs its containers with \(other), not with containerd",
        hint: kind == .minikube && other == "docker"
          ? "run 'eval $(minikube -p \(cluster) docker-env)' and choose --load docker"
          : "create the cluster with containerd")
    }
    ctr.snapshotter = settings.snapshotter
    return CtrLoader(ctr: ctr)
  }
}

/// The nodes that were found last, each with a shell and with what is asked of it once: how it is set
/// up, which takes its restart to change.
private actor NodeCache {
  private var loaders: [String: CtrLoader] = [:]

  var all: [CtrLoader] { Array(loaders.values) }

  /// True if there are nodes, and all can be asked at once.
  var areReady: Bool {
    get async {
      for loader in loaders.values where await loader.ctr.shell?.isReady != true { return false }
      return !loaders.isEmpty
    }
  }

  func loader(_ place: String) -> CtrLoader? { loaders[place] }

  /// Forgets all others.
  func keep(_ found: [CtrLoader]) async {
    let places = Set(found.map(\.ctr.place))
    let gone = loaders.filter { !places.contains($0.key) }
    loaders = [:]
    for loader in found { loaders[loader.ctr.place] = loader }
    for loader in gone.values { await loader.ctr.shell?.end() }
  }
}
