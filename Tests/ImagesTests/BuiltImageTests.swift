import Graph
import SystemPackage
import Testing

@testable import Images

@Suite struct BuiltImageTests {
  private func path(
    _ outputs: [String: [FilePath]], outputGroup: String? = nil
  ) throws -> FilePath {
    let image = ImageTarget(
      name: "api", label: try #require(Label("//api:image")), outputGroup: outputGroup,
      key: BatchKey(workspace: "/w"))
    return try BuiltImage.path(of: image, among: outputs)
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
}
