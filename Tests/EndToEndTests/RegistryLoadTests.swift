import Foundation
import Runner
import SystemPackage
import TestSupport
import Testing

/// Loading into a real docker-registry.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"))
struct RegistryLoadTests {
  private struct Manifest: Decodable {
    struct Config: Decodable { var digest: String }
    var config: Config
  }

  /// Runs `body` with a registry's client, which is shut down afterwards.
  private func using<Value>(
    _ registry: TestRegistry, prefix: String = "", environment: [String: String] = [:],
    pieceSize: Int64 = 32 << 20, _ body: (Registry) async throws -> Value
  ) async throws -> Value {
    let runtime = Registry(
      try #require(RegistryAddress(registry.host + prefix)), environment: environment,
      certificates: [registry.daemon.directory.appending("certs.d")], runner: SubprocessRunner(),
      pieceSize: pieceSize)
    do {
      let value = try await body(runtime)
      await runtime.shutdown()
      return value
    } catch {
      await runtime.shutdown()
      throw error
    }
  }

  private func held(_ registry: TestRegistry, _ name: String) throws -> Digest? {
    let reference = "docker://\(registry.host)/\(name)"
    // There is no such image, or it is not whole.
    guard
      let text = try? Tool.run("skopeo", ["inspect", "--tls-verify=false", "--raw", reference])
    else { return nil }
    let manifest = try JSONDecoder().decode(Manifest.self, from: Data(text.utf8))
    return Digest(manifest.config.digest)
  }

  private static let scenarios = LoadScenario.all.filter {
    // What is deleted stays until the registry collects its garbage.
    !["deleted in between", "base pruned in between"].contains($0.testDescription)
  }

  @Test(arguments: scenarios)
  func `the registry holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    let registry = try await TestRegistry.shared()
    try await using(registry) { runtime in
      try await scenario.run(
        LoadHarness(
          makeRuntime: { runtime }, held: { try held(registry, $0) }, remove: { _ in }))
    }
  }

  private func pushing(
    _ registry: TestRegistry, _ name: String, prefix: String = "",
    environment: [String: String] = [:], pieceSize: Int64 = 32 << 20
  ) async throws -> (image: TestImage, result: LoadResult) {
    let image = TestImage(layers: [
      TestImage.layer("\(name)-base", TestImage.filling(700_000, seed: name)),
      TestImage.layer("\(name)-app", "app"),
    ])
    return try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("registry.local/lab/\(name):dev"))
      let result = try await using(
        registry, prefix: prefix, environment: environment, pieceSize: pieceSize
      ) { try await $0.load(archive, as: reference) }
      return (image, result)
    }
  }

  @Test func `a large layer goes in pieces, and skopeo copies out what was built`() async throws {
    let registry = try await TestRegistry.shared()
    let (image, result) = try await pushing(
      registry, "pieces", prefix: "/team", pieceSize: 200_000)
    #expect(result.layersSent == 2)
    try await withScratchDirectory { directory in
      let copy = directory.appending("copy.tar")
      try Tool.run(
        "skopeo",
        [
          "--insecure-policy", "copy", "--src-tls-verify=false",
          "docker://\(registry.host)/team/lab/pieces:dev", "docker-archive:\(copy):lab/x:dev",
        ])
      let archive = try ImageArchive.open(copy)
      #expect(archive.configDigest == image.id)
      #expect(archive.layers.map(\.diffID) == image.diffIDs)
    }
  }

  @Test func `TLS and a login, from docker's file and from a helper`() async throws {
    let registry = try await TestRegistry(hasTLS: true, hasLogin: true)
    try await withScratchDirectory { home in
      let environment = ["DOCKER_CONFIG": home.string]
      // Nobody knows us yet.
      let error = await #expect(throws: RuntimeError.self) {
        try await pushing(registry, "login", environment: environment)
      }
      #expect(error?.hint == "log in: docker login \(registry.host)")

      let login = Data("\(TestRegistry.user):\(TestRegistry.password)".utf8).base64EncodedString()
      try home.appending("config.json").write(
        Array(#"{"auths":{"\#(registry.host)":{"auth":"\#(login)"}}}"#.utf8))
      #expect(
        try await pushing(registry, "login", environment: environment).result.layersSent == 2)
      #expect(
        try await !pushing(registry, "login", environment: environment).result.isChanged)
    }
    try await registry.daemon.stop()
  }

  @Test func `a certificate that nobody vouches for is refused`() async throws {
    let registry = try await TestRegistry(hasTLS: true)
    let stranger = Registry(
      try #require(RegistryAddress(registry.host)), environment: [:], certificates: [],
      runner: SubprocessRunner())
    #expect(await !stranger.isAvailable())
    await stranger.shutdown()
    try await registry.daemon.stop()
  }
}
