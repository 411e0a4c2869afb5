import Graph
import Testing

struct LabelPatternTests {
  @Test(arguments: [
    ("//...", "//a:b", true), ("//...", "@ext//a:b", false),
    ("//services/legacy/...", "//services/legacy:image", true),
    ("//services/legacy/...", "//services/legacy/x/y:image", true),
    ("//services/legacy/...", "//services/legacy2:image", false),
    ("//a:all", "//a:b", true), ("//a:*", "//a/b:c", false), ("//a:all-targets", "//a:b", true),
    ("//a", "//a:a", true), ("//a", "//a:b", false), ("//a:b", "//a:b", true),
    ("@//a/...", "//a/b:c", true), ("@ext//...", "@ext//a:b", true), ("//:all", "//:x", true),
  ])
  func `a pattern matches as Bazel's does`(
    _ text: String, _ label: String, _ expected: Bool
  )
    throws
  {
    let pattern = try #require(LabelPattern(text))
    #expect(try pattern.matches(#require(Label(label))) == expected)
  }

  @Test(arguments: ["", "a", "a/...", ":all", "...", "//a//b:all", "//a/:all", "-//a", "//a/b..."])
  func `what is no absolute pattern is refused`(_ text: String) {
    #expect(LabelPattern(text) == nil)
  }
}
