import Basics
import Events
import Glibc
import Processes
import Runner
import UnixSignals

/// Ends a command when a signal says so, or when nobody reads its output any more.
struct Stopping: Sendable {
  private enum Reason: Sendable {
    case closed(OutputClosed)
    case request
  }

  private let interruption = Interruption()
  /// Interrupted when somebody asked for the end.
  private let requested = Interruption()
  private let reasons: AsyncStream<Reason>
  private let continuation: AsyncStream<Reason>.Continuation

  init() {
    (reasons, continuation) = AsyncStream.makeStream(of: Reason.self)
  }

  /// To be told when output can't be written any more.
  func outputClosed(_ error: OutputClosed) { continuation.yield(.closed(error)) }

  /// Ends the work as a signal does, but as something that was asked for: with success.
  func stop() { continuation.yield(.request) }

  /// Runs work to its end, or until SIGINT, SIGTERM or SIGHUP; then the work is cancelled and
  /// waited for. A second signal ends the process at once, once all that runs below has had its signal.
  ///
  /// A signal that was ignored when we were started stays ignored: that is how `nohup` asks to be spared. Not so
  /// SIGINT in the background job of a script: shells ignore it there together with SIGQUIT, and `kill -INT` is how
  /// the script ends us.
  ///
  /// - Parameters:
  ///   - output: Who reads what happens; what they have not written yet is waited for, within bounds.
  ///   - stopping: Told of the first signal.
  ///   - work: What the command does.
  /// - Throws: `ExitStatus.interrupted`, or `.ok` where `stop` ended it; `OutputClosed`; what the work throws.
  func run<Success: Sendable>(
    showing output: EventReaders? = nil,
    _ stopping: @escaping @Sendable (String) -> Void = { _ in },
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    let isBackgroundJob =
      SignalDisposition.isIgnored(SIGINT) && SignalDisposition.isIgnored(SIGQUIT)
    let trapped = Self.signals.filter {
      !SignalDisposition.isIgnored($0.rawValue) || ($0.rawValue == SIGINT && isBackgroundJob)
    }
    // The library leaves its handlers behind. What is written from now on may block for ever, and
    // then has to end as any program does.
    defer { for trapped in trapped { SignalDisposition.restore(trapped.rawValue) } }
    return try await withThrowingTaskGroup(of: Success?.self) { group in
      let signals = await UnixSignalsSequence(trapping: trapped)
      group.addTask {
        for await signal in signals {
          if interruption.isInterrupted {
            await RunningPrograms.interruptAll(clock: ContinuousClock())
            TerminalModes.giveBack()
            _exit(ExitStatus.interrupted.rawValue)
          }
          stopping("\(signal)")
          interruption.interrupt()
        }
        return nil
      }
      group.addTask {
        for await reason in reasons {
          if case .closed(let error) = reason {
            interruption.interrupt()
            throw error
          }
          guard !interruption.isInterrupted else { continue }
          requested.interrupt()
          stopping("watchbuild stop")
          interruption.interrupt()
        }
        return nil
      }
      group.addTask {
        let result: Result<Success?, any Error>
        do {
          result = .success(try await interruption.run(work))
        } catch {
          result = .failure(error)
        }
        await output?.finish(
          patience: interruption.isInterrupted
            ? EventReaders.patienceWhenInterrupted : EventReader.patience)
        guard let success = try result.get() else {
          throw requested.isInterrupted ? ExitStatus.ok : .interrupted
        }
        return success
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw ExitStatus.interrupted
    }
  }

  private static let signals: [UnixSignal] = [.sigint, .sigterm, .sighup]
}

/// The answer of the process to a signal.
enum SignalDisposition {
  static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Has it end the process, as it does by default.
  static func restore(_ number: Int32) { signal(number, SIG_DFL) }
}
