import Glibc
import SystemPackage

/// A Bazel that tests run with, and the file that marks the root of their workspaces.
package struct TestBazel: Sendable, CustomStringConvertible {
  package enum Root: String, Sendable {
    case workspaceFile = "WORKSPACE"
    case moduleFile = "MODULE.bazel"
  }

  /// Absolute, or a name that the tests' `PATH` knows.
  package let program: String
  /// As Bazel tells it: `7.7.1`, or what Debian's packages of old versions say instead.
  package let version: String
  package let root: Root
  /// What a workspace of this kind needs in its `.bazelrc`.
  package let options: [String]

  package var description: String {
    let name = Self.major(version) > 0 ? "Bazel \(version)" : program
    return "\(name) and a \(root.rawValue) file"
  }

  /// The files of repositories that this Bazel would fetch as soon as a rule wants a toolchain.
  package var standIns: [String: [String: String]] {
    // Debian's old Bazel does not tell its version, and lacks what later packages bring along.
    guard root == .workspaceFile, Self.major(version) == 0 else { return [:] }
    func rules(_ language: String, _ names: [String]) -> [String: String] {
      [
        "WORKSPACE": "", "\(language)/BUILD": "",
        "\(language)/defs.bzl": names.map { "\($0) = native.\($0)\n" }.joined(),
      ]
    }
    let java = ["binary", "import", "library", "runtime", "test", "toolchain"].map { "java_\($0)" }
    let cc = ["binary", "library", "toolchain", "toolchain_suite"].map { "cc_\($0)" }
    return ["rules_cc": rules("cc", cc), "rules_java": rules("java", java)]
  }

  /// `PATH` with this Bazel as its `bazel`.
  package var searchPath: String {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let isNewer = program.hasPrefix(Self.directory.string)
    return isNewer ? "\(FilePath(program).removingLastComponent()):\(path)" : path
  }

  /// The Bazel that the running test is to use.
  @TaskLocal package static var current =
    installed
    ?? TestBazel(program: "bazel", version: "missing", root: .workspaceFile, options: [])

  /// The one in `PATH`, with `WORKSPACE` files where it still reads them.
  package static let installed = program(named: "bazel").map { program in
    let version = version(of: program)
    return TestBazel(
      program: program, version: version,
      root: major(version) < 9 ? .workspaceFile : .moduleFile,
      options: major(version) < 9 ? workspaceOptions(version) : [])
  }

  /// The one that `scripts/newer-bazel` puts beside it, with modules; `nil` where there is none.
  package static let newest = newer(.moduleFile)

  /// The newer one with `WORKSPACE` files, if it reads them.
  package static let newestWithWorkspaceFile = newer(.workspaceFile)

  /// What each suite that depends on Bazel runs with.
  package static let all = [installed, newest].compactMap(\.self)

  /// The same, and the newer one with `WORKSPACE` files.
  package static let inEveryWay = [installed, newest, newestWithWorkspaceFile].compactMap(\.self)

  /// Where `scripts/newer-bazel` puts it.
  private static let directory: FilePath = "/var/cache/watchbuild-tests/newer-bazel"

  private static func newer(_ root: Root) -> TestBazel? {
    let program = directory.appending("bin/bazel").string
    guard access(program, X_OK) == 0 else { return nil }
    let file = root == .moduleFile ? "bazelrc" : "workspace.bazelrc"
    // Not there: it can't do with such a file.
    guard let options = try? directory.appending(file).read() else { return nil }
    return TestBazel(
      program: program, version: version(of: program), root: root,
      options: String(decoding: options, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  private static func workspaceOptions(_ version: String) -> [String] {
    major(version) < 7 ? [] : ["common --noenable_bzlmod --enable_workspace"]
  }

  private static func major(_ version: String) -> Int {
    version.split(separator: ".").first.flatMap { Int($0) } ?? 0
  }

  private static func version(of program: String) -> String {
    // One that does not answer is told by each test that runs it.
    let words = (try? Tool.run(program, ["--version"]))?.split(whereSeparator: \.isWhitespace)
    return words?.last.map(String.init) ?? "unknown"
  }

  private static func program(named name: String) -> String? {
    guard let path = getenv("PATH") else { return nil }
    return String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }
}
