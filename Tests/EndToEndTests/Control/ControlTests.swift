import Basics
import Foundation
import Glibc
import Session
import SystemPackage
import TestSupport
import Testing

/// Commands that speak to a running `dev`, and what becomes of it.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(LoopScene.files))
struct ControlTests {
  private let scene: ControlScene

  init() throws { scene = try ControlScene(#require(BazelServer.workspace)) }

  private struct Status: Decodable {
    struct Image: Decodable {
      struct Owed: Decodable {
        var reason: String
        var path: String?
      }
      var name: String
      var current: Bool
      var owed: Owed?
    }
    var state: String
    var pid: Int32
    var paused: Bool
    var owed: [String]
    var images: [Image]
    var waitingChanges: Int
  }

  private func status() async throws -> Status {
    let run = try await scene.run("status", "--json")
    #expect(run.exit == 0)
    return try JSONDecoder().decode(Status.self, from: Data(run.output.utf8))
  }

  @Test
  func `a save is waited for, a failure told with its place, and what no image is made of at once`()
    async throws
  {
    let dev = try await scene.dev()
    try scene.save("1")
    let ok = try await scene.run("wait", "--change", "w/in.txt", "--json")
    #expect(ok.exit == 0)
    #expect(ok.output.contains(#""verdict":"ok""#))
    #expect(try scene.loop.content(of: "w") == "1")

    try scene.save("BROKEN")
    let failed = try await scene.run("wait", "--change", "w/in.txt")
    #expect(failed.exit == 1)
    #expect(failed.errors.contains("w/in.txt:1:1: error: it is broken [w]"))
    #expect(
      failed.output.hasSuffix(
        "failed (cycle \(dev.events.last { $0.type == "cycle" }?.cycle ?? 0))\n"))
    let broken = try await status()
    #expect(broken.images.map(\.owed?.reason) == ["failed"])

    let names = try await scene.run(
      "---completion", "trigger", "--", "positional@0", "2", "0", "watchbuild", "trigger", "")
    #expect(names.output == "w\n")

    try scene.workspace.write("README.md", "for people")
    let unaffected = try await scene.run("wait", "--change", "README.md", "--json")
    #expect(unaffected.exit == 0)
    #expect(unaffected.output.contains(#""verdict":"unaffected""#))
    let misspelt = try await scene.run("wait", "--change", "w/inn.txt")
    #expect(misspelt.exit == 2)
    #expect(misspelt.errors.contains("no such file: \(scene.workspace.root)/w/inn.txt"))

    let start = dev.last
    try scene.save("2")
    #expect(try await scene.run("wait").exit == 0)
    // It is answered once the image is there, a moment before the cycle's end.
    _ = try await dev.cycle(after: start)
    let well = try await status()
    #expect(well.state == "idle")
    #expect(well.pid == dev.id)
    #expect(well.owed.isEmpty)
    #expect(try await dev.interrupt() == 130)
    let nobody = try await scene.run("wait")
    #expect(nobody.exit == 5)
    #expect(nobody.errors.contains("no watchbuild dev runs for \(scene.workspace.root)"))
  }

  @Test func `a file that is deleted is waited for`() async throws {
    try scene.workspace.write("w/more.txt", "more")
    let dev = try await scene.dev()
    #expect(try scene.loop.content(of: "w") == "0more")
    scene.workspace.remove("w/more.txt")
    for _ in 0..<2 {
      #expect(try await scene.run("wait", "--change", "w/more.txt").exit == 0)
      #expect(try scene.loop.content(of: "w") == "0")
    }
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a hundred wait at once`() async throws {
    let dev = try await scene.dev()
    try scene.save("100")
    let scene = scene
    let answers = try await withThrowingTaskGroup { group in
      for _ in 0..<100 { group.addTask { try await scene.wait() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 100)
    #expect(answers.allSatisfy { $0.verdict == "ok" })
    for answer in answers { #expect(try scene.content(in: answer.index) == "100") }
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a git command that is at work is waited for`() async throws {
    let dev = try await scene.dev()
    try scene.workspace.write(".git/index.lock", "")
    try scene.save("half")
    let waiting = try scene.start("wait", "--change", "w/in.txt")
    try await ContinuousClock().pause(for: .milliseconds(400))
    #expect(waiting.isRunning)
    try scene.save("whole")
    scene.workspace.remove(".git/index.lock")
    #expect(try await waiting.exit() == 0)
    #expect(try scene.loop.content(of: "w") == "whole")
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `by polling a wait has a look taken`() async throws {
    let dev = try await scene.dev("--trigger", "poll", "--poll-interval", "1m")
    try scene.save("polled")
    #expect(try await scene.run("wait", "--change", "w/in.txt").exit == 0)
    #expect(try scene.loop.content(of: "w") == "polled")
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `builds are held while it is paused, and a timeout ends a wait`() async throws {
    let dev = try await scene.dev()
    #expect(try await scene.run("pause").exit == 0)
    let start = dev.last
    try scene.save("held")
    let late = try await scene.run("wait", "--change", "w/in.txt", "--timeout", "300ms")
    #expect(late.exit == 124)
    let paused = try await status()
    #expect(paused.state == "paused")
    #expect(paused.images.map(\.owed?.path) == ["w/in.txt"])
    #expect(!dev.events.contains { $0.seq > start && $0.type == "build" })

    #expect(try await scene.run("trigger", "--wait").exit == 0)
    #expect(try scene.loop.content(of: "w") == "held")
    try scene.save("again")
    #expect(try await scene.run("wait", "--timeout", "200ms").exit == 124)
    #expect(try await scene.run("resume").exit == 0)
    #expect(try await scene.run("wait").exit == 0)
    #expect(try scene.loop.content(of: "w") == "again")
    #expect(dev.events.filter { ["paused", "resumed"].contains($0.type) }.count == 2)
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `with the manual trigger nothing is built unasked`() async throws {
    let dev = try await scene.dev("--trigger", "manual")
    try scene.save("manual")
    #expect(try await scene.run("wait", "--timeout", "300ms").exit == 124)
    #expect(!dev.events.contains { $0.type == "build" })
    let named = try await scene.run("trigger", "w", "--wait", "--json")
    #expect(named.exit == 0)
    #expect(try scene.loop.content(of: "w") == "manual")
    let unknown = try await scene.run("trigger", "nobody")
    #expect(unknown.exit == 2)
    #expect(unknown.errors.contains("no image is named 'nobody'; there are: w"))
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `what happens is followed from where a reader left off`() async throws {
    let dev = try await scene.dev()
    let all = try await scene.run("events")
    #expect(all.exit == 0)
    #expect(all.events.map(\.seq) == dev.events.map(\.seq))
    let follower = try scene.start("events", "--follow", "--since", "\(dev.last - 1)")
    try await follower.wait(for: "the last event") { $0.seq == dev.last }
    try scene.save("followed")
    try await follower.wait(for: "its cycle") { $0.type == "cycle" && $0.seq > 2 }
    #expect(try await dev.interrupt() == 130)
    _ = try await follower.exit(seconds: 10)
    #expect(follower.events.contains { $0.type == "stopping" })
  }

  // MARK: Ends

  @Test func `stop is as clean as Ctrl-C, also in the middle of a build, and tells who waits`()
    async throws
  {
    try scene.workspace.write(
      "slow/BUILD",
      scene.loop.held("slow", from: "[\"in.txt\"]")
        + LoopScene.image("slow", from: "[\":held\"]", tags: "\"watchbuild\""))
    try scene.workspace.write("slow/in.txt", "1")
    defer { scene.workspace.remove("slow/BUILD") }
    try scene.loop.set("slow.go")
    let dev = try await scene.dev()
    for file in ["go", "started"] { scene.loop.unset("slow.\(file)") }
    try scene.workspace.write("slow/in.txt", "2")
    try await scene.loop.reach("slow.started")
    let waiting = try scene.start("wait", "--change", "slow/in.txt", "--json")
    try await ContinuousClock().pause(for: .milliseconds(300))
    #expect(waiting.isRunning)
    #expect(try await scene.run("stop").exit == 0)
    #expect(try await dev.exit(seconds: 5) == 0)
    #expect(try await waiting.exit(seconds: 5) == 5)
    #expect(waiting.output.contains(#""verdict":"stopping""#))
    #expect(try scene.workspace.leftovers() == "")
    #expect(access("\(try scene.place.path)", F_OK) != 0)
    // Bazel's lock is free.
    try scene.workspace.terminal("--noblock_for_lock", "info", "release")
  }

  @Test func `who waits for a dev that is killed is told, and the next takes its socket over`()
    async throws
  {
    let killed = try await scene.dev()
    #expect(try await scene.run("pause").exit == 0)
    try scene.save("killed")
    let waiting = try scene.start("wait")
    try await ContinuousClock().pause(for: .milliseconds(300))
    killed.signal(SIGKILL)
    #expect(try await waiting.exit(seconds: 10) == 5)
    #expect(waiting.errors.contains("the dev ended before it answered"))
    #expect(try await scene.run("status").exit == 5)

    let next = try await scene.dev()
    #expect(try await scene.run("wait").exit == 0)
    #expect(try scene.loop.content(of: "w") == "killed")
    #expect(try await next.interrupt() == 130)
  }

  @Test func `a second dev with a state directory of its own finds the first by its socket`()
    async throws
  {
    let first = try await scene.dev("--postpone")
    let run = try await scene.workspace.run(
      ["dev", "--output", "plain"],
      environment: [
        "XDG_RUNTIME_DIR": "\(scene.loop.home)/run", "XDG_STATE_HOME": "\(scene.loop.home)/other",
      ])
    #expect(run.exit == 5)
    #expect(run.errors.contains("pid \(first.id)"))
    #expect(try await scene.run("status").exit == 0)
    #expect(try await first.interrupt() == 130)
  }

  @Test
  func `a client with another runtime directory finds it, and a build beside it says that it runs`()
    async throws
  {
    let dev = try await scene.dev()
    let elsewhere = ["XDG_RUNTIME_DIR": "/nowhere"]
    #expect(try await scene.workspace.run(["status"], environment: elsewhere).exit == 0)
    let build = try await scene.workspace.run(
      ["build", "--load", "none", "--output", "plain"], environment: elsewhere)
    #expect(build.exit == 0)
    #expect(build.errors.contains("watchbuild dev runs for this workspace (pid \(dev.id))"))
    #expect(try await dev.interrupt() == 130)
    #expect(try await scene.workspace.run(["status"], environment: elsewhere).exit == 5)
    let alone = try await scene.workspace.run(
      ["build", "--load", "none", "--output", "plain"], environment: elsewhere)
    #expect(!alone.errors.contains("runs for this workspace"))
  }

  // MARK: Another user

  /// What a user that nobody is hears from the socket.
  private func strangersAnswer(at place: ControlPlace) throws -> String {
    // perl is on every Debian, and may be run by anybody.
    let script = #"""
      use IO::Socket::UNIX;
      $SIG{PIPE} = "IGNORE";
      my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or print("$!\n"), exit;
      print $socket "GET /v1/status HTTP/1.1\r\nHost: watchbuild\r\n\r\n"; $socket->flush;
      print "answer: ", readline($socket), "\n";
      """#
    return try Tool.run(
      "setpriv",
      [
        "--reuid=4242", "--regid=4242", "--clear-groups", "/usr/bin/perl", "-e", script,
        "\(place.path)",
      ])
  }

  @Test(.enabled(if: geteuid() == 0, "needs root"))
  func `another user is not served, also where somebody has opened the modes`() async throws {
    let dev = try await scene.dev()
    let place = try scene.place
    let modes = try Tool.run("stat", ["-c", "%a", place.directory.string, place.path.string])
    #expect(modes == "700\n600\n")
    #expect(try strangersAnswer(at: place) == "Permission denied\n")

    try Tool.run("chmod", ["666", place.path.string])
    var directory = place.directory
    while directory.length > 1, directory.string != "/tmp" {
      try Tool.run("chmod", ["o+x", directory.string])
      directory.removeLastComponent()
    }
    #expect(try strangersAnswer(at: place) == "answer: \n")
    // Whose dev it is has not been kept from it.
    #expect(try await status().pid == dev.id)
    #expect(try await dev.interrupt() == 130)
  }
}
