import Basics
import Foundation
import Logging

/// The log of what watchbuild itself does: lines on standard error, for `-vv` and `WATCHBUILD_LOG=debug`.
///
/// It costs nothing where nobody asks for it: metadata is made only at a level that is written.
struct DebugLog: LogHandler {
  /// Also `trace`, which tells each event of the kernel.
  static let variable = "WATCHBUILD_LOG"

  let label: String
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  /// Sends all loggers here, at the level that the command line or the environment asks for. Called once.
  static func start(arguments: [String], environment: [String: String]) throws(Problem) {
    let level = try level(arguments: arguments, environment: environment)
    LoggingSystem.bootstrap { label in
      DebugLog(label: label, logLevel: level ?? .critical)
    }
  }

  /// - Returns: `nil`: nobody asks.
  static func level(
    arguments: [String], environment: [String: String]
  ) throws(Problem) -> Logger.Level? {
    if let text = environment[variable], !text.isEmpty {
      guard let level = Logger.Level(rawValue: text) else {
        throw Problem(
          "environment variable \(variable)=\(text): no level",
          hint: "set it to debug or trace, or unset it")
      }
      return level
    }
    // What comes behind `--` is Bazel's.
    let words = arguments.prefix { $0 != "--" }
    let count = words.reduce(0) { count, word in
      if word == "--verbose" { return count + 1 }
      guard word.hasPrefix("-"), !word.hasPrefix("--"), word.dropFirst().allSatisfy({ $0 == "v" })
      else { return count }
      return count + word.count - 1
    }
    return count > 1 ? .debug : nil
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let time = Date().formatted(.iso8601.time(includingFractionalSeconds: true))
    let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    let line = "\(time) \(event.level.rawValue) \(label): \(event.message)\(fields)"
    OutputStream.standardError.write(last: Terminal.escaped(line))
  }
}
