import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel

/// Where the files of other repositories lie: an output base with links as Bazel makes them.
struct SourceSurveyTests {
  private let scratch: TemporaryDirectory

  init() throws {
    scratch = try TemporaryDirectory()
    try scratch.makeDirectory("w/app")
    try scratch.makeDirectory("base/external")
  }

  /// One image over a file of `@rules_go`.
  private func links() throws -> SourceLinks {
    let workspace = scratch.appending("w")
    var builder = TargetIndex.Builder(workspace: workspace)
    builder.add(.rule(name: "//app:image", kind: "image", inputs: ["@@rules_go+//go:def.bzl"]))
    builder.add(.sourceFile(name: "//app:BUILD", loads: []))
    builder.add(.sourceFile(name: "@@rules_go+//go:def.bzl", loads: []))
    builder.add(.sourceFile(name: "@@rules_go+//go:BUILD", loads: []))
    let label = try #require(Label("//app:image"))
    let index = builder.build(
      images: [ImageTarget(name: "app", label: label, key: BatchKey(workspace: workspace))],
      workspaceFiles: [])
    return SourceSurvey(index, outputBase: scratch.appending("base")).links
  }

  /// Bazel 9 keeps what it has fetched in a cache that all workspaces share.
  @Test func `a repository in the contents cache of Bazel 9 is not watched`() throws {
    let contents = try scratch.makeDirectory("cache/contents/5f1e/0b6c")
    try scratch.write("x", to: "cache/contents/5f1e/0b6c/go/def.bzl")
    try scratch.write("", to: "cache/contents/5f1e/0b6c.recorded_inputs")
    try Tool.run(
      "ln", ["-s", contents.string, scratch.appending("base/external/rules_go+").string])
    #expect(try links().roots.isEmpty)
  }

  @Test func `a repository that is a link to a directory of somebody's is watched`() throws {
    let directory = try scratch.makeDirectory("mine")
    try scratch.write("x", to: "mine/go/def.bzl")
    try Tool.run(
      "ln", ["-s", directory.string, scratch.appending("base/external/rules_go+").string])
    #expect(try links().roots.count == 1)
  }
}
