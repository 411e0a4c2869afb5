package import Images
package import Processes
package import SystemPackage

/// A containerd of this machine, through `ctr`, which comes with it.
///
/// Images of one namespace go in one lot at a time; those that wait go together, and layers that
/// they share are sent once.
package final class Containerd: ImageRuntime {
  package let name: String
  private let loader: CtrLoader
  private let combiner = LoadCombiner<LayoutLoad, LoadResult>()

  /// - Parameters:
  ///   - namespace: `k8s.io` for Kubernetes, `moby` for Docker, `default` for `ctr` and `nerdctl`.
  ///   - address: Of the socket; `nil`: `CONTAINERD_ADDRESS`, else the usual one.
  package init(
    namespace: String, address: FilePath?, snapshotter: String? = nil, runner: any CommandRunner,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    name = "containerd:\(namespace)" + (address.map { "@\($0)" } ?? "")
    // The defaults are those of `ctr`.
    let api = ContainerdAPI(
      socket: address ?? "/run/containerd/containerd.sock", namespace: namespace,
      snapshotter: snapshotter ?? "overlayfs")
    loader = CtrLoader(
      ctr: Ctr(
        place: "containerd", address: address, namespace: namespace, snapshotter: snapshotter,
        api: api, runner: runner, clock: clock))
  }

  package var combinesLoads: Bool { true }

  package func isAvailable() async -> Bool {
    // Only whether, not why: the next load tells.
    (try? await loader.ctr.state(of: [])) != nil
  }

  package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    try await loader.ctr.remove(image, isDryRun: isDryRun)
  }

  package var lossNotice: LossNotice { .looks }

  package func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    try await loader.ctr.losses(among: held)
  }

  package func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    let image = try await LayoutImage(archive, manifest: .accepted)
    let load = LayoutLoad(image: image, references: references)
    return try await combiner.run(load) { await self.loader.load($0) }
  }
}
