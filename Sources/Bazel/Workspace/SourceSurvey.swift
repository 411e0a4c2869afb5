import Basics
import Glibc
import Graph
import SystemPackage

/// Follows the symbolic links on the way to every file of an index.
///
/// One `readlink` a file and one a directory.
struct SourceSurvey {
  private let workspace: FilePath
  /// The names of repositories where they come from, by their names in labels.
  private let names: [String: String]
  private(set) var links = SourceLinks()
  /// By place of a directory: where it really lies; `nil` where there is none.
  private var directories: [SourceLinks.Place: FilePath?] = [:]

  /// - Parameters:
  ///   - index: Its files are looked at.
  ///   - outputBase: Bazel's, where the other repositories are; `nil`: these are passed over.
  ///   - names: As a Bazel that tells labels by their names here needs them.
  init(_ index: TargetIndex, outputBase: FilePath?, names: [String: String] = [:]) {
    workspace = index.workspace
    self.names = names
    var repositories: [String: Bool] = [:]
    index.forEachFile { _, label in
      var place = SourceLinks.Place(path: label.path)
      if !label.isInMainRepository {
        place.repository = String(label.repository)
        let isLocal =
          repositories[place.repository] ?? add(place.repository, outputBase: outputBase)
        repositories[place.repository] = isLocal
        guard isLocal else { return }
      }
      follow(place)
    }
  }

  // MARK: Repositories

  /// - Returns: Whether files of the repository may lie elsewhere: it is, or holds, a link.
  private mutating func add(_ repository: String, outputBase: FilePath?) -> Bool {
    let name = String(repository.drop { $0 == "@" })
    // Bazel's own, which no one edits.
    guard name != "bazel_tools" else { return false }
    guard let outputBase else {
      links.isIncomplete = true
      return false
    }
    let external = outputBase.appending("external")
    var isLocal = false
    // All that it may be, where its name alone does not tell.
    for root in directories(of: name, in: external) where add(repository, at: root) {
      isLocal = true
    }
    return isLocal
  }

  private mutating func add(_ repository: String, at root: FilePath) -> Bool {
    let place = SourceLinks.Place(repository: repository, path: "")
    if SymbolicLink.target(of: root) != nil {
      guard let real = SymbolicLink.real(root), !RepositoryRecord.isCached(real) else {
        return false
      }
      if links.roots[repository] == nil {
        links.add(repository: repository, at: root.string)
        directories[place] = real
      }
      links.add(place, leadsTo: real.string, over: [])
      return true
    }
    // A new_local_repository: a directory of links to all that is in another one.
    var isLocal = false
    for entry in Self.entries(root) {
      guard let target = SymbolicLink.target(of: root.appending(entry)) else { continue }
      isLocal = true
      if target.isAbsolute, target.lastComponent?.string == entry,
        let real = SymbolicLink.real(target.removingLastComponent())
      {
        // What is new there will be linked to.
        links.add(place, leadsTo: real.string, over: [])
      }
    }
    guard isLocal, links.roots[repository] == nil else { return isLocal }
    links.add(repository: repository, at: root.string)
    directories[place] = root
    return true
  }

  /// The repository's directories: the one of just its name, or those of canonical names that begin or
  /// end with it.
  ///
  /// Source: https://bazel.build/external/module (canonical names: `ext+`, `_main~extension~ext`)
  private func directories(of name: String, in external: FilePath) -> [FilePath] {
    let exact = external.appending(name)
    if Self.exists(exact) { return [exact] }
    let wanted = [name, names[name]].compactMap(\.self)
    return Self.entries(external).filter { entry in
      guard !entry.hasPrefix("@") else { return false }
      let parts = entry.split { "~+".contains($0) }
      return wanted.contains { parts.last == $0[...] || parts.first == $0[...] }
    }.map { external.appending($0) }
  }

  // MARK: Files

  private mutating func follow(_ place: SourceLinks.Place) {
    let (parent, name) = place.split
    guard let directory = directory(parent) else { return }
    let file = directory.appending(name)
    guard let target = SymbolicLink.target(of: file) else { return }
    add(place, file: file, target: target)
  }

  /// Where a directory really lies.
  private mutating func directory(_ place: SourceLinks.Place) -> FilePath? {
    if let known = directories[place] { return known }
    guard !place.path.isEmpty else {
      return place.repository.isEmpty ? workspace : nil
    }
    let (parent, name) = place.split
    var found = directory(parent)?.appending(name)
    if let directory = found, let target = SymbolicLink.target(of: directory) {
      found = add(place, file: directory, target: target)
    }
    directories[place] = found
    return found
  }

  /// - Returns: Where the link leads in the end.
  @discardableResult
  private mutating func add(
    _ place: SourceLinks.Place, file: FilePath, target: FilePath
  ) -> FilePath? {
    var over = [file.string]
    var next = file.removingLastComponent().pushing(target).lexicallyNormalized()
    // As many as the kernel follows.
    for _ in 0..<40 {
      guard let parent = SymbolicLink.real(next.removingLastComponent()),
        let name = next.lastComponent
      else { break }
      next = parent.appending(name)
      guard let further = SymbolicLink.target(of: next) else { break }
      over.append(next.string)
      next = parent.pushing(further).lexicallyNormalized()
    }
    // Where it leads to nothing, what comes to be there is what it leads to.
    let real = SymbolicLink.real(file) ?? next
    links.add(place, leadsTo: real.string, over: over)
    return real
  }

  // MARK: Disk

  private static func exists(_ path: FilePath) -> Bool {
    path.withPlatformString { access($0, F_OK) } == 0
  }

  private static func entries(_ directory: FilePath) -> [String] {
    var names: [String] = []
    DirectoryEntries.forEach(in: directory) { name, _ in names.append(String(cString: name)) }
    return names.sorted()
  }
}

extension SourceLinks.Place {
  /// The directory, and the name in it.
  fileprivate var split: (directory: Self, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return (Self(repository: repository, path: ""), path)
    }
    return (
      Self(repository: repository, path: String(path[..<slash])),
      String(path[path.utf8.index(after: slash)...])
    )
  }
}
