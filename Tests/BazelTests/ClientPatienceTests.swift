import Testing

@testable import Bazel

struct ClientPatienceTests {
  private var patience = ClientPatience()

  @Test(arguments: [(false, 10), (true, 300)])
  mutating func `a client is ended when it and its server have been still, each force once`(
    talksToServices: Bool, grace: Int
  ) {
    var patience = patience
    var forces: [String] = []
    for second in 0..<(grace + 60) {
      let due = patience.force(
        isComplete: second >= 5, silence: .seconds(max(second - 5, 0)),
        talksToServices: talksToServices, at: .seconds(second))
      if let due { forces.append("\(second): \(due.force)") }
    }
    #expect(forces == ["\(grace + 5): terminate", "\(grace + 15): kill"])
  }

  @Test mutating func `signs of life put it off`() {
    for second in 0..<100 {
      let due = patience.force(
        isComplete: true, silence: .seconds(second % 9), talksToServices: false,
        at: .seconds(second))
      #expect(due == nil)
    }
  }

  @Test mutating func `a command that goes on is given all its time again`() {
    for (second, isComplete) in [(0, true), (8, true), (9, false), (20, true), (29, true)] {
      let due = patience.force(
        isComplete: isComplete, silence: .seconds(second), talksToServices: false,
        at: .seconds(second))
      #expect(due == nil, "\(second)")
    }
  }
}

struct SignsOfLifeTests {
  private var signs = SignsOfLife()
  private var activity = ServerActivity(server: 7, time: 1000, written: 5000, programs: [20])

  @Test mutating func `an idle server gives none`() {
    signs.saw(activity, at: .seconds(2))
    for second in 3..<30 {
      // Its worker sleeps, and it collects garbage.
      activity.time += 4
      signs.saw(activity, at: .seconds(second))
    }
    #expect(signs.silence(at: .seconds(30)) == .seconds(30))
  }

  @Test mutating func `work, writing and a program are signs`() {
    signs.saw(activity, at: .seconds(2))
    activity.time += 60
    signs.saw(activity, at: .seconds(5))
    #expect(signs.silence(at: .seconds(5)) == .zero)
    activity.written += 1
    signs.saw(activity, at: .seconds(6))
    #expect(signs.silence(at: .seconds(6)) == .zero)
    activity.programs.insert(21)
    for second in 7..<20 { signs.saw(activity, at: .seconds(second)) }
    #expect(signs.silence(at: .seconds(19)) == .zero)
    activity.programs.remove(21)
    signs.saw(activity, at: .seconds(20))
    #expect(signs.silence(at: .seconds(20)) == .seconds(1))
  }
}

struct SilenceNoticeTests {
  @Test func `a silence is told soon and then ever more rarely`() {
    var watch = SilenceWatch()
    var told: [Int] = []
    let still = ServerActivity(server: 7, time: 1, written: 1, programs: [])
    for tenth in 0..<6000 {
      let now = Duration.milliseconds(tenth * 100)
      if let text = watch.tick(at: now, isAwaited: false, look: { still }) {
        #expect(text.contains("(pid 7)") && text.contains("'kill 7'"))
        told.append(tenth / 10)
      }
    }
    #expect(told == [10, 30, 90, 270])
  }

  @Test func `a pipe is named as the cause`() {
    var notice = SilenceNotice()
    let stuck = ServerActivity(server: 7, time: 1, written: 1, programs: [], waitsForPipe: true)
    let text = notice.text(silence: .seconds(12), server: stuck) ?? ""
    #expect(text.hasPrefix("Bazel has not answered for 12 s: it waits for a named pipe"))
  }

  @Test func `after a sign of life it is told anew`() {
    var notice = SilenceNotice()
    let still = ServerActivity(server: 7, time: 1, written: 1, programs: [])
    let told = [11, 20, 29, 35, 1, 9, 12].map {
      notice.text(silence: .seconds($0), server: still) != nil
    }
    #expect(told == [true, false, false, true, false, false, true])
  }
}
