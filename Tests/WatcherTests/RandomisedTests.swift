import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

extension OneWatcher {
  /// Whatever happens to a tree: every path that differs is reported, none that is ignored is, and
  /// the barrier does not lie.
  ///
  /// `WATCHBUILD_SEED` repeats a run; `WATCHBUILD_ROUNDS` makes it longer than the usual 60.
  @Suite struct Randomised {
    private static let rounds =
      getenv("WATCHBUILD_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 60
    private static let stepsPerRound = 20

    private var seed: UInt64 {
      getenv("WATCHBUILD_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? .random(in: 0..<1_000_000)
    }

    @Test func `every difference is reported`() async throws {
      try await check(rounds: Self.rounds)
    }

    @Test func `every difference is reported in a closure`() async throws {
      try await check(rounds: Self.rounds, trees: ["a", "b/c"], directories: ["c/d"])
    }

    @Test func `every difference is reported after overflows`() async throws {
      try await check(rounds: max(2, Self.rounds / 30), limit: 1, overflows: true)
    }

    @Test func `every difference is reported when watches run out`() async throws {
      let limit = "echo 6 > /proc/sys/user/max_inotify_watches"
      try await OtherProcess.run(
        "when watches run out", under: "unshare -Ur sh -c '\(limit); exec \"$@\"' sh"
      ) {
        try await check(rounds: Self.rounds / 2)
      }
    }

    private func check(
      rounds: Int, trees: [String]? = nil, directories: [String] = [],
      limit: Int = WatchEventQueue.limit, overflows: Bool = false
    ) async throws {
      let seed = seed
      let directory = try TemporaryDirectory()
      let root = try directory.makeDirectory("root")
      var tree = RandomTree(
        root: root, outside: try directory.makeDirectory("outside"), seed: seed)
      for _ in 0..<50 { tree.step() }
      let rules = IgnoreRules(root: root, patterns: ["docs/**", "*.log"])
      let scope = WatchScope(
        root: root, ignore: rules, trees: trees.map { Set($0.map { root.pushing(FilePath($0)) }) },
        directories: Set(directories.map { root.pushing(FilePath($0)) }))
      let closure = Closure(scope)
      let watcher = try InotifyWatcher(scope, limit: limit)
      _ = await watcher.ready()
      var before = tree.snapshot()
      for round in 0..<rounds {
        if overflows { try fillQueue(in: root) }
        for _ in 0..<Self.stepsPerRound { tree.step() }
        try await watcher.synchronize()
        let events = watcher.events.takeAvailable()
        let after = tree.snapshot()
        let reported = Set(events.compactMap(\.path))
        let missed = RandomTree.differences(before, after).subtracting(reported).filter {
          closure.contains($0)
        }
        let states = missed.map { "\(before[$0] ?? "absent") -> \(after[$0] ?? "absent")" }
        #expect(missed.isEmpty, "seed \(seed), round \(round): not reported: \(states)")
        let ignored = reported.filter { rules.ignores($0) && before[$0] != nil }
        #expect(ignored.isEmpty, "seed \(seed), round \(round): ignored, and reported")
        if overflows {
          #expect(events.contains { if case .overflowed = $0 { true } else { false } })
        }
        guard missed.isEmpty, ignored.isEmpty else { break }
        before = after
      }
      await watcher.stop()
    }

    /// More events than the kernel keeps, none of which can be merged with the one before it.
    private func fillQueue(in root: FilePath) throws {
      let files = [root.appending("fill-1"), root.appending("fill-2")]
      for _ in 0...(InotifyLimits.current.maxQueuedEvents ?? 16_384) / 2 + 4000 {
        for file in files {
          let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
          try descriptor.close()
        }
      }
    }

    /// Which paths must be reported. Where packages begin and end within a round is not decided.
    private struct Closure {
      let scope: WatchScope
      init(_ scope: WatchScope) { self.scope = scope }

      func contains(_ path: FilePath) -> Bool {
        guard !scope.ignore.ignores(path) else { return false }
        guard let trees = scope.trees else { return true }
        let parent = path.removingLastComponent()
        if parent == scope.root || trees.contains(parent) || scope.directories.contains(parent) {
          return true
        }
        // Below a tree, unless a package of its own may have been there in this run.
        return false
      }
    }
  }
}

extension WatchEvent {
  fileprivate var path: FilePath? {
    if case .changed(let change) = self { change.path } else { nil }
  }
}
