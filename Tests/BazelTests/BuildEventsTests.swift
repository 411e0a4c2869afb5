import SystemPackage
import Testing

@testable import Bazel

/// Lines as Bazel wrote them, shortened; shapes of later versions by their protocol definitions.
struct BuildEventsTests {
  @Test func `a target's files come through the sets that it names`() {
    let facts = read(
      #"{"id":{"namedSet":{"id":"1"}},"namedSetOfFiles":{"files":[{"name":"b/t2.tar","uri":"file:///x/bin/b/t2.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"]}]}}"#,
      #"{"id":{"namedSet":{"id":"2"}},"namedSetOfFiles":{"files":[{"name":"b/t1.tar","uri":"file:///x/bin/b/t1.tar"}],"fileSets":[{"id":"1"},{"id":"2"}]}}"#,
      #"{"id":{"targetCompleted":{"label":"//b:fg","configuration":{"id":"f552"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"2"},{"id":"1"}]}],"importantOutput":[{"name":"other","uri":"file:///other"}]}}"#
    )
    #expect(
      facts == [
        .built(label: "//b:fg", outputs: ["default": ["/x/bin/b/t2.tar", "/x/bin/b/t1.tar"]])
      ])
  }

  @Test func `output groups are kept apart`() {
    let facts = read(
      #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a","uri":"file:///a"}]}}"#,
      #"{"id":{"namedSet":{"id":"1"}},"namedSetOfFiles":{"files":[{"name":"t","uri":"file:///t"}]}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:load"}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]},{"name":"tarball","fileSets":[{"id":"1"}]}]}}"#
    )
    #expect(facts == [.built(label: "//a:load", outputs: ["default": ["/a"], "tarball": ["/t"]])])
  }

  @Test func `Bazel 5 before output groups, Bazel 8 without important outputs`() {
    #expect(
      read(
        #"{"id":{"targetCompleted":{"label":"//a:b"}},"completed":{"success":true,"importantOutput":[{"name":"b.tar","uri":"file:///b.tar"}]}}"#
      ) == [.built(label: "//a:b", outputs: ["default": ["/b.tar"]])])
    #expect(
      read(
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"b.tar","uri":"file:///b.tar","digest":"e816","length":"360"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"@@//a:b"}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}]}}"#
      ) == [.built(label: "@@//a:b", outputs: ["default": ["/b.tar"]])])
  }

  @Test func `a remote URI stands for the path in the execution root`() {
    let facts = read(
      #"{"id":{"workspace":{}},"workspaceInfo":{"localExecRoot":"/base/execroot/_main"}}"#,
      #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/i.tar","uri":"bytestream://cache:443/blobs/aaa/12","pathPrefix":["bazel-out","k8-fastbuild","bin"]},{"name":"a/j.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"]}]}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}],"inlineFiles":[{"name":"k","uri":"file:///k"}]}]}}"#
    )
    let bin: FilePath = "/base/execroot/_main/bazel-out/k8-fastbuild/bin"
    #expect(
      facts == [
        .executionRoot("/base/execroot/_main"),
        .built(
          label: "//a:i",
          outputs: ["default": [bin.appending("a/i.tar"), bin.appending("a/j.tar"), "/k"]]),
      ])
  }

  @Test(arguments: [
    ("file:///a/b%20c%25d.tar", "/a/b c%d.tar"), ("file:/a", "/a"), ("file://host/a", "/a"),
    ("file:///gr%C3%BCn", "/grün"), ("file:///a%", "/a%"), ("file:///a%zz", "/a%zz"),
  ])
  func `percent signs are decoded`(uri: String, path: String) {
    #expect(BuildEvents.path(uri: uri)?.string == path)
  }

  @Test func `a failed target names the actions that failed`() {
    let facts = read(
      #"{"id":{"actionCompleted":{"primaryOutput":"bazel-out/k8-fastbuild/bin/b/f3.tar","label":"//b:f3","configuration":{"id":"f552"}}},"action":{"exitCode":1,"stderr":{"name":"stderr","uri":"file:///t/stderr-5"},"label":"//b:f3","type":"Genrule","commandLine":["/bin/bash"],"failureDetail":{"message":"bash failed: error executing command","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":7}}}}"#,
      #"{"id":{"targetCompleted":{"label":"//b:dep_of_bad"}},"children":[{"actionCompleted":{"primaryOutput":"x","label":"//b:f3"}}],"completed":{"failureDetail":{"message":"bash failed: error executing command","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":7}}}}"#
    )
    let message = "bash failed: error executing command"
    #expect(
      facts == [
        .actionFailed(
          label: "//b:f3",
          .init(type: "Genrule", exitCode: 7, message: message, output: ["/t/stderr-5"])),
        .failed(label: "//b:dep_of_bad", message: message, causes: ["//b:f3"]),
      ])
  }

  @Test func `targets that were given up say why`() {
    let facts = read(
      #"{"id":{"targetCompleted":{"label":"//b:slow"}},"aborted":{"reason":"USER_INTERRUPTED"}}"#,
      #"{"id":{"pattern":{"pattern":["//nope:x"]}},"aborted":{"reason":"LOADING_FAILURE","description":"no such package 'nope'"}}"#,
      #"{"id":{"targetCompleted":{"label":"//app:image"}},"children":[{"unconfiguredLabel":{"label":"//lib:l"}}],"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
      #"{"id":{"configuredLabel":{"label":"//lib:l"}},"aborted":{"reason":"ANALYSIS_FAILURE","description":"no such target"}}"#,
      #"{"id":{"unconfiguredLabel":{"label":"//lib:l"}},"aborted":{}}"#
    )
    #expect(
      facts == [
        .aborted(
          labels: ["//b:slow"], reason: "USER_INTERRUPTED", description: nil, causes: []),
        .aborted(
          labels: ["//nope:x"], reason: "LOADING_FAILURE", description: "no such package 'nope'",
          causes: []),
        .aborted(
          labels: ["//app:image"], reason: "ANALYSIS_FAILURE", description: nil,
          causes: ["//lib:l"]),
        .rootCause(label: "//lib:l", description: "no such target"),
      ])
  }

  @Test func `the end is told`() {
    let facts = read(
      #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"BUILD_FAILURE","code":1},"anomalyReport":{}}}"#,
      #"{"id":{"buildToolLogs":{}},"lastMessage":true,"buildToolLogs":{"log":[]}}"#
    )
    #expect(facts == [.finished(1), .last])
  }

  @Test func `aspects, successful actions and what is unknown say nothing`() {
    let facts = read(
      #"{"id":{"targetCompleted":{"label":"//a:b","aspect":"//x.bzl%lint"}},"completed":{}}"#,
      #"{"id":{"actionCompleted":{"label":"//a:b"}},"action":{"success":true,"type":"Genrule"}}"#,
      #"{"id":{"progress":{"opaqueCount":3}},"progress":{"stderr":"INFO"}}"#,
      #"{"id":{"notYetInvented":{"label":"//a:b"}},"notYetInvented":{"uri":[1,{"a":null}]}}"#,
      #"{"id":{"configuration":{"id":"none"}},"configuration":{}}"#
    )
    #expect(facts == [])
  }

  @Test func `a target that could not be configured has failed, and one gives no reason`() {
    let facts = read(
      #"{"id":{"targetConfigured":{"label":"//a:b"}},"children":[{"configuredLabel":{"label":"//p:p"}}],"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
      #"{"id":{"targetConfigured":{"label":"//a:c"}},"children":[{"targetCompleted":{"label":"//a:c"}}],"configured":{"targetKind":"genrule rule"}}"#,
      #"{"id":{"targetConfigured":{"label":"//a:d","aspect":"//x.bzl%lint"}},"aborted":{"reason":"INCOMPLETE"}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:b"}},"aborted":{},"lastMessage":true}"#
    )
    #expect(
      facts == [
        .aborted(
          labels: ["//a:b"], reason: "ANALYSIS_FAILURE", description: nil, causes: ["//p:p"]),
        .aborted(labels: ["//a:b"], reason: nil, description: nil, causes: []),
        .last,
      ])
  }

  @Test func `any event may be the last`() {
    let facts = read(
      #"{"id":{"progress":{"opaqueCount":3}},"progress":{"stderr":"{\"lastMessage\":true}"}}"#,
      #"{"id":{"progress":{"opaqueCount":4}},"progress":{"stderr":"ERROR"},"lastMessage":true}"#
    )
    #expect(facts == [.last])
  }

  @Test func `a command tells its server, its options and where its actions ran`() {
    let facts = read(
      #"{"id":{"started":{}},"children":[],"started":{"uuid":"4f","buildToolVersion":"4.2.3","serverPid":"28587"}}"#,
      #"{"id":{"optionsParsed":{}},"optionsParsed":{"cmdLine":["--disk_cache\u003d/c","--jobs\u003d2"],"explicitCmdLine":["--jobs\u003d2"]}}"#,
      #"{"id":{"buildMetrics":{}},"buildMetrics":{"actionSummary":{"runnerCount":[{"name":"total","count":9},{"name":"internal","count":1},{"name":"remote cache hit","count":3,"execKind":"Remote"},{"name":"disk cache hit","count":2},{"name":"linux-sandbox","count":3}]}}}"#
    )
    var actions = ActionCounts()
    (actions.programs, actions.hits) = (8, 5)
    #expect(
      facts == [
        .started(id: "4f", server: 28587, version: "4.2.3"),
        .options(CommandOptions(["--disk_cache=/c", "--jobs=2"], explicit: ["--jobs=2"])),
        .ran(actions),
      ])
  }

  @Test func `a directory of which no file is told is an output`() {
    let facts = read(
      #"{"id":{"workspace":{}},"workspaceInfo":{"localExecRoot":"/x"}}"#,
      #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/i/index.json","uri":"file:///x/bin/a/i/index.json"}]}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}],"directoryOutput":[{"name":"a/i","pathPrefix":["bin"]},{"name":"a/j","pathPrefix":["bin"]}]}}"#
    )
    #expect(
      facts == [
        .executionRoot("/x"),
        .built(label: "//a:i", outputs: ["default": ["/x/bin/a/i/index.json", "/x/bin/a/j"]]),
      ])
  }

  @Test func `a damaged line does not spoil the next`() {
    let facts = read(
      #"{"id":{"targetCompleted":{"label":"//a:b""#, "", "garbage", #"{"id":[]}"#,
      #"{"id":{"targetCompleted":{"label":"//a:c"}},"completed":{"success":true}}"#
    )
    #expect(facts == [.built(label: "//a:c", outputs: [:])])
  }

  private func read(_ lines: String...) -> [BuildEvents.Fact] {
    var events = BuildEvents()
    return lines.flatMap { events.add(Array($0.utf8)) }
  }
}
