import Batching
import SystemPackage

/// What Bazel says on its standard error, read as it comes: pure but for `read`.
///
/// Shared by builds and queries.
struct BazelOutput {
  /// A file's content, or `nil`: for the command line of whoever holds the lock.
  private let read: @Sendable (FilePath) -> [UInt8]?
  private var lines = Lines()
  private var parser: Diagnostics
  private var isInTraceback = false
  private var isInLockNotice = false
  private(set) var lock = LockWait()
  /// Texts of the `ERROR:` lines, for the last word on targets that no event explains.
  private(set) var errors: [String] = []
  private(set) var diagnostics: [Diagnostic] = []
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
  var problem: String? { errors.first ?? lastMessage }

  mutating func add(_ bytes: [UInt8], at now: Duration) -> [BuildUpdate] {
    lines.add(bytes).flatMap { add(Lines.text($0), at: now) }
  }

  mutating func tick(at now: Duration) -> BuildUpdate? { lock.tick(at: now) }

  /// Called at any sign that the command is no longer waiting.
  mutating func endLockWait(at now: Duration) -> BuildUpdate? { lock.end(at: now) }

  mutating func finish(at now: Duration) -> [BuildUpdate] {
    let rest = lines.finish().map { add(Lines.text($0), at: now) } ?? []
    return rest + [lock.end(at: now)].compactMap(\.self)
  }

  private mutating func add(_ line: String, at now: Duration) -> [BuildUpdate] {
    if line.contains("No space left on device") { isDiskFull = true }
    let meaning = BazelLine(line)
    if case .lock(let pid) = meaning {
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
      if errors.count < Self.limit { errors.append(found.message) }
      return keep(found)
    }
    switch meaning {
    case .error(let text):
      if text.hasPrefix("Traceback ") {
        isInTraceback = true
        _ = parser.add(text)
        return []
      }
      if errors.count < Self.limit { errors.append(text) }
      return parser.add("ERROR: " + text).map { keep($0) } ?? [.message(line)]
    case .cacheDiscarded(let option):
      return [.cacheDiscarded(option: option, message: line)]
    case .progress:
      return [.progress(line)]
    case .noise, .lock:
      return []
    case .message:
      lastMessage = line
      return [.message(line)]
    }
  }

  private mutating func keep(_ diagnostic: Diagnostic) -> [BuildUpdate] {
    guard diagnostics.count < Self.limit, seen.insert(diagnostic).inserted else { return [] }
    diagnostics.append(diagnostic)
    return [.diagnostic(diagnostic)]
  }

  private func holder(_ pid: Int) -> LockHolder {
    let words = read(FilePath("/proc/\(pid)/cmdline"))?.split(separator: 0) ?? []
    let command = words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    return LockHolder(pid: pid, command: command.isEmpty ? nil : command)
  }
}
