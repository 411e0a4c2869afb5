import Foundation
import SystemPackage
import TestSupport
import Testing
import Watcher

/// A workspace in which much is wrong.
private enum EditorWorkspace {
  /// A broken library, a broken BUILD file and a Python error, and an image that is well.
  static let files = LoopScene.files.merging([
    "lib/BUILD": """
    genrule(
        name = "lib", srcs = ["cart.c"], outs = ["lib.txt"], visibility = ["//visibility:public"],
        cmd = "echo 'lib/cart.c: In function main:' >&2;" +
              "echo 'lib/cart.c:3:7: warning: unused variable x' >&2;" +
              "echo 'lib/cart.c:12:5: error: expected expression' >&2;" +
              "echo '   12 |     return' >&2; exit 1")

    """,
    "lib/cart.c": "int main;\n",
    "web/BUILD": LoopScene.image("web", from: "[\"//lib\"]"),
    "py/BUILD": """
    genrule(
        name = "py", srcs = ["main.py"], outs = ["py.txt"],
        cmd = "python3 $(location main.py) > $@")

    """ + LoopScene.image("py", from: "[\":py\"]"),
    "py/main.py": "def broken(:\n    pass\n",
    "torn/BUILD": "genrule(name = \"image\" outs = [\"image.tar\"])\n",
    "well/BUILD": LoopScene.image("well", from: "[\"in.txt\"]"),
    "well/in.txt": "1",
  ]) { $1 }
}

/// What editors make of the lines that `watchbuild build` prints, by the snippets that it gives them.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazel,
  .bazelServer(EditorWorkspace.files))
struct EditorTests {
  private let workspace: BazelWorkspace

  init() throws { workspace = try #require(BazelServer.workspace) }

  /// One entry of an editor's list of problems.
  private struct Problem: Hashable, CustomStringConvertible {
    var file: String
    var line: Int
    var description: String { "\(file):\(line)" }
  }

  private func build(_ output: String) async throws -> CommandRun {
    try await workspace.run(
      [
        "build", "--output", output, "--color", "never", "--load", "none", "//web:image",
        "//py:image",
        "//torn:image", "//well:image",
      ])
  }

  private func snippet(_ editor: String) async throws -> String {
    let run = try await workspace.run(["editor", editor])
    #expect(run.exit == 0)
    return run.output
  }

  @Test func `each editor lists all that is wrong, and nothing else`() async throws {
    let told = Set(
      try await build("json").events.filter { $0.type == "diagnostic" }.map {
        Problem(file: $0.file ?? "", line: $0.line ?? 0)
      })
    #expect(
      told.isSuperset(of: [
        Problem(file: "lib/cart.c", line: 12), Problem(file: "py/main.py", line: 1),
        Problem(file: "torn/BUILD", line: 1),
      ]), "\(told)")
    let plain = try await build("plain")
    #expect(plain.exit == 1)
    let lines = (plain.output + plain.errors).split(separator: "\n").map(String.init)
    #expect(try await vscode(lines) == told)
    let log = workspace.home.appending("build.log")
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: URL(fileURLWithPath: log.string))
    #expect(try await neovim(log) == told)
    #expect(try await emacs(log) == told)
  }

  // MARK: Editors

  /// Runs the problem matcher as VS Code does: problems are cleared where the begin pattern matches, and are
  /// shown when the end pattern has.
  private func vscode(_ lines: [String]) async throws -> Set<Problem> {
    struct Tasks: Decodable {
      struct Task: Decodable { var problemMatcher: Matcher }
      struct Matcher: Decodable {
        var pattern: Pattern
        var background: Background
      }
      struct Pattern: Decodable {
        var regexp: String
        var file: Int
        var line: Int
      }
      struct Background: Decodable {
        var beginsPattern: String
        var endsPattern: String
      }
      var tasks: [Task]
    }
    let tasks = try JSONDecoder().decode(Tasks.self, from: Data(try await snippet("vscode").utf8))
    let matcher = try #require(tasks.tasks.first?.problemMatcher)
    func matches(_ pattern: String, _ line: String) throws -> NSTextCheckingResult? {
      try NSRegularExpression(pattern: pattern)
        .firstMatch(in: line, range: NSRange(line.startIndex..., in: line))
    }
    var problems: Set<Problem> = []
    var shown: Set<Problem> = []
    for line in lines {
      if try matches(matcher.background.beginsPattern, line) != nil { problems = [] }
      if try matches(matcher.background.endsPattern, line) != nil { shown = problems }
      guard let match = try matches(matcher.pattern.regexp, line),
        let file = Range(match.range(at: matcher.pattern.file), in: line),
        let number = Range(match.range(at: matcher.pattern.line), in: line)
      else { continue }
      problems.insert(Problem(file: String(line[file]), line: Int(line[number]) ?? 0))
    }
    return shown
  }

  private func neovim(_ log: FilePath) async throws -> Set<Problem> {
    let compiler = workspace.home.appending("vim/compiler/watchbuild.vim")
    try workspace.write("../vim/compiler/watchbuild.vim", try await snippet("neovim"))
    #expect(FileManager.default.fileExists(atPath: compiler.string))
    let list = "\(workspace.home)/nvim.list"
    try Tool.run(
      "nvim",
      [
        "--headless", "-u", "NONE", "-i", "NONE", "--cmd", "set rtp^=\(workspace.home)/vim",
        "-c", "cd \(workspace.root)", "-c", "compiler watchbuild", "-c", "cfile \(log)",
        "-c",
        "call writefile(map(filter(getqflist(), 'v:val.valid'), "
          + "'fnamemodify(bufname(v:val.bufnr), \":.\") . \":\" . v:val.lnum'), '\(list)')",
        "-c", "qall!",
      ])
    return try problems(in: list)
  }

  private func emacs(_ log: FilePath) async throws -> Set<Problem> {
    let snippet = "\(workspace.home)/watchbuild.el"
    try Data(try await self.snippet("emacs").utf8).write(to: URL(fileURLWithPath: snippet))
    let list = "\(workspace.home)/emacs.list"
    try Tool.run(
      "emacs",
      [
        "-Q", "--batch", "-l", snippet, "--eval",
        """
        (with-temp-buffer
          (insert-file-contents "\(log)")
          (setq default-directory "\(workspace.root)/")
          (watchbuild-mode)
          (compilation--ensure-parse (point-max))
          (let ((found nil) (at (point-min)))
            (while (setq at (next-single-property-change at 'compilation-message))
              (let ((message (get-text-property at 'compilation-message)))
                (when message
                  (let ((place (compilation--message->loc message)))
                    (push (format "%s:%d" (caar (compilation--loc->file-struct place))
                                  (compilation--loc->line place))
                          found)))))
            (write-region (mapconcat #'identity found "\\n") nil "\(list)")))
        """,
      ])
    return try problems(in: list)
  }

  private func problems(in list: String) throws -> Set<Problem> {
    let text = try String(contentsOfFile: list, encoding: .utf8)
    return Set(
      text.split(separator: "\n").compactMap { line in
        guard let colon = line.lastIndex(of: ":"), let number = Int(line[colon...].dropFirst())
        else { return nil }
        return Problem(file: String(line[..<colon]), line: number)
      })
  }
}
