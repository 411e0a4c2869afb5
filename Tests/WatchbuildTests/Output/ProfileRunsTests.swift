import FoundationEssentials
import SystemPackage
import Testing

@testable import Basics
@testable import Runner
@testable import watchbuild

struct ProfileRunsTests {
  private func run(_ name: String, cycles: Int) throws -> ProfileStore.Run {
    let timings = """
      {"windowMs":1,"planMs":1,"lockMs":0,"bazelMs":1,"loadMs":1,"rolloutMs":0,"totalMs":4}
      """
    let profiles = try (1...cycles).map { number in
      try CycleProfile.decoder.decode(
        CycleProfile.self,
        from: Data(
          """
          {"cycle":\(number),"time":"2026-01-02T03:04:0\(number).000Z","cause":"change","images":[],
          "status":"ok","ok":1,"failed":0,"timings":\(timings),"bazelCommands":1,"spans":[],
          "builds":[]}
          """.utf8))
    }
    return ProfileStore.Run(directory: FilePath("/state/profile/run-\(name)"), cycles: profiles)
  }

  private func runs() throws -> ProfileRuns {
    ProfileRuns(all: [try run("42", cycles: 1), try run("7", cycles: 2)])
  }

  @Test func `a run is chosen by its process number, else the latest`() throws {
    #expect(try runs().run(named: "7").cycles.count == 2)
    #expect(try runs().run(named: nil).name == "42")
  }

  @Test func `an unknown run is told with those that are kept`() throws {
    let runs = try runs()
    let problem = #expect(throws: Problem.self) { try runs.run(named: "8") }
    #expect(problem?.description == "watchbuild: error: there is no run 8; kept are 42, 7")
    #expect(problem?.status == .usage)
  }

  @Test func `runs are listed where there are several`() throws {
    let runs = try runs()
    #expect(
      runs.lines(shown: runs.all[0]) == [
        "runs:", "  --run 42  1 cycle, the latest of 2026-01-02T03:04:01Z (shown)",
        "  --run 7  2 cycles, the latest of 2026-01-02T03:04:02Z",
      ])
    #expect(ProfileRuns(all: [runs.all[0]]).lines(shown: runs.all[0]) == [])
  }
}
