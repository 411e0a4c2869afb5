import ArgumentParser
import Batching
import Settings

/// The options of `dev` alone: when to build.
///
/// All are optional here, so that environment and file can say what no option says.
struct WatchOptions: ParsableArguments {
  @Option(setting: \.trigger, completion: .list(Trigger.allCases.map(\.rawValue)))
  var trigger: Trigger?

  @Option(setting: \.pollInterval)
  var pollInterval: Duration?

  @Option(setting: \.debounce)
  var debounce: Duration?

  @Option(setting: \.maxDelay)
  var maxDelay: Duration?

  @Option(setting: \.onBusyUpdate)
  var onBusyUpdate: BusyPolicy.Choice?

  @Option(setting: \.watchesInBazel)
  var watchfs: ServerWatchChoice?

  @Flag(help: "Build nothing at start; wait for the first change.")
  var postpone = false

  @Option(setting: \.bell)
  var bell: BellChoice?

  @Flag(help: "Clear the screen at each cycle.")
  var clear = false

  // What follows the option need not be an address: see `OptionalAddress`.
  @Option(help: ArgumentHelp(setting: \.dashboard), transform: SettingText.dashboard)
  var ui: DashboardAddress?

  var layer: SettingsLayer {
    var layer = SettingsLayer()
    layer.trigger = trigger
    layer.pollInterval = pollInterval
    layer.debounce = debounce
    layer.maxDelay = maxDelay
    layer.onBusyUpdate = onBusyUpdate
    layer.watchesInBazel = watchfs
    layer.isPostponed = postpone ? true : nil
    layer.bell = bell
    layer.clears = clear ? true : nil
    layer.dashboard = ui
    return layer
  }
}
