import SystemPackage
import TestSupport
import Testing

@testable import Session

@Suite struct ControlPlaceTests {
  @Test func `the runtime directory goes first, where it is ours alone`() throws {
    let scratch = try TemporaryDirectory()
    let runtime = try scratch.makeDirectory("run")
    let places = ControlPlace.places(
      for: "/w", state: "/state", environment: ["XDG_RUNTIME_DIR": runtime.string])
    #expect(places.map(\.directory) == [runtime.appending("watchbuild"), "/state/control"])
    #expect(Set(places.map(\.name)).count == 1)
    #expect(places.first?.name.hasSuffix(".sock") == true)
  }

  @Test(arguments: ["", "relative", "/not/there"])
  func `without one the socket goes into the state directory`(_ runtime: String) {
    let places = ControlPlace.places(
      for: "/w", state: "/state", environment: ["XDG_RUNTIME_DIR": runtime])
    #expect(places.map(\.directory) == ["/state/control"])
  }

  @Test func `a runtime directory that others may write to is not used`() throws {
    let scratch = try TemporaryDirectory()
    let runtime = try scratch.makeDirectory("run")
    try Tool.run("chmod", ["777", runtime.string])
    let places = ControlPlace.places(
      for: "/w", state: "/state", environment: ["XDG_RUNTIME_DIR": runtime.string])
    #expect(places.map(\.directory) == ["/state/control"])
  }

  @Test func `each workspace has a name of its own`() {
    let names = ["/w", "/w2"].flatMap {
      ControlPlace.places(for: FilePath($0), state: "/s", environment: [:]).map(\.name)
    }
    #expect(Set(names).count == 2)
  }
}
