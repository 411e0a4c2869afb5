import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Processes

/// What a build makes of recorded event files and error output; real Bazel is tested elsewhere.
struct BazelBuildTests {
  private let played: PlayedBuild

  init() throws { played = try PlayedBuild() }

  @Test func `the command has the same options in every cycle, targets last`() throws {
    let request = BuildRequest(
      targets: try played.labels("//a:b", "//c:d"),
      options: ["--config=dev", "--platforms=//p:arm"],
      outputGroups: ["tarball", "tarball"])
    let command = played.bazel(ScriptedRunner()).command(for: request)
    #expect(
      command
        == Command(
          "bazel",
          [
            "build", "--keep_going", "--color=no", "--curses=no",
            "--build_event_json_file=\(played.scratch)/build-events-\(getpid()).json",
            "--nobuild_event_json_file_path_conversion",
            "--profile=\(played.scratch)/build-profile-\(getpid()).json",
            "--output_groups=+tarball",
            "--config=dev", "--platforms=//p:arm", "--", "//a:b", "//c:d",
          ], in: "/w"))
  }

  @Test func `startup options come first and only the client hears of the lock`() throws {
    var bazel = played.bazel(ScriptedRunner())
    bazel.startupOptions = ["--output_base=/o"]
    let request = BuildRequest(targets: [], keepsGoing: false, waitsForLock: false)
    let arguments = bazel.command(for: request).arguments
    #expect(
      arguments.prefix(4) == ["--output_base=/o", "--noblock_for_lock", "build", "--nokeep_going"])
    #expect(!arguments.contains { $0.hasPrefix("--output_groups") })
  }

  @Test func `targets of Bazel 6 and later are known by their canonical labels`() async throws {
    let result = try await played.build(
      "//a:b", "@rules//x:y",
      events: [
        #"{"id":{"targetCompleted":{"label":"@@//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"targetCompleted":{"label":"@@rules~1.2//x:y"}},"completed":{"success":true}}"#,
      ])
    #expect(result == BuildResult(exitCode: 0))
    #expect(
      played.outcomes == ["//a:b": .built(outputs: [:]), "@rules//x:y": .built(outputs: [:])])
  }

  @Test func `a compiler's words come before Bazel's, and a culprit's before its victims`()
    async throws
  {
    let output = played.scratch.appending("stderr-5")
    try output.write(
      Array("b/bad.c:7:13: error: expected expression\n".utf8))
    let result = try await played.build(
      "//b:dep", "//b:bad",
      events: [
        #"{"id":{"actionCompleted":{"label":"//b:bad"}},"action":{"exitCode":1,"stderr":{"uri":"file://\#(output)"},"type":"CppCompile","failureDetail":{"message":"gcc failed: error executing command\n  (cd /x)","spawn":{"spawnExitCode":7}}}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:dep"}},"children":[{"actionCompleted":{"label":"//b:bad"}}],"completed":{"failureDetail":{"message":"gcc failed: error executing command"}}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:bad"}},"children":[{"actionCompleted":{"label":"//b:bad"}}],"completed":{}}"#,
      ],
      error: "ERROR: /w/b/BUILD:8:8: Compiling bad.c of //b:bad failed: (Exit 7): gcc failed\n",
      exit: 1)
    #expect(result == BuildResult(exitCode: 1))
    let bad = try #require(Label("//b:bad"))
    let failure = TargetOutcome.failed(
      message: "CppCompile of //b:bad failed with exit code 7", causes: [bad])
    #expect(played.outcomes == ["//b:dep": failure, "//b:bad": failure])
    let diagnostics = played.updates.diagnostics.map {
      "\($0.file):\($0.line) \($0.target?.description ?? "")"
    }
    #expect(diagnostics == ["b/bad.c:7 //b:bad", "b/BUILD:8 //b:bad"])
  }

  @Test func `a failure without place quotes the program's last words`() async throws {
    let output = played.scratch.appending("stderr-6")
    try output.write(Array("preparing\njq: command not found\n".utf8))
    _ = try await played.build(
      "//b:bad",
      events: [
        #"{"id":{"actionCompleted":{"label":"//b:bad"}},"action":{"exitCode":127,"stderr":{"uri":"file://\#(output)"},"type":"Genrule"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:bad"}},"children":[{"actionCompleted":{"label":"//b:bad"}}],"completed":{}}"#,
      ], exit: 1)
    let bad = try #require(Label("//b:bad"))
    #expect(
      played.outcomes == [
        "//b:bad": .failed(
          message: "Genrule of //b:bad failed with exit code 127: jq: command not found",
          causes: [bad])
      ])
  }

  @Test func `a target that can't be analysed is explained by the error about it`() async throws {
    _ = try await played.build(
      "//app:image", "//app:odd",
      events: [
        #"{"id":{"targetCompleted":{"label":"//app:image"}},"children":[{"unconfiguredLabel":{"label":"//lib:l"}}],"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
        #"{"id":{"targetCompleted":{"label":"//app:odd"}},"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
      ],
      error: """
        ERROR: /w/app/BUILD:2:8: //app:odd: no such attribute 'srcz' in 'genrule' rule
        ERROR: /w/app/BUILD:1:8: no such target '//lib:l': not declared and referenced by '//app:image'

        """, exit: 1)
    let lib = try #require(Label("//lib:l"))
    #expect(
      played.outcomes == [
        "//app:odd": .failed(
          message: "//app:odd: no such attribute 'srcz' in 'genrule' rule", causes: []),
        "//app:image": .failed(
          message: "no such target '//lib:l': not declared and referenced by '//app:image'",
          causes: [lib]),
      ])
    let targets = played.updates.diagnostics.map { $0.target?.description }
    #expect(targets == ["//app:odd", "//app:image"])
  }

  @Test func `events that could not be sent elsewhere are no failure`() async throws {
    let result = try await played.build(
      "//a:b",
      events: [
        #"{"id":{"targetCompleted":{"label":"//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"buildToolLogs":{}},"lastMessage":true}"#,
      ], error: "ERROR: upload failed\n", exit: 38)
    #expect(result == BuildResult(exitCode: 38))
    #expect(played.outcomes == ["//a:b": .built(outputs: [:])])
  }

  @Test func `without keep-going the culprit is told from those it stopped`() async throws {
    _ = try await played.build(
      "//b:bad", "//b:other",
      events: [
        #"{"id":{"actionCompleted":{"label":"//b:bad"}},"action":{"exitCode":2,"type":"Genrule"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:bad"}},"aborted":{"reason":"INCOMPLETE"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:other"}},"aborted":{"reason":"INCOMPLETE"}}"#,
      ], exit: 1)
    let bad = try #require(Label("//b:bad"))
    #expect(
      played.outcomes == [
        "//b:bad": .failed(message: "Genrule of //b:bad failed with exit code 2", causes: [bad]),
        "//b:other": .skipped(reason: "another target failed first"),
      ])
  }

  @Test func `a wrapper that fails without Bazel's words is quoted`() async throws {
    let result = try await played.build(
      "//a:b", events: [], error: "2026/11/21 could not download Bazel: no route to host\n", exit: 1
    )
    #expect(result.problem == "2026/11/21 could not download Bazel: no route to host")
    #expect(played.outcomes["//a:b"] == result.problem.map { .failed(message: $0, causes: []) })
  }

  @Test func `a target that Bazel never mentions is settled too`() async throws {
    _ = try await played.build("//a:b", events: [])
    #expect(
      played.outcomes
        == ["//a:b": .failed(message: "Bazel did not say what became of it", causes: [])])
  }

  @Test func `a scratch directory that is gone is made again`() async throws {
    rmdir(played.scratch.string)
    #expect(try await played.build("//a:b", events: []).exitCode == 0)
    #expect(rmdir(played.scratch.string) == 0)
  }

  @Test func `a scratch directory that can't be made is a problem with its path`() async throws {
    rmdir(played.scratch.string)
    try played.scratch.write([])
    defer { unlink(played.scratch.string) }
    let error = await #expect(throws: BazelError.self) {
      try await played.bazel(ScriptedRunner()).build(BuildRequest(targets: []), update: { _ in })
    }
    #expect(error?.problem.contains("\(played.scratch)/build-events") == true)
  }

  @Test func `the event file is removed after the build`() async throws {
    _ = try await played.build("//a:b", events: [#"{"id":{}}"#])
    // A directory that still holds a file can't be removed.
    #expect(rmdir(played.scratch.string) == 0)
  }
}
