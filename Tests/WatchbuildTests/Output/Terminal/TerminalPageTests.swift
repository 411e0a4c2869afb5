import Events
import FoundationEssentials
import Testing

@testable import watchbuild

@Suite struct TerminalPageTests {
  @Test func `rows go above the footer, which is drawn over`() {
    var page = TerminalPage(usesColor: false)
    let footer = [StyledText("────"), StyledText("idle")]
    let first = page.text(adding: [], footer: footer, columns: 80, title: "t")
    #expect(first == "\u{1B}[?2026h────\nidle\u{1B}]2;t\u{07}\u{1B}[?2026l")
    let second = page.text(adding: [StyledText("row")], footer: footer, columns: 80, title: "t")
    #expect(second == "\u{1B}[?2026h\r\u{1B}[1A\u{1B}[Jrow\n────\nidle\u{1B}[?2026l")
  }

  @Test func `nothing is written where nothing has changed`() {
    var page = TerminalPage()
    _ = page.text(adding: [], footer: [StyledText("a")], columns: 80, title: "t")
    #expect(page.text(adding: [], footer: [StyledText("a")], columns: 80, title: "t") == "")
    #expect(page.text(adding: [], footer: [StyledText("b")], columns: 80, title: "t") != "")
  }

  @Test func `a terminal that has become narrower has broken the rows of the footer`() {
    var page = TerminalPage()
    _ = page.text(
      adding: [], footer: [StyledText(String(repeating: "x", count: 79)), StyledText("y")],
      columns: 80, title: "")
    #expect(page.textWithoutFooter(columns: 40) == "\r\u{1B}[2A\u{1B}[J")
    #expect(page.textWithoutFooter(columns: 40) == "")
  }

  @Test func `a dumb terminal gets rows alone, and no escape`() {
    var page = TerminalPage(usesColor: false, isCapable: false)
    let text = page.text(
      adding: [StyledText("row", .failure, link: "file:///x")], footer: [StyledText("f")],
      columns: 80, title: "t")
    #expect(text == "row\n")
    #expect(page.opening + page.closing + page.cleared() == "")
  }

  @Test func `places are links, and colours come on top`() {
    let text = StyledText("a:1", .failure, link: "file:///w/a").rendered(
      usesColor: true, hasLinks: true)
    #expect(text == "\u{1B}]8;;file:///w/a\u{1B}\\\u{1B}[31ma:1\u{1B}[0m\u{1B}]8;;\u{1B}\\")
  }
}

@Suite struct TextColumnsTests {
  @Test(arguments: [
    ("cart", 4), ("日本", 4), ("e\u{301}", 1), ("🚀", 2), ("❤️", 2), ("", 0), ("✓ ✗ ●", 5), ("한글", 4),
  ])
  func `characters take the columns that a terminal gives them`(text: String, columns: Int) {
    #expect(TextColumns.count(text) == columns)
  }

  @Test func `text is cut and wrapped by columns`() {
    #expect(TextColumns.prefix("日本語", columns: 5) == "日本")
    #expect(StyledText("日本語").cut(to: 5).plain == "日本…")
    #expect(StyledText("cart").cut(to: 4).plain == "cart")
    #expect(TextColumns.wrapped("one two three", first: 8, others: 8) == ["one two", "three"])
    #expect(TextColumns.wrapped("abcdefghijkl x", first: 8, others: 10) == ["abcdefgh", "ijkl x"])
    #expect(TextColumns.wrapped("", first: 8, others: 8) == [""])
  }
}

@Suite struct StandingErrorsTests {
  @Test func `an image is broken since its first failure, and until it is there`() {
    var errors = StandingErrors()
    func cycle(fails: Bool, after seconds: Double) {
      errors.add(Frames.batch(["a"], ["cart"]))
      if fails {
        errors.add(Frames.error("a.c", 1, "no", images: ["cart"]))
        errors.add(Frames.image("cart", .failed, after: seconds))
        errors.add(Frames.ended(.failed, failed: 1))
      } else {
        errors.add(Frames.image("cart", .loaded))
        errors.add(Frames.ended(.ok, ok: 1))
      }
    }
    cycle(fails: true, after: 5)
    cycle(fails: true, after: 90)
    #expect(errors.broken["cart"]?.since == Frames.start.addingTimeInterval(5))
    #expect(errors.broken["cart"]?.errors == 1)
    #expect(errors.causes.map(\.place) == ["a.c:1:1"])
    cycle(fails: false, after: 100)
    #expect(errors.broken.isEmpty)
  }

  @Test func `an image that was built and could not be loaded is broken still`() {
    var errors = StandingErrors()
    errors.add(Frames.batch(["a"], ["cart"]))
    errors.add(Frames.image("cart", .built))
    errors.add(Frames.image("cart", .failed, error: "docker is down", step: "load"))
    errors.add(Frames.ended(.failed, failed: 1))
    #expect(errors.broken.keys.sorted() == ["cart"])
    #expect(errors.causes.map(\.text) == ["docker is down"])
  }
}
