import Basics
import Foundation
import Glibc
import Session
import SystemPackage
import TestSupport

/// A workspace of one image, `w`, and `dev` in it with a control socket of the test's own.
///
/// The image holds what the files of `w` hold; one that says BROKEN fails its build.
struct ControlScene: Sendable {
  let loop: LoopScene
  var workspace: BazelWorkspace { loop.workspace }

  /// Where the socket's directory is made.
  private var runtime: FilePath { loop.home.appending("run") }

  init(_ workspace: BazelWorkspace) throws {
    loop = try LoopScene(workspace)
    try Tool.run("mkdir", ["-p", "-m", "700", runtime.string])
    try workspace.write("w/BUILD", Self.build)
    try save("0")
  }

  private static let build = #"""
    genrule(
        name = "image", srcs = glob(["*.txt"]), outs = ["image.tar"], tags = ["watchbuild"],
        tools = ["//tools:image.sh"],
        cmd = "if grep -q BROKEN $(SRCS); then echo 'w/in.txt:1:1: error: it is broken' >&2; exit 1; fi;" +
              "bash $(location //tools:image.sh) $@ w $(SRCS)")

    """#

  /// Writes the image's source.
  func save(_ text: String) throws { try workspace.write("w/in.txt", text) }

  // MARK: Programs

  private var environment: [String: String] { ["XDG_RUNTIME_DIR": runtime.string] }

  /// Starts `dev` and waits until it is ready.
  func dev(_ arguments: String...) async throws -> WatchbuildProcess {
    let dev = try workspace.start(
      ["dev", "--output", "json", "--load", "oci:\(store)"] + arguments, environment: environment)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  /// Runs a command beside it.
  func run(_ arguments: String...) async throws -> CommandRun {
    try await workspace.run(arguments, environment: environment)
  }

  func start(_ arguments: String...) throws -> WatchbuildProcess {
    try workspace.start(arguments, environment: environment)
  }

  // MARK: The socket

  var place: ControlPlace {
    get throws {
      let places = ControlPlace.places(
        for: workspace.root, state: workspace.state, environment: environment)
      guard let place = places.first, place.directory.starts(with: runtime) else {
        throw WatchbuildProcess.Failure(description: "no place for the socket")
      }
      return place
    }
  }

  struct Verdict: Decodable, Sendable {
    var verdict: String
  }

  /// Waits over the socket, without the time that a program takes to start.
  ///
  /// - Returns: The verdict, and what the store's index held the moment it came.
  func wait(on path: String = "w/in.txt") async throws -> (verdict: String, index: Data) {
    let (place, store) = (try place, store)
    let body = #"{"paths":["\#(workspace.root.pushing(FilePath(path)))"],"timeoutMs":120000}"#
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result {
            let answer = try ControlClient(places: [place]).ask(
              "POST", "/v1/wait", body: Array(body.utf8))
            let index = try Data(contentsOf: URL(fileURLWithPath: "\(store)/index.json"))
            guard answer.status == 200 else {
              throw WatchbuildProcess.Failure(
                description: String(decoding: answer.body, as: UTF8.self))
            }
            let verdict = try JSONDecoder().decode(Verdict.self, from: Data(answer.body))
            return (verdict.verdict, index)
          })
      }
    }
  }

  // MARK: The store

  private var store: FilePath { loop.home.appending("loaded") }

  /// What the image held, given the store's index of some moment.
  func content(in index: Data) throws -> String {
    struct Index: Decodable {
      struct Entry: Decodable { var digest: String }
      var manifests: [Entry]
    }
    struct Manifest: Decodable {
      struct Layer: Decodable { var digest: String }
      var layers: [Layer]
    }
    func blob(_ digest: String) -> String {
      "\(store)/blobs/\(digest.replacingOccurrences(of: ":", with: "/"))"
    }
    guard let entry = try JSONDecoder().decode(Index.self, from: index).manifests.first else {
      throw WatchbuildProcess.Failure(description: "an empty store")
    }
    let manifest = try JSONDecoder().decode(
      Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: blob(entry.digest))))
    guard let layer = manifest.layers.first else { return "" }
    return try Tool.run("tar", ["-xOf", blob(layer.digest), "content"])
  }
}
