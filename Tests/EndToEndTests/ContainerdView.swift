import Basics
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

  /// What an image prints; each prints something.
  ///
  /// `ctr run` loses the output of a program that ends before its pipes have been opened, as on a loaded machine, and
  /// ends with 0 all the same: `Task.Delete` cancels the opening. So what printed nothing is run again.
  func run(_ name: String) throws -> String {
    for _ in 0..<5 {
      // Without a control group of the namespace's, which would outlive it.
      let printed = try ctr([
        "run", "--rm", "--cgroup", "", "docker.io/\(name)",
        "run-\(UInt32.random(in: 0...(.max)))",
      ])
      if !printed.isEmpty { return printed }
    }
    return ""
  }
}

/// The names, of those that are there now, that do not go within half a minute.
///
/// Other tests load into the same daemon meanwhile, under temporary names of their own: theirs go when their loads end,
/// and what a load has left behind stays.
func lasting(_ names: () throws -> Set<String>) async throws -> Set<String> {
  var left = try names()
  for _ in 0..<300 where !left.isEmpty {
    // A real daemon is waited for: there is no clock to move.
    try await ContinuousClock().pause(for: .milliseconds(100))
    left.formIntersection(try names())
  }
  return left
}
