import Graph
import Runner
import SystemPackage
import Testing

@Suite struct PlanTests {
  private func image(
    _ name: String, options: [String] = [], requires: [String] = []
  ) throws -> ImageTarget {
    ImageTarget(
      name: name, label: try #require(Label("//\(name):image")),
      key: BatchKey(workspace: "/w", options: options), requires: requires)
  }

  private func names(_ plan: Plan) -> [[[String]]] {
    plan.stages.map { $0.map { $0.images.map(\.name) } }
  }

  @Test func `images with one key share a build`() throws {
    let images = [try image("a"), try image("b")]
    #expect(names(Plan(owed: ["a", "b"], images: images)) == [[["a", "b"]]])
  }

  @Test func `only what is owed is built`() throws {
    let images = [try image("a"), try image("b")]
    #expect(names(Plan(owed: ["b"], images: images)) == [[["b"]]])
  }

  @Test func `nothing owed is an empty plan`() throws {
    #expect(Plan(owed: [], images: [try image("a")]).stages.isEmpty)
  }

  @Test func `four images and a concurrency of two are two builds of two`() throws {
    let images = try ["a", "b", "c", "d"].map { try image($0) }
    let plan = Plan(owed: ["a", "b", "c", "d"], images: images, buildConcurrency: 2)
    #expect(names(plan) == [[["a", "b"], ["c", "d"]]])
  }

  @Test func `different options are different builds, in an order that keeps keys together`() throws
  {
    let images = [
      try image("a"), try image("b", options: ["-c", "opt"]), try image("c"),
    ]
    #expect(names(Plan(owed: ["a", "b", "c"], images: images)) == [[["a", "c"], ["b"]]])
  }

  @Test func `the order of options makes no other key`() throws {
    let images = [
      try image("a", options: ["--x", "--y"]), try image("b", options: ["--y", "--x"]),
    ]
    #expect(names(Plan(owed: ["a", "b"], images: images)) == [[["a", "b"]]])
  }

  @Test func `an image waits for the image that it requires`() throws {
    let images = [try image("app", requires: ["base"]), try image("base")]
    #expect(names(Plan(owed: ["app", "base"], images: images)) == [[["base"]], [["app"]]])
  }

  @Test func `a required image that is not owed is not built`() throws {
    let images = [try image("app", requires: ["base"]), try image("base")]
    #expect(names(Plan(owed: ["app"], images: images)) == [[["app"]]])
  }
}
