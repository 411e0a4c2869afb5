import SystemPackage
import TestSupport
import Testing

@testable import watchbuild

struct BazelOptionsCheckTests {
  private let scratch: TemporaryDirectory

  init() throws {
    scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
  }

  private func findings() throws -> [Finding] {
    BazelOptionsCheck.findings(for: try TestCommand.settings([], in: scratch.path))
  }

  @Test func `options that only watchbuild has are to go where the terminal has them too`() throws {
    try scratch.write(
      "bazel: {startupOptions: [--output_base=/o], options: [--config=dev]}", to: "watchbuild.yaml")
    let findings = try findings()
    #expect(findings.map(\.status) == [.warn, .ok, .ok])
    #expect(findings.first?.remedy?.contains("startup --output_base=/o") == true)
    #expect(findings.dropFirst().first?.message.contains("'build --config=dev'") == true)
    #expect(findings.dropFirst().allSatisfy { $0.remedy == nil })
  }

  @Test(arguments: [
    ("", false), ("common --watchfs\n", true), ("build  --jobs=2 --watchfs=true\n", true),
    ("# common --watchfs\n", false), ("build:fast --watchfs", false),
  ])
  func `watchfs counts where every command has it`(bazelrc: String, isOn: Bool) throws {
    try scratch.write(bazelrc, to: ".bazelrc")
    let finding = try findings().last
    #expect(finding?.status == .ok)
    #expect(finding?.message.hasPrefix("not in .bazelrc") == !isOn)
  }
}
