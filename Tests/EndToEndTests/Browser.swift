import Basics
import Foundation
import SystemPackage
import TestSupport

/// Debian's chromium without a window, driven by WebDriver.
///
/// Source: https://www.w3.org/TR/webdriver2/
struct Browser {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a driver so that its browser ends with it, however a test ends: in a space of processes of its own, all of
  /// which the kernel ends with the first. `unshare` itself does not end at a SIGTERM.
  private static let script = #"""
    trap 'kill -KILL "$space"' TERM
    user=; [ "$(id -u)" -eq 0 ] || user=--map-root-user
    unshare $user --pid --fork --kill-child --mount-proc "$@" &
    space=$!
    wait "$space"
    """#

  private let daemon: TestDaemon
  private let session: String

  init() async throws {
    let port = try LoopbackPort.free()
    daemon = try await TestDaemon { directory in
      [
        "sh", "-c", Self.script, "sh", "chromedriver", "--port=\(port)",
        "--log-path=\(directory)/log",
      ]
    } isReady: { _ in
      (try? Tool.run("curl", ["-sf", "http://127.0.0.1:\(port)/status"])) != nil
    }
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--user-data-dir=\(daemon.directory)/profile",
    ]
    let options = try Self.text(["args": arguments])
    let body = #"{"capabilities":{"alwaysMatch":{"goog:chromeOptions":\#(options)}}}"#
    let base = "http://127.0.0.1:\(port)/session"
    let answer = try Self.post(base, body) as? [String: Any]
    guard let id = answer?["sessionId"] as? String else {
      throw Failure(description: "no session of chromedriver")
    }
    session = "\(base)/\(id)"
  }

  func end() async throws {
    _ = try? Tool.run("curl", ["-s", "-X", "DELETE", session])
    try await daemon.stop()
  }

  func open(_ address: String) throws {
    _ = try Self.post("\(session)/url", try Self.text(["url": address]))
  }

  /// Runs a function's body in the page; a promise that it returns is waited for.
  @discardableResult
  func run(_ script: String) throws -> String {
    let answer = try Self.post(
      "\(session)/execute/sync", try Self.text(["script": script, "args": [Any]()]))
    return answer.map { "\($0)" } ?? ""
  }

  /// Presses a key in the page.
  func press(_ key: String) throws {
    try run("dispatchEvent(new KeyboardEvent('keydown', {key: '\(key)', bubbles: true}))")
  }

  /// Waits until an expression is true.
  func wait(for expression: String) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(60)
    while try run("return String(\(expression))") != "true" {
      guard clock.now < end else {
        throw Failure(
          description: "not true in 60 s: \(expression); the page says: "
            + (try run("return document.body.innerText.slice(0, 800)")))
      }
      // A page in another process tells nobody that it has changed: it is asked.
      try await clock.pause(for: .milliseconds(50))
    }
  }

  private static func text(_ value: Any) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
  }

  private static func post(_ address: String, _ body: String) throws -> Any? {
    let text = try Tool.run(
      "curl", ["-s", "-m", "90", "-H", "Content-Type: application/json", "-d", body, address])
    let answer = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let value = answer?["value"]
    if let error = (value as? [String: Any])?["error"] as? String {
      throw Failure(description: "\(error): \((value as? [String: Any])?["message"] ?? "")")
    }
    return value is NSNull ? nil : value
  }
}
