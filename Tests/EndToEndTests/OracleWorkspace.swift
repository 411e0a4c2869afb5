import Foundation
import Runner
import SystemPackage
import TestSupport
import Watcher

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// A generated workspace with all that makes mapping hard, and edits that keep it buildable.
///
/// Libraries depend on earlier ones; by number they use globs, generated files, `select()`,
/// symbolic links to files and directories, a macro over two `.bzl` files, and local repositories
/// inside and outside the workspace.
struct OracleWorkspace {
  struct Edit {
    var what: String
    var changes: [FileChange]
  }

  let workspace: BazelWorkspace
  let imageNames: [String]
  private let outside: TemporaryDirectory
  private let packages: [String]
  private var numbers: SeededNumbers
  /// Sources whose content may change, relative to the workspace or absolute.
  private var sources: [String] = []
  /// Of these, those that only globs name, so that they may go.
  private var globbed: [String] = []
  private var dependencies: [[Int]] = []
  private var inner: Set<Int> = []
  private var links: [Int: Int] = [:]
  private var serial = 0

  init(packages count: Int, images: Int, seed: UInt64) throws {
    numbers = SeededNumbers(seed: seed)
    workspace = try BazelWorkspace()
    outside = try TemporaryDirectory()
    packages = (0..<count).map { "lib/g\($0 / 10)/p\($0)" }
    imageNames = (0..<images).map { "i\($0)" }
    try writeRules()
    try writeRepositories()
    for number in 0..<7 { try source("real/r\(number).txt") }
    try source("real/dir/d.txt")
    for number in 0..<count { try writePackage(number) }
    for name in imageNames {
      let used = Set((0..<3).map { _ in Int.random(in: 0..<count, using: &numbers) }).sorted()
      try workspace.write(
        "images/\(name)/BUILD",
        """
        load("//rules:text.bzl", "text")
        text(name = "image", out = "image.tar", srcs = glob(["*.txt"]),
             deps = [\(used.map { "\"//\(packages[$0]):lib\"" }.joined(separator: ", "))])
        """)
      try source("images/\(name)/\(name).txt", isGlobbed: true)
    }
  }

  // MARK: Making it

  private func writeRules() throws {
    try workspace.write(
      "rules/BUILD",
      "config_setting(name = \"fast\", define_values = {\"mode\": \"fast\"}, visibility = [\"//visibility:public\"])\n"
    )
    try workspace.write("rules/common.bzl", "HEADER = \"h0\"\n")
    try workspace.write(
      "rules/text.bzl",
      """
      def text(name, srcs, deps, out = None):
          native.genrule(
              name = name, srcs = srcs + deps, outs = [out or name + ".out"],
              cmd = "cat /dev/null $(SRCS) > $@", visibility = ["//visibility:public"])
      """)
    try workspace.write(
      "rules/headed.bzl",
      """
      load(":common.bzl", "HEADER")
      def headed(name, srcs, deps):
          native.genrule(
              name = name, srcs = srcs + deps, outs = [name + ".out"],
              cmd = "(echo " + HEADER + "; cat /dev/null $(SRCS)) > $@",
              visibility = ["//visibility:public"])
      """)
  }

  private mutating func writeRepositories() throws {
    try workspace.write(
      "WORKSPACE",
      """
      local_repository(name = "inside", path = "third/inside")
      local_repository(name = "outside", path = "\(outside.path)/outside")
      new_local_repository(name = "plain", path = "\(outside.path)/plain", build_file = "//third:plain.BUILD")

      """)
    let group =
      "filegroup(name = \"files\", srcs = glob([\"**/*.txt\"]), visibility = [\"//visibility:public\"])\n"
    try workspace.write("third/BUILD", "")
    try workspace.write("third/plain.BUILD", group)
    try workspace.write("third/inside/WORKSPACE", "")
    try workspace.write("third/inside/sub/BUILD", group)
    try source("third/inside/sub/a.txt", isGlobbed: true)
    try outside.write("", to: "outside/WORKSPACE")
    try outside.write(group, to: "outside/BUILD")
    try source("\(outside.path)/outside/o.txt", isGlobbed: true)
    try source("\(outside.path)/plain/p.txt", isGlobbed: true)
    try source("\(outside.path)/plain/deep/q.txt", isGlobbed: true)
  }

  private mutating func writePackage(_ number: Int) throws {
    let package = packages[number]
    var used: Set<Int> = []
    if number > 0 {
      for _ in 0..<2 { used.insert(Int.random(in: 0..<number, using: &numbers)) }
    }
    // Few at the top, so that not every image depends on every library.
    dependencies.append(number < packages.count / 2 ? Array(used.prefix(1)) : used.sorted())
    switch number % 6 {
    case 1: try source("\(package)/in.txt")
    case 2:
      try source("\(package)/fast.txt")
      try source("\(package)/slow.txt")
    case 3:
      try link("\(package)/link.txt", to: "../../../real/r\(number % 7).txt")
      links[number] = number % 7
      try link("\(package)/shared", to: "../../../real/dir")
    default: try source("\(package)/deep/er/x.txt", isGlobbed: true)
    }
    try source("\(package)/a\(number).txt", isGlobbed: number % 6 != 1 && number % 6 != 2)
    try workspace.write("\(package)/BUILD", buildFile(number))
  }

  private func buildFile(_ number: Int) -> String {
    var others = dependencies[number].map { "\"//\(packages[$0]):lib\"" }
    if number % 6 == 5 {
      others += ["\"@inside//sub:files\"", "\"@outside//:files\"", "\"@plain//:files\""]
    }
    let deps = "[\(others.joined(separator: ", "))]"
    return switch number % 6 {
    case 1:
      """
      load("//rules:text.bzl", "text")
      genrule(name = "gen", srcs = ["in.txt"], outs = ["gen.out"], cmd = "tr a-y b-z < $< > $@")
      text(name = "lib", srcs = ["a\(number).txt", ":gen.out"], deps = \(deps))

      """
    case 2:
      """
      load("//rules:text.bzl", "text")
      text(name = "lib", deps = \(deps), srcs = ["a\(number).txt"] + select({
          "//rules:fast": ["fast.txt"], "//conditions:default": ["slow.txt"]}))

      """
    case 4:
      """
      load("//rules:headed.bzl", "headed")
      headed(name = "lib", srcs = glob(["**/*.txt"]), deps = \(deps))

      """
    default:
      """
      load("//rules:text.bzl", "text")
      text(name = "lib", srcs = glob(["**/*.txt"]), deps = \(deps))

      """
    }
  }

  private mutating func source(_ path: String, isGlobbed: Bool = false) throws {
    try write(path, "\(path) 0\n")
    sources.append(path)
    if isGlobbed { globbed.append(path) }
  }

  private func absolute(_ path: String) -> FilePath { workspace.root.pushing(FilePath(path)) }

  private func write(_ path: String, _ text: String) throws {
    let file = URL(fileURLWithPath: absolute(path).string)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func link(_ path: String, to target: String) throws {
    let file = URL(fileURLWithPath: absolute(path).string)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    unlink(file.path)
    guard symlink(target, file.path) == 0 else { throw Errno(rawValue: errno) }
  }

  // MARK: Edits

  mutating func edit() throws -> Edit {
    serial += 1
    let package = packages.indices.randomElement(using: &numbers) ?? 0
    switch Int.random(in: 0..<100, using: &numbers) {
    case 0..<40: return try change(sources.randomElement(using: &numbers) ?? "")
    case 40..<52: return try create(in: package)
    case 52..<62: return try remove()
    case 62..<70: return try rename()
    case 70..<80: return try build(package)
    case 80..<83: return try rules()
    case 83..<87: return try moveBorder(package / 6 * 6)
    case 87..<91: return try retarget(package)
    case 91..<93: return try options()
    case 93..<96: return try workspaceFile()
    default:
      try write("docs/d\(serial % 5).txt", "d\(serial)\n")
      return Edit(
        what: "unrelated",
        changes: [FileChange(path: absolute("docs/d\(serial % 5).txt"), kind: .modified)])
    }
  }

  private func change(_ path: String) throws -> Edit {
    try write(path, "\(path) \(serial)\n")
    return edit("change", path, .modified)
  }

  private func edit(_ what: String, _ path: String, _ kind: FileChange.Kind) -> Edit {
    Edit(what: "\(what) \(path)", changes: [FileChange(path: absolute(path), kind: kind)])
  }

  private mutating func create(in package: Int) throws -> Edit {
    let directories = [
      packages[package], "\(packages[package])/new", "real/dir", "real/dir/below",
      "third/inside/sub", "\(outside.path)/plain", "\(outside.path)/outside/more",
    ]
    // Most in packages; the rest where links lead.
    let place = Int.random(in: 0..<14, using: &numbers)
    let directory = directories[place < 7 ? place : place % 2]
    let name = Bool.random(using: &numbers) ? "n\(serial).txt" : "n\(serial).md"
    let path = "\(directory)/\(name)"
    try write(path, "new \(serial)\n")
    if name.hasSuffix("txt"), !directory.hasPrefix("lib") || [0, 4, 5].contains(package % 6) {
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
    let path = "\(packages[package])/BUILD"
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
    let rc = absolute(".bazelrc").string
    var lines = try String(contentsOfFile: rc, encoding: .utf8)
      .split(separator: "\n").filter { !$0.contains("--define") }.map(String.init)
    if Bool.random(using: &numbers) { lines.append("build --define=mode=fast") }
    try write(".bazelrc", lines.joined(separator: "\n") + "\n")
    return edit("options", ".bazelrc", .modified)
  }

  private func workspaceFile() throws -> Edit {
    let path = absolute("WORKSPACE").string
    try write("WORKSPACE", try String(contentsOfFile: path, encoding: .utf8) + "# \(serial)\n")
    return edit("workspace", "WORKSPACE", .modified)
  }
}
