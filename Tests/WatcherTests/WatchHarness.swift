import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

/// All tests of the one watcher that a process can have, one after the other.
@Suite(.serialized) enum OneWatcher {}

/// A watcher over a temporary directory, and what it reported in a form that reads well.
struct WatchHarness {
  let directory: TemporaryDirectory
  let watcher: InotifyWatcher

  /// Runs a test with a watcher that is ready, and stops it also when the test throws.
  static func run(
    in directory: TemporaryDirectory, scope: WatchScope? = nil,
    limit: Int = WatchEventQueue.limit, deadWatchLimit: Int = WatchLoop.deadWatchLimit,
    _ body: (WatchHarness) async throws -> Void
  ) async throws {
    let scope =
      scope ?? WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path))
    let watcher = try InotifyWatcher(scope, limit: limit, deadWatchLimit: deadWatchLimit)
    _ = await watcher.ready()
    do {
      try await body(WatchHarness(directory: directory, watcher: watcher))
    } catch {
      await watcher.stop()
      throw error
    }
    await watcher.stop()
  }

  /// All events up to now.
  func events() async throws -> [WatchEvent] {
    try await watcher.synchronize()
    return watcher.events.takeAvailable()
  }

  /// All changes up to now, such as `modified src/a`, sorted.
  func changes() async throws -> [String] {
    Self.changes(in: try await events(), relativeTo: directory.path)
  }

  /// The net effect of all changes of each path: nothing for what came and went.
  static func changes(in events: [WatchEvent], relativeTo root: FilePath) -> [String] {
    var kinds: [FilePath: (first: FileChange.Kind, last: FileChange.Kind)] = [:]
    for case .changed(let change) in events {
      kinds[change.path, default: (change.kind, change.kind)].last = change.kind
    }
    return kinds.compactMap { path, kinds in
      let net: FileChange.Kind
      switch kinds {
      case (.created, .deleted): return nil
      case (.created, _): net = .created
      case (_, .deleted): net = .deleted
      default: net = .modified
      }
      return "\(net.rawValue) \(relative(path, to: root))"
    }.sorted()
  }

  /// Bytes that are no printable ASCII are shown as `\xNN`.
  static func relative(_ path: FilePath, to root: FilePath) -> String {
    var bytes = path.bytes
    let prefix = root.bytes + [UInt8(ascii: "/")]
    if bytes.starts(with: prefix) { bytes.removeFirst(prefix.count) }
    return bytes.map { byte in
      if 0x20...0x7E ~= byte { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16)
      return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }

  /// Runs a shell command in the directory and waits for its end.
  func shell(_ command: String) throws { try Self.shell(command, in: directory.path) }

  /// - Throws: `ShellError` when it ends with another code than 0.
  static func shell(_ command: String, in directory: FilePath) throws {
    let text = "cd '\(directory)' && exec </dev/null >/dev/null\n\(command)"
    var child = pid_t()
    let arguments: [UnsafeMutablePointer<CChar>?] =
      ["/bin/sh", "-ec", text].map { (word: String) in strdup(word) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let error = posix_spawn(&child, "/bin/sh", nil, nil, arguments, environ)
    guard error == 0 else { throw Errno(rawValue: error) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw ShellError(command: command, status: status) }
  }
}

struct ShellError: Error, CustomStringConvertible {
  var command: String
  var status: Int32
  var description: String { "wait status \(status) from: \(command)" }
}
