import Foundation
import Images
import Processes
import Runtimes
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A copy of `samples/storefront` with a Bazel server of its own, and a `bazel` in front of the
/// real one that counts.
struct Storefront: Sendable {
  static let images = ["cart", "catalog", "checkout", "payments", "web"]

  let workspace: BazelWorkspace
  private let home: FilePath
  private let clean: CleanCopy

  var root: FilePath { workspace.root }

  init() async throws {
    workspace = try BazelWorkspace()
    clean = CleanCopy(bazel: workspace.testBazel)
    home = workspace.root.removingLastComponent()
    let sample = WatchbuildProcess.packageDirectory.path + "/samples/storefront/."
    try await Self.run("cp", ["-r", sample, root.string])
    try await Self.run("mkdir", ["-p", "\(home)/bin"])
    let wrapper =
      "#!/bin/sh\necho \"$*\" >>'\(home)/commands'\nexec '\(workspace.testBazel.program)' \"$@\"\n"
    try Data(wrapper.utf8).write(to: URL(fileURLWithPath: "\(home)/bin/bazel"))
    try await Self.run("chmod", ["+x", "\(home)/bin/bazel"])
  }

  func end() async {
    await workspace.end()
    await clean.end()
  }

  /// Starts `watchbuild` in the workspace, with JSON Lines where the command writes events.
  ///
  /// - Parameter script: See `WatchbuildProcess`.
  func watchbuild(
    _ arguments: [String], docker: String? = nil, under script: String? = nil
  ) throws -> WatchbuildProcess {
    try WatchbuildProcess(
      arguments, in: root,
      environment: [
        "PATH": "\(home)/bin:\(workspace.testBazel.searchPath)",
        "XDG_STATE_HOME": state.string,
        "DOCKER_HOST": docker ?? "unix://\(home)/no-docker.sock",
        "CONTAINER_HOST": "unix://\(home)/no-podman.sock",
      ], under: script)
  }

  var state: FilePath { home.appending("state") }

  /// Bazel's commands so far, without their arguments.
  func commands() -> [String] {
    let text = (try? String(contentsOfFile: "\(home)/commands", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map { line in
      String(line.split(separator: " ").first { !$0.hasPrefix("-") } ?? "")
    }
  }

  func edit(_ path: String, _ change: (inout String) -> Void) throws {
    var text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    change(&text)
    try workspace.write(path, text)
  }

  // MARK: Digests

  /// The image IDs that a clean build of the files on disk gives: made in another directory, with
  /// another server, and read from the tars without watchbuild's own reader.
  func cleanBuild() async throws -> [String: String] {
    let other = try clean.workspace()
    try await Self.run(
      "rsync",
      ["-a", "--delete", "--exclude=/bazel-*", "--exclude=/.bazelrc", "\(root)/", "\(other.root)/"])
    // The server may stay: of what it had built nothing does.
    try other.terminal("clean")
    try other.terminal("build", "//services/...")
    var digests: [String: String] = [:]
    for image in Self.images {
      digests[image] = try await Self.digest(
        of: "\(other.root)/bazel-bin/services/\(image)/image.tar")
    }
    return digests
  }

  private static func digest(of tar: String) async throws -> String {
    let script = """
      config=$(tar -xOf '\(tar)' manifest.json | sed 's/.*"Config": *"\\([^"]*\\)".*/\\1/')
      tar -xOf '\(tar)' "$config" | sha256sum | cut -c1-64
      """
    return "sha256:" + (try await run("sh", ["-c", script])).trimmingCharacters(in: .newlines)
  }

  /// What dockerd says that it holds.
  static func ids(in docker: DockerDaemon) async throws -> [String: String] {
    let client = EngineClient(.unix(docker.socket))
    var ids: [String: String] = [:]
    for image in images {
      ids[image] = try await client.image("storefront/\(image):dev")?.id.description
    }
    await client.shutdown()
    return ids
  }

  @discardableResult
  static func run(_ program: String, _ arguments: [String]) async throws -> String {
    let collected = Collected()
    let exit = try await SubprocessRunner().run(Command(program, arguments)) { collected.add($0) }
    guard exit == .exited(0) else {
      throw WatchbuildProcess.Failure(
        description: "\(program) \(arguments.joined(separator: " ")): \(exit) "
          + collected.standardOutput)
    }
    return collected.standardOutput
  }
}

/// The workspace of a storefront's clean builds, made when the first is asked for.
private final class CleanCopy: Sendable {
  private let bazel: TestBazel
  private let made = Mutex<BazelWorkspace?>(nil)

  init(bazel: TestBazel) { self.bazel = bazel }

  func workspace() throws -> BazelWorkspace {
    try made.withLock { made in
      let workspace = try made ?? BazelWorkspace(bazel: bazel)
      made = workspace
      return workspace
    }
  }

  func end() async { await made.withLock { $0 }?.end() }
}

/// One storefront for all tests of a suite, which then must be serialized.
struct StorefrontScope: SuiteTrait, TestScoping {
  @TaskLocal static var storefront: Storefront?

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let storefront = try await Storefront()
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await Self.$storefront.withValue(storefront) { try await function() })
    } catch {
      result = .failure(error)
    }
    await storefront.end()
    try result.get()
  }
}

extension SuiteTrait where Self == StorefrontScope {
  static var storefront: Self { StorefrontScope() }
}
