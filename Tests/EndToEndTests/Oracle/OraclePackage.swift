/// What a library of the oracle's workspace is made of, by its number.
enum OraclePackage: Int {
  case glob, generated, defined, links, header, localRepositories
  case buildDirectory, ignoredDirectory, platform, moreLinks, toolchain, repositoryRules

  init(_ number: Int) {
    let kind = OraclePackage(rawValue: number % 12) ?? .glob
    self = kind == .moreLinks ? .links : kind
  }

  /// The BUILD file's name: next to a directory that is named so it needs the longer one.
  var fileName: String { self == .buildDirectory ? "BUILD.bazel" : "BUILD" }

  var hasGlob: Bool { ![.generated, .ignoredDirectory, .defined, .platform].contains(self) }

  func buildFile(number: Int, dependencies: [String]) -> String {
    let deps = "[\((dependencies + repositories).map { "\"\($0)\"" }.joined(separator: ", "))]"
    let globbed = "srcs = glob([\"**/*.txt\"])"
    func generated(_ input: String) -> String {
      """
      load("//rules:text.bzl", "text")
      genrule(name = "gen", srcs = ["\(input)"], outs = ["gen.out"], cmd = "tr a-y b-z < $< > $@")
      text(name = "lib", srcs = ["a\(number).txt", ":gen.out"], deps = \(deps))

      """
    }
    func selected(_ condition: String) -> String {
      """
      load("//rules:text.bzl", "text")
      text(name = "lib", deps = \(deps), srcs = ["a\(number).txt"] + select({
          "\(condition)": ["on.txt"], "//conditions:default": ["off.txt"]}))

      """
    }
    func made(by rule: String, from file: String) -> String {
      """
      load("\(file)", "\(rule)")
      \(rule)(name = "lib", \(globbed), deps = \(deps))

      """
    }
    return switch self {
    case .generated: generated("in.txt")
    case .ignoredDirectory: generated("dist/in.txt")
    case .defined: selected("//rules:fast")
    case .platform: selected("//platforms:is_big")
    case .header: made(by: "headed", from: "//rules:headed.bzl")
    case .toolchain: made(by: "tooled", from: "//toolchains:tooled.bzl")
    default: made(by: "text", from: "//rules:text.bzl")
    }
  }

  private var repositories: [String] {
    switch self {
    case .localRepositories:
      ["@inside//sub:files", "@outside//:files", "@plain//:files", "@nested//:files"]
    case .repositoryRules:
      ["@given//:deps.txt", "@macro//:deps.txt", "@read//:deps.txt", "@patched//:a.txt"]
    default: []
    }
  }
}
