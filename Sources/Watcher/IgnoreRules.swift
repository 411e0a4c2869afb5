package import SystemPackage

/// Which paths are none of a build's business.
///
/// These are: version-control directories, Bazel's convenience links at the root, what
/// `.bazelignore` names, and the configuration's patterns. What is below an ignored directory is
/// ignored too. Editors' temporary files need no rule: they are gone before a batch closes.
package struct IgnoreRules: Sendable, Hashable {
  private let root: [UInt8]
  /// `bazel-bin`, `bazel-out`, …: ignored even should they be real directories.
  private let links: Set<[UInt8]>
  /// Names from the root down.
  private let directories: Set<[ArraySlice<UInt8>]>
  private let patterns: [GlobPattern]

  /// - Parameters:
  ///   - root: The workspace's root: absolute, symbolic links resolved.
  ///   - bazelIgnore: The lines of `.bazelignore`; empty ones and comments are passed over.
  ///   - patterns: Relative to the root, such as `docs/**` or `*.log`.
  package init(root: FilePath, bazelIgnore: [String] = [], patterns: [String] = []) {
    let root = root.lexicallyNormalized()
    self.root = root.bytes
    let name = root.lastComponent.map { [$0.string] } ?? []
    links = Set((["bin", "out", "testlogs", "genfiles"] + name).map { Array("bazel-\($0)".utf8) })
    directories = Set(
      bazelIgnore.compactMap { line in
        var bytes = Array(line.utf8)[...]
        bytes = bytes.drop(while: Self.isBlank)
        while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
        guard let first = bytes.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "/")
        else { return nil }
        return Array(bytes).names.filter { $0 != [UInt8(ascii: ".")] }
      }.filter { !$0.isEmpty })
    self.patterns = patterns.filter { !$0.isEmpty }.map(GlobPattern.init)
  }

  /// Whether a path, or a directory that it is in, is ignored.
  ///
  /// - Parameter path: Absolute. Outside the root only version-control directories are ignored.
  /// - Returns: `false` for the root itself, whatever the patterns.
  package func ignores(_ path: FilePath) -> Bool {
    let bytes = path.bytes
    let isInside =
      bytes.starts(with: root)
      && (bytes.count == root.count || bytes[root.count] == UInt8(ascii: "/")
        || root == [UInt8(ascii: "/")])
    let names = isInside ? Array(bytes[root.count...]).names : bytes.names
    return names.indices.contains { last in
      ignores(
        names[last], under: names[..<last], isInside: isInside,
        isDirectory: last < names.index(before: names.endIndex))
    }
  }

  /// Whether a name is ignored in a directory that itself is not.
  ///
  /// - Parameters:
  ///   - name: The last name of the path.
  ///   - parents: Names from the root, or from `/` when outside, down to the directory.
  ///   - isInside: Whether the path is below the root.
  ///   - isDirectory: A real directory at the root, such as `bazel-toolchains`, is source.
  /// - Returns: Whether this name adds a reason.
  func ignores(
    _ name: ArraySlice<UInt8>, under parents: ArraySlice<ArraySlice<UInt8>>, isInside: Bool,
    isDirectory: Bool
  ) -> Bool {
    if Self.isVersionControl(name) { return true }
    guard isInside else { return false }
    if parents.isEmpty, name.starts(with: Self.linkPrefix) {
      return !isDirectory || links.contains(Array(name))
    }
    guard hasPathRules else { return false }
    let path = parents + [name]
    return directories.contains(Array(path))
      || patterns.contains { $0.matches(path, isDirectory: isDirectory) }
  }

  /// Whether more than a name and its being at the root decides.
  var hasPathRules: Bool { !directories.isEmpty || !patterns.isEmpty }

  /// The answer where `hasPathRules` is false, without an allocation.
  func ignoresByName(
    _ name: UnsafeBufferPointer<UInt8>, isAtRoot: Bool, isDirectory: Bool
  ) -> Bool {
    if name.first == UInt8(ascii: ".") { return Self.isVersionControl(name) }
    guard isAtRoot, name.starts(with: Self.linkPrefix) else { return false }
    return !isDirectory || links.contains(Array(name))
  }

  private static let linkPrefix = Array("bazel-".utf8)
  private static let versionControl: [[UInt8]] = [".git", ".hg", ".jj", ".svn"].map {
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
