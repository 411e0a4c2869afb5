import Events

/// Which images are being built, loaded or rolled out, as the events of a cycle tell.
struct WorkUnderway: Equatable, Sendable {
  private(set) var images: [String: ImageWork] = [:]
  /// How many images of the cycle are not done yet.
  var count: Int { images.count }
  /// The cycle that runs.
  private(set) var cycle: Int?
  private(set) var activity: Event.Activity?
  /// Without one, an image that is built is done.
  private var hasRuntimes = true

  static func == (left: Self, right: Self) -> Bool {
    left.images == right.images && left.cycle == right.cycle
  }

  mutating func add(_ event: Event) {
    switch event.kind {
    case .started(let started): hasRuntimes = !started.runtimes.isEmpty
    case .batch(let batch):
      cycle = event.cycle
      activity = nil
      images = Dictionary(batch.images.map { ($0, ImageWork(step: .build)) }) { first, _ in first }
    case .build(let build):
      for image in build.images where images[image] == nil { images[image] = .init(step: .build) }
    case .activity(let activity): add(activity)
    case .image(let image): add(image)
    case .progress(let progress):
      let total = Double(max(progress.bytesTotal, 1))
      images[progress.image] = .init(
        step: .load, progress: min(1, Double(progress.bytesSent) / total))
    case .rollout(let rollout):
      images[rollout.image] = rollout.status == .started ? .init(step: .rollout) : nil
    case .cycle: (images, cycle, activity) = ([:], nil, nil)
    case .ready: activity = nil
    default: break
    }
  }

  private mutating func add(_ activity: Event.Activity) {
    self.activity = activity
    guard activity.phase == .build, activity.total > 0 else { return }
    let progress = min(1, Double(activity.done) / Double(activity.total))
    for (name, work) in images where work.step == .build { images[name]?.progress = progress }
  }

  private mutating func add(_ image: Event.ImageChanged) {
    switch image.status {
    case .built: images[image.image] = hasRuntimes ? .init(step: .load) : nil
    case .unchanged, .loaded, .live, .failed, .cancelled: images[image.image] = nil
    }
  }
}
