import Basics
import FoundationEssentials
import Session
import Settings
import SystemPackage

/// The way from a command to the `dev` of its workspace. Opens no configuration.
struct ControlConnection {
  /// The time that a `dev` may take to answer what it knows.
  private static let patience = Duration.seconds(20)

  private let client: ControlClient
  private let workspace: FilePath

  /// The process of the `dev`; 0 where it can't be told.
  var process: Int32 { client.process }

  /// - Throws: `Problem` with `.otherDev` where no `dev` runs.
  init(_ invocation: Invocation) throws(Problem) {
    workspace = try Settings.workspace(
      GivenOptions(common: invocation.common), environment: invocation.environment,
      currentDirectory: invocation.currentDirectory)
    let state = try StateDirectory.path(for: workspace, environment: invocation.environment)
    let places = ControlPlace.reachable(
      for: workspace, state: state.path, environment: invocation.environment)
    do throws(ControlClient.Failure) {
      client = try ControlClient(places: places)
    } catch {
      throw Self.problem(error, workspace)
    }
  }

  /// Asks, and gives the answer's JSON.
  ///
  /// - Parameter patience: `nil`: waits for ever.
  /// - Throws: `Problem` as the `dev` words it.
  func ask(
    _ method: String, _ path: String, _ body: some Encodable,
    patience: Duration? = ControlConnection.patience
  ) throws -> [UInt8] {
    let response: ControlClient.Response
    do {
      response = try client.ask(
        method, path, body: method == "GET" ? [] : ControlJSON.bytes(body), patience: patience)
    } catch let failure as ControlClient.Failure {
      throw Self.problem(failure, workspace)
    }
    guard (200..<300).contains(response.status) else { throw Self.refusal(response) }
    return response.body.last == 10 ? response.body.dropLast() : response.body
  }

  /// Asks for what is no question of its own.
  func ask(_ method: String, _ path: String) throws -> [UInt8] {
    try ask(method, path, [String: String]())
  }

  /// Hands on the lines of an answer that may have no end.
  func stream(_ path: String, _ take: (ArraySlice<UInt8>) throws -> Void) throws {
    var problem: (any Error)?
    var refused: [UInt8] = []
    let status: Int
    do {
      var waiting: [UInt8] = []
      status = try client.stream("GET", path) { bytes throws(ControlClient.Failure) in
        do {
          waiting += bytes
          guard let end = waiting.lastIndex(of: 10) else { return }
          try take(waiting[...end])
          waiting.removeFirst(end + 1)
        } catch {
          problem = error
          throw .broken("the output is closed")
        }
      }
      refused = waiting
    } catch {
      throw problem ?? Self.problem(error, workspace)
    }
    if status != 200 { throw Self.refusal(.init(status: status, body: refused)) }
  }

  private static func problem(
    _ failure: ControlClient.Failure, _ workspace: FilePath
  ) -> Problem {
    switch failure {
    case .nobody:
      Problem(
        "no watchbuild dev runs for \(workspace)", hint: "start 'watchbuild dev' there",
        status: .otherDev)
    case .timeout:
      Problem("the dev of \(workspace) gives no answer", status: .timedOut)
    case .broken(let text): Problem(text, hint: "start 'watchbuild dev' again", status: .otherDev)
    case .stranger(let path):
      Problem(
        "the control socket \(path) belongs to another user", hint: "ask as that user",
        status: .otherDev)
    }
  }

  private struct Refusal: Decodable {
    struct Reason: Decodable {
      var code: String
      var message: String
    }
    var error: Reason
  }

  private static func refusal(_ response: ControlClient.Response) -> Problem {
    let reason = try? JSONDecoder().decode(Refusal.self, from: Data(response.body)).error
    guard let reason else {
      return Problem("the dev answered with status \(response.status)", status: .otherDev)
    }
    return Problem(reason.message)
  }
}
