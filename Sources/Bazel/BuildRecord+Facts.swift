import Graph
import Processes

/// Takes in the facts that events tell.
extension BuildRecord {
  mutating func apply(_ fact: BuildEvents.Fact) -> [BuildUpdate] {
    switch fact {
    case .built(let name, let outputs):
      told.hasFacts = true
      return request(for: name).map { settle($0, .built(outputs: outputs)) } ?? []
    case .failed(let name, let message, let causes, let remote):
      told.hasFacts = true
      guard let label = request(for: name) else { return [] }
      return failed(label, message, Self.unique(causes.compactMap(Label.init)), remote)
    case .actionFailed(let name, let action):
      return Label(name).map { failed($0, action) } ?? []
    case .aborted(let names, let reason, let description, let causes):
      told.hasFacts = true
      return names.compactMap(request).flatMap {
        abort($0, reason, description, causes.compactMap(Label.init))
      }
    case .rootCause(let name, let description):
      if let label = Label(name) { told.rootCauses[label] = description }
      return []
    case .executionRoot(let root): return [.executionRoot(root)]
    case .started: return []
    case .options(let options):
      told.options = options
      return []
    case .ran(let actions):
      told.actions = actions
      return []
    case .finished(let code):
      told.exitCode = code
      return []
    case .last:
      told.isComplete = true
      return []
    }
  }

  private mutating func failed(
    _ label: Label, _ message: String?, _ causes: [Label], _ remote: RemoteTrouble?
  ) -> [BuildUpdate] {
    let (failures, services) = (told.failures, told.remote)
    let remote =
      causes.lazy.compactMap { services[$0] }.first ?? remote
    // What its own action failed of comes first: a compiler's word is worth more than a service's.
    if let remote, !causes.contains(where: { failures[$0] != nil }) {
      told.pending[label] = .remote(remote)
      return []
    }
    let account = causes.lazy.compactMap { failures[$0] }.first ?? message.map(Self.firstLine)
    guard let account else {
      told.pending[label] = .unexplained(causes: causes)
      return []
    }
    return settle(label, .failed(message: account, causes: causes))
  }

  private mutating func failed(_ label: Label, _ action: BuildEvents.FailedAction) -> [BuildUpdate]
  {
    if let remote = action.remote {
      told.remote[label] = remote
      return []
    }
    let printed = action.output.compactMap(read)
      .flatMap {
        $0.trimmingNewlines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      }
      .map { Lines.text(Array($0)) }
      .filter { BazelLine($0) != .noise }
    let text = printed.filter { !$0.isEmpty }
    let diagnostics = Diagnostics.parse(
      text.joined(separator: "\n"), workspace: workspace, target: label)
    told.failures[label] = Self.account(
      of: label, action, lastWord: diagnostics.isEmpty ? text.last : nil)
    let type = action.type.map { " (\($0))" } ?? ""
    let output = ActionOutput(
      target: label, title: "\(label)\(type) failed with exit code \(action.exitCode)",
      text: printed.joined(separator: "\n"), isFailure: true)
    return (text.isEmpty ? [] : [.output(output)]) + diagnostics.map(BuildUpdate.diagnostic)
      + release { $0.target == label }
  }

  private mutating func abort(
    _ label: Label, _ reason: String?, _ description: String?, _ causes: [Label]
  ) -> [BuildUpdate] {
    switch reason {
    case "LOADING_FAILURE", "ANALYSIS_FAILURE":
      guard let description else {
        told.pending[label] = .unexplained(causes: causes.filter { $0 != label })
        return []
      }
      return settle(label, .failed(message: Self.firstLine(description), causes: []))
    default:
      // More may follow: the real failure, or the command once more. One that gives no reason takes
      // nothing away from what is known.
      if told.pending[label] == nil {
        told.pending[label] = .aborted(reason: reason, description: description)
      }
      return []
    }
  }

  mutating func settle(_ label: Label, _ outcome: TargetOutcome) -> [BuildUpdate] {
    guard open.remove(label) != nil else { return [] }
    if case .failed = outcome { hasFailures = true }
    return [.target(label, outcome)]
  }

  /// The requested target that an event is about.
  private func request(for name: String) -> Label? {
    guard let label = Label(name) else { return nil }
    if open.contains(label) { return label }
    // Since Bazel 6 events name external repositories canonically: "@@rules~1.2//a:b" for "@rules".
    let alike = open.filter {
      !$0.repository.isEmpty && !label.repository.isEmpty && $0.package == label.package
        && $0.name == label.name
    }
    return alike.count == 1 ? alike.first : nil
  }
}

// MARK: - Words

extension BuildRecord {
  /// "Genrule of //b:f3 failed with exit code 7".
  private static func account(
    of label: Label, _ action: BuildEvents.FailedAction, lastWord: String?
  ) -> String {
    // A spawned program's failure is told by its exit code; the message is its command line.
    guard let message = action.message, !message.contains("error executing ") else {
      let end = lastWord.map { ": \($0)" } ?? ""
      return "\(action.type ?? "action") of \(label) failed with exit code \(action.exitCode)\(end)"
    }
    return firstLine(message)
  }

  /// Why a target failed, by the `ERROR:` line that speaks of it or of what it depends on.
  func explanation(of label: Label, _ causes: [Label]) -> String {
    let names = [label] + causes
    for name in names {
      if let cause = told.rootCauses[name] { return Self.firstLine(cause) }
    }
    for name in names {
      let spoken = output.errors.first {
        $0.contains("'\(name)'") || $0.contains("\(name):") || $0.contains("\(name) ")
      }
      if let spoken { return Self.message(ofError: spoken) }
    }
    return output.errors.first.map(Self.message) ?? "Bazel did not say what became of it"
  }

  private static func message(ofError error: String) -> String {
    SourcePosition(error[...]).map { String($0.rest) } ?? error
  }

  static func firstLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first ?? ""
    return Redaction.text(String(line.trimmingSpaces))
  }

  private static func unique(_ labels: [Label]) -> [Label] {
    var seen: Set<Label> = []
    return labels.filter { seen.insert($0).inserted }
  }
}

extension [UInt8] {
  /// Without the newlines at its end.
  fileprivate var trimmingNewlines: ArraySlice<UInt8> {
    let last = lastIndex { $0 != UInt8(ascii: "\n") }
    return last.map { self[...$0] } ?? []
  }
}
