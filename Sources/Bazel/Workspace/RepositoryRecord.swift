/// Bazel's own record of the files that the making of a repository read.
///
/// Beside each repository in `external/` lies a file such as `@ext.marker`: a hash, and then an input
/// a line, as `FILE://pkg:file HASH` (Bazel 4 to 7.0) or `FILE:@@//pkg/file HASH`. In Bazel's cache of
/// repositories' contents it is `NUMBER.recorded_inputs`.
/// Source: `RepoRecordedInput`, `RepositoryDelegatorFunction.DigestWriter` in Bazel
struct RepositoryRecord {
  enum Input: Hashable {
    case file(Place)
    /// The names in a directory.
    case listing(Place)
    /// All that is below a directory.
    case tree(Place)
  }

  enum Place: Hashable {
    /// - `repository`: as it is written, without `@`; empty for the main one.
    case inRepository(String, path: String)
    case absolute(String)
  }

  private(set) var inputs: [Input] = []

  init(marker text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let end = line.firstIndex(of: " "), let input = Self.input(line[..<end]) else {
        continue
      }
      inputs.append(input)
    }
  }

  /// - Parameter lockFile: The text of a `MODULE.bazel.lock`: what module extensions have read is
  ///   in it as strings such as `@@//pkg/file` or `FILE:@@//pkg/file`.
  init(lockFile text: String) {
    var seen: Set<Substring> = []
    for word in text.split(separator: "\"") where word.contains("//") && seen.insert(word).inserted
    {
      let isLabel = word.hasPrefix("@") || word.hasPrefix("//")
      let key =
        isLabel ? "FILE:" + word.prefix { $0 != "%" } : String(word.prefix { $0 != " " })
      if let input = Self.input(key) { inputs.append(input) }
    }
  }

  private static func input(_ key: some StringProtocol) -> Input? {
    guard let colon = key.firstIndex(of: ":"),
      let place = place(unescaped(key[key.index(after: colon)...]))
    else { return nil }
    switch key[..<colon] {
    case "FILE" where place != .inRepository("", path: ""): return .file(place)
    case "DIRENTS": return .listing(place)
    case "DIRTREE": return .tree(place)
    default: return nil
    }
  }

  private static func place(_ text: String) -> Place? {
    if text.hasPrefix("/"), !text.hasPrefix("//") { return .absolute(text) }
    guard let slashes = text.firstRange(of: "//") else { return nil }
    let repository = text[..<slashes.lowerBound]
    guard repository.isEmpty || repository.hasPrefix("@") else { return nil }
    // `pkg:file` and `:file` as well as `pkg/file`.
    var path = text[slashes.upperBound...].replacing(":", with: "/", maxReplacements: 1)
    if path.hasPrefix("/") { path.removeFirst() }
    guard !path.contains("\0") else { return nil }
    return .inRepository(String(repository.drop { $0 == "@" }), path: String(path))
  }

  /// Spaces and the like are written with a backslash.
  private static func unescaped(_ text: some StringProtocol) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        switch character {
        case "s": result.append(" ")
        case "n": result.append("\n")
        default: result.append(character)
        }
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
