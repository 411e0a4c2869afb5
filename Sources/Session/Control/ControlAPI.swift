import Basics
package import Batching
import FoundationEssentials
import Glibc
package import Runner
package import SystemPackage

/// Answers the control socket's requests. Knows no socket.
package struct ControlAPI: Sendable {
  /// Asks the loop.
  package var ask: @Sendable (Request.Demand) async -> Answer
  /// How things are, as one JSON object.
  package var status: @Sendable () -> StatusReport
  /// Lines of events that come after a number; with `goesOn` also those to come.
  package var events: @Sendable (_ since: Int?, _ goesOn: Bool) -> EventLines
  /// Gives the latest output that is kept of an image; `nil`: nothing is kept.
  package var log: @Sendable (String) -> [UInt8]? = { _ in nil }
  /// Ends the run.
  package var stop: @Sendable () -> Void
  /// Measures timeouts.
  package var clock: any Clock<Duration> = ContinuousClock()
  /// Whether anything lies at a path.
  package var exists: @Sendable (FilePath) -> Bool = { path in
    var status = Glibc.stat()
    return lstat(path.string, &status) == 0
  }

  package init(
    ask: @escaping @Sendable (Request.Demand) async -> Answer,
    status: @escaping @Sendable () -> StatusReport,
    events: @escaping @Sendable (Int?, Bool) -> EventLines,
    stop: @escaping @Sendable () -> Void
  ) {
    self.ask = ask
    self.status = status
    self.events = events
    self.stop = stop
  }

  private static let routes = [
    "/v1/status": "GET", "/v1/events": "GET", "/v1/images": "GET", "/v1/trigger": "POST",
    "/v1/wait": "POST", "/v1/pause": "POST", "/v1/resume": "POST", "/v1/stop": "POST",
  ]

  func response(to request: LocalRequest) async -> ControlResponse {
    if request.isForged {
      return .error(
        403, "forbidden",
        "only programs of this machine are served: send 'Host: localhost' and no Origin")
    }
    let logs = "/v1/logs/"
    let isLog = request.path.hasPrefix(logs)
    guard let method = isLog ? "GET" : Self.routes[request.path] else {
      return .error(
        404, "unknownRoute",
        "there is no \(request.path); there are \(Self.routes.keys.sorted().joined(separator: ", "))"
      )
    }
    guard request.method == method else {
      return .error(405, "method", "\(request.path) takes \(method), not \(request.method)")
    }
    if isLog { return log(named: String(request.path.dropFirst(logs.count))) }
    do {
      return try await answer(request)
    } catch {
      return .error(400, "badRequest", error.description)
    }
  }

  private func answer(_ request: LocalRequest) async throws(BadRequest) -> ControlResponse {
    switch request.path {
    case "/v1/status": return .encoded(200, status())
    case "/v1/images": return .encoded(200, ["images": status().images])
    case "/v1/events":
      let goesOn = request.query["follow"] != "0"
      guard let text = request.query["since"] else { return .lines(events(nil, goesOn)) }
      guard let since = Int(text), since >= 0 else {
        throw BadRequest("since=\(text) is no number of an event")
      }
      return .lines(events(since, goesOn))
    case "/v1/trigger": return try await trigger(request)
    case "/v1/wait": return try await wait(request)
    case "/v1/pause": return await acknowledged(.pause)
    case "/v1/resume": return await acknowledged(.resume)
    default:
      stop()
      return .encoded(202, ["accepted": true])
    }
  }

  private func log(named image: String) -> ControlResponse {
    let name = image.percentDecoded
    return log(name).map { .text($0) }
      ?? .error(404, "noLog", "nothing is kept of an image named '\(name)'")
  }

  // MARK: Requests

  private struct TriggerBody: Decodable {
    var images: [String]?
    var wait: Bool?
    var `for`: String?
    var timeoutMs: Int?
  }

  private struct WaitBody: Decodable {
    var paths: [String]?
    var `for`: String?
    var timeoutMs: Int?
  }

  private func trigger(_ request: LocalRequest) async throws(BadRequest) -> ControlResponse {
    let body = try decode(TriggerBody.self, request.body)
    let stage = try stage(body.for)
    let demand = Request.Demand.trigger(
      Set(body.images ?? []), upTo: body.wait == true ? stage : nil)
    return response(try await ask(demand, timeoutMs: body.timeoutMs))
  }

  private func wait(_ request: LocalRequest) async throws(BadRequest) -> ControlResponse {
    let body = try decode(WaitBody.self, request.body)
    let paths = (body.paths ?? []).map { FilePath($0).lexicallyNormalized() }
    if let relative = paths.first(where: { !$0.isAbsolute }) {
      throw BadRequest("\(relative) is no absolute path")
    }
    let question = Question(
      paths.isEmpty ? .everything : .paths(paths),
      missing: Set(paths.filter { !exists($0) }), upTo: try stage(body.for))
    return response(try await ask(.wait(question), timeoutMs: body.timeoutMs))
  }

  private func acknowledged(_ demand: Request.Demand) async -> ControlResponse {
    response(await ask(demand))
  }

  private func response(_ answer: Answer) -> ControlResponse {
    switch answer {
    case .accepted: return .encoded(200, ["accepted": true])
    case .verdict(let verdict): return .encoded(200, verdict)
    case .unknownPaths(let paths):
      return .error(
        404, "unknownPath",
        "no such file: \(paths.map(\.string).joined(separator: ", ")); nor does an image depend on a "
          + "file that was there")
    case .unknownImages(let names, let known):
      let list = known.prefix(20).joined(separator: ", ")
      return .error(
        404, "unknownImage",
        "no image is named '\(names.joined(separator: "', '"))'; there are: \(list)")
    case .refused: return .error(503, "busy", "too many wait already; try again")
    }
  }

  /// Asks, and gives up after a while.
  private func ask(_ demand: Request.Demand, timeoutMs: Int?) async throws(BadRequest) -> Answer {
    guard let timeoutMs else { return await ask(demand) }
    guard (0...Self.longestTimeoutMs).contains(timeoutMs) else {
      throw BadRequest("timeoutMs is a number from 0 to \(Self.longestTimeoutMs)")
    }
    return await withTaskGroup(of: Answer.self) { group in
      group.addTask { await ask(demand) }
      group.addTask {
        // Cancelled when there is an answer; then nobody looks at this one.
        try? await clock.pause(for: .milliseconds(timeoutMs))
        return .verdict(Verdict(.timeout))
      }
      defer { group.cancelAll() }
      return await group.next() ?? .verdict(Verdict(.stopping))
    }
  }

  /// A week, as everywhere.
  private static let longestTimeoutMs = 7 * 24 * 3_600_000

  private func stage(_ text: String?) throws(BadRequest) -> Stage {
    guard let text else { return .live }
    guard let stage = Stage(rawValue: text) else {
      throw BadRequest("'for' is built, loaded or live, not '\(text)'")
    }
    return stage
  }

  private func decode<Body: Decodable>(
    _ type: Body.Type, _ bytes: [UInt8]
  ) throws(BadRequest) -> Body {
    do {
      // A request without a body asks for what is usual.
      return try JSONDecoder().decode(type, from: Data(bytes.isEmpty ? Array("{}".utf8) : bytes))
    } catch {
      throw BadRequest("the body is no JSON object as it should be: \(Self.reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another kind"
    default: "it can't be read"
    }
  }
}

/// A request that makes no sense.
private struct BadRequest: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
