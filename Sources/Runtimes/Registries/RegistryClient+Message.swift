import Basics
import NIOHTTP1

extension RegistryClient {
  /// The first message of an answer's body, else its status.
  static func message(_ answer: Answer) -> String {
    struct Body: Decodable {
      struct Problem: Decodable {
        var code: String?
        var message: String?
      }
      var errors: [Problem]
    }
    // What is no such JSON is a page for browsers, and not worth reading.
    if let problem = (try? JSON.decode(Body.self, from: answer.body))?.errors.first {
      let text = [problem.code, problem.message].compactMap(\.self).joined(separator: ": ")
      if !text.isEmpty { return printable(text) }
    }
    return "\(HTTPResponseStatus(statusCode: answer.status))"
      + (answer.server.map { " from \($0)" } ?? "")
  }

  /// Makes the words of others fit for a terminal: one line, not long, nothing that moves the cursor.
  static func printable(_ text: String) -> String {
    let words = text.unicodeScalars.prefix(2000).split { scalar in
      scalar.value <= 0x20 || scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .format
    }
    return String(words.map { String($0) }.joined(separator: " ").prefix(300))
  }
}
