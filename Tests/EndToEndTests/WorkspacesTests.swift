import Foundation
import SystemPackage
import TestSupport
import Testing

/// One `dev` for images of two workspaces, each with a Bazel server of its own.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
struct WorkspacesTests {
  private let storefront: Storefront

  init() throws { storefront = try #require(StorefrontScope.storefront) }

  private func archive(_ content: String) -> Data {
    Data(TestImage(layers: [TestImage.layer("file", content)]).dockerArchive())
  }

  @Test func `a save in either workspace makes its image new`() async throws {
    let other = try BazelWorkspace([
      "app/BUILD": """
      genrule(name = "image", srcs = ["source.tar"], outs = ["image.tar"], cmd = "cp $< $@")
      """
    ])
    let source = URL(fileURLWithPath: "\(other.root)/app/source.tar")
    try archive("one").write(to: source)
    try storefront.workspace.write(
      "watchbuild.yaml",
      """
      images:
        - { name: cart, target: //services/cart:image }
        - { name: app, target: //app:image, workspace: \(other.root) }
      """)
    let result: Result<Void, any Error>
    do {
      let dev = try storefront.watchbuild([
        "dev", "--output", "json", "--load", "oci:\(storefront.state)/loaded",
      ])
      try await dev.wait(for: "ready") { $0.type == "ready" }
      #expect(
        Set(dev.events.filter { $0.status == "loaded" }.compactMap(\.image)) == ["app", "cart"])

      var start = dev.last
      try archive("two").write(to: source)
      var cycle = try await dev.cycle(after: start)
      #expect(cycle.bazelCommands == 1)
      #expect(loaded(dev, after: start) == ["app"])

      start = dev.last
      try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/two 2\n" }
      cycle = try await dev.cycle(after: start)
      #expect(cycle.bazelCommands == 1)
      #expect(loaded(dev, after: start) == ["cart"])

      // What changes the other workspace's graph is asked of its own Bazel.
      start = dev.last
      try other.write(
        "app/BUILD",
        """
        # Another rule for the same image.
        genrule(name = "image", srcs = ["third.tar"], outs = ["image.tar"], cmd = "cp $< $@")
        """)
      try archive("three").write(to: URL(fileURLWithPath: "\(other.root)/app/third.tar"))
      try await dev.wait(for: "the third", after: start) { $0.status == "loaded" }
      #expect(loaded(dev, after: start) == ["app"])
      #expect(try await dev.interrupt() == 130)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await other.end()
    try result.get()
  }

  private func loaded(_ dev: WatchbuildProcess, after: Int) -> Set<String> {
    Set(dev.events.filter { $0.seq > after && $0.status == "loaded" }.compactMap(\.image))
  }
}
