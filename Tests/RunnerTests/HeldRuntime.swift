import Synchronization

@testable import Images
@testable import Runner
@testable import Runtimes

/// Holds each load until it is let go.
final class HeldRuntime: ImageRuntime {
  let name: String
  let combinesLoads: Bool
  /// Of the hundred bytes of each load.
  private let sent: Int
  private let started = Mutex(0)
  /// One for each load that is held: cancelling one must not let the others go.
  private struct Gates {
    var isOpen: Bool
    var held: [AsyncStream<Never>.Continuation] = []
  }
  private let gates: Mutex<Gates>

  init(_ name: String, combinesLoads: Bool = false, isHeld: Bool = true, sent: Int = 40) {
    self.name = name
    self.sent = sent
    self.combinesLoads = combinesLoads
    gates = Mutex(Gates(isOpen: !isHeld))
  }

  var startedCount: Int { started.withLock { $0 } }

  func letGo() {
    gates.withLock { gates in
      gates.isOpen = true
      for gate in gates.held { gate.finish() }
    }
  }

  private func pass() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Never.self)
    gates.withLock { gates in
      if gates.isOpen { open.finish() } else { gates.held.append(open) }
    }
    for await _ in gate {}
    try Task.checkCancellation()
  }

  func isAvailable() async -> Bool { true }

  func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    LoadProgress.current?.begin(100, layers: 3)
    LoadProgress.current?.add(sent, layers: 2)
    started.withLock { $0 += 1 }
    try await pass()
    return LoadResult(
      isChanged: true, id: archive.configDigest, bytesSent: 100, layersSent: 1, layersTotal: 1)
  }
}
