/// The difference between the files of two images that differ in files alone.
package struct FileDifference: Hashable, Sendable {
  /// Paths whose entries are to be written: those of the new image's layers.
  package var written: Set<String> = []
  /// Files and links that are to be removed.
  package var removed: [String] = []
  /// Directories that are to be removed, the deepest first.
  package var removedDirectories: [String] = []
  /// The digests of the files that are written.
  package var contents: [String: Digest] = [:]
  /// So many layers at the bottom are the same.
  var sharedLayers = 0
  /// So many of the written paths are directories.
  private var directories = 0

  /// No difference.
  package init() {}

  package var isEmpty: Bool {
    written.isEmpty && removed.isEmpty && removedDirectories.isEmpty
  }

  /// Files and links that are written or removed.
  package var fileCount: Int { written.count - directories + removed.count }

  /// Paths that are removed.
  package var goneCount: Int { removed.count + removedDirectories.count }

  /// All paths that it touches.
  package var paths: Set<String> {
    written.union(removed).union(removedDirectories)
  }

  /// Compares two images.
  ///
  /// - Returns: `nil` where more than files differs, or where there is any doubt: a layer that is not known, other
  ///   whiteouts, a directory in a file's place, a removed path that a shared layer has too, devices.
  package init?(from old: ImageFiles, to new: ImageFiles) {
    guard let settings = old.settings, settings == new.settings else { return nil }
    let shared = zip(old.layers, new.layers).prefix { $0.diffID == $1.diffID }.count
    sharedLayers = shared
    guard let below = Self.merged(old.layers[..<shared]),
      let before = Self.merged(old.layers[shared...]),
      let after = Self.merged(new.layers[shared...]), before.whiteouts == after.whiteouts
    else { return nil }
    for (path, entry) in after.entries {
      let previous = before.entries[path]
      if let previous, previous.fingerprint == entry.fingerprint, previous.kind == entry.kind {
        continue
      }
      guard entry.kind != .special, previous?.kind != .special else { return nil }
      guard ((entry.kind == .directory) == (previous?.kind == .directory)) || previous == nil else {
        return nil
      }
      written.insert(path)
      if entry.kind == .file { contents[path] = entry.content }
    }
    // A link holds on to the file that it was made of.
    for (path, entry) in after.entries {
      if case .hardLink(let target) = entry.kind, written.contains(target) {
        written.insert(path)
      }
    }
    guard links(of: before, after) else { return nil }
    let gone = before.entries.values.filter { after.entries[$0.path] == nil }
    // A file of a shared layer that it has hidden would show again.
    guard gone.allSatisfy({ below.entries[$0.path] == nil && $0.kind != .special }) else {
      return nil
    }
    removed = gone.filter { $0.kind != .directory }.map(\.path).sorted()
    removedDirectories = gone.filter { $0.kind == .directory }.map(\.path)
      .sorted { ($1.split(separator: "/").count, $0) < ($0.split(separator: "/").count, $1) }
    guard addDirectories(of: after, below) else { return nil }
  }

  /// Adds the directories above all that is touched, so that their times are the new image's.
  ///
  /// - Returns: Whether each is a directory: through a link the files would come to lie elsewhere.
  private mutating func addDirectories(of after: LayerFiles, _ below: LayerFiles) -> Bool {
    for path in paths {
      var parent = path.split(separator: "/").dropLast()
      while !parent.isEmpty {
        let directory = parent.joined(separator: "/")
        let kind = (after.entries[directory] ?? below.entries[directory])?.kind
        guard kind == nil || kind == .directory else { return false }
        if after.entries[directory] != nil { written.insert(directory) }
        parent = parent.dropLast()
      }
    }
    directories = written.count { after.entries[$0]?.kind == .directory }
    return true
  }

  /// Tells whether every hard link to a changed file is written, too.
  private func links(of before: LayerFiles, _ after: LayerFiles) -> Bool {
    before.entries.values.allSatisfy { entry in
      guard case .hardLink(let target) = entry.kind else { return true }
      guard after.entries[target]?.kind != nil || after.entries[entry.path] == nil else {
        return false
      }
      return !written.contains(target) || written.contains(entry.path)
        || after.entries[entry.path] == nil
    }
  }

  /// The layers as one.
  ///
  /// - Returns: `nil` where one is not known.
  private static func merged(_ layers: ArraySlice<ImageFiles.Layer>) -> LayerFiles? {
    var merged = LayerFiles()
    for layer in layers {
      guard let files = layer.files else { return nil }
      for whiteout in files.whiteouts {
        merged.whiteouts.insert(whiteout)
        let parts = whiteout.split(separator: "/")
        let directory = parts.dropLast().joined(separator: "/")
        let prefix = directory.isEmpty ? "" : directory + "/"
        if parts.last == ".wh..wh..opq" {
          merged.entries = merged.entries.filter { !$0.key.hasPrefix(prefix) }
        } else {
          let path = prefix + (parts.last?.dropFirst(".wh.".count) ?? "")
          merged.entries = merged.entries.filter {
            $0.key != path && !$0.key.hasPrefix(path + "/")
          }
        }
      }
      for (path, entry) in files.entries {
        if entry.kind != .directory, merged.entries[path]?.kind == .directory {
          merged.entries = merged.entries.filter { !$0.key.hasPrefix(path + "/") }
        }
        merged.entries[path] = entry
      }
    }
    return merged
  }
}

extension ImageArchive {
  /// More is not written into a container: it is made anew. In bytes.
  static let largestDifference = 64 << 20

  /// The tar of what a difference writes: the layers' own entries, byte for byte.
  ///
  /// - Returns: `nil` where it is too large, or the layers can't be read any more.
  package func tar(of difference: FileDifference) -> [UInt8]? {
    var tar: [UInt8] = []
    for layer in layers.dropFirst(difference.sharedLayers) {
      var scanner = LayerScanner()
      let taker = LayerScanner.Taker(
        begin: { difference.written.contains($0.path) }, bytes: { tar += $0 },
        end: { _ in if tar.count > Self.largestDifference { throw LayerScanner.Unreadable() } })
      do {
        try layer.unpacked { try scanner.add($0, taker) }
        try scanner.finish()
      } catch {
        return nil
      }
    }
    return tar + [UInt8](repeating: 0, count: TarFraming.endSize)
  }

  /// The digests of the files in a tar that an engine gives, by their names' last parts.
  package static func contents(ofTar bytes: [UInt8]) -> [String: Digest]? {
    var contents: [String: Digest] = [:]
    var scanner = LayerScanner()
    let taker = LayerScanner.Taker(end: { entry in
      if entry.kind == .file {
        contents[String(entry.path.split(separator: "/").last ?? "")] = entry.content
      }
    })
    do {
      try bytes.withUnsafeBytes { try scanner.add($0, taker) }
      try scanner.finish()
    } catch {
      return nil
    }
    return contents
  }
}
