/// Reads an HTTP/1.1 answer as it comes: a value, without a socket.
struct AnswerReader: Sendable {
  struct Malformed: Error, Hashable, CustomStringConvertible {
    let description: String
  }

  private enum Part: Sendable {
    case head
    /// So many bytes are left; `nil`: all until the end.
    case body(left: Int?)
    case chunkSize
    case chunk(left: Int)
    case complete
  }

  /// More is no head of ours.
  private static let longestHead = 65_536

  private(set) var status = 0
  private var part = Part.head
  private var waiting: [UInt8] = []

  var isComplete: Bool { if case .complete = part { true } else { false } }

  /// An answer without a length ends with its connection.
  var mayEndHere: Bool {
    switch part {
    case .body(left: nil), .complete: true
    default: false
    }
  }

  /// - Returns: What of the body has come.
  mutating func add(_ bytes: [UInt8]) throws(Malformed) -> [UInt8] {
    waiting += bytes
    var content: [UInt8] = []
    while try step(&content) {}
    return content
  }

  /// - Returns: Whether there may be more to do.
  private mutating func step(_ content: inout [UInt8]) throws(Malformed) -> Bool {
    switch part {
    case .head:
      guard let end = headEnd else {
        guard waiting.count <= Self.longestHead else { throw Malformed(description: "a long head") }
        return false
      }
      try take(head: String(decoding: waiting[..<end], as: UTF8.self))
      waiting.removeFirst(end + 4)
      return true
    case .body(let left):
      let count = min(left ?? waiting.count, waiting.count)
      content += waiting.prefix(count)
      waiting.removeFirst(count)
      if let left { part = left == count ? .complete : .body(left: left - count) }
      return false
    case .chunkSize:
      guard let end = waiting.firstIndex(of: 10) else { return false }
      let text = String(decoding: waiting[..<end], as: UTF8.self)
        .split { $0 == ";" || $0.isWhitespace }.first
      waiting.removeFirst(end + 1)
      guard let text, let size = Int(text, radix: 16) else {
        throw Malformed(description: "a chunk without a size")
      }
      // Behind each chunk stands the end of its line.
      part = size == 0 ? .complete : .chunk(left: size + 2)
      return size != 0
    case .chunk(let left):
      let count = min(left, waiting.count)
      content += waiting.prefix(min(count, max(left - 2, 0)))
      waiting.removeFirst(count)
      part = left == count ? .chunkSize : .chunk(left: left - count)
      return left == count
    case .complete: return false
    }
  }

  private var headEnd: Int? {
    guard waiting.count >= 4 else { return nil }
    return (0...(waiting.count - 4)).first {
      waiting[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10])
    }
  }

  private mutating func take(head: String) throws(Malformed) {
    let lines = head.split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      throw Malformed(description: "no HTTP answer")
    }
    self.status = status
    part = .body(left: nil)
    for line in lines.dropFirst() {
      let pair = line.split(separator: ":", maxSplits: 1)
      guard pair.count == 2 else { continue }
      let value = pair[1].drop { $0 == " " }
      switch pair[0].lowercased() {
      case "transfer-encoding" where value.lowercased() == "chunked": part = .chunkSize
      case "content-length":
        guard let length = Int(value), length >= 0 else {
          throw Malformed(description: "a length that is no number")
        }
        part = length == 0 ? .complete : .body(left: length)
      default: break
      }
    }
  }
}
