import Basics
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Runtimes

/// `samples/compose` as a user has it: `watchbuild dev` with docker-compose, up to the answer of what runs.
@Suite(.serialized, .bazel, .docker, .timeLimit(.minutes(10)))
struct ComposeDevTests {
  /// A copy of the sample in a docker without networks of its own, on ports of its own.
  private struct Shop: Sendable {
    let workspace: BazelWorkspace
    let docker: DockerDaemon
    let client: EngineClient
    let web: Int
    let greeter: Int

    init() async throws {
      workspace = try BazelWorkspace()
      docker = try await DockerDaemon.shared()
      client = EngineClient(.unix(docker.socket))
      (web, greeter) = (try LoopbackPort.free(), try LoopbackPort.free())
      let sample = WatchbuildProcess.packageDirectory.path + "/samples/compose/."
      try Tool.run("cp", ["-r", sample, workspace.root.string])
      try edit("compose.yaml") {
        $0.replacing("ports: [\"8080:8080\"]", with: "network_mode: host")
          .replacing("ports: [\"8081:8081\"]", with: "network_mode: host")
      }
      try edit("services/web/main.c") { $0.replacing("8080", with: "\(web)") }
      try edit("services/greeter/main.c") { $0.replacing("8081", with: "\(greeter)") }
    }

    func edit(_ path: String, _ change: (String) -> String) throws {
      let file = workspace.root.appending(path)
      try workspace.write(path, change(String(decoding: try file.read(), as: UTF8.self)))
    }

    func dev(_ command: String = "dev") throws -> WatchbuildProcess {
      try WatchbuildProcess(
        [command, "--load", "docker", "--output", "json"], in: workspace.root,
        environment: [
          "DOCKER_HOST": docker.host, "COMPOSE_PROJECT_NAME": "shop\(web)",
          "XDG_STATE_HOME": workspace.root.removingLastComponent().appending("state").string,
          "PATH": workspace.testBazel.searchPath,
          "WATCHBUILD_BAZEL": workspace.testBazel.program,
        ])
    }

    /// What runs answers; one that was just put back is given a moment.
    func answer(_ port: Int) async throws -> String {
      for _ in 0..<50 {
        let answer = try? Tool.run("busybox", ["wget", "-qO-", "http://127.0.0.1:\(port)/"])
        if let answer { return answer }
        try await ContinuousClock().pause(for: .milliseconds(100))
      }
      return "no answer"
    }

    func container(_ service: String) async throws -> String? {
      let list = try await client.containers("label", "com.docker.compose.service=\(service)")
      let own = list.filter { $0.labels?["com.docker.compose.project"] == "shop\(web)" }
      guard let name = own.first?.name else { return nil }
      return try await client.container(name)?["Id"]?.string
    }

    func end() async {
      for service in ["web", "greeter"] {
        // It may never have come to be.
        if let id = try? await container(service) { try? await client.removeContainer(id) }
      }
      await client.shutdown()
      await workspace.end()
    }
  }

  @Test func `one save restarts one service, and a broken one is put back with its words told`()
    async throws
  {
    let shop = try await Shop()
    let result: Result<Void, any Error>
    do {
      try await check(shop)
      try await checkHooks(shop)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await shop.end()
    try result.get()
  }

  private func check(_ shop: Shop) async throws {
    var dev = try shop.dev()
    try await dev.wait(for: "ready") { $0.type == "ready" }
    #expect(try await shop.answer(shop.web) == "Two kettles are in stock.\n")
    let greeter = try await shop.container("greeter")
    #expect(greeter != nil)

    var start = dev.last
    try shop.edit("services/web/main.c") { $0.replacing("Two", with: "Three") }
    #expect(try await dev.cycle(after: start).status == "ok")
    #expect(try await shop.answer(shop.web) == "Three kettles are in stock.\n")
    #expect(dev.events.filter { $0.seq > start && $0.status == "live" }.last?.image == "web")

    start = dev.last
    try shop.edit("services/web/main.c") {
      $0.replacing(
        "int main(void) {", with: "int main(void) {\n  write(2, \"no stock\\n\", 9);\n  return 3;")
    }
    #expect(try await dev.cycle(after: start).status == "failed")
    let error = dev.events.last { $0.type == "image" && $0.status == "failed" }?.error
    #expect(
      error == "compose web: the new container ended (exit 3)\nno stock",
      "\(error ?? "none")")
    #expect(try await shop.answer(shop.web) == "Three kettles are in stock.\n")

    start = dev.last
    try shop.edit("services/web/main.c") {
      $0.replacing("  write(2, \"no stock\\n\", 9);\n  return 3;", with: "")
        .replacing("Three", with: "Four")
    }
    #expect(try await dev.cycle(after: start).status == "ok")
    #expect(try await dev.interrupt() == 130)

    // A later run restarts only what runs something older: greeter was saved while nobody watched.
    let web = try await shop.container("web")
    try shop.edit("services/greeter/main.c") { $0.replacing("morning", with: "evening") }
    #expect(try await shop.container("greeter") == greeter)
    dev = try shop.dev()
    try await dev.wait(for: "ready") { $0.type == "ready" }
    #expect(try await shop.container("web") == web)
    #expect(try await shop.answer(shop.greeter) == "Good evening.\n")
    #expect(try await shop.answer(shop.web) == "Four kettles are in stock.\n")
    let rollouts = dev.events.filter { $0.type == "rollout" && $0.status != "started" }
    #expect(
      Set(rollouts.map { "\($0.image ?? "") \($0.status ?? "")" })
        == ["web unchanged", "greeter live"])
    #expect(try await dev.interrupt() == 130)
  }

  private func checkHooks(_ shop: Shop) async throws {
    try shop.workspace.write(
      "watchbuild.yaml",
      """
      images:
        - { name: web, target: "//services/web:image" }
        - { name: greeter, target: "//services/greeter:image" }
      hooks:
        beforeBuild: [{ run: [sh, -c, "echo $WATCHBUILD_IMAGES >before"] }]
        afterLoad: [{ run: [sh, -c, "echo no answer; exit 7"], images: [web] }]
        onFailure: [{ run: [sh, -c, 'echo "$1" >failed', sh, "{summary}"] }]

      """)
    try shop.edit("services/web/main.c") { $0.replacing("Four", with: "Five") }
    let build = try shop.dev("build")
    #expect(try await build.exit() == 4)
    #expect(build.events.last { $0.type == "cycle" }?.status == "failed")
    #expect(build.events.last { $0.type == "cycle" }?.ok == 2)
    #expect(
      build.events.filter { $0.type == "hook" }.map(\.stage)
        == ["beforeBuild", "afterLoad", "onFailure"])
    let files = ["before", "failed"].map { shop.workspace.root.appending($0) }
    #expect(
      try files.map { String(decoding: try $0.read(), as: UTF8.self) } == [
        "greeter web\n", "a hook failed\n",
      ])

    // What a hook before the build refuses is not built.
    try shop.edit("watchbuild.yaml") {
      $0.replacing("echo $WATCHBUILD_IMAGES >before", with: "exit 3")
    }
    let refused = try shop.dev("build")
    #expect(try await refused.exit() == 4)
    #expect(!refused.events.contains { $0.type == "build" })
  }
}
