import Graph
import Testing

@testable import Bazel

struct PrintedOutputTests {
  private func read(_ text: String) -> [PrintedOutput.Part] {
    var output = PrintedOutput()
    return output.add(Array(text.utf8)) + output.finish()
  }

  private func lines(_ text: String) -> [String] {
    read(text).flatMap { part -> [String] in
      guard case .lines(let text) = part else { return [] }
      return text.split(separator: "\n").map(String.init)
    }
  }

  private func outputs(_ text: String) -> [String] {
    read(text).compactMap {
      guard case .output(let output) = $0 else { return nil }
      return "\(output.target?.description ?? "-") \(output.title): \(output.text)"
    }
  }

  @Test func `progress, the lock and the sandbox's own log are left out`() {
    #expect(
      lines(
        """
        Loading: 3 packages loaded
        [1 / 4] Compiling a.c; 3s linux-sandbox ... (2 actions, 1 running)
        1795228702.563921075: src/main/tools/linux-sandbox.cc:152: calling pipe(2)...
        Another command (pid=17) is running.
        ERROR: /w/a/BUILD:1:1: no
        [error] from a compiler
        a.c:1:2: warning: w
        """) == ["ERROR: /w/a/BUILD:1:1: no", "[error] from a compiler", "a.c:1:2: warning: w"])
  }

  @Test func `the warnings of an action end where Bazel speaks again`() {
    #expect(
      outputs(
        """
        INFO: From Compiling a/b.c:
        a/b.c:1:2: warning: w
            1 | x
        INFO: From Executing genrule //c:d:
        hello
        INFO: Elapsed time: 1s
        later
        """) == [
          "- Compiling a/b.c: a/b.c:1:2: warning: w\n    1 | x",
          "//c:d Executing genrule //c:d: hello",
        ])
  }

  @Test func `an action that printed nothing is none`() {
    #expect(outputs("INFO: From Compiling a/b.c:\nINFO: Elapsed time: 1s\n") == [])
  }

  // MARK: Progress

  @Test(arguments: [
    ("[3 / 10] Compiling a.c; 3s linux-sandbox", 3, 10, "Compiling a.c", 3),
    ("[1,234 / 20,000] Linking x ... (3 actions, 2 running)", 1234, 20000, "Linking x", 0),
    (
      "[4 / 9] Executing genrule //a:b; 12s processwrapper-sandbox ... (2 actions running)", 4, 9,
      "Executing genrule //a:b", 12
    ),
    (
      "[0 / 1] [Prepa] BazelWorkspaceStatusAction stable-status.txt", 0, 1,
      "[Prepa] BazelWorkspaceStatusAction stable-status.txt", 0
    ),
  ])
  func `a line of progress is understood`(
    line: String, done: Int, total: Int, what: String, seconds: Int
  ) {
    let progress = BazelProgress(line)
    #expect(progress?.done == done)
    #expect(progress?.total == total)
    #expect(progress?.what == what)
    #expect(progress?.seconds == seconds)
  }

  @Test(arguments: ["[error] x", "Loading: 3 packages", "[a / b] x", "[1] x", "[1/2/3] x"])
  func `any other line is no progress`(line: String) {
    #expect(BazelProgress(line) == nil)
  }
}
