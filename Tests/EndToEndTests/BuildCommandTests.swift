import Basics
import Foundation
import Glibc
import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

extension CommandTests {
  /// `watchbuild build` with real Bazel and real dockerd.
  @Suite(.docker, .ownDocker)
  struct BuildCommandTests {
    private let storefront: Storefront
    private let docker: DockerDaemon

    init() throws {
      storefront = try #require(StorefrontScope.storefront)
      docker = try #require(DockerScope.daemon)
    }

    private func build(_ arguments: String..., output: String = "json") async throws -> CommandRun {
      try await storefront.workspace.run(
        ["build", "--output", output] + arguments, docker: docker.host)
    }

    @Test func `all images are loaded by one build, and the second time none is`() async throws {
      let all = Set(Storefront.images)
      let first = try await build()
      #expect(first.exit == 0)
      #expect(first.images("loaded") == all)
      #expect(first.events.filter { $0.type == "build" }.count == 1)
      #expect(first.errors == "")
      #expect(try await Storefront.ids(in: docker) == storefront.builtImages())

      let second = try await build()
      #expect(second.exit == 0)
      #expect(second.images("unchanged") == all)
      #expect(second.images("loaded") == [])
      #expect(second.events.compactMap(\.bytesSent).reduce(0, +) == 0)
      #expect(try storefront.workspace.leftovers() == "")
    }

    @Test func `only images that a change affects are built`() async throws {
      let file = try await build("--affected-by", "services/cart/src/cart.routes")
      #expect(file.exit == 0)
      #expect(file.images("built") == ["cart"])

      // Relative to -C.
      let other = try await build("-C", "services/web/src", "--affected-by", "index.routes")
      #expect(other.exit == 0)
      #expect(other.images("built") == ["web"])

      let absent = try await build("--affected-by", "nosuch.routes")
      #expect(absent.exit == 2)
      #expect(absent.errors.contains("no such file: nosuch.routes"))

      let commands = storefront.commands().count
      let none = try await build("--affected-by", "README.md", output: "plain")
      #expect(none.exit == 0)
      #expect(none.errors.contains("[1] finished: 0 ok, 0 failed in "))
      #expect(!storefront.commands().dropFirst(commands).contains("build"))
    }

    @Test func `one broken image is told with its place, and the others are loaded`() async throws {
      _ = try await build()
      let before = try await Storefront.ids(in: docker)
      try await storefront.editing("lib/src/health.routes") {
        $0 += "GET /buildz built\n"
      } _: {
        try await storefront.editing("services/cart/src/cart.routes") {
          $0 += "BROKEN\n"
        } _: {
          let run = try await build(output: "plain")
          #expect(run.exit == 1)
          #expect(run.output == "")
          let lines = run.errorLines
          #expect(lines.contains("[1] building cart, catalog, checkout, payments, web…"))
          #expect(
            lines.contains(
              """
              services/cart/src/cart.routes:4:1: error: expected "METHOD /path text", \
              found "BROKEN" [cart]
              """))
          #expect(lines.filter { $0.hasPrefix("[1] cart failed: ") }.count == 1)
          // The app's layer and the library's, unless another image of the batch brought that first.
          let loads = lines.filter { $0.contains(" loaded ") }
          #expect(loads.count == 4)
          #expect(
            loads.allSatisfy { $0.contains(" 1 of 3 layers ") || $0.contains(" 2 of 3 layers ") })
          #expect(lines.last?.hasPrefix("[1] finished: 4 ok, 1 failed (cart) in ") == true)
          let after = try await Storefront.ids(in: docker)
          #expect(Storefront.images.filter { before[$0] == after[$0] } == ["cart"])
        }
      }
      let repaired = try await build(output: "plain")
      #expect(repaired.exit == 0)
      #expect(try await Storefront.ids(in: docker) == before)
    }

    @Test func `a package that can't be read may hide an image, and so is a failure`() async throws
    {
      try await storefront.editing("services/cart/BUILD.bazel") {
        $0 += "x(\n"
      } _: {
        let run = try await build("--load", "none")
        #expect(run.exit == 1)
        #expect(run.images("built") == ["catalog", "checkout", "payments", "web"])
        let told = run.events.filter { $0.type == "diagnostic" }
        #expect(Set(told.compactMap(\.file)) == ["services/cart/BUILD.bazel"])
      }
    }

    @Test func `options after the terminator reach Bazel, and none is loaded where none is asked`()
      async throws
    {
      let run = try await storefront.workspace.run(
        ["build", "cart", "--output", "json", "--", "-c", "opt", "--define=a=b"],
        docker: docker.host, environment: ["WATCHBUILD_LOAD": "none"])
      #expect(run.exit == 0)
      #expect(run.images("built") == ["cart"])
      #expect(run.images("loaded") == [])
      let command = run.events.first { $0.type == "build" }?.command ?? []
      #expect(command.contains("--define=a=b"))
      #expect(
        try FileManager.default.destinationOfSymbolicLink(
          atPath: "\(storefront.root)/bazel-bin"
        ).contains("k8-opt"))

      let refused = try await build("cart", "--", "--no_such_option", output: "plain")
      #expect(refused.exit == 2)
      #expect(refused.errors.contains("[1] cart failed: --no_such_option"))
    }

    @Test func `images, options and queries come from the configuration`() async throws {
      try storefront.workspace.write(
        "watchbuild.yaml",
        """
        bazel:
          options: [--define=flavour=plain]
        images:
          - name: basket
            target: //services/cart:image
            ref: registry.local/basket:dev
            options: [--define=flavour=debug]
          - query: 'kind("docker_archive", //services/...)'
            exclude: [//services/web/...]
        """)
      defer { storefront.workspace.remove("watchbuild.yaml") }
      let run = try await build()
      #expect(run.exit == 0)
      #expect(run.images("built") == ["basket", "catalog", "checkout", "payments"])
      let builds = run.events.filter { $0.type == "build" }
      #expect(Set(builds.map { $0.targets ?? [] }).count == 2)
      let own = builds.first { $0.targets == ["//services/cart:image"] }?.command ?? []
      #expect(
        own.filter { $0.hasPrefix("--define") } == [
          "--define=flavour=plain", "--define=flavour=debug",
        ])
      let ref = run.events.first { $0.image == "basket" && $0.ref != nil }?.ref
      #expect(ref == "registry.local/basket:dev")
      let client = EngineClient(.unix(docker.socket))
      let held = try await client.image("registry.local/basket:dev")
      await client.shutdown()
      #expect(held?.id.description == (try storefront.builtImages()["cart"]))

      let one = try await build("basket", "--load", "none")
      #expect(one.exit == 0)
      #expect(one.images("built") == ["basket"])
    }

    @Test func `a held lock is not waited for, and an interrupt frees it`() async throws {
      let pidFile = storefront.workspace.home.appending("builder.pid")
      try storefront.workspace.write(
        "hold/BUILD",
        """
        genrule(
            name = "image", outs = ["image.tar"], local = True,
            cmd = "echo $$$$ > \(pidFile).new; mv \(pidFile).new \(pidFile); sleep 600")
        """)
      defer { storefront.workspace.remove("hold/BUILD") }
      let holder = try storefront.workspace.start(
        ["build", "//hold:image", "--load", "none", "--output", "json"])
      let builder = try #require(try await number(in: pidFile))

      for arguments in [["//services/cart:image"], []] {
        let run = try await storefront.workspace.run(
          ["build", "--no-wait-for-lock", "--output", "plain"] + arguments, docker: docker.host)
        #expect(run.exit == 9)
        let last = run.errorLines.last ?? ""
        #expect(last.hasPrefix("watchbuild: error: another command (pid "), "\(run.errors)")
        #expect(last.contains("//hold:image) holds Bazel's lock; wait for it"), "\(run.errors)")
        #expect(!run.errors.contains("waiting"))
      }

      let began = ContinuousClock.now
      #expect(try await holder.interrupt() == 130)
      let took = began.duration(to: .now)
      #expect(took < .seconds(5), "it took \(took)")
      #expect(kill(builder, 0) != 0)
      #expect(try storefront.workspace.leftovers() == "")
      try storefront.workspace.terminal("--noblock_for_lock", "info", "release")
    }

    @Test func `images that docker missed are loaded once it is back`() async throws {
      _ = try await build()
      let dev = try storefront.workspace.start(
        ["dev", "--output", "json", "--load", "docker", "--postpone"], docker: docker.host)
      try await dev.wait(for: "ready") { $0.type == "ready" }
      try await docker.pause()
      try await storefront.editing("lib/src/health.routes") {
        $0 += "GET /backz back\n"
      } _: {
        let missed = try await dev.cycle()
        #expect(missed.failed == 5)
        let failure = dev.events.first { $0.status == "failed" && $0.image != nil }
        #expect(failure?.error?.contains("docker does not answer at \(docker.host)") == true)

        // No other save: it is dev that looks whether docker is back.
        try await docker.resume()
        let made = try await dev.cycle(after: missed.seq)
        #expect(made.ok == 5)
        #expect(try await Storefront.ids(in: docker) == storefront.builtImages())
        #expect(try await dev.interrupt() == 130)
      }
    }

    private func number(in file: FilePath) async throws -> Int32? {
      for _ in 0..<3000 where !FileManager.default.fileExists(atPath: file.string) {
        // Real Bazel is waited for: there is no clock to move.
        try await ContinuousClock().pause(for: .milliseconds(10))
      }
      let text = try String(contentsOfFile: file.string, encoding: .utf8)
      return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }
}
