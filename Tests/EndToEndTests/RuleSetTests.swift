import Foundation
import SystemPackage
import TestSupport
import Testing

/// Images of rules_oci, rules_img and rules_docker: which there are, what is built for each, and what it is called.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .ruleSets)
struct RuleSetTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(RuleSetScope.workspace) }

  private var store: FilePath { workspace.home.appending("store") }

  private func build(_ arguments: String..., into store: FilePath? = nil) async throws -> CommandRun
  {
    try await workspace.run(
      ["build", "--output", "json", "--load", "oci:\(store ?? self.store)"] + arguments)
  }

  /// The names of a store, each with the digest of its manifest.
  private func names(in store: FilePath) throws -> [String: String] {
    struct Index: Decodable {
      struct Entry: Decodable {
        var digest: String
        var annotations: [String: String]
      }
      var manifests: [Entry]
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(store)/index.json"))
    let index = try JSONDecoder().decode(Index.self, from: data)
    return Dictionary(
      index.manifests.map { ($0.annotations["org.opencontainers.image.ref.name"] ?? "", $0.digest) }
    ) { first, _ in first }
  }

  private struct Listing: Decodable {
    struct Image: Decodable {
      struct Product: Decodable {
        var target: String
        var outputGroup: String?
      }
      var name: String
      var target: String
      var refs: [String]?
      var why: String
      var form: String
      var builds: [Product]
    }
    var images: [Image]
  }

  private func listing(_ arguments: String...) async throws -> [Listing.Image] {
    let run = try await workspace.run(["images", "--json"] + arguments)
    #expect(run.exit == 0, "\(run.errors)")
    return try JSONDecoder().decode(Listing.self, from: Data(run.output.utf8)).images
  }

  @Test func `images are listed with their names, why they are some, and what is built`()
    async throws
  {
    let images = try await listing()
    #expect(images.map(\.name).sorted() == RuleSetScope.images)
    #expect(
      Dictionary(images.map { ($0.name, $0.target) }) { first, _ in first } == [
        "bundle": "//bundle:bundle", "eager": "//eager:load", "import": "//import:imported",
        "index": "//index:load", "legacy": "//legacy:tarball", "oci": "//oci:load",
        "plain": "//plain:plain", "program": "//program:program", "unnamed": "//unnamed:load",
      ])
    let oci = try #require(images.first { $0.name == "oci" })
    #expect(oci.refs == ["lab/oci:1", "lab/oci:2", "lab.io/oci:3"])
    #expect(oci.why == "rule oci_load")
    #expect(oci.form == "layout")
    #expect(oci.builds.map(\.target) == ["//oci:current", "//oci:load_write_tags"])
    let eager = try #require(images.first { $0.name == "eager" })
    #expect(eager.refs == ["lab.io/eager:1", "lab.io/eager:2"])
    #expect(eager.builds.map(\.outputGroup) == ["oci_layout", "deploy_manifest"])
    #expect(images.first { $0.name == "legacy" }?.refs == nil)
    #expect(images.first { $0.name == "unnamed" }?.refs == ["unnamed:dev"])
    #expect(images.first { $0.name == "plain" }?.refs == ["bazel/plain:plain"])

    let text = try await workspace.run(["images", "//oci/..."])
    #expect(text.exit == 0)
    #expect(
      text.output.hasPrefix(
        """
        oci  //oci:load → lab/oci:1, lab/oci:2, lab.io/oci:3
             rule oci_load; layout from //oci:current, //oci:load_write_tags
        """))
  }

  @Test func `all are loaded by one build, from layouts where there are some`() async throws {
    let first = try await build()
    #expect(first.exit == 0, "\(first.errors)")
    #expect(first.images("loaded") == Set(RuleSetScope.images))
    #expect(first.events.filter { $0.type == "build" }.count == 1)
    // No loader has made its tar.
    for tar in ["oci/load/tarball.tar", "legacy/tarball/tarball.tar", "eager/load_docker.tar"] {
      #expect(throws: (any Error).self) {
        try Tool.run("stat", ["\(workspace.root)/bazel-bin/\(tar)"])
      }
    }
    #expect(
      Set(try names(in: store).keys).isSuperset(of: [
        "lab/oci:1", "lab/oci:2", "lab.io/oci:3", "lab/legacy:1", "lab/legacy:2", "lab/index:1",
        "lab.io/eager:1", "lab.io/eager:2", "unnamed:dev", "bazel/plain:plain",
        "bazel/import:imported", "lab/one:1", "lab/one:2", "lab/two:1", "bazel/program:program",
      ]))
    let again = try await build()
    #expect(again.images("unchanged") == Set(RuleSetScope.images))
    #expect(again.events.compactMap(\.bytesSent).reduce(0, +) == 0)
  }

  @Test func `from a tar an image is the same`() async throws {
    try workspace.write(
      "watchbuild.yaml",
      """
      images:
        - { target: //oci:load, from: tar }
        - { target: //unnamed:load, from: tar }
      """)
    defer { workspace.remove("watchbuild.yaml") }
    let store = workspace.home.appending("from-tar")
    let tars = try await build(into: store)
    #expect(tars.exit == 0, "\(tars.errors)")
    #expect(tars.events.first { $0.type == "build" }?.targets == ["//oci:load", "//unnamed:load"])

    #expect(tars.images("loaded") == ["oci", "unnamed"])
    // Its tar says image:latest, since nobody has named it.
    let names = try names(in: store)
    #expect(Set(names.keys).isSuperset(of: ["lab/oci:1", "unnamed:dev"]))
    #expect(names["image:latest"] == nil)
  }

  @Test(arguments: ["//oci:alias", "//oci:group"])
  func `an alias and a filegroup stand for what is behind them`(label: String) async throws {
    let run = try await build(label, into: workspace.home.appending("alias"))
    #expect(run.exit == 0, "\(run.errors)")
    #expect(run.images("loaded") == ["oci"])
    #expect(
      run.events.first { $0.type == "build" }?.targets?.contains("//oci:load") == false)
  }

  @Test func `a pattern chooses, and one that matches nothing is a mistake`() async throws {
    #expect(try await listing("//eager/...", "//oci:all").map(\.name) == ["eager", "oci"])
    let none = try await workspace.run(["build", "//base/nothing/..."])
    #expect(none.exit == 2)
    #expect(none.errors.contains("no image target matches //base/nothing/..."))
  }

  @Test func `two images with one name are told, and neither is loaded`() async throws {
    try workspace.write(
      "twice/BUILD",
      RuleSets.load + """
        oci_load(name = "one", image = "//base:image", repo_tags = ["lab/twice:1"])
        oci_load(name = "two", image = "//base:image", repo_tags = ["lab/twice:1", "lab/two:1"])
        """)
    defer { workspace.remove("twice/BUILD") }
    let run = try await build("//twice/...", into: workspace.home.appending("twice-store"))
    #expect(run.exit == 1)
    #expect(run.images("failed") == ["twice/one", "twice/two"])
    #expect(
      run.error(of: "twice/one").hasPrefix("twice/one and twice/two are both called lab/twice:1"))
    #expect(run.images("built").isEmpty)

    try workspace.write(
      "watchbuild.yaml",
      "images: [{name: a, target: //twice:one, ref: [lab/a:1, lab/b:1]}, {name: b, target: //twice:two, ref: lab/b:1}]\n"
    )
    defer { workspace.remove("watchbuild.yaml") }
    let configured = try await workspace.run(["config", "validate"])
    #expect(configured.exit == 2)
    #expect(configured.errors.contains("the name 'lab/b:1' is given in line 1 already"))
  }

  @Test func `a shallow base's layers are left out, and nothing is said to have failed`()
    async throws
  {
    let run = try await build("//shallow:load", into: workspace.home.appending("shallow"))
    #expect(run.exit == 0, "\(run.errors)")
    #expect(run.images("loaded") == ["shallow"])
    #expect(!run.events.contains { $0.type == "diagnostic" })
    #expect(run.events.filter { $0.type == "build" }.count == 2)
    #expect(try names(in: workspace.home.appending("shallow"))["lab/shallow:1"] != nil)
  }

  @Test func `where there is no layout the tar is taken, with a word of it`() async throws {
    // Of a class of that name, but with an image that is no layout.
    try workspace.write(
      "odd/odd.bzl",
      """
      def _impl(ctx):
          return [DefaultInfo(files = depset(ctx.files.image)), OutputGroupInfo(tarball = depset(ctx.files.tar))]
      oci_load = rule(
          implementation = _impl,
          attrs = {"image": attr.label(allow_files = True), "tar": attr.label(allow_files = True)},
      )
      """)
    try workspace.write(
      "odd/BUILD",
      """
      load(":odd.bzl", "oci_load")
      oci_load(name = "load", image = "odd.bzl", tar = "//import:imported")
      """)
    defer { workspace.remove("odd/BUILD") }
    let run = try await workspace.run([
      "build", "//odd:load", "--output", "plain", "-v", "--load", "oci:\(store)",
    ])
    #expect(run.exit == 0, "\(run.errors)")
    #expect(run.errors.contains("odd built in"))
    #expect(
      run.errors.contains(
        "(from the tar: target //odd:odd.bzl has no image layout among its outputs"))
  }

  @Test func `a save builds the layout, and new tags move the names`() async throws {
    let dev = try workspace.start([
      "dev", "//oci:load", "--output", "json", "--load", "oci:\(store)",
    ])
    try await dev.wait(for: "ready") { $0.type == "ready" }
    var start = dev.last
    try workspace.write("oci/app.txt", "changed\n")
    var cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    #expect(cycle.bazelCommands == 1)

    start = dev.last
    try workspace.write("base/base.txt", "changed\n")
    cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)

    start = dev.last
    let file = URL(fileURLWithPath: "\(workspace.root)/oci/BUILD")
    let text = try String(contentsOf: file, encoding: .utf8)
    try workspace.write(
      "oci/BUILD", text.replacingOccurrences(of: "lab/oci:1", with: "lab/oci:new"))
    cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    #expect(try await dev.interrupt() == 130)
    #expect(try names(in: store)["lab/oci:new"] != nil)
    try workspace.write("oci/BUILD", text)
  }
}
