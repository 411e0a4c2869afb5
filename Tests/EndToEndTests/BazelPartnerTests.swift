import Basics
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

extension CommandTests {
  /// How watchbuild shares Bazel's server: with itself, with a terminal, and when it must end.
  @Suite struct BazelPartnerTests {
    private let storefront: Storefront
    private var workspace: BazelWorkspace { storefront.workspace }
    private var store: String { "oci:\(storefront.state)/partner" }

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    @Test func `the first image is loaded while others are still being built`() async throws {
      let names = ["cart", "catalog", "web"]
      var originals: [String: String] = [:]
      for (number, name) in names.enumerated() {
        try storefront.edit("services/\(name)/BUILD.bazel") { text in
          originals[name] = text
          text += """

            genrule(
                name = "slow", srcs = [":image"], outs = ["slow.tar"],
                cmd = "sleep \(number + 1); cp $< $@", local = True)

            """
        }
      }
      defer {
        for (name, original) in originals {
          // The next test's failure would tell.
          try? workspace.write("services/\(name)/BUILD.bazel", original)
        }
      }
      // The store then has their layers, and each load is short.
      let build = ["build", "--output", "json", "--load", store]
      let first = try await workspace.run(build + names.map { "//services/\($0):image" })
      #expect(first.exit == 0, "\(first.errors)")
      let run = try await workspace.run(build + names.map { "//services/\($0):slow" })
      #expect(run.exit == 0)
      #expect(run.events.filter { $0.type == "build" }.count == 1)
      // By the order of events alone: a load has ended before another image is even built.
      let loaded = try #require(run.events.first { $0.runtime != nil })
      let last = try #require(run.events.last { $0.status == "built" })
      #expect(loaded.seq < last.seq)
      #expect(run.images("built").count == 3)
    }

    @Test func `ten cycles have one command line, and a terminal's build disturbs none`()
      async throws
    {
      let dev = try workspace.start(["dev", "cart", "--output", "json", "--load", store])
      try await dev.wait(for: "ready") { $0.type == "ready" }
      var last = dev.last
      var original = ""
      try storefront.edit("services/cart/src/cart.routes") { original = $0 }
      defer {
        // The next test's failure would tell.
        try? workspace.write("services/cart/src/cart.routes", original)
      }
      for number in 1...10 {
        if number == 5 { try workspace.terminal("build", "//services/cart:image") }
        try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/\(number) n\n" }
        let cycle = try await dev.cycle(after: last)
        #expect(cycle.status == "ok")
        last = cycle.seq
      }
      #expect(Set(dev.events.compactMap(\.command)).count == 1)
      #expect(!dev.events.contains { $0.type == "cacheDiscarded" })

      // Another hand with other options is named, with what it cost.
      try workspace.terminal("build", "-c", "opt", "//services/cart:image")
      try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/opt o\n" }
      var cycle = try await dev.cycle(after: last)
      let discarded = dev.events.last { $0.type == "cacheDiscarded" }
      #expect(discarded?.option == "--compilation_mode")
      #expect(
        discarded?.cause
          == "bazel build -c opt //services/cart:image in \(storefront.root)")
      #expect(cycle.cacheCostMs != nil)
      last = cycle.seq

      // So is a server that is gone.
      try workspace.terminal("shutdown")
      try storefront.edit("services/cart/src/cart.routes") { $0 += "GET /cart/new n\n" }
      cycle = try await dev.cycle(after: last)
      #expect(cycle.ok == 1)
      #expect(dev.events.last { $0.type == "cacheDiscarded" }?.option == "server")
      #expect(try await dev.interrupt() == 130)

      let table = try await workspace.run(["profile"])
      #expect(table.exit == 0)
      let lines = table.output.split(separator: "\n").map { $0.split(separator: " ") }
      #expect(lines.first?.count == 11)
      let execution = try #require(lines.first { $0.first == "execution" })
      #expect(execution.dropFirst().compactMap { Int($0) }.allSatisfy { $0 > 0 })
    }

    @Test func `a mistake in a BUILD file is told once, and mended`() async throws {
      var original = ""
      try storefront.edit("services/web/BUILD.bazel") { original = $0 }
      let dev = try workspace.start(["dev", "--output", "json", "--load", store])
      try await dev.wait(for: "ready") { $0.type == "ready" }
      var start = dev.last
      try storefront.edit("services/web/BUILD.bazel") { $0 += "image(\n" }
      let broken = try await dev.cycle(after: start)
      try workspace.write("services/web/BUILD.bazel", original)
      #expect(broken.failed == 1)
      let told = dev.events.filter { $0.seq > start && $0.type == "diagnostic" }
      #expect(told.count == 1)
      #expect(told.first?.file == "services/web/BUILD.bazel")
      start = broken.seq
      #expect(try await dev.cycle(after: start).status == "ok")
      #expect(try await dev.interrupt() == 130)
    }

    @Test(arguments: [0, 250])
    func `two interrupts end it at once, and Bazel's command with it`(apartMs: Int) async throws {
      let pidFile = workspace.home.appending("builder-\(apartMs).pid")
      try workspace.write(
        "hold/BUILD",
        """
        genrule(
            name = "image", outs = ["image.tar"], local = True,
            cmd = "echo $$$$ > \(pidFile).new; mv \(pidFile).new \(pidFile); sleep 600")
        """)
      defer { workspace.remove("hold/BUILD") }
      let process = try workspace.start(
        ["build", "//hold:image", "--load", "none", "--output", "json"])
      let builder = try #require(try await number(in: pidFile))
      process.signal(SIGINT)
      try await ContinuousClock().pause(for: .milliseconds(apartMs))
      process.signal(SIGINT)
      #expect(try await process.exit(seconds: 5) == 130)
      // Nobody waits for the client any more, and it ends its command all the same.
      for _ in 0..<1000 where kill(builder, 0) == 0 {
        try await ContinuousClock().pause(for: .milliseconds(10))
      }
      #expect(kill(builder, 0) != 0)
      try workspace.terminal("info", "release")
    }

    @Test func `a cycle's profile is a table, an object and a trace`() async throws {
      try await storefront.editing("services/cart/src/cart.routes") {
        $0 += "GET /cart/profile p\n"
      } _: {
        let run = try await workspace.run(["build", "cart", "--load", store])
        #expect(run.exit == 0, "\(run.errors)")
      }
      struct Answer: Decodable {
        struct Phases: Decodable { var executionMs: Int }
        struct Cycle: Decodable {
          var cycle: Int
          var images: [String]
          var phases: Phases
        }
        var cycles: [Cycle]
      }
      let trace = workspace.home.appending("trace.json")
      let json = try await workspace.run(["profile", "1", "--json", "--trace", "\(trace)"])
      #expect(json.exit == 0)
      let answer = try JSONDecoder().decode(Answer.self, from: Data(json.output.utf8))
      #expect(answer.cycles.map(\.images) == [["cart"]])
      #expect(answer.cycles.first?.phases.executionMs ?? 0 > 0)

      struct Trace: Decodable {
        struct Entry: Decodable {
          var name: String
          var ts: Double?
          var dur: Double?
        }
        var traceEvents: [Entry]
      }
      let data = try Data(contentsOf: URL(fileURLWithPath: trace.string))
      let events = try JSONDecoder().decode(Trace.self, from: data).traceEvents
      let build = try #require(events.first { $0.name == "bazel build" })
      let artifacts = try #require(
        events.first { $0.name.lowercased().hasSuffix("build artifacts") })
      // Bazel's own events lie where its command ran.
      let start = try #require(build.ts)
      let end = start + (try #require(build.dur))
      let time = try #require(artifacts.ts)
      #expect(start < time)
      #expect(time < end)

      let missing = try await workspace.run(["profile", "99"])
      #expect(missing.exit == 2)
      #expect(missing.errors.contains("no profile of cycle 99; kept are 1"))
    }

    @Test func `cold and warm are measured only with consent`() async throws {
      let server = try await workspace.serverID()
      let refused = try await workspace.run(["profile", "--cold-warm"])
      #expect(refused.exit == 2)
      #expect(refused.errors.contains("pass --yes"))
      #expect(try await workspace.serverID() == server)

      struct Measured: Decodable {
        struct Phases: Decodable {
          var launchMs: Int
          var executionMs: Int
          var analysisMs: Int
        }
        var cold: Phases
        var warm: Phases
      }
      let run = try await workspace.run(["profile", "--cold-warm", "--yes", "--json"])
      #expect(run.exit == 0, "\(run.errors)")
      let measured = try JSONDecoder().decode(Measured.self, from: Data(run.output.utf8))
      #expect(measured.cold.launchMs > measured.warm.launchMs)
      // A newer Bazel analyses while it builds, and tells the two as one.
      let (cold, warm) = (measured.cold, measured.warm)
      #expect(cold.analysisMs + cold.executionMs > warm.analysisMs + warm.executionMs)
      #expect(try await workspace.serverID() != server)
      #expect(try workspace.leftovers() == "")
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
