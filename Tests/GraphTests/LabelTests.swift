import Graph
import Testing

@Suite struct LabelTests {
  @Test(arguments: [
    ("//a/b:c", "//a/b:c"), ("//a/b", "//a/b:b"), ("//:x", "//:x"), ("@//a:b", "//a:b"),
    ("@@//a:b", "//a:b"), ("@ext//a:b", "@ext//a:b"),
    ("@@rules_x+//a:b.tar", "@@rules_x+//a:b.tar"),
    ("//a:dir/file.txt", "//a:dir/file.txt"), ("@pulled", "@pulled//:pulled"),
    ("@@rules_x+", "@@rules_x+//:rules_x+"),
  ])
  func `a label has one canonical form`(text: String, canonical: String) {
    #expect(Label(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "a", ":a", "a:b", "//...", "//a/...", "//a:all", "//a:*", "-//a:b", "//", "//a:",
    "@", "@@", "@@@a", "@a:b", "@a/b", "@a b", "me@home",
  ])
  func `what is no absolute label is refused`(text: String) {
    #expect(Label(text) == nil)
  }

  @Test func `a label knows its parts`() throws {
    let label = try #require(Label("@ext//a/b:c/d"))
    #expect(label.repository == "@ext")
    #expect(label.package == "a/b")
    #expect(label.name == "c/d")
  }
}
