import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct SubprocessRunnerTests {
  private let runner = SubprocessRunner()
  private let output = Collected()

  @Test func `output of both streams and the exit code come back`() async throws {
    let exit = try await run("echo out; echo err >&2; exit 3")
    #expect(exit == .exited(3))
    #expect(output.standardOutput == "out\n")
    #expect(output.standardError == "err\n")
  }

  @Test func `a program ended by a signal is told from one that exited`() async throws {
    #expect(try await run("kill -KILL $$") == .signalled(SIGKILL))
  }

  @Test func `a megabyte of output arrives whole`() async throws {
    let exit = try await run("head -c 1000000 /dev/zero | tr '\\0' x")
    #expect(exit == .exited(0))
    #expect(output.standardOutput.utf8.count == 1_000_000)
  }

  @Test func `standard input is empty`() async throws {
    #expect(try await run("wc -c") == .exited(0))
    #expect(output.standardOutput.split(separator: "\n").first == "0")
  }

  @Test(arguments: ["true", "read -r line; echo $line"])
  func `input that never ends does not keep a program that has`(script: String) async throws {
    let (input, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
    continuation.yield(Array("first\n".utf8))
    let exit = try await runner.run(
      Command("sh", ["-c", script]), input: input, output: output.add)
    #expect(exit == .exited(0))
    #expect(output.standardOutput == (script == "true" ? "" : "first\n"))
  }

  @Test func `directory and environment are given to the program`() async throws {
    let command = Command(
      "sh", ["-c", "pwd; echo $WATCHBUILD_TEST; echo ${PATH:+path}"], in: "/",
      environment: ["WATCHBUILD_TEST": "yes"])
    _ = try await runner.run(command, output: output.add)
    #expect(output.standardOutput == "/\nyes\npath\n")
  }

  @Test func `a program runs in a process group of its own`() async throws {
    _ = try await run("ps -o pgid= -p $$; echo $$")
    let numbers = output.standardOutput.split(whereSeparator: \.isWhitespace)
    #expect(numbers.count == 2)
    #expect(numbers.first == numbers.last)
  }

  @Test func `a program that heeds no other signal is ended by force`() async throws {
    let ending = ForcedEnd()
    let command = Command("sh", ["-c", "trap '' INT TERM; echo ready; while :; do sleep 1; done"])
    let exit = try await runner.run(command, input: nil, ending: ending) { [output] chunk in
      output.add(chunk)
      ending.end(.terminate)
      ending.end(.kill)
    }
    #expect(exit == .signalled(SIGKILL))
    #expect(output.standardOutput == "ready\n")
  }

  @Test func `a program that is to be ended before it has started does not stay`() async throws {
    let ending = ForcedEnd()
    ending.end(.terminate)
    let exit = try await runner.run(
      Command("sleep", ["600"]), input: nil, ending: ending, output: output.add)
    #expect(exit == .signalled(SIGTERM))
  }

  @Test func `an unknown program is not found`() async throws {
    let error = await #expect(throws: CommandError.self) {
      try await runner.run(Command("no-such-program"), output: output.add)
    }
    #expect(error == .notFound("no-such-program"))
    #expect(error?.description == "no-such-program: not found in PATH; install it or give its path")
  }

  @Test func `a path to nothing is not found`() async throws {
    let error = await #expect(throws: CommandError.self) {
      try await runner.run(Command("/no/such/program"), output: output.add)
    }
    #expect(error == .notFound("/no/such/program"))
  }

  @Test func `a directory that is gone is named`() async throws {
    let error = await #expect(throws: CommandError.self) {
      try await runner.run(Command("true", in: "/no/such/directory"), output: output.add)
    }
    #expect(error == .noDirectory("/no/such/directory", program: "true"))
  }

  @Test func `a grandchild that keeps the output open is not waited for`() async throws {
    let exit = try await run("echo first; sleep 300 & echo $!")
    #expect(exit == .exited(0))
    let lines = output.standardOutput.split(separator: "\n")
    #expect(lines.first == "first")
    let grandchild = try #require(Int32(lines.last ?? ""))
    #expect(!isZombie(grandchild))
    #expect(kill(grandchild, SIGKILL) == 0)
  }

  @Test func `cancelling interrupts the group once and reads to the end`() async throws {
    // The trap answers each SIGINT with a line; what it writes afterwards must arrive too.
    let script = """
      trap 'echo interrupted; kill $child; sleep 0.2; echo cleaned up; exit 8' INT
      sleep 100 & child=$!
      echo ready $child
      wait
      """
    let ready = AsyncStream.makeStream(of: Void.self)
    let task = Task { [runner, output] in
      try await runner.run(Command("bash", ["-c", script])) { chunk in
        output.add(chunk)
        ready.continuation.yield()
      }
    }
    for await _ in ready.stream { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let lines = output.standardOutput.split(separator: "\n")
    #expect(lines.dropFirst() == ["interrupted", "cleaned up"])
    let child = try #require(Int32(lines.first?.split(separator: " ").last ?? ""))
    #expect(kill(child, 0) == -1)
  }

  @Test func `children that outlive an interrupted program are ended`() async throws {
    // The inner shell ignores SIGINT, as a wrapper's child may that was started in the background.
    let script = "bash -c 'trap : INT; while :; do sleep 0.1; done' >/dev/null 2>&1 & echo $!; wait"
    let ready = AsyncStream.makeStream(of: Void.self)
    let task = Task { [runner, output] in
      try await runner.run(Command("bash", ["-c", script])) { chunk in
        output.add(chunk)
        ready.continuation.yield()
      }
    }
    for await _ in ready.stream { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let child = try #require(Int32(output.standardOutput.split(separator: "\n").first ?? ""))
    // It is nobody's child that we could wait for: poll until its end, within the time limit.
    while kill(child, 0) == 0, !isZombie(child) { await Task.yield() }
  }

  @Test func `a task cancelled before it starts runs nothing`() async throws {
    let task = Task { [runner, output] in
      withUnsafeCurrentTask { $0?.cancel() }
      return try await runner.run(Command("echo", ["ran"]), output: output.add)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(output.standardOutput == "")
  }

  private func run(_ script: String) async throws -> CommandExit {
    try await runner.run(Command("sh", ["-c", script]), output: output.add)
  }

  /// Where nothing reaps orphans, as in many containers, the dead stay listed.
  private func isZombie(_ id: Int32) -> Bool {
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      // A process that is gone has no file.
      let file = try? FileDescriptor.open("/proc/\(id)/stat", .readOnly)
      count = (try? file?.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
      if let file { close(file.rawValue) }
    }
    return String(decoding: bytes, as: UTF8.self).contains(") Z ")
  }
}
