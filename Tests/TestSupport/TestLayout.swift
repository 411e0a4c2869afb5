import Images
package import SystemPackage

/// An OCI layout on disk, with its blobs as the versions of Bazel and the rule sets leave them.
package struct TestLayout {
  package enum Blobs: String, CaseIterable, Sendable {
    /// Bazel before 7.1.
    case copies
    /// Bazel since 7.1: relative links out of the tree.
    case links
    /// A base that is itself a layout.
    case linksToLinks
    /// rules_img.
    case absoluteLinks
    /// As a repository rule puts them there.
    case hardLinks
  }

  package let directory: FilePath
  /// Where what links lead to lies.
  package let elsewhere: FilePath

  /// - Parameter parent: The layout is made in it, and beside it what its links lead to.
  package init(
    in parent: FilePath, named name: String = "image", _ images: [TestImage],
    blobs: Blobs = .copies, index: [UInt8]? = nil
  ) throws {
    directory = parent.appending(name)
    elsewhere = parent.appending("\(name)-elsewhere")
    try Tool.run("rm", ["-rf", directory.string, elsewhere.string])
    try Tool.run("mkdir", ["-p", directory.appending("blobs/sha256").string, elsewhere.string])
    for (name, content) in TestImage.layoutFiles(images) {
      let isLayer = images.contains {
        $0.layers.contains(content) || $0.stored.values.contains(content)
      }
      try write(
        name == "index.json" ? index ?? content : content, as: name, isLayer ? blobs : .copies)
    }
  }

  private func write(_ content: [UInt8], as name: String, _ blobs: Blobs) throws {
    let file = directory.pushing(FilePath(name))
    let base = file.lastComponent?.string ?? ""
    let other = elsewhere.appending(base)
    let relative = "../../../\(elsewhere.lastComponent?.string ?? "")/\(base)"
    if blobs != .copies { try other.write(content) }
    switch blobs {
    case .copies: try file.write(content)
    case .links: try Tool.run("ln", ["-s", relative, file.string])
    case .linksToLinks:
      try Tool.run("ln", ["-s", base, elsewhere.appending("\(base).link").string])
      try Tool.run("ln", ["-s", "\(relative).link", file.string])
    case .absoluteLinks: try Tool.run("ln", ["-s", other.string, file.string])
    case .hardLinks: try Tool.run("ln", [other.string, file.string])
    }
  }

  /// Where the blob of this content lies in the layout.
  package func path(of content: [UInt8]) -> FilePath {
    directory.appending("blobs/sha256/\(Digest(of: content).hexadecimal)")
  }
}
