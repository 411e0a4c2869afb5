import Basics
import SystemPackage
import Testing

@testable import Settings

struct EventsTargetTests {
  @Test(arguments: [
    ("fd:3", EventsTarget.descriptor(3)), ("a.jsonl", .file("/w/a.jsonl")),
    ("../a.jsonl", .file("/a.jsonl")), ("/t/a", .file("/t/a")), ("./fd:3", .file("/w/fd:3")),
  ])
  func `a file or a descriptor is named`(text: String, target: EventsTarget) throws {
    #expect(try SettingText.events(text, relativeTo: "/w") == target)
  }

  @Test(arguments: ["", "fd:", "fd:x", "fd:-1", "fd:0", "fd:99999999999"])
  func `anything else is a mistake`(text: String) {
    #expect(throws: InvalidValue.self) { try SettingText.events(text, relativeTo: "/w") }
  }
}
