package import Processes
import Synchronization

/// What a command wrote, for tests that look at it afterwards.
package final class Collected: Sendable {
  private let bytes = Mutex<(output: [UInt8], error: [UInt8])>(([], []))

  package init() {}

  package func add(_ chunk: CommandOutput) {
    bytes.withLock {
      switch chunk {
      case .standardOutput(let more): $0.output += more
      case .standardError(let more): $0.error += more
      }
    }
  }

  package var standardOutput: String {
    bytes.withLock { String(decoding: $0.output, as: UTF8.self) }
  }

  package var standardError: String {
    bytes.withLock { String(decoding: $0.error, as: UTF8.self) }
  }
}
