/// The entries of one layer, by path.
package struct LayerFiles: Hashable, Sendable {
  var entries: [String: LayerEntry] = [:]
  /// Paths that the layer takes away from those below it, and directories that it makes opaque, as it names them.
  var whiteouts: Set<String> = []

  init() {}

  mutating func add(_ entry: LayerEntry) {
    let name = entry.path.split(separator: "/").last ?? ""
    if name.hasPrefix(".wh.") {
      whiteouts.insert(entry.path)
    } else {
      entries[entry.path] = entry
    }
  }
}

extension ImageLayer {
  /// A layer that is larger, in stored bytes, is not looked into.
  static let largestListed: Int64 = 128 << 20

  /// Lists the layer's entries.
  ///
  /// - Returns: `nil` where it is not here, too large, or not understood: packed by zstd, damaged.
  package func files() -> LayerFiles? {
    guard size <= Self.largestListed else { return nil }
    var files = LayerFiles()
    var scanner = LayerScanner()
    let taker = LayerScanner.Taker(end: { files.add($0) })
    do {
      try unpacked { try scanner.add($0, taker) }
      try scanner.finish()
    } catch {
      return nil
    }
    return files
  }

  /// Reads the layer's tar piece by piece.
  ///
  /// - Throws: `LayerScanner.Unreadable`; `Inflation.Damaged`; `Errno`; what `use` throws.
  func unpacked(_ use: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard isHere, compression != .zstd else { throw LayerScanner.Unreadable() }
    let inflation = compression == .gzip ? Inflation() : nil
    var offset: Int64 = 0
    while offset < size {
      let bytes = try blob.read(at: offset, count: Int(min(256 << 10, size - offset)))
      guard !bytes.isEmpty else { throw LayerScanner.Unreadable() }
      offset += Int64(bytes.count)
      if let inflation {
        try inflation.add(bytes, use)
      } else {
        try bytes.withUnsafeBytes(use)
      }
    }
    if let inflation, !inflation.isComplete { throw LayerScanner.Unreadable() }
  }
}
