import ArgumentParser
import Batching
import Settings

/// The options of `dev` alone: when to build.
///
/// All are optional here, so that environment and file can say what no option says.
struct WatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How changes are seen: notify or poll; manual builds only on 'watchbuild trigger'. "
        + "(default: notify)", valueName: "how"),
    completion: .list(Trigger.allCases.map(\.rawValue)), transform: SettingText.trigger)
  var trigger: Trigger?

  @Option(
    help: ArgumentHelp("With poll: how often to look. (default: 1s)", valueName: "duration"),
    transform: SettingText.pollInterval)
  var pollInterval: Duration?

  @Option(
    help: ArgumentHelp(
      "Build when nothing has changed for so long. (default: 30ms)", valueName: "duration"),
    transform: SettingText.duration)
  var debounce: Duration?

  @Option(
    help: ArgumentHelp(
      "Build at the latest so long after the first change. (default: 500ms, or the debounce if "
        + "that is longer)", valueName: "duration"),
    transform: SettingText.duration)
  var maxDelay: Duration?

  @Option(
    help: ArgumentHelp(
      "A change while a build runs: interrupt it if affected, wait for it, or let the change wait "
        + "for the next one. (default: restart)", valueName: "policy"))
  var onBusyUpdate: BusyPolicy.Choice?

  @Flag(help: "Build nothing at start; wait for the first change.")
  var postpone = false

  var layer: SettingsLayer {
    var layer = SettingsLayer()
    layer.trigger = trigger
    layer.pollInterval = pollInterval
    layer.debounce = debounce
    layer.maxDelay = maxDelay
    layer.onBusyUpdate = onBusyUpdate
    layer.isPostponed = postpone ? true : nil
    return layer
  }
}
