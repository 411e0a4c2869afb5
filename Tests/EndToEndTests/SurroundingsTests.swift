import Foundation
import Glibc
import TestSupport
import Testing

/// `dev` where the surroundings are in its way: no inotify, a version control that holds its lock.
@Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
struct SurroundingsTests {
  private let storefront: Storefront

  init() throws { storefront = try #require(StorefrontScope.storefront) }

  private func dev(
    _ arguments: String..., under script: String? = nil
  ) async throws -> WatchbuildProcess {
    let dev = try storefront.watchbuild(
      ["dev", "--output", "json", "--load", "oci:\(storefront.state)/loaded"] + arguments,
      under: script)
    try await dev.wait(for: "ready") { $0.type == "ready" }
    return dev
  }

  private func save(_ text: String) throws {
    try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/\(text) 1\n" }
  }

  private func watching(_ dev: WatchbuildProcess) -> RecordedEvent? {
    dev.events.first { $0.type == "watching" }
  }

  @Test func `asked to poll, it polls`() async throws {
    let dev = try await dev("--trigger", "poll", "--poll-interval", "50ms")
    #expect(watching(dev)?.trigger == "poll")
    #expect(watching(dev)?.degraded == nil)
    let start = dev.last
    try save("poll")
    #expect(try await dev.cycle(after: start).ok == 1)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `where there is no inotify it polls, and says why`() async throws {
    let limit = "echo 0 > /proc/sys/user/max_inotify_instances"
    let dev = try await dev(
      "--poll-interval", "50ms",
      under: "exec unshare -Ur sh -c '\(limit); exec \"$@\"' sh \"$@\"")
    #expect(watching(dev)?.trigger == "poll")
    let reason = watching(dev)?.degraded
    #expect(reason?.contains("sudo sysctl fs.inotify.max_user_instances=") == true)
    #expect(reason?.contains("meanwhile the workspace is polled every 50ms") == true)
    let start = dev.last
    try save("none")
    #expect(try await dev.cycle(after: start).ok == 1)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a version control that does not let go is not waited for without end`() async throws {
    try storefront.workspace.write(".git/index.lock", "")
    let dev = try await dev()
    let start = dev.last
    try save("held")
    let word = try await dev.wait(for: "a word", after: start) { $0.type == "degraded" }
    #expect(word.reason?.contains("version control has held its lock for 10 s") == true)
    #expect(try await dev.cycle(after: start).ok == 1)

    storefront.workspace.remove(".git/index.lock")
    let free = dev.last
    try save("free")
    #expect(try await dev.cycle(after: free).ok == 1)
    #expect(!dev.events.contains { $0.seq > free && $0.type == "degraded" })
    #expect(try await dev.interrupt() == 130)
  }
}
