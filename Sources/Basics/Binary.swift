/// Writes values as the bytes that `BinaryReader` reads: little-endian, arrays after their count.
///
/// For what is read again on the same machine, at memory speed; not a format for others.
package struct BinaryWriter: ~Copyable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func write<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  package mutating func write<Value: BitwiseCopyable>(_ values: [Value]) {
    write(UInt32(values.count))
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  package mutating func write(_ text: String) { write(Array(text.utf8)) }
}

/// Reads what `BinaryWriter` wrote. Every read is checked against the end.
package struct BinaryReader: ~Copyable {
  /// The bytes end too early, or are none of ours.
  package struct Malformed: Error { package init() {} }

  private let bytes: [UInt8]
  private var position: Int

  package init(_ bytes: [UInt8], from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  package var isAtEnd: Bool { position == bytes.count }

  package mutating func read<Value: BitwiseCopyable & FixedWidthInteger>(
    _: Value.Type = Value.self
  ) throws(Malformed) -> Value {
    let size = MemoryLayout<Value>.size
    guard bytes.count - position >= size else { throw Malformed() }
    defer { position += size }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Value.self) }
  }

  package mutating func readArray<Value: BitwiseCopyable & FixedWidthInteger>(
    of _: Value.Type = Value.self
  ) throws(Malformed) -> [Value] {
    let count = Int(try read(UInt32.self))
    let size = count * MemoryLayout<Value>.size
    guard bytes.count - position >= size else { throw Malformed() }
    defer { position += size }
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      bytes.withUnsafeBytes { bytes in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + size]))
      }
      initialized = count
    }
  }

  package mutating func readText() throws(Malformed) -> String {
    String(decoding: try readArray(of: UInt8.self), as: UTF8.self)
  }

  /// Reads a count and so many of what `body` reads.
  package mutating func readList<Element>(
    _ body: (inout BinaryReader) throws(Malformed) -> Element
  ) throws(Malformed) -> [Element] {
    let count = Int(try read(UInt32.self))
    // Each takes a byte at least: a wrong count is no reason to ask for all the memory there is.
    guard count <= bytes.count - position else { throw Malformed() }
    var list: [Element] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try body(&self)) }
    return list
  }
}
