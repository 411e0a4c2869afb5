import Foundation
import Glibc
import TestSupport
import Testing

private let files: [String: String] = {
  let sample = WatchbuildProcess.packageDirectory.path + "/samples/hello/"
  var files = ["greeting.txt", "make_image.sh", "show.hex", "BUILD.bazel"].reduce(
    into: [String: String]()
  ) { files, name in
    // A file that is not there fails the tests by their first build.
    files[name] = try? String(contentsOfFile: sample + name, encoding: .utf8)
  }
  files["other/BUILD.bazel"] = """
    constraint_setting(name = "setting")
    constraint_value(name = "value", constraint_setting = ":setting")
    genrule(
        name = "image", outs = ["image.tar"], cmd = "touch $@",
        target_compatible_with = [":value"], tags = ["watchbuild"])
    """
  return files
}()

/// `watchbuild build` where images lie in a remote cache, or can't be built for the platform.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel,
  .bazelServer(files))
struct RemoteCommandTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(BazelServer.workspace) }

  private func build(_ arguments: String...) async throws -> CommandRun {
    try await workspace.run(["build", "--output", "json", "--load", "none"] + arguments)
  }

  @Test(.enabled(if: RemoteExecution.isExpected, Comment(rawValue: RemoteExecution.requirement)))
  func `an image that .bazelrc leaves in the remote cache is brought here`() async throws {
    let remote = try await RemoteExecution()
    let rc = try String(contentsOfFile: "\(workspace.root)/.bazelrc", encoding: .utf8)
    defer { try? workspace.write(".bazelrc", rc) }
    try workspace.write(
      ".bazelrc",
      rc + "build --remote_cache=\(remote.address)\nbuild --remote_download_minimal\n")
    #expect(try await build("//:image").exit == 0)
    // Known to the cache, and nowhere else; after a query, as another run of watchbuild makes it.
    try workspace.terminal("clean")
    try workspace.terminal("build", "//:image")
    try workspace.terminal("query", "//:image")
    let run = try await build("//:image")
    #expect(run.exit == 0, "\(run.errors)")
    #expect(run.images("failed") == [])
    let commands = run.events.filter { $0.type == "build" }.count
    #expect((2...3).contains(commands))
  }

  @Test func `a service that does not answer is told once`() async throws {
    try workspace.terminal("clean")
    let run = try await build(
      "//:image", "--", "--remote_executor=grpc://127.0.0.1:9", "--remote_retries=0")
    #expect(run.exit == 1)
    let told = run.events.compactMap(\.reason)
    #expect(told.count == 1)
    #expect(told.first?.hasPrefix("the remote service does not answer (") == true, "\(told)")
    #expect(told.first?.hasSuffix("; 1 image waits for it") == true)
    #expect(run.images("failed") == [])
  }

  @Test func `an image for another platform fails where it is named`() async throws {
    let run = try await build("//other:image", "//:image")
    #expect(run.exit == 1)
    #expect(run.images("built") == ["image"])
    let error = run.events.first { $0.type == "image" && $0.status == "failed" }?.error ?? ""
    #expect(error.contains("//other:image is incompatible and cannot be built"), "\(error)")
  }

  @Test func `an image for another platform is left out where it was found`() async throws {
    let run = try await build()
    #expect(run.exit == 0, "\(run.errors)")
    #expect(run.images("failed") == [])
    let told = run.events.compactMap(\.reason)
    #expect(told.count == 1)
    #expect(told.first?.contains("is left out: Target ") == true, "\(told)")
  }
}
