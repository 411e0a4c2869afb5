import Testing

@testable import Bazel

@Suite struct StarlarkTextTests {
  @Test(arguments: [
    (#"load("//a:b.bzl", 'c')"#, ["//a:b.bzl", "c"]),
    (##"x = "a" # "b" it's"##, ["a"]),
    (
      #"x = r"a#b" + """two "quoted"\#nlines""" + 'it\'s'"#,
      ["a#b", "two \"quoted\"\nlines", "it's"]
    ),
    ("x = \"open\ny = 'z'", ["open", "z"]), ("\"", [""]), ("\"\"\"", [""]), ("'a\\", ["a\\"]),
    ("", []),
  ])
  func `string literals are found, and comments passed over`(text: String, literals: [String]) {
    #expect(StarlarkText(text).literals == literals)
  }

  @Test func `a call is told with the literals of its arguments`() {
    let calls = StarlarkText(
      """
      native.register_toolchains("//a:all", *["//b:" + x for x in XS], dev_dependency = True)
      bazel_dep(name = "foo", version = "1", repo_name = "bar")
      use_repo(ext, "pip", npm = "node")
      """
    ).calls
    #expect(
      calls == [
        .init(
          name: "register_toolchains", positional: ["//a:all", "//b:"],
          literals: ["//a:all", "//b:"]
        ),
        .init(
          name: "bazel_dep", named: ["name": "foo", "version": "1", "repo_name": "bar"],
          literals: ["foo", "1", "bar"]),
        .init(
          name: "use_repo", positional: ["pip"], named: ["npm": "node"], literals: ["pip", "node"]),
      ])
  }

  @Test func `literals of inner calls are the outer's too`() {
    let calls = StarlarkText(#"register(Label("//a:b"), names = select({"x": ["//c:d"]}))"#).calls
    #expect(calls.last?.literals == ["//a:b", "x", "//c:d"])
    #expect(calls.map(\.name) == ["Label", "select", "register"])
  }

  @Test func `brackets that do not match do no harm`() {
    #expect(StarlarkText(")])}f((\"a\"]").literals == ["a"])
  }
}
