import ArgumentParser
import FoundationEssentials
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings
@testable import watchbuild

struct DoctorTests {
  private let scratch: TemporaryDirectory

  init() throws { scratch = try TemporaryDirectory() }

  private func findings(
    _ arguments: [String] = [], docker: Finding = Finding("docker", .ok, "Docker/20")
  ) async throws -> [Finding] {
    let common = try CommonOptions.parse(arguments)
    let environment = ["HOME": "\(scratch.path)/home"]
    let directory = scratch.path
    let doctor = Doctor(
      workspace: Result { () throws(Problem) in
        try Settings.workspace(
          GivenOptions(common: common), environment: environment, currentDirectory: directory)
      },
      settings: Result { () throws(Problem) in
        try Settings.resolve(
          GivenOptions(common: common), environment: environment, currentDirectory: directory)
      }, environment: environment, runner: FixedRunner(output: "bazel 7.4.1\n"),
      clock: ContinuousClock(), docker: { docker })
    return await doctor.findings()
  }

  private func status(_ check: String, of findings: [Finding]) -> Finding.Status? {
    findings.first { $0.check == check }?.status
  }

  @Test func `a healthy workspace has no error and no remedy`() async throws {
    try scratch.write("", to: "WORKSPACE")
    let findings = try await findings()
    #expect(
      findings.prefix(6).map(\.check) == [
        "workspace", "configuration", "images", "state", "bazel", "bazel server",
      ])
    #expect(findings.prefix(6).allSatisfy { $0.status == .ok && $0.remedy == nil })
    #expect(findings.last == Finding("docker", .ok, "Docker/20"))
  }

  @Test func `outside of a workspace the rest is still checked`() async throws {
    let findings = try await findings()
    #expect(status("workspace", of: findings) == .error)
    #expect(status("bazel", of: findings) == .ok)
    #expect(status("configuration", of: findings) == nil)
  }

  @Test func `a broken configuration is told with its place`() async throws {
    try scratch.write("", to: "WORKSPACE")
    try scratch.write("a: 1\nb: 2\n", to: "watchbuild.yaml")
    let finding = try #require(
      await findings().first { $0.check == "configuration" })
    #expect(finding.status == .error)
    #expect(finding.message == "watchbuild.yaml:1:1: unknown key 'a' (and 1 more)")
  }

  @Test func `an unwritable state directory is an error`() async throws {
    try scratch.write("", to: "WORKSPACE")
    try scratch.write("", to: "home")
    #expect(try await status("state", of: findings()) == .error)
  }

  @Test(
    arguments: [("[docker]", .error), ("[auto]", .warn), ("['oci:x']", .ok)]
      as [(String, Finding.Status)])
  func `a silent docker matters as far as it is used`(
    _ targets: String, _ expected: Finding.Status
  ) async throws {
    try scratch.write("", to: "WORKSPACE")
    try scratch.write("load: {to: \(targets)}", to: "watchbuild.yaml")
    let findings = try await findings(docker: Finding("docker", .warn, "silent", remedy: "start"))
    #expect(status("docker", of: findings) == expected)
  }

  @Test(arguments: [
    (Finding("a", .ok, "fine"), "ok a: fine"),
    (Finding("a", .warn, "so\nso", remedy: "do"), "warn a: so\\nso → do"),
  ])
  func `a finding is one line`(_ finding: Finding, _ line: String) {
    #expect(finding.line(usesColor: false) == line)
  }

  @Test func `a finding is a JSON object whose remedy may be missing`() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(
      decoding: try encoder.encode([Finding("a", .ok, "b"), Finding("c", .error, "d", remedy: "e")]
      ),
      as: UTF8.self)
    #expect(
      text == #"[{"check":"a","message":"b","status":"ok"},"#
        + #"{"check":"c","message":"d","remedy":"e","status":"error"}]"#)
  }
}

/// Answers every command alike.
struct FixedRunner: CommandRunner {
  var output: String
  var exit = CommandExit.exited(0)

  func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output receive: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    receive(.standardOutput(Array(output.utf8)))
    return exit
  }
}
