import Basics
package import Batching
import Bazel
import Events
package import Processes
package import SystemPackage

/// Runs the hooks of a cycle, one after the other.
package struct HookRunner: Sendable {
  /// The result of a hook.
  struct Outcome: Sendable {
    var event: Event.HookRan
    /// The images that it was for.
    var images: Set<String>
    var isGood: Bool
  }

  /// So many lines of what a failed one said are told.
  private static let toldLines = 20

  private let hooks: Hooks
  private let directory: FilePath
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>

  /// - Parameter directory: Where they run.
  package init(
    _ hooks: Hooks, in directory: FilePath, runner: any CommandRunner, clock: any Clock<Duration>
  ) {
    self.hooks = hooks
    self.directory = directory
    self.runner = runner
    self.clock = clock
  }

  /// Runs those of a stage that one of the images is a concern of.
  ///
  /// - Parameters:
  ///   - images: Names.
  ///   - summary: One line, for `{summary}`.
  ///   - ended: Called when one has ended, well or not.
  /// - Throws: `CancellationError`.
  func run(
    _ stage: Hook.Stage, images: Set<String>, summary: String = "", cycle: Int?,
    _ ended: @Sendable (Outcome) -> Void
  ) async throws {
    for hook in hooks[stage] {
      let concerned = hook.concerned(images)
      if concerned.isEmpty { continue }
      ended(try await run(hook, stage, concerned, summary, cycle))
    }
  }

  private func run(
    _ hook: Hook, _ stage: Hook.Stage, _ images: Set<String>, _ summary: String, _ cycle: Int?
  ) async throws -> Outcome {
    let names = images.sorted().joined(separator: " ")
    let arguments = hook.arguments.map {
      $0.replacing("{images}", with: names).replacing("{summary}", with: summary)
    }
    var environment = [
      "WATCHBUILD_STAGE": stage.rawValue, "WATCHBUILD_IMAGES": names, "WATCHBUILD_SUMMARY": summary,
    ]
    environment["WATCHBUILD_CYCLE"] = cycle.map { "\($0)" }
    let command = Command(
      arguments.first ?? "", Array(arguments.dropFirst()), in: directory, environment: environment)
    let (ended, error, ms) = try await timed(command, within: hook.timeout)
    var event = Event.HookRan(
      stage: Event.HookRan.Stage(stage), command: arguments,
      exitCode: ended.map { Int($0.exit.code) } ?? 127, ms: ms)
    let isGood = ended?.isGood ?? false
    if !isGood {
      if ended?.isOverdue == true { event.error = ended?.problem(timeout: hook.timeout) }
      if let error { event.error = "\(error)" }
      event.output = ended?.lines.suffix(Self.toldLines).map(\.self)
    }
    return Outcome(event: event, images: images, isGood: isGood)
  }

  private func timed(
    _ command: Command, within timeout: Duration
  ) async throws -> (TimedCommand.Ended?, CommandError?, ms: Int) {
    func measured(
      _ clock: some Clock<Duration>
    ) async throws -> (TimedCommand.Ended?, CommandError?, ms: Int) {
      let start = clock.now
      do {
        let ended = try await TimedCommand(runner, clock: clock).run(command, within: timeout)
        return (ended, nil, start.duration(to: clock.now).milliseconds)
      } catch let error as CommandError {
        return (nil, error, start.duration(to: clock.now).milliseconds)
      }
    }
    return try await measured(clock)
  }
}

extension Event.HookRan.Stage {
  init(_ stage: Hook.Stage) {
    self =
      switch stage {
      case .beforeBuild: .beforeBuild
      case .afterLoad: .afterLoad
      case .onFailure: .onFailure
      }
  }
}
