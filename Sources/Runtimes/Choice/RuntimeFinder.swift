import Processes
import SystemPackage

/// Collects the runtimes of a run, each once.
struct RuntimeFinder {
  /// The directory of the image store that comes with watchbuild.
  let store: FilePath
  let environment: [String: String]
  let runner: any CommandRunner

  private(set) var runtimes: [any ImageRuntime] = []
  /// Remarks on the choice, a line each.
  private(set) var notes: [String] = []
  private(set) var closers: [@Sendable () async -> Void] = []

  init(store: FilePath, environment: [String: String], runner: any CommandRunner) {
    self.store = store
    self.environment = environment
    self.runner = runner
  }

  mutating func add(_ choice: RuntimeChoice) async throws {
    try await choice.kind.open(choice.value, &self)
  }

  /// Adds a runtime unless one of its name is there.
  ///
  /// - Parameter close: Closes its connections, when no load is under way.
  mutating func add(_ runtime: any ImageRuntime, closing close: (@Sendable () async -> Void)? = nil)
  {
    guard !has(runtime.name) else { return }
    runtimes.append(runtime)
    if let close { closers.append(close) }
  }

  func has(_ name: String) -> Bool { runtimes.contains { $0.name == name } }

  mutating func note(_ lines: [String]) { notes += lines }

  /// An environment variable; `nil` where it is set to nothing.
  func value(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
