import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Settings

struct WorkspaceTests {
  @Test(arguments: ["MODULE.bazel", "REPO.bazel", "WORKSPACE", "WORKSPACE.bazel"])
  func `the nearest directory with a marker is the workspace`(_ marker: String) throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
    try scratch.write("", to: "inner/\(marker)")
    let directory = try scratch.makeDirectory("inner/a/b")

    #expect(try Workspace.root(above: directory) == scratch.path.appending("inner"))
  }

  @Test func `a directory named like a marker is none`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "MODULE.bazel")
    let directory = try scratch.makeDirectory("a/WORKSPACE").removingLastComponent()

    #expect(try Workspace.root(above: directory) == scratch.path)
  }

  @Test func `the workspace's path has no symbolic links`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "real/WORKSPACE")
    let link = scratch.path.appending("link")
    try #require(symlink("real", link.string) == 0)

    #expect(try Workspace.root(above: link) == scratch.path.appending("real"))
  }

  @Test func `outside of any workspace the message says what to do`() throws {
    let scratch = try TemporaryDirectory()
    #expect(
      TestCommand.problem(in: scratch.path)
        == "watchbuild: error: not inside a Bazel workspace: no MODULE.bazel or WORKSPACE in "
        + "\(scratch.path) or above; run it in one or pass -C DIR")
  }

  @Test(arguments: [("none", "No such file or directory"), ("file", "Not a directory")])
  func `a directory that is none is told by its path`(_ name: String, _ reason: String) throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "file")
    let problem = TestCommand.problem(["-C", name], in: scratch.path)
    #expect(
      problem == "watchbuild: error: can't work in \(scratch.path)/\(name): \(reason); "
        + "pass an existing -C DIR")
  }

  @Test func `without a home there is nowhere to keep state`() throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "WORKSPACE")
    let problem = TestCommand.problem(environment: ["HOME": ""], in: scratch.path)
    #expect(problem?.contains("neither XDG_STATE_HOME nor HOME is an absolute path") == true)
  }
}
