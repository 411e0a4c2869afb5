import ArgumentParser
import Basics
import Foundation
import Glibc

@main
struct Watchbuild: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watchbuild",
    abstract: "Watches a Bazel workspace and keeps its container images up to date.",
    discussion: """
      Every option has an environment variable, such as WATCHBUILD_DEBOUNCE for --debounce. An \
      option goes before the environment, that before watchbuild.yaml, and that before the \
      default.

      Exit codes: 0 ok, 1 a build failed, 2 usage or configuration, 3 a load failed, 4 a rollout or \
      a hook failed, 5 another dev runs for this workspace, or none where one is asked, 9 Bazel's \
      lock is held and --no-wait-for-lock was given, 124 timeout, 130 interrupted.
      """,
    version: watchbuildVersion,
    subcommands: [
      DevCommand.self, BuildCommand.self, ImagesCommand.self, LogsCommand.self,
      AffectedCommand.self, TriggerCommand.self, WaitCommand.self, StatusCommand.self,
      EventsCommand.self, PauseCommand.self, ResumeCommand.self, StopCommand.self,
      ProfileCommand.self,
      PruneCommand.self, DoctorCommand.self, InitCommand.self, ConfigCommand.self,
      EditorCommand.self, ManualCommand.self,
    ])

  static func main() async {
    OutputStream.reserveStandardDescriptors()
    // A reader that goes away is an error of write(2), not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let status = await run(Array(CommandLine.arguments.dropFirst()))
    Glibc.exit(status)
  }

  /// Runs one command line.
  ///
  /// - Returns: The exit code.
  static func run(_ arguments: [String]) async -> Int32 {
    do {
      try DebugLog.start(
        arguments: arguments, environment: ProcessInfo.processInfo.environment)
      let given = OptionalAddress.completed(LeadingOptions.moved(arguments))
      try CommandNames.check(given, of: Self.configuration)
      let complete = try EnvironmentArguments(
        environment: ProcessInfo.processInfo.environment,
        commands: { try CommandTree(of: Self.self) }
      ).added(to: given)
      var command = try await asyncParseAsRoot(complete)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return ExitStatus.ok.rawValue
    } catch {
      return report(error)
    }
  }

  /// Tells the user what went wrong.
  ///
  /// - Returns: The exit code.
  static func report(_ error: any Error) -> Int32 {
    let ending = Ending.of(error)
    if let text = ending.standardOutput {
      do throws(OutputClosed) {
        try OutputStream.standardOutput.write(lines: [text])
      } catch {
        return report(error)
      }
    }
    if let text = ending.standardError { OutputStream.standardError.write(last: text) }
    return ending.status
  }
}
