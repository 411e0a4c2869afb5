import TestSupport
import Testing

@testable import Images
@testable import Runtimes

extension LoadScenario {
  static let cancelled = LoadScenario("cancelled on the way") { stage in
    let good = stage.image()
    try await stage.load(good)
    var big = good
    big.layers[0] = stage.bigLayer
    let task = try await stage.begin(stage.open(big.dockerArchive())) { $0.sent > 2 << 20 }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await stage.expect(good)
    try await stage.load(big)
    try await stage.expect(big)
  }

  /// The runtime ends in the middle of a load and comes back: for one that can be made to crash, and
  /// runs images.
  static let crashes: [LoadScenario] = [
    LoadScenario("killed while layers are on the way") { stage in
      try await stage.crash(isCertain: true) { $0.sent > 4 << 20 }
    },
    LoadScenario("killed when all has been sent") { stage in
      try await stage.crash(isCertain: false) {
        $0.total > Stage.bigSize && $0.sent >= $0.total
      }
    },
  ]

  /// The same of the machine that the runtime runs in: for a node.
  static let machineCrash = LoadScenario("gone with its machine while layers are on the way") {
    stage in try await stage.crash(isCertain: true) { $0.sent > 4 << 20 }
  }
}

extension LoadScenario.Stage {
  /// Far more than the buffers between us and a runtime hold, so that when the first of it has gone
  /// out most of it has not.
  fileprivate static let bigSize = 32 << 20

  fileprivate var bigLayer: [UInt8] {
    TestImage.layer("\(name)-big", TestImage.filling(Self.bigSize, seed: name))
  }

  /// - Parameter isCertain: Whether the load can't have ended well by then.
  fileprivate func crash(
    isCertain: Bool, when hasCome: @Sendable (LoadProgress.Count) -> Bool
  ) async throws {
    let crash = try #require(harness.crash)
    let run = try #require(harness.run)
    let old = try TestImage.runnable(["old"])
    try await load(old)
    var new = try TestImage.runnable(["new"])
    new.layers.insert(bigLayer, at: 1)
    let end = try crash.arm()
    let task = try await begin(open(new.dockerArchive()), until: hasCome)
    try end()
    let result = await task.result
    if isCertain {
      let error = #expect(throws: RuntimeError.self) { try result.get() }
      #expect(error?.kind == .unreachable, "\(String(describing: error))")
    }
    try await crash.start()

    // One of them, and whole.
    let held = try await harness.held(reference)
    #expect(held == old.id || (held == new.id && !isCertain), "\(String(describing: held))")
    let printed = try await run(reference)
    #expect(printed == (held == new.id ? "new" : "old"))

    // The same runtime goes on, with another image first.
    let next = try TestImage.runnable(["next"])
    try await load(next)
    try await expect(next)
    #expect(try await run(reference) == "next")
    #expect(try await lasting { try harness.temporaryNames() } == [])
    try await load(open(new.dockerArchive(), "again.tar"))
    try await expect(new)
    #expect(try await run(reference) == "new")
  }
}
