import Basics
import Glibc
import Graph
import Images
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Runner

/// Rollouts of which nobody can be asked what runs: real programs and processes.
@Suite struct CommandRolloutTests {
  private func image(_ version: String = "one") throws -> RolledImage {
    let id = Digest(of: Array(version.utf8))
    return RolledImage(
      name: "cart", references: [try #require(ImageReference("lab/cart:dev"))], configDigest: id,
      loaded: ["docker": id])
  }

  private func notes(in directory: FilePath) throws -> RolloutNotes {
    let path = directory.appending("state")
    try Tool.run("mkdir", ["-m", "700", path.string])
    return RolloutNotes(in: PrivateDirectory(path))
  }

  private func command(
    _ arguments: [String], in directory: FilePath, notes: RolloutNotes? = nil,
    timeout: Duration = .seconds(20)
  ) -> CommandRollout {
    CommandRollout(
      arguments: arguments, directory: directory, rule: RolloutRule(timeout: timeout), notes: notes,
      runner: SubprocessRunner(), clock: ContinuousClock())
  }

  @Test func `a command is told of the image, once for each`() async throws {
    try await withScratchDirectory { directory in
      let notes = try notes(in: directory)
      let script = #"echo "$1 $WATCHBUILD_IMAGE $WATCHBUILD_DIGEST" >>told"#
      let rollout = command(["sh", "-c", script, "sh", "{ref}"], in: directory, notes: notes)
      let (one, two) = (try image("one"), try image("two"))
      #expect(try await rollout.roll(one) == RolloutResult(isChanged: true, isLive: true))
      // Also in another run, which has nothing but the notes.
      #expect(try await rollout.roll(one) == RolloutResult(isChanged: false, isLive: true))
      #expect(try await rollout.roll(two).isChanged)
      let told = String(decoding: try directory.appending("told").read(), as: UTF8.self)
      #expect(
        told == "lab/cart:dev cart \(one.configDigest)\nlab/cart:dev cart \(two.configDigest)\n")
    }
  }

  @Test func `a command that fails is told with its words, and is not noted`() async throws {
    try await withScratchDirectory { directory in
      let notes = try notes(in: directory)
      let rollout = command(
        ["sh", "-c", "echo out; echo no cluster >&2; exit 7"], in: directory, notes: notes)
      for _ in 0..<2 {
        let error = await #expect(throws: RolloutError.self) { try await rollout.roll(try image()) }
        #expect(error?.message == "it failed: exit 7")
        #expect(Set(error?.log ?? []) == ["out", "no cluster"])
        #expect(error?.isOfImage == false)
      }
    }
  }

  @Test func `a command that does not end in time is ended, with all that it started`()
    async throws
  {
    try await withScratchDirectory { directory in
      let rollout = command(
        ["sh", "-c", "trap '' TERM; sleep 60 & echo $! >child; wait; wait"], in: directory,
        timeout: .milliseconds(300))
      let error = await #expect(throws: RolloutError.self) { try await rollout.roll(try image()) }
      #expect(error?.message == "it failed: not done after 0.3 seconds")
      let text = String(decoding: try directory.appending("child").read(), as: UTF8.self)
      let child = try #require(pid_t(text.filter(\.isNumber)))
      // It is reaped by init a moment later.
      for _ in 0..<200 where kill(child, 0) == 0 {
        try await ContinuousClock().pause(for: .milliseconds(10))
      }
      #expect(kill(child, 0) != 0)
    }
  }

  @Test func `a command that is not there is told`() async throws {
    try await withScratchDirectory { directory in
      let error = await #expect(throws: RolloutError.self) {
        try await command(["nosuchprogram"], in: directory).roll(try image())
      }
      #expect(error?.message == "nosuchprogram: not found in PATH; install it or give its path")
    }
  }

  @Test func `words are replaced once, and what is no word stays`() throws {
    let words = RolloutWords(
      RolledImage(
        name: "{ref}", references: [try #require(ImageReference("a:b"))],
        configDigest: Digest(of: []), loaded: [:]))
    #expect(words.filled("x={image} {ref} {nosuch} {") == "x={ref} a:b {nosuch} {")
  }

  @Test func `a process is told by a signal, once for each image`() async throws {
    try await withScratchDirectory { directory in
      let script = """
        cd '\(directory)'
        trap 'echo told >>told' HUP
        echo $$ >pid
        while :; do sleep 0.05; done
        """
      let process = Task {
        try await SubprocessRunner().run(Command("sh", ["-c", script])) { _ in }
      }
      let pidFile = directory.appending("pid")
      // A shell writes it when its trap is set.
      while (try? pidFile.read().last) != UInt8(ascii: "\n") {
        try await ContinuousClock().pause(for: .milliseconds(5))
      }
      let rollout = SignalRollout(
        signal: try #require(SignalName("SIGHUP")), pidFile: pidFile,
        rule: RolloutRule(timeout: .seconds(5)), notes: try notes(in: directory),
        clock: ContinuousClock())
      #expect(try await rollout.roll(try image()) == RolloutResult(isChanged: true, isLive: true))
      #expect(
        try await rollout.roll(try image()) == RolloutResult(isChanged: false, isLive: true))
      #expect(try directory.appending("told").read() == Array("told\n".utf8))
      process.cancel()
      await #expect(throws: CancellationError.self) { try await process.value }
      let error = await #expect(throws: RolloutError.self) {
        try await rollout.roll(try image("two"))
      }
      #expect(error?.message.contains("can't be told: ") == true)
    }
  }

  @Test(arguments: ["", "0", "1", "-1", "many"])
  func `a file without a process's number is told, and no signal sent`(text: String) async throws {
    try await withScratchDirectory { directory in
      let pidFile = directory.appending("pid")
      try pidFile.write(Array(text.utf8))
      let rollout = SignalRollout(
        signal: try #require(SignalName("HUP")), pidFile: pidFile, rule: RolloutRule(), notes: nil,
        clock: ContinuousClock())
      let error = await #expect(throws: RolloutError.self) { try await rollout.roll(try image()) }
      #expect(error?.message == "\(pidFile) holds no number of a process")
    }
  }
}
