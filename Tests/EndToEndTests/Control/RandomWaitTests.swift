import Basics
import Foundation
import Synchronization
import TestSupport
import Testing

/// Saves at random moments of a cycle, each waited for: no verdict is about an earlier state of the files.
///
/// `WATCHBUILD_WAITS=1000,SEED` makes as many; the number of the seed is told when a wait is wrong.
@Suite(
  .serialized, .bazel, .timeLimit(.minutes(20)), .eachBazel, .bazelServer(LoopScene.files))
struct RandomWaitTests {
  private let scene: ControlScene

  init() throws { scene = try ControlScene(#require(BazelServer.workspace)) }

  private struct Wait: Sendable {
    var save: Int
    var verdict: String
    var index: Data
    /// The last save before the answer came.
    var latest: Int
  }

  private static let (count, seed): (Int, UInt64) = {
    let numbers =
      ProcessInfo.processInfo.environment["WATCHBUILD_WAITS"]?
      .split(separator: ",").compactMap { UInt64($0) } ?? []
    return (
      Int(numbers.first ?? 60), numbers.count > 1 ? numbers[1] : UInt64.random(in: 1...999_999)
    )
  }()

  /// Every so many a save breaks the build; the last never does.
  private static func isBroken(_ save: Int) -> Bool { save % 9 == 4 && save < count }

  @Test func `no verdict is about an earlier state of the files`() async throws {
    var numbers = SeededNumbers(seed: Self.seed)
    let (scene, latest) = (scene, Latest())
    let dev = try await scene.dev()
    let waits = try await withThrowingTaskGroup(of: Wait.self) { group in
      var done: [Wait] = []
      for save in 1...Self.count {
        // So many wait at once; more than 256 would be refused.
        if save - done.count > 100, let wait = try await group.next() { done.append(wait) }
        let kind = Int.random(in: 0..<10, using: &numbers)
        // Before it is written, so that whoever is answered meanwhile counts it.
        latest.begin(save, isUndone: kind == 0)
        let text = Self.isBroken(save) ? "\(save) BROKEN" : "\(save)"
        switch kind {
        // A save that is undone at once.
        case 0:
          try scene.save("0 BROKEN")
          try scene.save(text)
        // As editors do it: another file in its place.
        case 1...4:
          try scene.workspace.write("w/.in.txt.tmp", text)
          try Tool.run(
            "mv", ["\(scene.workspace.root)/w/.in.txt.tmp", "\(scene.workspace.root)/w/in.txt"])
        // With a new file beside it, so that the graph is asked first.
        case 5:
          try scene.save(text)
          try scene.workspace.write("w/new\(save).txt", "")
        default: try scene.save(text)
        }
        group.addTask {
          let (verdict, index) = try await scene.wait()
          return Wait(save: save, verdict: verdict, index: index, latest: latest.number)
        }
        // From within the window to beyond the end of the cycle.
        let pause = [0, 10, 40, 100, 250, 700][Int.random(in: 0..<6, using: &numbers)]
        try await ContinuousClock().pause(for: .milliseconds(pause))
      }
      return try await group.reduce(into: done) { $0.append($1) }
    }
    #expect(waits.count == Self.count)
    for wait in waits { try check(wait, undone: latest.undone) }
    let (verdict, index) = try await scene.wait()
    #expect(verdict == "ok")
    #expect(try scene.content(in: index) == "\(Self.count)")
    #expect(try await dev.interrupt() == 130)
  }

  private func check(_ wait: Wait, undone: Set<Int>) throws {
    let word = "save \(wait.save) of \(Self.count), seed \(Self.seed): \(wait.verdict)"
    switch wait.verdict {
    case "ok":
      let content = try scene.content(in: wait.index)
      // A file is empty for a moment while it is written: that state is later than the one waited for.
      let isLater = content.isEmpty && wait.latest > wait.save
      let number = Int(content.prefix { $0.isNumber }) ?? 0
      #expect(isLater || number >= wait.save, "\(word): \(content)")
      #expect(
        !Self.isBroken(wait.save) || wait.latest > wait.save,
        "a broken file became no image: \(word)")
    case "failed":
      let isLater = (wait.save + 1..<max(wait.latest, wait.save) + 1).contains {
        Self.isBroken($0) || undone.contains($0)
      }
      #expect(Self.isBroken(wait.save) || isLater, "\(word)")
    default: Issue.record("\(word)")
    }
  }

  /// The save that is being made, and those that were broken for a moment.
  private final class Latest: Sendable {
    private let state = Mutex((number: 0, undone: Set<Int>()))

    var number: Int { state.withLock(\.number) }
    var undone: Set<Int> { state.withLock(\.undone) }

    func begin(_ save: Int, isUndone: Bool) {
      state.withLock { state in
        state.number = save
        if isUndone { state.undone.insert(save) }
      }
    }
  }
}
