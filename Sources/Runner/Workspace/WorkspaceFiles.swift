import SystemPackage

/// The files that Bazel reads before any package, and that no query reports: what WORKSPACE and
/// MODULE.bazel load, and what `.bazelrc` imports.
///
/// Found by reading the text: each quoted `.bzl` label of the workspace files, and of what those
/// load in turn; `import` and `try-import` lines. What is found too much costs one needless build.
struct WorkspaceFiles {
  /// Relative to the workspace; of another repository `@name//` and the path in it.
  private(set) var all: Set<String> = []

  /// More than this is no file that a person wrote.
  private static let maximumSize = 1 << 20

  init(workspace: FilePath) {
    var waiting = [
      "WORKSPACE", "WORKSPACE.bazel", "WORKSPACE.bzlmod", "MODULE.bazel", "REPO.bazel",
      ".bazelrc",
    ]
    while let file = waiting.popLast() {
      guard all.insert(file).inserted, !file.hasPrefix("@"),
        let text = Self.read(workspace.appending(file))
      else { continue }
      waiting +=
        file.hasSuffix("rc")
        ? Self.imports(in: text, workspace: workspace)
        : Self.loads(in: text, of: file)
    }
  }

  static func loads(in text: String, of file: String) -> [String] {
    let directory = file.lastIndex(of: "/").map { String(file[..<$0]) + "/" } ?? ""
    let words = text.split { "\"'".contains($0) || $0.isNewline }
    return words.compactMap { word -> String? in
      guard word.hasSuffix(".bzl") || word.hasSuffix(".MODULE.bazel") else { return nil }
      if word.hasPrefix(":") { return directory + word.dropFirst() }
      // The colon of `//:x.bzl` stands for no directory.
      let path = word.replacing("//:", with: "//", maxReplacements: 1)
        .replacing(":", with: "/", maxReplacements: 1)
      guard let slashes = path.firstRange(of: "//"), path.hasPrefix("@") || path.hasPrefix("//")
      else { return nil }
      let isMain = path[..<slashes.lowerBound].allSatisfy { $0 == "@" }
      return String(isMain ? path[slashes.upperBound...] : path)
    }
  }

  static func imports(in text: String, workspace: FilePath) -> [String] {
    text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.count >= 2, words[0] == "import" || words[0] == "try-import" else { return nil }
      let path = words[1].replacing("%workspace%", with: workspace.string)
      var file = FilePath(String(path))
      if file.isRelative { return file.string }
      return file.removePrefix(workspace) ? file.string : nil
    }
  }

  private static func read(_ path: FilePath) -> String? {
    // A file that is not there, or can't be read, names no others; Bazel reports it if it matters.
    guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
    return try? file.closeAfter {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while bytes.count < maximumSize {
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
        guard count > 0 else { break }
        bytes += buffer[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
