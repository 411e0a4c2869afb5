/// Leaves out of command lines and messages what may be secret: names stay, values go.
///
/// Command lines come from our own build, from another terminal's command that holds Bazel's lock,
/// and from the log of Bazel's server. All that is shown, recorded or sent of them passes here.
package enum Redaction {
  /// The text that stands for a value.
  package static let mark = "…"

  // MARK: Command lines

  /// A program and its arguments, each as one word.
  package static func arguments(_ words: [String]) -> [String] {
    var shown: [String] = []
    /// The option whose value is the next word.
    var awaited: Option?
    var isRun = false
    for (index, word) in words.enumerated() {
      if let option = awaited, !word.hasPrefix("-") {
        shown.append(option.value(word))
        awaited = nil
        continue
      }
      awaited = nil
      if word == "--", isRun {
        // What follows is for the program that is run, whose options nobody here knows.
        let rest = words[(index + 1)...]
        shown.append(word)
        if let target = rest.first, !shown.contains(where: isTarget) { shown.append(target) }
        if rest.count > 1 || shown.last == word && !rest.isEmpty { shown.append(mark) }
        return shown
      }
      if word == "run" { isRun = true }
      shown.append(self.word(word))
      if let option = Option(word), !word.contains("="), option.takesValue { awaited = option }
    }
    return shown
  }

  private static func isTarget(_ word: String) -> Bool {
    word.hasPrefix("//") || word.hasPrefix("@") || word.hasPrefix(":")
  }

  /// One word of a command line.
  static func word(_ word: String) -> String {
    guard word.hasPrefix("-"), let equals = word.firstIndex(of: "="), let option = Option(word)
    else { return assignment(word) }
    let value = String(word[equals...].dropFirst())
    return word[...equals] + option.value(value)
  }

  /// `NAME=VALUE` where the name tells of a secret, and addresses with a login.
  private static func assignment(_ text: String) -> String {
    guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else {
      return address(text)
    }
    let name = text[..<equals]
    // An environment before a program: `env TOKEN=x bazel build`.
    if isSecret(name) || isEnvironment(name) { return name + "=" + mark }
    return name + "=" + assignment(String(text[equals...].dropFirst()))
  }

  private static func isEnvironment(_ name: Substring) -> Bool {
    guard let first = name.first, !first.isNumber else { return false }
    return name.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }
  }

  // MARK: Messages

  /// A line of text that may quote options, such as Bazel's word on one that it does not know.
  package static func text(_ text: String) -> String {
    guard text.contains("=") || text.contains("@") || text.contains("--") else { return text }
    var shown = ""
    var awaited: Option?
    var rest = text[...]
    while !rest.isEmpty {
      let gap = rest.prefix { $0 == " " || $0 == "\t" || $0.isNewline }
      shown += gap
      rest = rest[gap.endIndex...]
      let word = rest.prefix { $0 != " " && $0 != "\t" && !$0.isNewline }
      rest = rest[word.endIndex...]
      guard !word.isEmpty else { continue }
      let opening = word.prefix { "'\"`([{,;".contains($0) }
      let closing = word.dropFirst(opening.count).reversed().prefix { "'\"`)]},;:.".contains($0) }
      let inner = String(word.dropFirst(opening.count).dropLast(closing.count))
      if let option = awaited, !inner.hasPrefix("-"), inner.contains("=") {
        shown += opening + option.value(inner) + String(closing.reversed())
        awaited = nil
        continue
      }
      awaited = nil
      let isOption = inner.hasPrefix("-")
      let value = isOption ? self.word(inner) : message(inner)
      shown += opening + value + String(closing.reversed())
      if let option = Option(inner), !inner.contains("="), option.takesValue, isOption {
        awaited = option
      }
    }
    return shown
  }

  /// A word of prose: only what is named like a secret, and addresses with a login.
  private static func message(_ word: String) -> String {
    guard let equals = word.firstIndex(of: "="), isSecret(word[..<equals]),
      word[..<equals].allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) })
    else { return address(word) }
    return word[...equals] + mark
  }

  /// `https://user:password@host/path?token=x` without what stands before the host, and without
  /// the values of what follows the path.
  private static func address(_ text: String) -> String {
    guard let scheme = text.firstRange(of: "://") else { return text }
    let rest = text[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let login = authority.lastIndex(of: "@").map { mark + authority[$0...] }
    let path = rest[authority.endIndex...].prefix { $0 != "?" }
    let query = rest[path.endIndex...].split(separator: "&").map { parameter in
      parameter.firstIndex(of: "=").map { parameter[...$0] + mark } ?? String(parameter)
    }
    return text[..<scheme.upperBound] + (login ?? String(authority)) + path
      + query.joined(separator: "&")
  }

  // MARK: Names

  /// Tells whether a name says that its value is for few eyes.
  static func isSecret(_ name: some StringProtocol) -> Bool {
    let name = name.lowercased()
    let words = [
      "token", "password", "passwd", "passphrase", "secret", "credential", "apikey", "api_key",
      "api-key", "authorization", "private_key", "private-key", "access_key", "access-key",
      "cookie",
    ]
    let endings = ["auth", "key", "pass", "pwd"]
    return words.contains { name.contains($0) }
      || endings.contains { name == $0 || name.hasSuffix("_" + $0) || name.hasSuffix("-" + $0) }
  }
}

/// A Bazel option by its name, and how much of its value may be seen.
private struct Option {
  private enum Kind {
    /// Nothing of it.
    case secret
    /// `NAME=VALUE`: the name.
    case pair
    /// `NAME=VALUE`: the name, and the value unless the name tells of a secret.
    case setting
    /// Another option's text: `0:build=--remote_header=x=y`.
    case nested
    case plain
  }

  private let kind: Kind
  let name: Substring

  init?(_ word: String) {
    guard word.hasPrefix("-") else { return nil }
    name = word.prefix { $0 != "=" }
    let plain = name.drop { $0 == "-" }
    kind =
      if Self.pairs.contains(String(plain)) {
        .pair
      } else if Self.settings.contains(String(plain)) {
        .setting
      } else if plain == "default_override" {
        .nested
      } else if plain.contains("head") || Redaction.isSecret(plain) {
        // A misspelt `--remote_headr` too: Bazel quotes it when it refuses it.
        .secret
      } else {
        .plain
      }
  }

  private static let pairs: Set = [
    "action_env", "host_action_env", "repo_env", "test_env", "run_env", "client_env",
    "sandbox_add_env", "credential_helper",
  ]
  /// Most are switches that people look for, so only those are left out that are named like a secret.
  private static let settings: Set = ["define", "D", "build_metadata"]

  var isSecret: Bool { [.secret, .pair, .setting].contains(kind) }

  /// True if its value may be the next word.
  var takesValue: Bool {
    name.hasPrefix("--") && isSecret && !name.hasPrefix("--no")
      && name != "--google_default_credentials"
  }

  func value(_ value: String) -> String {
    switch kind {
    case .secret: Redaction.mark
    case .setting:
      if let equals = value.firstIndex(of: "="), !Redaction.isSecret(value[..<equals]) {
        value[...equals] + Redaction.word(String(value[equals...].dropFirst()))
      } else if let equals = value.firstIndex(of: "=") {
        value[...equals] + Redaction.mark
      } else {
        value
      }
    case .pair:
      // `NAME` alone is taken from the environment, and `=NAME` is no longer taken.
      if let equals = value.dropFirst().firstIndex(of: "=") {
        value[...equals] + Redaction.mark
      } else {
        value
      }
    case .nested:
      if let equals = value.firstIndex(of: "=") {
        value[...equals] + Redaction.word(String(value[equals...].dropFirst()))
      } else {
        value
      }
    case .plain: Redaction.word(value)
    }
  }
}
