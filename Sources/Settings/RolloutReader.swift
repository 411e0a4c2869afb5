import Basics
import Graph
import SystemPackage

/// Reads how images are rolled out, and what holds for every rollout.
extension ConfigurationReader {
  private static let kinds = ["signal", "command", "container", "compose", "kubernetes"]

  mutating func rolloutRule(_ node: YAMLNode) -> RolloutRule {
    var rule = RolloutRule()
    let values = mapping(node, keys: ["verify", "timeout"])
    let verification: RolloutVerification? = value(values["verify"], SettingText.choice)
    rule.verification = verification ?? rule.verification
    rule.timeout = value(values["timeout"], Self.timeout) ?? rule.timeout
    return rule
  }

  /// - Returns: `nil` where a mistake has been told.
  mutating func rollout(_ node: YAMLNode) -> RolloutTarget? {
    let others = ["pidFile", "file", "project", "namespace", "context", "sync", "then"]
    let values = mapping(node, keys: Self.kinds + others)
    guard case .mapping = node.content else { return nil }
    // `container` is a kind of its own, and beside `kubernetes` the one in its pods.
    let isKubernetes = values["kubernetes"] != nil
    let given = Self.kinds.filter {
      values[$0] != nil && !(isKubernetes && $0 == "container")
    }
    guard let kind = given.first, given.count == 1 else {
      refuse(
        given.isEmpty
          ? "'rollout' does not say what is to be restarted"
          : "'\(given.joined(separator: "' and '"))' can't stand side by side", at: node,
        hint: "give one of: \(Self.kinds.joined(separator: ", "))")
      return nil
    }
    let allowed: Set<String> =
      switch kind {
      case "signal": ["pidFile"]
      case "container": ["sync", "then"]
      case "compose": ["file", "project", "sync", "then"]
      case "kubernetes": ["container", "namespace", "context", "sync", "then"]
      default: []
      }
    for key in values.keys.sorted() where key != kind && !allowed.contains(key) {
      if let value = values[key] { refuse("'\(key)' does not belong to '\(kind)'", at: value) }
    }
    let isSynced = boolean(values["sync"])
    let notice = values["then"].flatMap { syncNotice($0) }
    if let then = values["then"], values["sync"] == nil {
      refuse("'then' has no 'sync' beside it", at: then, hint: "add 'sync: true'")
    }
    return target(kind, values, at: node).map { target in
      isSynced == true && allowed.contains("sync") ? .synced(target, then: notice) : target
    }
  }

  /// How a program is told of new files.
  private mutating func syncNotice(_ node: YAMLNode) -> SyncNotice? {
    let values = mapping(node, keys: ["signal", "command"])
    guard case .mapping = node.content else { return nil }
    guard values.count == 1 else {
      refuse(
        "'then' does not say how the program is told", at: node,
        hint: "write {signal: HUP} or {command: [PROGRAM, ARGUMENT]}")
      return nil
    }
    if let signal = values["signal"] { return value(signal, Self.signal).map(SyncNotice.signal) }
    return command(values["command"]).map(SyncNotice.command)
  }

  private mutating func target(
    _ kind: String, _ values: [String: YAMLNode], at node: YAMLNode
  ) -> RolloutTarget? {
    let base = directory
    func path(_ text: String) throws(InvalidValue) -> FilePath {
      guard !text.isEmpty else { throw InvalidValue("an empty path is no file") }
      return base.pushing(FilePath(text)).lexicallyNormalized()
    }
    switch kind {
    case "signal":
      let name = value(values["signal"], Self.signal)
      let file = value(values["pidFile"], path)
      if values["pidFile"] == nil {
        refuse("'signal' has no 'pidFile'", at: node, hint: "add 'pidFile: PATH'")
      }
      return name.flatMap { name in file.map { .signal(name, pidFile: $0) } }
    case "command": return command(values["command"]).map(RolloutTarget.command)
    case "container": return value(values["container"], Self.word).map(RolloutTarget.container)
    case "compose":
      let file = value(values["file"], path)
      let project = value(values["project"], Self.word)
      return value(values["compose"], Self.word).map {
        .compose(service: $0, files: file.map { [$0] } ?? [], project: project)
      }
    default:
      let container = value(values["container"], Self.word)
      let namespace = value(values["namespace"], Self.word)
      let context = value(values["context"]) { text throws(InvalidValue) in
        guard !text.isEmpty, !text.hasPrefix("-") else {
          throw InvalidValue("'\(text)' names no context")
        }
        return text
      }
      return value(values["kubernetes"], Self.resource).map {
        .kubernetes(resource: $0, container: container, namespace: namespace, context: context)
      }
    }
  }

  // MARK: Texts

  /// A program and its arguments; one with a slash in it is relative to the file.
  mutating func command(_ node: YAMLNode?) -> [String]? {
    guard let node else { return nil }
    if case .text = node.content {
      refuse(
        "expected a list, found text", at: node,
        hint: "write [program, argument]: no shell reads it")
      return nil
    }
    let before = problems.count
    var arguments = list(node) { text throws(InvalidValue) in text }
    guard problems.count == before else { return nil }
    guard let program = arguments.first, !program.isEmpty else {
      refuse("the command is empty", at: node, hint: "write [program, argument]")
      return nil
    }
    if program.contains("/") {
      arguments[0] = directory.pushing(FilePath(program)).lexicallyNormalized().string
    }
    return arguments
  }

  static func timeout(_ text: String) throws(InvalidValue) -> Duration {
    let timeout = try DurationText.parse(text)
    guard timeout > .zero else { throw InvalidValue("nothing is done in no time; write 60s") }
    return timeout
  }

  private static func signal(_ text: String) throws(InvalidValue) -> SignalName {
    guard let signal = SignalName(text) else {
      throw InvalidValue(
        "'\(text)' is none of \(SignalName.names.joined(separator: ", "))"
          + Suggestion.text(for: text, among: SignalName.names))
    }
    return signal
  }

  private static func word(_ text: String) throws(InvalidValue) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "._-".utf8.contains(byte)
    }
    guard isPlain, !text.isEmpty, !text.hasPrefix("-") else {
      throw InvalidValue("'\(text)' is no name: use letters, digits and . _ -")
    }
    return text
  }

  private static func resource(_ text: String) throws(InvalidValue) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let kinds = [
      "deployment", "deploy", "statefulset", "sts", "daemonset", "ds", "pod", "po", "deployments",
      "statefulsets", "daemonsets", "pods",
    ]
    guard parts.count == 2, kinds.contains(String(parts[0])), !parts[1].isEmpty,
      !parts[1].hasPrefix("-")
    else {
      throw InvalidValue(
        "'\(text)' is no deployment/NAME, statefulset/NAME, daemonset/NAME or pod/NAME")
    }
    return text
  }
}
