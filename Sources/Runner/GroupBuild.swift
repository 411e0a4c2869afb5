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
  /// What the build is for, where it may go by the watch of Bazel's server; `nil`: the server looks at every file.
  var visible: [FilePath]?
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
    var build = self
    for _ in 0...BazelsOwnFiles.patience {
      // A way that was of no use is not tried a second time.
      let result = try await build.usable(self.images(images.map(\.image)), &done)
      build.visible = nil
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
    // What the first build has not seen, and all that follows, is built with every file looked at.
    var whole = self
    whole.visible = nil
    if useless.isUnseen {
      guard !interruption.isInterrupted else {
        for image in images { record.cancelled(image.image, because: "the build was interrupted") }
        return result
      }
      useless = UselessWays()
      result = try await whole.downloading(images, &finished, &useless)
    }
    while !useless.images.isEmpty, !interruption.isInterrupted {
      let again = self.images(useless.images)
      useless = UselessWays()
      for images in again.compatible {
        guard let next = try await whole.downloading(images, &finished, &useless) else {
          return nil
        }
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
    var request = BuildRequest(
      images.map(\.way), key: group.key, setup: setup,
      adding: downloads.options + (distrustsCaches ? BuildRequest.withoutCaches : []))
    let watches = record.history.serverWatches
    let use = visible == nil ? .none : watches.use(in: group.key.workspace)
    request.watches = use != .none
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
    async let ending = interruption.run { [request] in
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
    // Bazel compares before it analyses; asked at the first target.
    var isSeen = use == .relies ? nil : true
    for await update in updates {
      switch update {
      case .target(let label, let outcome):
        isSeen = isSeen ?? haveSeen()
        // What may be old is told to nobody, and built again.
        guard isSeen == true else { break }
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
      case .version(let version):
        setup.activity?.tell(version: version)
      case .executionRoot(let root):
        record.foundExecutionRoot(root, of: group.key.workspace)
      case .progress(let line):
        setup.activity?.add(progress: line)
        if BazelLine.isServerStart(line) {
          record.serverStarted(line, in: group.key.workspace)
        }
      case .message(let line) where use != .none && BazelLine.isWatchFailure(line):
        watches.failed(in: group.key.workspace)
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
    watches.built(
      in: group.key.workspace, use, result,
      executionRoot: record.executionRoot(of: group.key.workspace))
    let elapsed = start.duration(to: clock.now)
    let waited = result?.lockWaited ?? .zero
    record.time {
      $0.bazelMs += (elapsed - waited).milliseconds
      $0.lockMs += waited.milliseconds
    }
    if let actions { profile?.phases.add(actions) }
    keep(profile, of: event, elapsed: elapsed, lockWaited: waited)
    useless.isUnseen =
      switch result?.exitCode {
      case 0, 1: !(isSeen ?? haveSeen())
      // It may not know the option.
      case 2: use != .none
      default: false
      }
    if !useless.isUnseen {
      for image in assembly.unsettled { skipped.append((image, "the build ended before it")) }
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

  /// Whether the watch of Bazel's server has seen what the build is for.
  private func haveSeen() -> Bool {
    record.history.serverWatches.haveSeen(visible ?? [], in: group.key.workspace)
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
}
