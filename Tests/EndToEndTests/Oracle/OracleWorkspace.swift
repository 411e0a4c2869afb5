import Foundation
import SystemPackage
import TestSupport

/// A generated workspace with all that makes mapping hard, and edits that keep it buildable.
///
/// Libraries depend on earlier ones. Their number says what they are made of: see `OraclePackage`.
struct OracleWorkspace {
  let workspace: BazelWorkspace
  let imageNames: [String]
  /// Whether Bazel leaves `bazel-out` and its like in the workspace.
  let hasConvenienceLinks: Bool
  let outside: TemporaryDirectory
  let packages: [String]
  var numbers: SeededNumbers
  /// Sources whose content may change, relative to the workspace or absolute.
  var sources: [String] = []
  /// Of these, those that only globs name, so that they may go.
  var globbed: [String] = []
  /// Of these, those that no BUILD file of the main repository names.
  var remote: [String] = []
  var dependencies: [[Int]] = []
  var inner: Set<Int> = []
  var links: [Int: Int] = [:]
  var isBig = false
  var serial = 0

  init(packages count: Int, images: Int, seed: UInt64) throws {
    numbers = SeededNumbers(seed: seed)
    workspace = try BazelWorkspace()
    outside = try TemporaryDirectory()
    packages = (0..<count).map { "lib/g\($0 / 10)/p\($0)" }
    imageNames = (0..<images).map { "i\($0)" }
    hasConvenienceLinks = Int.random(in: 0..<3, using: &numbers) > 0
    try writeRules()
    try writeToolchain()
    try writePlatform()
    try writeRepositories()
    for number in 0..<7 { try source("real/r\(number).txt") }
    try source("real/dir/d.txt")
    for number in 0..<count { try writePackage(number) }
    for name in imageNames {
      let used = Set((0..<3).map { _ in Int.random(in: 0..<count, using: &numbers) }).sorted()
      try write(
        "images/\(name)/BUILD",
        """
        load("//rules:text.bzl", "text")
        text(name = "image", out = "image.tar", srcs = glob(["*.txt"]),
             deps = [\(used.map { "\"//\(packages[$0]):lib\"" }.joined(separator: ", "))])
        """)
      try source("images/\(name)/\(name).txt", isGlobbed: true)
    }
    let ignored = packages.indices.filter { OraclePackage($0) == .ignoredDirectory }
    try write(
      ".bazelignore",
      (ignored.map { "\(packages[$0])/dist" } + ["third/nested"]).joined(separator: "\n") + "\n")
    try addOption(nil)
  }

  // MARK: Files

  mutating func source(_ path: String, isGlobbed: Bool = false) throws {
    try write(path, "\(path) 0\n")
    sources.append(path)
    if isGlobbed { globbed.append(path) }
  }

  func absolute(_ path: String) -> FilePath { workspace.root.pushing(FilePath(path)) }

  func write(_ path: String, _ text: String) throws {
    let file = URL(fileURLWithPath: absolute(path).string)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func link(_ path: String, to target: String) throws {
    let file = URL(fileURLWithPath: absolute(path).string)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    unlink(file.path)
    guard symlink(target, file.path) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Writes the options of each build into `.bazelrc`, one that changes last.
  func addOption(_ option: String?) throws {
    let startup = try String(contentsOfFile: absolute(".bazelrc").string, encoding: .utf8)
      .split(separator: "\n").filter { !$0.hasPrefix("build ") }.map(String.init)
    var options = ["--spawn_strategy=local", "--platforms=//platforms:target"]
    if !hasConvenienceLinks { options.append("--symlink_prefix=/") }
    options += option.map { [$0] } ?? []
    let lines = startup + options.map { "build \($0)" }
    try write(".bazelrc", lines.joined(separator: "\n") + "\n")
  }

  // MARK: Packages

  private mutating func writePackage(_ number: Int) throws {
    let package = packages[number]
    var used: Set<Int> = []
    if number > 0 {
      for _ in 0..<2 { used.insert(Int.random(in: 0..<number, using: &numbers)) }
    }
    // Few at the top, so that not every image depends on every library.
    dependencies.append(number < packages.count / 2 ? Array(used.prefix(1)) : used.sorted())
    let kind = OraclePackage(number)
    switch kind {
    case .generated: try source("\(package)/in.txt")
    case .ignoredDirectory:
      try source("\(package)/dist/in.txt")
      remote.append("\(package)/dist/in.txt")
    case .defined, .platform:
      try source("\(package)/on.txt")
      try source("\(package)/off.txt")
    case .links:
      try link("\(package)/link.txt", to: "../../../real/r\(number % 7).txt")
      links[number] = number % 7
      try link("\(package)/shared", to: "../../../real/dir")
    case .buildDirectory:
      try source("\(package)/rpm/BUILD/x.txt", isGlobbed: true)
      try source("\(package)/rpm/y.txt", isGlobbed: true)
    default: try source("\(package)/deep/er/x.txt", isGlobbed: true)
    }
    try source("\(package)/a\(number).txt", isGlobbed: kind.hasGlob)
    try write("\(package)/\(kind.fileName)", buildFile(number))
  }

  func buildFile(_ number: Int) -> String {
    OraclePackage(number).buildFile(
      number: number, dependencies: dependencies[number].map { "//\(packages[$0]):lib" })
  }
}
