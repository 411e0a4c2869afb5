package import Images

/// Something that holds images and can be given one: an engine, or an image layout on disk.
package protocol ImageRuntime: Sendable {
  /// As `--load` names it, such as `docker` or `oci:/srv/images`.
  var name: String { get }

  /// Whether it can be reached now: asked before a failed load is tried again.
  func isAvailable() async -> Bool

  /// Makes ready for loads that are to come, while images are built; it need not succeed.
  func prepare() async

  /// Makes all `references` name exactly the image in `archive`, sending only what is lacking, and once.
  ///
  /// What the runtime then holds is verified, and the names move last. On any doubt the whole image
  /// is sent once.
  ///
  /// - Parameters:
  ///   - archive: The image, read through its own open descriptor.
  ///   - references: The names that the image is to have there; at least one.
  /// - Returns: What was sent, and under which ID the runtime holds the image.
  /// - Throws: `RuntimeError` when the runtime can't be reached, refuses the image, or does not
  ///   hold it afterwards; `ImageArchiveError` when the archive can't be read; `CancellationError`.
  func load(_ archive: ImageArchive, as references: [ImageReference]) async throws -> LoadResult

  /// Whether loads that wait go together, so that it is to be given all at once.
  var combinesLoads: Bool { get }

  /// Removes an image of ours whose name stands for another now.
  ///
  /// Never one that something runs, or that has a name.
  ///
  /// - Parameters:
  ///   - kept: IDs of other images of ours, whose content must stay whole.
  ///   - isDryRun: Nothing is removed, and the answer is what would be.
  func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal

  /// How it is noticed that another hand takes images away.
  var lossNotice: LossNotice { get }

  /// Looks, by one cheap question, which names no longer stand for the images that they should.
  ///
  /// - Parameter held: Names, and the IDs under which the runtime holds the images, as `load` told.
  /// - Throws: `RuntimeError` when it does not answer; `CancellationError`.
  func losses(among held: [ImageReference: Digest]) async throws -> [ImageReference: ImageLoss]

  /// Follows what happens to images there, until the runtime ends or the task is cancelled.
  ///
  /// - Parameter happened: Called once at the beginning, when nothing escapes any more, and for
  ///   whatever happens, which may be our own doing.
  /// - Throws: `RuntimeError`: one that is `refused` has no events.
  func followEvents(_ happened: @escaping @Sendable () -> Void) async throws
}

extension ImageRuntime {
  /// Loads an image that has one name.
  package func load(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    try await load(archive, as: [reference])
  }

  package var combinesLoads: Bool { false }

  package var lossNotice: LossNotice { .never }

  package func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] { [:] }

  package func followEvents(_ happened: @escaping @Sendable () -> Void) async throws {
    throw RuntimeError(runtime: name, kind: .refused, message: "\(name) tells of no events")
  }

  package func prepare() async {}

  /// For one that removes by itself what no name stands for.
  package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    .kept("\(name) collects its garbage itself")
  }
}

/// What loading one image into one runtime came to.
package struct LoadResult: Hashable, Sendable {
  /// `false`: the runtime held exactly this image under all its names already; nothing was sent.
  package var isChanged: Bool
  /// The ID that the runtime shows for the image, such as `sha256:…`.
  package var id: Digest
  /// Bytes written to the runtime, framing included.
  package var bytesSent: Int64
  package var layersSent: Int
  package var layersTotal: Int
  /// The images that names of this one stood for before, where the runtime tells; each by its ID there.
  package var replaced: [ImageReference: Digest] = [:]

  package init(
    isChanged: Bool, id: Digest, bytesSent: Int64, layersSent: Int, layersTotal: Int
  ) {
    self.isChanged = isChanged
    self.id = id
    self.bytesSent = bytesSent
    self.layersSent = layersSent
    self.layersTotal = layersTotal
  }
}
