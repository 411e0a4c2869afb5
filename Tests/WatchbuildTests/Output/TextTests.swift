import Testing

@testable import Basics
@testable import watchbuild

struct TextTests {
  @Test(arguments: [
    ("plain ünïcode → 漢字 👩‍👩‍👧", "plain ünïcode → 漢字 👩‍👩‍👧"),
    ("a\u{1B}[2Jb", "a\\u{1B}[2Jb"), ("a\nb\tc\rd", "a\\nb\\tc\\rd"), ("\u{9B}31m", "\\u{9B}31m"),
    ("\u{7F}", "\\u{7F}"), ("a\u{202E}b", "a\\u{202E}b"), ("a\r\nb", "a\\r\\nb"),
    ("a\u{2028}b", "a\\u{2028}b"),
  ])
  func `nothing in a text can drive the terminal`(_ text: String, _ safe: String) {
    #expect(Terminal.escaped(text) == safe)
  }

  @Test(arguments: [
    (0, "0.00s"), (-5, "0.00s"), (4, "0.00s"), (40, "0.04s"), (94, "0.09s"), (95, "0.1s"),
    (1234, "1.2s"), (1250, "1.3s"), (75_300, "75.3s"),
  ])
  func `times are seconds`(_ milliseconds: Int, _ text: String) {
    #expect(Quantity.seconds(milliseconds) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"),
    (3_123_456, "3.1 MB"), (2_500_000_000, "2.5 GB"), (Int64.max, "9223372.0 TB"),
  ])
  func `sizes are in powers of 1000`(_ bytes: Int64, _ text: String) {
    #expect(Quantity.bytes(bytes) == text)
  }

  @Test(arguments: [
    (["bazel", "build", "--config=dev", "//a:b", "@x//y"], "bazel build --config=dev //a:b @x//y"),
    (["a b", "", "it's"], "'a b' '' 'it'\\''s'"), (["$(x)", "a\u{1B}"], "'$(x)' 'a\\u{1B}'"),
  ])
  func `a command is shown as a shell would read it`(_ arguments: [String], _ text: String) {
    #expect(CommandText.text(arguments) == text)
  }

  @Test func `a problem is one line, with the place first`() {
    let here = Problem.Location(file: "watchbuild.yaml", line: 14, column: 5)
    #expect(
      Problem("unknown key 'x'", at: here, hint: "remove it").description
        == "watchbuild.yaml:14:5: error: unknown key 'x'; remove it")
    #expect(Problem("no\nway").description == "watchbuild: error: no\\nway")
  }
}
