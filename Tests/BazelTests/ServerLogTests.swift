import Testing

@testable import Bazel

/// Lines as Bazel's server wrote them, the environment left out.
struct ServerLogTests {
  private static let own = ["--keep_going", "--build_event_json_file=/s/build-events-7.json"]

  private static func line(_ verb: String, _ words: String) -> String {
    "261121 06:10:43.028:I 173 [com.google.devtools.build.lib.server.GrpcServerImpl.executeCommand] "
      + "[\(verb), --startup_time=62, --command_wait_time=0, --rc_source=client, "
      + "--default_override=1:build=--sandbox_debug, --client_env=A=b, --client_cwd=/w/app, \(words)]"
  }

  private static let ours = line(
    "build", "--keep_going, --build_event_json_file=/s/build-events-7.json, --, //a:i")
  private static let opt = line("build", "-c, opt, //a:i")
  private static let query = line("query", "--output=streamed_proto, deps(//a:i)")

  @Test(arguments: [
    // Our own command, the latest, is in the log or is not yet.
    ([ours, opt, ours], "bazel build -c opt //a:i in /w/app"),
    ([ours, opt], "bazel build -c opt //a:i in /w/app"),
    ([ours, opt, query, ours], "bazel build -c opt //a:i in /w/app"),
    ([opt, ours, query, "noise", "[x] executeCommand] [", ours], nil),
    ([opt, ours, ours], nil), ([ours], nil), ([], nil),
  ])
  func `the command that had other options is named, if it can be told`(
    lines: [String], expected: String?
  ) {
    let log = Array(lines.joined(separator: "\n").utf8)
    let culprit = ServerLog.culprit(in: log, before: Self.own + ["--", "//b:j"])
    #expect(culprit?.description == expected)
  }

  @Test func `what may be secret is not repeated`() {
    let log = Self.line("test", "--remote_header=x-key=topsecret, --bes_header=a=b, //...")
    let culprit = ServerLog.culprit(in: Array(log.utf8), before: [])
    #expect(culprit?.description == "bazel test --remote_header=… --bes_header=… //... in /w/app")
  }

  @Test func `the newer wording of the server is understood`() {
    let log = """
      261121 06:10:43.028:I 173 [com.google.devtools.build.lib.server.GrpcServerImpl.executeCommand] \
      Executing command [build, --startup_time=62, --client_cwd=/w/app, -c, opt, //a:i]
      """
    #expect(
      ServerLog.culprit(in: Array(log.utf8), before: Self.own)?.description
        == "bazel build -c opt //a:i in /w/app")
  }
}
