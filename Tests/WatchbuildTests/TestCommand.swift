import ArgumentParser
import SystemPackage

@testable import Basics
@testable import Settings
@testable import watchbuild

/// A command with all options, parsed as `dev` parses them.
struct TestCommand: ParsableCommand {
  @OptionGroup var common: CommonOptions
  @OptionGroup var loop: LoopOptions
  @OptionGroup var watching: WatchOptions

  /// Settings for a command line, in a workspace that lies in `directory`.
  static func settings(
    _ arguments: [String], environment: [String: String] = [:], in directory: FilePath,
    isTerminal: Bool = false
  ) throws -> Settings {
    let command = try parse(arguments)
    let environment = ["HOME": "/home/ada"].merging(environment) { _, given in given }
    return try Settings.resolve(
      GivenOptions(common: command.common, loop: command.loop, watching: command.watching),
      environment: environment, currentDirectory: directory, isTerminal: isTerminal)
  }

  /// The message for a command line, environment or file that is refused.
  static func problem(
    _ arguments: [String] = [], environment: [String: String] = [:], in directory: FilePath
  ) -> String? {
    do {
      _ = try settings(arguments, environment: environment, in: directory)
      return nil
    } catch let problem as Problem {
      return problem.description
    } catch {
      return message(for: error)
    }
  }
}
