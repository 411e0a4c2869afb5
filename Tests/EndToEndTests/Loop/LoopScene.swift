import Basics
import Foundation
import SystemPackage
import TestSupport

/// A workspace of small images whose actions a test holds and lets go by files, and `dev` in it.
///
/// An image's only layer has one file, `content`: what the image's sources held one after the other.
struct LoopScene: Sendable {
  let workspace: BazelWorkspace

  init(_ workspace: BazelWorkspace) throws {
    self.workspace = workspace
    // A bazel in front of the real one, which a test can hold too.
    try Tool.run("mkdir", ["-p", "\(home)/bin"])
    try set(
      "bin/bazel",
      """
      #!/bin/sh
      echo "$*" >>'\(home)/commands'
      while [ -e '\(home)/hold' ]; do sleep 0.02; done
      exec '\(workspace.testBazel.program)' "$@"

      """)
    try Tool.run("chmod", ["+x", "\(home)/bin/bazel"])
  }

  var home: FilePath { workspace.home }

  /// What every package here needs.
  static let files = ["tools/BUILD": "exports_files([\"image.sh\"])\n", "tools/image.sh": script]

  /// A rule whose output is an image named `loop/NAME:dev`.
  static func image(
    _ name: String, target: String = "image", from sources: String, tags: String = ""
  ) -> String {
    """
    genrule(
        name = "\(target)", srcs = \(sources), outs = ["\(target).tar"], tags = [\(tags)],
        tools = ["//tools:image.sh"],
        cmd = "bash $(location //tools:image.sh) $@ \(name) $(SRCS)")

    """
  }

  /// A rule that copies its sources once `HOME/NAME.go` is there; `HOME/NAME.started` and
  /// `HOME/NAME.ended` tell where it is.
  func held(_ name: String, from sources: String) -> String {
    let at = "\(home)/\(name)"
    return """
      genrule(
          name = "held", srcs = \(sources), outs = ["held.txt"], local = True,
          cmd = "touch \(at).started; while [ ! -e \(at).go ]; do sleep 0.02; done;" +
                "cat $(SRCS) > $@; touch \(at).ended")

      """
  }

  // MARK: Files

  func set(_ name: String, _ text: String = "") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(home)/\(name)"))
  }

  func unset(_ name: String) { unlink("\(home)/\(name)") }

  func isSet(_ name: String) -> Bool { access("\(home)/\(name)", F_OK) == 0 }

  /// Waits for a file in the directory around the workspace.
  func reach(_ name: String, seconds: Int = 120) async throws {
    for _ in 0..<(seconds * 100) where !isSet(name) {
      // A real action is waited for: there is no clock to move.
      try await ContinuousClock().pause(for: .milliseconds(10))
    }
    guard isSet(name) else { throw WatchbuildProcess.Failure(description: "no \(name)") }
  }

  /// Does something while version control seems to be at work, so that all of it is one batch.
  func inOneBatch(_ body: () async throws -> Void) async throws {
    try workspace.write(".git/index.lock", "")
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    workspace.remove(".git/index.lock")
    try result.get()
  }

  // MARK: dev

  /// Starts `dev` and waits until it is ready.
  func dev(_ arguments: String..., docker: String? = nil) async throws -> WatchbuildProcess {
    let load = docker == nil ? ["--load", "oci:\(store)"] : ["--load", "docker"]
    let dev = try workspace.start(["dev", "--output", "json"] + load + arguments, docker: docker)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  /// What happened of some kind in the next seconds after an event.
  func happened(
    _ type: String, in dev: WatchbuildProcess, after: Int, seconds: Double
  ) async throws -> [RecordedEvent] {
    // That nothing comes can only be waited for.
    try await ContinuousClock().pause(for: .seconds(seconds))
    return dev.events.filter { $0.seq > after && $0.type == type }
  }

  // MARK: What was loaded

  private var store: FilePath { home.appending("loaded") }

  /// What the image in the store holds; `nil`: there is none.
  func content(of name: String) throws -> String? {
    struct Index: Decodable {
      struct Entry: Decodable {
        var digest: String
        var annotations: [String: String]?
      }
      var manifests: [Entry]
    }
    struct Manifest: Decodable {
      struct Layer: Decodable { var digest: String }
      var layers: [Layer]
    }
    func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
      try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
    func blob(_ digest: String) -> String {
      "\(store)/blobs/\(digest.replacingOccurrences(of: ":", with: "/"))"
    }
    let index = try decode(Index.self, "\(store)/index.json")
    let entry = index.manifests.first {
      $0.annotations?["org.opencontainers.image.ref.name"] == "loop/\(name):dev"
    }
    guard let entry, let layer = try decode(Manifest.self, blob(entry.digest)).layers.first
    else { return nil }
    return try Tool.run("tar", ["-xOf", blob(layer.digest), "content"])
  }

  /// Waits until the image in the store holds this and nothing else is under way.
  ///
  /// - Returns: What it holds in the end.
  func settled(_ name: String, _ expected: String, seconds: Int = 60) async throws -> String? {
    for _ in 0..<(seconds * 10) where try content(of: name) != expected {
      try await ContinuousClock().pause(for: .milliseconds(100))
    }
    try await ContinuousClock().pause(for: .milliseconds(1500))
    return try content(of: name)
  }

  /// `image.sh OUT NAME SOURCE...`
  private static let script = #"""
    set -eu
    out=$PWD/$1 name=$2
    shift 2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cat /dev/null "$@" >"$work/content"
    cd "$work"
    archive() { tar --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 -cf "$@"; }
    archive layer.tar content
    layer=$(sha256sum <layer.tar | cut -c1-64)
    printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
      "$layer" >config.json
    printf '[{"Config":"config.json","RepoTags":["loop/%s:dev"],"Layers":["layer.tar"]}]' "$name" >manifest.json
    archive "$out" config.json layer.tar manifest.json
    """#
}
