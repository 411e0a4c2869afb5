import Basics
import Foundation
import TestSupport
import Testing

/// `watchbuild dev`, and another hand in its docker.
@Suite(
  .serialized, .bazel, .docker, .ownDocker, .timeLimit(.minutes(15)), .storefront)
struct DevLossTests {
  private let storefront: Storefront
  private let docker: DockerDaemon

  init() throws {
    storefront = try #require(StorefrontScope.storefront)
    docker = try #require(DockerScope.daemon)
  }

  private func docker(_ arguments: String...) throws {
    try Tool.run("docker", ["-H", docker.host] + arguments)
  }

  /// One cycle makes good what another hand did to `cart`, and says so.
  private func expectMended(
    _ dev: WatchbuildProcess, after start: Int, _ before: [String: String], told: String
  ) async throws {
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    let events = dev.events.filter { $0.seq > start }
    #expect(
      events.first { $0.type == "degraded" }?.reason == "storefront/cart:dev was \(told)")
    #expect(events.first { $0.type == "batch" }?.cause == "retry")
    #expect(events.filter { $0.status == "loaded" }.map(\.image) == ["cart"])
    #expect(try await Storefront.ids(in: docker) == before)
  }

  @Test func `what another hand takes away is loaded again, once`() async throws {
    let dev = try storefront.watchbuild(["dev", "--output", "json"], docker: docker.host)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    let before = try await Storefront.ids(in: docker)
    #expect(before.count == 5)
    var start = dev.last
    try docker("rmi", "storefront/cart:dev")
    try await expectMended(
      dev, after: start, before, told: "removed from docker by another hand; it is loaded again")

    start = dev.last
    try docker("tag", "storefront/web:dev", "storefront/cart:dev")
    try await expectMended(
      dev, after: start, before,
      told:
        "given to another image in docker by another hand, again; it is loaded again, ever more "
        + "rarely (does something else use that name?)")

    // A save is one cycle, which takes nothing for a loss; neither does the time after it.
    start = dev.last
    try storefront.edit("services/web/src/index.routes") { $0 += "GET /loss none\n" }
    _ = try await dev.cycle(after: start)
    try await ContinuousClock().pause(for: .seconds(3))
    #expect(dev.events.filter { $0.seq > start && $0.type == "cycle" }.count == 1)
    #expect(!dev.events.contains { $0.seq > start && $0.type == "degraded" })
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `images that go with docker are loaded again when it is back`() async throws {
    let dev = try storefront.watchbuild(["dev", "cart", "--output", "json"], docker: docker.host)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    let id = try await Storefront.ids(in: docker)["cart"]
    let start = dev.last
    try await docker.pause()
    try await docker.resume()
    // Before it is seen to be back.
    try? docker("rmi", "-f", "storefront/cart:dev")
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    #expect(try await Storefront.ids(in: docker)["cart"] == id)
    #expect(try await dev.interrupt() == 130)
  }
}
