import Basics
import Bazel
import Events
import Graph
import Images
import Processes
import SystemPackage

/// One grouped `bazel build`: what it makes is opened, and handed on to be loaded, target by
/// target, while Bazel builds the rest.
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
  let load: @Sendable (LoadQueue<C>.Job) -> Void

  /// Builds, and once more where Bazel may have read another file of its own than it left: its lock file.
  func run() async throws {
    var done = FinishedImages()
    for _ in 0...BazelsOwnFiles.patience {
      let result = try await downloading(&done)
      guard own.haveChanged(in: group.key.workspace), let result, [0, 1].contains(result.exitCode),
        !interruption.isInterrupted
      else { return }
    }
  }

  /// Builds, and again with more to be brought here where Bazel has left images in a remote cache.
  ///
  /// - Returns: `nil` when it was interrupted.
  private func downloading(_ finished: inout FinishedImages) async throws -> BuildResult? {
    let workspace = group.key.workspace
    var downloads = record.history.downloads(in: workspace)
    var option: String?
    while true {
      let (result, missing) = try await build(&finished, downloads)
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
    _ finished: inout FinishedImages, _ downloads: OutputDownloads
  ) async throws -> (BuildResult?, missing: [(ImageTarget, FilePath)]) {
    let bazel = setup.bazel(group.key.workspace)
    let request = BuildRequest(
      group, setup: setup,
      adding: downloads.options + (distrustsCaches ? BuildRequest.withoutCaches : []))
    record.record(
      .build(
        Event.BuildStarted(
          targets: request.targets.map(\.description), images: group.images.map(\.name),
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
    var done: Set<Label> = []
    var skipped: [(image: ImageTarget, reason: String)] = []
    var awaited: [(image: ImageTarget, outputs: [String: [FilePath]])] = []
    var profile: BazelProfile?
    var actions: ActionCounts?
    for await update in updates {
      switch update {
      case .target(let label, let outcome):
        done.insert(label)
        for image in group.images where image.label == label {
          if case .skipped(let reason) = outcome {
            skipped.append((image, reason))
          } else if finished.isNew(outcome, of: image) {
            let ms = start.duration(to: clock.now).milliseconds
            if let outputs = finish(image, outcome, ms: ms) {
              awaited.append((image, outputs))
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
      case .progress(let line) where BazelLine.isServerStart(line):
        record.serverStarted(line, in: group.key.workspace)
      default:
        record.record(update, image: image(of: update))
      }
    }
    let result = try await ending
    let elapsed = start.duration(to: clock.now)
    let waited = result?.lockWaited ?? .zero
    record.time {
      $0.bazelMs += (elapsed - waited).milliseconds
      $0.lockMs += waited.milliseconds
    }
    if let actions { profile?.phases.add(actions) }
    keep(profile, elapsed: elapsed, lockWaited: waited)
    for image in group.images where !done.contains(image.label) {
      skipped.append((image, "the build ended before it"))
    }
    settle(result, skipped: skipped)
    // Some versions of Bazel tell of outputs before they have brought them here.
    let missing = result.map { result in
      awaited.compactMap { image, outputs in
        open(image, outputs, keptElsewhere: result.elsewhere != nil, ms: elapsed)
          .map { (image, $0) }
      }
    }
    return (result, missing ?? [])
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

  private func keep(_ profile: BazelProfile?, elapsed: Duration, lockWaited: Duration) {
    if let phases = profile?.phases { record.add(phases) }
    setup.profiles?.add(
      profile, cycle: record.number ?? 0, elapsed: elapsed, lockWaited: lockWaited)
    // What has been kept is no longer here.
    profile?.remove()
  }

  /// The image that a diagnostic belongs to, where it is one: several may wait for one library.
  private func image(of update: BuildUpdate) -> String? {
    guard case .diagnostic(let diagnostic) = update, let target = diagnostic.target else {
      return nil
    }
    let names = Set(group.images.map(\.name))
    let found =
      index.map { $0.images(dependingOn: target).intersection(names) }
      // Without the graph: the images beside the target that failed.
      ?? Set(group.images.filter { $0.label.package == target.package }.map(\.name))
    return found.count == 1 ? found.first : nil
  }

  /// - Returns: The outputs of an image that is not here yet.
  private func finish(
    _ image: ImageTarget, _ outcome: TargetOutcome, ms: Int
  ) -> [String: [FilePath]]? {
    switch outcome {
    case .incompatible(let sentence): record.incompatible(image, sentence)
    case .failed(let message, let causes):
      let others = causes.filter { $0 != image.label }.map(\.description)
      record.failedBuild(
        image,
        others.isEmpty ? message : "\(message) (in \(others.joined(separator: ", ")))")
    case .skipped: break
    case .built(let outputs):
      do {
        try open(image, outputs: outputs, ms: ms)
      } catch {
        guard OutputDownloads.missing(among: outputs) == nil else { return outputs }
        record.failedBuild(image, "\(error)")
      }
    }
    return nil
  }

  /// Opens an image after its build has ended.
  ///
  /// - Parameter keptElsewhere: Outputs may lie in a cache.
  /// - Returns: A file that is still not here.
  private func open(
    _ image: ImageTarget, _ outputs: [String: [FilePath]], keptElsewhere: Bool, ms: Duration
  ) -> FilePath? {
    do {
      try open(image, outputs: outputs, ms: ms.milliseconds)
    } catch {
      if keptElsewhere, let file = OutputDownloads.missing(among: outputs) { return file }
      record.failedBuild(image, "\(error)")
    }
    return nil
  }

  /// Opens the archive now: the next build may unlink it, but not take away an open file.
  private func open(_ image: ImageTarget, outputs: [String: [FilePath]], ms: Int) throws {
    let path = try BuiltImage.path(of: image, among: outputs)
    let supply = try LayerSupply(outputs: outputs, image: path, fetch: setup.fetchLayer)
    let (images, notices) = try NamedImage.all(
      of: image, in: try ImageArchive.openAll(path, supply: supply))
    for notice in notices { record.record(.notice(notice)) }
    record.built(image, ms: ms, loads: setup.runtimes.count * images.count)
    for named in images {
      for runtime in setup.runtimes {
        load(
          LoadQueue<C>.Job(
            image: image, archive: named.archive, references: named.references, runtime: runtime))
      }
    }
  }
}

extension BuildRequest {
  /// Has actions run though a remote or disk cache knows them. Neither discards the analysis cache.
  /// Tried with Bazel 4.2.3 and 7.7.1: the second, newer, takes the disk cache's word in spite of the first option.
  static let withoutCaches = ["--noremote_accept_cached", "--disk_cache="]

  /// What makes a group's images.
  ///
  /// - Parameter options: To stand behind the group's own.
  init(_ group: Plan.Group, setup: BuildSetup, adding options: [String] = []) {
    self.init(
      targets: Set(group.images.map(\.label)).sorted(), options: group.key.buildOptions + options,
      outputGroups: Set(group.images.map { $0.outputGroup ?? "tarball" }).sorted(),
      keepsGoing: setup.keepsGoing, waitsForLock: setup.waitsForLock)
  }
}
