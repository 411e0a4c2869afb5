import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Settings

struct ConfigurationFileTests {
  private let scratch: TemporaryDirectory

  init() throws {
    scratch = try TemporaryDirectory()
    try scratch.write("", to: "MODULE.bazel")
  }

  @Test func `the file at the workspace root is read from any directory below`() throws {
    try scratch.write("batch: {debounce: 7ms}", to: "watchbuild.yaml")
    let settings = try TestCommand.settings([], in: scratch.makeDirectory("a/b"))
    #expect(settings.debounce == .milliseconds(7))
    #expect(settings.configurationFile?.displayName == "watchbuild.yaml")
  }

  @Test func `a named file is relative to the directory of -C`() throws {
    try scratch.write("batch: {debounce: 8ms}", to: "a/own.yaml")
    let settings = try TestCommand.settings(["-C", "a", "-f", "own.yaml"], in: scratch.path)
    #expect(settings.debounce == .milliseconds(8))
  }

  @Test func `directory and file can come from the environment`() throws {
    try scratch.write("batch: {debounce: 9ms}", to: "own.yaml")
    let settings = try TestCommand.settings(
      [],
      environment: [
        "WATCHBUILD_DIRECTORY": scratch.path.string, "WATCHBUILD_FILE": "\(scratch.path)/own.yaml",
      ], in: "/")
    #expect(settings.debounce == .milliseconds(9))
  }

  @Test(arguments: [
    (["-p", "slow"], [:], Duration.seconds(2)),
    (["--profile-name", "slow"], ["WATCHBUILD_PROFILE_NAME": "none"], .seconds(2)),
    ([], ["WATCHBUILD_PROFILE_NAME": "slow"], .seconds(2)),
    ([], ["WATCHBUILD_PROFILE_NAME": ""], .milliseconds(7)),
    (["-p", "slow", "--debounce", "1ms"], [:], .milliseconds(1)),
  ])
  func `a profile comes from the option, else the environment`(
    arguments: [String], environment: [String: String], debounce: Duration
  ) throws {
    try scratch.write(
      "batch: {debounce: 7ms}\nprofiles: {slow: {batch: {debounce: 2s}}}", to: "watchbuild.yaml")
    let settings = try TestCommand.settings(
      arguments, environment: environment, in: scratch.path)
    #expect(settings.debounce == debounce)
  }

  @Test func `a profile without a file is refused`() {
    let problem = TestCommand.problem(["-p", "slow"], in: scratch.path)
    #expect(problem?.contains("there is no profile 'slow', since ") == true)
  }

  @Test func `a named file that is not there is told by its path`() {
    let problem = TestCommand.problem(["-f", "none.yaml"], in: scratch.path)
    #expect(
      problem == "watchbuild: error: can't read the configuration \(scratch.path)/none.yaml: "
        + "No such file or directory; pass an existing file to -f")
  }

  @Test func `a file with the other extension is not passed over in silence`() throws {
    try scratch.write("", to: "watchbuild.yml")
    let problem = TestCommand.problem(in: scratch.path)
    #expect(problem?.hasSuffix("watchbuild.yml is not read; rename it to watchbuild.yaml") == true)
  }

  @Test func `a pipe in the file's place is refused, not waited for`() {
    mkfifo(scratch.appending("watchbuild.yaml").string, 0o600)
    let problem = TestCommand.problem(in: scratch.path)
    #expect(problem?.contains("watchbuild.yaml: it is no regular file") == true)
  }

  @Test func `a directory in the file's place is refused`() throws {
    _ = try scratch.makeDirectory("watchbuild.yaml")
    let problem = TestCommand.problem(in: scratch.path)
    #expect(problem?.contains("watchbuild.yaml: Is a directory") == true)
  }

  @Test func `a file that is not UTF-8 is refused`() throws {
    let file = scratch.path.appending("watchbuild.yaml")
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: .create, permissions: .ownerReadWrite)
    _ = try descriptor.closeAfter { try descriptor.writeAll([0xFF, 0xFE, 0x00]) }
    #expect(
      TestCommand.problem(in: scratch.path)
        == "watchbuild.yaml:1: error: the file is not UTF-8; save it as UTF-8")
  }

  @Test func `a file without end is not read to the end`() throws {
    try scratch.write(String(repeating: "#", count: 2 << 20), to: "watchbuild.yaml")
    #expect(TestCommand.problem(in: scratch.path)?.contains("File too large") == true)
  }

  @Test func `another workspace of an image must be one`() throws {
    try scratch.write("images: [{target: //a, workspace: other}]", to: "watchbuild.yaml")
    #expect(
      TestCommand.problem(in: scratch.path)?.contains("other has no MODULE.bazel or WORKSPACE")
        == true)
    try scratch.write("", to: "other/WORKSPACE")
    let settings = try TestCommand.settings([], in: scratch.path)
    #expect(settings.selection.images.first?.workspace == scratch.path.appending("other"))
  }

  @Test func `what is printed says the same when it is read`() throws {
    try scratch.write(
      """
      bazel: {options: ["--define=a='b' c", "--x=# no comment", "--y=\\"q\\": z"]}
      watch: {ignore: ["**/*.md", "yes", "12", "~", "- a"]}
      batch: {debounce: 1.5s, maxDelay: 2s, buildConcurrency: 3, keepGoing: no}
      images:
        - {name: "true", target: "//a:b", ref: "1:2", outputGroup: "null", requires: ["12"]}
        - {name: "12", target: "//a b:c", platform: //p:q}
        - {query: "kind(\\"oci_load\\", //...)", exclude: ["//x:*"]}
      load: {to: [docker, "oci:/a b"], jobs: 9}
      """, to: "watchbuild.yaml")
    let settings = try TestCommand.settings([], in: scratch.path)

    try scratch.write(PrintedSettings(settings).yaml(), to: "printed.yaml")
    var again = try TestCommand.settings(["-f", "printed.yaml"], in: scratch.path)

    again.configurationFile = settings.configurationFile
    #expect(again == settings)
  }
}
