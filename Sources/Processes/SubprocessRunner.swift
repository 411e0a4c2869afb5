import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Runs programs as children of this process, each in a process group of its own.
///
/// So a Ctrl-C in our terminal reaches us alone, and it is we who say when a child is interrupted.
package struct SubprocessRunner: CommandRunner {
  package init() {}

  package func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    try Task.checkCancellation()
    let group = ProcessGroup()
    ending.attach { group.end($0 == .kill ? SIGKILL : SIGTERM) }
    // A task of its own, because swift-subprocess answers the cancellation of the task it runs in
    // by no longer reading and by ending the child, which then dies of SIGPIPE before it has
    // cleaned up. It is always awaited; what cancels it is the child's end, after our signal.
    let work = Task { try await launch(command, input: input, group: group, output: output) }
    let result = await withTaskCancellationHandler {
      await work.result
    } onCancel: {
      group.interrupt()
    }
    guard Task.isCancelled else { return try result.get() }
    group.endRemaining()
    throw CancellationError()
  }

  private func launch(
    _ command: Command, input: CommandInput?, group: ProcessGroup,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    var options = PlatformOptions()
    options.processGroupID = 0
    var environment: [Environment.Key: String?] = [:]
    for (name, value) in command.environment {
      environment[Environment.Key(stringLiteral: name)] = value
    }
    let executable = try ExecutablePath.find(command)
    let configuration = Configuration(
      executable: .path(executable),
      arguments: Arguments(command.arguments),
      environment: .inherit.updating(environment),
      workingDirectory: command.directory,
      platformOptions: options)
    RunningPrograms.willStart()
    defer { group.ended() }
    do {
      let status: TerminationStatus
      if let input {
        let outcome = try await Subprocess.run(
          configuration, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
          group.started(execution.processIdentifier.value)
          return try await withThrowingTaskGroup(of: (any Error)?.self) { tasks in
            tasks.addTask {
              do {
                try await Self.feed(input, to: execution.standardInputWriter)
                return nil
              } catch {
                if Task.isCancelled { return nil }
                group.interrupt()
                return error
              }
            }
            try await Self.relay(execution, to: output)
            // Its outputs have ended, and so has it. Input may never come any more: who sends it may
            // be waiting for an answer.
            tasks.cancelAll()
            return try await tasks.next() ?? nil
          }
        }
        if let error = outcome.closureResult { throw error }
        status = outcome.terminationStatus
      } else {
        status = try await Subprocess.run(
          configuration, input: .none, output: .sequence, error: .sequence
        ) { execution in
          group.started(execution.processIdentifier.value)
          try await Self.relay(execution, to: output)
        }.terminationStatus
      }
      return switch status {
      case .exited(let code): .exited(code)
      case .signaled(let signal): .signalled(signal)
      }
    } catch let error as SubprocessError {
      throw CommandError(error, command: command)
    }
  }

  private static func relay<Input>(
    _ execution: Execution<Input, SequenceOutput, SequenceOutput>,
    to output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws {
    async let errors: Void = {
      for try await chunk in execution.standardError {
        output(.standardError(chunk.withUnsafeBytes { Array($0) }))
      }
    }()
    // Ends when the program has closed its output, or has exited: a grandchild that keeps the
    // pipe open, as a daemon may, is not waited for.
    for try await chunk in execution.standardOutput {
      output(.standardOutput(chunk.withUnsafeBytes { Array($0) }))
    }
    try await errors
  }

  /// Hands the input on; a program that no longer reads is left to say why by how it ends.
  private static func feed(
    _ input: some AsyncSequence<[UInt8], any Error>, to writer: StandardInputWriter
  ) async throws {
    for try await chunk in input {
      do throws(SubprocessError) {
        guard try await writer.write(chunk) == chunk.count else { break }
      } catch {
        break
      }
    }
    // The program may have gone and taken the pipe with it.
    try? await writer.finish()
  }
}

/// The process group of one child, and whether it is to be interrupted.
///
/// Cancellation may come before the child exists and after it is gone.
private final class ProcessGroup: Sendable {
  private struct State {
    var leader: pid_t?
    var isInterrupted = false
    /// Sent as soon as there is a child.
    var owed: Int32?
  }

  private let state = Mutex(State())

  func started(_ leader: pid_t) {
    state.withLock {
      $0.leader = leader
      if $0.isInterrupted { signal($0, SIGINT) }
      if let owed = $0.owed { signal($0, owed) }
    }
    RunningPrograms.didStart(self) { self.interrupt() }
  }

  /// It has ended, or never was.
  func ended() {
    if state.withLock({ $0.leader == nil }) { RunningPrograms.didNotStart() }
    RunningPrograms.didEnd(self)
  }

  func end(_ number: Int32) {
    state.withLock {
      $0.owed = number
      signal($0, number)
    }
  }

  /// Sends the one SIGINT.
  func interrupt() {
    state.withLock {
      guard !$0.isInterrupted else { return }
      $0.isInterrupted = true
      signal($0, SIGINT)
    }
  }

  /// Asks those to end who are left of the group when its leader is gone: the children of a
  /// wrapper script that did not wait for them.
  func endRemaining() {
    state.withLock {
      guard let leader = $0.leader else { return }
      kill(-leader, SIGTERM)
    }
  }

  private func signal(_ state: State, _ number: Int32) {
    guard let leader = state.leader else { return }
    // Once the leader has been reaped its number may name another process: only a child that can
    // still be waited for is sent a signal.
    var info = siginfo_t()
    guard waitid(P_PID, id_t(leader), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
    kill(-leader, number)
  }
}

extension CommandError {
  fileprivate init(_ error: SubprocessError, command: Command) {
    switch error.code {
    case .executableNotFound:
      self = .notFound(command.executable)
    case .failedToChangeWorkingDirectory:
      self = .noDirectory(command.directory ?? ".", program: command.executable)
    default:
      self = .cannotStart(command.executable, reason: "\(error)")
    }
  }
}
