import Batching
import Glibc
import SystemPackage
import TestSupport
import Testing
import Watcher

@testable import Runner

/// What a build makes of recorded event files and error output; real Bazel is tested elsewhere.
struct BazelBuildTests {
  private let directory: TemporaryDirectory
  private let scratch: FilePath
  private let updates = BuildUpdates()

  init() throws {
    directory = try TemporaryDirectory()
    scratch = directory.path
  }

  @Test func `the command has the same options in every cycle, targets last`() throws {
    let request = BuildRequest(
      targets: try labels("//a:b", "//c:d"), options: ["--config=dev", "--platforms=//p:arm"],
      outputGroups: ["tarball", "tarball"])
    let command = bazel(ScriptedRunner()).command(for: request)
    #expect(
      command
        == Command(
          "bazel",
          [
            "build", "--keep_going", "--color=no", "--curses=no",
            "--build_event_json_file=\(scratch)/build-events-\(getpid()).json",
            "--nobuild_event_json_file_path_conversion",
            "--profile=\(scratch)/build-profile-\(getpid()).json", "--output_groups=+tarball",
            "--config=dev", "--platforms=//p:arm", "--", "//a:b", "//c:d",
          ], in: "/w"))
  }

  @Test func `startup options come first and only the client hears of the lock`() throws {
    var bazel = bazel(ScriptedRunner())
    bazel.startupOptions = ["--output_base=/o"]
    let request = BuildRequest(targets: [], keepsGoing: false, waitsForLock: false)
    let arguments = bazel.command(for: request).arguments
    #expect(
      arguments.prefix(4) == ["--output_base=/o", "--noblock_for_lock", "build", "--nokeep_going"])
    #expect(!arguments.contains { $0.hasPrefix("--output_groups") })
  }

  @Test func `targets of Bazel 6 and later are known by their canonical labels`() async throws {
    let result = try await build(
      "//a:b", "@rules//x:y",
      events: [
        #"{"id":{"targetCompleted":{"label":"@@//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"targetCompleted":{"label":"@@rules~1.2//x:y"}},"completed":{"success":true}}"#,
      ])
    #expect(result == BuildResult(exitCode: 0))
    #expect(
      outcomes == ["//a:b": .built(outputs: [:]), "@rules//x:y": .built(outputs: [:])])
  }

  @Test func `a compiler's words come before Bazel's, and a culprit's before its victims`()
    async throws
  {
    let output = scratch.appending("stderr-5")
    try directory.write("b/bad.c:7:13: error: expected expression\n", to: "stderr-5")
    let result = try await build(
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
    #expect(outcomes == ["//b:dep": failure, "//b:bad": failure])
    let diagnostics = updates.diagnostics.map {
      "\($0.file):\($0.line) \($0.target?.description ?? "")"
    }
    #expect(diagnostics == ["b/bad.c:7 //b:bad", "b/BUILD:8 //b:bad"])
  }

  @Test func `a failure without place quotes the program's last words`() async throws {
    let output = scratch.appending("stderr-6")
    try directory.write("preparing\njq: command not found\n", to: "stderr-6")
    _ = try await build(
      "//b:bad",
      events: [
        #"{"id":{"actionCompleted":{"label":"//b:bad"}},"action":{"exitCode":127,"stderr":{"uri":"file://\#(output)"},"type":"Genrule"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:bad"}},"children":[{"actionCompleted":{"label":"//b:bad"}}],"completed":{}}"#,
      ], exit: 1)
    let bad = try #require(Label("//b:bad"))
    #expect(
      outcomes == [
        "//b:bad": .failed(
          message: "Genrule of //b:bad failed with exit code 127: jq: command not found",
          causes: [bad])
      ])
  }

  @Test func `a target that can't be analysed is explained by the error about it`() async throws {
    _ = try await build(
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
      outcomes == [
        "//app:odd": .failed(
          message: "//app:odd: no such attribute 'srcz' in 'genrule' rule", causes: []),
        "//app:image": .failed(
          message: "no such target '//lib:l': not declared and referenced by '//app:image'",
          causes: [lib]),
      ])
    let targets = updates.diagnostics.map { $0.target?.description }
    #expect(targets == ["//app:odd", "//app:image"])
  }

  /// An exit code, what Bazel said, what the user is told, and whether another try may help.
  struct Ending: Sendable, CustomTestStringConvertible {
    var code: Int32
    var error = "ERROR: it broke\n"
    var problem: String?
    var isTroubled = false

    var testDescription: String { "\(code): \(error)" }
  }

  static let endings = [
    // What it was to build failed: told target by target.
    Ending(code: 3), Ending(code: 4),
    Ending(
      code: 2, problem: "it broke; check the options after '--', in watchbuild.yaml and in .bazelrc"
    ),
    Ending(
      code: 7,
      problem: "Bazel ended with exit code 7: it broke; run the command by hand to see more"),
    Ending(
      code: 8, problem: "Bazel was interrupted by another hand; the build is tried again",
      isTroubled: true),
    Ending(
      code: 9, error: "Another command (pid=1) is running. Exiting immediately.\n",
      problem: "another command (pid 1"),
    Ending(
      code: 32,
      problem: "Bazel's remote service failed: it broke; check the network, the credentials",
      isTroubled: true),
    Ending(
      code: 33, problem: "Bazel's server ran out of memory; give it more in .bazelrc: startup",
      isTroubled: true),
    Ending(
      code: 36,
      problem: "Bazel can't use this machine's files: it broke; check free space and permissions",
      isTroubled: true),
    Ending(
      code: 37, problem: "Bazel's server crashed or was killed; the next command starts a new one",
      isTroubled: true),
    Ending(
      code: 38, problem: "Bazel could not write its build events: it broke; check free space",
      isTroubled: true),
    Ending(
      code: 39, problem: "the remote cache no longer has what the build needs: it broke; if it",
      isTroubled: true),
    Ending(
      code: 48, problem: "Bazel can't get an external dependency: it broke; check the network"),
    Ending(code: 137, problem: "Bazel ended with exit code 137: it broke", isTroubled: true),
    Ending(
      code: 36, error: "ERROR: /o/server/x: No space left on device\n",
      problem: "the disk is full: /o/server/x: No space left on device; free some space, and the",
      isTroubled: true),
    Ending(
      code: 1, error: "ERROR: a.sh: write error: No space left on device\n",
      problem: "the disk is full: a.sh: write error: No space left on device; free some space",
      isTroubled: true),
  ]

  @Test(arguments: endings)
  func `every ending of Bazel is told with what to do about it`(_ ending: Ending) async throws {
    let result = try await build("//a:b", events: [], error: ending.error, exit: ending.code)
    #expect(result.exitCode == ending.code)
    if let problem = ending.problem {
      #expect(result.problem?.hasPrefix(problem) == true, "\(result.problem ?? "")")
    } else {
      #expect(result.problem == nil)
    }
    #expect(result.isTroubled == ending.isTroubled)
    // What is worth another try is not the image's fault; either way it stays owed.
    if case .skipped = outcomes["//a:b"] {
      #expect(ending.isTroubled || ending.code == 9)
    } else {
      #expect(outcomes.count == 1)
    }
  }

  @Test func `a client that hangs after the last event is ended, and its build counts`()
    async throws
  {
    let clock = ManualClock()
    let runner = ScriptedRunner { command, _ in
      let option = "--build_event_json_file="
      let path = command.arguments.first { $0.hasPrefix(option) }?.dropFirst(option.count) ?? ""
      let events = [
        #"{"id":{"targetCompleted":{"label":"//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}}}"#,
        #"{"id":{"buildToolLogs":{}},"lastMessage":true}"#,
      ]
      let file = try FileDescriptor.open(String(path), .writeOnly)
      _ = try file.closeAfter { try file.writeAll((events.joined(separator: "\n") + "\n").utf8) }
      // It never returns by itself.
      try await clock.pause(for: .seconds(3600))
      return .exited(99)
    }
    let bazel = Bazel(workspace: "/w", runner: runner, clock: clock, scratch: scratch)
    let labels = try labels("//a:b")
    let build = Task { [updates] in
      try await bazel.build(BuildRequest(targets: labels), update: updates.add)
    }
    await clock.waitForSleepers(2)
    clock.advance(by: .milliseconds(10))
    await updates.reach { $0.outcome("//a:b") != nil }
    await clock.waitForSleepers(2)
    clock.advance(by: .seconds(9.9))
    await clock.waitForSleepers(2)
    #expect(updates.all.count == 1)
    clock.advance(by: .milliseconds(200))
    let result = try await build.value
    #expect(result == BuildResult(exitCode: 0))
    #expect(
      updates.all.last
        == .message(
          "Bazel has ended its build but its client does not return after 10 s; ending the client"))
  }

  /// What one version of Bazel writes of a build of `//a:b` that succeeds and `//a:c` that fails.
  struct Recording: Sendable, CustomTestStringConvertible {
    var version: String
    var lines: [String]

    var testDescription: String { "Bazel \(version)" }
  }

  static let failing = [
    #"{"id":{"actionCompleted":{"primaryOutput":"bazel-out/k8-fastbuild/bin/a/c.tar","label":"LABELc","configuration":{"id":"f5"}}},"action":{"exitCode":1,"label":"LABELc","type":"Genrule","failureDetail":{"message":"bash failed: error executing command","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":7}}}}"#,
    #"{"id":{"targetCompleted":{"label":"LABELc","configuration":{"id":"f5"}}},"children":[{"actionCompleted":{"label":"LABELc"}}],"completed":{"failureDetail":{"message":"bash failed"}}}"#,
    #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"BUILD_FAILURE","code":1}}}"#,
    #"{"id":{"buildToolLogs":{}},"lastMessage":true,"buildToolLogs":{}}"#,
  ]

  static let recordings = [
    // The file itself beside the target, and its set.
    Recording(
      version: "5",
      lines: [
        #"{"id":{"started":{}},"children":[],"started":{"uuid":"1","buildToolVersion":"5.4.1"}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"]}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}],"importantOutput":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar"}]}}"#,
      ]),
    // Files with digest and length; sets in sets.
    Recording(
      version: "6",
      lines: [
        #"{"id":{"started":{}},"started":{"buildToolVersion":"6.5.0","startTime":"2026-11-21T06:00:00Z"}}"#,
        #"{"id":{"namedSet":{"id":"1"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"namedSet":{"id":"2"}},"namedSetOfFiles":{"fileSets":[{"id":"1"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"2"}]}],"importantOutput":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar"}]}}"#,
      ]),
    // With a remote cache and without the bytes: found below the execution root.
    Recording(
      version: "7",
      lines: [
        #"{"id":{"workspace":{}},"workspaceInfo":{"localExecRoot":"/x"}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"bytestream://cache/blobs/e816/360","pathPrefix":["bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}]}}"#,
      ]),
    // No more important outputs, and files in the group itself.
    Recording(
      version: "8",
      lines: [
        #"{"id":{"targetSummary":{"label":"LABELb"}},"targetSummary":{"overallBuildSuccess":true}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","inlineFiles":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","digest":"e816"}]}]}}"#,
      ]),
    Recording(
      version: "9",
      lines: [
        #"{"id":{"execRequest":{}},"execRequest":{"argv":[]}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}],"incomplete":false}],"targetKind":"genrule rule"}}"#,
      ]),
  ]

  @Test(arguments: recordings, ["//a:", "@//a:", "@@//a:"])
  func `the events of every version of Bazel come to the same outcomes`(
    _ recording: Recording, prefix: String
  ) async throws {
    let result = try await build(
      "//a:b", "//a:c",
      events: (recording.lines + Self.failing).map { $0.replacing("LABEL", with: prefix) }, exit: 1)
    #expect(result == BuildResult(exitCode: 1))
    let failed = try #require(Label("//a:c"))
    #expect(
      outcomes == [
        "//a:b": .built(outputs: ["default": ["/x/bin/a/b.tar"]]),
        "//a:c": .failed(message: "Genrule of //a:c failed with exit code 7", causes: [failed]),
      ])
  }

  @Test func `events that could not be sent elsewhere are no failure`() async throws {
    let result = try await build(
      "//a:b",
      events: [
        #"{"id":{"targetCompleted":{"label":"//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"buildToolLogs":{}},"lastMessage":true}"#,
      ], error: "ERROR: upload failed\n", exit: 38)
    #expect(result == BuildResult(exitCode: 38))
    #expect(outcomes == ["//a:b": .built(outputs: [:])])
  }

  @Test func `without keep-going the culprit is told from those it stopped`() async throws {
    _ = try await build(
      "//b:bad", "//b:other",
      events: [
        #"{"id":{"actionCompleted":{"label":"//b:bad"}},"action":{"exitCode":2,"type":"Genrule"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:bad"}},"aborted":{"reason":"INCOMPLETE"}}"#,
        #"{"id":{"targetCompleted":{"label":"//b:other"}},"aborted":{"reason":"INCOMPLETE"}}"#,
      ], exit: 1)
    let bad = try #require(Label("//b:bad"))
    #expect(
      outcomes == [
        "//b:bad": .failed(message: "Genrule of //b:bad failed with exit code 2", causes: [bad]),
        "//b:other": .skipped(reason: "another target failed first"),
      ])
  }

  @Test func `a wrapper that fails without Bazel's words is quoted`() async throws {
    let result = try await build(
      "//a:b", events: [], error: "2026/11/21 could not download Bazel: no route to host\n", exit: 1
    )
    #expect(result.problem == "2026/11/21 could not download Bazel: no route to host")
    #expect(outcomes["//a:b"] == result.problem.map { .failed(message: $0, causes: []) })
  }

  @Test func `a target that Bazel never mentions is settled too`() async throws {
    _ = try await build("//a:b", events: [])
    #expect(
      outcomes
        == ["//a:b": .failed(message: "Bazel did not say what became of it", causes: [])])
  }

  @Test func `a scratch directory that is gone is a problem with its path`() async throws {
    rmdir(scratch.string)
    let error = await #expect(throws: BazelError.self) {
      try await bazel(ScriptedRunner()).build(BuildRequest(targets: []), update: { _ in })
    }
    #expect(error?.problem.contains("\(scratch)/build-events") == true)
  }

  @Test func `the event file is removed after the build`() async throws {
    _ = try await build("//a:b", events: [#"{"id":{}}"#])
    // A directory that still holds a file can't be removed.
    #expect(rmdir(scratch.string) == 0)
  }

  // MARK: - Playing a build

  private func build(
    _ names: String..., events: [String], error: String = "", exit: Int32 = 0
  ) async throws -> BuildResult {
    let runner = ScriptedRunner { command, output in
      let option = "--build_event_json_file="
      guard let argument = command.arguments.first(where: { $0.hasPrefix(option) }) else {
        return .exited(2)
      }
      if !error.isEmpty { output(.standardError(Array(error.utf8))) }
      // As Bazel does, into the file that is there already.
      let file = try FileDescriptor.open(
        String(argument.dropFirst(option.count)), .writeOnly, options: .truncate)
      _ = try file.closeAfter {
        try file.writeAll(events.map { $0 + "\n" }.joined().utf8)
      }
      return .exited(exit)
    }
    return try await bazel(runner).build(
      BuildRequest(targets: try names.map { try #require(Label($0)) }), update: updates.add)
  }

  private var outcomes: [String: TargetOutcome] {
    var outcomes: [String: TargetOutcome] = [:]
    for (label, outcome) in updates.outcomes {
      #expect(outcomes[label.description] == nil, "each target is reported once")
      outcomes[label.description] = outcome
    }
    return outcomes
  }

  private func bazel(_ runner: ScriptedRunner) -> Bazel {
    Bazel(workspace: "/w", runner: runner, clock: ContinuousClock(), scratch: scratch)
  }

  private func labels(_ names: String...) throws -> [Label] {
    try names.map { try #require(Label($0)) }
  }
}
