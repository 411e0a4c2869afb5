import Basics

/// The meaning of an engine's answer to `POST /images/load`.
///
/// A load that failed is answered with status 200 too: the failure stands in the body, one JSON
/// object a line. Docker's containerd store reports an image that it could not unpack, but has
/// tagged, as an ordinary message.
/// Source: https://docs.docker.com/reference/api/engine/ and
/// https://github.com/moby/moby/blob/v28.2.2/daemon/containerd/image_exporter.go
struct EngineAnswer {
  /// Bytes of one line at most; a longer one is no message of Docker's.
  static let lineLimit = 64 << 10

  private struct Line: Decodable {
    struct Detail: Decodable { var message: String? }
    var stream: String?
    var error: String?
    var errorDetail: Detail?
  }

  /// The first failure that was reported.
  private(set) var failure: String?
  private var line: [UInt8] = []

  mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        endLine()
      } else if line.count < Self.lineLimit {
        line.append(byte)
      }
    }
  }

  mutating func finish() {
    endLine()
  }

  private mutating func endLine() {
    defer { line.removeAll(keepingCapacity: true) }
    guard failure == nil, line.contains(where: { $0 > 0x20 }) else { return }
    do throws(JSON.Malformed) {
      let parsed = try JSON.decode(Line.self, from: line)
      if let message = parsed.errorDetail?.message ?? parsed.error {
        failure = message
      } else if let text = parsed.stream, text.contains("Error unpacking image") {
        failure = text.split(whereSeparator: \.isNewline).joined(separator: " ")
      }
    } catch {
      failure = "unexpected answer: \(String(decoding: line.prefix(200), as: UTF8.self))"
    }
  }

  /// The message of an answer with an error status: `{"message": "…"}`, else its first line.
  static func message(of body: [UInt8]) -> String {
    struct Message: Decodable { var message: String }
    do throws(JSON.Malformed) {
      return try JSON.decode(Message.self, from: body).message
    } catch {
      let text = String(decoding: body.prefix(200), as: UTF8.self)
      return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no message"
    }
  }
}
