import Foundation
import SystemPackage
import TestSupport
import Testing

extension CommandTests {
  /// A machine without any container runtime.
  @Suite struct NoRuntimeTests {
    private let storefront: Storefront
    private var workspace: BazelWorkspace { storefront.workspace }
    private var address: String { "unix://\(workspace.home)/no-docker.sock" }

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    private func store() throws -> String {
      try Tool.run("sh", ["-c", "ls -d '\(workspace.state)'/watchbuild/workspace-*/images"])
        .trimmingCharacters(in: .newlines)
    }

    @Test(
      .enabled(
        if: Tool.isRequired || Tool.exists("skopeo"), "needs skopeo (apt-get install skopeo)"))
    func `images go to the built-in store, where skopeo finds them`() async throws {
      let run = try await workspace.run(["build", "--output", "json"])
      #expect(run.exit == 0)
      #expect(run.images("loaded") == Set(Storefront.images))
      let store = try store()
      #expect(Set(run.events.compactMap(\.runtime)) == ["oci:\(store)"])
      let reason = run.events.first { $0.type == "degraded" }?.reason ?? ""
      #expect(reason.contains(address))
      #expect(reason.contains("loading into the image store \(store)"))
      let built = try storefront.builtImages()
      for image in Storefront.images {
        let name = "oci:\(store):storefront/\(image):dev"
        let manifest = try Tool.run("skopeo", ["inspect", "--raw", name])
        #expect(manifest.contains("\"digest\":\"\(built[image] ?? "?")\""))
        #expect(try Tool.run("skopeo", ["inspect", name]).contains("\"Architecture\": \"amd64\""))
      }
      #expect(try workspace.leftovers() == "")

      let again = try await workspace.run(["build", "--output", "plain"])
      #expect(again.exit == 0)
      let unchanged = again.errorLines.filter { $0.contains(" unchanged → oci:") }
      #expect(unchanged.count == 1)
      #expect(
        unchanged.first?.hasPrefix("[1] \(Storefront.images.joined(separator: ", ")) unchanged")
          == true)
    }

    @Test func `docker that was asked for and is not there is an error of every image`()
      async throws
    {
      let run = try await workspace.run(["build", "--load", "docker", "--output", "plain"])
      #expect(run.exit == 3)
      #expect(run.output == "")
      let images = Storefront.images.joined(separator: ", ")
      let lines = run.errorLines.filter { $0.contains(" failed: ") }
      #expect(lines.count == 1)
      #expect(
        lines.first?.hasPrefix("[1] \(images) failed: docker does not answer at \(address)") == true
      )
      #expect(lines.first?.contains("is dockerd running?") == true)
      #expect(
        run.errorLines.last?.hasPrefix("[1] finished: 0 ok, 5 failed (\(images)) in ") == true)
    }

    @Test func `dev without docker says so, stays, and tries again with the next save`()
      async throws
    {
      let dev = try workspace.start(["dev", "cart", "--load", "docker", "--output", "json"])
      try await dev.wait(for: "ready") { $0.type == "ready" }
      let first = try await dev.cycle()
      #expect(first.failed == 1)
      try await storefront.editing("services/cart/src/cart.routes") {
        $0 += "GET /cart/none no docker\n"
      } _: {
        let second = try await dev.cycle(after: first.seq)
        #expect(second.failed == 1)
        let error = dev.events.last { $0.image == "cart" && $0.status == "failed" }?.error ?? ""
        #expect(error.contains(address))
      }
      #expect(try await dev.interrupt() == 130)
      #expect(try workspace.leftovers() == "")
    }
  }
}
