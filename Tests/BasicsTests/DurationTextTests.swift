import Testing

@testable import Basics

struct DurationTextTests {
  @Test(
    arguments: [
      ("30ms", .milliseconds(30)), ("2s", .seconds(2)), ("1m", .seconds(60)),
      ("2h", .seconds(7200)), ("1.5s", .milliseconds(1500)), ("0.25ms", .microseconds(250)),
      ("0s", .zero), ("168h", .seconds(604_800)),
    ] as [(String, Duration)])
  func `a number and a unit are read`(_ text: String, _ duration: Duration) throws {
    #expect(try DurationText.parse(text) == duration)
  }

  @Test(arguments: [
    ("30", "a duration needs a unit: write 30ms or 30s"),
    ("", "write a number and a unit"),
    ("ms", "write a number and a unit"),
    ("-1s", "write a number and a unit"),
    ("1e3s", "unknown unit 'e3s'"),
    ("1.2.3s", "write a number and a unit"),
    (".5s", "write a number and a unit"),
    ("1.s", "write a number and a unit"),
    ("5 s", "unknown unit ' s'"),
    ("1d", "unknown unit 'd'"),
    ("169h", "at most 7 days"),
    ("999999999999h", "at most 7 days"),
    ("9999999999999s", "write a number and a unit"),
    ("٣s", "write a number and a unit"),
  ])
  func `anything else is refused with what to write`(_ text: String, _ reason: String) {
    let error = #expect(throws: InvalidValue.self) { try DurationText.parse(text) }
    #expect(error?.description.contains(reason) == true)
  }

  @Test(arguments: ["30ms", "2s", "1m", "90s", "2h", "1500ms", "0.250ms", "0ms"])
  func `what is printed reads back as the same`(_ text: String) throws {
    let duration = try DurationText.parse(text)
    #expect(DurationText.text(duration) == text)
  }
}
