import Basics
import Foundation
import Synchronization
import SystemPackage

/// The real `watchbuild`, started as people start it, its JSON Lines and messages recorded.
final class WatchbuildProcess: Sendable {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct State {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var events: [RecordedEvent] = []
    /// Of the two pipes.
    var openPipes = 2
  }

  /// Beside the tests' own binary.
  static var executable: URL {
    Bundle.main.executableURL.map { $0.resolvingSymlinksInPath() }
      .map { binary in
        sequence(first: binary.deletingLastPathComponent()) { $0.deletingLastPathComponent() }
          .prefix(6).map { $0.appendingPathComponent("watchbuild") }
          .first { FileManager.default.isExecutableFile(atPath: $0.path) }
      }.flatMap { $0 } ?? packageDirectory.appendingPathComponent(".build/debug/watchbuild")
  }

  static let packageDirectory = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private let process: Mutex<Process>
  private let state = Mutex(State())
  let id: Int32

  /// - Parameter script: Words of a shell script that ends in running `"$@"`; `nil`: none is needed.
  init(
    _ arguments: [String], in directory: FilePath, environment: [String: String] = [:],
    under script: String? = nil
  ) throws {
    let process = Process()
    process.executableURL = script == nil ? Self.executable : URL(fileURLWithPath: "/bin/sh")
    process.arguments =
      script.map { ["-c", $0, "sh", Self.executable.path] + arguments } ?? arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory.string)
    process.environment = ProcessInfo.processInfo.environment
      // Those that choose tests, or that the developer's own runs have, are not meant for it.
      .filter { !$0.key.hasPrefix("WATCHBUILD_") }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let output = try FileDescriptor.pipe(options: .closeOnExec)
    let errors = try FileDescriptor.pipe(options: .closeOnExec)
    process.standardOutput = FileHandle(
      fileDescriptor: output.writeEnd.rawValue, closeOnDealloc: false)
    process.standardError = FileHandle(
      fileDescriptor: errors.writeEnd.rawValue, closeOnDealloc: false)
    let start = Result { try process.run() }
    try output.writeEnd.close()
    try errors.writeEnd.close()
    if case .failure = start {
      try output.readEnd.close()
      try errors.readEnd.close()
    }
    try start.get()
    id = process.processIdentifier
    self.process = Mutex(process)
    read(output.readEnd) { $0.output += $1 }
    read(errors.readEnd) { $0.errors += $1 }
  }

  deinit {
    process.withLock { process in
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
  }

  /// Reads to the pipe's end, on a thread of its own.
  ///
  /// Not by `readabilityHandler`: with freed memory filled, this process was once seen to die in
  /// libdispatch's event loop on what had been freed, and the handlers were all that used it so.
  private func read(
    _ pipe: FileDescriptor, into add: @escaping @Sendable (inout State, ArraySlice<UInt8>) -> Void
  ) {
    Thread.detachNewThread { [weak self] in
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      // A pipe that can't be read has ended.
      while let count = try? buffer.withUnsafeMutableBytes({ try pipe.read(into: $0) }), count > 0 {
        let bytes = buffer[..<count]
        self?.state.withLock { state in
          add(&state, bytes)
          Self.decode(&state)
        }
      }
      // Only read from: closing has nothing to report.
      try? pipe.close()
      self?.state.withLock { $0.openPipes -= 1 }
    }
  }

  private static func decode(_ state: inout State) {
    while let end = state.output.firstIndex(of: UInt8(ascii: "\n")) {
      let line = Data(state.output[..<end])
      guard let event = try? JSONDecoder().decode(RecordedEvent.self, from: line) else {
        break
      }
      state.events.append(event)
      state.output.removeSubrange(...end)
    }
  }

  var events: [RecordedEvent] { state.withLock(\.events) }

  /// What it wrote to standard output that is no event.
  var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }

  /// What it wrote to standard error.
  var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }

  /// Waits for an event that comes later than the one with the number `after`.
  @discardableResult
  func wait(
    for what: String, after: Int = 0, seconds: Double = 240,
    where matches: @Sendable (RecordedEvent) -> Bool
  ) async throws -> RecordedEvent {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      if let event = events.first(where: { $0.seq > after && matches($0) }) { return event }
      guard isRunning || !events.isEmpty else { break }
      // A real process is waited for: there is no clock to move.
      try await ContinuousClock().pause(for: .milliseconds(10))
    }
    throw Failure(
      description: "no \(what): \(errors)\n"
        + events.suffix(12).map { "\($0)" }.joined(separator: "\n"))
  }

  /// Waits for the next end of a cycle.
  func cycle(after: Int = 0) async throws -> RecordedEvent {
    try await wait(for: "end of a cycle", after: after) {
      $0.type == "cycle" && $0.status != "cancelled"
    }
  }

  /// The last event's number.
  var last: Int { events.last?.seq ?? 0 }

  var isRunning: Bool { process.withLock(\.isRunning) }

  /// Waits until it ends by itself.
  ///
  /// - Returns: The exit code; 128 + N after a signal.
  func exit(seconds: Double = 180) async throws -> Int32 {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while isRunning {
      guard Date() < deadline else { throw Failure(description: "it does not end: \(errors)") }
      try await ContinuousClock().pause(for: .milliseconds(5))
    }
    // The pipes' last words come a moment later; a grandchild may hold them open for ever.
    for _ in 0..<400 where state.withLock({ $0.openPipes > 0 }) {
      try await ContinuousClock().pause(for: .milliseconds(5))
    }
    return process.withLock { process in
      process.terminationReason == .uncaughtSignal
        ? 128 + process.terminationStatus : process.terminationStatus
    }
  }

  func signal(_ number: Int32) { kill(id, number) }

  /// As Ctrl-C does.
  func interrupt() async throws -> Int32 {
    signal(SIGINT)
    return try await exit(seconds: 30)
  }
}
