import Graph
import SystemPackage
import Testing

@testable import Images

@Suite struct BuiltImageTests {
  private let label: Label

  init() throws { label = try #require(Label("//api:image")) }

  private func path(
    _ outputs: [String: [FilePath]], outputGroup: String? = nil,
    form: ImageSource.Way.Form = .archive
  ) throws -> FilePath {
    let way = ImageSource.Way(form, .init(label, outputGroup: outputGroup))
    return try BuiltImage(way, among: [label: outputs]).path
  }

  @Test func `the tar among the default outputs is the image`() throws {
    #expect(try path(["default": ["/o/run.sh", "/o/image.tar"]]) == "/o/image.tar")
  }

  @Test func `a loader rule's tar is in its own group`() throws {
    let outputs: [String: [FilePath]] = ["default": ["/o/load.sh"], "tarball": ["/o/image.tar"]]
    #expect(try path(outputs) == "/o/image.tar")
  }

  @Test func `a configured output group goes before`() throws {
    let outputs: [String: [FilePath]] = ["default": ["/o/a.tar"], "mine": ["/o/b.tar"]]
    #expect(try path(outputs, outputGroup: "mine") == "/o/b.tar")
  }

  @Test func `the files of an OCI layout are its directory`() throws {
    let files: [FilePath] = [
      "/o/image/blobs/sha256/aa", "/o/image/index.json", "/o/image/oci-layout",
    ]
    #expect(try path(["default": files]) == "/o/image")
  }

  @Test func `a target without an image says what it has`() throws {
    let error = #expect(throws: BuiltImage.Failure.self) {
      try path(["default": ["/o/readme.txt"]])
    }
    #expect(
      error?.description == "target //api:image has no image among its outputs (readme.txt); "
        + "name the rule that makes the tar, such as //api:image.tar, or its 'outputGroup'")
  }

  @Test func `several tars are no choice of ours`() throws {
    let error = #expect(throws: BuiltImage.Failure.self) {
      try path(["default": ["/o/a.tar", "/o/b.tar"]])
    }
    #expect(error?.description.contains("makes several tars (a.tar, b.tar)") == true)
  }

  @Test func `a missing output group names those there are`() throws {
    let error = #expect(throws: BuiltImage.Failure.self) {
      try path(["default": []], outputGroup: "tarbal")
    }
    #expect(error?.description == "target //api:image has no output group 'tarbal'; it has default")
  }

  @Test func `a layout goes before a tar where it is wanted`() throws {
    let files: [FilePath] = ["/o/image.tar", "/o/image/oci-layout"]
    #expect(try path(["default": files], form: .layout) == "/o/image")
    #expect(try path(["default": files]) == "/o/image.tar")
    #expect(throws: BuiltImage.Failure.self) { try path(["default": ["/o/a.sh"]], form: .layout) }
  }

  @Test func `names and layers come from targets of their own`() throws {
    let tags = try #require(Label("//api:tags"))
    let load = try #require(Label("//api:load"))
    let layer = try #require(Label("//api:layer"))
    let way = ImageSource.Way(
      .sparseLayout, .init(label, outputGroup: "sparse_oci_layout"), tags: .init(tags),
      deployManifest: .init(load, outputGroup: "deploy_manifest"), layers: [layer])
    var outputs: [Label: [String: [FilePath]]] = [
      label: ["sparse_oci_layout": ["/o/image_sparse/oci-layout", "/o/image_sparse/index.json"]],
      tags: ["default": ["/o/tags.txt"]], load: ["deploy_manifest": ["/o/load.json"]],
      layer: ["default": ["/o/layer.tgz"]],
    ]
    let built = try BuiltImage(way, among: outputs)
    #expect(built.path == "/o/image_sparse")
    #expect(built.tags == "/o/tags.txt")
    #expect(built.deployManifest == "/o/load.json")
    #expect(built.layers == ["/o/layer.tgz"])

    outputs[tags] = ["default": ["/o/a", "/o/b"]]
    let error = #expect(throws: BuiltImage.Failure.self) { try BuiltImage(way, among: outputs) }
    #expect(error?.description.contains("//api:tags makes no one file") == true)
  }
}
