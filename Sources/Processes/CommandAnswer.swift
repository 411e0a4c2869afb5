import Synchronization

/// The output of a program of few words.
package enum CommandAnswer {
  /// More than this is not kept: a program that is not the one it should be may write without end.
  private static let limit = 8 << 20

  package static func of(
    _ command: Command, input: CommandInput? = nil, ending: ForcedEnd = ForcedEnd(),
    with runner: any CommandRunner
  ) async throws -> (exit: CommandExit, output: String, errors: String) {
    let written = Written()
    let exit = try await runner.run(command, input: input, ending: ending) { chunk in
      switch chunk {
      case .standardOutput(let bytes): written.output.withLock { append(bytes, to: &$0) }
      case .standardError(let bytes): written.errors.withLock { append(bytes, to: &$0) }
      }
    }
    return (
      exit, written.output.withLock { String(decoding: $0, as: UTF8.self) },
      written.errors.withLock { String(decoding: $0, as: UTF8.self) }
    )
  }

  private static func append(_ bytes: [UInt8], to kept: inout [UInt8]) {
    if kept.count < limit { kept += bytes }
  }

  private final class Written: Sendable {
    let output = Mutex<[UInt8]>([])
    let errors = Mutex<[UInt8]>([])
  }
}
