import Processes
import Testing

struct LinesTests {
  @Test func `a line that comes in pieces is one line`() {
    var lines = Lines()
    #expect(text(lines.add(Array("he".utf8))) == [])
    #expect(text(lines.add(Array("llo\nwor".utf8))) == ["hello"])
    #expect(text(lines.add(Array("ld\n".utf8))) == ["world"])
    #expect(lines.finish() == nil)
  }

  @Test func `what stands after the last newline comes at the end`() {
    var lines = Lines()
    #expect(text(lines.add(Array("a\nb".utf8))) == ["a"])
    #expect(lines.finish().map(Lines.text) == "b")
  }

  @Test func `a carriage return ends a line of progress and empty lines are dropped`() {
    var lines = Lines()
    #expect(text(lines.add(Array("10%\r20%\r\n\nend\n".utf8))) == ["10%", "20%", "end"])
  }

  @Test func `a carriage return is kept where it is data`() {
    var lines = Lines(isTerminalOutput: false)
    #expect(lines.add(Array("a\rb\n".utf8)) == [Array("a\rb".utf8)])
  }

  @Test func `a line without end keeps no more than the limit`() {
    var lines = Lines(limit: 4)
    #expect(text(lines.add(Array("abc".utf8))) == [])
    #expect(text(lines.add(Array("defghi\nxy\n".utf8))) == ["abcd", "xy"])
  }

  @Test(arguments: [
    ("plain", "plain"),
    ("\u{1b}[31m\u{1b}[1mERROR: \u{1b}[0mno", "ERROR: no"),
    ("\u{1b}[1A\u{1b}[K[3 / 4] x", "[3 / 4] x"),
    ("cut \u{1b}[3", "cut "),
    ("\u{1b}", ""),
    ("gr\u{fc}n", "gr\u{fc}n"),
  ])
  func `colours and cursor movements are removed`(line: String, plain: String) {
    #expect(Lines.text(Array(line.utf8)) == plain)
  }

  @Test func `bytes that are no text are replaced`() {
    #expect(Lines.text([0x61, 0xff, 0x62]) == "a\u{fffd}b")
  }

  private func text(_ lines: [[UInt8]]) -> [String] { lines.map(Lines.text) }
}
