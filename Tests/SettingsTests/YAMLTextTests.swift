import Testing

@testable import Basics
@testable import Settings

@Suite struct YAMLTextTests {
  @Test(arguments: [
    ("a: 1\nb: \u{0}\n", 2, 4), ("a: \u{202E}b\n", 1, 4), ("a: \u{9B}1m", 1, 4),
  ])
  func `a character that no editor shows is refused where it is`(
    text: String, line: Int, column: Int
  ) {
    let refusal = YAMLText(text).refusal
    #expect(refusal?.line == line)
    #expect(refusal?.column == column)
  }

  @Test(arguments: [
    "a: &x [1]\n*x : 2\n", "a: &x [1]\n? *x\n: 2\n", "a: &x [1]\nb: {*x: 1}\n",
    "a: &x 1\n[*x]: 1\n",
    "a: &x 1\n- {b: *x}: 1\n",
  ])
  func `an alias that is a key, or in one, is refused`(text: String) {
    #expect(YAMLText(text).refusal != nil)
  }

  @Test func `values that are nested without end are refused`() {
    #expect(YAMLText(String(repeating: "[", count: 100_000)).refusal != nil)
    #expect(YAMLText(String(repeating: "- ", count: 100_000)).refusal != nil)
    #expect(YAMLText(String(repeating: "{a: ", count: 100_000)).refusal != nil)
  }

  @Test(arguments: [
    "a: &x [1]\nb: *x\n", "run: [\"echo [x]: y\"]\n",
    "query: 'kind(\"x\", //a/...)'\nglob: [\"**/*.md\"]\n",
    "# a *word: here & there\na: b\n", "a: |\n  tab\there\n", "---\na: [{b: {c: [1]}}]\n",
  ])
  func `what people write is not`(text: String) {
    #expect(YAMLText(text).refusal == nil)
  }

  @Test func `aliases of aliases, and what is written as an escape, are refused in time`() {
    let laughs = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(
      separator: "\n")
    for text in ["a0: &a0 x\n" + laughs, #"name: "a\0b""#] {
      #expect(throws: Problem.self) { try YAMLDocument(parsing: text, file: "watchbuild.yaml") }
    }
  }
}
