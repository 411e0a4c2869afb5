import ArgumentParser
import Basics
import Foundation
import Glibc
import Runner
import Settings
import SystemPackage
import Watcher

/// `watchbuild logs`: what the compilers and Bazel printed, whole.
struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Print what the compilers and Bazel printed, whole.",
    discussion: """
      Of the latest cycle that printed anything, or of one image in the latest cycle in which an action of \
      it printed anything. It reads the state directory, so that no dev needs to be running.
      """)

  @Argument(
    help: ArgumentHelp("Only what this image's build printed.", valueName: "image"),
    completion: .imageNames)
  var image: String?

  @Option(help: ArgumentHelp("Of this cycle of the latest run.", valueName: "n"))
  var cycle: Int?

  @Flag(name: [.customLong("follow")], help: "Go on with what is printed from now on.")
  var follow = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let cycle, cycle < 1 { throw ValidationError("--cycle counts from 1") }
    if follow, cycle != nil {
      throw ValidationError("--follow goes on with later cycles; leave --cycle out")
    }
  }

  func run() async throws {
    let invocation = try Invocation(common)
    // The configuration may be what is broken.
    let workspace = try Settings.workspace(
      GivenOptions(common: common), environment: invocation.environment,
      currentDirectory: invocation.currentDirectory)
    let state = try StateDirectory.path(for: workspace, environment: invocation.environment)
    try StateDirectory.check(state)
    let logs = state.appending(KeptOutput.directoryName)
    guard follow else { return try printLatest(logs, of: workspace) }
    let stopping = Stopping()
    try await stopping.run { try await follow(logs) }
  }

  private func latest(_ logs: PrivateDirectory) throws -> KeptOutput.Log? {
    do {
      return try KeptOutput.log(of: image, cycle: cycle, in: logs)
    } catch let untrusted as UntrustedFile {
      throw StateDirectory.problem(untrusted)
    }
  }

  private func printLatest(_ logs: PrivateDirectory, of workspace: FilePath) throws {
    guard let log = try latest(logs) else {
      let place =
        (image.map { " of image '\($0)'" } ?? "") + (cycle.map { " in cycle \($0)" } ?? "")
      let cycles = try KeptOutput.cycles(in: logs)
      let kept =
        cycles.isEmpty
        ? "run 'watchbuild dev' or 'watchbuild build' there; what prints nothing leaves nothing"
        : "the latest run printed something in " + (cycles.count == 1 ? "cycle " : "cycles ")
          + cycles.map(String.init).joined(separator: ", ")
      throw Problem(
        "nothing was printed\(place) for \(workspace)", hint: kept, status: .otherDev)
    }
    try header(log)
    try write(log.text)
  }

  /// What is asked for goes to standard output alone.
  private func header(_ log: KeptOutput.Log) throws {
    guard !common.quiet else { return }
    try OutputStream.standardError.write(lines: [
      Terminal.escaped("cycle \(log.cycle): \(log.file)")
    ])
  }

  /// A terminal is not to act on what a compiler printed.
  private func write(_ text: some Sequence<UInt8>) throws {
    let bytes = Array(text)
    guard Terminal.isTerminal(STDOUT_FILENO) else {
      return try OutputStream.standardOutput.write(bytes)
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let safe = lines.map {
      $0.split(separator: "\t", omittingEmptySubsequences: false)
        .map { Terminal.escaped(String($0)) }.joined(separator: "\t")
    }
    try OutputStream.standardOutput.write(Array(safe.joined(separator: "\n").utf8))
  }

  /// Prints what is kept, and looks for more now and then, until a signal.
  private func follow(_ logs: PrivateDirectory) async throws {
    let clock = ContinuousClock()
    var last: KeptOutput.Log?
    while true {
      if let log = try latest(logs), log != last {
        let isSame = last?.file == log.file && log.text.count >= (last?.text.count ?? 0)
        if !isSame { try header(log) }
        try write(isSame ? log.text.dropFirst(last?.text.count ?? 0) : log.text[...])
        last = log
      }
      try await clock.pause(for: .milliseconds(200))
    }
  }
}
