import Basics
import Session

/// Answers the requests of the page, and refuses all others.
struct DashboardService: LocalService {
  /// A page of ours loads nothing from elsewhere, is framed by nobody, and makes no HTML of text.
  private static let headers = [
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
      + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
      + "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
    "Cache-Control: no-store",
  ]

  let sources: DashboardSources
  let board: Board
  let gate: Gate

  func respond(to request: LocalRequest) async -> LocalAnswer {
    var answer = await unguarded(request)
    answer.headers += Self.headers
    return answer
  }

  func refusal(_ status: Int, _ code: String, _ message: String) -> LocalAnswer {
    let error = ["error": ["code": code, "message": message]]
    return LocalAnswer(status, type: "application/json", JSON.encode(error))
  }

  private func unguarded(_ request: LocalRequest) async -> LocalAnswer {
    let file = PageFile.all[request.path]
    switch gate.verdict(on: request, isPublic: file != nil) {
    case .forged(let reason): return refusal(403, "forbidden", reason)
    case .stranger:
      guard request.method == "GET", request.path == "/" else {
        return refusal(401, "token", "open the address that 'watchbuild dev --ui' printed")
      }
      return LocalAnswer(401, type: PageFile.locked.type, PageFile.locked.bytes)
    case .allowed: break
    }
    guard let method = file != nil ? "GET" : Self.routes[request.path] else {
      return refusal(404, "unknownRoute", "there is no \(request.path)")
    }
    guard request.method == method else {
      return refusal(405, "method", "\(request.path) takes \(method), not \(request.method)")
    }
    if let file { return LocalAnswer(200, type: file.type, file.bytes) }
    return await answer(request)
  }

  private static let routes = [
    "/": "GET", "/events": "GET", "/why": "GET", "/log": "GET", "/trace": "GET",
    "/trigger": "POST", "/pause": "POST", "/resume": "POST",
  ]

  private func answer(_ request: LocalRequest) async -> LocalAnswer {
    switch request.path {
    case "/":
      let type = "Content-Type: \(PageFile.page.type)"
      return LocalAnswer(
        200, headers: [type, "Set-Cookie: \(gate.cookie)"], .bytes(PageFile.page.bytes))
    case "/events":
      return LocalAnswer(
        200, headers: ["Content-Type: text/event-stream"],
        .chunks(PageStream(board: board, clock: sources.clock)))
    case "/why":
      let path = (request.query["path"] ?? "").percentDecoded
      guard !path.isEmpty, !path.contains("\0") else {
        return refusal(400, "badRequest", "name a path")
      }
      return LocalAnswer(200, type: "application/json", JSON.encode(await sources.why(path)))
    case "/trace": return await trace(request)
    case "/log":
      return await control("GET", "/v1/logs/" + (request.query["image"] ?? ""))
    default: return await control("POST", "/v1" + request.path, body: request.body)
    }
  }

  private func trace(_ request: LocalRequest) async -> LocalAnswer {
    guard let cycle = request.query["cycle"].flatMap({ Int($0) }) else {
      return refusal(400, "badRequest", "name a cycle by its number")
    }
    guard let trace = await sources.trace(cycle) else {
      return refusal(404, "noTrace", "no trace is kept of cycle \(cycle)")
    }
    return LocalAnswer(
      200,
      headers: [
        "Content-Type: application/json",
        "Content-Disposition: attachment; filename=\"watchbuild-cycle-\(cycle).json\"",
      ], .bytes(trace))
  }

  /// The control socket's own answer: what is done there is done here in the same way.
  private func control(
    _ method: String, _ path: String, body: [UInt8] = []
  ) async -> LocalAnswer {
    await sources.control.respond(
      to: LocalRequest(
        method, path, headers: [.init(name: "Host", value: "watchbuild")], body: body))
  }
}
