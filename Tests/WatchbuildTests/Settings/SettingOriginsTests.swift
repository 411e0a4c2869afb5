import SystemPackage
import TestSupport
import Testing

@testable import Settings

struct SettingOriginsTests {
  private let scratch: TemporaryDirectory

  init() throws {
    scratch = try TemporaryDirectory()
    try scratch.write("", to: "MODULE.bazel")
  }

  private func lines(
    _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> [Substring] {
    let settings = try TestCommand.settings(arguments, environment: environment, in: scratch.path)
    return try SettingOrigins(of: settings, environment: environment).text().split(separator: "\n")
  }

  @Test func `each setting is told with the variable or the line that it comes from`() throws {
    try scratch.write(
      """
      batch:
        debounce: 7ms
        maxDelay:
      load: {jobs: 2, to: [podman]}
      images:
        - name: api
          target: //api
        - {query: "//..."}
      """, to: "watchbuild.yaml")
    let lines = try lines(environment: ["WATCHBUILD_LOAD_JOBS": "3", "BAZEL": "bazelisk"])
    for line in [
      #"batch.debounce = "7ms"  # watchbuild.yaml:2"#,
      #"batch.maxDelay = "500ms"  # default"#,
      #"load.jobs = 3  # environment WATCHBUILD_LOAD_JOBS"#,
      #"load.to = ["podman"]  # watchbuild.yaml:4"#,
      #"bazel.command = "bazelisk"  # environment BAZEL"#,
      #"images[0] = {"name":"api","target":"//api:api"}  # watchbuild.yaml:6"#,
      #"images[1] = {"query":"//..."}  # watchbuild.yaml:8"#,
      #"prune.keep = 2  # default"#,
    ] {
      #expect(lines.contains(line[...]), "\(line) in \(lines)")
    }
  }

  @Test func `what a profile says has its own line`() throws {
    try scratch.write(
      "batch: {debounce: 7ms, keepGoing: false}\nprofiles:\n  slow:\n    batch: {debounce: 2s}",
      to: "watchbuild.yaml")
    let lines = try lines(["-p", "slow"])
    #expect(lines.contains(#"batch.debounce = "2s"  # watchbuild.yaml:4"#))
    #expect(lines.contains("batch.keepGoing = false  # watchbuild.yaml:1"))
  }

  @Test func `without a file all are defaults`() throws {
    #expect(try lines().allSatisfy { $0.hasSuffix("  # default") })
    #expect(try lines().count > 10)
  }

  @Test func `as JSON each has its key and value`() throws {
    let settings = try TestCommand.settings([], in: scratch.path)
    let json = try JSONValue.parse(SettingOrigins(of: settings, environment: [:]).json().utf8)
    let debounce = json.items.first { $0["key"] == .string("batch.debounce") }
    #expect(
      debounce?.fields == [
        "key": .string("batch.debounce"), "value": .string("30ms"), "origin": .string("default"),
      ])
  }
}
