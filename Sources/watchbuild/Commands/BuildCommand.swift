import ArgumentParser
import Basics
import Bazel
import Events
import Graph
import Runner
import Runtimes
import Session
import Settings

/// `watchbuild build`: one grouped build and load, then exit.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build and load images once.")

  @OptionGroup var loop: LoopOptions
  @OptionGroup var common: CommonOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Only images that a change to these paths affects.", valueName: "path"))
  var affectedBy: [String] = []

  func run() async throws {
    let invocation = try Invocation(common)
    let settings = try invocation.settings(loop: loop)
    let stopping = Stopping()
    let bench = try Workbench(
      settings, events: settings.events, outputClosed: stopping.outputClosed)
    tellDev(of: settings, environment: invocation.environment)
    let (outcome, isPartial) = try await stopping.run(
      showing: bench.shown, { bench.log.record(.stopping(reason: $0)) }
    ) {
      try await bench.tellingActivity { try await build(bench, from: invocation) }
    }
    if let problem = outcome.lockProblem { throw Problem(problem, status: .lockHeld) }
    if let status = ExitStatus(of: outcome) { throw status }
    // A package that can't be read may hold an image that nobody has found.
    if isPartial { throw ExitStatus.buildFailed }
  }

  /// Says that a `dev` runs for the workspace: it builds what is saved by itself, and Bazel runs one command at a
  /// time, so that the two wait for each other.
  private func tellDev(of settings: Settings, environment: [String: String]) {
    let places = ControlPlace.reachable(
      for: settings.workspace, state: settings.stateDirectory.path, environment: environment)
    guard settings.verbosity != .quiet, let dev = try? ControlClient(places: places) else { return }
    let process = dev.process > 0 ? " (pid \(dev.process))" : ""
    // Where nobody reads it, the build itself finds that out.
    try? OutputStream.standardError.write(lines: [
      "watchbuild dev runs for this workspace\(process) and builds what is saved; this build takes turns with "
        + "it ('watchbuild wait' waits for dev's images instead)"
    ])
  }

  /// - Returns: What became of the images, and whether Bazel could not read all packages where they are looked for.
  private func build(
    _ bench: Workbench, from invocation: Invocation
  ) async throws -> (CycleOutcome, isPartial: Bool) {
    let (images, heard) = try await bench.firstImages()
    let isPartial =
      bench.findsImages
      && heard.contains { update in
        if case .diagnostic(let diagnostic) = update {
          diagnostic.severity == .error
        } else {
          false
        }
      }
    let outcome = try await build(images, heard, bench, from: invocation)
    return (outcome, isPartial)
  }

  private func build(
    _ images: [ImageTarget], _ heard: [BuildUpdate], _ bench: Workbench,
    from invocation: Invocation
  ) async throws -> CycleOutcome {
    try await bench.withRuntimes(invocation.environment) { targets in
      bench.started(images: images, targets: targets)
      let loop = BuildLoop(log: bench.log, clock: bench.clock)
      let setup = bench.setup(
        images: images, runtimes: targets.runtimes, fetchLayer: targets.fetchLayer)
      guard !affectedBy.isEmpty else { return try await loop.once(with: setup, heard: heard) }
      let affected = try await AffectedImages(
        bench: bench, images: images, directory: invocation.directory
      ).names(affectedBy)
      return try await loop.once(affected, with: setup, heard: heard)
    }
  }
}

extension ExitStatus {
  /// - Returns: `nil` when every image was built and loaded.
  init?(of outcome: CycleOutcome) {
    if outcome.isRefused {
      self = .usage
    } else if !outcome.failedBuilds.isEmpty || !outcome.troubled.isEmpty {
      self = .buildFailed
    } else if !outcome.failedLoads.isEmpty {
      self = .loadFailed
    } else if !outcome.failedRollouts.isEmpty || outcome.hasFailedHook {
      self = .rolloutFailed
    } else if outcome.isInterrupted {
      self = .interrupted
    } else if !outcome.unfinished.isEmpty || !outcome.heldUp.isEmpty {
      // Neither done nor failed: something went wrong that nobody has told.
      self = .buildFailed
    } else {
      return nil
    }
  }
}
