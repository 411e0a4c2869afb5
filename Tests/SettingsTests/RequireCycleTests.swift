import Testing

@testable import Settings

struct RequireCycleTests {
  @Test(
    arguments: [
      ([:], nil),
      (["a": ["b"], "b": ["c"], "c": []], nil),
      (["a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []], nil),
      (["a": ["a"]], ["a", "a"]),
      (["a": ["b"], "b": ["c"], "c": ["b"]], ["b", "c", "b"]),
    ] as [([String: [String]], [String]?)])
  func `images that wait for each other are found`(
    _ requires: [String: [String]], _ expected: [String]?
  ) {
    #expect(RequireCycle.find(in: requires) == expected)
  }

  @Test func `a long chain is no deep recursion`() {
    var requires = ["0": [String]()]
    for number in 1...50_000 { requires["\(number)"] = ["\(number - 1)"] }
    requires["0"] = ["50000"]
    #expect(RequireCycle.find(in: requires)?.count == 50_002)
  }
}
