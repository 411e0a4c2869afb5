import Batching
import SystemPackage
import Testing

@testable import Runner

struct BazelOutputTests {
  private var output = BazelOutput(workspace: "/w") { path in
    path == "/proc/17/cmdline" ? Array("bazel\0test\0//...\0".utf8) : nil
  }

  @Test mutating func `the lock's holder is said at once, each second and at the end`() {
    let holder = LockHolder(pid: 17, command: "bazel test //...")
    let line = "Another command (pid=17) is running. Waiting for it to complete on the server "
    #expect(add(line + "(server_pid=9)...", at: 0.5) == [.lock(holder: holder, waited: .zero)])
    #expect(output.tick(at: .seconds(1)) == nil)
    #expect(output.tick(at: .seconds(1.5)) == .lock(holder: holder, waited: .seconds(1)))
    #expect(output.tick(at: .seconds(2)) == nil)
    #expect(
      add("Loading: 3 packages", at: 3)
        == [.lock(holder: holder, waited: .seconds(2.5)), .progress("Loading: 3 packages")])
    #expect(output.tick(at: .seconds(9)) == nil)
    #expect(output.lock.total(at: .seconds(9)) == .seconds(2.5))
  }

  @Test mutating func `a holder that is named in the lines after is found`() {
    let notice = """
      Another command holds the client lock:
      pid=17
      owner=client
      cwd=/w

      Waiting for it to complete...
      """
    let holder = LockHolder(pid: 17, command: "bazel test //...")
    #expect(
      add(notice, at: 1) == [
        .lock(holder: nil, waited: .zero), .lock(holder: holder, waited: .zero),
      ]
    )
    #expect(output.lock.isWaiting)
    #expect(
      add("INFO: Analyzed target //a:b", at: 2).first
        == .lock(holder: holder, waited: .seconds(1)))
  }

  @Test mutating func `a holder that nobody can look at has no command line`() {
    #expect(
      add("Another command (pid=18) is running. Exiting immediately.", at: 0)
        == [.lock(holder: LockHolder(pid: 18, command: nil), waited: .zero)])
  }

  @Test(arguments: [
    ("INFO: Build option --define has changed, discarding analysis cache.", "--define"),
    (
      "INFO: Build options --compilation_mode, --cpu, and --define have changed, discarding "
        + "analysis cache (this can be expensive, see https://bazel.build/x).",
      "--compilation_mode, --cpu, --define"
    ),
    (
      "WARNING: Running Bazel server needs to be killed, because the startup options are different.",
      "startup options"
    ),
  ])
  func `a discarded cache names its option`(line: String, option: String) {
    var output = output
    #expect(
      output.add(Array("\(line)\n".utf8), at: .zero)
        == [.cacheDiscarded(option: option, message: line)])
  }

  @Test mutating func `errors with a place become diagnostics, each once`() {
    let lines = """
      ERROR: /w/app/BUILD:1:8: no such target '//lib:l'
      ERROR: /w/app/BUILD:1:8: no such target '//lib:l'
      ERROR: Traceback (most recent call last):
      \tFile "/w/fa/BUILD", line 1, column 5, in <toplevel>
      \t\tfail("boom")
      Error in fail: boom
      ERROR: package contains errors: fa
      """
    #expect(
      add(lines, at: 0) == [
        .diagnostic(
          Diagnostic(
            file: "app/BUILD", line: 1, column: 8, severity: .error,
            message: "no such target '//lib:l'")),
        .diagnostic(
          Diagnostic(file: "fa/BUILD", line: 1, column: 5, severity: .error, message: "boom")),
        .message("ERROR: package contains errors: fa"),
      ])
    #expect(output.errors.last == "package contains errors: fa")
    #expect(output.diagnostics.count == 2)
  }

  @Test mutating func `the sandbox's log is dropped and colours are stripped`() {
    let lines = """
      1795228702.563921075: src/main/tools/linux-sandbox.cc:152: calling pipe(2)...
      1795228702.564571686: src/main/tools/linux-sandbox-pid1.cc:447: Pid1Main started
      \u{1b}[32mINFO: \u{1b}[0mFrom Executing genrule //b:t1:
      [3 / 10] Compiling a.c
      """
    #expect(
      add(lines, at: 0)
        == [.message("INFO: From Executing genrule //b:t1:"), .progress("[3 / 10] Compiling a.c")])
  }

  @Test mutating func `a fatal word of the client is an error`() {
    _ = add(
      "[FATAL 23:56:06.744 src/main/cpp/blaze.cc:1298] Unknown startup option: '--bad'.", at: 0)
    _ = add("Server terminated abruptly (error code: 14, error message: 'Socket closed')", at: 0)
    #expect(
      output.errors == [
        "Unknown startup option: '--bad'.",
        "Server terminated abruptly (error code: 14, error message: 'Socket closed')",
      ])
  }

  private mutating func add(_ text: String, at seconds: Double) -> [BuildUpdate] {
    output.add(Array("\(text)\n".utf8), at: .seconds(seconds))
  }
}
