import Foundation
import TestSupport
import Testing

/// What starts no cycle: nothing but a save does.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazelInEveryWay,
  .bazelServer(LoopScene.files))
struct LoopTestsQuiet {
  private let scene: LoopScene
  private var workspace: BazelWorkspace { scene.workspace }

  init() throws { scene = try LoopScene(#require(BazelServer.workspace)) }

  /// By hand 60 s are worth their time: `WATCHBUILD_TEST_IDLE=60`.
  private var idle: Double {
    ProcessInfo.processInfo.environment["WATCHBUILD_TEST_IDLE"].flatMap { Double($0) } ?? 10
  }

  @Test func `without a save there is no cycle, and one save is one`() async throws {
    try workspace.write("quiet/BUILD", LoopScene.image("quiet", from: "[\"in.txt\"]"))
    try workspace.write("quiet/in.txt", "1")
    let dev = try await scene.dev("//quiet:image")
    let ready = try #require(dev.events.first { $0.type == "ready" })
    let before = try await scene.happened("cycle", in: dev, after: ready.seq, seconds: idle)
    #expect(before.count == 0, "\(before)")

    let start = dev.last
    try workspace.write("quiet/in.txt", "2")
    _ = try await dev.cycle(after: start)
    let cycles = try await scene.happened("cycle", in: dev, after: start, seconds: idle / 3)
    #expect(cycles.map(\.status) == ["ok"])
    #expect(dev.events.filter { $0.seq > start && $0.type == "build" }.count == 1)
    #expect(try scene.content(of: "quiet") == "2")
    #expect(try await dev.interrupt() == 130)
  }

  /// A formatter: an action that writes beside the file that it has read.
  private func formatter(of package: String, sources: String, writing text: String) -> String {
    """
    genrule(
        name = "formatter", srcs = \(sources), outs = ["formatter.txt"], local = True,
        cmd = "cat $(SRCS) > $@; echo \(text) > $$(dirname $$(readlink -f $(location in.txt)))/made.txt")

    """ + LoopScene.image(package, from: "[\":formatter\", \"made.txt\"]")
  }

  @Test func `a build that writes a source file with what it had starts no other`() async throws {
    try workspace.write(
      "equal/BUILD", formatter(of: "equal", sources: "[\"in.txt\"]", writing: "made"))
    try workspace.write("equal/in.txt", "1\n")
    try workspace.write("equal/made.txt", "made\n")
    let dev = try await scene.dev("//equal:image")
    let start = dev.last
    try workspace.write("equal/in.txt", "2\n")
    _ = try await dev.cycle(after: start)
    let cycles = try await scene.happened("cycle", in: dev, after: start, seconds: 3)
    #expect(cycles.map(\.status) == ["ok"])
    #expect(try scene.content(of: "equal") == "2\nmade\n")
    #expect(try await dev.interrupt() == 130)
  }

  @Test
  func
    `a build that writes a source file anew each time is not repeated for ever, and the file told`()
    async throws
  {
    try workspace.write(
      "other/BUILD",
      formatter(
        of: "other", sources: "[\"in.txt\", \"made.txt\"]", writing: "$$(date +%s%N)"))
    try workspace.write("other/in.txt", "1\n")
    try workspace.write("other/made.txt", "made\n")
    let dev = try await scene.dev("//other:image")
    // The first build has written it, too.
    try await dev.wait(for: "a word", seconds: 60) {
      $0.reason?.contains("other/made.txt") == true
    }
    let start = dev.last
    try workspace.write("other/in.txt", "2\n")
    try await dev.wait(for: "another word", after: start, seconds: 60) {
      $0.reason?.contains("other/made.txt") == true
    }
    let told = dev.last
    #expect(dev.events.filter { $0.seq > start && $0.type == "cycle" }.count < 10)
    let cycles = try await scene.happened("cycle", in: dev, after: told, seconds: 5)
    #expect(cycles.count < 2)
    #expect(try await dev.interrupt() == 130)
  }

  @Test(arguments: ["plain", "module"])
  func `one save in another directory that Bazel takes for a repository is one build`(
    name: String
  ) async throws {
    // Beside the workspace.
    let group =
      "filegroup(name = \"f\", srcs = glob([\"*.txt\"]), visibility = [\"//visibility:public\"])\n"
    try workspace.write("../plain/a.txt", "1")
    try workspace.write("../module/a.txt", "1")
    try workspace.write("../module/BUILD", group)
    try workspace.write("../module/MODULE.bazel", "module(name = \"module\", version = \"1\")\n")
    try workspace.write("../module/WORKSPACE", "")
    try workspace.write("local/plain.BUILD", group)
    let local = "@bazel_tools//tools/build_defs/repo:local.bzl"
    try workspace.write(
      workspace.marker,
      workspace.testBazel.root == .workspaceFile
        ? """
        local_repository(name = "module", path = "../module")
        new_local_repository(name = "plain", path = "../plain", build_file = "//local:plain.BUILD")

        """
        : """
        bazel_dep(name = "module", version = "1")
        local_path_override(module_name = "module", path = "../module")
        new_local_repository = use_repo_rule("\(local)", "new_local_repository")
        new_local_repository(name = "plain", path = "../plain", build_file = "//local:plain.BUILD")

        """)
    try workspace.write("local/BUILD", LoopScene.image("local", from: "[\"@\(name)//:f\"]"))
    let dev = try await scene.dev("//local:image")
    let start = dev.last
    try workspace.write("../\(name)/a.txt", "2")
    _ = try await dev.cycle(after: start)
    let builds = try await scene.happened("build", in: dev, after: start, seconds: 3)
    #expect(builds.count == 1)
    #expect(try scene.content(of: "local") == "2")
    #expect(try await dev.interrupt() == 130)
    try workspace.write(workspace.marker, "")
  }
}
