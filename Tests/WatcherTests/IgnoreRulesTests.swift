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

  @Test(
    arguments: [
      ("dist", false), ("dist/js", false), ("dist/js/bundle.js", false), ("dist/js/other", true),
      ("dist/css", true), ("third/lib/a/b", false), ("third/other", true), ("bazel-out/x", false),
      ("bazel-out/y", true), ("dist/a.log", true), (".git/HEAD", false), (".git/index", true),
    ])
  func `what is needed is not ignored, unless by a pattern`(_ path: String, _ isIgnored: Bool) {
    let needed = ["dist/js/bundle.js", "third/lib", "bazel-out/x", "dist/a.log", ".git/HEAD"]
    let rules = IgnoreRules(
      root: "/w", bazelIgnore: ["dist", "third"], patterns: ["*.log"],
      needed: Set(needed.map { FilePath("/w").pushing(FilePath($0)) }))
    #expect(rules.ignores(FilePath("/w").pushing(FilePath(path))) == isIgnored)
  }

  @Test(
    arguments: [
      ("dist/x", true), ("a/dist/x", false), ("a.log", false), ("bazel-out/x", true),
      ("bazel-x/y", false), ("bazel-x", true), ("a/.git/x", true), ("src/a.c", false),
    ])
  func `what would be ignored is told without the patterns`(_ path: String, _ isIgnored: Bool) {
    let rules = IgnoreRules(root: "/w", bazelIgnore: ["dist"], patterns: ["*.log"])
    #expect(rules.wouldIgnore(path.utf8) == isIgnored)
  }

  @Test(
    arguments: [
      ("**/a/**/b", "x/a/y/a/b", true), ("**/a/**/b", "a/b", true), ("**/a/**/b", "a/c/d", false),
      ("a/**/b/**/c", "a/b/b/c", true), ("a/**/b/**/c", "a/c/b", false), ("**/**/x", "x", true),
      ("a/**/*.c", "a/b/c/d.c", true), ("docs/", "docs", false), ("docs/", "x/docs/a", true),
      ("/docs/", "x/docs/a", false), ("a/**", "a", false),
    ])
  func `two stars span directories`(_ pattern: String, _ path: String, _ isIgnored: Bool) {
    let rules = IgnoreRules(root: "/w", patterns: [pattern])
    #expect(rules.ignores(FilePath("/w").pushing(FilePath(path))) == isIgnored)
  }

  /// Each `**` tried at each depth would take longer than the universe has been there.
  @Test func `many stars cost no more than few`() {
    let stars = String(repeating: "**/a/", count: 40)
    let rules = IgnoreRules(root: "/w", patterns: [stars + "b", stars + "*a*a*a*a*b"])
    let deep = FilePath("/w").pushing(FilePath(String(repeating: "a/", count: 200) + "c"))
    #expect(!rules.ignores(deep))
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
