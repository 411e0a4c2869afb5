import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing
import Watcher

/// Saves in places that a watcher of the whole tree would not see, or would lose.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(LoopScene.files))
struct LoopTestsWatched {
  private let scene: LoopScene
  private var workspace: BazelWorkspace { scene.workspace }

  init() throws { scene = try LoopScene(#require(BazelServer.workspace)) }

  @Test func `a file in a directory of .bazelignore is watched where a package above names it`()
    async throws
  {
    try workspace.write(".bazelignore", "web/dist\n")
    try workspace.write("web/BUILD", LoopScene.image("web", from: "[\"dist/bundle.js\"]"))
    try workspace.write("web/dist/bundle.js", "1")
    try workspace.write("web/dist/other.js", "1")
    let dev = try await scene.dev("//web:image")
    try workspace.write("web/dist/bundle.js", "2")
    let held = try await scene.settled("web", "2")
    #expect(held == "2")
    #expect(try await dev.interrupt() == 130)
    workspace.remove(".bazelignore")
  }

  @Test func `an image is found once its package is ignored no more`() async throws {
    try workspace.write(".bazelignore", "hidden\n")
    try workspace.write("hidden/in.txt", "1")
    try workspace.write(
      "hidden/BUILD", LoopScene.image("hidden", from: "[\"in.txt\"]", tags: "\"watchbuild\""))
    try workspace.write("seen/in.txt", "1")
    try workspace.write(
      "seen/BUILD", LoopScene.image("seen", from: "[\"in.txt\"]", tags: "\"watchbuild\""))
    let dev = try await scene.dev()
    let start = dev.last
    #expect(try scene.content(of: "hidden") == nil)
    try workspace.write(".bazelignore", "\n")
    try await dev.wait(for: "the image", after: start, seconds: 60) {
      $0.target == "//hidden:image" && $0.status == "loaded"
    }
    // What lies there is watched from then on.
    try workspace.write("hidden/in.txt", "2")
    let held = try await scene.settled("hidden", "2")
    #expect(held == "2")
    #expect(try await dev.interrupt() == 130)
    workspace.remove(".bazelignore")
    workspace.remove("hidden/BUILD")
    workspace.remove("seen/BUILD")
  }

  /// Whether Bazel itself sees the mount is a matter of its sandbox and its namespace.
  @Test(.enabled(if: getuid() == 0 || Tool.isRequired, "mounting takes root"))
  func `saves below a directory that is mounted over are seen`() async throws {
    try workspace.write("mounted/BUILD", LoopScene.image("mounted", from: "[\"data/in.txt\"]"))
    try workspace.write("mounted/data/in.txt", "1")
    try workspace.write("../beside/in.txt", "2")
    let dev = try await scene.dev("//mounted:image")
    func batch(after number: Int) async throws -> RecordedEvent {
      try await dev.wait(for: "a batch", after: number, seconds: 60) { event in
        event.type == "batch"
          && event.changes?.contains { $0.path == "mounted/data/in.txt" } == true
      }
    }
    let start = dev.last
    let directory = "\(workspace.root)/mounted/data"
    try Tool.run("mount", ["--bind", "\(scene.home)/beside", directory])
    let result: Result<Void, any Error>
    do {
      let mounted = try await batch(after: start)
      _ = try await dev.cycle(after: mounted.seq)
      let later = dev.last
      try workspace.write("mounted/data/in.txt", "3")
      _ = try await batch(after: later)
      #expect(try await dev.interrupt() == 130)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try Tool.run("umount", ["-l", directory])
    try result.get()
  }

  /// The last: Bazel's server then stands in a directory that is gone.
  @Test func `a workspace that is removed and made again is watched and built again`() async throws
  {
    try workspace.write("again/BUILD", LoopScene.image("again", from: "[\"in.txt\"]"))
    try workspace.write("again/in.txt", "1")
    let dev = try await scene.dev("//again:image")
    let start = dev.last
    try Tool.run("cp", ["-a", workspace.root.string, "\(scene.home)/copy"])
    try Tool.run("rm", ["-rf", workspace.root.string])
    try await dev.wait(for: "a word", after: start, seconds: 30) { $0.type == "degraded" }
    try Tool.run("sh", ["-c", "printf 2 >'\(scene.home)/copy/again/in.txt'"])
    try Tool.run("mv", ["\(scene.home)/copy", workspace.root.string])
    let held = try await scene.settled("again", "2", seconds: 90)
    #expect(held == "2")
    try workspace.write("again/in.txt", "3")
    let later = try await scene.settled("again", "3")
    #expect(later == "3")
    #expect(try await dev.interrupt() == 130)
  }
}
