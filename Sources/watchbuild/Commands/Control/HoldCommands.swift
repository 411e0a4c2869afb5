import ArgumentParser
import Basics
import Glibc
import Session
import Settings
import SystemPackage

/// `watchbuild pause`: build nothing until `resume`, and go on noting saves.
struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Hold builds until 'watchbuild resume'; saves are noted meanwhile.",
    discussion: "A build under way goes on. 'watchbuild trigger' builds all the same, once.")

  @Flag(help: "Write one JSON object.") var json = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = try ControlConnection(try Invocation(common)).ask("POST", "/v1/pause")
    if json { try OutputStream.standardOutput.write(json: answer) }
  }
}

/// `watchbuild resume`: build what was saved since `pause`.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Build again, beginning with what was saved since 'watchbuild pause'.")

  @Flag(help: "Write one JSON object.") var json = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = try ControlConnection(try Invocation(common)).ask("POST", "/v1/resume")
    if json { try OutputStream.standardOutput.write(json: answer) }
  }
}

/// `watchbuild stop`: end `dev` as Ctrl-C does, and wait until it has ended.
struct StopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "End the dev of this workspace, as Ctrl-C does, and wait for its end.")

  /// Longer than Bazel takes to give up a command.
  private static let patience = 6000

  @Flag(help: "Write one JSON object.") var json = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let invocation = try Invocation(common)
    let connection = try ControlConnection(invocation)
    let answer = try connection.ask("POST", "/v1/stop")
    for _ in 0..<Self.patience {
      guard isRunning(connection.process, invocation) else {
        if json { try OutputStream.standardOutput.write(json: answer) }
        return
      }
      try await ContinuousClock().pause(for: .milliseconds(10))
    }
    throw Problem(
      "the dev (pid \(connection.process)) has not ended yet", hint: "it was asked to; look at it",
      status: .timedOut)
  }

  private func isRunning(_ process: Int32, _ invocation: Invocation) -> Bool {
    // Of another PID namespace: all that can be told is whether it still answers.
    guard process > 0 else { return (try? ControlConnection(invocation)) != nil }
    guard let text = try? Disk.read(FilePath("/proc/\(process)/stat"), limit: 65_536) else {
      return false
    }
    // `PID (NAME) STATE …`: one that has ended and waits for its parent is Z.
    let state = String(decoding: text, as: UTF8.self).split(separator: ")").last?
      .split(separator: " ").first
    return state != "Z" && state != "X"
  }
}
