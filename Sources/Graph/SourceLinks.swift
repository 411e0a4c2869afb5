/// Where the files of the graph really lie, if a symbolic link is on the way to them.
///
/// Bazel names a file by the way through the link, the kernel reports changes where it lies. A
/// link may be a file, a directory on the way to files or packages, or a local repository, which
/// Bazel itself links to from `external/` in its output base.
package struct SourceLinks: Hashable, Sendable {
  /// A path as labels have it.
  package struct Place: Hashable, Sendable {
    /// `@ext`, as labels print it; empty for the main repository.
    package var repository: String
    /// From the repository's root; empty for the root itself.
    package var path: String

    package init(repository: String = "", path: String) {
      self.repository = repository
      self.path = path
    }
  }

  /// By the absolute path that links lead to: the places that it is.
  package internal(set) var places: [String: [Place]] = [:]
  /// Absolute paths of the links themselves, the last and those on the way: a change of one of them
  /// leads the place elsewhere.
  package internal(set) var links: [String: [Place]] = [:]
  /// Where other repositories lie, absolute: as Bazel sees them, links not resolved.
  package internal(set) var roots: [String: String] = [:]
  /// Repositories were not looked for, because Bazel's output base is not known yet.
  package var isIncomplete = false

  package init() {}

  /// - Parameters:
  ///   - place: What the link is, in the graph.
  ///   - target: The absolute path that it leads to, all links resolved.
  ///   - links: The absolute path of the link itself, and of those that it leads over.
  package mutating func add(_ place: Place, leadsTo target: String, over links: [String]) {
    if places[target]?.contains(place) != true { places[target, default: []].append(place) }
    for link in links where self.links[link]?.contains(place) != true {
      self.links[link, default: []].append(place)
    }
  }

  package mutating func add(repository: String, at root: String) { roots[repository] = root }

  /// The absolute paths of all links on the way to files.
  package var linkPaths: some Collection<String> { links.keys }

  /// The places that a path is, by way of links.
  ///
  /// The path is absolute.
  func places(of path: Substring) -> [Place] {
    guard !places.isEmpty else { return [] }
    var found: [Place] = []
    var prefix = path
    while !prefix.isEmpty {
      for place in places[String(prefix)] ?? [] {
        found.append(
          Place(repository: place.repository, path: place.path.joined(path[prefix.endIndex...])))
      }
      prefix = prefix.parent
    }
    return found
  }
}

extension String {
  /// Goes on with what is empty, or has a slash in front.
  fileprivate func joined(_ rest: Substring) -> String {
    isEmpty ? String(rest.dropFirst()) : self + rest
  }
}

extension Substring {
  /// Without the last component; empty when there is only one.
  var parent: Substring {
    guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return self[startIndex..<startIndex]
    }
    return self[..<slash]
  }
}
