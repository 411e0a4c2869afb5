import Foundation
import Images
import TestSupport

/// What a containerd holds, asked through its own client.
struct ContainerdView: Sendable {
  /// Runs `ctr` with these arguments.
  var ctr: @Sendable ([String]) throws -> String

  private struct Manifest: Decodable {
    struct Config: Decodable { var digest: String }
    var config: Config
  }

  /// The configuration of an image that is whole enough to run.
  func held(_ name: String) throws -> Digest? {
    let lines = try ctr(["images", "check", "name==docker.io/\(name)"]).split(separator: "\n")
    let fields = lines.last?.split(separator: " ").map(String.init) ?? []
    guard fields.first == "docker.io/\(name)", fields.last == "true",
      let manifest = fields.first(where: { $0.hasPrefix("sha256:") })
    else { return nil }
    let bytes = Data(try ctr(["content", "get", manifest]).utf8)
    return Digest(try JSONDecoder().decode(Manifest.self, from: bytes).config.digest)
  }

  /// The names of all images.
  func names() throws -> Set<String> {
    Set(try ctr(["images", "ls", "-q"]).split(separator: "\n").map(String.init))
  }

  /// Those of loads under way.
  func temporaryNames() throws -> Set<String> {
    try names().filter { $0.contains("watchbuild/loading") }
  }

  func remove(_ name: String) throws {
    _ = try ctr(["images", "rm", "--sync", "docker.io/\(name)"])
  }

  /// What an image prints.
  func run(_ name: String) throws -> String {
    // Without a control group of the namespace's, which would outlive it.
    try ctr([
      "run", "--rm", "--cgroup", "", "docker.io/\(name)", "run-\(UInt32.random(in: 0...(.max)))",
    ])
  }
}
