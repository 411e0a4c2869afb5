import ArgumentParser
import Basics
import Bazel
import FoundationEssentials
import Runner
import Settings
import SystemPackage

/// `watchbuild profile`: where the time of a cycle went.
struct ProfileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Tell where the time of the latest cycles went.",
    discussion: """
      The run of dev or build that ended a cycle last is shown; the others that are kept are listed \
      below it, for --run. Milliseconds, from the first save to the \
      end of the last load; loading while Bazel still builds takes no time of its own. The trace \
      holds Bazel's own profile too and opens in ui.perfetto.dev.
      """)

  @Argument(
    help: ArgumentHelp("The number of one cycle. (default: the latest ten)", valueName: "cycle"))
  var cycle: Int?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The run of dev or build with this process number. (default: the latest)", valueName: "run"))
  var runName: String?

  @Option(
    help: ArgumentHelp(
      "Write a Chrome trace of the cycle, or of all that are kept.", valueName: "file"),
    completion: .file())
  var trace: String?

  @Flag(help: "Write one JSON object.")
  var json = false

  @Flag(
    help: """
      Measure what Bazel's in-memory cache is worth here: shut its server down, build all images, \
      and build them again. Asks first.
      """)
  var coldWarm = false

  @Flag(help: "With --cold-warm: do not ask.")
  var yes = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if coldWarm, cycle != nil || trace != nil || runName != nil {
      throw ValidationError("--cold-warm goes with no cycle, --trace or --run; leave one out")
    }
    if yes, !coldWarm { throw ValidationError("--yes is for --cold-warm; leave it out") }
  }

  private struct Answer: Encodable {
    var run: String
    var cycles: [CycleProfile]
    var runs: [ProfileRuns.Entry]
  }

  func run() async throws {
    let invocation = try Invocation(common)
    let settings = try invocation.settings(loop: nil)
    try StateDirectory.check(settings.stateDirectory)
    guard !coldWarm else { return try await measure(settings) }
    let runs = ProfileRuns(all: try runs(settings))
    guard !runs.all.isEmpty else {
      throw Problem(
        "no cycle has been recorded for \(settings.workspace)",
        hint: "run 'watchbuild dev' or 'watchbuild build' there first", status: .otherDev)
    }
    let run = try runs.run(named: runName)
    let chosen = try chosen(of: run.cycles)
    if let trace {
      try write(
        ChromeTrace(of: chosen, in: run), to: invocation.directory.pushing(FilePath(trace)))
      guard json else { return }
    }
    if json {
      try writeJSON(Answer(run: run.name, cycles: chosen, runs: runs.entries))
    } else {
      try OutputStream.standardOutput.write(lines: ProfileTable.lines(chosen.suffix(10)))
      guard !common.quiet else { return }
      try OutputStream.standardError.write(lines: runs.lines(shown: run))
    }
  }

  private func runs(_ settings: Settings) throws -> [ProfileStore.Run] {
    do {
      return try ProfileStore.all(in: settings.profileDirectory)
    } catch let untrusted as UntrustedFile {
      throw StateDirectory.problem(untrusted)
    }
  }

  private func chosen(of cycles: [CycleProfile]) throws(Problem) -> [CycleProfile] {
    guard let cycle else { return cycles }
    let found = cycles.filter { $0.cycle == cycle }
    guard found.isEmpty else { return found }
    let kept = cycles.map { "\($0.cycle)" }.joined(separator: ", ")
    throw Problem("there is no profile of cycle \(cycle)", hint: "kept are \(kept)")
  }

  private func write(_ trace: ChromeTrace, to path: FilePath) throws(Problem) {
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { try trace.write(to: file) }
    } catch {
      throw Problem(
        "can't write the trace \(path): \(error)", hint: "name a file that may be written")
    }
  }

  private func writeJSON(_ value: some Encodable) throws {
    try OutputStream.standardOutput.write(json: CycleProfile.encoder.encode(value))
  }

  // MARK: Cold and warm

  private func measure(_ settings: Settings) async throws {
    try Consent(isGiven: yes).ask(
      "This shuts down the Bazel server of \(settings.workspace) and builds all images.",
      hint: "pass --yes to have the server shut down without being asked")
    let stopping = Stopping()
    let bench = try Workbench(settings, outputClosed: stopping.outputClosed)
    let isQuiet = common.quiet
    let measured = try await stopping.run(showing: bench.shown) {
      let images = try await bench.images()
      let comparison = ColdWarm(bench.setup(images: images, runtimes: []))
      do {
        return try await comparison.measure(
          step: { step in
            guard !isQuiet else { return }
            // Nobody to tell is no reason to stop.
            try? OutputStream.standardError.write(lines: [step.rawValue + "…"])
          }, update: bench.tell)
      } catch let error as ColdWarm.Failure {
        throw Problem("\(error)", hint: "mend what 'watchbuild build' says", status: .buildFailed)
      } catch let error as BazelError {
        throw bench.problem(error)
      }
    }
    if json {
      try writeJSON(measured)
    } else {
      try OutputStream.standardOutput.write(lines: ProfileTable.lines(measured))
    }
  }
}

extension Settings {
  var profileDirectory: PrivateDirectory { stateDirectory.appending("profile") }

  /// Where images go when there is no runtime.
  var imageStore: FilePath { stateDirectory.path.appending("images") }
}

/// A yes from whoever sits at the terminal.
struct Consent {
  /// By an option.
  var isGiven: Bool
  var isTerminal = Terminal.isTerminal(0) && Terminal.isTerminal(2)
  var answer: () -> String? = { readLine() }

  /// - Throws: `Problem` without a terminal; `ExitStatus.interrupted` when the answer is no.
  func ask(_ question: String, hint: String) throws {
    guard !isGiven else { return }
    guard isTerminal else {
      throw Problem(
        Terminal.escaped(question) + " Nobody can be asked: this is no terminal", hint: hint)
    }
    try OutputStream.standardError.write(
      Array((Terminal.escaped(question) + " Go on? [y/N] ").utf8))
    guard let answer = answer()?.lowercased(), ["y", "yes"].contains(answer) else {
      throw ExitStatus.interrupted
    }
  }
}
