import Basics
import Glibc
import Graph
import SystemPackage

/// Targets that Bazel finds by itself for whatever it builds: registered toolchains and platforms, and
/// what options name. No dependency of an image leads to them.
///
/// Only those of the workspace and of local repositories, whose files people edit: asking for others
/// could fetch what no build needs.
struct RegisteredTargets {
  private(set) var patterns: Set<LabelPattern> = []
  /// Directories of local repositories, by their names here.
  var roots: [String: FilePath] = [:]
  private let workspace: FilePath

  init(workspace: FilePath) { self.workspace = workspace }

  /// - Parameters:
  ///   - text: A label or pattern, or the part of one that a macro completes.
  ///   - source: Where it stands.
  mutating func register(_ text: String, in source: WorkspaceFiles.Source) {
    guard let absolute = Self.absolute(text, in: source) else { return }
    let isWhole = !absolute.contains { "%{".contains($0) }
    guard let pattern = (isWhole ? LabelPattern(absolute) : nil) ?? Self.package(of: absolute)
    else {
      return
    }
    patterns.insert(pattern)
  }

  private static func absolute(_ text: String, in source: WorkspaceFiles.Source) -> String? {
    if text.hasPrefix("@") { return text }
    let prefix = source.repository.isEmpty ? "" : "@" + source.repository
    if text.hasPrefix("//") { return prefix + text }
    guard text.hasPrefix(":") else { return nil }
    let directory = source.path.lastIndex(of: "/").map { source.path[..<$0] } ?? ""
    return "\(prefix)//\(directory)\(text)"
  }

  /// Takes the whole package of `//toolchains:` and `//toolchains:%s_toolchain`.
  private static func package(of text: String) -> LabelPattern? {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    return LabelPattern(text[..<colon] + ":all")
  }

  // MARK: Asking

  /// Those that are there: asking for others would make the answer a partial one.
  var present: Set<LabelPattern> { patterns.filter(isPresent) }

  /// Query expressions for these, and for what toolchains name: to which no dependency leads.
  var expressions: [String] {
    let present = present.sorted { $0.description < $1.description }
    guard !present.isEmpty else { return [] }
    let registered = present.map(Self.expression)
    let repositories = roots.keys.sorted().map(QueryWord.pattern).joined(separator: "|")
    let local = "^@*((\(repositories))([~+][^/]*)?)?//"
    return registered
      + registered.map { #"labels("toolchain", attr("toolchain", "\#(local)", \#($0)))"# }
  }

  private func isPresent(_ pattern: LabelPattern) -> Bool {
    let name = String(pattern.repository.drop { $0 == "@" })
    guard let root = name.isEmpty ? workspace : roots[name] else { return false }
    let directory = root.pushing(FilePath(String(pattern.package)))
    guard pattern.isRecursive else { return BuildFileName.marksPackage(directory) }
    return directory.withPlatformString { access($0, X_OK) } == 0
  }

  /// One label is sought among its package's, since that of a target which is not there is no error.
  private static func expression(_ pattern: LabelPattern) -> String {
    guard let label = pattern.label, !label.description.contains("\"") else {
      return QueryWord.quoted(pattern.description)
    }
    let package = QueryWord.quoted("\(label.repository)//\(label.package):*")
    return
      #"filter("//\#(QueryWord.pattern(matching: "\(label.package):\(label.name)"))$", \#(package))"#
  }
}
