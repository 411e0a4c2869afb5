import Batching
import Runner

/// What one source of settings says: the options, the environment, or the file.
///
/// `nil` means that it says nothing, and the next source is asked.
struct SettingsLayer: Equatable, Sendable {
  var bazelCommand: String?
  var trigger: Trigger?
  var pollInterval: Duration?
  var debounce: Duration?
  var maxDelay: Duration?
  var onBusyUpdate: BusyPolicy.Choice?
  var buildConcurrency: Int?
  var keepsGoing: Bool?
  var loadTargets: [RuntimeChoice]?
  var loadJobs: Int?
  var pruneKeep: Int?
  var pruneOlderThan: Duration?
  var isPostponed: Bool?
  var output: OutputMode?
  var waitsForLock: Bool?
  var color: ColorChoice?
  var verbosity: Verbosity?

  /// This source first, the other where this says nothing.
  func over(_ lower: SettingsLayer) -> SettingsLayer {
    var merged = SettingsLayer()
    merged.bazelCommand = bazelCommand ?? lower.bazelCommand
    merged.trigger = trigger ?? lower.trigger
    merged.pollInterval = pollInterval ?? lower.pollInterval
    merged.debounce = debounce ?? lower.debounce
    merged.maxDelay = maxDelay ?? lower.maxDelay
    merged.onBusyUpdate = onBusyUpdate ?? lower.onBusyUpdate
    merged.buildConcurrency = buildConcurrency ?? lower.buildConcurrency
    merged.keepsGoing = keepsGoing ?? lower.keepsGoing
    merged.loadTargets = loadTargets ?? lower.loadTargets
    merged.loadJobs = loadJobs ?? lower.loadJobs
    merged.pruneKeep = pruneKeep ?? lower.pruneKeep
    merged.pruneOlderThan = pruneOlderThan ?? lower.pruneOlderThan
    merged.isPostponed = isPostponed ?? lower.isPostponed
    merged.output = output ?? lower.output
    merged.waitsForLock = waitsForLock ?? lower.waitsForLock
    merged.color = color ?? lower.color
    merged.verbosity = verbosity ?? lower.verbosity
    return merged
  }
}
