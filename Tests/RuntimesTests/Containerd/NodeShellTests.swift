import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// A shell that stands ready, here rather than in a container, and each of those that nodes have.
@Suite struct NodeShellTests {
  init() {
    // As `main` does: a shell may end before it has read all that it is told.
    signal(SIGPIPE, SIG_IGN)
  }

  enum Kind: String, CaseIterable, Sendable { case sh, bash, busybox }

  /// Asks shells of one kind, which are ended afterwards.
  private func using(
    _ kind: Kind = .sh, _ body: (NodeShell) async throws -> Void
  ) async throws {
    try await withScratchDirectory { directory in
      var entrance: [String]
      switch kind {
      case .sh: entrance = ["env"]
      case .busybox: entrance = ["busybox"]
      case .bash:
        try Tool.run("ln", ["-s", "/bin/bash", "\(directory)/sh"])
        entrance = ["env", "PATH=\(directory):/usr/bin:/bin"]
      }
      let shell = NodeShell(entrance: entrance, environment: [:], runner: SubprocessRunner())
      let result: Result<Void, any Error>
      do { result = .success(try await body(shell)) } catch { result = .failure(error) }
      await shell.end()
      try result.get()
    }
  }

  private func stream(_ count: Int) -> ImageStream {
    var stream = ImageStream(telling: [])
    for _ in 0..<count >> 20 { stream.appendBytes([UInt8](repeating: 1, count: 1 << 20)) }
    return stream
  }

  private func stream(_ bytes: [UInt8]) -> ImageStream {
    var stream = ImageStream(telling: [])
    stream.appendBytes(bytes)
    return stream
  }

  @Test(arguments: Kind.allCases)
  func `one shell answers one question after the other`(kind: Kind) async throws {
    try await using(kind) { shell in
      let first = try await shell.run(
        "echo \"$1|$2\"; echo $PPID; echo no >&2", ["a b", "it's\n\"x\" $y \\"], input: nil)
      #expect(first.exit == .exited(0))
      #expect(first.errors == "no\n")
      let lines = first.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.dropLast(2).joined(separator: "\n") == "a b|it's\n\"x\" $y \\")
      let second = try await shell.run("printf '%s' \"$#\"; cat; exit 7", [], input: nil)
      #expect(second.exit == .exited(7))
      #expect(second.output == "0")
      #expect(second.errors == "")
      let third = try await shell.run("x=1; echo $PPID", [], input: nil)
      #expect(third.output.split(separator: "\n").last == lines.dropLast().last)
      #expect(await shell.isReady)
    }
  }

  @Test(arguments: Kind.allCases)
  func `what a script is to read reaches it to the byte`(kind: Kind) async throws {
    let content = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try await using(kind) { shell in
      #expect(try await shell.run("echo one", [], input: nil).output == "one\n")
      let answer = try await shell.run(
        "head -c 5 | od -An -tu1; cat | sha256sum; exit 3", [], input: stream(content))
      #expect(answer.exit == .exited(3))
      let lines = answer.output.split(separator: "\n").map(String.init)
      #expect(
        lines.first?.split(separator: " ").compactMap { UInt8($0) } == Array(content.prefix(5)))
      #expect(lines.count == 2)
      let whole = try await shell.run("sha256sum", [], input: stream(content))
      #expect(whole.output.prefix(64) == Digest(of: content).hexadecimal)
      #expect(try await shell.run("echo two", [], input: nil).output == "two\n")
    }
  }

  @Test(arguments: Kind.allCases)
  func `what is written late, or is too much, does not hide an answer`(kind: Kind) async throws {
    try await using(kind) { shell in
      let late = try await shell.run(
        "(sleep 0.3; echo late >&2; echo late) & echo soon", [], input: nil)
      #expect(late.output == "soon\n")
      #expect(late.errors == "")
      try await ContinuousClock().pause(for: .milliseconds(600))
      #expect(try await shell.run("echo next", [], input: nil).output.hasSuffix("next\n"))
      let much = try await shell.run(
        "head -c 20000000 /dev/zero | tr '\\0' x; exit 3", [], input: nil)
      #expect(much.exit == .exited(3))
      #expect(much.output.utf8.count == MarkedOutput.limit)
      #expect(try await shell.run("echo on", [], input: nil).output == "on\n")
    }
  }

  @Test func `a shell that has gone is replaced`() async throws {
    try await using { shell in
      let first = try await shell.run("echo $$", [], input: nil)
      let id = try #require(pid_t(first.output.prefix { $0 != "\n" }))
      kill(id, SIGKILL)
      let second = try await shell.run("echo $$", [], input: nil)
      #expect(second.exit == .exited(0))
      #expect(second.output != first.output)
    }
  }

  @Test func `one that can't be entered says why`() async throws {
    let shell = NodeShell(
      entrance: ["sh", "-c", "echo no such container >&2; exit 4"], environment: [:],
      runner: SubprocessRunner())
    let answer = try await shell.run("echo", [], input: nil)
    #expect(answer.exit == .exited(4))
    #expect(answer.errors == "no such container\n")
    await shell.end()
  }

  @Test func `who does not wait any longer ends what was asked`() async throws {
    try await using { shell in
      let first = try await shell.run("echo $$", [], input: nil)
      let id = try #require(pid_t(first.output.prefix { $0 != "\n" }))
      let asking = Task { try await shell.run("sleep 1000", [], input: nil) }
      while await shell.isReady { await Task.yield() }
      asking.cancel()
      await #expect(throws: CancellationError.self) { try await asking.value }
      #expect(kill(id, 0) != 0)
      #expect(try await shell.run("echo on", [], input: nil).output == "on\n")
    }
  }

  /// Else its end might overtake what is done next.
  @Test func `what reads a stream has ended when who waited is told so`() async throws {
    try await withScratchDirectory { directory in
      try await using { shell in
        let script = """
          head -c 100000 >/dev/null; : >begun
          while ! [ -e cancelled ]; do sleep 0.05; done
          sleep 0.3; wc -c >count
          """
        try await cancel(script, shell, directory)
        let count = String(decoding: try directory.appending("count").read(), as: UTF8.self)
        #expect(Int(count.filter(\.isNumber)).map { $0 < 8 << 20 } == true, "of 64 MB \(count)")
      }
    }
  }

  @Test func `what does not end with its stream is ended`() async throws {
    try await withScratchDirectory { directory in
      try await using { shell in
        try await cancel(": >begun; exec sleep 1000", shell, directory)
        let next = try await shell.run("echo on", [], input: nil)
        #expect(next.output == "on\n")
      }
    }
  }

  /// Runs a script with 64 MB to read, and is cancelled when it has begun.
  private func cancel(_ script: String, _ shell: NodeShell, _ directory: FilePath) async throws {
    let importing = Task {
      try await shell.run("cd \(directory); \(script)", [], input: stream(64 << 20))
    }
    while access("\(directory)/begun", F_OK) != 0 { await Task.yield() }
    importing.cancel()
    try directory.appending("cancelled").write([])
    await #expect(throws: CancellationError.self) { try await importing.value }
  }

  @Test func `questions at once each have a shell`() async throws {
    try await using { shell in
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<4 {
          group.addTask { try await shell.run("echo $1", ["\(number)"], input: nil).output }
        }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(answers == ["0\n", "1\n", "2\n", "3\n"])
    }
  }
}
