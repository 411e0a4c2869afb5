import Graph
import SystemPackage

/// Reads what compilers and Bazel say is wrong, and where: pure, line by line.
///
/// Understood: GCC, Clang, Swift, protoc, Go, javac, Kotlin, rustc, tsc, Python and Starlark
/// tracebacks, shell scripts, and Bazel's own `ERROR:` lines.
struct Diagnostics {
  private let paths: WorkspacePaths
  private let target: Label?
  /// A header whose place comes on a later line: rustc's.
  private var header: (severity: Diagnostic.Severity, message: String)?
  private var traceback: Traceback?
  /// The number of lines read.
  private var lineCount = 0
  private var headerLine = 0
  private var tracebackLine = 0
  /// On which line the diagnostic begins that was found last, from 0.
  private var start = 0

  init(workspace: FilePath, target: Label? = nil) {
    paths = WorkspacePaths(workspace: workspace)
    self.target = target
  }

  /// All diagnostics of a program's output.
  ///
  /// Repetitions are dropped. Of more than `limit`, errors stay before warnings and warnings before
  /// notes; the last one that stays tells how many were cut.
  static func parse(
    _ text: String, workspace: FilePath, target: Label? = nil, limit: Int = 50
  ) -> [Diagnostic] {
    var parser = Diagnostics(workspace: workspace, target: target)
    var seen: Set<Diagnostic> = []
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    var found: [Diagnostic] = []
    var snippets = Snippets(lines)
    for line in lines {
      guard let diagnostic = parser.add(line) else { continue }
      let isNew = seen.insert(diagnostic).inserted
      snippets.add(
        from: parser.start, to: parser.lineCount - 1, isNote: diagnostic.severity == .note)
      if isNew { found.append(diagnostic) } else { snippets.removeLast() }
    }
    for (index, snippet) in snippets.texts.enumerated() { found[index].snippet = snippet }
    guard found.count > limit else { return found }
    let kept = Set(
      found.indices.sorted { (found[$0].severity.rank, $0) < (found[$1].severity.rank, $1) }
        .prefix(limit))
    var diagnostics = found.indices.filter(kept.contains).map { found[$0] }
    diagnostics[diagnostics.endIndex - 1].omitted = found.count - limit
    return diagnostics
  }

  /// Takes the next line of output.
  mutating func add(_ line: String) -> Diagnostic? {
    defer { lineCount += 1 }
    start = lineCount
    // A Python syntax error has a frame without the words before it.
    if traceback != nil || line.hasSuffix("Traceback (most recent call last):")
      || Self.frame(line) != nil
    {
      return addToTraceback(line)
    }
    if let place = Self.rustPlace(line) {
      defer { header = nil }
      start = headerLine
      return header.flatMap { diagnostic(place, severity: $0.severity, message: $0.message) }
    }
    if let (severity, message) = Self.severity(line[...]), !message.isEmpty {
      // Also Bazel's "ERROR: path:1:2: message".
      if let place = SourcePosition(message), Self.isPath(place.file) {
        let rest = Self.severity(place.rest) ?? (severity, place.rest)
        return diagnostic(place, severity: rest.severity, message: Self.summary(rest.message))
      }
      header = (severity, String(message))
      headerLine = lineCount
      return nil
    }
    return place(line[...])
  }

  /// `path:line:column: error: message` and its kin.
  private func place(_ line: Substring) -> Diagnostic? {
    if let place = SourcePosition(line) {
      // tsc for people writes "a.ts:1:2 - error TS2304: message".
      let rest = place.rest.hasPrefix("- ") ? place.rest.dropFirst(2) : place.rest
      if let (severity, message) = Self.severity(rest), !place.file.contains("  ") {
        return diagnostic(place, severity: severity, message: String(message))
      }
      // Go and protoc name no severity: only a file that can be a source is believed.
      if Self.isSource(place.file) {
        return diagnostic(place, severity: .error, message: String(place.rest))
      }
    }
    // "gen.sh: line 3: foo: command not found"
    if let colon = line.firstRange(of: ": line "), Self.isSource(String(line[..<colon.lowerBound])),
      let place = SourcePosition("\(line[..<colon.lowerBound]):\(line[colon.upperBound...])")
    {
      return diagnostic(place, severity: .error, message: String(place.rest))
    }
    return nil
  }

  private func diagnostic(
    _ place: SourcePosition, severity: Diagnostic.Severity, message: String
  ) -> Diagnostic {
    Diagnostic(
      target: target, file: paths.relative(place.file), line: place.line, column: place.column,
      severity: severity, message: message)
  }
}

// MARK: - Tracebacks

extension Diagnostics {
  private struct Traceback {
    /// The innermost frame, and the innermost one in the workspace.
    var last: SourcePosition?
    var ours: SourcePosition?
  }

  /// Frames until the line that names the error, the first that is not indented.
  private mutating func addToTraceback(_ line: String) -> Diagnostic? {
    var traceback = traceback ?? Traceback()
    if self.traceback == nil {
      self.traceback = traceback
      tracebackLine = lineCount
    }
    if let frame = Self.frame(line) {
      traceback.last = frame
      if !paths.relative(frame.file).hasPrefix("/") { traceback.ours = frame }
      self.traceback = traceback
      return nil
    }
    guard let first = line.first, first != " ", first != "\t", !line.hasSuffix("call last):")
    else { return nil }
    self.traceback = nil
    start = tracebackLine
    guard let place = traceback.ours ?? traceback.last else { return nil }
    // "Error in fail: boom" is Starlark's way of saying "boom".
    let message = line.hasPrefix("Error in fail: ") ? String(line.dropFirst(15)) : line
    return diagnostic(place, severity: .error, message: message)
  }

  /// `File "a/b.py", line 3, in f` and Starlark's `File "/w/BUILD", line 1, column 5, in f`.
  private static func frame(_ line: String) -> SourcePosition? {
    let text = line[...].trimmingSpaces
    guard text.hasPrefix("File \""),
      let quote = text.dropFirst(6).firstRange(of: "\", line ")
    else { return nil }
    let file = text.dropFirst(6)[..<quote.lowerBound]
    let numbers = text[quote.upperBound...].split(separator: ",")
    guard let line = numbers.first else { return nil }
    let column = numbers.dropFirst().first.flatMap { part -> Substring? in
      part.hasPrefix(" column ") ? part.dropFirst(8) : nil
    }
    return SourcePosition("\(file):\(line):\(column.map { "\($0):" } ?? "") in")
  }
}

// MARK: - Words

extension Diagnostics {
  /// `error: message`, `fatal error: …`, `error[E0425]: …`, `error TS2304: …`, `ERROR: …`.
  private static func severity(
    _ text: Substring
  ) -> (
    severity: Diagnostic.Severity, message: Substring
  )? {
    let text = text.trimmingSpaces
    let words: [(String, Diagnostic.Severity)] = [
      ("error", .error), ("fatal error", .error), ("fatal", .error), ("ERROR", .error),
      ("warning", .warning), ("note", .note), ("remark", .note), ("info", .note),
    ]
    for (word, severity) in words where text.hasPrefix(word) {
      var rest = text.dropFirst(word.count)
      if rest.first == "[", let end = rest.firstIndex(of: "]") {
        rest = rest[end...].dropFirst()
      } else if rest.hasPrefix(" TS"), let colon = rest.firstIndex(of: ":") {
        // The number is part of what people search for.
        let message = rest.dropFirst()
        return rest[colon...].count > 1 ? (severity, message) : nil
      }
      guard rest.first == ":" else { continue }
      return (severity, rest.dropFirst().trimmingSpaces)
    }
    return nil
  }

  /// `  --> src/main.rs:4:5`
  private static func rustPlace(_ line: String) -> SourcePosition? {
    let text = line[...].trimmingSpaces
    guard text.hasPrefix("--> ") else { return nil }
    return SourcePosition("\(text.dropFirst(4)): here")
  }

  /// Bazel's account of a failed action without the command line, which may run to pages.
  private static func summary(_ message: Substring) -> String {
    guard let failed = message.firstRange(of: " failed: ("),
      let end = message[failed.upperBound...].firstIndex(of: ")")
    else { return String(message) }
    return String(message[...end])
  }

  private static func isPath(_ text: String) -> Bool {
    text.contains("/") || isSource(text)
  }

  /// Tells whether a file's name is one that a compiler may complain of.
  private static func isSource(_ path: String) -> Bool {
    guard !path.contains(where: \.isWhitespace) else { return false }
    let name = path.split(separator: "/").last ?? ""
    if ["BUILD", "WORKSPACE", "Makefile", "Dockerfile"].contains(name) { return true }
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return false }
    return sourceExtensions.contains(String(name[dot...].dropFirst()))
  }

  private static let sourceExtensions: Set<String> = [
    "S", "asm", "bazel", "bzl", "c", "cc", "cpp", "cs", "css", "cxx", "go", "h", "hh", "hpp", "hs",
    "html", "java", "js", "json", "jsx", "kt", "kts", "lua", "m", "mjs", "ml", "mm", "php", "proto",
    "py", "rb", "rs", "s", "scala", "scss", "sh", "sql", "svelte", "swift", "toml", "ts", "tsx",
    "vue", "xml", "yaml", "yml", "zig",
  ]
}

extension Diagnostic.Severity {
  fileprivate var rank: Int {
    switch self {
    case .error: 0
    case .warning: 1
    case .note: 2
    }
  }
}
