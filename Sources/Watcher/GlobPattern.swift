/// A pattern for paths, as in `.gitignore`: `*` and `?` stay within a name, `**` spans directories.
///
/// A pattern without a slash but at its end, such as `*.log`, matches a name at any depth; one with a
/// slash at its end matches directories only.
struct GlobPattern: Hashable, Sendable {
  private enum Component: Hashable {
    case anyDepth
    case name([UInt8])
  }

  private let components: [Component]
  /// Written with a slash at its end.
  private let isForDirectories: Bool

  init(_ pattern: String) {
    var parts = pattern.split(separator: "/").map(String.init)
    if parts.first == "." { parts.removeFirst() }
    var components = parts.map { $0 == "**" ? Component.anyDepth : .name(Array($0.utf8)) }
    if parts.count == 1, !pattern.hasPrefix("/"), !pattern.hasPrefix("./") {
      components.insert(.anyDepth, at: 0)
    }
    self.components = components
    isForDirectories = pattern.hasSuffix("/")
  }

  /// - Parameters:
  ///   - path: Names from the root down.
  ///   - isDirectory: `docs/**` matches the directory `docs` too: nothing below is of interest.
  /// - Returns: Whether the whole path matches.
  func matches(_ path: ArraySlice<ArraySlice<UInt8>>, isDirectory: Bool) -> Bool {
    guard isDirectory || !isForDirectories else { return false }
    var (next, name) = (components.startIndex, path.startIndex)
    // What follows the last `**` may begin further down; what precedes it need not be tried again.
    var retry: (next: Int, name: Int)?
    while true {
      if next == components.endIndex {
        if name == path.endIndex { return true }
      } else if case .name(let component) = components[next] {
        if name < path.endIndex, Self.matches(component[...], path[name]) {
          (next, name) = (next + 1, name + 1)
          continue
        }
      } else if next + 1 == components.endIndex {
        return name < path.endIndex || isDirectory
      } else {
        next += 1
        retry = (next, name)
        continue
      }
      guard let again = retry, again.name < path.endIndex else { return false }
      (next, name) = (again.next, again.name + 1)
      retry = (next, name)
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
