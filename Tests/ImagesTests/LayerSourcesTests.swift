import SystemPackage
import TestSupport
import Testing

@testable import Images

@Suite struct LayerSourcesTests {
  private let base = Digest(of: [1])
  private let app = Digest(of: [2])

  @Test func `sources of layers are read`() throws {
    let text = """
      {"operations":[{"command":"load","root_kind":"manifest","registry":"registry.test",
      "repository":"team/api","tags":["dev","latest"],"manifests":[{"layer_blobs":[
      {"digest":"\(base)","size":3,"sources":[{"registry":"mirror.test","repository":"base"}]},
      {"digest":"\(app)","size":3}]}]}],"settings":{}}
      """
    let manifest = try LayerSources(Array(text.utf8))
    #expect(manifest.sources == [base: [.init(registry: "mirror.test", repository: "base")]])
  }

  @Test func `sources that older versions tell are those of the base`()
    throws
  {
    let text = """
      {"operations":[{"command":"load","tags":["lab/api:dev"],
      "original_registries":["mirror.test"],"original_repository":"base",
      "manifests":[{"layer_blobs":[{"digest":"\(base)","size":3}],
      "missing_blobs":["\(base.hexadecimal)"]}]}]}
      """
    let manifest = try LayerSources(Array(text.utf8))
    #expect(manifest.sources == [base: [.init(registry: "mirror.test", repository: "base")]])
  }

  @Test func `what is no such manifest is refused with its path`() async throws {
    try await withScratchDirectory { directory in
      let path = directory.appending("deploy.json")
      try path.write(Array("[]".utf8))
      let error = #expect(throws: ImageArchiveError.self) { try LayerSources(reading: path) }
      #expect(error?.description.hasPrefix("\(path): not the JSON expected") == true)
    }
  }
}
