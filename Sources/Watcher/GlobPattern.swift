/// A pattern for paths, as in `.gitignore`: `*` and `?` stay within a name, `**` spans directories.
///
/// A pattern without a slash, such as `*.log`, matches a name at any depth.
struct GlobPattern: Hashable, Sendable {
  private enum Component: Hashable {
    case anyDepth
    case name([UInt8])
  }

  private let components: [Component]

  init(_ pattern: String) {
    var parts = pattern.split(separator: "/").map(String.init)
    if parts.first == "." { parts.removeFirst() }
    var components = parts.map { $0 == "**" ? Component.anyDepth : .name(Array($0.utf8)) }
    if parts.count == 1, !pattern.hasPrefix("/"), !pattern.hasPrefix("./") {
      components.insert(.anyDepth, at: 0)
    }
    self.components = components
  }

  /// - Parameters:
  ///   - path: Names from the root down.
  ///   - isDirectory: `docs/**` matches the directory `docs` too: nothing below is of interest.
  /// - Returns: Whether the whole path matches.
  func matches(_ path: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool) -> Bool {
    Self.matches(components[...], path, isDirectory: isDirectory)
  }

  private static func matches(
    _ pattern: ArraySlice<Component>, _ path: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool
  ) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    switch first {
    case .anyDepth:
      if pattern.count == 1 { return !path.isEmpty || isDirectory }
      return path.indices.contains {
        matches(pattern.dropFirst(), path[$0...], isDirectory: isDirectory)
      }
        || matches(pattern.dropFirst(), path[path.endIndex...], isDirectory: isDirectory)
    case .name(let name):
      guard let head = path.first, matches(name[...], head) else { return false }
      return matches(pattern.dropFirst(), path.dropFirst(), isDirectory: isDirectory)
    }
  }

  /// `*` and `?` against one name, in time proportional to both lengths' product at worst.
  private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    var (p, n) = (pattern.startIndex, name.startIndex)
    var star: (pattern: Int, name: Int)?
    while n < name.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        star = (p, n)
        p += 1
      } else if p < pattern.endIndex, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        (p, n) = (last.pattern + 1, last.name + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
