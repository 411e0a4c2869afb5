import Basics
import Foundation
import SystemPackage
import TestSupport
import Testing

/// What a second `watchbuild dev` knows of the first, on real Bazel.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
struct PersistedIndexTests {
  private let storefront: Storefront

  init() throws {
    storefront = try #require(StorefrontScope.storefront)
    // Named, because images that are found are asked for at each start.
    try storefront.workspace.write(
      "watchbuild.yaml",
      "images:\n"
        + Storefront.images.map { "  - { name: \($0), target: //services/\($0):image }\n" }.joined()
    )
  }

  private func dev(_ arguments: String...) async throws -> WatchbuildProcess {
    let dev = try storefront.watchbuild(
      ["dev", "--output", "json", "--load", "oci:\(storefront.state)/loaded"] + arguments)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  private func indexFiles() throws -> [URL] {
    let states = storefront.state.appending("watchbuild")
    return try FileManager.default.subpathsOfDirectory(atPath: states.string)
      .filter { $0.contains("/index-") && !$0.hasSuffix(".new") }
      .map { URL(fileURLWithPath: "\(states)/\($0)") }
  }

  /// A first run, ended once it has saved its index.
  private func first() async throws {
    let dev = try await dev()
    for _ in 0..<1000 where try indexFiles().isEmpty {
      // It is written beside the loop, and no event tells of it.
      try await ContinuousClock().pause(for: .milliseconds(10))
    }
    #expect(try indexFiles().count == 1)
    #expect(try await dev.interrupt() == 130)
  }

  /// - Returns: A second run that is ready, and the Bazel commands that it took.
  private func second(
    _ arguments: String...
  ) async throws -> (dev: WatchbuildProcess, commands: [String]) {
    let before = storefront.commands().count
    let dev = try await arguments.isEmpty ? dev() : dev(arguments[0])
    return (dev, Array(storefront.commands().dropFirst(before)))
  }

  @Test func `what changed while nobody watched is built, without a query`() async throws {
    try await first()
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/night 1\n" }
    let (dev, commands) = try await second()
    #expect(commands == ["build"])
    #expect(dev.events.first { $0.type == "index" }?.reason == "saved")
    let start = dev.events.first { $0.type == "batch" }
    #expect(start?.cause == "start")
    #expect(start?.changes?.map(\.path).contains("services/cart/src/cart.routes") == true)
    #expect(dev.events.filter { $0.status == "loaded" }.compactMap(\.image) == ["cart"])
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a graph that changed while nobody watched is asked for again`() async throws {
    try await first()
    try storefront.workspace.write("services/web/src/night.routes", "GET /night 1\n")
    let (dev, commands) = try await second()
    // What kind the targets are is asked beside the graph.
    #expect(commands == ["query", "query", "build"])
    #expect(dev.events.filter { $0.status == "loaded" }.compactMap(\.image) == ["web"])

    // And the new file is one of the graph.
    let start = dev.last
    try storefront.edit("services/web/src/night.routes") { $0 += "GET /night/2 2\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.bazelCommands == 1)
    #expect(cycle.ok == 1)
    #expect(try await dev.interrupt() == 130)
    storefront.workspace.remove("services/web/src/night.routes")
  }

  @Test func `with a postponed build what changed meanwhile is owed to the first`() async throws {
    try await first()
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/dawn 1\n" }
    let (dev, commands) = try await second("--postpone")
    #expect(commands == [])
    let start = dev.last
    try storefront.edit("services/web/src/index.routes") { $0 += "GET /dawn 1\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.bazelCommands == 1)
    let loaded = dev.events.filter { $0.seq > start && $0.status == "loaded" }
    #expect(Set(loaded.compactMap(\.image)) == ["cart", "web"])
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `what a change affects is told without Bazel, until the graph has changed`()
    async throws
  {
    try await first()
    var before = storefront.commands().count
    var affected = try storefront.watchbuild(["affected", "services/cart/src/cart.routes"])
    #expect(try await affected.exit() == 0)
    #expect(affected.output == "cart\n")
    #expect(storefront.commands().count == before)

    try storefront.edit("services/cart/BUILD.bazel") { $0 += "\n# another day\n" }
    before = storefront.commands().count
    affected = try storefront.watchbuild(["affected", "services/cart/src/cart.routes"])
    #expect(try await affected.exit() == 0)
    #expect(affected.output == "cart\n")
    #expect(storefront.commands().dropFirst(before) == ["query", "query"])
  }

  @Test func `a source that is gone is told by what was known of it`() async throws {
    try await first()
    let path = "services/cart/src/cart.routes"
    try await storefront.editing(path, { _ in }) {
      storefront.workspace.remove(path)
      let affected = try storefront.watchbuild(["affected", path])
      #expect(try await affected.exit() == 0)
      #expect(affected.output == "cart\n")
    }
  }

  @Test func `a damaged index is not used, and said to be damaged`() async throws {
    try await first()
    let file = try #require(try indexFiles().first)
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: file)
    let (dev, commands) = try await second()
    // What kind the targets are is asked beside the graph.
    #expect(commands == ["query", "query", "build"])
    let word = dev.events.first { $0.type == "degraded" }
    #expect(word?.reason?.contains("the saved index is damaged") == true)
    #expect(try await dev.interrupt() == 130)
  }
}
