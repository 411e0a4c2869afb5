import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// An import by a `ctr` that waits for ever, as the real one may when its containerd has gone.
@Suite struct CtrImportTests {
  /// - Parameter script: What `ctr` does, told its arguments.
  private func importing(
    _ script: String, _ body: (Ctr, FilePath) async throws -> Void
  ) async throws {
    signal(SIGPIPE, SIG_IGN)
    try await withScratchDirectory { directory in
      let bin = directory.appending("bin")
      try Tool.run("mkdir", [bin.string])
      try bin.appending("ctr").write(Array("#!/bin/sh\ncd '\(directory)' || exit\n\(script)".utf8))
      try Tool.run("chmod", ["+x", "\(bin)/ctr"])
      let path = "\(bin):/usr/bin:/bin"
      try directory.appending("socket").write([])
      let ctr = Ctr(
        place: "containerd", address: directory.appending("socket"), namespace: "default",
        environment: ["PATH": path, "watchbuild_guard_seconds": "0.1"], runner: SubprocessRunner())
      try await body(ctr, directory)
    }
  }

  private func stream(_ count: Int) -> ImageStream {
    var stream = ImageStream(telling: [])
    stream.appendBytes([UInt8](repeating: 1, count: count))
    return stream
  }

  private static let stuck = #"""
    case "$*" in
      *import*) echo $$ >pid; sleep 1000 & echo $! >child; wait $! ;;
    """#

  @Test(arguments: [
    // It does not answer; another has taken its place.
    "*version*) exit 1 ;; esac", "*version*) rm socket; touch next; mv next socket ;; esac",
  ])
  func `is ended when its containerd has gone`(answer: String) async throws {
    try await importing(Self.stuck + "\n" + answer) { ctr, directory in
      let (done, reason) = try await ctr.load([], stream(1 << 20))
      #expect(done == [])
      #expect(reason == "containerd went away in the middle of it")
      try end(directory)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `one that ends at once is not waited for, though who looks after it has not begun`()
    async throws
  {
    try await importing("exit 0") { ctr, _ in
      // A shell's child swallows a signal that comes before it has begun.
      for _ in 0..<30 { _ = try await ctr.load([], stream(0)) }
    }
  }

  @Test func `is ended with who waits for it`() async throws {
    try await importing(Self.stuck + "\nesac") { ctr, directory in
      let task = Task { try await ctr.load([], stream(1 << 20)) }
      while id("child", directory) == nil { await Task.yield() }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      try end(directory)
    }
  }

  /// `ctr` is gone; the program that it left behind is ended here.
  private func end(_ directory: FilePath) throws {
    #expect(kill(try #require(id("pid", directory)), 0) != 0)
    kill(try #require(id("child", directory)), SIGKILL)
  }

  private func id(_ file: String, _ directory: FilePath) -> pid_t? {
    guard let text = try? String(decoding: directory.appending(file).read(), as: UTF8.self),
      text.hasSuffix("\n")
    else { return nil }
    return pid_t(text.dropLast())
  }
}
