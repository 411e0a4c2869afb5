import Testing

@testable import Session

@Suite struct AnswerReaderTests {
  /// Reads an answer that comes in pieces of a size.
  private func read(_ text: String, by size: Int) throws -> (AnswerReader, String) {
    var reader = AnswerReader()
    var content: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      content += try reader.add(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return (reader, String(decoding: content, as: UTF8.self))
  }

  @Test(arguments: [1, 2, 7, 1000])
  func `an answer with a length ends with it`(_ size: Int) throws {
    let (reader, body) = try read(
      "HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nhello", by: size)
    #expect(reader.status == 202)
    #expect(body == "hello")
    #expect(reader.isComplete)
  }

  @Test(arguments: [1, 2, 7, 1000])
  func `an answer in chunks ends with the empty one`(_ size: Int) throws {
    let text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
    let (reader, body) = try read(text, by: size)
    #expect(body == "ab\n0123456789abcdef")
    #expect(reader.isComplete)
  }

  @Test func `an answer without a length may end anywhere, one with a length may not`() throws {
    #expect(try read("HTTP/1.1 200 OK\r\n\r\nabc", by: 5).0.mayEndHere)
    #expect(try !read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", by: 5).0.mayEndHere)
  }

  @Test func `an empty answer is complete`() throws {
    #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", by: 9).0.isComplete)
  }

  @Test(arguments: [
    "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  ])
  func `what is no answer is refused`(_ text: String) {
    #expect(throws: AnswerReader.Malformed.self) { try read(text, by: 4) }
  }
}
