import Graph
import Processes
import SystemPackage

/// Reads Bazel's standard error as it comes: pure but for `read`.
///
/// Shared by builds and queries.
package struct BazelOutput {
  /// A file's content, or `nil`: for the command line of whoever holds the lock.
  private let read: @Sendable (FilePath) -> [UInt8]?
  private var lines = Lines()
  private var parser: Diagnostics
  private var isInTraceback = false
  private var isInLockNotice = false
  /// The command is under way: who writes of a lock now is a program that it runs.
  private var hasBegun = false
  /// The target whose chain of dependencies is being told.
  private var incompatibleTarget: Label?
  private(set) var lock = LockWait()
  /// Texts of the `ERROR:` lines, for the last word on targets that no event explains.
  private(set) var errors: [String] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// Targets that can't be built for the platform, each with Bazel's sentence.
  private(set) var incompatible: [Label: String] = [:]
  private(set) var actions: ActionCounts?
  private var lastMessage: String?
  /// Somebody could not write for lack of space.
  private(set) var isDiskFull = false
  private var seen: Set<Diagnostic> = []

  /// Bounds what a run of errors makes us keep; what comes after is most often a consequence.
  private static let limit = 200

  init(workspace: FilePath, read: @escaping @Sendable (FilePath) -> [UInt8]?) {
    self.read = read
    parser = Diagnostics(workspace: workspace)
  }

  /// The first complaint, or what was said last: a wrapper around Bazel that fails, as one that
  /// can't download it, does not write `ERROR:`.
  package var problem: String? { errors.first ?? lastMessage }

  mutating func add(_ bytes: [UInt8], at now: Duration) -> [BuildUpdate] {
    lines.add(bytes).flatMap { add(Lines.text($0), at: now) }
  }

  mutating func tick(at now: Duration) -> BuildUpdate? { lock.tick(at: now) }

  /// Called at any sign that the command is no longer waiting.
  mutating func endLockWait(at now: Duration) -> BuildUpdate? {
    hasBegun = true
    return lock.end(at: now)
  }

  mutating func finish(at now: Duration) -> [BuildUpdate] {
    let rest = lines.finish().map { add(Lines.text($0), at: now) } ?? []
    return rest + [lock.end(at: now)].compactMap(\.self)
  }

  private mutating func add(_ line: String, at now: Duration) -> [BuildUpdate] {
    if line.contains("No space left on device") { isDiskFull = true }
    let meaning = BazelLine(line)
    if case .lock(let pid) = meaning, !hasBegun {
      isInLockNotice = true
      return [lock.begin(pid.map(holder), at: now)]
    }
    // "Another command holds the output base lock:", then "pid=17", "owner=client" and the like.
    if isInLockNotice, line.contains("=") || line.hasPrefix("Waiting for it") {
      return BazelLine.pid(line).map { [lock.begin(holder($0), at: now)] } ?? []
    }
    isInLockNotice = false
    return [lock.end(at: now)].compactMap(\.self) + updates(for: line, meaning)
  }

  private mutating func updates(for line: String, _ meaning: BazelLine) -> [BuildUpdate] {
    if isInTraceback {
      guard let found = parser.add(line) else { return [] }
      isInTraceback = false
      note(found.message)
      return keep(found)
    }
    if let target = incompatibleTarget, addToChain(line, of: target) { return [] }
    switch meaning {
    case .error(let text):
      if text.hasPrefix("Traceback ") {
        isInTraceback = true
        _ = parser.add(text)
        return []
      }
      // A program that an action runs may write the same, and Bazel shows it as it is. What Bazel
      // itself complains of lies in a file of its own language.
      if let place = SourcePosition(text[...]), !Self.isBazels(place.file) {
        return [.message(line)]
      }
      let text = Redaction.text(text)
      note(text)
      return parser.add("ERROR: " + text).map { keep($0) } ?? [.message("ERROR: " + text)]
    case .cacheDiscarded(let option):
      return [.cacheDiscarded(option: option, message: Redaction.text(line))]
    case .retry:
      errors = []
      seen = []
      return [.retried]
    case .cacheTrouble(let reason):
      return [
        .notice(
          "the remote cache fails, and the build goes on without it "
            + "(\(Redaction.text(reason))); where that costs time, --remote_timeout=5 and "
            + "--remote_retries=0 in .bazelrc make it shorter")
      ]
    case .incompatible(let name, let sentence):
      guard let target = Label(name) else { return [.message(line)] }
      incompatible[target] = sentence
      incompatibleTarget = target
      return [.message(line)]
    case .progress:
      return [.progress(line)]
    case .noise, .lock:
      return []
    case .message:
      if let counts = ActionCounts(line: line) { actions = counts }
      lastMessage = Redaction.text(line)
      return [.message(line)]
    }
  }

  private mutating func note(_ error: String) {
    if errors.count < Self.limit { errors.append(error) }
  }

  /// "Dependency chain:" and the targets in it, of which the last says what it wants:
  /// `    //a:b (ad7194)   <-- target platform (//p:x) didn't satisfy constraint //c:d`
  ///
  /// - Returns: `false` when the chain has ended.
  private mutating func addToChain(_ line: String, of target: Label) -> Bool {
    if line == "Dependency chain:" { return true }
    guard line.hasPrefix("    ") else {
      incompatibleTarget = nil
      return false
    }
    if let arrow = line.firstRange(of: "<-- ") {
      incompatible[target, default: ""] += " " + line[arrow.upperBound...].trimmingSpaces
    }
    return true
  }

  /// Tells whether Bazel itself may have something to say of a file.
  private static func isBazels(_ file: String) -> Bool {
    let name = file.split(separator: "/").last.map(String.init) ?? ""
    return file.hasPrefix("/")
      && (["BUILD", "WORKSPACE"].contains(name)
        || [".bazel", ".bzl", ".bzlmod", ".scl", ".BUILD", ".lock"].contains(where: name.hasSuffix))
  }

  private mutating func keep(_ diagnostic: Diagnostic) -> [BuildUpdate] {
    guard diagnostics.count < Self.limit, seen.insert(diagnostic).inserted else { return [] }
    diagnostics.append(diagnostic)
    return [.diagnostic(diagnostic)]
  }

  private func holder(_ pid: Int) -> LockHolder {
    let words = read(FilePath("/proc/\(pid)/cmdline"))?.split(separator: 0) ?? []
    let command = Redaction.arguments(words.map { String(decoding: $0, as: UTF8.self) })
      .joined(separator: " ")
    return LockHolder(pid: pid, command: command.isEmpty ? nil : command)
  }
}
