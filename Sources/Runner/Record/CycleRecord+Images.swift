import Bazel
import Events
import Graph
import Images
import Runtimes
import Synchronization
import SystemPackage

/// Tells what each image of the cycle came to.
extension CycleRecord {
  /// - Parameter steps: All that it takes to deliver each of its images.
  func built(_ image: ImageTarget, ms: Int, steps: [DeliveryStep]) {
    let note = state.withLock { state in
      state.progress.built(image.name, steps: steps)
      return state.notes[image.name]
    }
    tell(image, .built) {
      $0.ms = ms
      $0.note = note
    }
  }

  /// The image is made in another way, since the one before was of no use.
  func tookOtherWay(
    _ image: ImageTarget, _ way: ImageSource.Way, after trouble: ImageWays.Trouble
  ) {
    let made = way.form == .archive ? "from the tar" : "from the layout without its base's layers"
    state.withLock { $0.notes[image.name] = "\(made): \(trouble)" }
  }

  /// A step of the image's delivery went well; after the last one the image is current.
  func done(_ step: DeliveryStep, of image: ImageTarget) {
    state.withLock { $0.progress.done(step, of: image.name) }
  }

  /// The image is other than before where it is to be.
  func freshened(_ image: ImageTarget) {
    state.withLock { _ = $0.fresh.insert(image.name) }
  }

  /// A hook has ended; where it failed, so has the cycle.
  func hooked(_ outcome: HookRunner.Outcome) {
    if !outcome.isGood { state.withLock { $0.hasFailedHook = true } }
    record(.hook(outcome.event))
  }

  /// - Parameter isRetried: Without any change, after a while.
  func failed(_ step: DeliveryStep, of image: ImageTarget, isRetried: Bool) {
    state.withLock { $0.progress.failed(step, of: image.name, isRetried: isRetried) }
  }

  func loaded(
    _ image: ImageTarget, _ result: LoadResult, as references: [ImageReference],
    takenOver: [ImageReference: Digest] = [:], runtime: String, ms: Int
  ) {
    done(.load(into: runtime), of: image)
    if result.isChanged { freshened(image) }
    tell(image, result.isChanged ? .loaded : .unchanged) {
      $0.name(references)
      $0.id = result.id.description
      $0.runtime = runtime
      $0.step = "load"
      $0.bytesSent = result.bytesSent
      $0.layersSent = result.layersSent
      $0.layersTotal = result.layersTotal
      $0.ms = ms
      $0.note = Self.note(takenOver)
    }
  }

  /// - Parameter takenOver: Names, and the IDs of the images that they stood for.
  private static func note(_ takenOver: [ImageReference: Digest]) -> String? {
    guard !takenOver.isEmpty else { return nil }
    return takenOver.sorted { $0.key.description < $1.key.description }.map { name, id in
      "\(name) stood for an image that watchbuild did not load, \(id.hexadecimal.prefix(12))"
    }.joined(separator: "; ")
  }

  /// A load that takes long is on its way.
  func loading(
    _ image: ImageTarget, _ count: LoadProgress.Count, bytesPerSecond: Int64,
    as reference: ImageReference, runtime: String
  ) {
    record(
      .progress(
        Event.LoadProgressed(
          image: image.name, runtime: runtime, ref: reference.description,
          bytesSent: count.sent, bytesTotal: count.total, bytesPerSecond: bytesPerSecond,
          layersSent: count.layersSent, layersTotal: count.layersTotal)))
  }

  func failedBuild(_ image: ImageTarget, _ message: String) {
    let cause = state.withLock { $0.broken.cause(of: message) }
    let error = cause.map { "\($0.file):\($0.line): \($0.message)" } ?? message
    state.withLock { $0.progress[image.name] = .failedBuild }
    kept?.add(failure: error, of: image.name, cycle: number ?? 0)
    tell(image, .failed) {
      $0.error = error
      $0.step = "build"
      $0.log = kept?.file(of: image.name, cycle: number ?? 0)?.string
    }
  }

  /// Bazel ended before it came to the image; worth another try without any change.
  func troubled(_ image: ImageTarget, _ error: String) {
    state.withLock { $0.progress[image.name] = .troubled }
    tell(image, .failed) { $0.error = error }
  }

  /// A service that Bazel needs for the image failed: told once for all images, when the cycle ends.
  func waits(_ image: ImageTarget, because problem: String) {
    state.withLock {
      $0.progress[image.name] = .troubled
      $0.waiting[problem, default: []].insert(image.name)
    }
    tell(image, .cancelled) { $0.error = problem }
  }

  /// The image is for another platform: a failure of one that was named, and no matter for the cycles
  /// to come where it was only found.
  func incompatible(_ image: ImageTarget, _ sentence: String) {
    guard image.isFound else { return failedBuild(image, sentence) }
    state.withLock { $0.progress[image.name] = .leftOut }
    tell(image, .cancelled) { $0.error = sentence }
    if history.leavesOut(image.name) {
      record(.degraded(reason: "\(image.name) is left out: \(sentence)"))
    }
  }

  /// Nobody could tell where Bazel keeps other repositories: what lies there is not watched. Told once in a run.
  func missesRepositories(of workspace: FilePath) {
    guard history.misses(workspace) else { return }
    record(
      .degraded(
        reason:
          "Bazel's output base for \(workspace) was not found, so saves in local repositories are not seen; "
          + "build once without --symlink_prefix, or save a file of the workspace after such a change"
      ))
  }

  func failedLoad(
    _ image: ImageTarget, _ error: String, as references: [ImageReference], runtime: String
  ) {
    failed(.load(into: runtime), of: image, isRetried: true)
    tell(image, .failed) {
      $0.error = error
      $0.name(references)
      $0.runtime = runtime
      $0.step = "load"
    }
  }

  /// The image was not finished, through no fault of its own: it stays owed.
  func cancelled(_ image: ImageTarget, because reason: String) {
    tell(image, .cancelled) { $0.error = reason }
  }

  /// The image waits for another: it stays owed.
  func heldUp(_ image: ImageTarget, by other: String) {
    state.withLock { $0.progress[image.name] = .heldUp }
    tell(image, .cancelled) {
      $0.heldUpBy = other
      $0.error = "it requires \(other), which is not loaded"
    }
  }

  /// A hook before the build failed, so that the image is not built: it stays owed.
  func refused(_ image: ImageTarget, by hook: String) {
    state.withLock { $0.progress[image.name] = .heldUp }
    tell(image, .cancelled) { $0.error = "it is not built, because the hook '\(hook)' failed" }
  }

  func tell(
    _ image: ImageTarget, _ status: Event.ImageChanged.Status,
    _ fill: (inout Event.ImageChanged) -> Void
  ) {
    var event = Event.ImageChanged(
      image: image.name, target: image.label.description, status: status)
    fill(&event)
    record(.image(event))
  }
}

extension Event.ImageChanged {
  fileprivate mutating func name(_ references: [ImageReference]) {
    ref = references.first?.description
    refs = references.map(\.description)
  }
}
