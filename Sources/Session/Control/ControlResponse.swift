import Basics
import Events
import FoundationEssentials
package import Runner

/// An answer that is sent back.
enum ControlResponse: Sendable {
  /// One JSON object.
  case object(status: Int, [UInt8])
  /// JSON Lines, for as long as somebody reads.
  case lines(EventLines)
  case text([UInt8])

  /// A mistake of whoever asked, or a reason why there is no answer.
  ///
  /// - Parameter code: For programs; it never changes.
  static func error(_ status: Int, _ code: String, _ message: String) -> ControlResponse {
    encoded(status, ["error": ["code": code, "message": message]])
  }

  static func encoded(_ status: Int, _ value: some Encodable) -> ControlResponse {
    do {
      return .object(status: status, try ControlJSON.bytes(value))
    } catch {
      // Nothing that is sent has a number or a key that JSON lacks.
      return .object(status: 500, Array(#"{"error":{"code":"internal","message":"no JSON"}}"#.utf8))
    }
  }

  /// The same as it is sent.
  var answer: LocalAnswer {
    switch self {
    case .object(let status, let bytes):
      LocalAnswer(status, type: "application/json", bytes + [10])
    case .text(let bytes): LocalAnswer(200, type: "text/plain; charset=utf-8", bytes)
    case .lines(let lines):
      // As they are: mapped, they would no longer tell whether they are drained.
      LocalAnswer(200, headers: ["Content-Type: application/jsonl"], .chunks(lines))
    }
  }
}

/// JSON as the control socket has it: keys in one order, and nothing that a terminal acts on.
package enum ControlJSON {
  package static func bytes(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try UnsafeText.escaped(json: Array(encoder.encode(value)))
  }
}

extension Verdict: Encodable {
  private enum CodingKeys: String, CodingKey { case verdict, cycle, images, diagnostics }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(verdict, forKey: .verdict)
    try container.encodeIfPresent(cycle, forKey: .cycle)
    try container.encode(images, forKey: .images)
    try container.encode(diagnostics, forKey: .diagnostics)
  }
}
