import ArgumentParser
import Basics
import Glibc

/// The words and the exit code with which a command ends after an error.
struct Ending: Equatable {
  var status: Int32
  var standardError: String?
  /// Output that was asked for: help, version, a completion script.
  var standardOutput: String?

  static func of(_ error: any Error) -> Ending {
    switch error {
    case let problem as Problem:
      Ending(status: problem.status.rawValue, standardError: problem.description)
    case let status as ExitStatus: Ending(status: status.rawValue)
    // As a program ends that does not catch the signal: quietly, and not as if all were done.
    case let closed as OutputClosed where closed.isReaderGone: Ending(status: 128 + SIGPIPE)
    case let closed as OutputClosed:
      of(
        Problem(
          "can't write the output: \(closed.reason)",
          hint: "look at where standard output and standard error go", status: .buildFailed))
    case is CancellationError: Ending(status: ExitStatus.interrupted.rawValue)
    default: ofParsing(error)
    }
  }

  /// Errors of the argument parser, whose own exit code for a usage error is 64.
  private static func ofParsing(_ error: any Error) -> Ending {
    let code = Watchbuild.exitCode(for: error)
    switch code {
    case .success:
      // It ends with empty lines or with none.
      let lines = Watchbuild.fullMessage(for: error).split(
        separator: "\n", omittingEmptySubsequences: false)
      let last = lines.lastIndex { !$0.isEmpty } ?? lines.startIndex
      return Ending(
        status: ExitStatus.ok.rawValue,
        standardOutput: HelpText.complete(lines[...last].joined(separator: "\n")))
    case .validationFailure:
      let help = Watchbuild.fullMessage(for: error).split(separator: "\n").last { line in
        line.contains("for more information")
      }
      let advice = help.map { "\n" + $0.drop { $0 == " " } } ?? ""
      let message = Terminal.escaped(Watchbuild.message(for: error))
      return Ending(
        status: ExitStatus.usage.rawValue,
        standardError: "watchbuild: error: " + message + advice)
    default:
      let message = Watchbuild.message(for: error)
      return Ending(
        status: code.rawValue,
        standardError: message.isEmpty ? nil : "watchbuild: error: " + Terminal.escaped(message))
    }
  }
}
