import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// What other releases of Docker answer than the real one at hand; the rest is in EndToEndTests.
@Suite struct EngineContainerdStoreTests {
  private static let image = TestImage(
    layers: [TestImage.layer("base", "base"), TestImage.layer("app", "app")])
  private static let reference = "lab/app:dev"
  private static let loaded = FakeEngine.Answer(body: "{\"stream\":\"Loaded image\"}\n")

  /// A store that takes any image for the one image there is.
  private final class Store: Sendable {
    struct Knobs {
      /// Of the numbered load, from 1.
      var answer: @Sendable (Int) -> FakeEngine.Answer = { _ in loaded }
      var isUnpacked: @Sendable (Int) -> Bool = { _ in true }
      /// As Docker 27 tells it; `nil`: as those before, where what is incomplete is not listed.
      var isAvailable: @Sendable (Int) -> Bool? = { _ in nil }
      var isTagged = true
    }

    struct State {
      var names: [String: (id: Digest, layers: [Digest])] = [:]
      var loads = 0
    }

    let id: Digest
    let knobs: Knobs
    let state: Mutex<State>

    init(_ id: Digest, _ knobs: Knobs, named: Digest?) {
      self.id = id
      self.knobs = knobs
      state = Mutex(State(names: named.map { [reference: ($0, [image.diffIDs[0]])] } ?? [:]))
    }

    func answer(_ request: FakeEngine.Request) -> FakeEngine.Answer {
      let path = request.path.split(separator: "?").first.map(String.init) ?? ""
      if path == "/info" {
        return .init(
          body: #"{"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#)
      }
      return state.withLock { state in
        if path == "/images/load" {
          state.loads += 1
          let answer = knobs.answer(state.loads)
          state.names[Self.name(in: request.body)] = (id, image.diffIDs)
          return answer
        }
        if path == "/images/json" {
          let fields =
            switch knobs.isAvailable(state.loads) {
            case let isAvailable?: #","Manifests":[{"ID":"\#(id)","Available":\#(isAvailable)}]"#
            case nil: ""
            }
          return .init(body: #"[{"Id":"\#(id)"\#(fields)}]"#)
        }
        let parts = path.split(separator: "/").map(String.init)
        let action = ["json", "history", "tag"].contains(parts.last) ? parts.last : nil
        let name = parts.dropFirst().dropLast(action == nil ? 0 : 1).joined(separator: "/")
        guard let held = state.names[name] else {
          return .init(status: 404, body: #"{"message":"No such image: \#(name)"}"#)
        }
        switch action {
        case "json":
          let layers = held.layers.map { "\"\($0)\"" }.joined(separator: ",")
          return .init(body: #"{"Id":"\#(held.id)","RootFS":{"Layers":[\#(layers)]}}"#)
        case "history":
          return knobs.isUnpacked(state.loads)
            ? .init(body: "null") : .init(status: 404, body: #"{"message":"no snapshot"}"#)
        case "tag":
          if knobs.isTagged { state.names[reference] = held }
          return .init(status: 201, body: "")
        default:
          state.names[name] = nil
          return .init(body: "[]")
        }
      }
    }

    /// Under which an image comes in.
    private static func name(in body: [UInt8]) -> String {
      let text = String(decoding: body, as: UTF8.self)
      guard let start = text.firstRange(of: "watchbuild/loading:") else { return "" }
      return String(text[start.lowerBound...].prefix { $0 != "\"" && $0 != "\\" })
    }
  }

  private func loading(
    _ image: TestImage = image, named: Digest? = Digest(of: [1]),
    _ change: (inout Store.Knobs) -> Void,
    _ body: (@Sendable () async throws -> LoadResult, FakeEngine, Store) async throws -> Void
  ) async throws {
    var knobs = Store.Knobs()
    change(&knobs)
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let id = try await LayoutImage(archive).manifest.digest
      let store = Store(id, knobs, named: named)
      try await FakeEngine.serving({ store.answer($0) }) { engine in
        let client = EngineClient(.unix(engine.socket))
        let docker = DockerEngine(client)
        let reference = try #require(ImageReference(Self.reference))
        do {
          try await body({ try await docker.load(archive, as: reference) }, engine, store)
        } catch {
          await client.shutdown()
          throw error
        }
        await client.shutdown()
        #expect(store.state.withLock { Array($0.names.keys) }.allSatisfy { $0 == Self.reference })
      }
    }
  }

  /// How many layers each load had in it.
  private func layersSent(_ engine: FakeEngine) -> [Int] {
    let names = Self.image.layers.map { "blobs/sha256/\(Digest(of: $0).hexadecimal)" }
    return engine.loads.map { load in
      let text = String(decoding: load.body, as: UTF8.self)
      return names.count { text.contains($0) }
    }
  }

  @Test func `a layer that the name's image has is left out`() async throws {
    try await loading { _ in
    } _: { load, engine, store in
      let result = try await load()
      #expect(result.isChanged)
      #expect(result.id == store.id)
      #expect(result.layersSent == 1)
      #expect(layersSent(engine) == [1])
      #expect(result.bytesSent == engine.loads.first.map { Int64($0.body.count) })
      let again = try await load()
      #expect(!again.isChanged)
      #expect(engine.loads.count == 1)
    }
  }

  @Test func `an unpacking that failed by an ordinary message is made good by the whole`()
    async throws
  {
    try await loading {
      $0.answer = { number in
        let failure = #"{"stream":"Loaded image\nError unpacking image lab/app:dev: no content"}"#
        return number == 1 ? .init(body: failure) : Self.loaded
      }
    } _: { load, engine, _ in
      let result = try await load()
      #expect(layersSent(engine) == [1, 2])
      #expect(result.bytesSent == engine.loads.reduce(0) { $0 + Int64($1.body.count) })
      #expect(result.layersSent == 2)
    }
  }

  @Test func `an image that lacks a blob, as Docker 27 tells it, is made good by the whole`()
    async throws
  {
    try await loading {
      $0.isAvailable = { $0 > 1 }
    } _: { load, engine, _ in
      let result = try await load()
      #expect(result.isChanged)
      #expect(layersSent(engine) == [1, 2])
    }
  }

  @Test func `the right image that lacks a blob is not taken for unchanged`() async throws {
    try await loading {
      $0.isAvailable = { $0 > 0 }
    } _: { load, engine, store in
      store.state.withLock {
        $0.names[Self.reference] = (store.id, Self.image.diffIDs)
      }
      let result = try await load()
      #expect(result.isChanged)
      #expect(engine.loads.count == 1)
    }
  }

  @Test func `an image for another machine may stay packed`() async throws {
    var foreign = Self.image
    foreign.architecture = "s390x"
    try await loading(foreign) {
      $0.isUnpacked = { _ in false }
      $0.isAvailable = { _ in true }
    } _: { load, engine, _ in
      let result = try await load()
      #expect(result.layersSent == 1)
      #expect(engine.loads.count == 1)
    }
  }

  @Test func `an image that stays packed and incomplete is refused, and the name stays`()
    async throws
  {
    try await loading {
      $0.isUnpacked = { _ in false }
      $0.isAvailable = { _ in false }
    } _: { load, engine, store in
      let error = await #expect(throws: RuntimeError.self) { try await load() }
      #expect(
        error?.message == "lab/app:dev: docker stored the image, but did not unpack it")
      #expect(layersSent(engine) == [1, 2])
      #expect(store.state.withLock { $0.names[Self.reference]?.id } == Digest(of: [1]))
    }
  }

  @Test func `what is refused whole is told in the engine's words, and the name stays`()
    async throws
  {
    try await loading {
      $0.answer = { _ in .init(body: #"{"errorDetail":{"message":"no space"},"error":"no space"}"#)
      }
    } _: { load, engine, store in
      let error = await #expect(throws: RuntimeError.self) { try await load() }
      #expect(error?.description == "lab/app:dev: docker refused the image: no space")
      #expect(engine.loads.count == 2)
      #expect(store.state.withLock { $0.names[Self.reference]?.id } == Digest(of: [1]))
    }
  }

  @Test func `a whole image that is refused is not sent again`() async throws {
    try await loading(named: nil) {
      $0.answer = { _ in .init(status: 500, body: #"{"message":"no space"}"#) }
    } _: { load, engine, _ in
      await #expect(throws: RuntimeError.self) { try await load() }
      #expect(layersSent(engine) == [2])
    }
  }

  @Test func `a name that does not move is a failure`() async throws {
    try await loading {
      $0.isTagged = false
    } _: { load, _, _ in
      let error = await #expect(throws: RuntimeError.self) { try await load() }
      #expect(error?.kind == .mismatch)
      #expect(error?.description.contains("but holds \(Digest(of: [1]))") == true)
    }
  }

  @Test func `an engine that goes away in mid-load is told`() async throws {
    try await loading(named: nil) {
      $0.answer = { _ in .init(body: "", isDropped: true) }
    } _: { load, _, _ in
      let error = await #expect(throws: RuntimeError.self) { try await load() }
      #expect(error?.kind == .unreachable)
    }
  }

  @Test(arguments: [
    ("app:dev", "app:dev"), ("docker.io/library/app:dev", "app:dev"),
    ("docker.io/lab/app:dev", "lab/app:dev"), ("localhost/app:dev", "localhost/app:dev"),
  ])
  func `Docker lists a name without what it adds itself`(name: String, listed: String) {
    #expect(ImageReference(name)?.familiar == listed)
  }
}
