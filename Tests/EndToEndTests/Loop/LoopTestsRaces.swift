import TestSupport
import Testing

/// What is saved while Bazel is at work.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel, .bazelServer(LoopScene.files))
struct LoopTestsRaces {
  private let scene: LoopScene
  private var workspace: BazelWorkspace { scene.workspace }

  init() throws { scene = try LoopScene(#require(BazelServer.workspace)) }

  /// Bazel takes an input's digest before its action runs, and files what the action made under it.
  @Test(arguments: ["restart", "queue"])
  func `the same content again, saved after an action has seen another, is what the image holds`(
    policy: String
  ) async throws {
    let name = "same-\(policy)"
    try workspace.write(
      "\(name)/BUILD",
      scene.held(name, from: "[\"in.txt\"]") + LoopScene.image(name, from: "[\":held\"]"))
    try workspace.write("\(name)/in.txt", "start")
    try scene.set("\(name).go")
    let dev = try await scene.dev("//\(name):image", "--on-busy-update", policy)
    for file in ["go", "started", "ended"] { scene.unset("\(name).\(file)") }
    let start = dev.last
    try workspace.write("\(name)/in.txt", "X")
    try await scene.reach("\(name).started")
    try await scene.inOneBatch {
      try workspace.write("\(name)/in.txt", "Y")
      try scene.set("\(name).go")
      try await scene.reach("\(name).ended")
      try workspace.write("\(name)/in.txt", "X")
    }
    _ = try await dev.cycle(after: start)
    let held = try await scene.settled(name, "X")
    #expect(held == "X")
    #expect(try await dev.interrupt() == 130)
  }

  @Test func `a file that a build has packed and that then goes does not stay in the image`()
    async throws
  {
    try workspace.write("temp/BUILD", LoopScene.image("temp", from: "glob([\"data/**\"])"))
    try workspace.write("temp/data/a.txt", "1")
    let dev = try await scene.dev("//temp:image")
    let start = dev.last
    // Bazel looks at the directory only when it may go on.
    try scene.set("hold")
    try workspace.write("temp/data/a.txt", "2")
    try await dev.wait(for: "build", after: start) { $0.type == "build" }
    try await scene.inOneBatch {
      try workspace.write("temp/data/b.txt~", "swap")
      scene.unset("hold")
      _ = try await dev.cycle(after: start)
      workspace.remove("temp/data/b.txt~")
    }
    let held = try await scene.settled("temp", "2")
    #expect(
      held == "2", "\(dev.events.suffix(20).map { "\($0.type) \($0.changes?.map(\.path) ?? [])" })")
    #expect(try await dev.interrupt() == 130)
  }
}
