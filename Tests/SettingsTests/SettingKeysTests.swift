import Runtimes
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings

struct SettingKeysTests {
  @Test func `no two settings share a name, a place or a variable`() {
    let places = SettingKeys.all.compactMap(\.place).map { "\($0.section).\($0.key)" }
    let variables = SettingKeys.all.flatMap(\.variables)
    #expect(Set(places).count == places.count)
    #expect(Set(variables).count == variables.count)
    // Two of one name would be one value.
    var values = SettingValues()
    for (index, setting) in SettingKeys.all.enumerated() {
      setting.reset(&values)
      #expect(values.count == index + 1)
    }
  }

  @Test func `a layer says only what it was told`() {
    var upper = SettingsLayer()
    #expect(upper.debounce == nil)
    #expect(upper.events == nil)
    #expect(upper == SettingsLayer())
    upper.debounce = .milliseconds(5)

    var lower = SettingsLayer()
    lower.debounce = .seconds(1)
    lower.events = .descriptor(3)
    let merged = upper.over(lower)
    #expect(merged.debounce == .milliseconds(5))
    #expect(merged.events == .descriptor(3))
    #expect(merged != lower)

    lower.events = nil
    lower.debounce = nil
    #expect(lower == SettingsLayer())
  }

  @Test func `a setting that no source says is its default`() {
    let settings = Settings(workspace: "/w", stateDirectory: PrivateDirectory("/s"))
    #expect(settings.loadTargets == [.auto])
    #expect(settings.prune == PruneRule())
    #expect(settings.events == nil)
    #expect(settings.keepsGoing)
  }

  @Test func `a change that waits for the next start is told by its key`() {
    let old = Settings(workspace: "/w", stateDirectory: PrivateDirectory("/s"))
    var new = old
    #expect(new.keysAwaitingRestart(since: old) == [])
    new.debounce = .seconds(1)
    new.ignore = ["docs/**"]
    // These two count from the next cycle on, and the last is no key of the file.
    new.loadJobs = 1
    new.keepsGoing = false
    new.isPostponed = true
    #expect(new.keysAwaitingRestart(since: old) == ["watch.ignore", "batch.debounce"])
  }

  @Test func `a default is shown as an option would say it`() {
    let keys = SettingKeys()
    #expect(keys.debounce.help.hasSuffix("(default: 30ms)"))
    #expect(keys.loadTargets.help.hasSuffix("Repeatable. (default: auto)"))
    #expect(keys.bazelCommand.help.hasSuffix("(default: $BAZEL, else bazel)"))
  }
}
