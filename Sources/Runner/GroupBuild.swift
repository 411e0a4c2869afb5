import Basics
import Bazel
import Events
import Graph
import Images
import Processes
import SystemPackage

/// One grouped `bazel build`: what it makes is opened, and handed on to be delivered, image by
/// image, while Bazel builds the rest.
struct GroupBuild<C: Clock<Duration>>: Sendable {
  let group: Plan.Group
  /// To tell which image a failed target belongs to; `nil`: only the targets themselves are known.
  let index: TargetIndex?
  let setup: BuildSetup
  let record: CycleRecord
  let interruption: Interruption
  let clock: C
  let own: BazelsOwnFiles
  /// Outputs were taken away because Bazel may have recorded them falsely: it may have put them into caches, too.
  var distrustsCaches = false
  let deliver: @Sendable (Delivery) -> Void

  private typealias Images = [PlannedImage]

  /// Builds the images, in one command where their output groups can be asked for together.
  func run() async throws {
    for images in images(group.images).compatible {
      guard !interruption.isInterrupted else {
        for planned in images {
          record.cancelled(planned.image, because: "the build was interrupted")
        }
        continue
      }
      try await run(images)
    }
  }

  private func images(_ images: [ImageTarget]) -> Images {
    images.map { PlannedImage(image: $0, way: record.history.ways.way(of: $0)) }
  }

  /// Builds, and once more where Bazel may have read another file of its own than it left: its lock file.
  private func run(_ images: Images) async throws {
    var done = FinishedImages()
    for _ in 0...BazelsOwnFiles.patience {
      // A way that was of no use is not tried a second time.
      let result = try await usable(self.images(images.map(\.image)), &done)
      guard own.haveChanged(in: group.key.workspace), let result, [0, 1].contains(result.exitCode),
        !interruption.isInterrupted
      else { return }
    }
  }

  /// Builds, and again by other ways where the first way to an image was of no use.
  ///
  /// - Returns: How the build ended that failed, else the last one; `nil` when it was interrupted.
  private func usable(
    _ images: Images, _ finished: inout FinishedImages
  ) async throws -> BuildResult? {
    var useless = UselessWays()
    var result = try await downloading(images, &finished, &useless)
    while !useless.images.isEmpty, !interruption.isInterrupted {
      let again = self.images(useless.images)
      useless = UselessWays()
      for images in again.compatible {
        guard let next = try await downloading(images, &finished, &useless) else { return nil }
        if [0, 1].contains(result?.exitCode) { result = next }
      }
    }
    for image in useless.images { record.cancelled(image, because: "the build was interrupted") }
    return result
  }

  /// Builds, and again with more to be brought here where Bazel has left images in a remote cache.
  ///
  /// - Returns: `nil` when it was interrupted.
  private func downloading(
    _ images: Images, _ finished: inout FinishedImages, _ useless: inout UselessWays
  ) async throws -> BuildResult? {
    let workspace = group.key.workspace
    var downloads = record.history.downloads(in: workspace)
    var option: String?
    while true {
      let (result, missing) = try await build(images, &finished, &useless, downloads)
      guard let result, !missing.isEmpty, !interruption.isInterrupted else { return result }
      option = option ?? result.elsewhere?.option
      guard downloads.escalate() else {
        for (image, file) in missing {
          record.troubled(image, OutputDownloads.problem(file, option: option))
        }
        return result
      }
      record.history.taught(downloads, in: workspace)
    }
  }

  /// - Returns: `nil` when it was interrupted; and images that are not here though they were built, each
  ///   with a file that it lacks.
  private func build(
    _ images: Images, _ finished: inout FinishedImages, _ useless: inout UselessWays,
    _ downloads: OutputDownloads
  ) async throws -> (BuildResult?, missing: [(ImageTarget, FilePath)]) {
    let bazel = setup.bazel(group.key.workspace)
    let request = BuildRequest(
      images.map(\.way), key: group.key, setup: setup,
      adding: downloads.options + (distrustsCaches ? BuildRequest.withoutCaches : []))
    let event = record.record(
      .build(
        Event.BuildStarted(
          targets: request.targets.map(\.description), images: images.map(\.image.name),
          key: Redaction.arguments(group.key.words).joined(separator: " "),
          command: Redaction.arguments(bazel.command(for: request).argv))))
    record.commandStarted()

    let start = clock.now
    // Not bounded by us: Bazel says what it says once, and the reader below only opens files.
    let (updates, feed) = AsyncStream.makeStream(of: BuildUpdate.self)
    async let ending = interruption.run {
      defer { feed.finish() }
      return try await bazel.build(request) { feed.yield($0) }
    }
    var assembly = ImageAssembly(images)
    var skipped: [(image: ImageTarget, reason: String)] = []
    var awaited: [(image: ImageTarget, outcome: ImageOutcome)] = []
    // What is said of layouts that may be made without their base's layers: no news if they are.
    let mayBeShallow = Set(images.filter(\.mayBeShallow).map(\.way.image.label))
    var doubtful: [BuildUpdate] = []
    var profile: BazelProfile?
    var actions: ActionCounts?
    // Without the graph the images are known only when they have failed.
    var printed: [Label: [ActionOutput]] = [:]
    for await update in updates {
      switch update {
      case .target(let label, let outcome):
        for (image, outcome) in assembly.add(label, outcome) {
          if case .skipped(let reason) = outcome {
            skipped.append((image, reason))
          } else if finished.isNew(outcome, of: image) {
            if case .failed(_, let causes) = outcome {
              record.keep(causes.flatMap { printed[$0] ?? [] }, of: image)
            }
            let ms = start.duration(to: clock.now).milliseconds
            if finish(image, outcome, ms: ms, &useless) {
              awaited.append((image, outcome))
              finished.forget(image)
            }
          }
        }
      case .profile(let found):
        profile = found
      case .actions(let counts):
        actions = counts
      case .executionRoot(let root):
        record.foundExecutionRoot(root, of: group.key.workspace)
      case .progress(let line):
        setup.activity?.add(progress: line)
        if BazelLine.isServerStart(line) {
          record.serverStarted(line, in: group.key.workspace)
        }
      case .diagnostic(let diagnostic) where diagnostic.isOfLayout(of: mayBeShallow):
        doubtful.append(update)
      default:
        let affected = self.images(of: update)
        if case .output(let output) = update, affected.isEmpty, let target = output.target {
          printed[target, default: []].append(output)
        }
        record.record(update, images: affected, isPrinted: true)
      }
    }
    for update in doubtful where !useless.explains(update) {
      record.record(update, images: self.images(of: update), isPrinted: true)
    }
    setup.activity?.buildEnded()
    let result = try await ending
    let elapsed = start.duration(to: clock.now)
    let waited = result?.lockWaited ?? .zero
    record.time {
      $0.bazelMs += (elapsed - waited).milliseconds
      $0.lockMs += waited.milliseconds
    }
    if let actions { profile?.phases.add(actions) }
    keep(profile, of: event, elapsed: elapsed, lockWaited: waited)
    for image in assembly.unsettled {
      skipped.append((image, "the build ended before it"))
    }
    settle(result, skipped: skipped)
    guard let result else { return (nil, []) }
    // Some versions of Bazel tell of outputs before they have brought them here.
    var missing: [(ImageTarget, FilePath)] = []
    for (image, outcome) in awaited {
      let file = open(
        image, outcome, keptElsewhere: result.elsewhere != nil, ms: elapsed, &useless)
      if let file { missing.append((image, file)) }
    }
    return (result, missing)
  }

  /// Tells what became of the build as a whole, and of the images that it did not come to.
  ///
  /// - Parameter result: `nil` when it was interrupted.
  private func settle(_ result: BuildResult?, skipped: [(image: ImageTarget, reason: String)]) {
    if result == nil { record.interrupted() } else { record.served(group.key.workspace) }
    if !setup.waitsForLock, let result, result.exitCode == 9, let problem = result.problem {
      record.lockHeld(problem)
    }
    if let result, result.exitCode == 2 { record.refused() }
    let isEvictedAgain = record.history.isEvictedAgain(result?.remote, in: group.key.workspace)
    for (image, reason) in skipped {
      // Its server was killed, or the disk is full, or another hand interrupted it: no fault of the
      // image, and no save will mend it.
      if let trouble = result?.remote {
        record.waits(image, because: isEvictedAgain ? BazelExit.repeated(trouble) : trouble.text)
      } else if let result, result.isTroubled {
        record.troubled(image, result.problem ?? reason)
      } else {
        record.cancelled(image, because: reason)
      }
    }
    // Actions that could not write for lack of space have failed like any other.
    if result?.excusesFailures == true { record.excuse(group.images.map(\.name)) }
  }

  /// - Parameter event: The number of the event that the build began with.
  private func keep(
    _ profile: BazelProfile?, of event: Int?, elapsed: Duration, lockWaited: Duration
  ) {
    if let phases = profile?.phases { record.add(phases) }
    setup.profiles?.add(
      profile, of: event ?? 0, cycle: record.number ?? 0, elapsed: elapsed, lockWaited: lockWaited)
    // What has been kept is no longer here.
    profile?.remove()
  }

  /// The images that a diagnostic or an action's output belongs to: several may wait for one library.
  private func images(of update: BuildUpdate) -> [String] {
    let target: Label? =
      switch update {
      case .diagnostic(let diagnostic): diagnostic.target
      case .output(let output): output.target
      default: nil
      }
    guard let target else { return [] }
    let names = Set(group.images.map(\.name))
    let found =
      index.map { $0.images(dependingOn: target).intersection(names) }
      // Without the graph: the images beside the target that failed.
      ?? Set(group.images.filter { $0.label.package == target.package }.map(\.name))
    return found.sorted()
  }

  /// - Returns: Whether the image can't be read yet, though it was built: it may still be on its way here.
  private func finish(
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
  private func open(
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

/// Images of one build that are to be made in another way.
private struct UselessWays {
  var images: [ImageTarget] = []
  /// Targets of which rules_img makes no whole layout.
  var shallow: Set<Label> = []

  func explains(_ update: BuildUpdate) -> Bool {
    guard case .diagnostic(let diagnostic) = update else { return false }
    return diagnostic.isOfLayout(of: shallow)
  }
}

extension Diagnostic {
  /// Whether it says that one of the targets, or its layout, could not be made.
  fileprivate func isOfLayout(of targets: Set<Label>) -> Bool {
    if let target { return targets.contains(target) }
    // Bazel names the action and what it makes, not the target: "OCILayout app/image_oci_layout failed: (Exit 1)".
    return targets.contains { message.contains("OCILayout \($0.path)_") }
  }
}

extension PlannedImage {
  fileprivate var mayBeShallow: Bool {
    way.form == .layout && image.source.ways.contains { $0.form == .sparseLayout }
  }
}

extension BuildRequest {
  /// Has actions run though a remote or disk cache knows them. Neither discards the analysis cache.
  /// Tried with Bazel 4.2.3 and 7.7.1: the second, newer, takes the disk cache's word in spite of the first option.
  static let withoutCaches = ["--noremote_accept_cached", "--disk_cache="]

  /// What makes images.
  ///
  /// - Parameters:
  ///   - ways: How each is made.
  ///   - options: To stand behind the group's own.
  init(
    _ ways: [ImageSource.Way], key: BatchKey, setup: BuildSetup, adding options: [String] = []
  ) {
    self.init(
      targets: Set(ways.flatMap(\.products).map(\.label)).sorted(),
      options: key.buildOptions + options,
      outputGroups: ways.reduce(into: Set<String>()) { $0.formUnion($1.outputGroups) }.sorted(),
      keepsGoing: setup.keepsGoing, waitsForLock: setup.waitsForLock)
  }
}
