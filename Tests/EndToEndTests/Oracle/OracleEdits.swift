import Foundation
import SystemPackage
import TestSupport
import Watcher

/// What may happen to the oracle's workspace.
extension OracleWorkspace {
  struct Edit {
    var what: String
    var changes: [FileChange]
  }

  mutating func edit() throws -> Edit {
    serial += 1
    let package = packages.indices.randomElement(using: &numbers) ?? 0
    switch Int.random(in: 0..<100, using: &numbers) {
    case 0..<32: return try change(sources.randomElement(using: &numbers) ?? "")
    case 32..<42: return try change(remote.randomElement(using: &numbers) ?? "")
    case 42..<53: return try create(in: package)
    case 53..<62: return try remove()
    case 62..<69: return try rename()
    case 69..<77: return try build(package)
    case 77..<80: return try rules()
    case 80..<83: return try moveBorder(package / 12 * 12)
    case 83..<86: return try retarget(package)
    case 86..<88: return try options()
    case 88..<90: return try platform()
    case 90..<92: return try patch()
    case 92..<95: return try rootFile()
    default:
      try write("docs/d\(serial % 5).txt", "d\(serial)\n")
      return edit("unrelated", "docs/d\(serial % 5).txt", .modified)
    }
  }

  private func edit(_ what: String, _ path: String, _ kind: FileChange.Kind) -> Edit {
    Edit(what: "\(what) \(path)", changes: [FileChange(path: absolute(path), kind: kind)])
  }

  private func change(_ path: String) throws -> Edit {
    try write(path, "\(path) \(serial)\n")
    return edit("change", path, .modified)
  }

  private mutating func create(in package: Int) throws -> Edit {
    let kind = OraclePackage(package)
    let directories = [
      packages[package], "\(packages[package])/\(kind == .buildDirectory ? "rpm" : "new")",
      "real/dir", "real/dir/below", "third/inside/sub", "third/nested/more",
      "\(outside.path)/plain", "\(outside.path)/outside/more",
    ]
    // Most in packages; the rest where links lead and in other repositories.
    let place = Int.random(in: 0..<16, using: &numbers)
    let directory = directories[place < 8 ? place : place % 2]
    let name = Bool.random(using: &numbers) ? "n\(serial).txt" : "n\(serial).md"
    let path = "\(directory)/\(name)"
    try write(path, "new \(serial)\n")
    if name.hasSuffix("txt"), !directory.hasPrefix("lib") || kind.hasGlob {
      sources.append(path)
      globbed.append(path)
    }
    return edit("create", path, .created)
  }

  private mutating func remove() throws -> Edit {
    guard globbed.count > 10, let path = globbed.randomElement(using: &numbers) else {
      return try change(sources[0])
    }
    unlink(absolute(path).string)
    globbed.removeAll { $0 == path }
    sources.removeAll { $0 == path }
    return edit("delete", path, .deleted)
  }

  private mutating func rename() throws -> Edit {
    guard let path = globbed.randomElement(using: &numbers) else { return try change(sources[0]) }
    let new = FilePath(path).removingLastComponent().appending("r\(serial).txt").string
    Foundation.rename(absolute(path).string, absolute(new).string)
    globbed.removeAll { $0 == path }
    sources.removeAll { $0 == path }
    globbed.append(new)
    sources.append(new)
    return Edit(
      what: "rename \(path)",
      changes: [
        FileChange(path: absolute(path), kind: .deleted),
        FileChange(path: absolute(new), kind: .created),
      ])
  }

  /// A comment, another rule, or other dependencies.
  private mutating func build(_ package: Int) throws -> Edit {
    var text = ""
    switch Int.random(in: 0..<3, using: &numbers) {
    case 0: text = "# \(serial)\n"
    case 1: text = "filegroup(name = \"unused\(serial)\")\n"
    default:
      if package > 0 { dependencies[package] = [Int.random(in: 0..<package, using: &numbers)] }
    }
    let path = "\(packages[package])/\(OraclePackage(package).fileName)"
    try write(path, buildFile(package) + text)
    return edit("BUILD", path, .modified)
  }

  private mutating func rules() throws -> Edit {
    let isHeader = Bool.random(using: &numbers)
    try write("rules/common.bzl", "HEADER = \"h\(isHeader ? serial : 0)\"\n# \(serial)\n")
    return edit("bzl", "rules/common.bzl", .modified)
  }

  /// Makes a directory under a glob a package of its own, or no longer.
  private mutating func moveBorder(_ package: Int) throws -> Edit {
    let path = "\(packages[package])/deep/er/BUILD"
    if inner.remove(package) != nil {
      unlink(absolute(path).string)
      return edit("border", path, .deleted)
    }
    inner.insert(package)
    try write(path, "")
    return edit("border", path, .created)
  }

  private mutating func retarget(_ package: Int) throws -> Edit {
    let package = package / 6 * 6 + 3
    guard package < packages.count, let old = links[package] else {
      return Edit(what: "nothing", changes: [])
    }
    links[package] = (old + 1) % 7
    let path = "\(packages[package])/link.txt"
    try link(path, to: "../../../real/r\((old + 1) % 7).txt")
    return edit("retarget", path, .modified)
  }

  private mutating func options() throws -> Edit {
    try addOption(Bool.random(using: &numbers) ? "--define=mode=fast" : nil)
    return edit("options", ".bazelrc", .modified)
  }

  /// Another size, or only a comment.
  private mutating func platform() throws -> Edit {
    if Bool.random(using: &numbers) { isBig.toggle() }
    try writePlatform()
    return edit("platform", "platforms/BUILD", .modified)
  }

  private func patch() throws -> Edit {
    try writePatch()
    return edit("patch", "patches/one.patch", .modified)
  }

  private func rootFile() throws -> Edit {
    try writeRoot()
    return edit("root", workspace.marker, .modified)
  }
}
