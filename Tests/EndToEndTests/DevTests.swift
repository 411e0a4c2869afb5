import Basics
import Foundation
import Glibc
import TestSupport
import Testing

/// `watchbuild dev` on the storefront, with real Bazel and real dockerd.
@Suite(
  .serialized, .bazel, .enabled(if: DockerDaemon.isExpected, "\(DockerDaemon.requirement)"),
  .timeLimit(.minutes(15)), .eachBazelInEveryWay, .storefront)
struct DevTests {
  private let storefront: Storefront
  private let docker: DockerDaemon

  init() async throws {
    storefront = try #require(StorefrontScope.storefront)
    docker = try await DockerDaemon.shared()
  }

  /// Starts `dev` and waits until it is ready.
  private func dev(_ arguments: String...) async throws -> WatchbuildProcess {
    let dev = try storefront.watchbuild(
      ["dev", "--output", "json"] + arguments, docker: docker.host)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  private func loaded(_ dev: WatchbuildProcess, after: Int) -> Set<String> {
    Set(dev.events.filter { $0.seq > after && $0.status == "loaded" }.compactMap(\.image))
  }

  @Test func `a save makes exactly the right image new, by one Bazel command`() async throws {
    let dev = try await dev()
    let before = try await Storefront.ids(in: docker)
    #expect(before.count == 5)
    let commands = storefront.commands().count
    let start = dev.last

    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/size One kettle.\n" }
    let cycle = try await dev.cycle(after: start)

    #expect(cycle.bazelCommands == 1)
    #expect(storefront.commands().dropFirst(commands) == ["build"])
    #expect(cycle.ok == 1)
    #expect(loaded(dev, after: start) == ["cart"])
    let sent = dev.events.first { $0.seq > start && $0.status == "loaded" }
    #expect(sent?.layersSent == 1)
    #expect(sent?.runtime == "docker")
    let after = try await Storefront.ids(in: docker)
    #expect(Storefront.images.filter { before[$0] != after[$0] } == ["cart"])
    #expect(after == (try await storefront.cleanBuild()))
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a shared library's save makes every image new`() async throws {
    let dev = try await dev()
    let start = dev.last
    try storefront.edit("lib/src/health.routes") { $0 += "GET /livez alive\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.bazelCommands == 1)
    #expect(loaded(dev, after: start) == Set(Storefront.images))
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `one broken image is one broken image, and only its repair is owed`() async throws {
    let dev = try await dev()
    var start = dev.last
    // Both in one batch: the library's change reaches all five, and cart is broken.
    try storefront.edit("services/cart/src/cart.routes") { $0 += "BROKEN\n" }
    try storefront.edit("lib/src/health.routes") { $0 += "GET /startz started\n" }
    var cycle = try await dev.cycle(after: start)
    #expect(cycle.status == "failed")
    #expect(cycle.ok == 4)
    #expect(cycle.failed == 1)
    #expect(loaded(dev, after: start) == Set(Storefront.images).subtracting(["cart"]))
    let diagnostic = dev.events.first { $0.seq > start && $0.type == "diagnostic" }
    #expect(diagnostic?.file == "services/cart/src/cart.routes")
    #expect(diagnostic?.image == "cart")

    start = dev.last
    try storefront.edit("services/cart/src/cart.routes") { $0.replace("BROKEN\n", with: "") }
    cycle = try await dev.cycle(after: start)
    #expect(cycle.status == "ok")
    #expect(loaded(dev, after: start) == ["cart"])
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a new file that a glob matches is built, and so is its removal`() async throws {
    let dev = try await dev()
    var start = dev.last
    let before = try await Storefront.ids(in: docker)
    try storefront.workspace.write("services/web/src/extra.routes", "GET /extra more\n")
    var cycle = try await dev.cycle(after: start)
    #expect(cycle.bazelCommands == 2)
    #expect(loaded(dev, after: start) == ["web"])

    start = dev.last
    storefront.workspace.remove("services/web/src/extra.routes")
    cycle = try await dev.cycle(after: start)
    #expect(cycle.status == "ok")
    #expect(try await Storefront.ids(in: docker) == before)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a broken BUILD file is told with its place, and its repair is seen`() async throws {
    let dev = try await dev()
    var start = dev.last
    var original = ""
    try storefront.edit("services/web/BUILD.bazel") { text in
      original = text
      text += "image(\n"
    }
    try storefront.edit("lib/src/health.routes") { $0 += "GET /pingz pong\n" }
    var cycle = try await dev.cycle(after: start)
    #expect(cycle.status == "failed")
    #expect(loaded(dev, after: start) == Set(Storefront.images).subtracting(["web"]))
    let diagnostic = dev.events.first { $0.seq > start && $0.type == "diagnostic" }
    #expect(diagnostic?.file == "services/web/BUILD.bazel")

    start = dev.last
    try storefront.workspace.write("services/web/BUILD.bazel", original)
    cycle = try await dev.cycle(after: start)
    #expect(cycle.status == "ok")
    #expect(loaded(dev, after: start) == ["web"])
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `an image whose content did not change is not loaded`() async throws {
    let dev = try await dev()
    let start = dev.last
    // Comments do not get into the image.
    try storefront.edit("services/cart/src/cart.routes") { $0 += "# a remark\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    let events = dev.events.filter { $0.seq > start && $0.image == "cart" }
    #expect(events.map(\.status) == ["built", "unchanged"])
    #expect(events.last?.bytesSent == 0)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a file that no image is made of starts no cycle`() async throws {
    let dev = try await dev()
    let start = dev.last
    let commands = storefront.commands().count
    try storefront.workspace.write("README.md", "for people\n")
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/last end\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.ok == 1)
    #expect(storefront.commands().count == commands + 1)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `an interrupt in mid-build leaves nothing behind`() async throws {
    let dev = try await dev()
    let start = dev.last
    try storefront.edit("base/BUILD.bazel") { $0 += "\n# another base\n" }
    try storefront.edit("lib/src/health.routes") { $0 += "GET /finalz end\n" }
    try await dev.wait(for: "build", after: start) { $0.type == "build" }
    #expect(try await dev.interrupt() == 130)
    #expect(dev.events.contains { $0.type == "stopping" })
    let left = try await Storefront.run(
      "sh",
      [
        "-c",
        "find '\(storefront.state)' -name '*.lock' -o -name '*.sock' -o -name 'build-events*'",
      ])
    #expect(left == "")
    // Bazel's lock is free.
    try storefront.workspace.terminal("--noblock_for_lock", "info", "release")
  }

  @Test func `a Bazel server that is killed in mid-build is told, and the build is made up for`()
    async throws
  {
    let dev = try await dev()
    let start = dev.last
    try storefront.edit("lib/src/health.routes") { $0 += "GET /killz dead\n" }
    try await dev.wait(for: "build", after: start) { $0.type == "build" }
    // Once it has taken the command on: before, its client would just start another.
    try await ContinuousClock().pause(for: .milliseconds(250))
    let server = try #require(try await storefront.workspace.serverID())
    kill(server, SIGKILL)
    // Those that were loaded before are not built again.
    try await dev.wait(for: "the rest", after: start) { $0.type == "cycle" && $0.status == "ok" }
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a source file with a name beyond ASCII is built`() async throws {
    let dev = try await dev()
    var start = dev.last
    try storefront.workspace.write("services/web/src/é.routes", "GET /e 1\n")
    _ = try await dev.cycle(after: start)
    start = dev.last
    try storefront.edit("services/web/src/é.routes") { $0 += "GET /f 2\n" }
    let cycle = try await dev.cycle(after: start)
    #expect(cycle.bazelCommands == 1)
    #expect(loaded(dev, after: start) == ["web"])
    storefront.workspace.remove("services/web/src/é.routes")
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a change of a rule's bzl file reaches the images`() async throws {
    let dev = try await dev()
    let start = dev.last
    try storefront.edit("rules/image.bzl") {
      $0.replace("directory = \"app\"", with: "directory = \"opt\"")
    }
    _ = try await dev.cycle(after: start)
    #expect(loaded(dev, after: start) == Set(Storefront.images))
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a second dev names the first and ends with 5`() async throws {
    let dev = try await dev("--postpone")
    let second = try storefront.watchbuild(["dev", "--output", "plain"], docker: docker.host)
    #expect(try await second.exit() == 5)
    #expect(second.errors.contains("pid \(dev.id)"))
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `what is changed while images are built is built too`() async throws {
    let dev = try await dev("--on-busy-update", "queue")
    let start = dev.last
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/1 one\n" }
    try await dev.wait(for: "build", after: start) { $0.type == "build" }
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/2 two\n" }
    let first = try await dev.cycle(after: start)
    let second = try await dev.cycle(after: first.seq)
    #expect(second.ok == 1)
    #expect(try await Storefront.ids(in: docker) == storefront.cleanBuild())
    #expect(try await dev.interrupt() == 130)
  }
}
