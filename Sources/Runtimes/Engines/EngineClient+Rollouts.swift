import AsyncHTTPClient
package import Basics
import Images
import NIOCore
import NIOHTTP1
import Processes

/// Containers: made, started, looked at, stopped, removed.
extension EngineClient {
  /// As the engine shows it; `nil`: there is none.
  package func container(_ name: String) async throws -> JSON? {
    try await get(
      JSON.self, "/containers/\(name.percentEncoded)/json", limit: .seconds(60), orMissing: true)
  }

  /// A container with the configuration of its image.
  package func containerSpec(_ name: String) async throws -> ContainerSpec? {
    guard let container = try await container(name) else { return nil }
    let image = try await get(
      JSON.self, "/images/\(container["Image"]?.string ?? "")/json", limit: .seconds(60),
      orMissing: true)
    return ContainerSpec(container: container, imageConfig: image?["Config"])
  }

  package func create(_ name: String, _ body: JSON) async throws {
    try await command(
      .POST, "/containers/create?name=\(name.percentEncoded)", body, "does not make \(name)")
  }

  package func connect(_ container: String, to network: String, _ settings: JSON) async throws {
    try await command(
      .POST, "/networks/\(network.percentEncoded)/connect",
      .object(["Container": .string(container), "EndpointConfig": settings]),
      "does not connect \(container) to \(network)")
  }

  /// Makes a container that is configured like another, and does not start it.
  ///
  /// - Parameter image: Its image's name or ID.
  package func make(_ name: String, like spec: ContainerSpec, from image: String) async throws {
    try await create(name, spec.creation(from: image))
    for (network, settings) in spec.endpoints.dropFirst() {
      try await connect(name, to: network, settings)
    }
  }

  package func start(_ name: String) async throws {
    try await command(
      .POST, "/containers/\(name.percentEncoded)/start", nil, "does not start \(name)",
      passing: [304])
  }

  /// By its own signal, and its own time limit.
  package func stop(_ name: String) async throws {
    try await command(
      .POST, "/containers/\(name.percentEncoded)/stop", nil, "does not stop \(name)",
      passing: [304, 404], limit: .minutes(10))
  }

  package func rename(_ name: String, to other: String) async throws {
    try await command(
      .POST, "/containers/\(name.percentEncoded)/rename?name=\(other.percentEncoded)", nil,
      "does not rename \(name)")
  }

  /// With force also one that runs; its volumes stay. One that is not there, or is going, is no error.
  package func removeContainer(_ name: String) async throws {
    try await command(
      .DELETE, "/containers/\(name.percentEncoded)?force=true", nil, "does not remove \(name)",
      passing: [404, 409])
  }

  /// The last lines that a container wrote; none where they can't be had.
  package func lastLines(of name: String, _ count: Int = 20) async -> [String] {
    let path =
      "/containers/\(name.percentEncoded)/logs?stdout=true&stderr=true&tail=\(count)"
    let bytes = try? await execute(request(path, .GET), deadline: .now() + .seconds(10)) {
      response in
      response.status == .ok ? try await Self.collect(response.body) : []
    }
    return ContainerLog.lines(bytes ?? [])
  }

  private func command(
    _ method: HTTPMethod, _ path: String, _ body: JSON?, _ failure: String,
    passing: Set<UInt> = [], limit: TimeAmount = .seconds(120)
  ) async throws {
    var request = request(path, method)
    if let body {
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(JSON.encode(body))
    }
    let (status, words) = try await execute(request, deadline: .now() + limit) { response in
      (response.status.code, EngineAnswer.message(of: try await Self.collect(response.body)))
    }
    guard !(200..<300).contains(status), !passing.contains(status) else { return }
    throw RuntimeError(
      runtime: runtime, kind: .refused, message: "\(runtime) \(failure): \(words)")
  }
}

/// The output of a container, as engines hand it out.
enum ContainerLog {
  /// Lines as text. Without a terminal, pieces of the two streams are framed: eight bytes, of which the last four
  /// are the length.
  ///
  /// Source: https://docs.docker.com/reference/api/engine (ContainerAttach, "Stream format")
  static func lines(_ bytes: [UInt8]) -> [String] {
    var text: [UInt8] = []
    var rest = bytes[...]
    while rest.count >= 8, let kind = rest.first, kind <= 2,
      rest.dropFirst().prefix(3).allSatisfy({ $0 == 0 })
    {
      let length = rest.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(8)
      text += rest.prefix(length)
      rest = rest.dropFirst(length)
    }
    // With a terminal there is no frame.
    text += rest
    var lines = Lines()
    let whole = lines.add(text)
    return (whole + (lines.finish().map { [$0] } ?? [])).map(Lines.text)
  }
}
