import Basics
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

extension EndToEndEvents {
  /// What a broken library and a broken BUILD file come to: events in their cycle, snippets, kept output.
  @Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .storefront)
  struct BrokenBuildTests {
    private let storefront: Storefront

    init() throws { storefront = try #require(StorefrontScope.storefront) }

    private var workspace: BazelWorkspace { storefront.workspace }

    /// Lets `dev` build all images once, with the events in a file.
    private func dev(
      _ file: String, _ arguments: String...
    ) async throws -> (
      lines: [String], events: EventLines
    ) {
      try Tool.run("mkdir", ["-p", storefront.state.string])
      let path = "\(storefront.state)/\(file)"
      let dev = try workspace.start(
        ["dev", "--load", "none", "--output", "plain", "--events", path] + arguments)
      try await EventLines.wait(for: "ready", in: path)
      #expect(try await dev.interrupt() == 130)
      return (dev.errors.split(separator: "\n").map(String.init), try EventLines(path))
    }

    @Test func `a broken library is one mistake that holds up all images`() async throws {
      try await storefront.editing("lib/src/health.routes") {
        $0 += "BROKEN\n"
      } _: {
        let (lines, events) = try await dev("library.jsonl")
        #expect(events.diagnosticsOutsideCycles == [])
        let mistake = try #require(
          events.first("diagnostic") { $0["file"] as? String == "lib/src/health.routes" })
        #expect(mistake["images"] as? [String] == Storefront.images)
        #expect(mistake["image"] == nil)
        // Whole, as the program printed it, and found again by image.
        let log = try #require(mistake["log"] as? String)
        let text = try String(contentsOfFile: log, encoding: .utf8)
        #expect(text.contains(#"expected "METHOD /path text", found "BROKEN""#))
        let failed = try #require(
          events.first("image") {
            $0["image"] as? String == "cart" && $0["status"] as? String == "failed"
          })
        #expect(failed["step"] as? String == "build")
        let own = try String(contentsOfFile: #require(failed["log"] as? String), encoding: .utf8)
        #expect(own.contains("lib/src/health.routes:4:1"))
        #expect(!own.contains("linux-sandbox.cc"))
        for arguments in [["logs"], ["logs", "cart"], ["logs", "cart", "--cycle", "1"]] {
          let logs = try await workspace.run(arguments)
          #expect(logs.exit == 0)
          #expect(logs.output.contains("lib/src/health.routes:4:1"), "\(arguments)")
        }
        // For people: the cause once, behind it who failed.
        #expect(lines.filter { $0.hasPrefix("lib/src/health.routes:4:1: error: ") }.count == 1)
        #expect(lines.filter { $0.hasPrefix("[1] ") && $0.contains(" failed: ") }.count == 1)
        let end = "[1] finished: 0 ok, 5 failed (cart, catalog, checkout, payments, web) in "
        #expect(lines.contains { $0.hasPrefix(end) })
      }
    }

    @Test func `a broken BUILD file is told in the cycle, of the image that it holds up`()
      async throws
    {
      try await storefront.editing("services/web/BUILD.bazel") {
        $0 += "image(\n"
      } _: {
        let (_, events) = try await dev(
          "file.jsonl", "//services/web:image", "//services/cart:image")
        #expect(events.diagnosticsOutsideCycles == [])
        let mistake = try #require(
          events.first("diagnostic") { ($0["file"] as? String) == "services/web/BUILD.bazel" })
        #expect(mistake["image"] as? String == "web")
        let cycle = try #require(events.first("cycle") { _ in true })
        #expect(cycle["failedImages"] as? [String] == ["web"])
        let logs = try await workspace.run(["logs", "web"])
        #expect(logs.exit == 0)
        #expect(logs.output.contains("services/web/BUILD.bazel:"))
      }
    }

    @Test func `a build without an index keeps what was printed of each image, too`()
      async throws
    {
      try await storefront.editing("lib/src/health.routes") {
        $0 += "BROKEN\n"
      } _: {
        let run = try await workspace.run(["build", "--load", "none", "--output", "plain"])
        #expect(run.exit == 1)
        let logs = try await workspace.run(["logs", "cart"])
        #expect(logs.output.contains(#"found "BROKEN""#))
      }
    }

    @Test func `what was never printed is an error that says what is kept`() async throws {
      let logs = try await workspace.run(["logs", "nobody"])
      #expect(logs.exit == 5)
      #expect(logs.errors.contains("nothing was printed of image 'nobody'"))
    }
  }

  /// `--events` beside people's lines.
  @Suite(.serialized, .bazel, .timeLimit(.minutes(10)), .bazelServer(BadImages.files))
  struct EventFileTests {
    private let workspace: BazelWorkspace

    init() throws { workspace = try #require(BazelServer.workspace) }

    private func dev(
      _ events: String, under script: String? = nil, output: String = "json"
    ) throws -> WatchbuildProcess {
      try workspace.start(
        ["dev", "--output", output, "--load", "none", "--events", events, "//tars:good"],
        under: script)
    }

    private func save(_ text: String) throws { try workspace.write("tars/salt.txt", text) }

    @Test func `a reader that never reads delays neither the loop nor Ctrl-C`() async throws {
      let dev = try dev(
        "fd:3",
        under: """
          mkfifo '\(workspace.root)/../full'
          exec 3<>'\(workspace.root)/../full'
          rm '\(workspace.root)/../full'
          head -c 65536 /dev/zero >&3
          exec "$@"
          """)
      try await dev.wait(for: "ready") { $0.type == "ready" }
      let last = dev.last
      try save("never")
      defer { workspace.remove("tars/salt.txt") }
      #expect(try await dev.cycle(after: last).ok == 1)
      let start = ContinuousClock.now
      dev.signal(SIGINT)
      #expect(try await dev.exit(seconds: 20) == 130)
      // The reader never reads: waiting for it would have no end. What is over sooner is no wait for it.
      #expect(start.duration(to: .now) < .seconds(10))
      #expect(try workspace.leftovers() == "")
    }

    @Test func `a reader that dies is told once, and the run goes on`() async throws {
      // The pipe's reader ends after one line; watchbuild itself stays in front, for signals.
      let dev = try dev(
        "fd:3",
        under: """
          mkfifo '\(workspace.root)/../dying'
          head -n 1 '\(workspace.root)/../dying' >/dev/null &
          exec 3>'\(workspace.root)/../dying'
          exec "$@"
          """)
      defer { workspace.remove("../dying") }
      try await dev.wait(for: "word of the reader's death") {
        $0.type == "degraded" && $0.reason?.hasPrefix("--events: no more goes to fd:3") == true
      }
      try await dev.wait(for: "ready") { $0.type == "ready" }
      let last = dev.last
      try save("dead")
      defer { workspace.remove("tars/salt.txt") }
      #expect(try await dev.cycle(after: last).ok == 1)
      #expect(dev.events.count { $0.reason?.hasPrefix("--events: ") == true } == 1)
      #expect(try await dev.interrupt() == 130)
    }

    @Test func `a file in the workspace is no change of it`() async throws {
      let file = "\(workspace.root)/tars/events.jsonl"
      let dev = try dev("tars/events.jsonl", output: "plain")
      defer { workspace.remove("tars/events.jsonl") }
      try await EventLines.wait(for: "ready", in: file)
      try save("file")
      defer { workspace.remove("tars/salt.txt") }
      try await EventLines.wait(for: "cycle", count: 2, in: file)
      #expect(try await dev.interrupt() == 130)
      let events = try EventLines(file)
      #expect(events.all.count { $0["type"] as? String == "unaffected" } == 0)
      let batches = events.all.filter { $0["type"] as? String == "batch" }
      #expect(batches.count == 2, "\(batches)")
      #expect(events.all.map { $0["seq"] as? Int } == (1...events.all.count).map { $0 })
      #expect(dev.errors.contains("[2] finished: 1 ok, 0 failed in "))
    }

    @Test(arguments: [
      (["--events", "fd:77"], "--events fd:77: no such descriptor is open"),
      (["--events", "/nowhere/events"], "--events: can't write to /nowhere/events"),
      (["--events", "fd:1", "--output", "json"], "standard output is taken by --output json"),
      (["--events", "fd:x"], "'fd:x' is no descriptor"),
    ])
    func `where nothing can be written is a mistake`(
      arguments: [String], error: String
    ) async throws {
      let run = try await workspace.run(["build", "--load", "none"] + arguments)
      #expect(run.exit == 2)
      #expect(run.errors.contains(error))
    }
  }
}

enum EndToEndEvents {}

/// The lines of a file of events, each of which the schema has to allow.
struct EventLines {
  let all: [[String: Any]]

  init(_ path: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let schema = JSONSchema(
      root: try .parse(
        Data(
          contentsOf: WatchbuildProcess.packageDirectory.appending(path: "docs/events.schema.json"))
      ))
    for line in text.split(separator: "\n") {
      let errors = try schema.errors(in: .parse(line.utf8))
      #expect(errors == [], "\(line)")
    }
    all = try text.split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  func first(_ type: String, where matches: ([String: Any]) -> Bool) -> [String: Any]? {
    all.first { $0["type"] as? String == type && matches($0) }
  }

  /// Numbers of diagnostics that stand before their cycle's `batch` or behind its `cycle`.
  var diagnosticsOutsideCycles: [Int] {
    var open: Int?
    return all.compactMap { event in
      let cycle = event["cycle"] as? Int
      switch event["type"] as? String {
      case "batch": open = cycle
      case "cycle": open = nil
      case "diagnostic": return open == nil || open != cycle ? event["seq"] as? Int : nil
      default: break
      }
      return nil
    }
  }

  /// Waits until so many events of a type stand in a file.
  static func wait(for type: String, count: Int = 1, in path: String) async throws {
    for _ in 0..<12_000 {
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      if text.split(separator: "\n").count(where: { $0.contains("\"type\":\"\(type)\"") }) >= count
      {
        return
      }
      // A real process is waited for: there is no clock to move.
      try await ContinuousClock().pause(for: .milliseconds(20))
    }
    Issue.record("no \(type) in \(path)")
  }
}
