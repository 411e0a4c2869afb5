/// Reads the protocol-buffer wire format.
///
/// We need few fields of the messages that Bazel and containerd write, so there is no generated
/// code for the others.
/// Source: https://protobuf.dev/programming-guides/encoding
package struct WireReader {
  /// The bytes are no message.
  package struct Malformed: Error {

    package init() {}
  }

  package struct Field {
    package var number: UInt64
    /// The content of a string or message; empty for numbers, none of which we need.
    package var bytes: ArraySlice<UInt8>

    package var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  package private(set) var bytes: ArraySlice<UInt8>

  package init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  package mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { throw Malformed() }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }

  /// The next field; `nil` at the end.
  package mutating func field() throws(Malformed) -> Field? {
    guard !bytes.isEmpty else { return nil }
    let key = try varint()
    let length: UInt64
    switch key & 7 {
    case 0:
      _ = try varint()
      return Field(number: key >> 3, bytes: [])
    case 1: length = 8
    case 2: length = try varint()
    case 5: length = 4
    default: throw Malformed()
    }
    guard length <= bytes.count else { throw Malformed() }
    defer { bytes = bytes.dropFirst(Int(length)) }
    return Field(number: key >> 3, bytes: key & 7 == 2 ? bytes.prefix(Int(length)) : [])
  }

  /// The first field of that number, or nothing.
  package static func field(
    _ number: UInt64, of message: ArraySlice<UInt8>
  ) throws(Malformed) -> Field? {
    var reader = WireReader(message)
    while let field = try reader.field() {
      if field.number == number { return field }
    }
    return nil
  }
}

/// Writes the protocol-buffer wire format.
package struct WireWriter {
  package private(set) var bytes: [UInt8] = []

  /// A message whose first field is a string or a message.
  package init() {}

  package init(_ number: UInt64, _ content: [UInt8]) { add(number, content) }

  package init(_ number: UInt64, _ text: String) { add(number, text) }

  package mutating func add(_ number: UInt64, _ text: String) { add(number, Array(text.utf8)) }

  /// A string or a message.
  package mutating func add(_ number: UInt64, _ content: [UInt8]) {
    add(varint: number << 3 | 2)
    add(varint: UInt64(content.count))
    bytes += content
  }

  private mutating func add(varint value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
