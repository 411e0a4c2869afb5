import Bazel
import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

/// A Bazel whose server waits for a named pipe that nobody writes to.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel)
struct StuckServerTests {
  @Test func `a server that is stuck is told with its process, for a build and for a query`()
    async throws
  {
    let workspace = try BazelWorkspace([
      "a/d/x": "x",
      "a/BUILD": """
      genrule(name = "i", srcs = glob(["d/**"]), outs = ["i.tar"], cmd = "cat $(SRCS) > $@")
      """,
    ])
    do {
      try await isTold(in: workspace)
    } catch {
      await workspace.end()
      throw error
    }
    await workspace.end()
  }

  private func isTold(in workspace: BazelWorkspace) async throws {
    let bazel = try workspace.bazel()
    let label = try #require(Label("//a:i"))
    let request = BuildRequest(targets: [label])
    #expect(try await bazel.build(request, update: { _ in }).exitCode == 0)
    let pipe = workspace.root.appending("a").appending("d").appending("pipe")
    #expect(mkfifo(pipe.string, 0o644) == 0)

    let building = BuildUpdates()
    let build = Task { try await bazel.build(request, update: building.add) }
    try await isTold(building, in: workspace)
    let result = try await build.value
    #expect(result.isTroubled)

    unlink(pipe.string)
    #expect(mkfifo(workspace.root.appending("a").appending("x.bzl").string, 0o644) == 0)
    try workspace.write("a/BUILD", "load(\":x.bzl\", \"x\")\n")
    let querying = BuildUpdates()
    let query = Task { try await bazel.query([label], update: querying.add) { _ in } }
    try await isTold(querying, in: workspace)
    await #expect(throws: BazelError.self) { try await query.value }
  }

  /// Waits for the notice, and does what it says.
  private func isTold(_ updates: BuildUpdates, in workspace: BazelWorkspace) async throws {
    await updates.reach { !$0.notices.isEmpty }
    let server = try #require(try await workspace.serverID())
    let notice = updates.notices.first ?? ""
    #expect(notice.hasPrefix("Bazel has not answered for 1"))
    #expect(notice.contains("named pipe"))
    #expect(notice.contains("'kill \(server)'"))
    kill(server, SIGKILL)
  }
}
