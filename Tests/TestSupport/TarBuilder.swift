package import SystemPackage

/// Writes tars, right and wrong ones, byte by byte and on its own terms.
///
/// Shares no code with the tar writer under test.
package struct TarBuilder {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// A member and its header.
  ///
  /// Typeflag `0` is a file, `1` a hard link, `2` a symbolic link, `5` a directory. The header may
  /// claim another size than the content's, or hold any twelve bytes in its size field.
  package mutating func add(
    _ name: String, _ content: [UInt8] = [], typeflag: Character = "0", link: String = "",
    prefix: String = "", mode: Int = 0o644, size: Int? = nil, sizeField: [UInt8]? = nil
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ field: [UInt8], _ offset: Int) {
      header.replaceSubrange(offset..<(offset + field.count), with: field)
    }
    func octal(_ value: Int, _ width: Int) -> [UInt8] {
      let digits = String(value, radix: 8)
      return Array((String(repeating: "0", count: max(0, width - digits.count)) + digits).utf8)
    }
    put(Array(name.utf8.prefix(100)), 0)
    put(octal(mode, 7), 100)
    put(Array("0000000".utf8), 108)
    put(Array("0000000".utf8), 116)
    put(sizeField ?? octal(size ?? content.count, 11), 124)
    put(Array("00000000000".utf8), 136)
    header[156] = typeflag.asciiValue ?? 0
    put(Array(link.utf8.prefix(100)), 157)
    put(Array("ustar".utf8) + [0] + Array("00".utf8), 257)
    put(Array(prefix.utf8), 345)
    put([UInt8](repeating: 0x20, count: 8), 148)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], 148)
    bytes += header + content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// A member whose name GNU tar would put into a member of its own before it.
  package mutating func addWithGNUName(_ name: String, _ content: [UInt8]) {
    add("././@LongLink", Array(name.utf8) + [0], typeflag: "L")
    add(String(name.prefix(100)), content)
  }

  /// A member with a PAX extended header before it; its own header may claim another size.
  package mutating func addWithPAX(
    _ records: [(key: String, value: String)], _ name: String, _ content: [UInt8], size: Int? = nil
  ) {
    let text = records.map { record in
      let rest = " \(record.key)=\(record.value)\n"
      var length = rest.utf8.count + 1
      while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
      return "\(length)\(rest)"
    }
    add("PaxHeaders/\(name)", Array(text.joined().utf8), typeflag: "x")
    add(name, content, size: size)
  }

  package mutating func append(_ raw: [UInt8]) {
    bytes += raw
  }

  /// All of it, with the mark at the end.
  package func finished() -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: 1024)
  }
}

extension FilePath {
  /// Writes a file anew.
  package func write(_ bytes: [UInt8]) throws {
    let descriptor = try FileDescriptor.open(
      self, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
  }

  /// The whole content of a file.
  package func read() throws -> [UInt8] {
    let descriptor = try FileDescriptor.open(self, .readOnly)
    return try descriptor.closeAfter {
      let size = Int(try descriptor.stat().size)
      return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }
}
