import TestSupport
import Testing

@testable import Images
@testable import Runtimes

@Suite struct LossJudgementTests {
  private func at(_ seconds: Int) -> ManualClock.Instant { .init(offset: .seconds(seconds)) }

  @Test func `a loss is mended at once, and the same one again ever more rarely`() throws {
    let api = try #require(ImageReference("api:dev"))
    var judgement = LossJudgement<ManualClock.Instant>()
    #expect(judgement.judge([api], at: at(0)) == .init(due: [api: 0]))
    #expect(judgement.judge([api], at: at(4)) == .init(next: at(10)))
    #expect(judgement.judge([], at: at(5)) == .init())
    #expect(judgement.judge([api], at: at(10)) == .init(due: [api: 1]))
    #expect(judgement.judge([api], at: at(11)) == .init(next: at(30)))
    #expect(judgement.judge([api], at: at(30)) == .init(due: [api: 2]))
    #expect(judgement.judge([api], at: at(31)) == .init(next: at(70)))
  }

  @Test func `the longest wait is ten minutes`() throws {
    let api = try #require(ImageReference("api:dev"))
    var judgement = LossJudgement<ManualClock.Instant>()
    var now = 0
    for _ in 0..<20 {
      #expect(judgement.judge([api], at: at(now)).due.count == 1)
      let next = judgement.judge([api], at: at(now)).next
      now = Int((next?.offset ?? .zero).components.seconds)
    }
    #expect(judgement.judge([api], at: at(now)).due.count == 1)
    #expect(judgement.judge([api], at: at(now)).next == at(now + 600))
  }

  @Test func `one that was left alone for a quarter of an hour is lost for the first time again`()
    throws
  {
    let api = try #require(ImageReference("api:dev"))
    var judgement = LossJudgement<ManualClock.Instant>()
    _ = judgement.judge([api], at: at(0))
    #expect(judgement.judge([api], at: at(900)) == .init(due: [api: 0]))
  }

  @Test func `one name's quarrel is no other's`() throws {
    let api = try #require(ImageReference("api:dev"))
    let web = try #require(ImageReference("web:dev"))
    var judgement = LossJudgement<ManualClock.Instant>()
    _ = judgement.judge([api], at: at(0))
    #expect(judgement.judge([api, web], at: at(1)) == .init(due: [web: 0], next: at(10)))
  }
}
