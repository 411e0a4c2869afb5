import Glibc

/// A signal that may be sent to a program, by its name.
package struct SignalName: Hashable, Sendable, CustomStringConvertible {
  private static let numbers: [String: Int32] = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "USR1": SIGUSR1, "USR2": SIGUSR2,
    "TERM": SIGTERM, "KILL": SIGKILL, "CONT": SIGCONT, "WINCH": SIGWINCH,
  ]

  /// For a suggestion.
  package static let names = numbers.keys.sorted()

  /// Without `SIG`.
  package let description: String
  package let number: Int32

  /// - Parameter text: `HUP` or `SIGHUP`.
  package init?(_ text: String) {
    let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
    guard let number = Self.numbers[name] else { return nil }
    description = name
    self.number = number
  }
}
