import TestSupport
import Testing

@testable import Runner

@Suite struct WorkspaceFilesTests {
  @Test func `what WORKSPACE loads is found, and what that loads`() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      """
      load("//tools:deps.bzl", "deps")
      load("@rules_go//go:deps.bzl", "go")
      """, to: "WORKSPACE")
    try directory.write("load(':more.bzl', 'more')\n", to: "tools/deps.bzl")
    let files = WorkspaceFiles(workspace: directory.path).all
    #expect(files.contains("tools/deps.bzl"))
    #expect(files.contains("tools/more.bzl"))
  }

  @Test func `what a bazelrc imports is found`() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      """
      build --keep_going
      import %workspace%/ci/shared.bazelrc
      try-import %workspace%/user.bazelrc
      """, to: ".bazelrc")
    let files = WorkspaceFiles(workspace: directory.path).all
    #expect(files.isSuperset(of: ["ci/shared.bazelrc", "user.bazelrc"]))
  }

  @Test func `module extensions and includes are found`() {
    let loads = WorkspaceFiles.loads(
      in: """
        ext = use_extension("//:extensions.bzl", "ext")
        include("//third_party:go.MODULE.bazel")
        """, of: "MODULE.bazel")
    #expect(loads == ["extensions.bzl", "third_party/go.MODULE.bazel"])
  }
}
