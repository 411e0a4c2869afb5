import Basics
import Graph
import SystemPackage

/// Finds, by reading the text, files that Bazel reads before any package and no query reports: what
/// WORKSPACE and MODULE.bazel load, the files that labels there name, and what `.bazelrc` imports and
/// names.
///
/// What is found too much costs one needless build. What is only named when a macro runs is in
/// Bazel's own record, once it has run.
struct WorkspaceFiles {
  /// A file in a repository whose directory is known.
  struct Source: Hashable {
    /// As labels here call it; empty for the main one.
    var repository: String
    var root: FilePath
    /// From the repository's root.
    var path: String

    var file: FilePath { root.pushing(FilePath(path)).lexicallyNormalized() }
  }

  private(set) var inputs = RepositoryInputs()
  /// Targets that are registered or named outside all packages, and so belong to every image.
  private(set) var targets: RegisteredTargets
  /// Other names of repositories: by what labels here call them, what they are called where they come
  /// from.
  private(set) var repositoryNames: [String: String] = [:]

  /// The files that it was made of.
  let options: BazelRCFiles
  private let workspace: FilePath
  /// Directories of local modules, by the module's name.
  private var modules: [String: FilePath] = [:]
  private var waiting: [Source] = []
  private var seen: Set<Source> = []

  /// More than this no person wrote: of one file, and of how many.
  private static let maximumSize = 1 << 20
  private static let maximumCount = 5000
  /// More files of one directory are no lock files.
  private static let maximumPerLiteral = 256

  /// - Parameters:
  ///   - options: Those of builds.
  ///   - rc: The files of options.
  init(workspace: FilePath, options: [String] = [], rc: BazelRCFiles) {
    self.workspace = workspace
    self.options = rc
    targets = RegisteredTargets(workspace: workspace)
    for file in rc.files { insert(file) }
    for name in ["WORKSPACE", "WORKSPACE.bazel", "WORKSPACE.bzlmod", "MODULE.bazel", "REPO.bazel"] {
      wait(for: main(name))
    }
    read()
    override(rc.commandOptions + options, home: rc.home)
    for (module, directory) in modules {
      let name = repositoryNames.first { $0.value == module }?.key ?? module
      targets.roots[name] = directory
      wait(for: Source(repository: name, root: directory, path: "MODULE.bazel"))
    }
    read()
    addOptions(rc.commandOptions + options, home: rc.home)
    read()
  }

  private func main(_ path: String) -> Source {
    Source(repository: "", root: workspace, path: path)
  }

  // MARK: Starlark

  /// A file that is read, and counts be it there or not: it may come.
  private mutating func wait(for source: Source) {
    guard seen.count < Self.maximumCount, seen.insert(source).inserted else { return }
    insert(source.file)
    waiting.append(source)
  }

  private mutating func read() {
    while let source = waiting.popLast() {
      guard let text = SmallFile.text(of: source.file, limit: Self.maximumSize) else { continue }
      let starlark = StarlarkText(text)
      for call in starlark.calls { note(call, in: source) }
      for literal in Set(starlark.literals) {
        addFiles(namedBy: literal, in: source)
        addFiles(begunBy: literal)
      }
    }
  }

  private mutating func note(_ call: StarlarkText.Call, in source: Source) {
    switch call.name {
    case "register_toolchains", "register_execution_platforms":
      for literal in call.literals { targets.register(literal, in: source) }
    case _ where !source.repository.isEmpty: break
    case "local_repository", "new_local_repository":
      guard let name = call.named["name"], let path = call.named["path"] else { return }
      targets.roots[name] = workspace.pushing(FilePath(path)).lexicallyNormalized()
    case "local_path_override":
      guard let name = call.named["module_name"], let path = call.named["path"] else { return }
      modules[name] = workspace.pushing(FilePath(path)).lexicallyNormalized()
    case "bazel_dep":
      guard let name = call.named["name"] else { return }
      repositoryNames[call.named["repo_name"] ?? name] = name
    case "use_repo":
      repositoryNames.merge(call.named) { first, _ in first }
    default: break
    }
  }

  // MARK: Labels

  private mutating func addFiles(namedBy literal: String, in source: Source) {
    for (named, isLabel) in Self.candidates(literal, in: source) {
      var named = named
      if named.repository != source.repository {
        guard let root = named.repository.isEmpty ? workspace : targets.roots[named.repository]
        else {
          if Self.isStarlark(named.path) {
            inputs.files.insert("@\(named.repository)//\(named.path)")
          }
          continue
        }
        named.root = root
      }
      if isLabel, Self.isStarlark(named.path) {
        wait(for: named)
      } else if BuildFileName.isFile(named.file) {
        insert(named.file)
      }
    }
  }

  /// The files whose labels may begin as a string does, of which the rest comes when the code runs:
  /// `Label("//locks:" + name)`, `"//locks:%s.txt" % name`.
  private mutating func addFiles(begunBy literal: String) {
    let text = literal.prefix { !"%{".contains($0) }
    guard text.count < literal.count || text.hasSuffix(":") || text.hasSuffix("/"),
      let slashes = text.firstRange(of: "//"),
      text[..<slashes.lowerBound].allSatisfy({ $0 == "@" }), literal.utf8.count < 1024
    else { return }
    let path = text[slashes.upperBound...].split(
      whereSeparator: { "/:".contains($0) })
    let isWhole = text.hasSuffix(":") || text.hasSuffix("/")
    let directory = (isWhole ? path[...] : path.dropLast()).joined(separator: "/")
    let prefix = isWhole ? "" : String(path.last ?? "")
    // All files of the root would be too many: nearly every save would be one of the whole workspace.
    guard !directory.isEmpty else { return }
    let root = workspace.pushing(FilePath(directory))
    var found: [FilePath] = []
    DirectoryEntries.forEach(in: root) { name, kind in
      let name = String(cString: name)
      let isWanted =
        kind != .directory && name.hasPrefix(prefix) && found.count < Self.maximumPerLiteral
      if isWanted, !BuildFileName.all.contains(name) { found.append(root.appending(name)) }
    }
    for file in found { insert(file) }
  }

  private static func isStarlark(_ path: String) -> Bool {
    path.hasSuffix(".bzl") || path.hasSuffix(".MODULE.bazel")
  }

  /// All files that a string may mean: a label in any form, or a path.
  static func candidates(_ text: String, in source: Source) -> [(Source, isLabel: Bool)] {
    guard 2..<1024 ~= text.utf8.count, !text.contains("://"),
      !text.contains(where: \.isNewline), !text.contains("\0")
    else { return [] }
    func relative(_ path: some StringProtocol) -> String {
      let directory = source.path.lastIndex(of: "/").map { source.path[...$0] } ?? ""
      return String(directory) + path
    }
    var result: [(Source, isLabel: Bool)] = []
    func add(_ path: String, repository: String? = nil, isLabel: Bool) {
      var named = source
      if let repository { named.repository = repository }
      named.path = path
      result.append((named, isLabel))
    }
    if text.hasPrefix(":") {
      // Relative to the package, which is most often the file's own directory.
      var directory = source.path[...]
      repeat {
        directory = directory.lastIndex(of: "/").map { directory[..<$0] } ?? ""
        add((directory.isEmpty ? "" : directory + "/") + text.dropFirst(), isLabel: true)
      } while !directory.isEmpty && result.count < 32
    } else if let slashes = text.firstRange(of: "//"),
      text[..<slashes.lowerBound].isEmpty || text.hasPrefix("@")
    {
      let prefix = text[..<slashes.lowerBound]
      let repository = prefix.isEmpty ? nil : String(prefix.drop { $0 == "@" })
      let rest = text[slashes.upperBound...].prefix { $0 != "%" }
      if let colon = rest.firstIndex(of: ":") {
        let path =
          rest[..<colon] + (colon == rest.startIndex ? "" : "/")
          + rest[rest.index(after: colon)...]
        add(String(path), repository: repository, isLabel: true)
      } else {
        let name = rest.split(separator: "/").last ?? ""
        add("\(rest)/\(name)", repository: repository, isLabel: true)
        add(String(rest), repository: repository, isLabel: true)
      }
    } else if text.contains(where: { "./".contains($0) }), !text.hasPrefix("-"),
      !text.hasPrefix("/")
    {
      add(relative(text), isLabel: false)
      if source.path.contains("/") { add(text, isLabel: false) }
    }
    return result
  }

  // MARK: Options

  /// Where options say that repositories lie: `--override_module=NAME=PATH`.
  private mutating func override(_ words: [String], home: FilePath?) {
    for option in ["override_repository", "override_module"] {
      for value in BazelRCFiles.values(of: option, in: words) {
        guard let equals = value.firstIndex(of: "=") else { continue }
        let name = String(value[..<equals].drop { $0 == "@" })
        let path = BazelRC.path(
          String(value[value.index(after: equals)...]), workspace: workspace, home: home)
        if option == "override_module" { modules[name] = path } else { targets.roots[name] = path }
      }
    }
  }

  /// Labels and files that options name: platforms, toolchains, aspects, the script that tells the
  /// workspace's status.
  private mutating func addOptions(_ words: [String], home: FilePath?) {
    let source = main("")
    for word in words {
      let value =
        word.hasPrefix("-") ? word.firstIndex(of: "=").map { word[$0...].dropFirst() } : word[...]
      // Settings that are targets: `--//flags:fast`, `--no//flags:fast`, `--@ext//:x=1`.
      if let flag = word.firstRange(of: "//"), word.hasPrefix("-") {
        let start = word[..<flag.lowerBound].lastIndex(of: "@") ?? flag.lowerBound
        if word[..<start].allSatisfy({ $0.isLetter || $0 == "-" }) {
          targets.register(String(word[start...].prefix { $0 != "=" }), in: source)
        }
      }
      for text in (value ?? "").split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
        let text = String(text)
        if text.hasPrefix("//") || text.hasPrefix("@") {
          targets.register(text, in: source)
          addFiles(namedBy: text, in: source)
        } else if !text.hasPrefix("-"), !text.contains("://") {
          let path = BazelRC.path(text, workspace: workspace, home: home)
          // Programs and certificates of the machine are nobody's sources.
          guard path.starts(with: workspace) || word.hasPrefix("--workspace_status_command") else {
            continue
          }
          if path != workspace, BuildFileName.isFile(path) { insert(path) }
        }
      }
    }
    let mappings = BazelRCFiles.values(of: "platform_mappings", in: words) + ["platform_mappings"]
    for path in mappings {
      let file = BazelRC.path(path, workspace: workspace, home: home)
      insert(file)
      let text = SmallFile.text(of: file, limit: Self.maximumSize) ?? ""
      for line in text.split(whereSeparator: \.isNewline) {
        targets.register(String(line.drop(while: \.isWhitespace)), in: source)
      }
    }
  }

  // MARK: Paths

  /// - Parameter file: Absolute.
  private mutating func insert(_ file: FilePath) {
    for path in SymbolicLink.places(of: file) {
      inputs.files.insert(path.relative(to: workspace))
    }
  }
}
