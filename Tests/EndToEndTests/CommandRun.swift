import Foundation
import SystemPackage
import TestSupport

/// What a command of watchbuild came to that was run to its end.
struct CommandRun: Sendable {
  /// 128 + N after a signal.
  var exit: Int32
  /// What it wrote to standard output, events left out.
  var output: String
  var events: [RecordedEvent]
  /// What it wrote to standard error.
  var errors: String

  var errorLines: [Substring] { errors.split(separator: "\n") }

  /// Images with one of the status, each once.
  func images(_ status: String) -> Set<String> {
    Set(events.filter { $0.type == "image" && $0.status == status }.compactMap(\.image))
  }

  /// Why an image failed.
  func error(of image: String) -> String {
    events.first { $0.status == "failed" && $0.image == image }?.error ?? ""
  }
}

extension BazelWorkspace {
  /// The directory around it, which goes with it.
  var home: FilePath { root.removingLastComponent() }

  var state: FilePath { home.appending("state") }

  /// Starts `watchbuild` here, or in another directory, with a state directory of the test's own.
  ///
  /// `docker` is the `DOCKER_HOST`; by default a socket that is not there.
  func start(
    _ arguments: [String], in directory: FilePath? = nil, docker: String? = nil,
    environment: [String: String] = [:], under script: String? = nil
  ) throws -> WatchbuildProcess {
    let own = [
      "PATH": "\(home)/bin:\(testBazel.searchPath)",
      "XDG_STATE_HOME": state.string,
      "DOCKER_HOST": docker ?? "unix://\(home)/no-docker.sock",
      "CONTAINER_HOST": "unix://\(home)/no-podman.sock",
      "KUBECONFIG": "/dev/null",
    ]
    return try WatchbuildProcess(
      arguments, in: directory ?? root, environment: own.merging(environment) { $1 },
      under: script)
  }

  /// Runs `watchbuild` to its end.
  func run(
    _ arguments: [String], in directory: FilePath? = nil, docker: String? = nil,
    environment: [String: String] = [:]
  ) async throws -> CommandRun {
    let process = try start(
      arguments, in: directory, docker: docker, environment: environment)
    let exit = try await process.exit()
    return CommandRun(
      exit: exit, output: process.output, events: process.events, errors: process.errors)
  }

  /// What a command that has ended must not leave in the state directory.
  func leftovers() throws -> String {
    try Tool.run(
      "find",
      [
        state.string, "-name", "*.lock", "-o", "-name", "*.sock", "-o", "-name", "build-events*",
        "-o", "-name", ".tmp*",
      ])
  }
}

extension Storefront {
  /// The image IDs of the tars that the last build left here, read without watchbuild's own reader.
  func builtImages() throws -> [String: String] {
    var digests: [String: String] = [:]
    for image in Self.images {
      let tar = "\(root)/bazel-bin/services/\(image)/image.tar"
      let script = #"tar -xOf "$1" --wildcards '????????????????*.json' | sha256sum | cut -c1-64"#
      let digest = try Tool.run("sh", ["-c", script, "sh", tar])
      digests[image] = "sha256:" + digest.trimmingCharacters(in: .newlines)
    }
    return digests
  }

  /// Changes a file for as long as `body` runs.
  func editing(
    _ path: String, _ change: (inout String) -> Void, _ body: () async throws -> Void
  ) async throws {
    var original = ""
    try edit(path) { text in
      original = text
      change(&text)
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    try workspace.write(path, original)
    try result.get()
  }
}
