import Basics
import Foundation
import TestSupport

/// A terminal of tmux's with a shell in it, whose screen can be read.
final class TmuxScreen: Sendable {
  private let socket: String
  /// - Parameters:
  ///   - directory: A scratch directory; the shell starts in it.
  ///   - columns: Of the terminal.
  ///   - rows: Of the terminal.
  init(
    in directory: String, columns: Int = 80, rows: Int = 24, environment: [String: String] = [:]
  ) throws {
    socket = "\(directory)/tmux"
    var variables = environment
    variables["LC_ALL"] = "C.UTF-8"
    let settings = variables.sorted { $0.key < $1.key }.flatMap { ["-e", "\($0.key)=\($0.value)"] }
    try tmux(
      [
        "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "-c",
        directory,
      ]
        + settings + ["bash --norc --noprofile"])
    try type("PS1='shell$ '; clear")
  }

  /// Types text, and ends it with the return key.
  func type(_ line: String) throws {
    try tmux(["send-keys", "-l", line])
    try tmux(["send-keys", "Enter"])
  }

  /// Presses a key by tmux's name of it: `q`, `C-c`.
  func press(_ key: String) throws { try tmux(["send-keys", key]) }

  func resize(columns: Int, rows: Int) throws {
    try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// The rows on the screen, without the empty ones.
  func rows() throws -> [String] {
    try tmux(["capture-pane", "-p"]).split(separator: "\n").map(String.init)
  }

  func title() throws -> String {
    try tmux(["display-message", "-p", "#{pane_title}"])
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Waits until the screen shows what is wanted.
  ///
  /// - Returns: Its rows then.
  @discardableResult
  func wait(
    for what: String, seconds: Double = 60, until isSo: ([String]) -> Bool
  ) async throws -> [String] {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(seconds))
    var shown = try rows()
    while !isSo(shown) {
      guard clock.now < end else { throw NotShown(what: what, rows: shown) }
      // A real terminal is waited for: there is no clock to move.
      try await clock.pause(for: .milliseconds(50))
      shown = try rows()
    }
    return shown
  }

  /// Ends the terminal and what runs in it.
  func end() {
    // It may have ended by itself.
    _ = try? tmux(["kill-server"])
  }

  struct NotShown: Error, CustomStringConvertible {
    var what: String
    var rows: [String]
    var description: String { "no \(what) on the screen:\n" + rows.joined(separator: "\n") }
  }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    // -u: the pane's text is UTF-8 whatever the tests' locale is.
    try Tool.run("env", ["-u", "TMUX", "tmux", "-u", "-S", socket] + arguments)
  }
}
