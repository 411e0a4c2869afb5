import ArgumentParser
import Basics
import FoundationEssentials
import Processes
import Runtimes
import Settings
import SystemPackage

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks bazel, inotify limits, runtimes and the configuration.",
    discussion: """
      Each finding comes with its remedy. Starts no Bazel server and builds nothing. \
      Exits with 2 when something has to be put right before dev can work.
      """)

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The Bazel or Bazelisk to check. (default: $BAZEL, else bazel)", valueName: "path"),
    completion: .file())
  var bazel: String?

  @Option(
    help: ArgumentHelp(
      "Check this runtime, as dev --load would use it. Repeatable. (default: auto)",
      valueName: "target"),
    completion: .list(RuntimeChoice.words))
  var load: [String] = []

  @Flag(help: "An array of {check, status, message, remedy} instead of lines.")
  var json = false

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let directory = try Disk.currentDirectory
    let given = GivenOptions(common: common, bazel: bazel, load: load)
    let settings = Result { () throws(Problem) in
      try Settings.resolve(
        given, environment: environment, currentDirectory: directory,
        isTerminal: Terminal.isTerminal(1))
    }
    let workspace = Result { () throws(Problem) in
      try Settings.workspace(
        GivenOptions(common: common), environment: environment, currentDirectory: directory)
    }
    let doctor = Doctor(
      workspace: workspace, settings: settings, environment: environment,
      runner: SubprocessRunner(), clock: ContinuousClock(),
      docker: { await DockerCheck.finding(environment: environment, runner: SubprocessRunner()) },
      runtimes: { settings in
        await RuntimeCheck.findings(
          settings.loadTargets, store: settings.imageStore,
          environment: environment)
      })
    let findings = try await Stopping().run {
      let findings = await doctor.findings()
      try Task.checkCancellation()
      return findings
    }
    try show(findings, usesColor: (try? settings.get().usesColor) ?? (common.color == .always))
    if findings.contains(where: { $0.status == .error }) { throw ExitStatus.usage }
  }

  private func show(_ findings: [Finding], usesColor: Bool) throws {
    guard json else {
      let shown = common.quiet ? findings.filter { $0.status != .ok } : findings
      return try OutputStream.standardOutput.write(
        lines: shown.map { $0.line(usesColor: usesColor) }
          + (common.quiet ? [] : [Finding.summary(findings)]))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try OutputStream.standardOutput.write(json: encoder.encode(findings))
  }
}
