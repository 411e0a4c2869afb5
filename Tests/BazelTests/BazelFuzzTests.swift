import SystemPackage
import TestSupport
import Testing

@testable import Bazel

/// What a Bazel, or whoever writes into its files, may give us to read: none of it may crash us or make us hang.
@Suite(.timeLimit(.minutes(30))) struct BazelFuzzTests {
  @Test func `no event file crashes its reader`() throws {
    let lines = [
      #"{"id":{"started":{}},"started":{"uuid":"u","serverPid":"17","command":"build","optionsDescription":"--a"}}"#,
      #"{"id":{"namedSet":{"id":"1"}},"namedSetOfFiles":{"files":[{"name":"t.tar","uri":"file:///x/t.tar","pathPrefix":["b","c"]}],"fileSets":[{"id":"2"}]}}"#,
      #"{"id":{"targetCompleted":{"label":"//b:f"}},"children":[{"actionCompleted":{"label":"//b:f"}}],"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"1"}]}]}}"#,
      #"{"id":{"actionCompleted":{"label":"//b:f"}},"action":{"exitCode":1,"type":"Genrule","stderr":{"name":"e","uri":"file:///e"}}}"#,
      #"{"id":{"targetCompleted":{"label":"//b:g"}},"aborted":{"reason":"SKIPPED","description":"d"}}"#,
      #"{"id":{"progress":{"opaqueCount":3}},"progress":{"stderr":"[3 / 9] Compiling a.c\\n"}}"#,
      #"{"id":{"buildMetrics":{}},"buildMetrics":{"actionSummary":{"actionsCreated":"3","actionsExecuted":"2"}}}"#,
      #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}},"lastMessage":true}"#,
    ].map { Array($0.utf8) }
    var fuzz = Fuzz(
      "event file", words: ["null", "{}", "\"id\":{", "\\u0000", "\\ud800", "file://"])
    var events = BuildEvents()
    for count in 0..<fuzz.cases {
      // What is remembered of a build ends with it.
      if count % 20 == 0 { events = BuildEvents() }
      _ = events.add(fuzz.mutated(lines))
    }
  }

  @Test func `no answer to a query crashes its reader, and what is no stream is said to be none`()
    throws
  {
    let answers = [QueryStreamTests.answer, Array(QueryStreamTests.answer.prefix(60))]
    var fuzz = Fuzz("query stream", words: ["\u{7f}\u{7f}\u{7f}", "//", "@", "\u{8}\u{1}"])
    for _ in 0..<fuzz.cases {
      var stream = QueryStream()
      do {
        _ = try stream.add(fuzz.mutated(answers))
      } catch {
        _ = error as QueryStream.Malformed
      }
    }
  }

  @Test func `nothing that Bazel prints crashes its reader`() throws {
    let texts = [
      "ERROR: /w/a/BUILD:3:8: in deps attribute of rule //a:b: no such target '//c:d'\n",
      "INFO: Options provided by the client:\n  Inherited 'common' options: --isatty=0\n",
      "/w/a/b.c:3:17: error: expected ';' before 'x'\n    3 |   return 1\n",
      "Another command (pid=17) is running. Waiting for it to complete on the server (server_pid=3)...\n",
      "\u{1b}[32m[3 / 9]\u{1b}[0m Compiling a/b.c; 3s linux-sandbox ... (2 actions running)\r",
    ].map { Array($0.utf8) }
    var fuzz = Fuzz(
      "printed lines", words: ["ERROR: ", ":1:", "\u{1b}[", "pid=", "failed: (Exit 1)"])
    var output = BazelOutput(workspace: "/w", read: { _ in nil })
    var printed = PrintedOutput()
    for count in 0..<fuzz.cases {
      if count % 20 == 0 {
        _ = output.finish(at: .zero)
        output = BazelOutput(workspace: "/w", read: { _ in nil })
        printed = PrintedOutput()
      }
      let bytes = fuzz.mutated(texts)
      _ = output.add(bytes, at: .zero)
      _ = printed.add(bytes)
    }
  }
}
