import Batching
import SystemPackage

/// One running build: what Bazel writes goes in, updates come out. Pure but for `read`.
///
/// Owes each requested target exactly one outcome.
struct BuildRecord {
  private let workspace: FilePath
  private let read: @Sendable (FilePath) -> [UInt8]?
  private var output: BazelOutput
  private var eventLines = Lines(limit: 64 << 20, isTerminalOutput: false)
  private var events = BuildEvents()
  private let requested: [Label]
  private var open: Set<Label>

  /// Failed actions by the label of their target, each with its one-line account.
  private var failures: [Label: String] = [:]
  /// Targets that failed with no word why; the `ERROR:` lines may have one.
  private var unexplained: [(label: Label, causes: [Label])] = []
  private var rootCauses: [Label: String] = [:]
  /// What Bazel says of the rule whose action failed; shown after what the compiler said.
  private var held: [Diagnostic] = []
  private var hasFacts = false
  /// All events have been written; the client has nothing to wait for any more.
  private(set) var isComplete = false
  /// What Bazel says that its client will end with.
  private var exitCode: Int32?

  init(targets: [Label], workspace: FilePath, read: @escaping @Sendable (FilePath) -> [UInt8]?) {
    self.workspace = workspace
    self.read = read
    output = BazelOutput(workspace: workspace, read: read)
    requested = targets
    open = Set(targets)
  }

  mutating func addError(_ bytes: [UInt8], at now: Duration) -> [BuildUpdate] {
    output.add(bytes, at: now).compactMap { attribute($0) }
  }

  /// Names the target that Bazel's word is about, and holds back what is to come after a
  /// compiler's.
  private mutating func attribute(_ update: BuildUpdate) -> BuildUpdate? {
    guard case .diagnostic(var diagnostic) = update else { return update }
    diagnostic.target = Self.target(in: diagnostic.message)
    guard diagnostic.message.contains(" failed: ") else { return .diagnostic(diagnostic) }
    held.append(diagnostic)
    return nil
  }

  /// The target that depends on what is missing, or else the first that is named.
  private static func target(in message: String) -> Label? {
    let words = message.split(separator: " ")
    let dependent = words.firstIndex(of: "by").map { words.index(after: $0) }
    return (words[(dependent ?? words.endIndex)...] + words).lazy.compactMap { word in
      guard word.contains("//") else { return Label?.none }
      return Label(String(word.trimming(while: { "'\":,;.()".contains($0) })))
    }.first
  }

  mutating func addEvents(_ bytes: ArraySlice<UInt8>, at now: Duration) -> [BuildUpdate] {
    guard !bytes.isEmpty else { return [] }
    var updates = [output.endLockWait(at: now)].compactMap(\.self)
    for line in eventLines.add(bytes) {
      for fact in events.add(line) { updates += apply(fact) }
    }
    return updates
  }

  mutating func tick(at now: Duration) -> [BuildUpdate] {
    [output.tick(at: now)].compactMap(\.self)
  }

  /// Settles what is open. Called once, when all has been read.
  mutating func finish(_ exit: CommandExit, at now: Duration) -> ([BuildUpdate], BuildResult) {
    var exit = exit
    var updates = output.finish(at: now).compactMap { attribute($0) }
    if let line = eventLines.finish() {
      for fact in events.add(line) { updates += apply(fact) }
    }
    // A client that was killed after its build had ended takes nothing away from that.
    if case .signalled = exit, isComplete, let exitCode { exit = .exited(exitCode) }
    updates += release { _ in true }
    for (label, causes) in unexplained {
      updates += settle(
        label, .failed(message: explanation(of: label, causes), causes: causes))
    }
    var result = BuildResult(
      exitCode: exit.code, lockWaited: output.lock.total(at: now),
      problem: BazelExit.problem(exit, output, isBuildComplete: isComplete))
    if exit.code == 1, !hasFacts, result.problem == nil {
      result.problem = output.problem ?? "Bazel failed and did not say why"
    }
    result.isTroubled =
      result.problem != nil && (BazelExit.isTrouble(exit.code) || output.isDiskFull)
    for label in requested where open.contains(label) {
      updates += settle(label, last(label, exit: exit, problem: result.problem))
    }
    return (updates, result)
  }

  private func last(_ label: Label, exit: CommandExit, problem: String?) -> TargetOutcome {
    switch exit {
    case .exited(8): .skipped(reason: "interrupted")
    case .exited(let code) where code == 9 || BazelExit.isTrouble(code):
      .skipped(reason: problem ?? "Bazel did not get to it")
    case .signalled:
      .skipped(reason: problem ?? "Bazel did not get to it")
    default: .failed(message: problem ?? explanation(of: label, []), causes: [])
    }
  }
}

// MARK: - Events

extension BuildRecord {
  private mutating func apply(_ fact: BuildEvents.Fact) -> [BuildUpdate] {
    switch fact {
    case .built(let name, let outputs):
      hasFacts = true
      return request(for: name).map { settle($0, .built(outputs: outputs)) } ?? []
    case .failed(let name, let message, let causes):
      hasFacts = true
      guard let label = request(for: name) else { return [] }
      let causes = Self.unique(causes.compactMap(Label.init))
      let account = causes.compactMap({ failures[$0] }).first ?? message.map(Self.firstLine)
      guard let account else {
        unexplained.append((label, causes))
        return []
      }
      return settle(label, .failed(message: account, causes: causes))
    case .actionFailed(let name, let action):
      return Label(name).map { failed($0, action) } ?? []
    case .aborted(let names, let reason, let description, let causes):
      hasFacts = true
      return names.compactMap(request).flatMap {
        abort($0, reason, description, causes.compactMap(Label.init))
      }
    case .rootCause(let name, let description):
      if let label = Label(name) { rootCauses[label] = description }
      return []
    case .executionRoot(let root):
      return [.executionRoot(root)]
    case .finished(let code):
      exitCode = code
      return []
    case .last:
      isComplete = true
      return []
    }
  }

  private mutating func failed(_ label: Label, _ action: BuildEvents.FailedAction) -> [BuildUpdate]
  {
    let text = action.output.compactMap(read).map { String(decoding: $0, as: UTF8.self) }
      .flatMap { $0.split(whereSeparator: \.isNewline) }
      .map { Lines.text(Array($0.utf8)) }
      .filter { BazelLine($0) != .noise }
    let (diagnostics, omitted) = Diagnostics.parse(
      text.joined(separator: "\n"), workspace: workspace, target: label)
    failures[label] = Self.account(
      of: label, action, lastWord: diagnostics.isEmpty ? text.last : nil)
    var updates = diagnostics.map(BuildUpdate.diagnostic)
    if omitted > 0 {
      updates.append(.message("\(label): \(omitted) more diagnostics are not shown"))
    }
    return updates + release { $0 == label }
  }

  private mutating func abort(
    _ label: Label, _ reason: String, _ description: String?, _ causes: [Label]
  ) -> [BuildUpdate] {
    switch reason {
    case "LOADING_FAILURE", "ANALYSIS_FAILURE":
      guard let description else {
        unexplained.append((label, causes.filter { $0 != label }))
        return []
      }
      return settle(label, .failed(message: Self.firstLine(description), causes: []))
    case "USER_INTERRUPTED":
      return settle(label, .skipped(reason: "interrupted"))
    default:
      // Without --keep_going the culprit itself may be said to be incomplete.
      if let account = failures[label] {
        return settle(label, .failed(message: account, causes: [label]))
      }
      let reason = reason == "INCOMPLETE" ? "another target failed first" : reason.lowercased()
      return settle(label, .skipped(reason: description.map(Self.firstLine) ?? reason))
    }
  }

  private mutating func settle(_ label: Label, _ outcome: TargetOutcome) -> [BuildUpdate] {
    open.remove(label) == nil ? [] : [.target(label, outcome)]
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
  private func explanation(of label: Label, _ causes: [Label]) -> String {
    let names = [label] + causes
    for name in names {
      if let cause = rootCauses[name] { return Self.firstLine(cause) }
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

  private static func firstLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first ?? ""
    return String(line.trimmingSpaces)
  }

  private static func unique(_ labels: [Label]) -> [Label] {
    var seen: Set<Label> = []
    return labels.filter { seen.insert($0).inserted }
  }

  /// Lets go of held diagnostics, by their target.
  private mutating func release(where isWanted: (Label?) -> Bool) -> [BuildUpdate] {
    defer { held.removeAll { isWanted($0.target) } }
    return held.filter { isWanted($0.target) }.map(BuildUpdate.diagnostic)
  }
}
