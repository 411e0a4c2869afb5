import Basics
import Foundation
import TestSupport
import Testing

/// A workspace so large that Bazel's server watches it, too.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(LoopScene.files))
struct LoopTestsServerWatch {
  private let scene: LoopScene
  private var workspace: BazelWorkspace { scene.workspace }

  init() throws { scene = try LoopScene(#require(BazelServer.workspace)) }

  /// Whether each build so far went by the watch, or started it.
  private func builds() throws -> [Bool] {
    try String(contentsOfFile: "\(scene.home)/commands", encoding: .utf8)
      .split(separator: "\n").filter { $0.contains("build --keep_going") }
      .map { $0.contains(" --watchfs") }
  }

  private func content() throws -> String? { try scene.content(of: "large") }

  @Test func `every save is in the image, and another hand's command ends the watch`() async throws
  {
    for number in 0..<5000 { try workspace.write("large/many/\(number)", "") }
    try workspace.write("large/in.txt", "v")
    try workspace.write("large/other.txt", "o")
    try workspace.write(
      "large/BUILD",
      """
      genrule(
          name = "count", srcs = glob(["many/**"]), outs = ["count.txt"],
          cmd = "echo $(SRCS) | wc -w > $@")

      """ + LoopScene.image("large", from: "[\":count\", \"in.txt\", \"other.txt\"]"))
    let dev = try await scene.dev("//large:image")
    // The first starts the watch.
    for count in 0..<4 {
      try await save("large/in.txt", "v\(count)", in: dev)
      #expect(try content() == "5000\nv\(count)o")
    }
    let start = dev.last
    // Renamed into place, as editors do, together with another file.
    try await scene.inOneBatch {
      try workspace.write("large/in.txt~", "w")
      try Tool.run(
        "mv", ["\(workspace.root)/large/in.txt~", "\(workspace.root)/large/in.txt"])
      try workspace.write("large/other.txt", "p")
    }
    _ = try await dev.cycle(after: start)
    #expect(try content() == "5000\nwp")
    // Where the machine is busy the server may see a save too late, and it is built again.
    let first = try builds()
    #expect(first.prefix(2) == [false, true] && first.count(where: \.self) > 1, "\(first)")
    // A new file has the graph asked for, which looks at everything.
    try await save("large/many/new", "", in: dev)
    #expect(try content() == "5001\nwp")
    try await save("large/in.txt", "x", in: dev)
    try await save("large/in.txt", "y", in: dev)
    #expect(try content() == "5001\nyp")
    _ = try workspace.terminal("info", "release")
    try await save("large/in.txt", "z", in: dev)
    #expect(try content() == "5001\nzp")
    #expect(try builds().last == false)
    #expect(try await dev.interrupt() == 130)
  }

  private func save(_ path: String, _ text: String, in dev: WatchbuildProcess) async throws {
    let start = dev.last
    try workspace.write(path, text)
    _ = try await dev.cycle(after: start)
  }
}
