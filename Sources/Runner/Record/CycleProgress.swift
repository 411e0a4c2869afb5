import Batching

/// Keeps the stage that each image of a cycle has reached.
struct CycleProgress: Sendable {
  enum Progress: Equatable, Sendable {
    /// To be built, or on its way, with how often each step is still to be done; `nil`: not built yet.
    case open(stepsLeft: [DeliveryStep: Int]?)
    case current
    case failedBuild
    /// Bazel itself failed, not the image.
    case troubled
    /// It was only found, and can't be built for the platform.
    case leftOut
    /// Steps of its delivery that failed; for each, whether it is tried again by itself.
    case failedSteps([DeliveryStep: Bool])
    /// An image that it requires is not there.
    case heldUp
  }

  private var images: [String: Progress] = [:]

  subscript(_ image: String) -> Progress? {
    get { images[image] }
    set { images[image] = newValue }
  }

  /// Images that are the cycle's to make.
  var asked: Set<String> { Set(images.keys) }

  mutating func begin(_ names: some Sequence<String>) {
    for name in names { images[name] = .open(stepsLeft: nil) }
  }

  /// A build that had no chance is no failure of the images.
  mutating func excuse(_ names: [String]) {
    for name in names where images[name] == .failedBuild { images[name] = .troubled }
  }

  /// - Parameter steps: All that it takes to deliver the image; one that is to be done twice stands there twice.
  mutating func built(_ image: String, steps: [DeliveryStep]) {
    let left = Dictionary(steps.map { ($0, 1) }, uniquingKeysWith: +)
    images[image] = left.isEmpty ? .current : .open(stepsLeft: left)
  }

  /// A step went well; after the last one the image is current.
  mutating func done(_ step: DeliveryStep, of image: String) {
    guard case .open(var left?) = images[image] else { return }
    left[step] = left[step].flatMap { $0 > 1 ? $0 - 1 : nil }
    images[image] = left.isEmpty ? .current : .open(stepsLeft: left)
  }

  /// - Parameter isRetried: The step is tried again after a while, without any change.
  mutating func failed(_ step: DeliveryStep, of image: String, isRetried: Bool) {
    var steps = [step: isRetried]
    if case .failedSteps(let others) = images[image] { steps.merge(others) { first, _ in first } }
    images[image] = .failedSteps(steps)
  }
}

extension CycleProgress {
  var current: Set<String> { names { $0 == .current } }

  /// Images that are neither done nor failed.
  var unfinished: Set<String> { names { if case .open = $0 { true } else { false } } }

  /// Images of which a build or a step failed.
  var failed: Set<String> {
    names { progress in
      switch progress {
      case .failedBuild, .troubled, .failedSteps: true
      case .open, .current, .leftOut, .heldUp: false
      }
    }
  }

  /// The stage that an image has reached; `nil`: none yet, or it failed.
  func stage(of image: String) -> Stage? {
    switch images[image] {
    case .current, .leftOut: .live
    // Only an image that has been loaded everywhere is rolled out.
    case .open(stepsLeft: .some(let steps)): Self.stage(open: steps.keys)
    case .failedSteps(let steps): Self.stage(open: steps.keys)
    case .open(stepsLeft: nil), .failedBuild, .troubled, .heldUp, nil: nil
    }
  }

  private static func stage(open steps: some Sequence<DeliveryStep>) -> Stage {
    steps.contains { $0.kind == .load } ? .built : .loaded
  }

  /// Fills in what became of the images.
  func tell(_ outcome: inout CycleOutcome) {
    outcome.current = current
    outcome.failedBuilds = names { $0 == .failedBuild }
    outcome.leftOut = names { $0 == .leftOut }
    outcome.troubled = names { $0 == .troubled }
    outcome.heldUp = names { $0 == .heldUp }
    outcome.unfinished = unfinished
    for (image, progress) in images {
      guard case .failedSteps(let steps) = progress else { continue }
      let loads = steps.keys.filter { $0.kind == .load }.map(\.target)
      if !loads.isEmpty { outcome.failedLoads[image] = Set(loads) }
      for (step, isRetried) in steps where step.kind == .rollout {
        outcome.failedRollouts[image] = .init(target: step.target, isRetried: isRetried)
      }
    }
  }

  private func names(where matches: (Progress) -> Bool) -> Set<String> {
    Set(images.filter { matches($0.value) }.keys)
  }
}
