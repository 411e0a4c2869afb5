import Foundation
import Images
import Processes
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Pushes images to a registry, as one user with one configuration.
struct RegistryPush: Sendable {
  var host: String
  var prefix = ""
  /// For `DOCKER_CONFIG`.
  var environment: [String: String] = [:]
  var certificates: [FilePath] = []
  var runner: any CommandRunner = SubprocessRunner()
  var pieceSize: Int64 = 32 << 20
  var patience: Duration = .seconds(120)
  var helperPatience: Duration = .seconds(60)

  /// Runs `body` with a runtime that is shut down afterwards.
  func using<Value>(_ body: (Registry) async throws -> Value) async throws -> Value {
    let runtime = Registry(
      try #require(RegistryAddress(host + prefix)), environment: environment,
      certificates: certificates, runner: runner, pieceSize: pieceSize, patience: patience,
      helperPatience: helperPatience)
    do {
      let value = try await body(runtime)
      await runtime.shutdown()
      return value
    } catch {
      await runtime.shutdown()
      throw error
    }
  }

  /// Pushes it as `lab/NAME:dev` in a run of its own.
  @discardableResult
  func callAsFunction(_ image: TestImage, as name: String) async throws -> LoadResult {
    try await using { try await Self.load(image, as: "lab/\(name):dev", into: $0) }
  }

  /// - Returns: Why it failed.
  func failure(_ image: TestImage, as name: String) async throws -> RuntimeError {
    try #require(await #expect(throws: RuntimeError.self) { try await self(image, as: name) })
  }

  static func load(
    _ image: TestImage, as name: String, into runtime: Registry
  ) async throws -> LoadResult {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      return try await runtime.load(
        ImageArchive.open(path), as: #require(ImageReference(name)))
    }
  }

  /// The digest of the configuration of what a name stands for, as skopeo sees it; `nil`: nothing.
  static func held(_ host: String, _ name: String, login: String? = nil) throws -> Digest? {
    struct Manifest: Decodable {
      struct Config: Decodable { var digest: String }
      var config: Config
    }
    let login = login.map { ["--creds", $0] } ?? []
    // There is no such image, or it is not whole.
    guard
      let text = try? Tool.run(
        "skopeo",
        ["inspect", "--tls-verify=false", "--raw"] + login + ["docker://\(host)/\(name)"])
    else { return nil }
    return Digest(try JSONDecoder().decode(Manifest.self, from: Data(text.utf8)).config.digest)
  }
}

extension TestImage {
  /// Two layers that no other name has.
  static func named(_ name: String, base: Int = 700_000) -> TestImage {
    TestImage(layers: [
      layer("\(name)-base", filling(base, seed: name)), layer("\(name)-app", "app of \(name)"),
    ])
  }
}

/// A directory for `DOCKER_CONFIG`.
struct DockerConfig {
  var directory: FilePath

  var environment: [String: String] { ["DOCKER_CONFIG": directory.string] }
  var path: FilePath { directory.appending("config.json") }

  func write(_ json: String) throws { try path.write(Array(json.utf8)) }

  func write(user: String, password: String, for host: String) throws {
    let login = Data("\(user):\(password)".utf8).base64EncodedString()
    try write(#"{"auths":{"\#(host)":{"auth":"\#(login)"}}}"#)
  }

  static func using<Value>(_ body: (DockerConfig) async throws -> Value) async throws -> Value {
    try await withScratchDirectory { try await body(DockerConfig(directory: $0)) }
  }
}
