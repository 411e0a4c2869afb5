import Basics
import Foundation
import Glibc
import TestSupport
import Testing

/// What could not be done when it was saved, and is done later without another save.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(LoopScene.files))
struct LoopTestsOwed {
  private let scene: LoopScene
  private var workspace: BazelWorkspace { scene.workspace }

  init() throws { scene = try LoopScene(#require(BazelServer.workspace)) }

  private func tagged(_ name: String, _ target: String) -> String {
    LoopScene.image(name, target: target, from: "[\"in.txt\"]", tags: "\"watchbuild\"")
  }

  @Test func `an image is found although Bazel's server was killed while it was asked for`()
    async throws
  {
    try workspace.write("found/in.txt", "1")
    try workspace.write("found/BUILD", tagged("found", "first"))
    defer { workspace.remove("found/BUILD") }
    let dev = try await scene.dev()
    let start = dev.last
    try scene.set("commands")
    // It takes a while to load, and the server is gone before it has been.
    try workspace.write(
      "found/slow.bzl",
      "def slow():\n    for a in range(3000):\n        for b in range(3000):\n            pass\n")
    try workspace.write(
      "found/BUILD",
      "load(\":slow.bzl\", \"slow\")\nslow()\n" + tagged("found", "first")
        + tagged("found-too", "second"))
    for _ in 0..<3000 where try commands().isEmpty {
      try await ContinuousClock().pause(for: .milliseconds(10))
    }
    try await ContinuousClock().pause(for: .milliseconds(250))
    if let server = try await workspace.serverID() { kill(server, SIGKILL) }
    try await dev.wait(for: "the new image", after: start, seconds: 120) {
      $0.target == "//found:second" && $0.status == "loaded"
    }
    #expect(try scene.content(of: "found-too") == "1")
    #expect(try await dev.interrupt() == 130)
  }

  private func commands() throws -> [Substring] {
    try String(contentsOfFile: "\(scene.home)/commands", encoding: .utf8)
      .split(separator: "\n")
  }

  @Test(.docker)
  func
    `an image that docker missed is loaded later, although a file of no image was saved meanwhile`()
    async throws
  {
    let docker = try await DockerDaemon()
    let result: Result<Void, any Error>
    do {
      try workspace.write(
        "missed/BUILD",
        scene.held("missed", from: "[\"in.txt\"]") + LoopScene.image("missed", from: "[\":held\"]"))
      try workspace.write("missed/in.txt", "1")
      try scene.set("missed.go")
      let dev = try await scene.dev("//missed:image", docker: docker.host)
      for file in ["go", "started"] { scene.unset("missed.\(file)") }
      let start = dev.last
      try workspace.write("missed/in.txt", "2")
      try await scene.reach("missed.started")
      try await docker.pause()
      try workspace.write("README.md", "for people\n")
      // It has been seen when the action ends.
      try await ContinuousClock().pause(for: .milliseconds(700))
      try scene.set("missed.go")
      let missed = try await dev.cycle(after: start)
      #expect(missed.failed == 1)
      try await docker.resume()
      try await dev.wait(for: "loaded image", after: missed.seq) { $0.status == "loaded" }
      #expect(try await dev.interrupt() == 130)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try await docker.stop()
    try result.get()
  }

  @Test(arguments: ["kept/BUILD", "watchbuild.yaml"])
  func
    `a new image that was saved during a build is found by the next, also where changes are ignored`(
      file: String
    ) async throws
  {
    let isConfiguration = file == "watchbuild.yaml"
    let name = isConfiguration ? "named" : "tagged"
    let first =
      scene.held("kept", from: "[\"in.txt\"]")
      + LoopScene.image(name, target: "first", from: "[\":held\"]", tags: "\"watchbuild\"")
    let second = tagged("\(name)-too", "second")
    let named = "images:\n  - { name: first, target: //kept:first }\n"
    try workspace.write("kept/in.txt", "1")
    try workspace.write("kept/BUILD", isConfiguration ? first + second : first)
    if isConfiguration { try workspace.write("watchbuild.yaml", named) }
    defer {
      workspace.remove("kept/BUILD")
      workspace.remove("watchbuild.yaml")
    }
    try scene.set("kept.go")
    let dev = try await scene.dev("--on-busy-update", "ignore")
    for file in ["go", "started"] { scene.unset("kept.\(file)") }
    let start = dev.last
    try workspace.write("kept/in.txt", "2")
    try await scene.reach("kept.started")
    try workspace.write(
      file,
      isConfiguration
        ? named + "  - { name: second, target: //kept:second }\n" : first + second)
    // It has been seen, and is ignored, when the action ends.
    try await ContinuousClock().pause(for: .milliseconds(700))
    try scene.set("kept.go")
    let cycle = try await dev.cycle(after: start)
    try workspace.write("kept/in.txt", "3")
    try await dev.wait(for: "the new image", after: cycle.seq, seconds: 60) {
      $0.target == "//kept:second" && $0.status == "loaded"
    }
    let held = try await scene.settled("\(name)-too", "3")
    #expect(held == "3")
    #expect(try await dev.interrupt() == 130)
  }
}
