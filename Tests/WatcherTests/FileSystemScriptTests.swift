import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

extension OneWatcher {
  @Suite struct Scripts {
    @Test(arguments: FileSystemScript.all)
    func `files change as the script says`(_ script: FileSystemScript) async throws {
      if let tool = script.missingTool {
        try #require(getenv("CI") == nil, "\(tool) is not installed")
        return
      }
      let directory = try TemporaryDirectory()
      let root = try directory.makeDirectory("root")
      try WatchHarness.shell(script.preparation, in: root)
      let watcher = try InotifyWatcher(script.scope(root: root))
      _ = await watcher.ready()
      do {
        for step in script.steps {
          switch step {
          case .run(let commands): try WatchHarness.shell(commands, in: root)
          case .expect(let expectations):
            try await watcher.synchronize()
            let changes = WatchHarness.changes(
              in: watcher.events.takeAvailable(), relativeTo: root)
            let mistakes = FileSystemScript.mistakes(in: changes, against: expectations)
            #expect(mistakes.isEmpty, "\(script.name): \(mistakes.joined(separator: "\n"))")
          }
        }
      } catch {
        Issue.record(error)
      }
      await watcher.stop()
    }
  }
}

@Suite struct FileSystemScriptTests {
  @Test func `a missing and a needless report are both mistakes`() throws {
    let script = try FileSystemScript(name: "x", text: "when\n  true\nthen\n  created a\n")
    guard case .expect(let expected)? = script.steps.last else {
      Issue.record("no expectation")
      return
    }
    #expect(
      FileSystemScript.mistakes(in: ["created b"], against: expected)
        == ["not reported: created a", "not expected: created b"])
  }

  @Test func `an unknown word is refused with its line`() {
    #expect {
      try FileSystemScript(name: "x", text: "given\nwehn\n")
    } throws: {
      "\($0)" == "x:2: unknown word 'wehn'"
    }
  }
}
