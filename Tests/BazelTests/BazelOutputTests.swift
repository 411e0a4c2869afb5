import Graph
import SystemPackage
import Testing

@testable import Bazel

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

  @Test(arguments: [
    "ERROR: /etc/passwd:1:1: you have been had",
    "ERROR: a/b.c:1:1: Executing genrule //a:b failed: x",
    "ERROR: /w/a/b.c:7:13: expected expression",
  ])
  func `a program's line that looks like Bazel's is no diagnostic of Bazel's`(line: String) {
    var output = output
    #expect(output.add(Array("\(line)\n".utf8), at: .zero) == [.message(line)])
    #expect(output.errors.isEmpty)
  }

  @Test mutating func `once the command is under way nobody waits for the lock`() {
    _ = output.endLockWait(at: .zero)
    let line = "Another command (pid=17) is running. Waiting for it to complete"
    #expect(add(line, at: 1) == [])
    #expect(!output.lock.isWaiting)
  }

  @Test mutating func `values of another command's options are not shown`() {
    var output = BazelOutput(workspace: "/w") { _ in
      Array("bazel\0build\0--action_env=TOKEN=s3\0--remote_header\0k=s3\0//a\0".utf8)
    }
    let said = output.add(Array("Another command (pid=17) is running.\n".utf8), at: .zero)
    let command = "bazel build --action_env=TOKEN=… --remote_header … //a"
    #expect(said == [.lock(holder: LockHolder(pid: 17, command: command), waited: .zero)])
  }

  @Test mutating func `Bazel's word on an option leaves out its value`() {
    let said = add("ERROR: --remote_headr=k=s3 :: Unrecognized option: --remote_headr=k=s3", at: 0)
    let shown = "--remote_headr=… :: Unrecognized option: --remote_headr=…"
    #expect(said == [.message("ERROR: " + shown)])
    #expect(output.errors == [shown])
  }

  @Test(arguments: [
    "WARNING: Remote Cache: UNAVAILABLE: io exception",
    "WARNING: Reading from Remote Cache: UNAVAILABLE: io exception",
  ])
  func `a cache that fails is worth a word`(line: String) {
    var output = output
    guard case .notice(let text)? = output.add(Array("\(line)\n".utf8), at: .zero).first else {
      Issue.record("no notice")
      return
    }
    #expect(text.contains("(UNAVAILABLE: io exception)"))
    #expect(text.contains("--remote_timeout=5") && text.contains("--remote_retries=0"))
  }

  @Test mutating func `a discarded cache is known by Bazel's newer words too`() {
    let line =
      "WARNING: Running Bazel server needs to be killed, because the following startup options are "
      + "different:"
    #expect(
      add(
        line + "\n  - Only in old server: \n  - Only in new server: --host_jvm_args=-Xmx2g", at: 0
      )
      .first == .cacheDiscarded(option: "startup options", message: line))
  }

  @Test(arguments: [
    // Bazel 7 with and without --keep_going, Bazel 4 with and without.
    (
      """
      WARNING: errors encountered while analyzing target '//a:i', it will not be built.
      Target //a:i is incompatible and cannot be built, but was explicitly requested.
      Dependency chain:
          //a:i (ad7194)
          //a:no (ad7194)   <-- target platform (@@p//host:host) didn't satisfy constraint //a:cv
      Use --verbose_failures to see the command lines of failed build steps.
      """, " target platform (@@p//host:host) didn't satisfy constraint //a:cv"
    ),
    (
      """
      ERROR: Analysis of target '//a:i' failed; build aborted: Target //a:i is incompatible and \
      cannot be built, but was explicitly requested.
      Dependency chain:
          //a:i (ad7194)   <-- target platform (@@p//host:host) didn't satisfy constraint //a:cv
      """, " target platform (@@p//host:host) didn't satisfy constraint //a:cv"
    ),
    (
      "WARNING: Target @//a:i is incompatible and cannot be built, but was explicitly requested.",
      ""
    ),
    (
      """
      ERROR: Target //a:i is incompatible and cannot be built, but was explicitly requested.
      Dependency chain:
          //a:i   <-- target platform didn't satisfy constraint //a:cv
      """, " target platform didn't satisfy constraint //a:cv"
    ),
  ])
  func `a target that the platform leaves out is known by Bazel's sentence`(
    lines: String, chain: String
  ) throws {
    var output = output
    _ = output.add(Array("\(lines)\n".utf8), at: .zero)
    let label = try #require(Label("//a:i"))
    let sentence = try #require(output.incompatible[label])
    #expect(
      sentence.replacing("@//", with: "//")
        == "Target //a:i is incompatible and cannot be built, but was explicitly requested." + chain
    )
  }

  @Test(arguments: [
    ("INFO: 6 processes: 1 remote cache hit, 1 internal, 4 remote.", 5, 1),
    ("INFO: 1 process: 1 internal.", 0, 0),
    ("INFO: 71 processes: 2 action cache hit, 3 disk cache hit, 66 linux-sandbox.", 69, 3),
  ])
  func `where actions ran is read from Bazel's last lines`(
    line: String, programs: Int, hits: Int
  ) throws {
    let counts = try #require(ActionCounts(line: line))
    #expect((counts.programs, counts.hits) == (programs, hits))
  }

  private mutating func add(_ text: String, at seconds: Double) -> [BuildUpdate] {
    output.add(Array("\(text)\n".utf8), at: .seconds(seconds))
  }
}
