import SystemPackage

/// The text of a `.bazelrc`, read as Bazel reads it.
///
/// Source: src/main/cpp/rc_file.cc in Bazel, https://bazel.build/run/bazelrc
struct BazelRC {
  /// The files that it imports, as written but for `%workspace%`; of an import for some versions of
  /// Bazel the file too.
  private(set) var imports: [FilePath] = []
  /// The words of each line that is no import, the command first.
  private(set) var lines: [[String]] = []

  /// - Parameters:
  ///   - workspace: What `%workspace%` stands for, and what a relative path is relative to.
  ///   - home: What `~` stands for, for those who wrote it: Bazel itself does not know it.
  init(_ text: String, workspace: FilePath, home: FilePath? = nil) {
    let joined = text.replacing("\\\r\n", with: "").replacing("\\\n", with: "")
    for line in joined.split(whereSeparator: \.isNewline) {
      let words = Self.words(line)
      guard let command = words.first else { continue }
      guard ["import", "try-import", "try-import-if-bazel-version"].contains(command) else {
        lines.append(words)
        continue
      }
      guard words.count > 1, let path = words.last else { continue }
      imports.append(Self.path(path, workspace: workspace, home: home))
    }
  }

  /// An absolute path.
  static func path(_ text: String, workspace: FilePath, home: FilePath?) -> FilePath {
    if let home, text.hasPrefix("~/") { return home.pushing(FilePath(String(text.dropFirst(2)))) }
    let path = text.replacing("%workspace%", with: workspace.string)
    return workspace.pushing(FilePath(path)).lexicallyNormalized()
  }

  /// A line's words: quotes hold spaces, a backslash takes the next character as it is, `#` ends it.
  static func words(_ line: some StringProtocol) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var isEscaped = false
    for character in line {
      if isEscaped {
        word.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "#" {
        break
      } else if character.isWhitespace {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    if !word.isEmpty { words.append(word) }
    return words
  }
}
