import Images
import Runtimes
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Docker's answers where the real one at hand gives no such ones; the rest is in EndToEndTests.
@Suite struct DockerEngineTests {
  private let image = TestImage(
    layers: [TestImage.layer("base", "base"), TestImage.layer("app", "app")])

  /// What the fake engine holds under every name.
  private final class Held: Sendable {
    let json = Mutex<String?>(nil)
    func set(_ id: Digest?, layers: [Digest] = []) {
      let layers = layers.map { "\"\($0)\"" }.joined(separator: ",")
      json.withLock { json in
        json = id.map { #"{"Id":"\#($0)","RootFS":{"Type":"layers","Layers":[\#(layers)]}}"# }
      }
    }

    /// Answers a load as an engine does that then holds the image.
    func taking(_ image: TestImage) -> @Sendable (FakeEngine.Request) -> FakeEngine.Answer {
      { _ in
        self.set(image.id, layers: image.diffIDs)
        return .init(body: "{\"stream\":\"Loaded image\"}\n")
      }
    }
  }

  private func loading<Value>(
    held: Held,
    onLoad: @escaping @Sendable (FakeEngine.Request) -> FakeEngine.Answer,
    _ body: (DockerEngine, ImageArchive, ImageReference, FakeEngine) async throws -> Value
  ) async throws -> Value {
    try await FakeEngine.serving({ request in
      if request.path.hasPrefix("/images/load") { return onLoad(request) }
      if request.path == "/info" { return .init(body: #"{"DriverStatus":[]}"#) }
      let json = held.json.withLock { $0 }
      return json.map { .init(body: $0) } ?? .init(status: 404, body: #"{"message":"none"}"#)
    }) { engine in
      try await withScratchDirectory { directory in
        let path = directory.appending("image.tar")
        try path.write(image.dockerArchive())
        let client = EngineClient(.unix(engine.socket))
        let reference = try #require(ImageReference("lab/app:dev"))
        do {
          let value = try await body(
            DockerEngine(client), try ImageArchive.open(path), reference, engine)
          await client.shutdown()
          return value
        } catch {
          await client.shutdown()
          throw error
        }
      }
    }
  }

  /// The image as a body that was sent says it.
  private static func image(in body: [UInt8]) throws -> ImageArchive {
    let path = FilePath("/tmp/wb-sent-\(Digest(of: body).hexadecimal.prefix(16)).tar")
    try path.write(body)
    defer { _ = try? Tool.run("rm", [path.string]) }
    return try ImageArchive.open(path)
  }

  @Test func `a load that leaves the name where it was is a failure`() async throws {
    let held = Held()
    held.set(Digest(of: [1]), layers: image.diffIDs)
    try await loading(
      held: held,
      onLoad: { _ in .init(body: "{\"stream\":\"Loaded image: lab/app:dev\"}\n") }
    ) { docker, archive, reference, engine in
      let error = await #expect(throws: RuntimeError.self) {
        try await docker.load(archive, as: reference)
      }
      #expect(error?.kind == .mismatch)
      #expect(error?.description.contains("but holds \(Digest(of: [1]))") == true)
      // The part came first, then the whole.
      #expect(engine.loads.count == 2)
    }
  }

  @Test func `an image that the name stood for before is told`() async throws {
    let held = Held()
    held.set(Digest(of: [1]))
    try await loading(
      held: held,
      onLoad: held.taking(image)
    ) { docker, archive, reference, _ in
      let first = try await docker.load(archive, as: reference)
      #expect(first.replaced == [reference: Digest(of: [1])])
      let second = try await docker.load(archive, as: reference)
      #expect(second.replaced.isEmpty)
    }
  }

  @Test func `what is refused in part is sent whole, once`() async throws {
    let held = Held()
    held.set(Digest(of: [1]), layers: [image.diffIDs[0]])
    let wanted = image
    try await loading(
      held: held,
      onLoad: { request in
        guard let sent = try? Self.image(in: request.body) else {
          return .init(body: #"{"errorDetail":{"message":"open layer.tar: no such file"}}"#)
        }
        held.set(sent.configDigest, layers: wanted.diffIDs)
        return .init(body: "{\"stream\":\"Loaded image\"}\n")
      }
    ) { docker, archive, reference, engine in
      let result = try await docker.load(archive, as: reference)
      #expect(engine.loads.count == 2)
      #expect(result.id == image.id)
      #expect(result.layersSent == 2)
      #expect(result.bytesSent == engine.loads.reduce(0) { $0 + Int64($1.body.count) })
    }
  }

  @Test func `a layer that another image brought is not sent again`() async throws {
    let held = Held()
    try await loading(
      held: held,
      onLoad: held.taking(image)
    ) { docker, archive, reference, _ in
      #expect(try await docker.load(archive, as: reference).layersSent == 2)
      held.set(nil)
      let other = try #require(ImageReference("lab/other:dev"))
      #expect(try await docker.load(archive, as: other).layersSent == 0)
    }
  }

  @Test func `an error status is told in the engine's words`() async throws {
    try await loading(
      held: Held(),
      onLoad: { _ in .init(status: 500, body: #"{"message":"no space left on device"}"#) }
    ) { docker, archive, reference, _ in
      let error = await #expect(throws: RuntimeError.self) {
        try await docker.load(archive, as: reference)
      }
      #expect(
        error?.description == "lab/app:dev: docker refused the image: no space left on device")
    }
  }

  @Test func `an error under status 200 is told in the engine's words`() async throws {
    try await loading(
      held: Held(),
      onLoad: { _ in .init(body: #"{"errorDetail":{"message":"no space"},"error":"no space"}"#) }
    ) { docker, archive, reference, _ in
      let error = await #expect(throws: RuntimeError.self) {
        try await docker.load(archive, as: reference)
      }
      #expect(error?.kind == .refused)
      #expect(error?.description == "lab/app:dev: docker refused the image: no space")
    }
  }

  @Test func `an archive cut short while it is sent is the archive's error`() async throws {
    try await loading(
      held: Held(), onLoad: { _ in .init(body: "") }
    ) { docker, archive, reference, engine in
      try Tool.run("truncate", ["-s", "1024", archive.path.string])
      await #expect(throws: ImageArchiveError.self) {
        try await docker.load(archive, as: reference)
      }
    }
  }
}
