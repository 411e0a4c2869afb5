import Bazel
import Graph
import SystemPackage
import TestSupport
import Testing

/// Images over two libraries, so that one can be made anew while the other lies in the cache alone.
private let files = [
  "a/lib.txt": "lib", "a/common.txt": "common", "a/image.txt": "image",
  "a/BUILD": """
  [genrule(name = name, srcs = [name + ".txt"], outs = [name + ".out"], cmd = "cat $< > $@")
   for name in ["lib", "common"]]

  [genrule(
      name = name, srcs = [":lib", ":common", "image.txt"], outs = [name + ".tar"],
      cmd = "cat $(SRCS) > $@; echo %s >> $@" % name) for name in ["i", "j"]]
  """,
]

/// Bazel with a real remote cache and executor.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)),
  .enabled(if: RemoteExecution.isExpected, Comment(rawValue: RemoteExecution.requirement)),
  .eachBazel, .bazelServer(files))
struct RemoteExecutionTests {
  private let workspace: BazelWorkspace
  private let bazel: Bazel
  private let updates = BuildUpdates()

  init() throws {
    workspace = try #require(BazelServer.workspace)
    bazel = try workspace.bazel()
  }

  private func build(_ options: String...) async throws -> BuildResult {
    updates.clear()
    let targets = try ["//a:i", "//a:j"].map { try #require(Label($0)) }
    return try await bazel.build(
      BuildRequest(targets: targets, options: options), update: updates.add)
  }

  /// A service that holds nothing, as does the workspace.
  private func service() async throws -> RemoteExecution {
    try workspace.terminal("clean")
    return try await RemoteExecution()
  }

  private var built: Int {
    updates.outcomes.filter { if case .built = $0.1 { true } else { false } }.count
  }

  private var actions: ActionCounts? {
    updates.all.lazy.compactMap { if case .actions(let counts) = $0 { counts } else { nil } }.first
  }

  /// Whether Bazel is new enough to run a command again by itself.
  private var retriesByItself: Bool { workspace.testBazel.root == .moduleFile }

  @Test func `what the cache has lost is made again, by Bazel or by another try`() async throws {
    let remote = try await service()
    let retries =
      retriesByItself ? "--experimental_remote_cache_eviction_retries=5" : "--keep_going"
    let options = ["--remote_executor=\(remote.address)", "--remote_download_toplevel", retries]
    #expect(try await build(options[0], options[1], options[2]).exitCode == 0)
    try await remote.evict()
    try workspace.write("a/lib.txt", "lib and more")
    let result = try await build(options[0], options[1], options[2])
    if retriesByItself {
      #expect(updates.all.contains(.retried))
      #expect(result.exitCode == 0 && !result.isTroubled)
      #expect(built == 2)
    } else {
      // Up to Bazel 6 what is lost is either made again or told; never taken for the images' failure.
      #expect(result.isTroubled || built == 2, "\(result)")
    }
    #expect(updates.diagnostics.isEmpty)
  }

  @Test func `an executor that fails is trouble, and no image's failure`() async throws {
    let remote = try await service()
    try remote.order(#"{"error": {"Execution.Execute": ["UNAVAILABLE", "down: for tests"]}}"#)
    try workspace.write("a/lib.txt", "lib of an executor that is down")
    let executor = "--remote_executor=\(remote.address)"
    let down = try await build(executor, "--remote_retries=0")
    #expect(down.isTroubled)
    #expect(down.remote == RemoteTrouble(.unreachable, reason: "UNAVAILABLE: down: for tests"))
    #expect(updates.diagnostics.isEmpty)
    try remote.order(#"{"token": "another"}"#)
    let refused = try await build(executor, "--remote_retries=0")
    #expect(refused.remote?.kind == .refused)
    try remote.order("{}")
    #expect(try await build(executor).exitCode == 0)
    #expect(built == 2)
  }

  @Test func `a cache's hits are counted`() async throws {
    let remote = try await service()
    try workspace.write("a/lib.txt", "lib for a cache")
    let cache = "--remote_cache=\(remote.address)"
    #expect(try await build(cache).exitCode == 0)
    try workspace.terminal("clean")
    #expect(try await build(cache).exitCode == 0)
    #expect(actions?.hits == 4)
    #expect(actions?.programs == 4)
    let profile = updates.all.compactMap { if case .profile(let found) = $0 { found } else { nil } }
    #expect((profile.first?.phases.remote?.checkMs ?? 0) > 0)
  }

  @Test func `a client is not ended while outputs are on their way to the cache`() async throws {
    // Bazel 7 and later go on with it when the build has ended.
    guard retriesByItself else { return }
    let remote = try await service()
    try workspace.write("a/lib.txt", "lib on its way")
    try remote.order(
      #"{"delay": {"ByteStream.Write": 14, "ContentAddressableStorage.BatchUpdateBlobs": 14}}"#)
    let server = try await workspace.serverID()
    let cache = "--remote_cache=\(remote.address)"
    let result = try await build(cache, "--experimental_remote_cache_async")
    #expect(result.exitCode == 0)
    #expect(!updates.all.contains { if case .notice = $0 { true } else { false } })
    #expect(try await workspace.serverID() == server)
    try remote.order("{}")
    // All of it has arrived.
    try workspace.terminal("clean")
    #expect(try await build(cache).exitCode == 0)
    #expect(actions?.hits == 4)
  }
}
