import TestSupport
import Testing

/// Which images share one `bazel build`, counted at Bazel's own command line.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
struct GroupingTests {
  private let storefront: Storefront

  init() throws { storefront = try #require(StorefrontScope.storefront) }

  /// Builds what the configuration names, once.
  ///
  /// - Returns: The images of each build, in the order of the builds.
  private func build(_ configuration: String) async throws -> [Set<String>] {
    try storefront.workspace.write("watchbuild.yaml", configuration)
    let before = storefront.commands().count
    let watchbuild = try storefront.watchbuild([
      "build", "--output", "json", "--load", "oci:\(storefront.state)/grouping",
    ])
    try #require(try await watchbuild.exit() == 0, "\(watchbuild.errors)")
    let builds = watchbuild.events.filter { $0.type == "build" }
    // What it says that it ran is what was run, and nothing else was but the question of what kind the targets are.
    #expect(
      Array(storefront.commands().dropFirst(before)) == ["query"] + builds.map { _ in "build" })
    return builds.map { Set($0.targets ?? []) }
  }

  private func targets(_ names: String...) -> Set<String> {
    Set(names.map { "//services/\($0):image" })
  }

  private func image(_ name: String, _ more: String = "") -> String {
    "  - { name: \(name), target: //services/\(name):image\(more.isEmpty ? "" : ", \(more)") }\n"
  }

  @Test func `two independent images are one build`() async throws {
    let builds = try await build("images:\n" + image("cart") + image("web"))
    #expect(builds == [targets("cart", "web")])
  }

  @Test func `four images with a build concurrency of two are two builds of two`() async throws {
    let images = ["cart", "catalog", "payments", "web"].map { image($0) }.joined()
    let builds = try await build("batch: { buildConcurrency: 2 }\nimages:\n" + images)
    #expect(builds == [targets("cart", "catalog"), targets("payments", "web")])
  }

  @Test func `an image is built after what it requires`() async throws {
    let builds = try await build("images:\n" + image("cart", "requires: [web]") + image("web"))
    #expect(builds == [targets("web"), targets("cart")])
  }

  @Test func `images with different options are built apart`() async throws {
    let builds = try await build(
      "images:\n" + image("cart", "options: [--define=a=1]") + image("web"))
    #expect(builds.count == 2)
    #expect(Set(builds) == [targets("cart"), targets("web")])
  }

  @Test func `the order of options does not matter`() async throws {
    let builds = try await build(
      "images:\n" + image("cart", "options: [--define=a=1, --define=b=2]")
        + image("web", "options: [--define=b=2, --define=a=1]"))
    #expect(builds == [targets("cart", "web")])
  }
}
