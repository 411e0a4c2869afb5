import Glibc

/// The text that a standing shell writes to one of its outputs, up to the line that ends an answer.
///
/// The line begins with a mark that nothing else says. A program that was left behind may write after
/// it: that belongs to no answer.
struct MarkedOutput {
  /// More than this is not kept of an answer.
  static let limit = 8 << 20

  private let mark: [UInt8]
  private var bytes: [UInt8] = []
  /// Before this, the mark does not begin.
  private var searched = 0
  private var end: Int?

  /// The rest of the mark's line; `nil`: it has not come.
  private(set) var said: String?

  init(mark: String) { self.mark = Array("\n\(mark)".utf8) }

  /// All of it, where no mark is to come.
  var text: String { String(decoding: bytes.prefix(Self.limit), as: UTF8.self) }

  mutating func append(_ chunk: [UInt8]) {
    guard said == nil else { return }
    bytes += chunk
    if let found = firstMark() {
      searched = found
      let behind = bytes[(found + mark.count)...]
      if let newline = behind.firstIndex(of: UInt8(ascii: "\n")) {
        end = found
        let rest = behind[..<newline]
        said = String(decoding: rest, as: UTF8.self).trimmingPrefix(" ").description
      }
    } else {
      searched = max(searched, bytes.count - mark.count + 1)
    }
    if said == nil, searched > Self.limit {
      bytes.removeSubrange(Self.limit..<searched)
      searched = Self.limit
    }
  }

  /// Takes the text before the mark; the next answer begins.
  mutating func take() -> String {
    let answer = String(decoding: bytes.prefix(min(end ?? bytes.count, Self.limit)), as: UTF8.self)
    self = MarkedOutput(mark)
    return answer
  }

  private func firstMark() -> Int? {
    bytes.withUnsafeBytes { all in
      guard let base = all.baseAddress else { return nil }
      var from = searched
      // Line by line, which is quicker than byte by byte.
      while from < all.count,
        let line = memchr(base + from, Int32(mark[0]), all.count - from)
      {
        let start = base.distance(to: line)
        if all[start...].starts(with: mark) { return start }
        from = start + 1
      }
      return nil
    }
  }

  private init(_ mark: [UInt8]) { self.mark = mark }
}
