import Basics
import Batching
import FoundationEssentials
import Graph
import SystemPackage
import TestSupport
import Testing
import Watcher

@testable import Bazel
@testable import Events
@testable import Runner
@testable import Runtimes

/// A loop over two images, each of one source, with a Bazel that a test plays and a clock that it moves:
/// //a:image ← a/x, //b:image ← b/x.
final class LoopHarness: Sendable {
  let directory: TemporaryDirectory
  /// The workspace.
  let root: FilePath
  let bazel: PlayedBazel
  let clock = ManualClock()
  let images: [ImageTarget]
  private let log: EventHub
  private let batches: AsyncStream<Batch>
  private let feed: AsyncStream<Batch>.Continuation

  init(requires: [String: [String]] = [:]) throws {
    directory = try TemporaryDirectory()
    root = try directory.makeDirectory("w")
    try directory.makeDirectory("scratch")
    bazel = PlayedBazel(directory)
    log = EventHub(now: { Date(timeIntervalSince1970: 0) })
    (batches, feed) = AsyncStream.makeStream(of: Batch.self)
    let key = BatchKey(workspace: root)
    images = try ["a", "b"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: key,
        requires: requires[$0] ?? [])
    }
    bazel.setGraph(Self.graph)
    for name in ["a", "b"] {
      try directory.write("", to: "w/\(name)/x")
      try directory.appending("\(name).tar").write(
        TestImage(layers: [TestImage.layer("f", name)], tags: ["lab/\(name):dev"]).dockerArchive())
    }
  }

  static let graph: [QueryEntry] = ["a", "b"].flatMap { name -> [QueryEntry] in
    [
      .rule(name: "//\(name):image", kind: "image", inputs: ["//\(name):x"]),
      .sourceFile(name: "//\(name):x", loads: []), .sourceFile(name: "//\(name):BUILD", loads: []),
    ]
  }

  func setup(_ runtimes: [any ImageRuntime] = [], waitsForLock: Bool = true) -> BuildSetup {
    BuildSetup(
      images: images, runtimes: runtimes,
      bazel: { [bazel, clock, directory] in
        Bazel(
          workspace: $0, runner: bazel, clock: clock, scratch: directory.appending("scratch"))
      }, waitsForLock: waitsForLock)
  }

  /// Runs the loop while a script drives it.
  func run(
    _ setup: BuildSetup? = nil, busy: BusyPolicy.Choice = .restart,
    definitions: Definitions = Definitions(), audience: Audience = Audience(),
    saved: SavedIndexes? = nil,
    read: @escaping BuildLoop<ManualClock>.Reader = { _, _, _ in .read(nil) },
    follow: @escaping @Sendable (TargetIndex) async -> Bool = { _ in false },
    _ script: @Sendable () async throws -> Void
  ) async throws {
    let loop = BuildLoop(log: log, clock: clock, saved: saved)
    let setup = setup ?? self.setup()
    try await withThrowingTaskGroup { group in
      group.addTask { [batches] in
        try await loop.run(
          batches, setup: setup, busy: busy, audience: audience, definitions: definitions,
          read: read, follow: follow)
      }
      do {
        try await script()
        feed.finish()
      } catch {
        feed.finish()
        throw error
      }
      try await group.waitForAll()
    }
  }

  /// Runs the loop until it ends by itself.
  func runToItsEnd(_ setup: BuildSetup) async throws {
    try await BuildLoop(log: log, clock: clock).run(batches, setup: setup)
  }

  // MARK: What happens

  func change(
    _ path: String, _ kind: FileChange.Kind = .modified, seeing content: UInt64? = nil,
    during isDuringCommand: Bool = false
  ) {
    let path = root.pushing(FilePath(path))
    feed.yield(
      Batch(
        cause: .change, changes: [FileChange(path: path, kind: kind)],
        sightings: [
          Sighting(
            path: path, content: content.map { .hash($0) }, isDuringCommand: isDuringCommand)
        ]))
  }

  /// Images are asked for, as by a trigger.
  func request(_ images: Set<String>) {
    feed.yield(Batch(cause: .trigger, requested: images))
  }

  func ask(_ id: Int, _ demand: Request.Demand) {
    var batch = Batch(cause: .change)
    batch.requests = [Request(id: id, demand: demand)]
    feed.yield(batch)
  }

  func savedIndexes() throws -> SavedIndexes {
    SavedIndexes(in: PrivateDirectory(try directory.makeDirectory("state")), log: log)
  }

  // MARK: What is told

  var events: [Event] { log.recorded }

  /// The ends of cycles so far.
  var cycles: [Event.CycleEnded] {
    events.compactMap { if case .cycle(let ended) = $0.kind { ended } else { nil } }
  }

  /// What was told of an image, in its order.
  func statuses(of image: String) -> [Event.ImageChanged.Status] {
    events.compactMap {
      if case .image(let changed) = $0.kind, changed.image == image { changed.status } else { nil }
    }
  }

  /// Waits until so many cycles have ended; the suite's time limit ends it otherwise.
  func waitForCycles(_ count: Int) async {
    while cycles.count < count { await Task.yield() }
  }

  func wait(until isTrue: @Sendable () -> Bool) async {
    while !isTrue() { await Task.yield() }
  }
}
