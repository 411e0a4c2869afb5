import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Settings

struct ImageSelectionTests {
  private let entries: [ImageEntry]
  private let settings: Settings

  init() throws {
    let text = """
      images:
        - {name: base, target: //base:image}
        - {name: api, target: //services/api:image, requires: [base], options: [--define=a=b]}
        - {target: //web, platform: //platforms:arm}
        - {query: 'kind("oci_load", //more/...)', exclude: [//more/legacy/...]}
      """
    entries = try ConfigurationReader.read(text, file: "w.yaml", directory: "/w").images
    var settings = Settings(workspace: "/w", stateDirectory: PrivateDirectory("/s"))
    settings.bazelOptions = ["--config=dev"]
    self.settings = settings
  }

  private func found(_ labels: String...) throws -> [FoundImage] {
    try labels.map { text in
      let label = try #require(Label(text))
      return FoundImage(
        label: label, source: ImageSource(archiveOf: label, outputGroup: "tarball"),
        reason: .kind("oci_load"))
    }
  }

  @Test func `without arguments all that is configured is built`() throws {
    let selection = try ImageSelection(of: entries, requested: [], package: "")
    #expect(selection.images.map(\.name) == ["base", "api", "web"])
    #expect(selection.queries.count == 1)
    #expect(selection.patterns.isEmpty)
  }

  @Test func `without configuration and arguments the workspace is searched`() throws {
    let selection = try ImageSelection(of: [], requested: [], package: "")
    #expect(selection.patterns == [.everything] && selection.images.isEmpty)
  }

  @Test(arguments: [
    (["web"], "", ["web"]),
    (["api"], "", ["base", "api"]),
    (["//services/api:image"], "", ["base", "api"]),
    ([":image"], "services/api", ["base", "api"]),
    (["api:image"], "services", ["base", "api"]),
    (["//other:tar"], "", ["other"]),
    (["web", "//other:tar", "//other:tar"], "", ["web", "other"]),
    (["//x/web:tar"], "", ["x/web"]),
    (["@ext//a:b"], "deep", ["a"]), (["@pulled"], "deep", ["pulled"]),
  ])
  func `names and labels choose images, with what they require`(
    _ requested: [String], _ package: String, _ names: [String]
  ) throws {
    let selection = try ImageSelection(of: entries, requested: requested, package: package)
    #expect(selection.images.map(\.name) == names)
    #expect(selection.queries.isEmpty && selection.patterns.isEmpty)
  }

  @Test func `a name that is not configured is looked for among what queries find`() throws {
    let selection = try ImageSelection(of: entries, requested: ["cart"], package: "")
    let targets = try selection.targets(
      found: found("//more/cart:load", "//more/other:load"), settings: settings)
    #expect(selection.queries.count == 1)
    #expect(targets.map(\.name) == ["cart"])
    #expect(targets.first?.source.ways[0].image.outputGroup == "tarball")
  }

  @Test func `a name that nothing has is refused with a guess`() throws {
    let selection = try ImageSelection(of: entries, requested: ["crat"], package: "")
    let problem = #expect(throws: Problem.self) {
      try selection.targets(found: found("//more/cart:load"), settings: settings)
    }
    #expect(problem?.message == "no image is named 'crat' (did you mean 'cart'?)")
    #expect(problem?.hint == "there are: cart")
  }

  @Test func `without queries an unknown name is refused at once`() throws {
    let problem = #expect(throws: Problem.self) {
      try ImageSelection(of: Array(entries.dropLast()), requested: ["apj"], package: "")
    }
    #expect(problem?.message == "no image is named 'apj' (did you mean 'api'?)")
  }

  @Test(arguments: [("a::b", "is no label"), ("//a:b:c", "is no label"), ("a//...", "is no label")])
  func `broken labels are refused`(_ text: String, _ reason: String) {
    let problem = #expect(throws: Problem.self) {
      try ImageSelection(of: entries, requested: [text], package: "")
    }
    #expect(problem?.message.contains(reason) == true)
  }

  @Test func `a found image that is configured keeps its configuration`() throws {
    let selection = try ImageSelection(of: entries, requested: [], package: "")
    let targets = try selection.targets(
      found: found("//services/api:image", "//more/api:load"), settings: settings)
    #expect(targets.map(\.name) == ["base", "api", "web", "more/api"])
    #expect(targets[1].source.ways[0].image.outputGroup == nil)
  }

  @Test func `options and platform decide which images share a build`() throws {
    let selection = try ImageSelection(of: entries, requested: [], package: "")
    let keys = try selection.targets(found: [], settings: settings).map(\.key)
    #expect(
      keys == [
        BatchKey(workspace: "/w", options: ["--config=dev"]),
        BatchKey(workspace: "/w", options: ["--config=dev", "--define=a=b"]),
        BatchKey(workspace: "/w", options: ["--config=dev"], platform: "//platforms:arm"),
      ])
  }

  @Test func `excluded labels are not admitted`() throws {
    let selection = try ImageSelection(of: entries, requested: [], package: "")
    let query = try #require(selection.queries.first)
    let admitted = try found("//more/cart:load", "//more/legacy/cart:load")
      .filter { query.admits($0.label) }
    #expect(admitted.map(\.label.description) == ["//more/cart:load"])
  }

  @Test(arguments: [
    ("//services/...", "", ["//services/..."]), ("//a:all", "", ["//a:all"]),
    ("...", "services", ["//services/..."]), (":all", "a/b", ["//a/b:all"]),
    ("api/...", "services", ["//services/api/..."]),
  ])
  func `patterns are searched, relative ones from where the user is`(
    _ requested: String, _ package: String, _ patterns: [String]
  ) throws {
    let selection = try ImageSelection(of: entries, requested: [requested], package: package)
    #expect(selection.patterns.map(\.description) == patterns)
  }

  @Test func `a pattern chooses what is configured and what is found there`() throws {
    let selection = try ImageSelection(of: entries, requested: ["//services/..."], package: "")
    #expect(selection.images.map(\.name) == ["base", "api"])
    let targets = try selection.targets(
      found: found("//services/api:image", "//services/cart:load"), settings: settings)
    #expect(targets.map(\.name) == ["base", "api", "cart"])
    #expect(targets.map(\.origin) == [.configured, .configured, .kind("oci_load")])
  }

  @Test func `names and patterns together take what either says`() throws {
    let selection = try ImageSelection(of: [], requested: ["cart", "//web/..."], package: "")
    let targets = try selection.targets(
      found: found("//cart:load", "//web/ui:load", "//other:load"), settings: settings)
    #expect(targets.map(\.name) == ["cart", "ui"])
    #expect(targets.map(\.isFound) == [false, true])
  }

  @Test func `a pattern that matches no image is a mistake`() throws {
    let selection = try ImageSelection(of: [], requested: ["//nosuch/..."], package: "")
    let problem = #expect(throws: Problem.self) {
      try selection.targets(found: [], settings: settings)
    }
    #expect(problem?.message == "no image target matches //nosuch/...")
    #expect(problem?.status == .usage)
  }

  @Test func `an image can't be loaded from what its target does not make`() throws {
    let label = try #require(Label("//a:image"))
    var image = ConfiguredImage(name: "a", label: label)
    image.from = .tar
    let known = FoundImage(
      label: label, source: ImageSource(.init(.layout, .init(label)), names: []))
    let problem = #expect(throws: Problem.self) { try image.source(knowing: known) }
    #expect(problem?.message.contains("from a tar, but //a:image makes none") == true)
  }
}
