import Basics
import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Loading into a real docker-registry.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"))
struct RegistryLoadTests {
  private static let scenarios = LoadScenario.all.filter {
    // What is deleted stays until the registry collects its garbage.
    !["deleted in between", "base pruned in between"].contains($0.testDescription)
  }

  @Test(arguments: scenarios)
  func `the registry holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    let host = try await TestRegistry.shared().host
    try await RegistryPush(host: host).using { runtime in
      try await scenario.run(
        LoadHarness(
          makeRuntime: { runtime }, held: { try RegistryPush.held(host, $0) }, remove: { _ in }))
    }
  }

  @Test(arguments: scenarios)
  func `so it does where tokens are wanted, and layers go in pieces`(
    scenario: LoadScenario
  ) async throws {
    let host = try await TestRegistry.sharedWithTokens().host
    let (user, password) = (TestRegistry.user, TestRegistry.password)
    try await DockerConfig.using { config in
      try config.write(user: user, password: password, for: host)
      let push = RegistryPush(host: host, environment: config.environment, pieceSize: 100_000)
      try await push.using { runtime in
        try await scenario.run(
          LoadHarness(
            makeRuntime: { runtime },
            held: { try RegistryPush.held(host, $0, login: "\(user):\(password)") },
            remove: { _ in }))
      }
    }
  }

  @Test func `a large layer goes in pieces, and skopeo copies out what was built`() async throws {
    let registry = try await TestRegistry.shared()
    let image = TestImage.named("pieces")
    let push = RegistryPush(host: registry.host, prefix: "/team", pieceSize: 200_000)
    #expect(try await push(image, as: "pieces").layersSent == 2)
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

  @Test func `120 layers, and one of them new`() async throws {
    let host = try await TestRegistry.shared().host
    var image = TestImage(layers: (0..<120).map { TestImage.layer("of-120-\($0)", "\($0)") })
    let push = RegistryPush(host: host)
    #expect(try await push(image, as: "of-120").layersSent == 120)
    image.layers[60] = TestImage.layer("of-120", "edited")
    #expect(try await push(image, as: "of-120").layersSent == 1)
    #expect(try RegistryPush.held(host, "lab/of-120:dev") == image.id)
  }

  @Test func `a layer compressed by zstd stays as it is`() async throws {
    let host = try await TestRegistry.shared().host
    let image = TestImage.named("zstd", base: 1000)
    try await withScratchDirectory { directory in
      let path = directory.appending("layer.tar")
      try path.write(image.layers[1])
      try Tool.run("zstd", ["-q", path.string])
      let archive = directory.appending("image.tar")
      let layer = try directory.appending("layer.tar.zst").read()
      try archive.write(image.ociArchive(compressedTop: layer, type: "tar+zstd"))
      try await RegistryPush(host: host).using {
        _ = try await $0.load(
          ImageArchive.open(archive), as: #require(ImageReference("lab/zstd:dev")))
      }
      let copy = directory.appending("copy")
      try Tool.run(
        "skopeo",
        [
          "--insecure-policy", "copy", "--src-tls-verify=false", "docker://\(host)/lab/zstd:dev",
          "dir:\(copy)",
        ])
      #expect(try copy.appending("\(Digest(of: layer).hexadecimal)").read() == layer)
    }
    #expect(try RegistryPush.held(host, "lab/zstd:dev") == image.id)
  }

  @Test func `a registry that is started anew in mid-load gets the image all the same`()
    async throws
  {
    let registry = try await TestRegistry()
    let push = RegistryPush(host: registry.host, pieceSize: 32_000)
    let old = TestImage.named("restart", base: 1000)
    let image = TestImage.named("restart", base: 8 << 20)
    try await push(old, as: "restart")
    let load = Task { try await push(image, as: "restart") }
    try await waitForUpload(registry)
    try await registry.daemon.pause()
    #expect(!load.isCancelled)
    try await registry.daemon.resume()
    do {
      _ = try await load.value
    } catch let error as RuntimeError where error.kind == .unreachable {
      // It took too long to come back. The name has not moved, and the build loop would come again.
      #expect(try RegistryPush.held(registry.host, "lab/restart:dev") == old.id)
      try await push(image, as: "restart")
    }
    #expect(try RegistryPush.held(registry.host, "lab/restart:dev") == image.id)
    try await registry.daemon.stop()
  }

  @Test func `a load that is cancelled between pieces moves no name and hinders none`()
    async throws
  {
    let registry = try await TestRegistry()
    let push = RegistryPush(host: registry.host, pieceSize: 32_000)
    let old = TestImage.named("cancelled", base: 1000)
    let image = TestImage.named("cancelled", base: 8 << 20)
    try await push(old, as: "cancelled")
    let load = Task { try await push(image, as: "cancelled") }
    try await waitForUpload(registry)
    load.cancel()
    await #expect(throws: CancellationError.self) { try await load.value }
    #expect(try RegistryPush.held(registry.host, "lab/cancelled:dev") == old.id)
    #expect(try await push(image, as: "cancelled").isChanged)
    #expect(try RegistryPush.held(registry.host, "lab/cancelled:dev") == image.id)
    try await registry.daemon.stop()
  }

  /// Until a part of a blob has arrived.
  private func waitForUpload(_ registry: TestRegistry) async throws {
    let root = registry.daemon.directory.appending("root").string
    for _ in 0..<600 {
      let found = try? Tool.run(
        "find", [root, "-path", "*/_uploads/*/data", "-size", "+100k", "-print", "-quit"])
      if found?.isEmpty == false { return }
      try await ContinuousClock().pause(for: .milliseconds(20))
    }
    Issue.record("no upload began")
  }
}

extension TestImage {
  /// An OCI layout whose topmost layer is stored as these bytes.
  fileprivate func ociArchive(compressedTop top: [UInt8], type: String) -> [UInt8] {
    let blobs = layers.dropLast().map { ("tar", $0) } + [(type, top)]
    let descriptors = blobs.map { type, bytes in
      """
      {"mediaType":"application/vnd.oci.image.layer.v1.\(type)","digest":"\(Digest(of: bytes))",\
      "size":\(bytes.count)}
      """
    }
    let manifest = Array(
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
      "config":{"mediaType":"application/vnd.oci.image.config.v1+json",\
      "digest":"\(id)","size":\(config.count)},"layers":[\(descriptors.joined(separator: ","))]}
      """.utf8)
    var tar = TarBuilder()
    tar.add("oci-layout", Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8))
    tar.add(
      "index.json",
      TestImage.ociIndex([
        """
        {"mediaType":"application/vnd.oci.image.manifest.v1+json",\
        "digest":"\(Digest(of: manifest))","size":\(manifest.count)}
        """
      ]))
    for blob in [manifest, config] + blobs.map(\.1) {
      tar.add("blobs/sha256/\(Digest(of: blob).hexadecimal)", blob)
    }
    return tar.finished()
  }
}
