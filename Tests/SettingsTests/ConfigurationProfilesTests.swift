import Runtimes
import SystemPackage
import Testing

@testable import Basics
@testable import Settings

struct ConfigurationProfilesTests {
  private func read(_ text: String, profile: String? = nil) throws -> Configuration {
    try ConfigurationReader.read(
      text, file: "watchbuild.yaml", directory: "/w", profile: profile)
  }

  private func problem(_ text: String, profile: String? = nil) -> String? {
    do {
      _ = try read(text, profile: profile)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private static let file = """
    bazel: {options: [--config=dev], command: bazelisk}
    batch: {debounce: 40ms, maxDelay: 1s}
    images: [{name: api, target: //api}]
    profiles:
      podman: {load: {to: [podman]}}
      slow:
        bazel: {options: [--jobs=1]}
        batch: {debounce: 900ms}
        images: [{name: web, target: //web}]
      nothing:
    """

  @Test func `without a profile the rest holds`() throws {
    let plain = try read(Self.file)
    #expect(plain.layer.debounce == .milliseconds(40))
    #expect(plain.layer.loadTargets == nil)
    #expect(try read(Self.file, profile: "nothing") == plain)
  }

  @Test func `a profile adds what the rest does not say`() throws {
    var expected = try read(Self.file)
    expected.layer.loadTargets = [.podman]
    #expect(try read(Self.file, profile: "podman") == expected)
  }

  @Test func `a profile changes single values, and whole lists`() throws {
    let rest = try read(Self.file)
    var expected = rest
    expected.layer.bazelOptions = ["--jobs=1"]
    expected.layer.debounce = .milliseconds(900)
    expected.images = try read("images: [{name: web, target: //web}]").images
    #expect(try read(Self.file, profile: "slow") == expected)
    #expect(expected.layer.maxDelay == .seconds(1))
    #expect(expected.images != rest.images)
  }

  @Test func `a file with profiles alone is enough`() throws {
    let text = "profiles: {fast: {batch: {debounce: 1ms}}}"
    #expect(try read(text, profile: "fast").layer.debounce == .milliseconds(1))
  }

  @Test func `an unknown profile is told with those that there are`() {
    #expect(
      problem(Self.file, profile: "podmann")
        == "watchbuild: error: watchbuild.yaml has no profile 'podmann' (did you mean 'podman'?); "
        + "it has 'podman', 'slow', 'nothing'")
    #expect(
      problem("batch: {debounce: 1ms}", profile: "x")
        == "watchbuild: error: watchbuild.yaml has no profile 'x'; add it under 'profiles'")
  }

  @Test(arguments: [
    ("profiles: [a]", "watchbuild.yaml:1:11: error: expected profiles by name, found a list"),
    ("profiles: {a: 1}", "watchbuild.yaml:1:15: error: expected keys and values, found the number"),
    ("profiles: {[a]: {}}", "watchbuild.yaml:1:12: error: expected the name of a profile"),
    (
      "profiles: {a: {profiles: {}}}",
      "watchbuild.yaml:1:16: error: a profile has no profiles of its"
    ),
    (
      "profiles: {a: {lod: {}}}",
      "watchbuild.yaml:1:16: error: unknown key 'lod' (did you mean 'load'?)"
    ),
    (
      "profile: {a: {}}",
      "watchbuild.yaml:1:1: error: unknown key 'profile' (did you mean 'profiles'?)"
    ),
  ])
  func `a mistake in a profile is told with its place`(text: String, message: String) {
    #expect(problem(text)?.hasPrefix(message) == true, "\(problem(text) ?? "none")")
    #expect(problem(text, profile: "a")?.contains(message) == true)
  }

  @Test func `a mistake of the rest is told once`() {
    let text = "batch: {debounce: 1}\nprofiles: {a: {load: {jobs: 2}}, b: {load: {jobs: 3}}}"
    #expect(problem(text)?.split(separator: "\n").count == 1)
  }

  @Test func `a profile may not leave an image without what it requires`() {
    let text = """
      images: [{name: base, target: //b}, {name: api, target: //a, requires: [base]}]
      profiles: {one: {images: [{name: api, target: //a, requires: [base]}]}}
      """
    #expect(
      problem(text)?.contains("'api' requires 'base', which is no image of this file") == true)
  }

  @Test func `very many profiles are refused, not read forever`() {
    let names = (0...100).map { "p\($0): {}" }.joined(separator: ", ")
    #expect(problem("profiles: {\(names)}")?.contains("more than 100 profiles") == true)
  }
}
