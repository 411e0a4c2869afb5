import Basics
import Events

/// What is being done: the last line of a terminal, written over each second.
///
/// Loads that take long are told with their bytes.
struct ProgressLine: Sendable {
  private struct Load: Hashable {
    var image: String
    var runtime: String
  }

  private var cycle: Int?
  private var activity: Event.Activity?
  private var loads: [Load: Event.LoadProgressed] = [:]

  /// To be given every event, in order.
  mutating func add(_ event: Event) {
    switch event.kind {
    case .progress(let progress):
      cycle = event.cycle
      loads[Load(image: progress.image, runtime: progress.runtime)] = progress
    case .image(let image):
      loads = loads.filter { load, _ in
        load.image != image.image || (image.runtime ?? load.runtime) != load.runtime
      }
    case .activity(let activity):
      cycle = event.cycle
      self.activity = activity
    case .ready: activity = nil
    case .cycle: (loads, activity) = ([:], nil)
    default: break
    }
  }

  /// `nil` when nothing takes long.
  var text: String? {
    guard let first = loads.values.first else {
      return activity.map { (cycle.map { "[\($0)] " } ?? "") + Self.text($0) }
    }
    let prefix = cycle.map { "[\($0)] " } ?? ""
    if loads.count == 1 { return prefix + Self.text(first) }
    let all = loads.values
    return prefix + "\(Quantity.text(loads.count, "load")) under way: "
      + Self.amount(
        all.reduce(0) { $0 + $1.bytesSent }, all.reduce(0) { $0 + $1.bytesTotal },
        all.reduce(0) { $0 + $1.bytesPerSecond })
  }

  static func text(_ activity: Event.Activity) -> String {
    let phase =
      switch activity.phase {
      case .start: "starting"
      case .query: "asking Bazel"
      case .lock: "waiting for Bazel's lock"
      case .build: "building"
      case .load: "loading"
      case .rollout: "rolling out"
      }
    let count = activity.total > 0 ? " \(activity.done) of \(activity.total)" : ""
    let usual = activity.usualMs.map { ", usually \(Quantity.seconds($0))" } ?? ""
    let what = activity.running.first.map { " · \($0.what) \(Quantity.seconds($0.ms))" } ?? ""
    let queued =
      activity.queued.isEmpty ? "" : " · \(Quantity.text(activity.queued.count, "save")) queued"
    return Terminal.escaped(
      "\(phase)\(count) · \(Quantity.seconds(activity.elapsedMs))\(usual)\(queued)\(what)")
  }

  /// The line of one load.
  static func text(_ load: Event.LoadProgressed) -> String {
    let layers = Quantity.text(load.layersTotal, "layer")
    return Terminal.escaped("\(load.image) loading → \(load.runtime): ")
      + "\(load.layersSent) of \(layers), "
      + amount(load.bytesSent, load.bytesTotal, load.bytesPerSecond)
  }

  private static func amount(_ sent: Int64, _ total: Int64, _ rate: Int64) -> String {
    "\(Quantity.bytes(sent)) of \(Quantity.bytes(total)), \(Quantity.bytes(rate)) a second"
  }
}
