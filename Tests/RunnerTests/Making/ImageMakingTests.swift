import Bazel
import Graph
import Images
import SystemPackage
import Testing

@testable import Runner

/// From targets that Bazel has built to images with names.
struct ImageMakingTests {
  private let image: Label
  private let tags: Label

  init() throws {
    image = try #require(Label("//a:image"))
    tags = try #require(Label("//a:tags"))
  }

  private func target(_ name: String, _ source: ImageSource, refs: [String] = []) -> ImageTarget {
    ImageTarget(
      name: name, label: image, source: source, references: refs, key: BatchKey(workspace: "/w"))
  }

  private var layout: ImageSource {
    ImageSource(
      .init(.layout, .init(image), tags: .init(tags)),
      orElse: [.init(.archive, .init(image, outputGroup: "tarball"))])
  }

  // MARK: Completion

  @Test func `an image is complete when its last target is`() {
    let api = target("api", layout)
    var assembly = ImageAssembly([PlannedImage(image: api, way: api.source.ways[0])])
    #expect(assembly.add(tags, .built(outputs: ["default": ["/t"]])).isEmpty)
    let settled = assembly.add(image, .built(outputs: ["default": ["/i"]]))
    #expect(settled.map(\.image) == [api])
    #expect(
      settled.first?.outcome == .built([tags: ["default": ["/t"]], image: ["default": ["/i"]]]))
    #expect(assembly.unsettled.isEmpty)
  }

  @Test func `an image fails with any of its targets, once`() {
    let api = target("api", layout)
    var assembly = ImageAssembly([PlannedImage(image: api, way: api.source.ways[0])])
    let settled = assembly.add(tags, .failed(message: "no", causes: []))
    #expect(settled.first?.outcome == .failed(message: "no", causes: []))
    #expect(assembly.add(image, .built(outputs: [:])).isEmpty)
  }

  @Test func `two images may share a target`() {
    let images = [target("a", layout), target("b", ImageSource(archiveOf: image))]
    var assembly = ImageAssembly(images.map { PlannedImage(image: $0, way: $0.source.ways[0]) })
    #expect(assembly.add(image, .built(outputs: [:])).map(\.image.name) == ["b"])
    #expect(assembly.unsettled.map(\.name) == ["a"])
  }

  // MARK: Ways

  @Test func `a way that is of no use is not taken again, until the image has another source`() {
    let ways = ImageWays()
    let api = target("api", layout)
    #expect(ways.way(of: api).form == .layout)
    #expect(ways.next(of: api, after: .shallow) == nil)
    #expect(ways.next(of: api, after: .unreadable("no layout"))?.form == .archive)
    #expect(ways.way(of: api).form == .archive)
    #expect(ways.next(of: api, after: .unreadable("no tar")) == nil)
    let changed = target("api", ImageSource(.init(.layout, .init(tags))))
    #expect(ways.way(of: changed).form == .layout)
  }

  @Test func `a shallow base is made without its layers, and then no tar helps`() throws {
    let ways = ImageWays()
    let shallow = target(
      "api",
      ImageSource(
        .init(.layout, .init(image)),
        orElse: [.init(.sparseLayout, .init(image)), .init(.archive, .init(tags))]))
    #expect(ways.next(of: shallow, after: .shallow)?.form == .sparseLayout)
    #expect(ways.next(of: shallow, after: .unreadable("a layer is missing")) == nil)
  }

  @Test func `images that must not be asked for each other's groups are built apart`() {
    let loader = ImageSource.Way(
      .layout, .init(image, outputGroup: "oci_layout"), avoidedGroups: ["tarball"])
    let tar = ImageSource.Way(.archive, .init(tags, outputGroup: "tarball"))
    let plain = ImageSource.Way(.layout, .init(image))
    let planned = [loader, plain, tar, loader, tar].enumerated().map { number, way in
      PlannedImage(image: target("\(number)", layout), way: way)
    }
    #expect(planned.compatible.map { $0.map(\.image.name) } == [["0", "1", "3"], ["2", "4"]])
  }

  // MARK: Names

  private func names(
    refs: [String] = [], tags: String? = nil, deploy: String? = nil, archive: [String] = []
  ) throws -> [String] {
    try ImageNames(
      of: target("Api", layout, refs: refs), tags: tags.map { ("tags.txt", Array($0.utf8)) },
      deployManifest: deploy.map { ("load.json", Array($0.utf8)) },
      archive: archive.map { try #require(ImageReference($0)) }
    ).references.map(\.description)
  }

  @Test func `every word of the tags file is a name`() throws {
    #expect(try names(tags: "x/a:1\n x/a:2\tx/a:1\n") == ["x/a:1", "x/a:2"])
    #expect(try names(refs: ["mine:dev", "mine:2"], tags: "x/a:1") == ["mine:dev", "mine:2"])
  }

  @Test func `without a name anywhere it is the image's own`() throws {
    #expect(try names() == ["api:dev"])
    #expect(try names(tags: "\n") == ["api:dev"])
    #expect(try names(archive: ["x/a:1", "x/a:2"]) == ["x/a:1", "x/a:2"])
  }

  @Test func `what rules_img writes goes before its tar, which may say image latest`() throws {
    let none = #"{"operations":[{"command":"load","root":{}}]}"#
    #expect(try names(deploy: none, archive: ["image:latest"]) == ["api:dev"])
    let parts = #"{"operations":[{"registry":"r.io","repository":"t/a","tags":["1","2"]}]}"#
    #expect(try names(deploy: parts) == ["r.io/t/a:1", "r.io/t/a:2"])
    #expect(throws: ImageNames.Failure.self) { try names(deploy: "{}") }
  }

  @Test func `a name that no runtime accepts is told with its file`() throws {
    let error = #expect(throws: ImageNames.Failure.self) { try names(tags: "Not/Valid:1") }
    #expect(error?.description.hasPrefix("'Not/Valid:1', which tags.txt says, is no valid") == true)
  }

  // MARK: One name, two images

  @Test func `two images with one name are told before anything is built`() {
    let named = ImageSource(.init(.layout, .init(image)), names: ["x/a:1", "x/a:2"])
    let other = ImageSource(.init(.layout, .init(tags)), names: ["x/a:2"])
    let clashes = NameClaims.clashes(among: [
      target("a", named), target("b", other), target("c", layout),
      target("d", ImageSource(.init(.layout, .init(image)), names: [])),
    ])
    #expect(Set(clashes.keys) == ["a", "b"])
    #expect(
      clashes["a"]?.description
        == "a and b are both called x/a:2 in the runtime; give one of them another name, by its own "
        + "target or by 'ref' in watchbuild.yaml")
  }

  @Test func `a name belongs to the image that had it first, until that has another`() throws {
    let claims = NameClaims()
    let (one, two) = (try #require(ImageReference("x:1")), try #require(ImageReference("x:2")))
    try claims.claim([one], for: "a", among: ["a", "b"])
    #expect(throws: NameClaims.Clash(name: "x:1", images: ["a", "b"])) {
      try claims.claim([two, one], for: "b", among: ["a", "b"])
    }
    try claims.claim([two], for: "a", among: ["a", "b"])
    try claims.claim([one], for: "b", among: ["a", "b"])
    // An image that is no longer there has no claim.
    try claims.claim([two], for: "b", among: ["b"])
  }
}
