import Testing

@testable import Basics

@Suite struct WireFormatTests {
  @Test func `what is written is read again`() throws {
    let long = String(repeating: "x", count: 300)
    var writer = WireWriter(1, "name")
    writer.add(16, long)
    var reader = WireReader(writer.bytes[...])
    let first = try #require(try reader.field())
    let second = try #require(try reader.field())
    #expect(first.number == 1 && first.text == "name")
    #expect(second.number == 16 && second.text == long)
    #expect(try reader.field() == nil)
    #expect(try WireReader.field(16, of: writer.bytes[...])?.text == long)
    #expect(try WireReader.field(2, of: writer.bytes[...]) == nil)
  }

  @Test func `fields of all kinds are passed over`() throws {
    // A varint, eight bytes, four bytes, then a string.
    let bytes: [UInt8] =
      [0x08, 0x96, 0x01, 0x11] + [UInt8](repeating: 1, count: 8) + [
        0x1d, 1, 2, 3, 4, 0x22, 1, 0x61,
      ]
    #expect(try WireReader.field(4, of: bytes[...])?.text == "a")
  }

  @Test(arguments: [
    [0x0a], [0x0a, 5, 0x61], [0x0b], [0x09, 1], [UInt8](repeating: 0xff, count: 11),
  ])
  func `bytes that are no message are refused`(bytes: [UInt8]) {
    #expect(throws: WireReader.Malformed.self) { try WireReader.field(99, of: bytes[...]) }
  }
}
