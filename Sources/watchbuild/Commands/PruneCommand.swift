import ArgumentParser
import Basics
import FoundationEssentials
import Runtimes
import Settings
import SystemPackage

/// `watchbuild prune`: removes superseded images that watchbuild loaded, and no others.
struct PruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Removes superseded images that watchbuild loaded, and no others.",
    discussion: """
      An image stays while its name stands for it, while another name does, while a container \
      uses it, running or not, and while the rule keeps it: so many superseded images of each name, \
      and all that were superseded a short time ago.
      """)

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "So many superseded images of each name stay. (default: 2)", valueName: "n"),
    transform: SettingText.pruneKeep)
  var keep: Int?

  @Option(
    help: ArgumentHelp(
      "Images superseded for less than this stay. (default: 6h)", valueName: "duration"),
    transform: SettingText.duration)
  var olderThan: Duration?

  @Flag(help: "Remove nothing, and show what would be removed.")
  var dryRun = false

  func run() async throws {
    let invocation = try Invocation(common)
    var settings = try invocation.settings(loop: nil)
    settings.prune.keep = keep ?? settings.prune.keep
    settings.prune.olderThan = olderThan ?? settings.prune.olderThan
    try StateDirectory.prepare(settings.stateDirectory)
    let cleaning = ImageCleaning(settings: settings, environment: invocation.environment)
    try await Stopping().run { try await prune(cleaning) }
  }

  private func prune(_ cleaning: ImageCleaning) async throws {
    var failures: [String] = []
    for name in try await cleaning.runtimes() {
      do {
        for outcome in try await cleaning.run(in: name, isDryRun: dryRun) { try show(outcome) }
      } catch let error as RuntimeError {
        failures.append("\(error)")
      }
    }
    if let first = failures.first {
      for failure in failures.dropFirst() {
        try OutputStream.standardError.write(lines: [Terminal.escaped("watchbuild: \(failure)")])
      }
      throw Problem(first, status: .loadFailed)
    }
  }

  private func show(_ outcome: Pruning.Outcome) throws {
    let image = "\(outcome.runtime) \(outcome.image.reference) \(outcome.image.id)"
    let line: String
    switch outcome.removal {
    case .removed: line = (dryRun ? "would remove " : "removed ") + image
    case .kept(let reason):
      guard common.verbose > 0 else { return }
      line = "kept \(image): \(reason)"
    case .absent:
      guard common.verbose > 0 else { return }
      line = "gone \(image)"
    }
    try OutputStream.standardOutput.write(lines: [Terminal.escaped(line)])
  }
}

/// Removes superseded images as the settings say.
struct ImageCleaning: Sendable {
  let settings: Settings
  let environment: [String: String]

  private var pruning: Pruning {
    Pruning(settings.prune, ledger: Ledger(in: settings.stateDirectory, now: { Date() }))
  }

  /// Names of the runtimes that we ever loaded into.
  func runtimes() async throws -> [String] { try await pruning.runtimes() }

  /// - Throws: `RuntimeError` when the runtime does not answer.
  func run(in name: String, isDryRun: Bool) async throws -> [Pruning.Outcome] {
    guard let choice = try? RuntimeChoice(name, relativeTo: settings.workspace) else {
      // Written by a version that knew more runtimes.
      return []
    }
    let targets = try await LoadTargets.resolve(
      [choice], store: settings.imageStore, environment: environment)
    do {
      var outcomes: [Pruning.Outcome] = []
      for runtime in targets.runtimes {
        outcomes += try await pruning.run(in: runtime, isDryRun: isDryRun)
      }
      await targets.shutdown()
      return outcomes
    } catch {
      await targets.shutdown()
      throw error
    }
  }

  /// Beside `dev`: at once, and every ten minutes, until cancelled.
  func run(in runtimes: [any ImageRuntime], clock: some Clock<Duration>) async {
    while !Task.isCancelled {
      for runtime in runtimes {
        // A runtime that does not answer is told of when something is to be loaded; what is left
        // stays for the next time.
        _ = try? await pruning.run(in: runtime)
      }
      // Ends by cancellation only.
      try? await clock.pause(for: .seconds(600))
    }
  }
}
