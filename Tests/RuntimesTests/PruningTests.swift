import FoundationEssentials
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

@Suite struct PruningTests {
  private static func id(_ number: Int) -> Digest { Digest(of: [UInt8(number)]) }

  /// A load of image `number` at second `time`.
  private static func load(
    _ number: Int, at time: Int64, as reference: String = "lab/app:dev"
  ) -> Ledger.Entry {
    Ledger.Entry(
      runtime: "docker", reference: reference, id: id(number).description, time: time)
  }

  private func superseded(
    _ entries: [Ledger.Entry], keep: Int, olderThan: Int, now: Int64 = 10_000
  ) -> Set<Digest> {
    let rule = PruneRule(keep: keep, olderThan: .seconds(olderThan))
    return Set(rule.verdict(on: entries, now: now).superseded.map(\.id))
  }

  @Test func `what the name stands for is never given up`() {
    #expect(superseded([Self.load(1, at: 1)], keep: 0, olderThan: 0).isEmpty)
    // Back to the first after a revert: the second is superseded.
    let entries = [Self.load(1, at: 1), Self.load(2, at: 2), Self.load(1, at: 3)]
    #expect(superseded(entries, keep: 0, olderThan: 0) == [Self.id(2)])
  }

  @Test func `so many superseded images of each name stay, the newest`() {
    let entries = (1...5).map { Self.load($0, at: Int64($0)) }
    #expect(superseded(entries, keep: 2, olderThan: 0) == [Self.id(1), Self.id(2)])
    #expect(superseded(entries, keep: 9, olderThan: 0).isEmpty)
  }

  @Test func `an image stays until it has been superseded for long enough`() {
    // Loaded long ago, superseded at 9000.
    let entries = [Self.load(1, at: 1), Self.load(2, at: 9_000)]
    #expect(superseded(entries, keep: 0, olderThan: 1_001).isEmpty)
    #expect(superseded(entries, keep: 0, olderThan: 1_000) == [Self.id(1)])
  }

  @Test func `an image that another name of ours stands for stays`() {
    let entries = [
      Self.load(1, at: 1), Self.load(1, at: 2, as: "lab/app:stable"), Self.load(2, at: 3),
    ]
    #expect(superseded(entries, keep: 0, olderThan: 0).isEmpty)
  }

  @Test func `the ledger survives a line that was cut short, and forgets what was removed`()
    async throws
  {
    try await withScratchDirectory { directory in
      let ledger = Ledger(in: directory, now: { Date(timeIntervalSince1970: 77) })
      #expect(try await ledger.entries().isEmpty)
      let reference = try #require(ImageReference("lab/app:dev"))
      try await ledger.loaded(Self.id(1), as: [reference], into: "docker")
      let path = directory.appending("loads.jsonl")
      try path.write(try path.read() + Array(#"{"runtime":"dock"#.utf8))
      try await ledger.loaded(Self.id(2), as: [reference], into: "docker")
      #expect(try await ledger.entries().map(\.id) == [Self.id(1), Self.id(2)].map(\.description))
      #expect(try await ledger.entries().first?.time == 77)
      var gone = Self.load(1, at: 80)
      gone.isRemoved = true
      try await ledger.append([gone])
      #expect(try await ledger.entries().map(\.id) == [Self.id(2).description])
    }
  }

  @Test func `of a store only blobs go that nothing else needs`() async throws {
    try await withScratchDirectory { directory in
      let base = TestImage.layer("base", "shared")
      let images = (0..<3).map { index in
        TestImage(layers: [base, TestImage.layer("app", "\(index)")])
      }
      let ledger = Ledger(in: directory, now: { Date(timeIntervalSince1970: 100_000) })
      let store = ImageStore(directory.appending("images"))
      let reference = try #require(ImageReference("lab/app:dev"))
      for (index, image) in images.enumerated() {
        let path = directory.appending("image.tar")
        try path.write(image.dockerArchive())
        let result = try await store.load(try ImageArchive.open(path), as: reference)
        try await ledger.append([
          Ledger.Entry(
            runtime: store.name, reference: "lab/app:dev", id: result.id.description,
            time: Int64(index))
        ])
      }
      func has(_ bytes: [UInt8]) throws -> Bool {
        try StoreDirectory(path: store.directory)
          .contains(Digest(of: bytes), size: Int64(bytes.count))
      }
      let pruning = Pruning(PruneRule(keep: 1), ledger: ledger)
      let dry = try await pruning.run(in: store, isDryRun: true)
      #expect(dry.map(\.removal) == [.removed])
      #expect(try has(images[0].layers[1]))

      #expect(try await pruning.run(in: store) == dry)
      #expect(try !has(images[0].layers[1]))
      #expect(try !has(images[0].config))
      for image in images[1...] {
        for blob in image.layers + [image.config] { #expect(try has(blob)) }
      }
      #expect(try await pruning.run(in: store).isEmpty)
    }
  }

  /// Notes what is removed from it.
  private final class NotingRuntime: ImageRuntime {
    let name = "docker"
    private let all = Mutex<[Digest]>([])
    var removed: [Digest] { all.withLock { $0 } }

    func isAvailable() async -> Bool { true }

    func load(
      _ archive: ImageArchive, as references: [ImageReference]
    ) async throws -> LoadResult {
      throw CancellationError()
    }

    func remove(
      _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
    ) async throws -> Removal {
      all.withLock { $0.append(image.id) }
      return .removed
    }
  }

  @Test func `what a load is just bringing back is not removed`() async throws {
    try await withScratchDirectory { directory in
      let ledger = Ledger(in: directory, now: { Date(timeIntervalSince1970: 100_000) })
      try await ledger.append((1...3).map { Self.load($0, at: Int64($0)) })
      let reference = try #require(ImageReference("lab/app:dev"))
      let runtime = NotingRuntime()
      let pruning = Pruning(PruneRule(keep: 0, olderThan: .seconds(1)), ledger: ledger)
      #expect(try await pruning.run(in: runtime, isDryRun: true).count == 2)
      let before = runtime.removed.count

      let (gate, open) = AsyncStream.makeStream(of: Never.self)
      let (begun, begin) = AsyncStream.makeStream(of: Void.self)
      let load = Task {
        try await ledger.lane(of: "docker").sharing {
          begin.yield()
          for await _ in gate {}
          // The first is current again, and the third superseded.
          try await ledger.loaded(Self.id(1), as: [reference], into: "docker")
        }
      }
      for await _ in begun { break }
      let removal = Task { try await pruning.run(in: runtime) }
      for _ in 0..<1000 { await Task.yield() }
      #expect(runtime.removed.count == before)
      open.finish()
      try await load.value
      #expect(try await removal.value.map(\.image.id) == [Self.id(2)])
      #expect(runtime.removed.dropFirst(before) == [Self.id(2)])
    }
  }

  private final class Order: Sendable {
    private let words = Mutex<[String]>([])
    var all: [String] { words.withLock { $0 } }
    func add(_ word: String) { words.withLock { $0.append(word) } }
  }

  @Test func `loads go side by side, and none while something is removed`() async throws {
    try await withScratchDirectory { directory in
      let lane = RuntimeLane("docker", in: directory)
      try await lane.sharing { try await lane.sharing {} }
      let order = Order()
      let (gate, open) = AsyncStream.makeStream(of: Never.self)
      let (begun, begin) = AsyncStream.makeStream(of: Void.self)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await lane.alone {
            begin.yield()
            for await _ in gate {}
            order.add("removed")
          }
        }
        for await _ in begun { break }
        group.addTask { try await lane.sharing { order.add("loaded") } }
        // Another runtime's loads do not wait.
        try await RuntimeLane("podman", in: directory).sharing {}
        open.finish()
        try await group.waitForAll()
      }
      #expect(order.all == ["removed", "loaded"])
    }
  }

  @Test func `without a state directory images are loaded, and none is removed`() async throws {
    let lane = RuntimeLane("docker", in: "/nowhere")
    try await lane.sharing {}
    await #expect(throws: Errno.self) { try await lane.alone {} }
  }
}
