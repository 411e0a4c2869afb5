import SystemPackage
import Testing

@testable import Watcher

@Suite struct IgnoreRulesTests {
  @Test(
    arguments: [
      (".git", true), (".git/index", true), ("third_party/lib/.git/HEAD", true), (".hg", true),
      (".gitignore", false), (".github/workflows/ci.yml", false),
      ("bazel-bin", true), ("bazel-bin/a/b", true), ("bazel-w/x", true), ("bazel-custom", true),
      ("bazel-toolchains/cc.bzl", false), ("sub/bazel-bin", false),
      ("node_modules/x/y.js", true), ("app/node_modules/x.js", true), ("lib/node_modules/x", false),
      ("docs", false), ("docs/a.md", true), ("docs/deep/a.md", true), ("app/docs/a.md", false),
      ("a.log", true), ("x/y/a.log", true), ("a.log/inside", true), ("a.logs", false),
      ("gen/a/out/f", true), ("gen/out/f", true), ("gen/a/outer/f", false), ("src/a1.c", true),
      ("src/a12.c", false), ("src/main.go", false),
    ])
  func `a path is ignored or not`(_ path: String, _ isIgnored: Bool) {
    let rules = IgnoreRules(
      root: "/home/me/w",
      bazelIgnore: ["node_modules", "", "# a comment", "  ./app/node_modules/ "],
      patterns: ["docs/**", "*.log", "gen/**/out", "src/a?.c"])
    #expect(rules.ignores(FilePath("/home/me/w").pushing(FilePath(path))) == isIgnored)
  }

  @Test func `outside the root only version control is ignored`() {
    let rules = IgnoreRules(root: "/w", patterns: ["**/*.log", "x/**"])
    #expect(!rules.ignores("/wx/a.log"))
    #expect(!rules.ignores("/x/bazel-bin"))
    #expect(rules.ignores("/x/.git/config"))
  }

  @Test func `the root itself is never ignored`() {
    #expect(!IgnoreRules(root: "/w", patterns: ["**"]).ignores("/w"))
  }

  @Test func `a name alone decides as the whole path does`() {
    let rules = IgnoreRules(root: "/w")
    for name in [".git", ".svn", ".jj", ".x", "bazel-out", "bazel-x", "a"] {
      let byName = Array(name.utf8).withUnsafeBufferPointer {
        rules.ignoresByName($0, isAtRoot: true, isDirectory: false)
      }
      #expect(byName == rules.ignores(FilePath("/w").appending(name)), "\(name)")
    }
  }
}
