import Basics
import Bazel
import Graph
import Images
import SystemPackage

/// What becomes of images whose targets are done.
extension GroupBuild {
  /// - Returns: Whether the image can't be read yet, though it was built: it may still be on its way here.
  func finish(
    _ image: ImageTarget, _ outcome: ImageOutcome, ms: Int, _ useless: inout UselessWays
  ) -> Bool {
    switch outcome {
    case .incompatible(let sentence): record.incompatible(image, sentence)
    case .failed(let message, let causes):
      if message.contains(Self.shallowBase), goesOn(image, after: .shallow, &useless) { break }
      let others = causes.filter { $0 != image.label }.map(\.description)
      record.failedBuild(
        image,
        others.isEmpty ? message : "\(message) (in \(others.joined(separator: ", ")))")
    case .skipped: break
    case .built(let outputs):
      do {
        try open(image, outputs: outputs, ms: ms)
      } catch {
        if !isOfNames(error) { return true }
        refuse(image, error, &useless)
      }
    }
    return false
  }

  /// Part of what rules_img says when a layout is wanted of an image whose base's layers it has not fetched.
  private static var shallowBase: String { "requested with shallow base image" }

  /// Opens an image after its build has ended.
  ///
  /// - Parameter keptElsewhere: Outputs may lie in a cache.
  /// - Returns: A file that is still not here.
  func open(
    _ image: ImageTarget, _ outcome: ImageOutcome, keptElsewhere: Bool, ms: Duration,
    _ useless: inout UselessWays
  ) -> FilePath? {
    guard case .built(let outputs) = outcome else { return nil }
    do {
      try open(image, outputs: outputs, ms: ms.milliseconds)
    } catch {
      if keptElsewhere, let file = OutputDownloads.missing(among: outcome.files) { return file }
      refuse(image, error, &useless)
    }
    return nil
  }

  /// What was built can't be loaded: it is made in another way, or has failed.
  private func refuse(_ image: ImageTarget, _ error: any Error, _ useless: inout UselessWays) {
    if !isOfNames(error), goesOn(image, after: .unreadable("\(error)"), &useless) { return }
    record.failedBuild(image, "\(error)")
  }

  /// Whether an image was read, and its names are at fault: the same ones in every way to make it.
  private func isOfNames(_ error: any Error) -> Bool {
    error is ImageNames.Failure || error is NameClaims.Clash || error is NamedImage.Failure
  }

  private func goesOn(
    _ image: ImageTarget, after trouble: ImageWays.Trouble, _ useless: inout UselessWays
  ) -> Bool {
    guard let way = record.history.ways.next(of: image, after: trouble) else { return false }
    useless.images.append(image)
    if trouble == .shallow { useless.shallow.formUnion(image.source.ways.map(\.image.label)) }
    record.tookOtherWay(image, way, after: trouble)
    return true
  }

  /// Opens the archive now: the next build may unlink it, but not take away an open file.
  private func open(
    _ image: ImageTarget, outputs: [Label: [String: [FilePath]]], ms: Int
  ) throws {
    let way = record.history.ways.way(of: image)
    let built = try BuiltImage(way, among: outputs)
    let archives = try ImageArchive.openAll(
      built.path, supply: try supply(built, outputs: outputs[way.image.label] ?? [:]))
    let tags = try text(built.tags)
    let deployManifest = try text(built.deployManifest)
    let (images, notices) = try NamedImage.all(
      archives, of: image.name,
      isConfigured: !image.references.isEmpty || tags != nil || deployManifest != nil
    ) { archive in
      try ImageNames(of: image, tags: tags, deployManifest: deployManifest, archive: archive.tags)
        .references
    }
    try record.history.claims.claim(
      images.flatMap(\.references), for: image.name, among: Set(setup.images.map(\.name)))
    for notice in notices { record.record(.notice(notice)) }
    let deliveries = images.enumerated().map { index, named -> Delivery in
      // What runs a target's image runs its first.
      let rollout = index == 0 ? image.rollout : nil
      let tag =
        rollout?.needsContentTag == true
        ? named.references[0].contentTag(named.archive.configDigest) : nil
      return Delivery(
        of: image, named.archive, as: named.references + (tag.map { [$0] } ?? []),
        into: setup.runtimes, then: rollout == nil ? nil : setup.rollout(of: image))
    }
    record.built(image, ms: ms, steps: deliveries.flatMap(\.steps))
    for delivery in deliveries { deliver(delivery) }
  }

  /// Where layers can be had that the image leaves out.
  private func supply(_ built: BuiltImage, outputs: [String: [FilePath]]) throws -> LayerSupply {
    guard let manifest = built.deployManifest else {
      return try LayerSupply(outputs: outputs, image: built.path, fetch: setup.fetchLayer)
    }
    return LayerSupply(
      files: built.layers, sources: try LayerSources(reading: manifest).sources,
      fetch: setup.fetchLayer)
  }

  /// A small file that a build has made.
  private func text(_ path: FilePath?) throws -> (file: String, text: [UInt8])? {
    guard let path else { return nil }
    do {
      return (
        path.lastComponent?.string ?? path.string, try SmallFile.read(path, limit: 16 << 20)
      )
    } catch {
      throw ImageNames.Failure.unreadable("\(path): \(error)")
    }
  }
}
