import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Runner

struct BazelProfileTests {
  /// Of Bazel 4.2.3, most of its events left out.
  static let recorded = """
    {"otherData":{"build_id":"340676c1","output_base":"/o","date":"Sat Nov 21 06:07:32 UTC 2026"},"traceEvents":[
        {"name":"thread_name","ph":"M","pid":1,"tid":0,"args":{"name":"Critical Path"}},
        {"cat":"build phase marker","name":"Launch Blaze","ph":"X","ts":-42000,"dur":42000,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Initialize command","ph":"i","ts":0,"pid":1,"tid":20},
        {"cat":"general information","name":"say \\"ts\\":1","ph":"X","ts":20553,"dur":4,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Evaluate target patterns","ph":"i","ts":131604,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Load and analyze dependencies","ph":"i","ts":154817,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Prepare for build","ph":"i","ts":194510,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Build artifacts","ph":"i","ts":222926,"pid":1,"tid":20},
        {"cat":"build phase marker","name":"Complete build","ph":"i","ts":289883,"pid":1,"tid":20},
        {"cat":"critical path component","name":"action 'Executing genrule //:t1'","ph":"X","ts":248677,"dur":30075,"pid":1,"tid":0},
        {"name":"action counters","ph":"C","ts":5386,"pid":1,"tid":173,"args":{"cpu":"0.01"}},
        {"cat":"general information","name":"Finishing","ph":"i","ts":293817,"pid":1,"tid":173}
      ]
    }
    """

  private func read(_ text: String) -> BazelPhases? {
    var reader = PhaseReader()
    for line in text.split(separator: "\n") { reader.add(Array(line.utf8)) }
    return reader.phases
  }

  @Test func `each phase lasts until the next begins`() throws {
    let phases = try #require(read(Self.recorded))
    #expect(phases.launchMs == 42)
    #expect(phases.initMs == 132)
    #expect(phases.patternsMs == 23)
    #expect(phases.analysisMs == 40)
    #expect(phases.preparationMs == 28)
    #expect(phases.executionMs == 67)
    #expect(phases.finishMs == 4)
    #expect(phases.criticalPathMs == 30)
    #expect(phases.totalMs == 336)
  }

  @Test func `analysis and execution in one are execution`() throws {
    let merged = Self.recorded.replacing(
      "Load and analyze dependencies", with: "Load, analyze dependencies and build artifacts")
    let phases = try #require(read(merged))
    #expect(phases.analysisMs == 0)
    #expect(phases.executionMs == 107)
  }

  @Test func `what was done elsewhere counts once however many actions are at it`() throws {
    let lines = """
      {"cat":"build phase marker","name":"Build artifacts","ph":"i","ts":0,"pid":1,"tid":20},
      {"cat":"remote action cache check","name":"check cache hit","ph":"X","ts":1000,"dur":9000,"pid":1,"tid":1},
      {"cat":"remote action cache check","name":"check cache hit","ph":"X","ts":5000,"dur":10000,"pid":1,"tid":2},
      {"cat":"remote output download","name":"download outputs","ph":"X","ts":20000,"dur":17280,"pid":1,"tid":1},
      {"cat":"remote action execution","name":"execute","ph":"X","ts":40000,"dur":3000,"pid":1,"tid":1},
      {"cat":"Remote execution upload time","name":"upload","ph":"X","ts":50000,"dur":2000,"pid":1,"tid":1},
      """
    let work = try #require(read(lines)?.remote)
    #expect(
      [work.checkMs, work.downloadMs, work.executionMs, work.uploadMs] == [14, 17, 3, 2])
    #expect(read(Self.recorded)?.remote == nil)
  }

  @Test(arguments: ["", "no JSON", "{\"traceEvents\":[", "{\"cat\":\"build phase marker\",\"ts\":"])
  func `what is no profile has no phases`(text: String) {
    #expect(read(text) == nil)
  }

  @Test func `an event moves in time and to another process, and nothing else changes`() throws {
    let lines = Self.recorded.split(separator: "\n").map { Array($0.utf8) }
    let moved = lines.compactMap { ChromeTrace.moved($0, by: 1_000_000, process: 5) }
      .map { String(decoding: $0, as: UTF8.self) }
    #expect(moved.count == 12)
    #expect(
      moved[1]
        == #"{"cat":"build phase marker","name":"Launch Blaze","ph":"X","ts":958000,"dur":42000,"pid":5,"tid":20}"#
    )
    #expect(moved[3].contains(#""name":"say \"ts\":1","ph":"X","ts":1020553,"#))
  }
}
