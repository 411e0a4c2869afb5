import Graph
import Processes
import SystemPackage

/// One running build: what Bazel writes goes in, updates come out. Pure but for `read`.
///
/// Owes each requested target exactly one outcome.
struct BuildRecord {
  let workspace: FilePath
  let read: @Sendable (FilePath) -> [UInt8]?
  var output: BazelOutput
  private var eventLines = Lines(limit: 64 << 20, isTerminalOutput: false)
  private var events = BuildEvents()
  private let requested: [Label]
  private let keepsGoing: Bool
  var open: Set<Label>

  /// What the events have told so far; begun anew when Bazel runs the command again.
  var told = Told()
  /// What Bazel says of the rule whose action failed; shown after what the compiler said.
  private var held: [Diagnostic] = []
  /// Targets that were said to have failed.
  var hasFailures = false

  /// What one run of the command has told.
  struct Told {
    /// Failed actions by the label of their target, each with its one-line account.
    var failures: [Label: String] = [:]
    /// Actions that a remote service failed, by the label of their target.
    var remote: [Label: RemoteTrouble] = [:]
    /// Targets of which more is to be heard, or which nothing but the end can settle.
    var pending: [Label: Pending] = [:]
    var rootCauses: [Label: String] = [:]
    var hasFacts = false
    /// All events have been written; the client has nothing to wait for any more.
    var isComplete = false
    /// What Bazel says that its client will end with.
    var exitCode: Int32?
    var invocation: String?
    var options = CommandOptions()
    var actions: ActionCounts?
  }

  enum Pending {
    /// Failed with no word why; the `ERROR:` lines may have one.
    case unexplained(causes: [Label])
    /// A remote service failed, perhaps to be asked again by Bazel itself.
    case remote(RemoteTrouble)
    /// Given up, with Bazel's reason where it gives one.
    case aborted(reason: String?, description: String?)
  }

  /// - Parameters:
  ///   - keepsGoing: Whether Bazel goes on when a target fails.
  ///   - read: A file's content, or `nil`.
  init(
    targets: [Label], workspace: FilePath, keepsGoing: Bool = true,
    read: @escaping @Sendable (FilePath) -> [UInt8]?
  ) {
    self.keepsGoing = keepsGoing
    self.workspace = workspace
    self.read = read
    output = BazelOutput(workspace: workspace, read: read)
    requested = targets
    open = Set(targets)
  }

  /// All events have been written; the client has nothing to wait for any more.
  var isComplete: Bool { told.isComplete }

  var options: CommandOptions { told.options }

  /// Bazel's server, once its first event has named it.
  private(set) var server: Int32?

  mutating func addError(_ bytes: [UInt8], at now: Duration) -> [BuildUpdate] {
    output.add(bytes, at: now).compactMap { attribute($0) }
  }

  /// Names the target that Bazel's word is about, and holds back what is to come after a
  /// compiler's.
  private mutating func attribute(_ update: BuildUpdate) -> BuildUpdate? {
    if case .retried = update {
      // What the first attempt complained of is what the second is to mend.
      held = []
      return update
    }
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
    for line in eventLines.add(bytes) { updates += add(line) }
    return updates
  }

  /// Bazel has begun its event file anew: it runs the command again.
  ///
  /// Nothing that it has told of what failed counts any more.
  mutating func restart() {
    events = BuildEvents()
    eventLines = Lines(limit: 64 << 20, isTerminalOutput: false)
    told = Told()
  }

  private mutating func add(_ line: [UInt8]) -> [BuildUpdate] {
    var updates: [BuildUpdate] = []
    for fact in events.add(line) {
      if case .started(let id, let server, let version) = fact {
        // The file may have grown past what was read of it between two looks.
        if let id, let before = told.invocation, before != id {
          told = Told()
          events = BuildEvents()
        }
        told.invocation = id
        self.server = server ?? self.server
        if let version { updates.append(.version(version)) }
      } else {
        updates += apply(fact)
      }
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
    if let line = eventLines.finish() { updates += add(line) }
    // A client that was killed after its build had ended takes nothing away from that.
    if case .signalled = exit, told.isComplete, let exitCode = told.exitCode {
      exit = .exited(exitCode)
    }
    let remote = remoteTrouble(exit)
    // A service's failure is told as such, and not as a mistake at the rule's place.
    let services = told.remote
    updates += release { diagnostic in
      diagnostic.target.map { services[$0] == nil } ?? true
        && RemoteTrouble(line: diagnostic.message) == nil
    }
    var result = BuildResult(
      exitCode: exit.code, lockWaited: output.lock.total(at: now),
      problem: remote.map { BazelExit.problem($0) }
        ?? BazelExit.problem(exit, output, isBuildComplete: told.isComplete))
    if exit.code == 1, !told.hasFacts, result.problem == nil {
      result.problem = output.problem ?? "Bazel failed and did not say why"
    }
    result.remote = remote
    result.server = server
    if told.options.keepsOutputsElsewhere {
      result.elsewhere = BuildResult.Elsewhere(option: told.options.download)
    }
    if let actions = told.actions ?? output.actions { updates.append(.actions(actions)) }
    let isTrouble = BazelExit.isTrouble(exit.code) || output.isDiskFull || remote != nil
    result.isTroubled = result.problem != nil && isTrouble
    // A service's failure leaves alone what the compilers said of other targets.
    result.excusesFailures = result.isTroubled && remote == nil
    for label in requested where open.contains(label) {
      updates += settle(label, last(label, exit: exit, problem: result.problem))
    }
    if exit == .exited(0), hasFailures {
      result.problem =
        "Bazel says that its build succeeded, and that targets failed in it; it is tried again"
      result.isTroubled = true
      result.excusesFailures = true
    }
    return (updates, result)
  }

  /// What a remote service failed in, where that is why something was not built.
  private func remoteTrouble(_ exit: CommandExit) -> RemoteTrouble? {
    if exit == .exited(0) { return nil }
    let pending = requested.lazy.compactMap { label -> RemoteTrouble? in
      guard case .remote(let trouble)? = told.pending[label] else { return nil }
      return trouble
    }.first
    if let pending { return pending }
    guard [.exited(32), .exited(34), .exited(39)].contains(exit) else { return nil }
    return told.remote.values.first
      ?? output.errors.lazy.compactMap { RemoteTrouble(line: $0, isCertain: true) }.first
  }

  private func last(_ label: Label, exit: CommandExit, problem: String?) -> TargetOutcome {
    let pending = told.pending[label]
    if let sentence = output.incompatible[label] { return .incompatible(message: sentence) }
    switch pending {
    case .remote(let trouble)?: return .skipped(reason: problem ?? trouble.text)
    case .aborted("SKIPPED", let description)?:
      let said = description.map(Self.firstLine) ?? "Target \(label) build was skipped."
      return .incompatible(message: said + " Its target_compatible_with leaves this platform out")
    case .aborted("USER_INTERRUPTED", _)?: return .skipped(reason: "interrupted")
    case .unexplained(let causes)? where !BazelExit.isTrouble(exit.code):
      return .failed(message: explanation(of: label, causes), causes: causes)
    default: break
    }
    switch exit {
    case .exited(8): return .skipped(reason: "interrupted")
    case .exited(let code) where code == 9 || BazelExit.isTrouble(code):
      return .skipped(reason: problem ?? "Bazel did not get to it")
    case .signalled:
      return .skipped(reason: problem ?? "Bazel did not get to it")
    default: break
    }
    // Without --keep_going the culprit itself may be said to be incomplete.
    if let account = told.failures[label] {
      return .failed(message: account, causes: [label])
    }
    if case .aborted(let reason, let description)? = pending,
      reason != nil || !keepsGoing && hasFailures
    {
      // Without --keep_going Bazel 7.1 gives no reason.
      let others = [nil, "INCOMPLETE"].contains(reason)
      let reason = others ? "another target failed first" : reason?.lowercased() ?? ""
      return .skipped(reason: description.map(Self.firstLine) ?? reason)
    }
    return .failed(message: problem ?? explanation(of: label, []), causes: [])
  }

  /// Lets go of held diagnostics.
  mutating func release(where isWanted: (Diagnostic) -> Bool) -> [BuildUpdate] {
    defer { held.removeAll(where: isWanted) }
    return held.filter(isWanted).map(BuildUpdate.diagnostic)
  }
}
