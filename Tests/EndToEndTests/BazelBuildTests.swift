import Basics
import Bazel
import Glibc
import Graph
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazelInEveryWay,
  .bazelServer([
    "a/in.txt": "one",
    "a/bad.txt": "bad",
    "a/BUILD": """
    genrule(name = "t1", srcs = ["in.txt"], outs = ["t1.tar"], cmd = "cat $(SRCS) > $@")
    genrule(name = "t2", srcs = ["in.txt"], outs = ["t 2.tar"], cmd = "cat $(SRCS) > '$@'")
    genrule(name = "t3", srcs = [":t1"], outs = ["t3.tar"], cmd = "cat $(SRCS) > $@")
    genrule(
        name = "bad", srcs = ["bad.txt"], outs = ["bad.tar"],
        cmd = "echo 'a/bad.txt:7:13: error: expected expression' >&2; exit 7")
    genrule(name = "held_up", srcs = [":bad"], outs = ["held.tar"], cmd = "cat $(SRCS) > $@")
    genrule(
        name = "slow", srcs = ["in.txt"], outs = ["slow.tar"],
        cmd = "sleep 3; cat $(SRCS) > $@")
    genrule(
        name = "endless", srcs = ["in.txt"], outs = ["endless.tar"],
        cmd = "sleep 600; cat $(SRCS) > $@")
    """,
    "broken/BUILD": "genrule(name=\"x\", srcs=[\"y\" outs=[\"z\"])\n",
  ]))
struct BazelBuildTests {
  private let workspace: BazelWorkspace
  private let bazel: Bazel
  private let updates = BuildUpdates()

  init() throws {
    workspace = try #require(BazelServer.workspace)
    bazel = try workspace.bazel()
  }

  /// A build that ended so, with nothing else to tell but its server.
  private func ended(_ exitCode: Int32, like other: BuildResult) -> BuildResult {
    var result = BuildResult(exitCode: exitCode)
    result.server = other.server
    return result
  }

  @Test func `four of five targets are built and the fifth is blamed`() async throws {
    let targets = try labels("//a:t1", "//a:t2", "//a:t3", "//a:bad", "//a:held_up")
    let result = try await bazel.build(BuildRequest(targets: targets), update: updates.add)
    #expect(result == ended(1, like: result))
    let outcomes = updates.outcomes
    #expect(outcomes.map(\.0).sorted() == targets.sorted())
    let bad = try #require(Label("//a:bad"))
    let failure = TargetOutcome.failed(
      message: "Genrule of //a:bad failed with exit code 7", causes: [bad])
    #expect(updates.outcome("//a:bad") == failure)
    #expect(updates.outcome("//a:held_up") == failure)
    #expect(content(of: "//a:t2") == "one")
    #expect(content(of: "//a:t3") == "one")
    let diagnostics = updates.diagnostics
    #expect(
      diagnostics.first
        == Diagnostic(
          target: bad, file: "a/bad.txt", line: 7, column: 13, severity: .error,
          message: "expected expression"))
    #expect(
      diagnostics.dropFirst().map(\.message) == ["Executing genrule //a:bad failed: (Exit 7)"])
    #expect(diagnostics.last?.file == "a/BUILD")
    #expect(diagnostics.last?.target == bad)
  }

  @Test func `an edit is built and an unchanged target is reported again`() async throws {
    let request = BuildRequest(targets: try labels("//a:t1"))
    for text in ["two", "two", "one"] {
      try workspace.write("a/in.txt", text)
      updates.clear()
      let result = try await bazel.build(request, update: updates.add)
      #expect(result.exitCode == 0)
      #expect(content(of: "//a:t1") == text)
    }
  }

  @Test func `a broken BUILD file and a missing label fail alone`() async throws {
    let targets = try labels("//a:t1", "//broken:x", "//a:nope", "//nope:x")
    let result = try await bazel.build(BuildRequest(targets: targets), update: updates.add)
    #expect(result == ended(1, like: result))
    #expect(content(of: "//a:t1") == "one")
    #expect(message(of: "//a:nope").hasPrefix("no such target '//a:nope'"))
    #expect(message(of: "//nope:x").hasPrefix("no such package 'nope'"))
    #expect(message(of: "//broken:x").contains("broken"))
    let diagnostic = try #require(updates.diagnostics.first)
    #expect(diagnostic.file == "broken/BUILD")
    #expect(diagnostic.line == 1)
    #expect(diagnostic.message.hasPrefix("syntax error at 'outs'"))
  }

  @Test func `a target is reported while others are still being built`() async throws {
    try workspace.write("a/in.txt", "one and \(getpid())")
    _ = try await bazel.build(
      BuildRequest(targets: try labels("//a:slow", "//a:t1")), update: updates.add)
    #expect(updates.outcomes.map(\.0.name) == ["t1", "slow"])
    try workspace.write("a/in.txt", "one")
  }

  @Test func `a cancelled build leaves the server ready and the lock free`() async throws {
    _ = try await bazel.build(
      BuildRequest(targets: try labels("//a:t1")), update: { _ in })
    let server = try await workspace.serverID()
    #expect(server != nil)
    let request = BuildRequest(targets: try labels("//a:endless", "//a:t1"))
    let build = Task { try await bazel.build(request, update: updates.add) }
    await updates.reach { $0.outcome("//a:t1") != nil }
    build.cancel()
    // It sleeps for ten minutes if nobody ends it.
    await #expect(throws: CancellationError.self) { try await build.value }
    #expect(updates.outcome("//a:endless") == .skipped(reason: "interrupted"))
    #expect(content(of: "//a:t1") == "one")
    updates.clear()
    // It would end with exit code 9 if the cancelled command still held the lock.
    let next = try await bazel.build(
      BuildRequest(targets: try labels("//a:t1"), waitsForLock: false), update: updates.add)
    #expect(next == ended(0, like: next))
    #expect(updates.progress.contains { $0.contains("0 targets configured") })
    #expect(try await workspace.serverID() == server)
  }

  @Test func `waiting for the lock names who holds it`() async throws {
    let foreign = BuildUpdates()
    let holder = Task {
      try await bazel.build(
        BuildRequest(targets: try labels("//a:endless", "//a:t1")), update: foreign.add)
    }
    await foreign.reach { $0.outcome("//a:t1") != nil }
    // Another event file, as another process would have.
    var ours = bazel
    ours.scratch = PrivateDirectory(bazel.workspace)
    let waiting = Task { [ours] in
      try await ours.build(BuildRequest(targets: try labels("//a:t1")), update: updates.add)
    }
    await updates.reach { $0.locks.count >= 2 }
    let refused = try await ours.build(
      BuildRequest(targets: try labels("//a:t1"), waitsForLock: false), update: { _ in })
    #expect(refused.exitCode == 9)
    #expect(refused.problem?.contains("//a:endless") == true)
    holder.cancel()
    let result = try await waiting.value
    #expect(result.exitCode == 0)
    #expect(result.lockWaited > .milliseconds(900))
    let command = try #require(updates.locks.first??.command)
    #expect(command.contains("//a:endless"))
    await #expect(throws: CancellationError.self) { try await holder.value }
  }

  @Test func `a broken file at the workspace's root fails every target and mends`() async throws {
    let request = BuildRequest(targets: try labels("//a:t1", "//a:t2"))
    try workspace.write(workspace.marker, "x = (")
    let result = try await bazel.build(request, update: updates.add)
    try workspace.write(workspace.marker, "")
    #expect(result.exitCode != 0)
    #expect(updates.diagnostics.map(\.file) == [workspace.marker])
    #expect(message(of: "//a:t1").contains(workspace.marker))
    #expect(message(of: "//a:t2").contains(workspace.marker))
    updates.clear()
    #expect(try await bazel.build(request, update: updates.add).exitCode == 0)
    #expect(content(of: "//a:t1") == "one")
  }

  @Test func `a cancelled query ends at once and frees the lock`() async throws {
    let foreign = BuildUpdates()
    let holder = Task {
      try await bazel.build(
        BuildRequest(targets: try labels("//a:endless", "//a:t1")), update: foreign.add)
    }
    await foreign.reach { $0.outcome("//a:t1") != nil }
    let query = Task {
      try await bazel.query(try labels("//a:t1"), update: updates.add) { _ in }
    }
    await updates.reach { !$0.locks.isEmpty }
    query.cancel()
    await #expect(throws: CancellationError.self) { try await query.value }
    holder.cancel()
    await #expect(throws: CancellationError.self) { try await holder.value }
    _ = try await bazel.query(try labels("//a:t1"), waitsForLock: false) { _ in }
  }

  @Test func `an option that discards the cache is named`() async throws {
    let targets = try labels("//a:t1")
    _ = try await bazel.build(BuildRequest(targets: targets), update: { _ in })
    _ = try await bazel.build(
      BuildRequest(targets: targets, options: ["--define=a=b"]), update: updates.add)
    #expect(updates.discarded == ["--define"])
  }

  @Test func `an option that Bazel does not know is the problem`() async throws {
    let result = try await bazel.build(
      BuildRequest(targets: try labels("//a:t1"), options: ["--nonsense"]), update: updates.add)
    #expect(result.exitCode == 2)
    #expect(result.problem?.contains("--nonsense") == true)
    #expect(message(of: "//a:t1").contains("--nonsense"))
  }

  @Test func `a killed server is a problem and the next build starts another`() async throws {
    let request = BuildRequest(targets: try labels("//a:endless", "//a:t1"))
    let build = Task { try await bazel.build(request, update: updates.add) }
    await updates.reach { $0.outcome("//a:t1") != nil }
    let server = try await workspace.serverID()
    kill(try #require(server), SIGKILL)
    let result = try await build.value
    #expect(result.problem?.contains("server crashed or was killed") == true)
    #expect(updates.outcomes.count == 2)
    updates.clear()
    let next = try await bazel.build(
      BuildRequest(targets: try labels("//a:t1")), update: updates.add)
    #expect(next.exitCode == 0)
  }

  @Test func `an output base that is removed under the server is made anew`() async throws {
    let request = BuildRequest(targets: try labels("//a:t1"))
    _ = try await bazel.build(request, update: { _ in })
    try Tool.run(
      "sh",
      ["-c", "chmod -R u+w \"$1\"/*/execroot; rm -rf \"$1\"", "sh", "\(workspace.outputRoot)"])
    let result = try await bazel.build(request, update: updates.add)
    #expect(result == ended(0, like: result))
    #expect(content(of: "//a:t1") == "one")
  }

  private func labels(_ names: String...) throws -> [Label] {
    try names.map { try #require(Label($0)) }
  }

  private func content(of label: String) -> String? {
    guard case .built(let outputs)? = updates.outcome(label), let path = outputs["default"]?.first
    else { return nil }
    // A file that can't be read is told by the comparison that fails.
    guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
    defer { close(file.rawValue) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func message(of label: String) -> String {
    guard case .failed(let message, _)? = updates.outcome(label) else { return "" }
    return message
  }
}
