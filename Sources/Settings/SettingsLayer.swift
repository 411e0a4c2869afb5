package import Batching
import Runtimes

/// What one source of settings says: the options, the environment, or the file.
///
/// `nil` means that it says nothing, and the next source is asked.
package struct SettingsLayer: Equatable, Sendable {
  var bazelCommand: String?
  package var trigger: Trigger?
  package var pollInterval: Duration?
  package var debounce: Duration?
  package var maxDelay: Duration?
  package var onBusyUpdate: BusyPolicy.Choice?
  package var buildConcurrency: Int?
  package var keepsGoing: Bool?
  var loadTargets: [RuntimeChoice]?
  package var loadJobs: Int?
  var pruneKeep: Int?
  var pruneOlderThan: Duration?
  package var isPostponed: Bool?
  package var output: OutputMode?
  package var events: EventsTarget?
  package var waitsForLock: Bool?
  package var color: ColorChoice?
  package var verbosity: Verbosity?

  package init() {}

  /// This source first, the other where this says nothing.
  package func over(_ lower: SettingsLayer) -> SettingsLayer {
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
    merged.events = events ?? lower.events
    merged.waitsForLock = waitsForLock ?? lower.waitsForLock
    merged.color = color ?? lower.color
    merged.verbosity = verbosity ?? lower.verbosity
    return merged
  }
}
