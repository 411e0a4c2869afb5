import Testing

@testable import Basics

struct SuggestionTests {
  @Test(
    arguments: [
      ("plattform", "platform"), ("PLATFORM", "platform"), ("nmae", "name"), ("targt", "target"),
      ("xyz", nil), ("", nil), (String(repeating: "name", count: 1000), nil),
    ] as [(String, String?)])
  func `a slip of the finger is recognised, a different word is not`(
    _ word: String, _ meant: String?
  ) {
    #expect(Suggestion.nearest(to: word, among: ["name", "target", "platform"]) == meant)
  }

  @Test(arguments: [("", "", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("a", "", 1)])
  func `the distance counts edits`(_ left: String, _ right: String, _ edits: Int) {
    #expect(Suggestion.distance(left, right) == edits)
  }
}
