import AsyncHTTPClient
import Basics
import NIOCore
import NIOHTTP1

/// The files of a container that runs: written, removed, read.
extension EngineClient {
  /// Unpacks a tar over a container's root, as the engine unpacks a layer.
  package func write(_ tar: [UInt8], into container: String) async throws {
    var request = request("/containers/\(container.percentEncoded)/archive?path=%2F", .PUT)
    request.headers.add(name: "Content-Type", value: "application/x-tar")
    request.body = .bytes(tar)
    try await expectSuccess(of: request, "does not write files into \(container)")
  }

  /// A file, a link or a directory of a container, as a tar of one entry and more.
  ///
  /// - Returns: `nil`: nothing has that path, or it is larger than 16 MiB.
  package func tar(of path: String, in container: String) async throws -> [UInt8]? {
    let request = request(
      "/containers/\(container.percentEncoded)/archive?path=\(("/" + path).percentEncoded)", .GET)
    return try await execute(request, deadline: .now() + .seconds(60)) { response in
      guard response.status == .ok else { return nil }
      return try? await Self.collect(response.body)
    }
  }

  /// Runs a program in a container, as its root, and waits for its end.
  ///
  /// - Returns: The exit code; `nil` where the engine could not run it.
  package func run(_ words: [String], in container: String) async throws -> Int? {
    var request = request("/containers/\(container.percentEncoded)/exec", .POST)
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(
      JSON.encode(
        JSON.object([
          "Cmd": .array(words.map(JSON.string)), "User": .string("0"),
          "AttachStdout": .bool(true), "AttachStderr": .bool(true),
        ])))
    let made = try await execute(request, deadline: .now() + .seconds(60)) { response in
      response.status == .created
        ? try? JSON.decode(JSON.self, from: await Self.collect(response.body)) : nil
    }
    guard let id = made?["Id"]?.string else { return nil }
    var start = self.request("/exec/\(id.percentEncoded)/start", .POST)
    start.headers.add(name: "Content-Type", value: "application/json")
    start.body = .bytes(JSON.encode(JSON.object(["Detach": .bool(false), "Tty": .bool(false)])))
    // The answer ends when the program does.
    let hasRun = try await execute(start, deadline: .now() + .seconds(60)) { response in
      guard response.status == .ok else { return false }
      for try await _ in response.body {}
      return true
    }
    guard hasRun else { return nil }
    let ended = try await get(
      JSON.self, "/exec/\(id.percentEncoded)/json", limit: .seconds(60), orMissing: true)
    guard ended?["Running"] == .bool(false) else { return nil }
    return ended?["ExitCode"]?.integer.map { Int($0) }
  }

  /// Sends a signal to a container's program.
  package func kill(_ container: String, signal: String) async throws {
    try await expectSuccess(
      of: request(
        "/containers/\(container.percentEncoded)/kill?signal=\(signal.percentEncoded)", .POST),
      "does not signal \(container)")
  }

  private func expectSuccess(of request: HTTPClientRequest, _ failure: String) async throws {
    let (status, words) = try await execute(request, deadline: .now() + .seconds(120)) { response in
      (response.status.code, EngineAnswer.message(of: try await Self.collect(response.body)))
    }
    guard !(200..<300).contains(status) else { return }
    throw RuntimeError(
      runtime: runtime, kind: .refused, message: "\(runtime) \(failure): \(words)")
  }
}

extension ContainerSpec {
  /// Why files can't be written into it as its image has them; `nil`: they can.
  ///
  /// - Parameter paths: Relative to the root.
  package func obstacle(to paths: Set<String>) -> String? {
    if container["HostConfig"]?["ReadonlyRootfs"] == .bool(true) { return "its root is read-only" }
    guard state.isRunning, container["State"]?["Paused"] != .bool(true) else {
      return "it does not run"
    }
    var mounts = (container["Mounts"]?.array ?? []).compactMap { $0["Destination"]?.string }
    mounts += (container["HostConfig"]?["Tmpfs"]?.fields ?? [:]).keys
    // Made by engines themselves.
    mounts += ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/proc", "/sys", "/dev", "/run"]
    for mount in mounts {
      let place = mount.split(separator: "/").joined(separator: "/")
      if paths.contains(where: { $0 == place || $0.hasPrefix(place + "/") }) {
        return "something is mounted at \(mount)"
      }
    }
    return nil
  }
}
