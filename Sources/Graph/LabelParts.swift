/// A canonical label taken apart where it lies, without a copy.
package struct LabelParts {
  private let bytes: ArraySlice<UInt8>
  private let slashes: Int
  private let colon: Int

  /// - Returns: `nil` when the text is no label.
  init?(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    guard
      let slashes = bytes.indices.first(where: {
        bytes[$0] == UInt8(ascii: "/") && $0 + 1 < bytes.endIndex
          && bytes[$0 + 1] == UInt8(ascii: "/")
      }), let colon = bytes[slashes...].firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    self.slashes = slashes
    self.colon = colon
  }

  package var repository: Substring { text(bytes[..<slashes]) }
  package var package: Substring { text(packageBytes) }
  package var name: Substring { text(nameBytes) }

  /// The file's path from the repository's root.
  package var path: String {
    packageBytes.isEmpty ? String(name) : "\(package)/\(name)"
  }

  package var isInMainRepository: Bool { bytes.startIndex == slashes }
  package var packageBytes: ArraySlice<UInt8> { bytes[(slashes + 2)..<colon] }
  package var nameBytes: ArraySlice<UInt8> { bytes[(colon + 1)...] }

  private func text(_ bytes: ArraySlice<UInt8>) -> Substring {
    Substring(String(decoding: bytes, as: UTF8.self))
  }
}
