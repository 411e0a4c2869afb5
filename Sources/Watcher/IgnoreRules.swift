package import SystemPackage

/// Decides which paths are none of a build's business.
///
/// These are: version-control directories, Bazel's convenience links at the root, what
/// `.bazelignore` names, and the configuration's patterns. What is below an ignored directory is
/// ignored too, but for what images are made from all the same. Editors' temporary files need no
/// rule: they are gone before a batch closes.
package struct IgnoreRules: Sendable, Hashable {
  private let root: [UInt8]
  /// `bazel-bin`, `bazel-out`, …: ignored even should they be real directories.
  private let links: Set<[UInt8]>
  /// Names from the root down.
  private let directories: Set<[ArraySlice<UInt8>]>
  /// The first names of `directories`, for a quick answer.
  private let tops: Set<ArraySlice<UInt8>>
  private let patterns: [GlobPattern]
  /// The paths that are needed although they would be ignored, and with `false` all that lead there.
  private let needed: [[ArraySlice<UInt8>]: Bool]

  /// - Parameters:
  ///   - root: The workspace's root: absolute, symbolic links resolved.
  ///   - bazelIgnore: The lines of `.bazelignore`; empty ones and comments are passed over.
  ///   - patterns: Relative to the root, such as `docs/**` or `*.log`.
  ///   - needed: Files and directories that only `patterns` can ignore, and what is below them:
  ///     absolute. Bazel reads a file that a label names wherever it lies.
  package init(
    root: FilePath, bazelIgnore: [String] = [], patterns: [String] = [],
    needed: Set<FilePath> = []
  ) {
    let root = root.lexicallyNormalized().bytes
    self.root = root == [UInt8(ascii: "/")] ? [] : root
    let name = self.root.names.last.map { [String(decoding: $0, as: UTF8.self)] } ?? []
    links = Set((["bin", "out", "testlogs", "genfiles"] + name).map { Array("bazel-\($0)".utf8) })
    directories = Set(bazelIgnore.compactMap(Self.directory))
    tops = Set(directories.compactMap(\.first))
    self.patterns = patterns.filter { !$0.isEmpty }.map(GlobPattern.init)
    var ways: [[ArraySlice<UInt8>]: Bool] = [:]
    for path in needed {
      let bytes = path.bytes
      guard bytes.isBelow(self.root) else { continue }
      let names = Array(bytes[self.root.count...]).names
      for count in 1..<names.count where ways[Array(names[..<count])] == nil {
        ways[Array(names[..<count])] = false
      }
      ways[names] = true
    }
    self.needed = ways
  }

  private static func directory(_ line: String) -> [ArraySlice<UInt8>]? {
    var bytes = Array(line.utf8)[...].drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    guard let first = bytes.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "/")
    else { return nil }
    let names = Array(bytes).names.filter { $0 != [UInt8(ascii: ".")] }
    return names.isEmpty ? nil : names
  }

  // MARK: Questions

  /// Tells whether a path, or a directory that it is in, is ignored.
  ///
  /// - Parameter path: Absolute. Outside the root only version-control directories are ignored.
  /// - Returns: `false` for the root itself, whatever the patterns.
  package func ignores(_ path: FilePath) -> Bool {
    let bytes = path.bytes
    guard bytes != root, bytes.isBelow(root) else {
      return bytes != root && bytes.names.contains(where: Self.isVersionControl)
    }
    let names = Array(bytes[root.count...]).names
    var place = Place()
    for (position, name) in names.enumerated() {
      let isDirectory = position < names.count - 1
      if ignores(name, in: place, isDirectory: isDirectory) { return true }
      place = self.place(of: name, in: place)
    }
    return false
  }

  /// Tells whether a path would be ignored, were it not needed: by all but the configuration's patterns.
  ///
  /// - Parameter path: From the root, without a slash in front.
  package func wouldIgnore(_ path: some Collection<UInt8>) -> Bool {
    guard path.starts(with: Self.linkPrefix) || path.contains(UInt8(ascii: ".")) || !tops.isEmpty
    else { return false }
    let names = Array(path).names
    return names.indices.contains {
      isIgnored(names[$0], under: names[..<$0], isDirectory: $0 < names.count - 1)
    }
  }

  /// A directory below the root, or the root itself, as far as the rules go.
  struct Place {
    /// From the root down.
    fileprivate(set) var names: [ArraySlice<UInt8>] = []
    /// It would be ignored, did it not lead to what is needed.
    fileprivate var isReopened = false
    /// It is needed with all that is below.
    fileprivate var isNeeded = false
  }

  /// A directory in another one that is not ignored.
  func place(of name: ArraySlice<UInt8>, in parent: Place) -> Place {
    var place = parent
    if !needed.isEmpty {
      place.isReopened =
        parent.isReopened || isIgnored(name, under: parent.names[...], isDirectory: true)
      place.isNeeded = parent.isNeeded || needed[parent.names + [name]] == true
    }
    place.names.append(name)
    return place
  }

  func place(of names: some Sequence<ArraySlice<UInt8>>) -> Place {
    names.reduce(Place()) { place(of: $1, in: $0) }
  }

  /// Tells whether a name is ignored in a directory below the root that itself is not.
  ///
  /// A real directory at the root, such as `bazel-toolchains`, is source.
  func ignores(_ name: ArraySlice<UInt8>, in place: Place, isDirectory: Bool) -> Bool {
    let path = patterns.isEmpty && needed.isEmpty ? [] : place.names + [name]
    if patterns.contains(where: { $0.matches(path[...], isDirectory: isDirectory) }) { return true }
    guard place.isReopened || isIgnored(name, under: place.names[...], isDirectory: isDirectory)
    else { return false }
    return !place.isNeeded && needed[path] == nil
  }

  /// By all but the configuration's patterns, and without regard to what is needed.
  private func isIgnored(
    _ name: ArraySlice<UInt8>, under parents: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool
  ) -> Bool {
    if Self.isVersionControl(name) { return true }
    if parents.isEmpty, name.starts(with: Self.linkPrefix) {
      return !isDirectory || links.contains(Array(name))
    }
    guard let top = parents.first ?? (directories.isEmpty ? nil : name), tops.contains(top) else {
      return false
    }
    return directories.contains(parents + [name])
  }

  /// True if more than a name and its being at the root decides.
  var hasPathRules: Bool { !directories.isEmpty || !patterns.isEmpty || !needed.isEmpty }

  /// The answer where `hasPathRules` is false, or outside the root, without an allocation.
  func ignoresByName(
    _ name: UnsafeBufferPointer<UInt8>, isAtRoot: Bool, isDirectory: Bool
  ) -> Bool {
    if name.first == UInt8(ascii: ".") { return Self.isVersionControl(name) }
    guard isAtRoot, name.starts(with: Self.linkPrefix) else { return false }
    return !isDirectory || links.contains(Array(name))
  }

  private static let linkPrefix = Array("bazel-".utf8)
  private static let versionControl: [[UInt8]] = [".git", ".hg", ".jj", ".sl", ".svn"].map {
    Array($0.utf8)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

  private static func isVersionControl(_ name: some Collection<UInt8>) -> Bool {
    guard 3...4 ~= name.count else { return false }
    return versionControl.contains { name.elementsEqual($0) }
  }
}

extension [UInt8] {
  /// The names between the slashes of a path.
  var names: [ArraySlice<UInt8>] { split(separator: UInt8(ascii: "/")) }
}

extension FilePath {
  /// The path as the kernel takes it, without the NUL at its end.
  var bytes: [UInt8] {
    withPlatformString { start in
      var bytes: [UInt8] = []
      var next = start
      while next.pointee != 0 {
        bytes.append(UInt8(truncatingIfNeeded: next.pointee))
        next += 1
      }
      return bytes
    }
  }

  init(bytes: [UInt8]) {
    self = (bytes + [0]).withUnsafeBytes { buffer in
      guard let start = buffer.assumingMemoryBound(to: CInterop.PlatformChar.self).baseAddress
      else { return FilePath() }
      return FilePath(platformString: start)
    }
  }
}
